"""Which running process, if any, is the server of a data folder."""

import os
import subprocess
from pathlib import Path


def find_postmaster(data: Path) -> int | None:
    """Return the process id of the server that runs on a data folder.

    ``postmaster.pid`` alone proves nothing: after a crash its number may belong to any process.

    Parameters
    ----------
    data
        The data folder, its path resolved.

    Returns
    -------
    int or None
        None where no server of this folder lives.
    """
    try:
        # A single-user server, as initdb runs it, writes its number with a minus sign.
        pid = abs(int((data / "postmaster.pid").read_text().split()[0]))
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    return pid if _is_alive(pid) and _serves(pid, data) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _serves(pid: int, data: Path) -> bool:
    """Say whether a process works in the data folder, or names it in its command line."""
    process = Path(f"/proc/{pid}")
    if not process.exists():
        return str(data) in _command_line_by_ps(pid)
    try:
        folder = (process / "cwd").readlink()
    except FileNotFoundError:
        return False  # ended meanwhile
    except PermissionError:  # root in a container may not look; everybody may read this
        return str(data) in (process / "cmdline").read_text(errors="replace").split("\0")
    return folder == data


def _command_line_by_ps(pid: int) -> str:
    """Return a process's command line where there is no /proc (macOS); empty when it ended."""
    answer = subprocess.run(  # noqa: S603 - fixed program, a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout
