"""Running the server's programs, and saying in one sentence why one failed."""

import shutil
import subprocess
from pathlib import Path

from gridsvc.embedded.server_user import ServerUser
from gridsvc.errors import DiskFullError, PostgresCommandError

FULL_MESSAGES = ("No space left on device", "Disk quota exceeded")


def run_program(
    program: Path, *options: str | Path, user: ServerUser, root: Path, wait_s: float
) -> None:
    """Run a program of the server as its user.

    Raises
    ------
    DiskFullError
        The program says so.
    PostgresCommandError
        It failed, or did not end within ``wait_s`` seconds.
    """
    try:
        done = user.run(program, *options, home=root, timeout_s=wait_s)
    except subprocess.TimeoutExpired:
        raise PostgresCommandError(program.name, f"no end within {wait_s:.0f} s") from None
    if done.returncode:
        raise_if_full(done.stdout, root)
        raise PostgresCommandError(program.name, done.stdout)


def raise_if_full(said: str, root: Path) -> None:
    """Raise `DiskFullError` where the words of a program or a log name a full disk."""
    if any(message in said for message in FULL_MESSAGES):
        raise DiskFullError(root, free_mb(root))


def free_mb(folder: Path) -> int:
    """Return the room that is left on the disk of a folder, made or not, MB."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(existing).free // 2**20
