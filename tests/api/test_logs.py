"""What a log line holds, and that nobody's data is in any of them."""

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import SESSION
from api.pages.files import asset_url
from api.rules import RULES
from gridsvc.db import Database, make_engine
from gridsvc.settings import Settings
from gridsvc.throttle.model import subnet_of
from tests import town
from tests.api.log_lines import Lines, recorded
from tests.api.service import Service
from tests.api.wire import listening
from tests.databases import Clone

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
OF_A_REQUEST = {
    *("time", "level", "logger", "message", "request_id"),
    *("method", "route", "status", "duration_ms"),
}


@pytest.fixture
def lines() -> Iterator[Lines]:
    with recorded() as written:
        yield written


# ---- a line


def test_a_request_is_one_line_that_says_who_by_role_and_id(service: Service, lines: Lines) -> None:
    account = service.account("coordinator", (A,))
    client = service.sign_in(account)
    lines.clear()
    assert client.get(f"/api/v1/stairwells/{town.stairwell_code(A)}?lang=en").status_code == 200
    (line,) = lines.all()
    assert set(line) == OF_A_REQUEST | {"role", "account_id"}
    assert (line["level"], line["logger"], line["message"]) == (
        "info",
        "gridsvc.request",
        "request",
    )
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["route"] == "/api/v1/stairwells/{code}"
    assert (line["role"], line["account_id"]) == ("coordinator", str(account.id))
    assert 0 < line["duration_ms"] < 60_000
    assert line["time"].endswith("+00:00")


def test_nobody_has_neither_role_nor_id(service: Service, lines: Lines) -> None:
    service.visitor().get("/healthz")
    assert set(lines.requests[0]) == OF_A_REQUEST


def test_the_id_is_ours_new_for_each_request_and_in_the_answer(
    service: Service, lines: Lines
) -> None:
    ids = [
        service.visitor().get("/healthz", headers={"X-Request-Id": "13800009999"}).headers
        for _ in range(3)
    ]
    told = [one["X-Request-Id"] for one in ids]
    assert told == sorted(set(told)) == [line["request_id"] for line in lines.requests]
    assert {UUID(one).version for one in told} == {7}


def other_app(clone: Clone) -> FastAPI:
    return create_app(Settings(), clone.api, town.VAULT)


def test_every_line_of_a_request_bears_its_id(service: Service, lines: Lines) -> None:
    app = other_app(service.clone)

    def worker(_: Request) -> PlainTextResponse:
        logging.getLogger("gridsvc.somewhere").info("working", extra={"rows": 3})
        logging.getLogger("library").warning("warned")
        return PlainTextResponse("done")

    app.add_route("/work", worker)
    answer = TestClient(app).get("/work")
    assert [line["message"] for line in lines.all()] == ["working", "warned", "request"]
    assert {line["request_id"] for line in lines.all()} == {answer.headers["X-Request-Id"]}
    assert lines.all()[0]["rows"] == 3
    logging.getLogger("gridsvc.somewhere").info("between requests")
    assert "request_id" not in lines.all()[-1]


def test_a_route_is_named_by_its_whole_template_and_never_by_the_path(
    service: Service, lines: Lines
) -> None:
    app = other_app(service.clone)
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")

    @inner.get("/{code}")
    def inside(code: str) -> str:
        return code

    outer.include_router(inner)
    app.include_router(outer, prefix="/whole")
    client = TestClient(app)
    client.get("/whole/outer/inner/13800009999")
    client.get("/nowhere/13800009999")
    client.get(asset_url("pages/pages.css"))
    client.put("/api/v1/incidents/13800009999")
    client.get("/outer/inner/13800009999")
    assert [line["route"] for line in lines.requests] == [
        "/whole/outer/inner/{code}",
        "unrouted",
        "/assets/{name:path}",
        "/api/v1/incidents/{incident_id}",
        "unrouted",
    ]


def test_every_route_of_ours_is_named_in_the_log(service: Service, lines: Lines) -> None:
    client = TestClient(service.app)
    for rule in RULES:
        method, path = rule.split(" ", 1)
        lines.clear()
        client.request(method, path, follow_redirects=False)
        assert [line["route"] for line in lines.requests] == [path]


def test_a_method_that_a_client_made_up_is_not_repeated(service: Service, lines: Lines) -> None:
    TestClient(service.app).request("X13800009999", "/healthz")
    assert [line["method"] for line in lines.requests] == ["other"]


def test_the_time_of_an_answer_runs_to_its_last_byte(service: Service, lines: Lines) -> None:
    client = service.caller("planner", STREET)
    lines.clear()
    with client.stream("GET", "/api/v1/export/stairwells.geojson") as answer:
        size = len(answer.read())
    assert size > 1000
    assert [line["route"] for line in lines.requests] == ["/api/v1/export/{layer}.{format}"]


# ---- errors


def test_an_error_is_told_by_kind_and_place_and_without_its_words(
    service: Service, lines: Lines
) -> None:
    app = other_app(service.clone)

    def broken(_: Request) -> None:
        with service.clone.api.engine.connect() as connection:
            connection.execute(text("SELECT CAST(:phone AS integer)"), {"phone": "张标记甲"})

    app.add_route("/broken", broken)  # type: ignore[arg-type]
    assert TestClient(app, raise_server_exceptions=False).get("/broken").status_code == 500
    (line,) = [one for one in lines.all() if one["level"] == "error"]
    assert (line["message"], line["logger"]) == ("unexpected error", "api.errors")
    kinds = [error["kind"] for error in line["errors"]]
    assert kinds[0] == "sqlalchemy.exc.DataError"
    assert kinds[1] == "psycopg.errors.InvalidTextRepresentation"
    assert line["errors"][1]["sqlstate"] == "22P02"
    assert any(place.endswith(" broken") for place in line["errors"][0]["at"])
    assert "张标记甲" not in lines.text


def test_what_libraries_fill_into_their_words_is_left_out(lines: Lines) -> None:
    library = logging.getLogger("somebody.else")
    library.warning("asked %s for %s", "张标记甲", 13800009999, extra={"who": "张标记甲"})
    library.error("Task exception was never retrieved\nfuture: ValueError('张标记甲')")
    library.info("not worth a line")
    assert [line["message"] for line in lines.all()] == [
        "asked %s for %s",
        "Task exception was never retrieved",
    ]
    assert "13800009999" not in lines.text
    assert "张标记甲" not in lines.text


def test_a_line_stays_one_line_whatever_is_in_it(lines: Lines) -> None:
    forged = 'x\n{"level":"info"}\r\u2028'
    logging.getLogger("gridsvc").info(forged, extra={"fact": forged, "id": UUID(int=1)})
    assert lines.text.count("\n") == 1
    assert lines.all()[0]["message"] == lines.all()[0]["fact"] == forged
    assert lines.all()[0]["id"] == str(UUID(int=1))


# ---- no leak

NAME, PHONE, HOME = "张标记甲", "13800009999", "标记苑七座"
PASSWORD, KEY, OF_DATABASE = "Marked-Password-77", "gk_marked0_MarkedKeySecret", "marked-db-word"
MARKS = (NAME, PHONE, HOME, PASSWORD, KEY, OF_DATABASE)


def leaks(written: str, marks: tuple[str, ...]) -> set[str]:
    """Return the marks that stand in a text, as they are or dressed up."""
    return {
        mark
        for mark in marks
        for dress in (
            mark,
            quote(mark),
            quote_plus(mark),
            json.dumps(mark)[1:-1],
            repr(mark.encode())[2:-1],
            base64.b64encode(mark.encode()).decode().rstrip("="),
            mark.encode().hex(),
        )
        if dress in written
    }


BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"json": {"code": PHONE}},
    {"json": {"login": NAME, "password": PASSWORD}},
    {"json": {NAME: PHONE, "summary": HOME}},
    {"json": {"category_code": "lift.fault", "summary": f"{NAME} {PHONE}", "lon": PHONE}},
    {"json": [NAME] * 3},
    {"content": f'{{"{NAME}": {PHONE}'.encode(), "headers": {"Content-Type": "application/json"}},
    {"content": f"{NAME}\xff".encode("utf-16"), "headers": {"Content-Type": "application/json"}},
    {"data": {"code": PHONE, "login": NAME, "password": PASSWORD, "next": f"//{PHONE}"}},
    {"files": {"file": (f"{NAME}.csv", f"{NAME},{PHONE}".encode(), "text/csv")}},
    {"content": (NAME * 200_000).encode()},
)
QUERY = {"q": NAME, "cursor": PHONE, "community": PHONE, "next": f"/{HOME}", "view": NAME}
HEADERS = {
    "User-Agent": PHONE,
    "Referer": f"https://{PHONE}.example/{quote(NAME)}",
    "X-Forwarded-For": PHONE,
    "X-Request-Id": PHONE,
    "X-CSRF-Token": PASSWORD,
    "Idempotency-Key": f"{PHONE}-key",
    "If-None-Match": PHONE,
    "Accept": "text/html",
}


def marked_path(path: str) -> str:
    parts = path.split("/")
    return "/".join(quote(NAME) if "{" in part else part for part in parts)


def credentials(code: str, token: str) -> list[dict[str, str]]:
    basic = base64.b64encode(f"{NAME}:{KEY}".encode()).decode()
    return [
        {},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {PASSWORD}"},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"Basic {basic}"},
        {"Cookie": f"{SESSION}={token}; lang={PHONE}"},
        {"Cookie": f"{SESSION}={code}", "Origin": f"http://{PHONE}.example"},
        {"Cookie": f"{SESSION}={PASSWORD}", "Sec-Fetch-Site": "same-origin"},
    ]


def sweep(client: Any, proofs: list[dict[str, str]]) -> set[int]:
    """Send everything marked everywhere, and return the statuses that came back."""
    seen = set()
    rules = [rule.split(" ", 1) for rule in RULES]
    for number, (method, path) in enumerate([*rules, ["GET", "/{x}"], [f"X{PHONE}", "/"]]):
        for turn, proof in enumerate(proofs):
            # Each route meets each proof; the bodies and headers take turns.
            body = dict(BODIES[(number + turn) % len(BODIES)])
            headers = {**body.pop("headers", {}), **proof}
            if (number + turn) % 3 == 0:
                headers |= HEADERS
            answer = client.request(
                method,
                marked_path(path),
                params=QUERY if turn % 2 else None,
                headers=headers,
                follow_redirects=False,
                **body,
            )
            seen.add(answer.status_code)
    seen.add(client.get(f"/{quote(NAME) * 400}").status_code)
    seen.add(client.get("/", headers={"X-Long": PHONE * 2_000}).status_code)
    return seen


def log_in_and_report(client: Any, code: str) -> str:
    """Do what people do: sign in, report; return the token."""
    token = client.post("/api/v1/session", json={"code": code}).json()["token"]
    report = {"category_code": "lift.fault", "summary": f"{NAME} {PHONE} {HOME}"}
    where = {"lon": 113.152, "lat": 23.032}
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/v1/incidents", json=report | where, headers=headers)
    assert answer.status_code == 201, answer.text
    again = report | where | {"id": answer.json()["id"], "summary": NAME}
    assert client.post("/api/v1/incidents", json=again, headers=headers).status_code == 409
    return str(token)


def test_no_line_holds_a_name_a_phone_a_code_or_a_secret(own_service: Service) -> None:
    code = own_service.account("coordinator", (A,)).code
    with (
        recorded(level=logging.DEBUG) as lines,
        listening(own_service.clone, development_login=True) as port,
        httpx2.Client(base_url=f"http://127.0.0.1:{port.number}") as client,
    ):
        token = log_in_and_report(client, code)
        seen = sweep(client, credentials(code, token))
        port.ask(f"GET /{quote(NAME)} HTTP/9.9\r\n{PHONE}\r\n\r\n".encode())
    assert {200, 401, 403, 404, 405, 413, 414, 422, 431} <= seen
    assert len(lines.requests) > 8 * len(RULES)
    assert {line["status"] for line in lines.requests} == seen | {201, 409}
    assert len(lines.security) > 100
    assert {"uvicorn.error", "gridsvc.request", "gridsvc.security"} <= {
        line["logger"] for line in lines.all()
    }
    assert leaks(lines.text, (*MARKS, code, token)) == set()


def test_nor_does_one_when_the_database_is_down_or_a_fault_is_ours() -> None:
    engine = make_engine(f"postgresql+psycopg://nobody:{OF_DATABASE}@127.0.0.1:1/{PHONE}")
    app = create_app(Settings(), Database(engine), town.VAULT)

    def broken(_: Request) -> None:
        raise RuntimeError(f"{NAME} {PHONE}") from ValueError(NAME, PHONE)

    app.add_route("/broken", broken, methods=["GET", "POST"])  # type: ignore[arg-type]
    client = TestClient(app, raise_server_exceptions=False)
    with recorded(level=logging.DEBUG) as lines:
        seen = sweep(client, credentials(PHONE, PASSWORD))
        seen.add(client.post("/broken", json={NAME: PHONE}, params=QUERY).status_code)
    engine.dispose()
    assert {500, 503} <= seen
    assert [error["kind"] for error in lines.all("api.errors")[-1]["errors"]] == [
        "builtins.RuntimeError",
        "builtins.ValueError",
    ]
    assert leaks(lines.text, MARKS) == set()


@pytest.mark.parametrize("how", ["message", "argument", "fact", "path", "secret"])
def test_a_leak_that_is_planted_is_found(service: Service, how: str) -> None:
    app = other_app(service.clone)
    log = logging.getLogger("gridsvc.planted")

    async def planted(request: Request) -> PlainTextResponse:
        found = (await request.json())["summary"]
        {
            "message": lambda: log.info(f"reported {found}"),  # noqa: G004 - a leak, on purpose
            "argument": lambda: log.info("reported %s", found),
            "fact": lambda: log.info("reported", extra={"summary": found}),
            "path": lambda: log.info("at", extra={"url": str(request.url)}),
            "secret": lambda: log.info("by", extra=dict(request.headers.items())),
        }[how]()
        return PlainTextResponse("done")

    app.add_route("/planted", planted, methods=["POST"])
    with recorded(level=logging.DEBUG) as lines:
        TestClient(app).post(
            "/planted", json={"summary": PHONE}, params={"q": NAME}, headers={"X-Key": PASSWORD}
        )
    expected = {"path": {NAME}, "secret": {PASSWORD}}.get(how, {PHONE})
    assert leaks(lines.text, MARKS) == expected


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_found_in_any_dress(mark: str) -> None:
    for dress in (mark, quote(mark), json.dumps(mark), str(mark.encode())):
        assert leaks(f'{{"fact": "{dress}"}}', MARKS) == {mark}
    assert leaks("nothing of the kind", MARKS) == set()
    assert subnet_of(PHONE) == "unknown"
