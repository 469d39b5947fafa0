"""One private cluster, shared by every process that starts it and stopped by the last."""

import hashlib
import os
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from gridsvc.embedded.binaries import Binaries, find_binaries
from gridsvc.embedded.configuration import PORT, SUPERUSER, server_settings
from gridsvc.embedded.data_folder import DataFolder
from gridsvc.embedded.postmaster import find_postmaster
from gridsvc.embedded.programs import free_mb, raise_if_full, run_program
from gridsvc.embedded.server_user import DISK_FULL, find_server_user
from gridsvc.embedded.sharing import Sharing
from gridsvc.errors import DiskFullError, PostgresCommandError, PostgresStartError

LONGEST_SOCKET_FOLDER = 80  # bytes; the whole path of a socket must fit into 107
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - claimed as ours or refused; the same for each process
STOP_S = 60
LARGEST_LOG_BYTES = 10_000_000


class Cluster:
    """A private PostgreSQL cluster in one folder.

    Parameters
    ----------
    root
        Folder of the cluster and of nothing else; made when absent, private to the server's user.
    durable
        False for a throw-away cluster: commits are not written through to the disk.
    binaries
        The server to use; default the one that `find_binaries` returns.
    os_user
        The operating-system user that runs the server where we are root.

    Raises
    ------
    DatabaseUserError
        No operating-system user can run the server.
    """

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        binaries: Binaries | None = None,
        os_user: str = SUPERUSER,
    ) -> None:
        self.root = root.resolve()
        self.durable = durable
        self.log = self.root / "server.log"
        self._binaries = binaries
        self._user = find_server_user(os_user)
        self._folder = DataFolder(self.root, self._user)
        self._sharing = Sharing(self.root, self._user)
        self.data = self._folder.path
        self.socket_folder = _choose_socket_folder(self.root, self._user.uid)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def url(
        self, database: str, user: str = SUPERUSER, *, driver: str = "postgresql+psycopg"
    ) -> str:
        """Return the address of one database of the cluster for one role."""
        host = quote(str(self.socket_folder))
        return f"{driver}://{quote(user)}@/{quote(database)}?host={host}&port={PORT}"

    def find_postmaster(self) -> int | None:
        """Return the process id of the running server; None where it does not run."""
        return find_postmaster(self.data)

    def start(self, *, wait_s: float = 60) -> Self:
        """Make the cluster where there is none, start it where it does not run, and share it.

        Any number of processes may do so at once. The server outlives the caller, and the
        terminal's Ctrl-C; `release` stops it.

        Parameters
        ----------
        wait_s
            Longest time to wait for a server that starts or recovers, seconds.

        Raises
        ------
        EmbeddedPostgresError
            The subclass and its sentence say what to do.
        """
        try:
            self._user.claim(self.root)
            with self._sharing.alone():
                self._user.claim(self.socket_folder)
                self._sharing.take()
                self._folder.prepare(self._find_binaries(), durable=self.durable)
                self._bring_up(wait_s=wait_s)
        except BaseException as error:
            self._sharing.drop()
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise DiskFullError(self.root, free_mb(self.root)) from error
            raise
        return self

    def release(self) -> bool:
        """Give up our share, and stop the server when no other process has one.

        Returns
        -------
        bool
            True when the server does not run any more.
        """
        if not self.root.is_dir():
            return True
        with self._sharing.alone():
            self._sharing.drop()
            if self._sharing.is_used():
                return False
            if self.find_postmaster() is not None:
                self._pg_ctl("stop", "-m", "fast", wait_s=STOP_S)
            return True

    def _bring_up(self, *, wait_s: float) -> None:
        """Start the server until it takes connections."""
        deadline = time.monotonic() + wait_s
        said = ""
        while not self._accepts():
            left_s = deadline - time.monotonic()
            if left_s < 0:
                raise PostgresStartError(self.log, wait_s, said or self._logged_since(0))
            if self.find_postmaster() is None:
                said = self._launch(wait_s=left_s)
            time.sleep(0.05)

    def _launch(self, *, wait_s: float) -> str:
        """Start the server once; return what it said where another try may succeed."""
        # We hold the lock and no server of ours lives: what these files say is stale.
        for stale in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            stale.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = server_settings(self.socket_folder, durable=self.durable)
        self._user.write(self.data / "postgresql.conf", settings, durable=self.durable)
        log_bytes = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._pg_ctl("start", "-l", self.log, wait_s=wait_s)
        except PostgresCommandError as error:
            said = error.output + self._logged_since(log_bytes)
            raise_if_full(said, self.root)
            # Backends of a killed server keep its shared memory until their query ends.
            may_pass = "is still in use" in said or self.find_postmaster() is not None
            if not may_pass:
                raise PostgresCommandError(error.program, said) from error
            return said
        return ""

    def _pg_ctl(self, action: str, *options: str | Path, wait_s: float) -> None:
        """Start or stop the server, and wait for it."""
        whole_s = int(wait_s) + 1
        run_program(
            self._find_binaries().folder / "pg_ctl",
            *(action, "-D", self.data, *options, "-w", "-t", str(whole_s)),
            user=self._user,
            root=self.root,
            wait_s=whole_s + 10,
        )

    def _accepts(self) -> bool:
        """Say whether the server of our data folder answers on our socket."""
        try:
            with psycopg.connect(
                host=str(self.socket_folder),
                port=PORT,
                user=SUPERUSER,
                dbname="postgres",
                connect_timeout=3,
                autocommit=True,
            ) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.data

    def _find_binaries(self) -> Binaries:
        """Return the server to use: the one given, or one that suits the data folder."""
        if self._binaries is None:
            self._binaries = find_binaries(major=self._folder.made_by())
        return self._binaries

    def _logged_since(self, start_byte: int) -> str:
        """Return the last lines that the server logged after a position."""
        try:
            with self.log.open("rb") as file:
                file.seek(start_byte)
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-15:])


def _choose_socket_folder(root: Path, uid: int) -> Path:
    """Return a folder whose path fits into a socket address and needs no quoting."""
    folder = root / "socket"
    path = os.fsencode(folder)
    if len(path) <= LONGEST_SOCKET_FOLDER and re.fullmatch(rb"[A-Za-z0-9/._-]+", path):
        return folder
    digest = hashlib.sha256(path).hexdigest()[:12]
    return SHORT_FOLDER / f"gridsvc-{uid}-{digest}"
