"""API keys over HTTP: made once, sent in a header, read-only, and read by GDAL."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests import town
from tests.api.conftest import Server
from tests.api.holders import KINDS, Holder, bearer, hold, make_key
from tests.api.log_lines import Lines, recorded
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
KEYS, EXPORT = "/api/v1/keys", "/api/v1/export/compounds.geojson"


@pytest.fixture
def planner(own_service: Service) -> TestClient:
    return own_service.caller("planner", STREET)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


# ---- making, listing, revoking


def test_a_key_is_shown_once_and_listed_without_its_secret(planner: TestClient) -> None:
    made = make_key(planner, territory=A, days=366)
    secret = made.pop("secret")
    assert secret.startswith(f"gk_{made['id']}_")
    assert (made["lo"], made["hi"], made["used_at"]) == (A, A, None)
    listed = planner.get(KEYS)
    assert listed.json() == [made]
    assert secret[20:] not in listed.text


def test_a_key_ends_when_it_is_revoked(own_service: Service, planner: TestClient) -> None:
    made = make_key(planner)
    script = bearer(own_service, made["secret"])
    assert script.get(EXPORT).status_code == 200
    assert planner.get(KEYS).json()[0]["used_at"] is not None
    assert planner.delete(f"{KEYS}/{made['id']}").status_code == 204
    assert is_problem(script.get(EXPORT), 401, "not-signed-in")
    assert planner.get(KEYS).json() == []
    assert is_problem(planner.delete(f"{KEYS}/{made['id']}"), 404, "not-found")


def test_somebody_elses_key_is_absent(own_service: Service, planner: TestClient) -> None:
    made = make_key(planner)
    other = own_service.caller("administrator", STREET)
    assert other.get(KEYS).json() == []
    assert is_problem(other.delete(f"{KEYS}/{made['id']}"), 404, "not-found")
    assert bearer(own_service, made["secret"]).get(EXPORT).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        *({"days": 0}, {"days": 367}, {"days": "long"}, {"name": ""}, {"name": "a\x00b"}),
        *({"name": "x" * 61}, {"territory": 44}, {"territory": "A"}, {"role": "administrator"}),
    ],
)
def test_a_wish_that_does_not_fit_is_refused(service: Service, change: dict[str, object]) -> None:
    body = {"name": "QGIS", "days": 30} | change
    answer = service.caller("planner", STREET).post(KEYS, json=body)
    assert is_problem(answer, 422, "invalid-request")


def test_nobody_gives_a_key_what_is_not_theirs(service: Service) -> None:
    client = service.caller("planner", A)
    for territory in (B, STREET, STREET + 777):
        answer = client.post(KEYS, json={"name": "QGIS", "days": 30, "territory": territory})
        assert is_problem(answer, 422, "beyond-own-territory")


@pytest.mark.parametrize("role", ["resident", "contact", "patrol"])
def test_field_roles_have_no_keys(service: Service, role: str) -> None:
    client = service.caller(role, A)
    answer = client.post(KEYS, json={"name": "QGIS", "days": 30})
    assert is_problem(answer, 403, "role-not-allowed")
    assert is_problem(client.get(KEYS), 403, "role-not-allowed")


def test_twenty_keys_are_enough(planner: TestClient) -> None:
    for _ in range(20):
        make_key(planner)
    answer = planner.post(KEYS, json={"name": "QGIS", "days": 30})
    assert is_problem(answer, 409, "too-many-keys")


# ---- using one


@pytest.fixture
def holder(own_service: Service) -> Holder:
    return hold(own_service, A)


def test_a_key_is_sent_as_bearer_or_as_the_password_of_any_user(
    own_service: Service, holder: Holder
) -> None:
    secret, visitor = holder.secrets["key"], own_service.visitor()
    whole = holder.clients["bearer"].get(EXPORT).content
    ways = [{"Authorization": f"Bearer {secret}"}, {"Authorization": f"bearer {secret}"}]
    ways += [basic(name, secret) for name in ("", "gk", "key", "张三", "a" * 300)]
    for headers in ways:
        answer = visitor.get(EXPORT, headers=headers)
        assert answer.status_code == 200
        assert answer.content == whole
    for headers in (basic(secret, ""), basic(secret, secret[:-1]), {"Authorization": secret}):
        assert is_problem(visitor.get(EXPORT, headers=headers), 401, "not-signed-in")


def test_only_keys_are_taken_as_a_password(own_service: Service, holder: Holder) -> None:
    for kind in set(KINDS) - {"key"}:
        headers = basic("anybody", holder.secrets[kind])
        answer = own_service.visitor().get(EXPORT, headers=headers)
        assert is_problem(answer, 401, "not-signed-in")


def test_a_key_changes_nothing(own_service: Service) -> None:
    staff = own_service.caller("administrator", STREET)
    made = make_key(staff)
    script = bearer(own_service, made["secret"])
    before = own_service.clone.count("audit_event")
    for method, path, body in (
        ("POST", "/api/v1/incidents", {}),
        ("POST", "/api/v1/contacts/plans", {}),
        ("POST", "/api/v1/patrols/evenings", {"day": "2030-01-01"}),
        ("POST", KEYS, {"name": "another", "days": 30}),
        ("DELETE", f"{KEYS}/{made['id']}", None),
        ("DELETE", "/api/v1/sign-ins", None),
        ("DELETE", "/api/v1/session", None),
        ("POST", "/account/password", None),
    ):
        answer = script.request(method, path, json=body)
        assert answer.status_code == 403, path
        if path.startswith("/api/"):
            assert is_problem(answer, 403, "read-only-key")
    assert own_service.clone.count("audit_event") == before
    assert script.get(EXPORT).status_code == 200


def test_a_key_manages_no_account(holder: Holder) -> None:
    for path in (KEYS, "/api/v1/sign-ins"):
        assert is_problem(holder.clients["key"].get(path), 403, "read-only-key")


def test_an_administrators_key_sees_what_a_planner_sees(own_service: Service) -> None:
    staff = own_service.caller("administrator", STREET)
    script = bearer(own_service, make_key(staff, territory=A)["secret"])
    assert script.get("/api/v1/session").json()["role"] == "planner"
    for path in ("/api/v1/incidents", "/api/v1/results", "/api/v1/patrols/routes"):
        assert is_problem(script.get(path), 403, "role-not-allowed")
    told = script.get("/api/v1/stairwells").json()["items"]
    assert {one["community_code"] for one in told} == {A}
    assert {one["household_count"] for one in told} == {None, 30}, (
        "four are too few to tell, and twenty would tell them"
    )


# ---- never in an address


@pytest.fixture
def lines() -> Iterator[Lines]:
    with recorded() as written:
        yield written


def test_a_key_in_the_address_is_not_taken_and_not_logged(
    own_service: Service, holder: Holder, lines: Lines
) -> None:
    secret = holder.secrets["key"]
    names = ("key", "api_key", "apikey", "token", "access_token", "authkey", "authorization")
    for name in names:
        answer = own_service.visitor().get(f"{EXPORT}?{name}={secret}")
        assert is_problem(answer, 401, "not-signed-in")
        assert secret not in answer.text
    answer = own_service.visitor().get(f"/api/v1/{secret}/compounds")
    assert answer.status_code == 404
    assert len(lines.requests) == len(names) + 1
    assert secret not in lines.text
    assert secret[20:] not in lines.text
    assert holder.key_id not in lines.text


def test_a_key_in_a_header_is_not_logged_either(
    own_service: Service, holder: Holder, lines: Lines
) -> None:
    secret = holder.secrets["key"]
    own_service.visitor().get(EXPORT, headers=basic("qgis", secret))
    own_service.visitor().get(EXPORT, headers=basic("qgis", secret[:-1]))
    assert [line["status"] for line in lines.requests] == [200, 401]
    assert lines.requests[0]["account_id"] == str(holder.enrolled.id)
    assert secret[20:-1] not in lines.text
    assert base64.b64encode(secret.encode()).decode()[:40] not in lines.text


@pytest.mark.parametrize("path", [EXPORT, "/api/v1/compounds", "/map", "/"])
def test_no_answer_makes_a_browser_ask_for_a_password(service: Service, path: str) -> None:
    for headers in ({}, {"Accept": "text/html"}, {"HX-Request": "true"}, basic("a", "gk_wrong")):
        answer = service.visitor().get(path, headers=headers, follow_redirects=False)
        assert "basic" not in answer.headers.get("WWW-Authenticate", "").lower()


# ---- real programs over a real port


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    with httpx2.Client(base_url=server.base_url) as client:
        signed = client.post("/api/v1/session", json={"code": server.codes["planner"]}).json()
        client.headers["Authorization"] = f"Bearer {signed['token']}"
        made = client.post(KEYS, json={"name": "GDAL", "days": 1})
        return str(made.json()["secret"])


def ogr2ogr(source: str, target: Path, **options: str) -> subprocess.CompletedProcess[str]:
    """Run GDAL with its options in the environment, where other users do not see them."""
    environment = os.environ | options | {"CPL_CURL_VERBOSE": "NO"}  # noqa: TID251  (of the tests)
    return subprocess.run(  # noqa: S603
        ["ogr2ogr", "-f", "GeoJSON", target, source],  # noqa: S607
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )


def features(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return found


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's programs are not installed")
@pytest.mark.parametrize("prefix", ["", "/vsicurl_streaming/"])
@pytest.mark.parametrize("way", ["userpwd", "header"])
def test_gdal_reads_an_export_with_a_key(
    server: Server, key: str, tmp_path: Path, lines: Lines, prefix: str, way: str
) -> None:
    options = {
        "userpwd": {"GDAL_HTTP_USERPWD": f"anybody:{key}"},
        "header": {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {key}"},
    }[way]
    target = tmp_path / "compounds.geojson"
    said = ogr2ogr(f"{prefix}{server.base_url}{EXPORT}", target, **options)
    assert (said.returncode, said.stderr) == (0, "")
    expected = server.service.clone.count("compound")
    assert len(features(target)) == expected > 3
    refused = [line for line in lines.requests if line["status"] == 401]
    assert refused == [], "it sends the key at once, and waits for no challenge"
    assert key[20:] not in lines.text


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's programs are not installed")
def test_gdal_without_a_key_reads_nothing(server: Server, key: str, tmp_path: Path) -> None:
    for options in ({}, {"GDAL_HTTP_USERPWD": f"anybody:{key[:-1]}"}):
        target = tmp_path / "nothing.geojson"
        said = ogr2ogr(f"{server.base_url}{EXPORT}", target, **options)
        assert said.returncode != 0
        assert not target.exists()
