"""The worker as operators run it: beside the server, and alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from api.cli.runtime import Runtime
from api.cli.worker_command import _workplace
from api.cli.worker_process import worker_beside
from gridsvc import setup
from gridsvc.errors import DatabaseNotReadyError
from gridsvc.settings import Settings
from tests import town
from tests.api.cli.commands import ROOT, data_folder, environment
from tests.api.cli.test_demo import free_port, wait_until_ready
from tests.databases import Clone

pytestmark = pytest.mark.db
_LONGEST_S = 60


def addresses(clone: Clone) -> dict[str, str]:
    return {"DATABASE_URL": clone.url(setup.API), "GRID_JOB_URL": clone.url(setup.JOB)}


@pytest.fixture
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def wait_for(is_so: Callable[[], object]) -> None:
    ends = time.monotonic() + _LONGEST_S
    while not is_so():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.1)


@contextmanager
def running(home: Path, *words: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "api", *words],
        cwd=ROOT,
        env=environment(home, **settings),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that run."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def workers(clone: Clone) -> float:
    """Count the workers: each is two of the library's, one for jobs and one for errands."""
    with clone.root.connect() as connection:
        query = text("SELECT count(*) FROM procrastinate.procrastinate_workers")
        return int(connection.scalar(query) or 0) / 2


def test_the_server_keeps_a_worker_and_takes_it_along(database: Clone, home: Path) -> None:
    port = free_port()
    with running(home, "serve", **addresses(database), GRID_PORT=str(port)) as server:
        wait_until_ready(port, server)
        wait_for(lambda: workers(database) == 1)
        (first,) = children(server.pid)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: set(children(server.pid)) - {first})
        wait_for(lambda: workers(database) == 2)  # the one that was killed is still believed in
        (second,) = children(server.pid)
        server.send_signal(signal.SIGTERM)
        assert server.wait(_LONGEST_S) == 0
        assert not is_alive(second)
    assert workers(database) == 1


def test_a_worker_alone_stops_when_told(database: Clone, home: Path) -> None:
    with running(home, "worker", **addresses(database)) as worker:
        wait_for(lambda: workers(database) == 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(_LONGEST_S) == 0
    assert workers(database) == 0


def test_a_worker_whose_server_was_killed_stops(database: Clone, home: Path) -> None:
    """Whatever ends the server, the pipe to its worker ends with it."""
    with running(home, "worker", "--beside", **addresses(database)) as worker:
        wait_for(lambda: workers(database) == 1)
        assert worker.stdin is not None
        worker.stdin.close()
        worker.stdin = None  # or what waits for it at the end would flush it
        assert worker.wait(_LONGEST_S) == 0
    assert workers(database) == 0


@pytest.mark.parametrize("has_job_role", [True, False])
def test_where_none_is_wanted_or_possible_no_worker_is_begun(
    empty_database: Clone, tmp_path: Path, *, has_job_role: bool
) -> None:
    settings = Settings.model_validate({"worker": not has_job_role})
    job = empty_database.job if has_job_role else None
    runtime = Runtime(settings, tmp_path, empty_database.api, job, town.VAULT)
    before = children(os.getpid())
    with worker_beside(runtime):
        time.sleep(0.2)
        assert children(os.getpid()) == before


def test_a_worker_without_the_job_role_says_what_it_needs(
    empty_database: Clone, tmp_path: Path
) -> None:
    runtime = Runtime(Settings(), tmp_path, empty_database.api, None, town.VAULT)
    with pytest.raises(DatabaseNotReadyError, match="GRID_JOB_URL"), _workplace(runtime):
        pass


def test_help_and_imports_do_not_wait_for_the_queue() -> None:
    """The library of the queue takes a third of a second, which only workers need to spend."""
    script = "import sys, api.cli.import_command; print('procrastinate' in sys.modules)"
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, check=True, text=True)  # noqa: S603 - our own
    assert done.stdout == "False\n"
