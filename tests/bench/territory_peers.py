"""A serving process of its own to ask over HTTP, and psql and ogr2ogr to hold it against."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg
from sqlalchemy import Engine, event, make_url

from api.cli.runtime import CHECKOUT
from gridsvc import setup
from gridsvc.db import _PLANNING
from tests.databases import Clone

_START_S = 60
_STEP = 1 << 20
_TIMING = re.compile(r"^Time: ([0-9.]+) ms", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A serving process, asked over one connection that is kept, as browsers do.

    Attributes
    ----------
    pid
        Its process id.
    token
        Of the caller in whose name it is asked.
    """

    pid: int
    connection: http.client.HTTPConnection
    token: str

    def get(self, path: str) -> bytes:
        """Return the body of a GET, which must be answered with 200."""
        with self._ask(path) as answer:
            return answer.read()

    def size(self, path: str) -> int:
        """Return the bytes of an answer, which must be 200, without keeping them."""
        with self._ask(path) as answer:
            return sum(len(piece) for piece in iter(lambda: answer.read(_STEP), b""))

    def _ask(self, path: str) -> http.client.HTTPResponse:
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        if answer.status != http.client.OK:
            message = f"{path}: {answer.status} {answer.read(200)!r}"
            raise RuntimeError(message)
        return answer

    def peak_mib(self) -> float:
        """Return the most memory that the process ever held, MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmHWM:\s+([0-9]+) kB$", status, re.MULTILINE)
        if found is None:
            message = "this system does not tell the peak memory of a process"
            raise RuntimeError(message)
        return int(found[1]) / 1024


@contextmanager
def serving(clone: Clone, folder: Path, *, code: str) -> Iterator[Server]:
    """Run ``python -m api serve`` on a database, signed in by a development code."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {  # noqa: TID251 - of the benchmark
        "DATABASE_URL": clone.url(setup.API),
        "GRID_HOME": str(folder),
        "GRID_HOST": "127.0.0.1",
        "GRID_PORT": str(port),
        "GRID_DEVELOPMENT_LOGIN": "true",
    }
    command = [sys.executable, "-m", "api", "serve"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        try:
            _wait_until_ready(connection, process)
            yield Server(process.pid, connection, _sign_in(connection, code))
        finally:
            connection.close()
            process.terminate()


def _wait_until_ready(
    connection: http.client.HTTPConnection, process: "subprocess.Popen[bytes]"
) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            Server(process.pid, connection, "").get("/readyz")
        except OSError:
            connection.close()
            time.sleep(0.1)
        else:
            return
    message = f"the server did not start (exit status {process.poll()})"
    raise RuntimeError(message)


def _sign_in(connection: http.client.HTTPConnection, code: str) -> str:
    body = orjson.dumps({"code": code})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    answer = orjson.loads(connection.getresponse().read())
    return str(answer["token"])


@dataclass
class Statements:
    """The statements that an engine ran, ready for psql."""

    texts: list[str]

    def naming(self, word: str) -> str:
        """Return the transaction of the last statement that holds a word, as a script for psql.

        Timing is told for that statement only.
        """
        position = max(row for row, text in enumerate(self.texts) if word in text)
        scope = next(text for text in reversed(self.texts[:position]) if "SET LOCAL" in text)
        return (
            f"BEGIN;\n{scope};\n\\o /dev/null\n\\timing on\n{self.texts[position]};\n"
            "\\timing off\n\\o\nCOMMIT;\n"
        )


@contextmanager
def noting_statements(engine: Engine) -> Iterator[Statements]:
    """Note what an engine sends, with its parameters written in."""
    noted = Statements([])

    def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        client = psycopg.ClientCursor(cursor.connection)
        noted.texts.append(client.mogrify(statement, parameters) if parameters else statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(engine, "before_cursor_execute", note)


def psql_ms(clone: Clone, script: str, *, role: str = setup.API) -> float:
    """Return what psql waits for the second of two runs of a script's statement, milliseconds."""
    done = subprocess.run(  # noqa: S603 - our own command
        [_program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", _plain_url(clone, role)],
        input=script * 2,
        capture_output=True,
        check=True,
        text=True,
        env=os.environ | {"PGOPTIONS": f"{_PLANNING} -c timezone=UTC"},  # noqa: TID251 - of psql
    )
    return float(_TIMING.findall(done.stdout)[-1])


# Between us and the command: Linux counts what a process held before it became another program,
# and a child of ours begins as a copy of this one.
_PEAK_OF = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def command_peak_mib(clone: Clone, folder: Path, *arguments: str) -> float:
    """Run ``python -m api`` on a database and return the most memory that it held, MiB."""
    environment = os.environ | {  # noqa: TID251 - of the benchmark
        "DATABASE_URL": clone.url(setup.API),
        "GRID_JOB_URL": clone.url(setup.JOB),
        "GRID_HOME": str(folder),
    }
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _PEAK_OF, sys.executable, "-m", "api", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return int(done.stdout) / 1024


def ogr2ogr_s(clone: Clone, path: Path, table: str) -> float:
    """Return the seconds that ogr2ogr takes to load a file into a new table."""
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own command
        [
            _program("ogr2ogr"),
            "-f",
            "PostgreSQL",
            _plain_url(clone, None),
            str(path),
            "-nln",
            table,
        ],
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - began


def _plain_url(clone: Clone, role: str | None) -> str:
    """Return the address of a database for programs in C; no role: the superuser."""
    url = clone.url(role) if role else clone.cluster.url(clone.name)
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        message = f"the benchmark needs {name}"
        raise RuntimeError(message)
    return found


def next_page(document: dict[str, Any]) -> str | None:
    """Return path and query of the next page of a feature collection."""
    links = [link["href"] for link in document.get("links", ()) if link.get("rel") == "next"]
    if not links:
        return None
    address = urlsplit(links[0])
    return f"{address.path}?{address.query}"
