"""Each refusal leaves one line in the security log; what is no refusal leaves none."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import PENDING, SESSION
from api.logs import security_event
from gridsvc.errors import (
    BusyError,
    CsrfError,
    DatabaseDownError,
    ReadOnlyKeyError,
    SecondFactorRequiredError,
    TooManyTriesError,
    WrongCredentialsError,
)
from gridsvc.settings import Settings
from tests import town
from tests.api.log_lines import Lines, recorded
from tests.api.service import Service, is_problem
from tests.api.wire import listening

pytestmark = pytest.mark.db

A = town.EAST_SHORE
OF_AN_EVENT = {
    *("time", "level", "logger", "message", "request_id"),
    *("event", "method", "route", "subnet", "status"),
}
OURS, FOREIGN = {"Origin": "http://testserver"}, {"Origin": "http://elsewhere.example"}
HTML = {"Accept": "text/html"}


@pytest.fixture
def lines() -> Iterator[Lines]:
    with recorded() as written:
        yield written


@pytest.fixture
def client(service: Service) -> TestClient:
    return TestClient(service.app)


REFUSED: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "wrong code": (
        "wrong-credentials",
        *("POST", "/api/v1/session", {"json": {"code": "wrong-but-long-enough"}}),
    ),
    "wrong code in the form": (
        "wrong-credentials",
        *("POST", "/login", {"data": {"code": "wrong-but-long-enough"}, "headers": HTML}),
    ),
    "forged token": (
        "token-refused",
        *("GET", "/api/v1/incidents", {"headers": {"Authorization": "Bearer forged"}}),
    ),
    "forged key": (
        "token-refused",
        *("GET", "/api/v1/incidents", {"headers": {"Authorization": "Bearer gk_forged_key"}}),
    ),
    "forged cookie, as a page": (
        "token-refused",
        *("GET", "/map", {"headers": {"Cookie": f"{SESSION}=forged", **HTML}}),
    ),
    "change by nobody": ("not-signed-in", "POST", "/api/v1/incidents", {"json": {}}),
    "foreign origin": ("foreign-origin", "POST", "/api/v1/session", {"headers": FOREIGN}),
    "cookie from nowhere": (
        "foreign-origin",
        *("POST", "/logout", {"headers": {"Cookie": f"{PENDING}=x"}}),
    ),
    "body too large": ("body-too-large", "POST", "/api/v1/session", {"content": b" " * 1_000_001}),
    "address too long": ("address-too-long", "GET", "/" + "x" * 9_000, {}),
    "headers too large": ("headers-too-large", "GET", "/", {"headers": {"X": "x" * 20_000}}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_one_line_with_its_event(client: TestClient, lines: Lines, name: str) -> None:
    event, method, path, send = REFUSED[name]
    answer = client.request(method, path, follow_redirects=False, **send)
    (line,) = lines.security
    assert set(line) == OF_AN_EVENT
    assert (line["event"], line["level"], line["message"]) == (event, "warning", "refused")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["subnet"] == "unknown", "the test client has no address"
    assert len(lines.requests) == 1
    assert "subnet" not in lines.requests[0]


def test_a_role_that_is_refused_is_known_by_its_account(service: Service, lines: Lines) -> None:
    account = service.account("planner", (A,))
    client = service.sign_in(account)
    lines.clear()
    assert client.get("/api/v1/incidents").status_code == 403
    (line,) = lines.security
    assert set(line) == OF_AN_EVENT | {"role", "account_id"}
    assert (line["event"], line["route"]) == ("role-not-allowed", "/api/v1/incidents")
    assert (line["role"], line["account_id"]) == ("planner", str(account.id))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gridsvc.account SET is_disabled = true",
        "UPDATE gridsvc.sign_in SET expires_at = now() - interval '1 second'",
        "DELETE FROM gridsvc.sign_in",
    ],
)
def test_a_token_that_has_ended_is_a_line(own_service: Service, lines: Lines, change: str) -> None:
    client = own_service.sign_in(own_service.account("coordinator", (A,)))
    own_service.clone.run(change)
    lines.clear()
    assert client.get("/api/v1/session").status_code == 401
    assert [line["event"] for line in lines.security] == ["token-refused"]


def test_a_change_by_cookie_without_the_token_of_the_page_is_a_line(
    service: Service, lines: Lines
) -> None:
    client = service.sign_in(service.account("coordinator", (A,)))
    token = client.headers.pop("Authorization").removeprefix("Bearer ")
    lines.clear()
    headers = {"Cookie": f"{SESSION}={token}", **OURS}
    answer = client.post("/api/v1/contacts/plans", json={}, headers=headers)
    assert is_problem(answer, 403, "csrf")
    (line,) = lines.security
    assert (line["event"], line["role"]) == ("csrf", "coordinator")
    assert token not in lines.text


def test_too_many_tries_are_a_line_each(own_service: Service, lines: Lines) -> None:
    client = TestClient(own_service.app)
    guess = {"login": "li.ming", "password": "not-this-one"}
    statuses = [client.post("/api/v1/session", json=guess).status_code for _ in range(8)]
    assert {401, 429} == set(statuses)
    assert [line["event"] for line in lines.security] == [
        {401: "wrong-credentials", 429: "too-many-tries"}[status] for status in statuses
    ]
    assert "li.ming" not in lines.text


def with_route(
    service: Service, answer: Callable[[Request], PlainTextResponse], path: str = "/asked"
) -> TestClient:
    app = create_app(Settings(), service.clone.api, town.VAULT)
    app.add_route(path, answer)
    return TestClient(app)


@pytest.mark.parametrize(
    ("error", "status", "retry_after", "events"),
    [
        (TooManyTriesError(12.3), 429, "13", ["too-many-tries"]),
        (BusyError(), 503, "2", []),
        (DatabaseDownError(), 503, "5", []),
        (CsrfError(), 403, None, ["csrf"]),
        (ReadOnlyKeyError(), 403, None, ["read-only-key"]),
        (WrongCredentialsError(), 401, None, ["wrong-credentials"]),
        (SecondFactorRequiredError(), 401, None, []),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_an_error_says_when_to_come_back_and_whether_it_is_a_refusal(
    service: Service,
    lines: Lines,
    error: Exception,
    status: int,
    retry_after: str | None,
    events: list[str],
) -> None:
    def failing(_: Request) -> PlainTextResponse:
        raise error

    answer = with_route(service, failing).get("/asked")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert [line["event"] for line in lines.security] == events


def test_an_event_of_a_routes_own_is_the_only_one(service: Service, lines: Lines) -> None:
    def noting(request: Request) -> PlainTextResponse:
        security_event(request, "device-revoked", level=logging.ERROR, tries=3)
        return PlainTextResponse("no", status_code=403)

    answer = with_route(service, noting).get("/asked")
    (line,) = lines.security
    assert (line["event"], line["level"], line["tries"]) == ("device-revoked", "error", 3)
    assert line["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/healthz", {}),
        ("/login", {}),
        ("/login", {"Cookie": "lang=en"}),
        ("/map", HTML),
        ("/map", {"Cookie": "lang=en", **HTML}),
        ("/api/v1/incidents", {}),
        ("/nowhere", {}),
        ("/login?lang=xx", {}),
    ],
)
def test_a_visitor_who_looks_round_is_no_line(
    client: TestClient, lines: Lines, path: str, headers: dict[str, str]
) -> None:
    client.get(path, headers=headers, follow_redirects=False)
    assert len(lines.requests) == 1
    assert lines.security == []


def test_what_somebody_signed_in_may_not_find_is_noted_below_a_warning(
    service: Service, lines: Lines
) -> None:
    client = service.caller("coordinator", A)
    lines.clear()
    foreign = town.stairwell_code(town.WEST_BRIDGE)
    for path, status in (
        (f"/api/v1/stairwells/{foreign}", 404),
        ("/api/v1/stairwells/' OR 1=1 --", 422),
        ("/api/v1/stairwells?cursor=';DROP TABLE x", 422),
        ("/api/v1/stairwells", 200),
    ):
        assert client.get(path).status_code == status
    assert [(line["event"], line["level"]) for line in lines.security] == [
        ("not-found", "info"),
        ("invalid-request", "info"),
        ("invalid-request", "info"),
    ]
    assert {line["role"] for line in lines.security} == {"coordinator"}
    assert foreign not in lines.text


# ---- where from


def ask(port: int, headers: dict[str, str]) -> httpx2.Response:
    url = f"http://127.0.0.1:{port}/api/v1/incidents"
    return httpx2.get(url, headers={"Authorization": "Bearer forged", **headers})


def test_an_address_is_told_as_a_network_and_a_stranger_cannot_choose_it(
    service: Service, lines: Lines
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.77", "X-Forwarded-Proto": "https"}
    with listening(service.clone) as port:
        answer = ask(port.number, forwarded)
    assert [line["subnet"] for line in lines.security] == ["127.0.0.0/24"]
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    ("forwarded", "subnet"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("198.51.100.9, 203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("13800009999", "unknown"),
    ],
)
def test_a_proxy_of_ours_is_believed_about_address_and_scheme(
    service: Service, lines: Lines, forwarded: str, subnet: str
) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    with listening(service.clone, trusted_proxies="127.0.0.0/8, ::1") as port:
        answer = ask(port.number, headers)
    assert [line["subnet"] for line in lines.security] == [subnet]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", ""])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(trusted_proxies=proxies)


@pytest.mark.parametrize(
    "url",
    ["grid.example", "https://grid.example/", "ftp://grid.example", "https://a b", "https://"],
)
def test_a_public_url_is_an_origin(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=url)


def test_links_begin_with_the_public_url_or_else_where_we_serve() -> None:
    assert Settings(public_url="https://grid.example").public_origin == "https://grid.example"
    assert Settings(host="127.0.0.1", port=8123).public_origin == "http://127.0.0.1:8123"
