"""How large a request may be, and that no more of it is read than that; behind a real port."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api import limits
from api.app import create_app
from api.limits import (
    ALLOWANCES,
    MAX_BODY_BYTES,
    MAX_FORM_FIELDS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_URL_BYTES,
    RequestLimits,
    allowance,
)
from gridsvc.settings import Settings
from tests import town
from tests.api.service import Service, is_problem
from tests.api.wire import listening

pytestmark = pytest.mark.db

SESSION_PATH = "/api/v1/session"
UPLOAD = "/api/v1/accounts/list"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def chunks(total: int, size: int = 50_000) -> Iterator[bytes]:
    for begin in range(0, total, size):
        yield b" " * min(size, total - begin)


@pytest.fixture
def client(service: Service) -> TestClient:
    return TestClient(service.app)


# ---- bodies


@pytest.mark.parametrize("body", [lambda n: b" " * n, chunks], ids=["announced", "in pieces"])
def test_a_body_of_one_byte_too_many_is_refused(
    client: TestClient, body: Callable[[int], Any]
) -> None:
    just = client.post(SESSION_PATH, content=body(MAX_BODY_BYTES), headers=JSON)
    assert is_problem(just, 422, "invalid-request"), "read, and no JSON"
    over = client.post(SESSION_PATH, content=body(MAX_BODY_BYTES + 1), headers=JSON)
    assert is_problem(over, 413, "body-too-large")
    assert over.headers["Connection"] == "close"
    assert str(MAX_BODY_BYTES) in over.json()["detail"]


def test_a_length_that_lies_is_found_out_by_counting(client: TestClient) -> None:
    for length in ("1", "-1", "x"):
        answer = client.post(
            SESSION_PATH,
            content=chunks(MAX_BODY_BYTES + 1),
            headers=[*JSON.items(), ("Content-Length", length)],
        )
        assert is_problem(answer, 413, "body-too-large")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_a_body_that_nobody_would_read_is_refused_as_well(client: TestClient, method: str) -> None:
    answer = client.request(method, "/healthz", content=b" " * (MAX_BODY_BYTES + 1))
    assert is_problem(answer, 413, "body-too-large")


def test_lists_may_be_larger_and_no_other_path_is(service: Service) -> None:
    app = create_app(Settings(), service.clone.api, town.VAULT)
    app.router.routes.clear()

    async def count(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    for path in (UPLOAD, "/elsewhere"):
        app.add_route(path, count, methods=["POST"])
    client = TestClient(app)
    assert client.post(UPLOAD, content=chunks(MAX_BODY_BYTES + 1)).text == str(MAX_BODY_BYTES + 1)
    for body in (chunks(ALLOWANCES[UPLOAD] + 1), b" " * (ALLOWANCES[UPLOAD] + 1)):
        assert is_problem(client.post(UPLOAD, content=body), 413, "body-too-large")
    for body in (chunks(MAX_BODY_BYTES + 1), b" " * (MAX_BODY_BYTES + 1)):
        assert is_problem(client.post("/elsewhere", content=body), 413, "body-too-large")
    assert {allowance(f"{UPLOAD}/"), allowance("/"), allowance("")} == {MAX_BODY_BYTES}


def test_a_form_has_no_more_fields_than_any_form_of_ours_could(client: TestClient) -> None:
    for count, status in ((MAX_FORM_FIELDS, 401), (MAX_FORM_FIELDS + 1, 422)):
        fields = {f"field{number}": "x" for number in range(count - 1)}
        answer = client.post("/login", data={"code": "wrong-but-long-enough", **fields})
        assert answer.status_code == status, answer.text


def test_a_layer_that_reads_the_body_before_any_route_is_held_to_it_as_well(
    service: Service,
) -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await service.app(scope, receive, send)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await RequestLimits(reading)({**scope, "app": service.app}, receive, send)

    client = TestClient(application)
    over = client.post("/healthz", content=chunks(MAX_BODY_BYTES + 1))
    assert is_problem(over, 413, "body-too-large")
    assert client.get("/healthz").status_code == 200


def test_the_document_says_so_for_every_operation_with_a_body(service: Service) -> None:
    operations = [
        operation for path in service.document["paths"].values() for operation in path.values()
    ]
    with_body = [one for one in operations if "requestBody" in one]
    assert 0 < len(with_body) < len(operations)
    for status in ("408", "413"):
        assert [one for one in operations if status in one["responses"]] == with_body


def test_a_page_that_is_refused_ends_the_connection_too(client: TestClient) -> None:
    page = {"Accept": "text/html"}
    for content in (b" " * (MAX_BODY_BYTES + 1), chunks(MAX_BODY_BYTES + 1)):
        answer = client.post("/login", content=content, headers=FORM | page)
        assert answer.status_code == 413
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Connection"] == "close"


# ---- addresses and headers


def test_an_address_of_one_byte_too_many_is_refused(client: TestClient) -> None:
    path = "/healthz?"
    room = MAX_URL_BYTES - len("/healthz")
    assert client.get(path + "x" * room).status_code == 200
    assert is_problem(client.get(path + "x" * (room + 1)), 414, "address-too-long")
    assert is_problem(client.get("/" + "x" * MAX_URL_BYTES), 414, "address-too-long")


def test_headers_that_are_too_many_or_too_long_are_refused(client: TestClient) -> None:
    own = len(client.get("/healthz").request.headers)
    few = {f"X-{number}": "x" for number in range(MAX_HEADERS - own)}
    assert client.get("/healthz", headers=few).status_code == 200
    many = client.get("/healthz", headers=few | {"X-More": "x"})
    assert is_problem(many, 431, "headers-too-large")
    long = client.get("/healthz", headers={"X-Long": "x" * MAX_HEADER_BYTES})
    assert is_problem(long, 431, "headers-too-large")


# ---- behind a port


HEAD = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_who_only_announces_too_much_is_answered_and_let_go(service: Service) -> None:
    began = time.monotonic()
    with listening(service.clone) as port:
        head, body = port.ask(HEAD + b"Content-Length: 1000000000000\r\n\r\n")
    assert time.monotonic() - began < 10
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close" in head.lower()
    assert b"\r\nserver:" not in head.lower()
    assert json.loads(body)["type"] == "/problems/body-too-large"


@pytest.mark.parametrize("form", ["announced", "in pieces"])
def test_a_client_that_is_still_sending_gets_the_answer(service: Service, form: str) -> None:
    with listening(service.clone) as port:
        for length in (MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES):
            if form == "announced":
                parts = [b"Content-Length: %d\r\n\r\n" % length, *chunks(length)]
            else:
                pieces = [b"%x\r\n%b\r\n" % (len(one), one) for one in chunks(length)]
                parts = [b"Transfer-Encoding: chunked\r\n\r\n", *pieces, b"0\r\n\r\n"]
            head, body = port.ask(HEAD, *parts)
            assert head.startswith(b"HTTP/1.1 413 "), head
            assert json.loads(body)["status"] == 413


def test_a_body_without_an_end_is_cut_off(service: Service) -> None:
    def endless() -> Iterator[bytes]:
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        while time.monotonic() - began < 20:
            yield b"c350\r\n" + b" " * 50_000 + b"\r\n"
            time.sleep(0.01)

    began = time.monotonic()
    with listening(service.clone) as port, pytest.raises(ConnectionError):
        port.send(endless())
    assert time.monotonic() - began < 10


def test_a_body_that_comes_too_slowly_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BODY_S", 0.5)
    began = time.monotonic()
    with listening(service.clone) as port, port.connect() as wire:
        wire.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        received = b""
        while b"}" not in received:
            received += wire.recv(65_536)
        assert time.monotonic() - began < 5
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nconnection: close" in received.lower()
        assert b"/problems/body-too-slow" in received


def test_an_answer_may_take_longer_than_the_body_of_its_request(
    own_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BODY_S", 0.2)
    client = own_service.caller("coordinator", town.EAST_SHORE)
    answer = client.post("/api/v1/contacts/plans", json={"time_limit_s": 0.5})
    assert answer.status_code == 201


def test_many_at_once_that_are_too_large_do_not_keep_others_waiting(service: Service) -> None:
    with listening(service.clone) as port, ExitStack() as attackers:
        for _ in range(50):
            wire = attackers.enter_context(port.connect())
            wire.sendall(HEAD + b"Content-Length: 1000000000000\r\n\r\n" + b" " * 50_000)
        began = time.monotonic()
        head, _ = port.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began < 2
