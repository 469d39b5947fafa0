"""What every answer carries, whatever it is, and which changes are refused as another site's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import PENDING, SESSION
from api.headers import HEADERS
from api.pages import shell
from api.pages.files import asset_url
from api.rules import RULES
from gridsvc.settings import Settings
from tests import town
from tests.api.pages.markup import parse
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
BROWSER = {"Accept": "text/html"}
OURS, FOREIGN = "http://testserver", "http://elsewhere.example"
_FILLED = {
    "{code}": town.stairwell_code(A),
    "{layer}": "compounds",
    "{z}/{x}/{y}": "14/13341/7114",
    "{name:path}": asset_url("pages/pages.css").removeprefix("/assets/"),
}
SIGNS_OUT = {"DELETE /api/v1/session", "POST /logout"}
DOCUMENT = "/api/v1/openapi.json"


def address(path: str) -> str:
    """Fill in a path template; what is not known here becomes an id of nothing."""
    for name, value in _FILLED.items():
        path = path.replace(name, value)
    return re.sub(r"\{[^}]+\}", "00000000-0000-7000-8000-000000000000", path)


def callers(service: Service) -> Iterator[TestClient]:
    for role in ("administrator", "coordinator", "planner", "contact"):
        signed_in = service.sign_in(service.account(role, (STREET,)))
        yield TestClient(
            service.app,
            raise_server_exceptions=False,
            headers={"Authorization": signed_in.headers["Authorization"]},
        )
    yield TestClient(service.app, raise_server_exceptions=False)


@pytest.fixture
def app_with_fault(service: Service) -> TestClient:
    """The service with one route more, which breaks."""
    app = create_app(Settings(), service.clone.api, town.VAULT)

    def broken(_: Request) -> None:
        raise RuntimeError

    app.add_route("/broken", broken)  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False)


# ---- headers


def assert_safe(answer: Any) -> None:
    """Check the headers that no answer lacks; a policy and a lifetime of its own it may have."""
    where = f"{answer.request.method} {answer.request.url}: {answer.status_code}"
    for name, value in HEADERS.items():
        if name not in {"Content-Security-Policy", "Cache-Control"}:
            assert answer.headers.get_list(name) == [value], (where, name)
    assert len(answer.headers.get_list("Content-Security-Policy")) == 1, where
    rules = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(rules), where
    assert "unsafe" not in answer.headers["Content-Security-Policy"], where
    assert answer.headers["Cache-Control"], where
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"]), where
    assert "Strict-Transport-Security" not in answer.headers, "only under TLS"
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    assert ("script-src" in answer.headers["Content-Security-Policy"]) == is_page, where


def test_every_route_answers_with_the_headers_of_safety(service: Service) -> None:
    seen = set()
    for client in callers(service):
        for method, path in (rule.split(" ", 1) for rule in {*RULES, f"GET {DOCUMENT}"}):
            if f"{method} {path}" in SIGNS_OUT:
                continue  # below, signed in by nothing
            for headers in ({}, BROWSER):
                answer = client.request(
                    method, address(path), headers=headers, follow_redirects=False
                )
                assert_safe(answer)
                seen.add(answer.status_code)
    assert {200, 303, 401, 403, 404, 422} <= seen
    assert not {status for status in seen if status >= 500}


def test_the_rules_name_every_documented_route(service: Service) -> None:
    documented = {
        f"{method.upper()} {path}"
        for path, methods in service.document["paths"].items()
        for method in methods
    }
    assert documented <= set(RULES), "or the sweep above would miss it"
    undocumented = {rule for rule in RULES if " /api/" in rule} - documented
    assert undocumented <= {f"GET {DOCUMENT}"}


@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_errors_carry_the_headers_of_safety_too(
    service: Service, app_with_fault: TestClient, headers: dict[str, str]
) -> None:
    client = TestClient(create_app(Settings(), service.clone.api, town.VAULT))
    for answer, status in (
        (client.delete("/api/v1/session", headers=headers), 401),
        (client.post("/logout", headers=headers, follow_redirects=False), 303),
        (client.get("/nowhere", headers=headers), 404),
        (client.get("/assets/nowhere", headers=headers), 404),
        (client.put("/map", headers=headers), 405),
        (client.post("/logout", headers={"Origin": FOREIGN, **headers}), 403),
        (client.post("/logout", content=b"x" * 1_000_001, headers=headers), 413),
        (client.get("/map?" + "x" * 9000, headers=headers), 414),
        (client.get("/map", headers={"X": "x" * 20_000, **headers}), 431),
        (app_with_fault.get("/broken", headers=headers), 500),
    ):
        assert answer.status_code == status
        assert_safe(answer)


def test_hsts_is_sent_under_tls_and_only_there(service: Service) -> None:
    secure = TestClient(service.app, base_url="https://testserver")
    for path in ("/login", "/healthz", "/nowhere", asset_url("pages/pages.css")):
        answer = secure.get(path)
        assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
        assert "Strict-Transport-Security" not in TestClient(service.app).get(path).headers


def test_a_page_may_ask_for_place_and_camera_and_nothing_else() -> None:
    allowed = dict(one.split("=") for one in HEADERS["Permissions-Policy"].split(", "))
    assert {name for name, who in allowed.items() if who != "()"} == {"camera", "geolocation"}
    assert allowed["camera"] == allowed["geolocation"] == "(self)"
    assert {"microphone", "payment", "usb", "display-capture"} <= set(allowed)


# ---- pages


_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_INLINE = re.compile(r"<[^>]*\s(on[a-z]+|style)\s*=|javascript:", re.IGNORECASE)
_TEMPLATES = sorted((Path(shell.__file__).parent / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", _TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_inline_handler_or_style(template: Path) -> None:
    assert _INLINE.findall(_JINJA.sub("", template.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "markup",
    ['<a onclick="x()">', "<b\n style = 'color:red'>", '<a href="javascript:x()">', "<p ONLOAD=x>"],
)
def test_inline_handlers_and_styles_are_noticed(markup: str) -> None:
    assert _INLINE.search(markup)


def assert_policy_fits(answer: Any) -> None:
    """Check that a page runs under its policy: each script and style is ours or has the nonce."""
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'self' 'nonce-([\w-]+)'", policy)
    assert nonce, answer.request.url
    page = parse(answer.text)
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        if tag in {"script", "style"} and not attributes.get("src", "").startswith("/"):
            assert attributes.get("nonce") == nonce[1], (answer.request.url, tag, attributes)
        if tag == "link" and "href" in attributes:
            assert attributes["href"].startswith("/"), attributes
    assert page.all("link"), "it is a page of ours"


def pages(service: Service) -> list[str]:
    documented = set(service.document["paths"]) | {DOCUMENT, "/assets/{name:path}"}
    gets = [rule.removeprefix("GET ") for rule in RULES if rule.startswith("GET ")]
    return [path for path in gets if path not in documented]


def test_every_page_runs_under_a_policy_with_its_own_nonce(service: Service) -> None:
    views = ["/map?view=coverage", "/map?view=heat", "/map?view=routes", "/map?view=territory"]
    paths = [*pages(service), *views, "/nowhere", "/map?view=nonsense"]
    assert {"/", "/login", "/map", "/results"} <= set(paths)
    nonces, seen = set(), set()
    for client in callers(service):
        for path in paths:
            answer = client.get(address(path), headers=BROWSER, follow_redirects=False)
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue  # led to login, or a file
            assert_policy_fits(answer)
            nonces.add(answer.headers["Content-Security-Policy"])
            seen.add((path, answer.status_code, len(nonces)))
    assert {200, 403, 404, 422} <= {status for _, status, _ in seen}
    assert len(nonces) == len(seen) > len(paths), "no two answers share a nonce"


# ---- where a change comes from

COOKIES = (SESSION, PENDING, f"__Host-{SESSION}")


def change(service: Service, headers: dict[str, str], **settings: Any) -> Any:
    """Send a change; what is not refused as foreign is refused for having no session."""
    app = service.app
    if settings:
        app = create_app(Settings(**settings), service.clone.api, town.VAULT)
    return TestClient(app).post("/api/v1/contacts/plans", json={}, headers=headers)


@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://testserver.elsewhere.example"},
        {"Origin": "http://testserver:8080"},
        {"Origin": "http://elsewhere.example/testserver"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": OURS, "Sec-Fetch-Site": "cross-site"},
        {"Origin": FOREIGN, "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_change_by_cookie_must_show_that_it_comes_from_our_pages(
    service: Service, cookie: str, headers: dict[str, str]
) -> None:
    answer = change(service, {"Cookie": f"{cookie}=some-session", **headers})
    assert is_problem(answer, 403, "foreign-origin")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": OURS},
        {"Origin": "HTTP://TestServer"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": OURS, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://grid.example", "Host": "grid.example:443"},
        {"Origin": "http://[2001:db8::1]:8000", "Host": "[2001:db8::1]:8000"},
    ],
    ids=str,
)
def test_a_change_by_cookie_from_our_pages_goes_on(
    service: Service, headers: dict[str, str]
) -> None:
    answer = change(service, {"Cookie": f"{SESSION}=some-session", **headers})
    assert is_problem(answer, 401, "not-signed-in")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer some-token"},
        {"Cookie": "lang=en"},
        {"Authorization": "Bearer some-token", "Origin": OURS},
    ],
    ids=str,
)
def test_a_program_without_a_cookie_need_not_say_where_it_is(
    service: Service, headers: dict[str, str]
) -> None:
    assert is_problem(change(service, headers), 401, "not-signed-in")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "X-OTHER"])
def test_every_method_that_changes_is_held_to_it(service: Service, method: str) -> None:
    headers = {"Cookie": f"{SESSION}=some-session"}
    answer = TestClient(service.app).request(method, "/api/v1/session", headers=headers)
    assert is_problem(answer, 403, "foreign-origin")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_whoever_only_reads_may_come_from_anywhere(service: Service, method: str) -> None:
    headers = {"Cookie": f"{SESSION}=some-session", "Origin": FOREIGN}
    answer = TestClient(service.app).request(method, "/login", headers=headers)
    assert answer.status_code in {200, 405}


def test_behind_a_proxy_the_public_host_is_ours_as_well(service: Service) -> None:
    headers = {"Cookie": f"{SESSION}=some-session", "Host": "127.0.0.1:8000"}
    public = {"public_url": "https://grid.example"}
    told = change(service, headers | {"Origin": "https://grid.example"}, **public)
    assert is_problem(told, 401, "not-signed-in")
    untold = change(service, headers | {"Origin": "https://grid.example"})
    assert is_problem(untold, 403, "foreign-origin")
    other = change(service, headers | {"Origin": "https://other.example"}, **public)
    assert is_problem(other, 403, "foreign-origin")


def test_a_foreign_form_is_refused_with_a_page_that_sets_nothing(service: Service) -> None:
    answer = TestClient(service.app).post("/login", headers={"Origin": FOREIGN, **BROWSER})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert_policy_fits(answer)
