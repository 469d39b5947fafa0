"""The file in the data folder that holds the keys of phones and authenticators, newest first."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridsvc.errors import RotationRunningError
from gridsvc.vault import Vault, new_key

DATA_KEY = "data.key"


class KeyFile:
    """Keys parted by commas, readable by their owner only; replaced whole, never written over."""

    def __init__(self, home: Path) -> None:
        self.path = home / DATA_KEY

    def make(self) -> None:
        """Make the file with a fresh key, unless it is there."""
        if self.path.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked_folder(fcntl.LOCK_EX):
            if not self.path.exists():  # two commands at once: the first one's key stays
                self._write_beside([new_key()]).replace(self.path)

    def read(self) -> list[str]:
        """Return the keys, newest first."""
        return self.path.read_text(encoding="ascii").split(",")

    def write(self, keys: Sequence[str]) -> None:
        """Put keys in the place of those that are there; the file keeps its owner."""
        owner = self.path.stat()
        made = self._write_beside(keys)
        os.chown(made, owner.st_uid, owner.st_gid)
        made.replace(self.path)
        self._sync(self.path.parent)

    def _write_beside(self, keys: Sequence[str]) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f"{DATA_KEY}.")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(",".join(keys))
            file.flush()
            os.fsync(file.fileno())
        return Path(name)

    @staticmethod
    def _sync(folder: Path) -> None:
        """Let the new name outlive a loss of power."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other rotations away meanwhile; a command that dies lets go.

        Raises
        ------
        RotationRunningError
            Another command is at it.
        """
        try:
            with self._locked_folder(fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError:
            raise RotationRunningError from None

    @contextmanager
    def _locked_folder(self, how: int) -> Iterator[None]:
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


class FileVault(Vault):
    """A vault that follows its file: a service that runs while keys are rotated goes on."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._seen: tuple[int, ...] = ()
        self._follow()

    def _follow(self) -> None:
        try:
            found = self._file.path.stat()
        except FileNotFoundError:
            if self._seen:
                return  # somebody moved it away: what was read still opens what is stored
            raise
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            super().__init__(self._file.read())
            self._seen = seen

    def encrypt(self, secret: str) -> bytes:
        """Return a secret encrypted with the newest key of the file as it is now."""
        self._follow()
        return super().encrypt(secret)

    def decrypt(self, cipher: bytes) -> str:
        """Return what any key of the file as it is now hides.

        Raises
        ------
        WrongDataKeyError
            None of the keys fits.
        """
        self._follow()
        return super().decrypt(cipher)

    def rotate(self, cipher: bytes) -> bytes:
        """Return a cipher as one of the newest key of the file as it is now.

        Raises
        ------
        WrongDataKeyError
            None of the keys fits.
        """
        self._follow()
        return super().rotate(cipher)
