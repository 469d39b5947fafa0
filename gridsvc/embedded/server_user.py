"""The operating-system user that runs the server, and what is done in that user's name."""

import errno
import os
import pwd
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import DatabaseFolderError, DatabaseUserError

ROOT_UID = 0
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


@dataclass(frozen=True)
class ServerUser:
    """The user that owns the data folder: ourselves, or a stand-in where we are root."""

    name: str
    uid: int
    gid: int
    is_stand_in: bool

    def run(
        self, *command: str | Path, home: Path, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, out of reach of the terminal's Ctrl-C.

        Parameters
        ----------
        command
            Program and arguments.
        home
            The user's HOME: with root's own, libpq in the server would trip over root's files.
        timeout_s
            Longest time, seconds.

        Returns
        -------
        CompletedProcess
            Exit code, and standard output and error together as ``stdout``.
        """
        # Output goes to a file: a daemon would inherit a pipe and keep us waiting for its end.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(  # noqa: S603 - no shell; programs are found by find_binaries
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": LOCALE, "TZ": "UTC", "HOME": str(home)},
                umask=0o077,
                timeout=timeout_s,
                check=False,
                start_new_session=True,
                user=self.uid if self.is_stand_in else None,
                group=self.gid if self.is_stand_in else None,
                extra_groups=[] if self.is_stand_in else None,
            )
            output.seek(0)
            text = output.read().decode(errors="replace")
        return subprocess.CompletedProcess(done.args, done.returncode, text)

    def can_write(self, folder: Path) -> bool:
        """Say whether this user may make files in an existing folder, all parents included."""
        if not self.is_stand_in:
            return os.access(folder, os.W_OK | os.X_OK)
        return self._test("-w", folder)

    def can_reach(self, folder: Path) -> bool:
        """Say whether this user may pass through an existing folder, all parents included."""
        if not self.is_stand_in:
            return os.access(folder, os.X_OK)
        return self._test("-x", folder)

    def _test(self, option: str, folder: Path) -> bool:
        """Ask the system in this user's name; only that knows every kind of permission."""
        return self.run("test", option, folder, home=Path("/"), timeout_s=20).returncode == 0

    def claim(self, folder: Path) -> None:
        """Make a private folder of this user's, or check that an existing one is.

        Raises
        ------
        DatabaseFolderError
            The folder belongs to another user, is no folder, or cannot be made or reached.
        """
        try:
            _make_parents(folder.parent, is_public=self.is_stand_in)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise
            reason = f"cannot be made ({error.strerror})"
            raise DatabaseFolderError(folder, reason) from error
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise DatabaseFolderError(folder, "is a link, not a folder")
        if found.st_uid != self.uid:
            if found.st_uid != os.geteuid():
                raise DatabaseFolderError(folder, f"belongs to user {user_name(found.st_uid)}")
            if any(folder.iterdir()):  # never give away a folder that has another use
                raise DatabaseFolderError(folder, "holds files that are not the database's")
            self.own(folder)
        if not self.can_write(folder):
            raise DatabaseFolderError(
                folder, f"cannot be reached by user {self.name}, who runs the database"
            )

    def own(self, path: Path) -> None:
        """Give a file or folder that we made to this user."""
        if self.is_stand_in:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def write(self, path: Path, text: str, *, durable: bool) -> None:
        """Write a file of this user's, whole or not at all."""
        part = path.with_name(path.name + ".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.chmod(0o600)
        self.own(part)
        part.replace(path)


def find_server_user(stand_in: str) -> ServerUser:
    """Return the user that runs the server: PostgreSQL refuses to run as root.

    Parameters
    ----------
    stand_in
        Name of the user to run it as where we are root.

    Raises
    ------
    DatabaseUserError
        There is no such user, it is root itself, or our own user id has no name.
    """
    if os.geteuid() != ROOT_UID:
        return _ourselves()
    try:
        entry = pwd.getpwnam(stand_in)
    except KeyError:
        reason = (
            "there is none of this name, and PostgreSQL refuses to run as root; the package "
            "postgresql makes it (Debian, Ubuntu: apt-get install postgresql postgresql-postgis)"
        )
        raise DatabaseUserError(stand_in, reason) from None
    if entry.pw_uid == ROOT_UID:
        raise DatabaseUserError(stand_in, "PostgreSQL refuses to run as root")
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, is_stand_in=True)


def user_name(uid: int) -> str:
    """Return the name of a user id, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _ourselves() -> ServerUser:
    """Return the user of this process; initdb needs it to have a name."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        reason = "this user id has no name, and PostgreSQL asks for one: add it to /etc/passwd"
        raise DatabaseUserError(str(uid), reason) from None
    return ServerUser(entry.pw_name, uid, os.getegid(), is_stand_in=False)


def _make_parents(folder: Path, *, is_public: bool) -> None:
    """Make missing parents; a stand-in must be able to pass through them, whatever our umask."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        if is_public:
            one.chmod(0o711)
