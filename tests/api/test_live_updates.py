"""Live updates over the wire, from a server as the command makes it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest

from api.routes import live as route
from gridsvc.db import Interval, Scope
from gridsvc.notices import live
from tests import town
from tests.api.service import Service
from tests.api.wire import Port, listening
from tests.databases import Clone

pytestmark = pytest.mark.db
A, B = town.EAST_SHORE, town.WEST_BRIDGE


def token(port: Port, clone: Clone, role: str, code: int) -> str:
    account = Service(clone, None, None).account(role, (code,))  # type: ignore[arg-type]
    body = json.dumps({"code": account.code})
    headers = {"Content-Type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", port.number, timeout=10)) as connection:
        connection.request("POST", "/api/v1/session", body, headers)
        answer = connection.getresponse()
        assert answer.status == 201
        return str(json.loads(answer.read())["token"])


@contextmanager
def stream(port: Port, signed_in: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", port.number, timeout=20)
    headers = {"Authorization": f"Bearer {signed_in}", "Accept": "text/event-stream"}
    connection.request("GET", "/api/v1/live", headers=headers)
    answer = connection.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def block(answer: HTTPResponse) -> list[str]:
    """Return the lines up to the next empty one; none: the stream has ended."""
    lines: list[str] = []
    while line := answer.readline().decode():
        if line == "\n":
            return lines
        lines.append(line.rstrip("\n"))
    return lines


def tell(clone: Clone, code: int, subject: str) -> None:
    scope = Scope("coordinator", (Interval.of(code),))
    with clone.api.session(scope) as session, session.begin():
        live.tell(session, community_code=code, kind="incident.closed", subject=subject)


def test_a_page_hears_of_its_own_territory_and_the_server_lets_it_go(own_town: Clone) -> None:
    with listening(own_town, development_login=True) as port:
        signed_in = token(port, own_town, "patrol", A)
        with stream(port, signed_in) as answer:
            assert answer.status == 200
            assert answer.getheader("Content-Type", "").startswith("text/event-stream")
            assert answer.getheader("Cache-Control") == "no-store"
            assert answer.getheader("Content-Encoding") is None
            assert block(answer) == ["retry: 3000"]
            assert block(answer) == ["event: again", "data: {}"]
            tell(own_town, B, "theirs")
            tell(own_town, A, 'ours"\n\nevent: forged')
            event, data = block(answer)
            assert event == "event: update"
            assert json.loads(data.removeprefix("data: ")) == {
                "community": A,
                "kind": "incident.closed",
                "id": 'ours"\n\nevent: forged',
            }
            ended = threading.Event()

            def read_on() -> None:
                assert block(answer) == [": still here"]
                assert block(answer) == []
                ended.set()

            reader = threading.Thread(target=read_on, daemon=True)
            reader.start()
            began = time.monotonic()
            port.stop()
            assert ended.wait(10)
            assert time.monotonic() - began < 5


def test_no_more_pages_listen_than_may(own_town: Clone) -> None:
    with listening(own_town, development_login=True, live_connections=1) as port:
        signed_in = token(port, own_town, "coordinator", A)
        with stream(port, signed_in) as first:
            block(first)
            block(first)
            with stream(port, signed_in) as second:
                assert second.status == 503
                assert json.loads(second.read())["type"] == "/problems/live-crowded"
                assert second.getheader("Retry-After") == "5"
        for _ in range(100):  # the place of a page that has gone becomes free
            with stream(port, signed_in) as again:
                if again.status == 200:
                    break
            time.sleep(0.05)
        else:
            pytest.fail("the place did not become free")


def test_a_heartbeat_keeps_the_way_open_and_the_stream_ends_in_time(
    own_town: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(route, "LASTS_S", 1.5)
    with listening(own_town, development_login=True) as port:
        signed_in = token(port, own_town, "coordinator", A)
        with stream(port, signed_in) as answer:
            blocks = []
            while found := block(answer):
                blocks.append(found)
    assert blocks.count([": still here"]) >= 3


def test_whoever_may_not_listen_is_told_so(own_town: Clone) -> None:
    with listening(own_town, development_login=True) as port:
        for role in ("planner", "resident"):
            with stream(port, token(port, own_town, role, A)) as answer:
                assert answer.status == 403
        with stream(port, "nonsense") as answer:
            assert answer.status == 401
