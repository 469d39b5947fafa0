"""Commands run in the test's own process: for what goes wrong before any work is done."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    returncode: int
    stdout: str
    stderr: str


GridHere = Callable[..., Answer]


@pytest.fixture
def grid_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> GridHere:
    """Run a command as ``./grid`` would: ``grid_here("db", "check", DATABASE_URL=…)``."""

    def run(*words: str, **settings: str) -> Answer:
        for name, value in {"GRID_HOME": str(tmp_path / "home"), **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["grid", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, said.out, said.err)

    return run
