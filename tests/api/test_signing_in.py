"""Signing in, and that rights follow the account from one request to the next."""

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from gridsvc.db import Database
from gridsvc.settings import Settings
from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def test_a_browser_signs_in_by_cookie_and_out_again(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    browser = own_service.visitor()
    answer = browser.post("/api/v1/session", json={"code": account.code})
    assert answer.status_code == 201
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.headers["Cache-Control"] == "no-store"
    who = browser.get("/api/v1/session").json()
    assert who == {
        "name": account.name,
        "role": "coordinator",
        "territories": [{"lo": A, "hi": A}],
    }
    token = answer.json()["token"]
    assert browser.delete("/api/v1/session").status_code == 204
    assert not browser.cookies
    for headers in ({"Cookie": f"gridsvc_session={token}"}, {"Authorization": f"Bearer {token}"}):
        late = own_service.visitor().get("/api/v1/session", headers=headers)
        assert is_problem(late, 401, "not-signed-in"), "the token ended at once"


def test_only_the_hash_of_a_token_and_of_a_code_is_stored(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    answer = own_service.visitor().post("/api/v1/session", json={"code": account.code})
    with own_service.clone.root.connect() as connection:
        for table in ("sign_in", "account"):
            rows = str(connection.exec_driver_sql(f"SELECT * FROM gridsvc.{table}").all())  # noqa: S608
            assert answer.json()["token"] not in rows
            assert account.code not in rows
            assert answer.json()["token"].encode().hex() not in rows


def test_two_sign_ins_of_one_account_are_two_tokens(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    one, two = own_service.sign_in(account), own_service.sign_in(account)
    assert one.headers["Authorization"] != two.headers["Authorization"]
    one.delete("/api/v1/session")
    assert two.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("code", ["wrong-code-of-nobody", "' OR 1=1 --", "\x00" * 8])
def test_a_wrong_code_is_refused(service: Service, code: str) -> None:
    answer = service.visitor().post("/api/v1/session", json={"code": code})
    assert is_problem(answer, 401, "not-signed-in")


def test_login_codes_are_for_development_only(service: Service) -> None:
    account = service.account("coordinator", (A,))
    app = create_app(Settings(development_login=False), service.clone.api)
    answer = TestClient(app).post("/api/v1/session", json={"code": account.code})
    assert is_problem(answer, 401, "not-signed-in")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gridsvc.account SET is_disabled = true",
        "UPDATE gridsvc.sign_in SET expires_at = now() - interval '1 second'",
        "DELETE FROM gridsvc.sign_in",
    ],
)
def test_a_sign_in_ends_with_its_account_and_its_time(own_service: Service, change: str) -> None:
    account = own_service.account("coordinator", (A,))
    client = own_service.sign_in(account)
    assert client.get("/api/v1/session").status_code == 200
    own_service.clone.run(change)
    assert is_problem(client.get("/api/v1/session"), 401, "not-signed-in")
    if "account" in change:
        again = own_service.visitor().post("/api/v1/session", json={"code": account.code})
        assert is_problem(again, 401, "not-signed-in")


def test_a_change_of_territory_or_role_holds_from_the_next_request(own_service: Service) -> None:
    client = own_service.sign_in(own_service.account("coordinator", (A,)))
    assert len(client.get("/api/v1/incidents").json()["items"]) == 24
    own_service.clone.run("UPDATE gridsvc.account_scope SET lo = lo + 1, hi = hi + 1")
    assert len(client.get("/api/v1/incidents").json()["items"]) == 10
    own_service.clone.run("UPDATE gridsvc.account SET role = 'planner'")
    assert is_problem(client.get("/api/v1/incidents"), 403, "role-not-allowed")
    own_service.clone.run("DELETE FROM gridsvc.account_scope")
    assert client.get("/api/v1/compounds").json()["items"] == []


def test_several_territories_are_seen_together(service: Service) -> None:
    client = service.caller("coordinator", A, B)
    codes = {one["community_code"] for one in client.get("/api/v1/compounds").json()["items"]}
    assert codes == {A, B}
    assert len(client.get("/api/v1/incidents").json()["items"]) == 34, "not those outside"


def test_a_reader_gets_a_read_only_transaction_and_a_writer_does_not(own_service: Service) -> None:
    from sqlalchemy import event

    statements: list[str] = []
    engine = own_service.clone.api.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    client = own_service.caller("coordinator", A)
    event.listen(engine, "before_cursor_execute", note)
    client.get("/api/v1/communities")
    reading = [one for one in statements if "app.lo1" in one]
    statements.clear()
    client.post("/api/v1/contacts/plans", json={"time_limit_s": 0.1})
    writing = [one for one in statements if "app.lo1" in one]
    event.remove(engine, "before_cursor_execute", note)
    assert [one.startswith("SET TRANSACTION READ ONLY") for one in reading] == [True]
    assert [one.startswith("SET TRANSACTION READ ONLY") for one in writing] == [False]


def test_the_app_says_ready_and_healthy(service: Service) -> None:
    visitor = service.visitor()
    assert visitor.get("/healthz").json() == {"status": "ok"}
    assert visitor.get("/readyz").json() == {
        "status": "ready",
        "revision": "planner_views",
        "is_leakproof": True,
    }


def test_a_superuser_is_not_ready_to_serve(service: Service) -> None:
    app = create_app(Settings(), Database(service.clone.root))
    answer = TestClient(app, raise_server_exceptions=False).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unsafe-role"


def test_every_answer_carries_the_headers_of_safety(service: Service) -> None:
    for path in (
        "/healthz",
        "/api/v1/communities",
        "/api/v1/nothing",
        "/tiles/compounds/0/0/0.mvt",
    ):
        headers = service.caller("coordinator", A).get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "private" in headers["Cache-Control"] or "no-store" in headers["Cache-Control"]
