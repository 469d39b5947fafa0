"""The service behind a port, run as the command runs it, and spoken to byte by byte."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from api.app import create_app
from api.cli.serve_command import server_of
from gridsvc.settings import Settings
from tests import town
from tests.databases import Clone


@dataclass(frozen=True)
class Port:
    """A port that the service listens at, spoken to byte by byte."""

    number: int
    server: uvicorn.Server | None = None

    def stop(self) -> None:
        """Stop the service as an interrupt does."""
        assert self.server is not None
        self.server.should_exit = True

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.number), timeout=10)

    def send(self, parts: Iterable[bytes]) -> None:
        with self.connect() as wire:
            for part in parts:
                wire.sendall(part)

    def ask(self, *parts: bytes) -> tuple[bytes, bytes]:
        """Send parts, then return head and body of the answer."""
        received = b""
        with self.connect() as wire:
            for part in parts:
                wire.sendall(part)
            while piece := wire.recv(65_536):
                received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        return head, body


@contextmanager
def listening(clone: Clone, **settings: Any) -> Iterator[Port]:
    """Serve a database as the command does, in a thread."""
    chosen = Settings(**settings)
    server = server_of(create_app(chosen, clone.api, town.VAULT), chosen)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Port(listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
