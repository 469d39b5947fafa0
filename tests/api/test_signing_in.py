"""Signing in and out over HTTP: what is answered, what is set, and what is refused."""

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import csrf_token
from gridsvc.db import Database
from gridsvc.settings import Settings
from tests import town
from tests.api.holders import SAME_ORIGIN, bearer, browser
from tests.api.service import Service, is_problem
from tests.gridsvc.access.enrolled import PASSWORD, enrol

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
SESSION = "/api/v1/session"


# ---- programs


def test_a_program_gets_a_token_and_no_cookie(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    client = own_service.visitor()
    answer = client.post(SESSION, json={"code": account.code})
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"].endswith("no-store")
    assert set(answer.json()) == {"token", "expires_at", "refresh_token", "device_id"}
    assert answer.json()["refresh_token"] is answer.json()["device_id"] is None
    token = answer.json()["token"]
    assert is_problem(client.get(SESSION), 401, "not-signed-in")
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get(SESSION).json() == {
        "name": account.name,
        "role": "coordinator",
        "territories": [{"lo": A, "hi": A}],
    }
    assert client.delete(SESSION).status_code == 204
    assert is_problem(client.get(SESSION), 401, "not-signed-in")


def test_two_sign_ins_of_one_account_are_two_tokens(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    one, two = own_service.sign_in(account), own_service.sign_in(account)
    assert one.headers["Authorization"] != two.headers["Authorization"]
    one.delete(SESSION)
    assert two.get(SESSION).status_code == 200


def test_a_password_opens_what_needs_no_second_factor(own_service: Service) -> None:
    patrol = enrol(own_service.clone, "patrol", A)
    answer = own_service.visitor().post(SESSION, json=patrol.proof())
    assert answer.status_code == 201
    who = bearer(own_service, answer.json()["token"]).get(SESSION).json()
    assert (who["role"], who["territories"]) == ("patrol", [{"lo": A, "hi": A}])
    assert own_service.clone.count("audit_event", "action = 'sign-in.start'") == 1


def test_staff_sends_the_code_of_the_authenticator_too(own_service: Service) -> None:
    staff = enrol(own_service.clone, "administrator", STREET)
    visitor = own_service.visitor()
    password_only = {"login": staff.login, "password": PASSWORD}
    answer = visitor.post(SESSION, json=password_only)
    assert is_problem(answer, 401, "second-factor-required")
    assert "one_time_code" in answer.json()["detail"]
    answer = visitor.post(SESSION, json=password_only | {"one_time_code": "000000"})
    assert is_problem(answer, 401, "wrong-credentials")
    assert own_service.clone.count("sign_in") == 0
    proof = staff.proof()
    answer = visitor.post(SESSION, json=proof)
    assert bearer(own_service, answer.json()["token"]).get(SESSION).status_code == 200
    assert is_problem(visitor.post(SESSION, json=proof), 401, "wrong-credentials"), "used"


def test_staff_without_an_authenticator_is_sent_to_a_browser(own_service: Service) -> None:
    staff = enrol(own_service.clone, "coordinator", A, is_confirmed=False)
    answer = own_service.visitor().post(SESSION, json=staff.proof())
    assert is_problem(answer, 401, "second-factor-not-set")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("{login}", "not the password"),
        ("nobody", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("{login}'; DROP TABLE gridsvc.account; --", PASSWORD),
    ],
)
def test_wrong_login_and_wrong_password_are_one_answer(
    own_service: Service, login: str, password: str
) -> None:
    known = enrol(own_service.clone, "patrol", A)
    body = {"login": login.format(login=known.login), "password": password}
    answer = own_service.visitor().post(SESSION, json=body)
    assert is_problem(answer, 401, "wrong-credentials")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["detail"] == "The login, password or code is wrong, used up or expired."


@pytest.mark.parametrize("code", ["wrong-code-of-nobody", "' OR 1=1 --", "\x00" * 8])
def test_a_wrong_code_is_refused(service: Service, code: str) -> None:
    answer = service.visitor().post(SESSION, json={"code": code})
    assert is_problem(answer, 401, "wrong-credentials")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"login": "zhang"},
        {"password": "geheim-99"},
        {"login": "zhang", "password": "geheim-99", "code": "geheim-99-code"},
        {"login": "zhang\x00", "password": "geheim-99"},
        {"login": "zhang", "password": "geheim-99" * 30},
        {"login": "zhang", "password": "geheim-99", "one_time_code": "geheim"},
        {"login": "zhang", "password": "geheim-99", "device": {"name": "geheim\t99"}},
        {"login": "zhang", "password": "geheim-99", "device": {"name": "   "}},
        {"login": "zhang", "password": "geheim-99", "role": "administrator"},
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_not_repeated(
    service: Service, body: dict[str, object]
) -> None:
    answer = service.visitor().post(SESSION, json=body)
    assert is_problem(answer, 422, "invalid-request")
    assert "geheim" not in answer.text


def test_whoever_tries_too_often_is_told_how_long_to_wait(own_service: Service) -> None:
    patrol = enrol(own_service.clone, "patrol", A)
    wrong = {"login": patrol.login, "password": "wrong"}
    visitor = own_service.visitor()
    assert {visitor.post(SESSION, json=wrong).status_code for _ in range(5)} == {401}
    answer = visitor.post(SESSION, json=patrol.proof())
    assert is_problem(answer, 429, "too-many-tries")
    assert answer.headers["Retry-After"] == "1"
    elsewhere = TestClient(own_service.witness, client=("198.51.100.7", 1))
    assert elsewhere.post(SESSION, json=patrol.proof()).status_code == 201


def test_login_codes_are_for_development_only(service: Service) -> None:
    account = service.account("coordinator", (A,))
    app = create_app(Settings(development_login=False), service.clone.api, town.VAULT)
    client = TestClient(app)
    answer = client.post(SESSION, json={"code": account.code})
    assert is_problem(answer, 401, "wrong-credentials")
    answer = client.post("/login", data={"code": account.code}, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert not client.cookies


# ---- browsers


def test_the_form_sets_a_cookie_that_scripts_cannot_read(own_service: Service) -> None:
    patrol = enrol(own_service.clone, "patrol", A)
    form = {"login": patrol.login, "password": PASSWORD}
    client = own_service.visitor()
    answer = client.post("/login", data=form, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.status_code == 303
    cookie = next(one for one in _cookies(answer) if one.startswith("gridsvc_session="))
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "path=/" in cookie.lower()
    assert client.get(SESSION).json()["role"] == "patrol"


def test_under_tls_the_cookie_is_bound_to_this_host(own_service: Service) -> None:
    patrol = enrol(own_service.clone, "patrol", A)
    form = {"login": patrol.login, "password": PASSWORD}
    client = TestClient(own_service.witness, base_url="https://testserver")
    origin = {"Origin": "https://testserver"}
    answer = client.post("/login", data=form, headers=origin, follow_redirects=False)
    cookie = next(one for one in _cookies(answer) if one.startswith("__Host-gridsvc_session="))
    assert "secure" in cookie.lower()
    assert "domain" not in cookie.lower()
    assert client.get(SESSION).status_code == 200
    plain = own_service.visitor()
    plain.cookies.set("__Host-gridsvc_session", client.cookies["__Host-gridsvc_session"])
    assert is_problem(plain.get(SESSION), 401, "not-signed-in"), "not over plain HTTP"


def _cookies(answer: object) -> list[str]:
    found: list[str] = answer.headers.get_list("set-cookie")  # type: ignore[attr-defined]
    return found


def test_a_change_by_cookie_needs_the_token_of_our_page(own_service: Service) -> None:
    login = enrol(own_service.clone, "patrol", A).login
    client, other = browser(own_service, login), browser(own_service, login)
    right = csrf_token(client.cookies["gridsvc_session"])
    foreign = csrf_token(other.cookies["gridsvc_session"])
    for sent in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": "ü"}):
        wanted = SAME_ORIGIN | sent
        headers = [(name.encode(), value.encode()) for name, value in wanted.items()]
        answer = client.delete(SESSION, headers=headers)
        assert is_problem(answer, 403, "csrf")
    assert client.get(SESSION).status_code == 200, "reading needs none"
    answer = client.delete(SESSION, headers=SAME_ORIGIN | {"X-CSRF-Token": right})
    assert answer.status_code == 204
    assert is_problem(client.get(SESSION), 401, "not-signed-in")
    assert other.get(SESSION).status_code == 200


def test_a_form_carries_the_token_in_a_field(own_service: Service) -> None:
    client = browser(own_service, enrol(own_service.clone, "patrol", A).login)
    token = client.cookies["gridsvc_session"]
    assert f'value="{csrf_token(token)}"' in client.get("/account").text
    wrong = client.post("/logout", data={"csrf": "0" * 64}, headers=SAME_ORIGIN)
    assert wrong.status_code == 403
    assert client.get(SESSION).status_code == 200
    right = {"csrf": csrf_token(token)}
    answer = client.post("/logout", data=right, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.status_code == 303
    assert not client.cookies
    assert is_problem(bearer(own_service, token).get(SESSION), 401, "not-signed-in")


def test_a_header_comes_before_a_cookie_and_needs_no_token_of_a_page(
    own_service: Service,
) -> None:
    client = browser(own_service, enrol(own_service.clone, "patrol", A).login)
    planner = enrol(own_service.clone, "planner", A)
    token = own_service.visitor().post(SESSION, json=planner.proof()).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get(SESSION).json()["role"] == "planner"
    assert client.delete(SESSION, headers=SAME_ORIGIN).status_code == 204
    client.headers["Authorization"] = "Bearer of-nobody"
    assert is_problem(client.get(SESSION), 401, "not-signed-in"), "the cookie does not step in"
    del client.headers["Authorization"]
    assert client.get(SESSION).json()["role"] == "patrol"


def test_between_password_and_code_a_token_opens_nothing(own_service: Service) -> None:
    staff = enrol(own_service.clone, "administrator", STREET)
    client = own_service.visitor()
    form = {"login": staff.login, "password": PASSWORD}
    answer = client.post("/login", data=form, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.headers["Location"].startswith("/login/second-factor")
    assert "gridsvc_session" not in client.cookies
    pending = client.cookies["gridsvc_pending"]
    as_cookie = own_service.visitor()
    as_cookie.cookies.set("gridsvc_session", pending)
    for path in (SESSION, "/api/v1/sign-ins", "/api/v1/keys", "/api/v1/communities"):
        for one in (client, as_cookie, bearer(own_service, pending)):
            assert is_problem(one.get(path), 401, "not-signed-in")
    answer = bearer(own_service, pending).post("/api/v1/keys", json={"name": "x", "days": 1})
    assert is_problem(answer, 401, "not-signed-in")


# ---- around it


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
        "revision": "reports",
        "is_leakproof": True,
    }


def test_a_superuser_is_not_ready_to_serve(service: Service) -> None:
    app = create_app(Settings(), Database(service.clone.root), town.VAULT)
    answer = TestClient(app, raise_server_exceptions=False).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unsafe-role"
