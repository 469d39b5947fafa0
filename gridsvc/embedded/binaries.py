"""Where the PostgreSQL server of this machine is, and whether it has PostGIS."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import PostgisMissingError, PostgresMissingError

EXTENSIONS = ("postgis", "btree_gist")
OLDEST_MAJOR = 15  # security_invoker views, STRATEGY wal_log
PROGRAMS = ("postgres", "initdb", "pg_ctl")
PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "opt/homebrew/bin",
    "usr/local/pgsql/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
QUESTION_S = 20  # a program that only prints its version or a path


@dataclass(frozen=True)
class Binaries:
    """One installed PostgreSQL server.

    Attributes
    ----------
    folder
        Holds ``postgres``, ``initdb`` and ``pg_ctl``.
    major
        Major version.
    missing
        Needed extensions that are not installed for this server.
    """

    folder: Path
    major: int
    missing: tuple[str, ...] = ()


def find_binaries(override: Path | None = None, *, major: int | None = None) -> Binaries:
    """Return the installed server that suits best: PostGIS first, then the newest.

    Parameters
    ----------
    override
        Look in this folder of programs only.
    major
        Prefer this major version, because a data folder was made by it.

    Returns
    -------
    Binaries
        With nothing missing.

    Raises
    ------
    PostgresMissingError
        No server, or only servers older than 15.
    PostgisMissingError
        The best server lacks an extension.
    """
    folders = [override] if override else list(_candidate_folders())
    inspected = (_inspect(folder) for folder in dict.fromkeys(folders))
    installed = [binaries for binaries in inspected if binaries is not None]
    fit = [binaries for binaries in installed if binaries.major >= OLDEST_MAJOR]
    if not fit:
        newest = max((binaries.major for binaries in installed), default=None)
        raise PostgresMissingError(OLDEST_MAJOR, newest)
    best = min(fit, key=lambda one: (len(one.missing), one.major != major, -one.major))
    if best.missing:
        raise PostgisMissingError(best.folder, best.major, best.missing)
    return best


def _candidate_folders() -> Iterator[Path]:
    """Folders that may hold a server: known places, then what PATH says."""
    for place in PLACES:
        yield from sorted(Path("/").glob(place), reverse=True)
    if pg_config := shutil.which("pg_config"):
        folder = _answer(Path(pg_config), "--bindir")
        if folder:
            yield Path(folder)
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent


def _inspect(folder: Path) -> Binaries | None:
    """Describe the server in a folder; None where there is no complete one."""
    if not all((folder / program).exists() for program in PROGRAMS):
        return None
    version = re.search(r"\d+", _answer(folder / "postgres", "--version"))
    if version is None:
        return None
    major = int(version.group())
    extensions = _share_folder(folder, major) / "extension"
    missing = tuple(name for name in EXTENSIONS if not (extensions / f"{name}.control").exists())
    return Binaries(folder, major, missing)


def _share_folder(folder: Path, major: int) -> Path:
    """Return the folder that holds ``extension/*.control`` of a server."""
    told = _answer(folder / "pg_config", "--sharedir")
    if told and Path(told).is_dir():
        return Path(told)
    return Path(f"/usr/share/postgresql/{major}")


def _answer(program: Path, option: str) -> str:
    """Return the one line a program prints; empty where it cannot run."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program of the server, with a fixed option
            [program, option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=QUESTION_S,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
