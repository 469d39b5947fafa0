"""`./grid` sets up a checkout: here a small one without packages, so that no network is needed."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
UNAVAILABLE = 69
WAIT_S = 120
PROGRAM = "import sys\nsys.stdout.write(' '.join([sys.prefix, *sys.argv[1:]]))\n"
TOOLS = ["cat", "cut", "dirname", "flock", "grep", "id", "mktemp", "rm", "sha256sum", "sh", "tail"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that has its map assets, needs no package, and says how it was called."""
    made = tmp_path / "a checkout"  # a space in the path, as people have
    assets = made / "maps/assets"
    (made / "api").mkdir(parents=True)
    (assets / "node_modules").mkdir(parents=True)
    shutil.copy(PROJECT / "grid", made / "grid")
    (made / "api/__main__.py").write_text(PROGRAM)
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (made / name).write_text("# nothing\n")
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        (assets / name).write_text(name)
        digest.update(name.encode())
    (assets / "node_modules/.stamp").write_text(digest.hexdigest() + "\n")
    return made


def environment(tmp_path: Path) -> dict[str, str]:
    """Python on PATH behind shims that fail, as an unused pyenv leaves them; any database."""
    shims = tmp_path / "shims"
    shims.mkdir(exist_ok=True)
    for name in ("python3.13", "python3.12"):
        (shims / name).write_text("#!/bin/sh\nexit 127\n")
        (shims / name).chmod(0o755)
    interpreters = Path(sys.base_prefix) / "bin"
    path = os.pathsep.join([str(shims), str(interpreters), "/usr/bin", "/bin"])
    return {"PATH": path, "DATABASE_URL": "postgresql://somewhere", "HOME": str(tmp_path)}


def start(checkout: Path, tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [checkout / "grid", *arguments],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(checkout: Path, tmp_path: Path, *arguments: str) -> tuple[str, str]:
    """Run a command that must succeed; return what it said and what the set-up said."""
    process = start(checkout, tmp_path, *arguments)
    out, words = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, words
    return out, words


def test_the_first_run_sets_up_and_the_second_hands_over_at_once(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/__main__.py").write_text("raise SystemExit('the wrong program')")
    out, words = run(checkout, tmp_path, "demo", "--name", "桂城 街道")
    assert out == f"{checkout / '.venv'} demo --name 桂城 街道"
    assert "installing Python packages" in words
    assert run(checkout, tmp_path, "serve") == (f"{checkout / '.venv'} serve", "")

    (checkout / "requirements.lock").write_text("# still nothing\n")
    assert "installing Python packages" in run(checkout, tmp_path, "serve")[1]
    assert run(checkout, tmp_path, "serve")[1] == ""


def test_a_set_up_that_was_killed_is_repaired_by_the_next_run(
    checkout: Path, tmp_path: Path
) -> None:
    killed = start(checkout, tmp_path, "demo")
    deadline = time.monotonic() + WAIT_S
    while not (checkout / ".venv/pyvenv.cfg").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (checkout / ".venv/.stamp").exists()
    assert run(checkout, tmp_path, "demo")[0] == f"{checkout / '.venv'} demo"


def test_of_two_runs_at_once_one_sets_up_and_the_other_waits(
    checkout: Path, tmp_path: Path
) -> None:
    both = [start(checkout, tmp_path, name) for name in ("demo", "serve")]
    answers = [process.communicate(timeout=WAIT_S) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [out.rpartition(" ")[2] for out, _ in answers] == ["demo", "serve"]
    assert sum("installing Python packages" in words for _, words in answers) == 1


def test_a_machine_without_python_is_told_which_packages_it_lacks(
    checkout: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (bare / name).symlink_to(found)
    answer = subprocess.run(  # noqa: S603 - our own script
        [checkout / "grid", "demo"],
        env={"PATH": str(bare), "DATABASE_URL": "postgresql://somewhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == UNAVAILABLE
    assert "Python 3.11 or newer is missing" in answer.stderr
    assert "python3 python3-venv" in answer.stderr
    assert not (checkout / ".venv").exists()


def test_help_needs_nothing(checkout: Path) -> None:
    answer = subprocess.run(  # noqa: S603 - our own script
        [checkout / "grid", "help"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("./grid demo", "./grid test", "./grid serve", "DATABASE_URL"):
        assert command in answer.stdout
    assert not (checkout / ".venv").exists()
