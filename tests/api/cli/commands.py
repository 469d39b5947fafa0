"""Run the command line as a user does: a process of its own, with a data folder of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data"


@contextmanager
def data_folder() -> Iterator[Path]:
    """Give a folder that the operating-system user of the database can reach."""
    folder = Path(tempfile.mkdtemp(prefix="grid-home-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a command, without settings of whoever runs the tests."""
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  (the child's, not ours)
        if not name.startswith(("GRID_", "DATABASE_URL"))
    }
    return inherited | {"GRID_HOME": str(home), "COLUMNS": "160"} | settings


def grid(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "api", *words],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def figure(table: str, label: str) -> str:
    """Return the figure that a printed table has beside a label."""
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 2 and cells[1].startswith(label):
            return cells[2].replace(",", "")
    raise AssertionError(f"no row {label!r} in:\n{table}")
