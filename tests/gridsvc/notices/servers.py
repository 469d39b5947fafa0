"""Receivers on loopback: a web server that answers as it is told, and a mail server."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Told:
    """What the next answers are; the last one is given again and again."""

    status: int = 200
    body: bytes = b'{"errcode":0,"code":0}'
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    """Pause before each byte of the body."""


@dataclass
class WebServer:
    """A receiver, and what it received."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: list[Told] = field(default_factory=lambda: [Told()])

    def url(self, path: str = "/robot", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def next(self) -> Told:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def web_server(host: str = "127.0.0.1") -> Iterator[WebServer]:
    """Receive until the block ends."""
    told = WebServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.received.append(Received(self.path, headers, body))
            answer = told.next()
            with suppress(OSError):  # whoever asked may be tired of waiting
                self._answer(answer)

        def _answer(self, answer: Told) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for letter in answer.body if answer.drip_s else ():
                time.sleep(answer.drip_s)
                self.wfile.write(bytes([letter]))
            if not answer.drip_s:
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    told.port = server.server_address[1]
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Mailbox:
    """A mail server, and what it took.

    Attributes
    ----------
    refusals
        Answers to the next recipients, before they are taken again.
    """

    port: int = 0
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class _Anywhere(Controller):
    """The library's server, at a port that is free: it asks itself for port 0 otherwise."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(**options: Any) -> Iterator[Mailbox]:
    """Take e-mails until the block ends."""
    box = Mailbox()

    class Handler:
        async def handle_RCPT(  # noqa: N802 - the library's name
            self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
        ) -> str:
            if box.refusals:
                return box.refusals.pop(0)
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
            content = cast(bytes, envelope.content)
            mail = message_from_bytes(content, policy=policy.default)
            box.mails.append((list(envelope.rcpt_tos), mail))
            return "250 OK"

    controller = _Anywhere(Handler(), hostname="127.0.0.1", port=0, **options)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def wait_until(is_so: Callable[[], object], *, longest_s: float = 20.0) -> None:
    """Wait until something is so; it must become so."""
    ends = time.monotonic() + longest_s
    while not is_so():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)
