"""Callers who share connections get their own rows, and a right that is taken ends at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from gridsvc import setup
from gridsvc.access.model import DevelopmentAccount
from gridsvc.db import Database, make_engine
from gridsvc.settings import Settings
from tests import town
from tests.api.service import Service, Witness, document, is_problem
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
V1 = "/api/v1"
LISTS = {"compounds": 2, "stairwells": 12, "incidents": None, "contacts/plans": 1}
INCIDENTS = {A: 24, B: 10, STREET: 36}

# ---- one connection for many callers


def served_by(clone: Clone, *, pool_size: int) -> Iterator[Service]:
    """Serve a clone by so many connections, and no more."""
    engine = make_engine(clone.url(setup.API), pool_size=pool_size)
    app = create_app(Settings(development_login=True), Database(engine), town.VAULT)
    yield Service(clone, app, Witness(app, document()))
    engine.dispose()


@pytest.fixture
def on_one_connection(town_database: Clone) -> Iterator[Service]:
    yield from served_by(town_database, pool_size=1)


@pytest.fixture
def on_two_connections(town_database: Clone) -> Iterator[Service]:
    yield from served_by(town_database, pool_size=2)


def communities_in(client: TestClient, layer: str) -> list[int]:
    """Return the community of every row that a list holds."""
    answer = client.get(f"{V1}/{layer}", params={"limit": 1000})
    assert answer.status_code == 200, answer.text
    return [item["community_code"] for item in answer.json()["items"]]


def expected(layer: str, code: int) -> int:
    return LISTS[layer] or INCIDENTS[code]


@pytest.mark.parametrize("layer", LISTS)
def test_two_callers_who_take_turns_on_one_connection_get_their_own_rows(
    on_one_connection: Service, layer: str
) -> None:
    callers = {code: on_one_connection.caller("coordinator", code) for code in (A, B)}
    for turn in range(10):
        code = (A, B)[turn % 2]
        assert communities_in(callers[code], layer) == [code] * expected(layer, code)
        nobody = on_one_connection.visitor().get(f"{V1}/{layer}")
        assert is_problem(nobody, 401, "not-signed-in")


def test_a_refusal_an_error_and_a_rollback_leave_nothing_to_the_next_caller(
    on_one_connection: Service,
) -> None:
    wide = on_one_connection.caller("administrator", STREET)
    narrow = on_one_connection.caller("coordinator", B)
    report = {"category_code": "nothing", "summary": "无", "lon": 113.152, "lat": 23.032}
    for path, send, status in (
        ("incidents", {"json": report}, 422),
        ("contacts/plans", {"json": {"community_code": 440605012001}}, 404),
        ("incidents", {"content": b"{"}, 422),
    ):
        assert wide.post(f"{V1}/{path}", **send).status_code == status
        assert set(communities_in(narrow, "stairwells")) == {B}
    planner = on_one_connection.caller("planner", STREET)
    assert planner.get(f"{V1}/incidents").status_code == 403
    assert set(communities_in(narrow, "incidents")) == {B}


def test_a_streamed_answer_keeps_its_territory_to_the_last_byte(
    on_two_connections: Service,
) -> None:
    """While it is read, the other connection serves callers of other territories."""
    export = f"{V1}/export/stairwells.geojson"
    other = on_two_connections.caller("coordinator", B)
    with on_two_connections.caller("coordinator", A).stream("GET", export) as answer:
        parts = answer.iter_bytes()
        text = next(parts)
        assert set(communities_in(other, "stairwells")) == {B}
        text += b"".join(parts)
    assert str(B).encode() not in text
    assert text.count(str(A).encode()) >= 12


def test_a_pool_smaller_than_its_load_mixes_nothing_up(on_two_connections: Service) -> None:
    wanted = [
        (role, code, layer)
        for role, code in (("coordinator", A), ("coordinator", B), ("administrator", A))
        for layer in LISTS
    ]
    clients = {(role, code): on_two_connections.caller(role, code) for role, code, _ in wanted}

    def ask(one: tuple[str, int, str]) -> list[int]:
        role, code, layer = one
        return communities_in(clients[role, code], layer)

    with ThreadPoolExecutor(max_workers=12) as threads:
        answers = list(threads.map(ask, wanted * 12))
    for (_, code, layer), found in zip(wanted * 12, answers, strict=True):
        assert found == [code] * expected(layer, code)


# ---- rights that change while somebody is signed in

Taken = tuple[str, Callable[[Service, DevelopmentAccount], None]]


def run(statement: str) -> Callable[[Service, DevelopmentAccount], None]:
    return lambda service, account: service.clone.run(statement.format(id=account.id))


def signed_out_elsewhere(service: Service, account: DevelopmentAccount) -> None:
    assert service.sign_in(account).delete(f"{V1}/sign-ins").status_code == 204


ENDS = {
    "disabled": run("UPDATE gridsvc.account SET is_disabled = true WHERE id = '{id}'"),
    "expired": run(
        "UPDATE gridsvc.sign_in SET expires_at = now() - interval '1 s' WHERE account_id = '{id}'"
    ),
    "ended": run("DELETE FROM gridsvc.sign_in WHERE account_id = '{id}'"),
    "signed out elsewhere": signed_out_elsewhere,
}


@pytest.mark.parametrize("how", ENDS)
def test_a_sign_in_that_ended_is_refused_at_the_very_next_request(
    own_service: Service, how: str
) -> None:
    account = own_service.account("coordinator", (A,))
    client = own_service.sign_in(account)
    assert communities_in(client, "stairwells") == [A] * 12
    ENDS[how](own_service, account)
    for path in ("stairwells", "session", "results"):
        assert is_problem(client.get(f"{V1}/{path}"), 401, "not-signed-in")
    report = {"category_code": "lift.fault", "summary": "停了", "lon": 113.152, "lat": 23.032}
    assert is_problem(client.post(f"{V1}/incidents", json=report), 401, "not-signed-in")
    assert own_service.clone.count("incident") == 36


def test_a_changed_role_holds_from_the_very_next_request(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    client = own_service.sign_in(account)
    assert len(communities_in(client, "incidents")) == 24
    for role, incidents, plans in (
        *(("planner", 403, 403), ("patrol", 200, 403), ("contact", 200, 403)),
        *(("resident", 403, 403), ("administrator", 200, 200)),
    ):
        own_service.clone.run(
            f"UPDATE gridsvc.account SET role = '{role}' WHERE id = '{account.id}'"  # noqa: S608
        )
        assert client.get(f"{V1}/session").json()["role"] == role
        assert client.get(f"{V1}/incidents").status_code == incidents
        assert client.get(f"{V1}/contacts/plans").status_code == plans


def test_a_territory_that_is_taken_is_gone_at_the_very_next_request(own_service: Service) -> None:
    account = own_service.account("coordinator", (A, B))
    client = own_service.sign_in(account)
    assert set(communities_in(client, "stairwells")) == {A, B}
    scope = f"FROM gridsvc.account_scope WHERE account_id = '{account.id}'"
    own_service.clone.run(f"DELETE {scope} AND lo = {B}")
    assert communities_in(client, "stairwells") == [A] * 12
    foreign = client.get(f"{V1}/stairwells/{town.stairwell_code(B)}")
    assert is_problem(foreign, 404, "not-found")
    own_service.clone.run(f"DELETE {scope}")
    for layer in LISTS:
        assert communities_in(client, layer) == []
    assert client.get(f"{V1}/session").json()["territories"] == []
    assert client.get(f"{V1}/results").json()["stairwells"] == 0
    assert client.get("/").status_code == 200


def test_whoever_has_no_territory_changes_nothing(own_service: Service) -> None:
    account = own_service.account("administrator", (A,))
    client = own_service.sign_in(account)
    own_service.clone.run(
        f"DELETE FROM gridsvc.account_scope WHERE account_id = '{account.id}'"  # noqa: S608
    )
    for path, body, status in (
        ("contacts/plans", {}, 404),
        ("patrols/evenings", {"day": "2030-01-01"}, 201),
        ("keys", {"name": "QGIS", "days": 1}, 422),
        ("accounts", {"name": "丁一", "role": "contact", "territory_codes": [A]}, 422),
        ("members/search", {"words": "甲"}, 200),
    ):
        answer = client.post(f"{V1}/{path}", json=body)
        assert answer.status_code == status, (path, answer.text)
        assert "甲" not in answer.text
    report = {"category_code": "lift.fault", "summary": "停了", "lon": 113.152, "lat": 23.032}
    for lat in (23.032, 23.5):
        answer = client.post(f"{V1}/incidents", json=report | {"lat": lat})
        assert is_problem(answer, 403, "no-territory")
    counts = {"incident": 36, "contact_plan": 2, "patrol_route": 2, "api_key": 0, "account": 1}
    assert {table: own_service.clone.count(table) for table in counts} == counts


def test_a_key_reads_no_more_than_its_owner_does_now(own_service: Service) -> None:
    account = own_service.account("administrator", (A, B))
    owner = own_service.sign_in(account)
    made = owner.post(f"{V1}/keys", json={"name": "QGIS", "days": 1})
    key = own_service.visitor()
    key.headers["Authorization"] = f"Bearer {made.json()['secret']}"
    assert set(communities_in(key, "stairwells")) == {A, B}
    own_service.clone.run(
        f"DELETE FROM gridsvc.account_scope WHERE account_id = '{account.id}' AND lo = {B}"  # noqa: S608
    )
    assert communities_in(key, "stairwells") == [A] * 12
    own_service.clone.run(f"UPDATE gridsvc.account SET role = 'patrol' WHERE id = '{account.id}'")  # noqa: S608
    assert is_problem(key.get(f"{V1}/stairwells"), 401, "not-signed-in")


def test_a_contact_who_hands_over_a_stairwell_no_longer_sees_it(own_service: Service) -> None:
    member, other = town.id_of("member", A, 1), town.id_of("member", A, 2)
    code = town.stairwell_code(A)
    lead = f"UPDATE gridsvc.contact SET member_id = '{{}}' WHERE stairwell_code = '{code}'"  # noqa: S608
    account = own_service.account("contact", (A,))
    own_service.clone.run(
        f"UPDATE gridsvc.account SET person_id = '{member}' WHERE id = '{account.id}'",  # noqa: S608
        lead.format(member),
    )
    client = own_service.sign_in(account)
    incident = town.id_of("incident", A, "sanitation.rubbish", 0)
    paths = (f"stairwells/{code}", f"stairwells/{code}/card", f"incidents/{incident}")
    assert [client.get(f"{V1}/{path}").status_code for path in paths] == [200] * 3
    own_service.clone.run(lead.format(other))
    for path in paths:
        assert is_problem(client.get(f"{V1}/{path}"), 404, "not-found")


def test_a_contact_who_is_nobody_sees_nothing(service: Service) -> None:
    client = service.caller("contact", A)
    for layer in ("compounds", "stairwells", "incidents"):
        assert client.get(f"{V1}/{layer}").json()["items"] == []
    assert is_problem(client.get(f"{V1}/compounds/{town.compound_code(A)}"), 404, "not-found")
