"""The data folder of a cluster: made once, made again when it was left half-made, checked."""

import shutil
import time
from pathlib import Path

from gridsvc.embedded.binaries import Binaries
from gridsvc.embedded.configuration import SUPERUSER
from gridsvc.embedded.postmaster import find_postmaster
from gridsvc.embedded.programs import free_mb, run_program
from gridsvc.embedded.server_user import LOCALE, ServerUser, user_name
from gridsvc.errors import DatabaseFolderError, DatabaseVersionError, DiskFullError

ROOM_MB = 100  # a new cluster takes 40 MB, its first work some WAL segments
INITDB_S = 300
ORPHANS_S = 10  # the child of a killed initdb ends when it reads on


class DataFolder:
    """The folder ``data`` in the folder of a cluster.

    A file ``making`` beside it is written before initdb and a file ``ready`` after it: a folder
    with the first and without the second was left half-made, and is ours to remove.
    """

    def __init__(self, root: Path, user: ServerUser) -> None:
        self.path = root / "data"
        self._root = root
        self._user = user

    def made_by(self) -> int | None:
        """Return the major version that made the folder; None where there is none yet."""
        try:
            return int((self.path / "PG_VERSION").read_text())
        except (FileNotFoundError, PermissionError, ValueError):
            return None

    def prepare(self, binaries: Binaries, *, durable: bool) -> None:
        """Make the folder where it is absent or half-made, and check that the server may open it.

        Raises
        ------
        DatabaseFolderError
            The folder is another program's or another user's, or has lost its files.
        DatabaseVersionError
            It was made by another major version.
        DiskFullError
            There is no room for it.
        """
        if not (self._root / "ready").exists():
            self._make(binaries, durable=durable)
        owner_uid = self.path.stat().st_uid if self.path.exists() else self._user.uid
        if owner_uid != self._user.uid:
            raise DatabaseFolderError(self.path, f"belongs to user {user_name(owner_uid)}")
        made_by = self.made_by()
        if made_by is None:
            raise DatabaseFolderError(self.path, "has lost its database files")
        if made_by != binaries.major:
            raise DatabaseVersionError(self.path, made_by, binaries.major)

    def _make(self, binaries: Binaries, *, durable: bool) -> None:
        making = self._root / "making"
        if self.path.exists():
            if not making.exists():
                raise DatabaseFolderError(self.path, "was made by another program")
            self._remove_half_made()
        room_mb = free_mb(self._root)
        if room_mb < ROOM_MB:
            raise DiskFullError(self._root, room_mb)
        self._user.write(making, "", durable=durable)
        options: list[str | Path] = ["-D", self.path, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
        options += ["--locale=C", f"--lc-ctype={LOCALE}"]  # Chinese order: per query, by ICU
        if not durable:
            options.append("--no-sync")
        initdb = binaries.folder / "initdb"
        run_program(initdb, *options, user=self._user, root=self._root, wait_s=INITDB_S)
        self._user.write(self._root / "ready", f"{binaries.major}\n", durable=durable)
        making.unlink()

    def _remove_half_made(self) -> None:
        deadline = time.monotonic() + ORPHANS_S
        while find_postmaster(self.path) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(self.path)
