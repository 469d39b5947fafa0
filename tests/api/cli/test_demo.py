"""The demonstration, run as a newcomer runs it."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.commands import ROOT, data_folder, environment, figure, grid
from tests.api.cli.conftest import GridHere

pytestmark = pytest.mark.db
DEMO = ("demo", "--scale", "0.1", "--contact-seconds", "2")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def first(home: Path) -> subprocess.CompletedProcess[str]:
    return grid(home, *DEMO, "--once")


def test_it_prints_what_it_did(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    table = first.stdout
    assert figure(table, "社区 communities") == "23"
    stairwells = int(figure(table, "楼道 stairwells"))
    assert stairwells > 700
    covered = int(figure(table, "有联系人的楼道").split()[0])
    assert covered >= 0.99 * stairwells
    overload = int(figure(table, "超负荷户数"))
    assert overload < int(figure(table, "就近分配时"))
    assert figure(table, "已证明差距").endswith("%")
    places = ("楼道内", "小区内", "社区内", "社区外")
    assert sum(int(figure(table, place)) for place in places) == int(figure(table, "合计"))
    assert int(figure(table, "路线 routes")) > 20


def test_a_second_run_reuses_what_is_there(
    home: Path, first: subprocess.CompletedProcess[str]
) -> None:
    again = grid(home, *DEMO, "--once")
    assert again.returncode == 0, again.stderr
    assert "Reusing" in again.stderr
    for label in ("楼道 stairwells", "合计 all", "路线 routes", "点位 stops", "已证明差距"):
        assert figure(again.stdout, label) == figure(first.stdout, label)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(port: int, process: "subprocess.Popen[str]") -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                assert answer.status == 200
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError("the server was not ready in two minutes")


def test_ctrl_c_stops_the_server_and_its_database(
    home: Path, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0
    port = free_port()
    process = subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, "-m", "api", *DEMO],
        cwd=ROOT,
        env=environment(home, GRID_PORT=str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until_ready(port, process)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, words
    assert "Traceback" not in words
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_a_taken_port_is_said_before_any_work(grid_here: GridHere, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = grid_here("demo", GRID_PORT=port)
    assert answer.returncode == 1
    assert f"127.0.0.1:{port} is taken" in answer.stderr
    assert not (tmp_path / "home").exists()


def test_a_scale_out_of_range_is_a_usage_error(grid_here: GridHere) -> None:
    answer = grid_here("demo", "--once", "--scale", "50")
    assert answer.returncode == 2
    assert "--scale" in answer.stderr
