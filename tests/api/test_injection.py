"""Strings that would be SQL, CQL2 or a setting elsewhere are strings here: no rows, no faults.

Every string that a request may hold gets them: parameters of path and query, fields of bodies and
forms, headers and cookies. An answer is a refusal, or holds no more than the honest one.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests import town
from tests.api.service import Service
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
V1 = "/api/v1"

STRINGS = (
    "' OR '1'='1",
    "'; DROP TABLE gridsvc.incident; --",
    "1) OR (1=1",
    "%' OR community_code > 0 --",
    "' UNION SELECT phone_masked FROM gridsvc.member_identity --",
    "\"; SET LOCAL app.hi1 = '999999999999'; --",
    "$$; SELECT set_config('app.role', 'administrator', true); $$",
    "\\'; COMMIT; --",
    "name LIKE '%' OR community_code = 440605011002",
    '{"op":"=","args":[{"property":"community_code"},440605011002]}',
    "CASEI(name) LIKE casei('%')",
    "S_INTERSECTS(geom, POLYGON((0 0,180 0,180 90,0 90,0 0)))",
    "%00",
    "\u202e' or 1=1",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "../../../etc/passwd",
)
TAMPERED = "incident", "contact", "contact_plan", "patrol_route", "member", "account", "audit_event"


@pytest.fixture
def guarded(own_service: Service) -> Iterator[Service]:
    """A service whose tables hold as much afterwards as before, but for the trail of searches."""
    before = {table: own_service.clone.count(table) for table in TAMPERED}
    yield own_service
    after = {table: own_service.clone.count(table) for table in TAMPERED}
    assert after | {"audit_event": 0} == before | {"audit_event": 0, "account": after["account"]}


def schema_of(service: Service, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = service.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def takes_text(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "string" for one in (schema, *schema.get("anyOf", ())))


def operations(service: Service) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in service.document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def assert_harmless(answer: Response, text: str, what: object) -> None:
    """A refusal, or an answer that names nothing of another community, of people, of tables."""
    assert answer.status_code < 500, (what, answer.text)
    for word in (str(B), "154****", "syntax error", "gridsvc."):
        assert word in text or word not in answer.text, (what, text)


# ---- every parameter of the document


@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_a_parameter_is_never_part_of_a_statement(guarded: Service, place: str) -> None:
    client = guarded.caller("coordinator", A)
    known = {"layer": "compounds", "z": "12", "x": "3335", "y": "1778", "code": "9" * 20}
    tried = 0
    for method, path, operation in operations(guarded):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != place:
                continue
            for text in STRINGS:
                filled = {name: known.get(name, "x") for name in names_in(path)}
                send: dict[str, Any] = {}
                if place == "path":
                    filled[parameter["name"]] = quote(text, safe="")
                elif place == "query":
                    send["params"] = {parameter["name"]: text}
                else:
                    send["headers"] = {parameter["name"]: quote(text)}
                answer = client.request(method, path.format(**filled), **send)
                assert_harmless(answer, text, (method, path, parameter["name"]))
                if place == "path":
                    assert answer.status_code >= 400, (path, text)
                tried += 1
    assert tried >= 3 * len(STRINGS)


def names_in(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def test_what_a_list_is_asked_for_in_such_a_string_is_nothing_or_refused(
    guarded: Service,
) -> None:
    """Those parameters take any text, so the answer is a list: it must be empty."""
    client = guarded.caller("coordinator", A)
    for text in STRINGS:
        answer = client.get(f"{V1}/compounds", params={"name": text})
        assert answer.status_code == 422 or answer.json()["items"] == [], text
        answer = client.post(f"{V1}/members/search", json={"words": text})
        assert answer.status_code == 422 or answer.json()["items"] == [], text
    assert len(client.get(f"{V1}/compounds", params={"name": "苑_1%"}).json()["items"]) == 1
    assert client.get(f"{V1}/compounds", params={"name": "%"}).json()["items"] != []
    assert client.get(f"{V1}/compounds", params={"name": "苑%1"}).json()["items"] == []


# ---- every field of every body


def test_a_field_of_a_body_is_never_part_of_a_statement(guarded: Service) -> None:
    client = guarded.caller("administrator", A)
    tried = []
    for method, path, operation in operations(guarded):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        schema = schema_of(guarded, content["application/json"]["schema"])
        forms = [schema_of(guarded, one) for one in schema.get("oneOf", (schema,))]
        fields = {
            name: None
            for form in forms
            for name, one in form["properties"].items()
            if takes_text(one)
        }
        for name in fields:
            if (path, name) in STORED:
                continue
            for text in STRINGS:
                body = {**BODIES.get(path, {}), name: text}
                answer = client.request(method, path.format(**IDS), json=body)
                assert_harmless(answer, text, (method, path, name))
            tried.append((path, name))
    assert (f"{V1}/incidents", "category_code") in tried
    assert (f"{V1}/session", "login") in tried
    assert len(tried) >= 10


NOTHING = "00000000-0000-7000-8000-000000000000"
IDS = dict.fromkeys(
    (
        *("plan_id", "account_id", "member_id", "import_id"),
        *("incident_id", "party_id", "channel_id"),
    ),
    NOTHING,
) | {"code": town.stairwell_code(A)}
REPORT = {"category_code": "lift.fault", "summary": "停了", "lon": 113.152, "lat": 23.032}
BODIES: dict[str, dict[str, Any]] = {
    f"{V1}/incidents": REPORT,
    f"{V1}/patrols/evenings": {"day": "2030-01-01"},
    f"{V1}/session": {"login": "nobody", "password": "x"},
    f"{V1}/invitations/redeem": {"code": "nobody-nobody", "password": "x"},
    f"{V1}/accounts": {"name": "丁一", "role": "contact", "territory_codes": [A]},
    f"{V1}/keys": {"name": "QGIS", "days": 1},
}
# Whatever people write is kept as they wrote it: see below.
STORED = {
    *((f"{V1}/incidents", "summary"), (f"{V1}/accounts", "name"), (f"{V1}/keys", "name")),
    (f"{V1}/accounts/{{account_id}}", "name"),
}


def test_what_people_write_is_kept_word_for_word(own_service: Service) -> None:
    client = own_service.caller("administrator", A)
    for text in STRINGS:
        made = client.post(f"{V1}/incidents", json=REPORT | {"summary": text})
        assert made.status_code == 201, made.text
        read = client.get(f"{V1}/incidents/{made.json()['id']}").json()
        assert read["summary"] == text
    assert own_service.clone.count("incident", f"community_code = {A}") == 24 + len(STRINGS)
    assert own_service.clone.count("incident", f"community_code = {B}") == 10
    for text in STRINGS:
        body = BODIES[f"{V1}/accounts"] | {"name": text}
        invited = client.post(f"{V1}/accounts", json=body)
        assert invited.status_code in {201, 422}, invited.text
        if invited.status_code == 201:
            assert invited.json()["account"]["name"] == text
        key = client.post(f"{V1}/keys", json={"name": text, "days": 1})
        assert key.status_code in {201, 409, 422}, key.text


# ---- pages

PAGES = {
    "GET /map": ("view", "community", "compound", "lang"),
    "GET /login": ("next", "lang", "late", "sso"),
    "GET /account": ("done", "lang"),
    "GET /admin": ("role", "community"),
    "GET /admin/audit": ("first", "last", "action", "account", "subject", "community", "cursor"),
    "POST /login": ("login", "code", "next"),
    "POST /invite": ("code",),
    "POST /admin": ("words", "after_login", "after_id"),
    "POST /admin/members": ("words",),
    "POST /admin/invite": ("name", "role", "login", "territory"),
    "POST /account/keys": ("days", "territory"),  # a name is kept as it is
}


@pytest.mark.parametrize("page", PAGES)
def test_a_field_of_a_page_is_never_part_of_a_statement(guarded: Service, page: str) -> None:
    method, path = page.split(" ")
    client = guarded.caller("administrator", A)
    for name in PAGES[page]:
        for text in STRINGS:
            send: dict[str, Any] = {"params" if method == "GET" else "data": {name: text}}
            answer = client.request(method, path, follow_redirects=False, **send)
            assert_harmless(answer, text, (page, name))


# ---- what stands beside the request


@pytest.mark.parametrize(
    "path", [f"{V1}/session", f"{V1}/stairwells", "/login", "/tiles/x/0/0/0.mvt"]
)
def test_a_cookie_or_credential_is_never_part_of_a_statement(guarded: Service, path: str) -> None:
    for text in STRINGS:
        value = quote(text)
        for headers in (
            {"Authorization": f"Bearer {value}"},
            {"Authorization": f"Bearer gk_{value}_{value}"},
            {"Authorization": f"Basic {value}"},
            {"Cookie": f"gridsvc_session={value}"},
            {"Cookie": f"gridsvc_pending={value}; lang={value}"},
            {"Cookie": f"gridsvc_sso={value}", "Accept-Language": value, "User-Agent": value},
        ):
            answer = guarded.visitor().get(path, headers=headers)
            assert answer.status_code == (200 if path == "/login" else 401), (headers, answer.text)


CLAIMS = {
    **{name: str(STREET) for name in ("X-Scope", "X-Territory", "X-Community", "X-App-Hi1")},
    **dict.fromkeys(("app.hi1", "App-Hi1", "X-Postgres-App-Hi1"), "999999999999"),
    **dict.fromkeys(("X-Role", "X-User-Role", "app.role", "X-App-Role"), "administrator"),
    **dict.fromkeys(("X-Account", "X-User", "X-Account-Id", "X-Original-User"), "{other}"),
    **dict.fromkeys(("X-Forwarded-User", "X-Remote-User", "Remote-User"), "{other}"),
    **dict.fromkeys(("X-Auth-Request-User", "X-Person", "app.person"), "{other}"),
    **dict.fromkeys(("X-HTTP-Method-Override", "X-Method-Override"), "DELETE"),
    **dict.fromkeys(("X-Original-URL", "X-Rewrite-URL"), "/api/v1/results"),
    "Forwarded": "for=127.0.0.1;host=localhost;proto=https",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "localhost",
}


def test_a_header_that_claims_more_changes_nothing(service: Service) -> None:
    other = service.account("administrator", (STREET,))
    claims = {name: value.format(other=other.id) for name, value in CLAIMS.items()}
    for client in (service.caller("planner", A), service.caller("coordinator", A)):
        for path in ("session", "stairwells", "incidents", "accounts", "results", "heat"):
            honest = client.get(f"{V1}/{path}")
            claimed = client.get(f"{V1}/{path}", headers=claims)
            assert claimed.status_code == honest.status_code, path
            assert claimed.content == honest.content, path
    for name, value in claims.items():
        nobody = service.visitor().get(f"{V1}/stairwells", headers={name: value})
        assert nobody.status_code == 401, name


def test_a_claim_in_query_or_body_changes_nothing(service: Service) -> None:
    client = service.caller("coordinator", A)
    honest = client.get(f"{V1}/stairwells")
    claims = {"account": str(town.ACCOUNT), "role": "administrator", "app.hi1": "999999999999"}
    claims |= {"scope": str(STREET), "token": "x", "access_token": "x", "api_key": "gk_x_y"}
    assert client.get(f"{V1}/stairwells", params=claims).content == honest.content
    for path, body in (("incidents", REPORT), ("contacts/plans", {}), ("keys", {"days": 1})):
        for name, value in claims.items():
            answer = client.post(f"{V1}/{path}", json={**body, name: value})
            assert answer.status_code == 422, (path, name)


def test_a_key_in_the_address_opens_nothing(own_service: Service) -> None:
    """Addresses are logged, so a secret there must be worthless even when it is right."""
    made = own_service.caller("administrator", A).post(
        f"{V1}/keys", json={"name": "QGIS", "days": 1}
    )
    secret = made.json()["secret"]
    nobody = own_service.visitor()
    for name in ("key", "api_key", "apikey", "token", "access_token", "authorization", "password"):
        assert nobody.get(f"{V1}/stairwells", params={name: secret}).status_code == 401
    nobody.headers["Authorization"] = f"Bearer {secret}"
    assert nobody.get(f"{V1}/stairwells").status_code == 200


def test_the_town_is_still_there(town_database: Clone, service: Service) -> None:
    """What the strings above would have dropped, had one of them been run."""
    client: TestClient = service.caller("coordinator", A)
    assert len(client.get(f"{V1}/incidents").json()["items"]) == 24
    assert town_database.count("incident") == 36
