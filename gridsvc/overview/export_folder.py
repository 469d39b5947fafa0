"""Files of exports, kept for a while so that a download that broke off can go on.

Several processes of the service share the folder. A file is written beside its place and moved
there whole; it never changes afterwards, so what is being sent stays as it is, also when somebody
removes it meanwhile.
"""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from geodata.errors import UnwritableFileError

_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class ExportFolder:
    """A folder of files by key.

    Attributes
    ----------
    keep_s
        How long a file is kept, in seconds.
    most_bytes
        How large all files may be together before the oldest go.
    """

    path: Path
    keep_s: float = 3600.0
    most_bytes: int = 4_000_000_000

    def open(self, key: str, suffix: str, build: Callable[[Path], int | None]) -> BinaryIO:
        """Open the file of a key; who asks first builds it, and the others wait for that.

        Parameters
        ----------
        key
            Letters and digits.
        build
            Writes the file to a path, which ends in ``suffix``, in an empty folder, and returns how
            many rows it wrote, where that is known.

        Raises
        ------
        UnwritableFileError
            The folder cannot be used.
        """
        kept = self.path / f"{key}{suffix}"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone(key):
                return self._find(kept) or self._make(key, kept, build)
        except OSError as error:
            raise UnwritableFileError(kept, error.strerror or "unknown") from error

    def rows_of(self, key: str) -> int | None:
        """Return how many rows the file of a key has, where that is known."""
        try:
            return int(self._rows_path(key).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def mark(self, key: str, name: str) -> bool:
        """Leave a mark beside the file of a key, and tell whether there was none of that name.

        Of several who leave the same mark at once, one is told so. A mark goes as a file goes.

        Raises
        ------
        UnwritableFileError
            The folder cannot be used.
        """
        mark = self.path / f".{key}.{name}.mark"
        try:
            mark.touch(mode=_OWNER_ONLY, exist_ok=False)
        except FileExistsError:
            return False
        except OSError as error:
            raise UnwritableFileError(mark, error.strerror or "unknown") from error
        return True

    def _rows_path(self, key: str) -> Path:
        return self.path / f".{key}.rows"

    def _find(self, kept: Path) -> BinaryIO | None:
        try:
            file = kept.open("rb")
        except FileNotFoundError:
            return None
        if _age_s(kept) < self.keep_s:
            return file
        file.close()
        return None

    def _make(self, key: str, kept: Path, build: Callable[[Path], int | None]) -> BinaryIO:
        self.sweep()
        with TemporaryDirectory(prefix=".making-", dir=self.path) as folder:
            made = Path(folder) / f"export{''.join(kept.suffixes)}"
            rows = build(made)
            self._rows_path(key).touch(mode=_OWNER_ONLY)
            self._rows_path(key).write_text("" if rows is None else f"{rows}", encoding="ascii")
            made.chmod(_OWNER_ONLY)
            file = made.open("rb")
            made.rename(kept)
        return file

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Let one at a time work on a key, of all processes."""
        lock = self.path / f".{key}.lock"
        with lock.open("a") as file:
            lock.chmod(_OWNER_ONLY)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def sweep(self) -> None:
        """Remove what is over age, and the oldest files until the rest fit."""
        found = sorted(self.path.iterdir(), key=_made_at)
        left = sum(_size(path) for path in found)
        for path in found:
            if _age_s(path) >= self.keep_s or (path.is_file() and left > self.most_bytes):
                left -= _size(path)
                _remove(path)


def _remove(path: Path) -> None:
    """Remove a file, or the folder of somebody who did not finish."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _made_at(path: Path) -> float:
    """Return when a path was made; another process may just have removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _age_s(path: Path) -> float:
    return time.time() - _made_at(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
