"""Who uses the cluster: locks that the kernel drops with the process that held them."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gridsvc.embedded.server_user import ServerUser


class Sharing:
    """Two lock files in the folder of a cluster.

    ``lock`` is held by the one process that starts or stops the server; ``users`` is held, shared,
    by each process that uses it. A process that dies, however it dies, loses its locks, so there is
    no list of users to repair.
    """

    def __init__(self, root: Path, user: ServerUser) -> None:
        self._root = root
        self._user = user
        self._share: int | None = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from starting or stopping the server meanwhile."""
        descriptor = self._open("lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def take(self) -> None:
        """Become a user of the server; a second call changes nothing."""
        if self._share is None:
            self._share = self._open("users")
            fcntl.flock(self._share, fcntl.LOCK_SH)

    def drop(self) -> None:
        """Use the server no more."""
        if self._share is not None:
            os.close(self._share)
            self._share = None

    def is_used(self) -> bool:
        """Say whether any process uses the server."""
        descriptor = self._open("users")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _open(self, name: str) -> int:
        """Open a lock file; Python keeps the descriptor from child processes."""
        path = self._root / name
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        self._user.own(path)
        return descriptor
