"""The embedded cluster lives through what machines do to it. Each case is a real server."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from gridsvc.embedded import Cluster, find_binaries
from gridsvc.errors import DatabaseFolderError, DatabaseVersionError, DiskFullError

pytestmark = pytest.mark.db

PROJECT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("embedded_child.py")
AS_ROOT = os.geteuid() == 0
WAIT_S = 30


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the server's user can reach (pytest's own are private)."""
    made = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def fresh() -> Iterator[Path]:
    """A cluster made once and stopped, to be copied by tests that are not about making one."""
    made = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    made.chmod(0o711)
    with Cluster(made / "pg"):
        pass
    yield made / "pg"
    shutil.rmtree(made)


@pytest.fixture
def cluster(fresh: Path, folder: Path) -> Iterator[Cluster]:
    """A durable cluster of the test's own, made and not running."""
    copy(fresh, folder / "pg")
    cluster = Cluster(folder / "pg")
    yield cluster
    assert cluster.release(), "somebody still uses the cluster of this test"


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)  # noqa: S603, S607 - owners too


def child(
    root: Path, profile: str = "durable", *, uid: int | None = None
) -> "subprocess.Popen[str]":
    """Start the script above, in a process group of its own, perhaps as another user."""
    interpreter = Path(sys.executable) if uid is None else interpreter_for(uid)
    return subprocess.Popen(  # noqa: S603 - our own script
        [interpreter, CHILD, root, profile],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])},
        start_new_session=True,
        user=uid,
        group=None if uid is None else pwd.getpwuid(uid).pw_gid,
        extra_groups=None if uid is None else [],
    )


def interpreter_for(uid: int) -> Path:
    """An interpreter of our version that another user may run, and that finds our packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (Path(sys.executable), Path("/usr/bin") / version):
        with suppress(OSError):
            tried = subprocess.run(  # noqa: S603 - an interpreter
                [interpreter, "-c", "import gridsvc.embedded"],
                env={"PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])},
                cwd="/",
                capture_output=True,
                check=False,
                user=uid,
            )
            if tried.returncode == 0:
                return interpreter
    pytest.skip(f"user {uid} can run no {version} with this checkout")


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_go(process: "subprocess.Popen[str]") -> str:
    """Let a child release its cluster, and return what release() said."""
    answer, _ = process.communicate("\n", timeout=WAIT_S)
    return answer.strip()


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def connect(cluster: Cluster) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(cluster.url("postgres", driver="postgresql"), autocommit=True)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def processes_naming(path: Path) -> list[int]:
    """The processes that have a path in their command line, and their children."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(path) in (process / "cmdline").read_text().split("\0"):
                found.add(int(process.name))
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in found:
                found.add(int(process.name))
    return sorted(found - {os.getpid()})


def test_six_processes_that_start_it_at_once_share_one_server(folder: Path) -> None:
    users = [child(folder / "pg", "throw-away") for _ in range(6)]
    servers = {first_line(user) for user in users}
    assert len(servers) == 1
    server = int(servers.pop())
    assert [let_go(user) for user in users[:5]] == ["False"] * 5
    assert not is_gone(server)
    assert let_go(users[5]) == "True"
    assert is_gone(server)


def test_acknowledged_rows_survive_a_killed_server(cluster: Cluster) -> None:
    cluster.start()
    with connect(cluster) as connection:
        connection.execute("CREATE TABLE kept (number int)")
    for round_number in range(3):
        server = cluster.find_postmaster()
        assert server is not None
        with connect(cluster) as connection:
            for number in range(20):
                connection.execute("INSERT INTO kept VALUES (%s)", (20 * round_number + number,))
        os.kill(server, signal.SIGKILL)
        wait_for(lambda server=server: is_gone(server))  # type: ignore[misc]
        cluster.start()
        assert cluster.find_postmaster() not in {None, server}
    with connect(cluster) as connection:
        rows = connection.execute("SELECT number FROM kept ORDER BY 1").fetchall()
    assert rows == [(number,) for number in range(60)]


def test_it_starts_again_after_the_server_and_all_its_children_were_killed(
    cluster: Cluster,
) -> None:
    cluster.start()
    victims = processes_naming(cluster.data)
    assert len(victims) > 3
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    wait_for(lambda: all(is_gone(victim) for victim in victims))
    cluster.start()
    with connect(cluster) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pid_file_that_names_another_live_process_is_stale(cluster: Cluster) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        pid_file = cluster.data / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{cluster.data}\n")
        assert cluster.find_postmaster() is None
        cluster.start()
        assert cluster.find_postmaster() not in {None, bystander.pid}
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_killed_user_drops_its_share_only(cluster: Cluster) -> None:
    killed, polite = child(cluster.root), child(cluster.root)
    server = int(first_line(killed))
    assert int(first_line(polite)) == server
    kill(killed)
    assert not is_gone(server)
    assert let_go(polite) == "True"
    assert is_gone(server)


def test_the_server_outlives_ctrl_c_in_the_terminal_of_its_starter(cluster: Cluster) -> None:
    starter = child(cluster.root)
    server = int(first_line(starter))
    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate(timeout=WAIT_S)
    assert starter.returncode != 0
    cluster.start()
    assert cluster.find_postmaster() == server


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds initdb in /proc")
@pytest.mark.parametrize("stage", ["PG_VERSION", "global/pg_control", "base/1/PG_VERSION"])
def test_an_initdb_killed_part_way_is_made_again(folder: Path, stage: str) -> None:
    root = folder / "pg"
    starter = child(root, "throw-away")
    wait_for((root / "data" / stage).exists)
    for victim in [starter.pid, *processes_naming(root / "data")]:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    starter.communicate()
    assert not (root / "ready").exists(), "killed too late to prove anything"
    with Cluster(root, durable=False) as cluster, connect(cluster) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_ordinary_user_runs_the_server_as_itself(folder: Path) -> None:
    uid = pwd.getpwnam("nobody").pw_uid if AS_ROOT else os.geteuid()
    os.chown(folder, uid, -1)
    user = child(folder / "pg", "throw-away", uid=uid if AS_ROOT else None)
    server = first_line(user)
    assert Path(f"/proc/{server}").stat().st_uid == uid
    assert let_go(user) == "True"


@pytest.mark.skipif(not AS_ROOT, reason="needs root")
def test_root_runs_the_server_as_postgres(cluster: Cluster) -> None:
    cluster.start()
    server = cluster.find_postmaster()
    assert Path(f"/proc/{server}").stat().st_uid == pwd.getpwnam("postgres").pw_uid
    assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_another_users_folder_is_refused(folder: Path) -> None:
    foreign = Path("/usr/share")
    if AS_ROOT:
        foreign = folder / "pg"
        foreign.mkdir()
        os.chown(foreign, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(DatabaseFolderError, match=r"belongs to user .*GRID_HOME"):
        Cluster(foreign).start()


@pytest.mark.skipif(not AS_ROOT, reason="needs root")
def test_a_folder_that_the_servers_user_cannot_reach_is_refused(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(DatabaseFolderError, match="cannot be reached by user postgres"):
        Cluster(folder / "pg").start()


def test_a_path_of_120_characters_works_through_a_short_socket_folder(
    fresh: Path, folder: Path
) -> None:
    root = folder / ("小区" + "x" * (118 - len(str(folder))))
    copy(fresh, root)
    assert len(str(root)) > 120
    with Cluster(root) as cluster:
        assert not cluster.socket_folder.is_relative_to(root)
        with connect(cluster) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    shutil.rmtree(cluster.socket_folder)


def test_a_cluster_that_was_moved_starts_in_its_new_place(cluster: Cluster, folder: Path) -> None:
    cluster.root.rename(folder / "moved")
    with Cluster(folder / "moved") as moved, connect(moved) as connection:
        assert connection.execute("SHOW data_directory").fetchone() == (str(moved.data),)
    (folder / "moved").rename(cluster.root)


def test_data_of_another_major_version_is_refused_by_name(cluster: Cluster) -> None:
    installed = find_binaries().major
    (cluster.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(DatabaseVersionError, match=rf"PostgreSQL 11, but .* {installed}"):
        cluster.start()


def test_a_data_folder_of_another_program_is_left_alone(folder: Path) -> None:
    cluster = Cluster(folder / "pg", durable=False)
    cluster._user.claim(cluster.root)
    cluster.data.mkdir()
    letter = cluster.data / "letter.txt"
    letter.write_text("mine")
    with pytest.raises(DatabaseFolderError, match="made by another program"):
        cluster.start()
    assert letter.read_text() == "mine"


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_the_two_profiles_differ_in_what_reaches_the_disk(
    fresh: Path, folder: Path, durable: bool, fsync: str
) -> None:
    copy(fresh, folder / "pg")
    with Cluster(folder / "pg", durable=durable) as cluster:
        engine = create_engine(cluster.url("postgres"))
        with engine.connect() as connection:
            assert connection.execute(text("SHOW fsync")).scalar() == fsync
            assert connection.execute(text("SHOW jit")).scalar() == "off"
            assert connection.execute(text("SHOW listen_addresses")).scalar() == ""
            assert connection.execute(text("SHOW server_encoding")).scalar() == "UTF8"
        engine.dispose()


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 130 MB: room for a cluster, and little more."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=130m,mode=711", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603
    if mounted.returncode:
        pytest.skip(f"no small disk without mount: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)  # noqa: S603, S607 - ours


def remount(disk: Path, options: str) -> None:
    command = ["mount", "-o", f"remount,{options}", str(disk)]
    subprocess.run(command, check=True)  # noqa: S603 - ours


def fill(disk: Path, *, left_mb: int) -> Path:
    ballast = disk / "ballast"
    free_bytes = shutil.disk_usage(disk).free
    ballast.write_bytes(b"\0" * (free_bytes - left_mb * 2**20))
    return ballast


def test_a_disk_too_small_for_a_cluster_is_one_clear_sentence(small_disk: Path) -> None:
    fill(small_disk, left_mb=30)
    cluster = Cluster(small_disk / "pg", durable=False)
    with pytest.raises(DiskFullError, match=r"disk of .*/pg is full \(30 MB free\).*GRID_HOME"):
        cluster.start()


def test_a_disk_that_fills_up_later_is_one_clear_sentence(small_disk: Path) -> None:
    with Cluster(small_disk / "pg", durable=False) as cluster:
        assert cluster.find_postmaster() is not None
    ballast = fill(small_disk, left_mb=0)
    with pytest.raises(DiskFullError, match="is full"):
        cluster.start()
    ballast.unlink()
    with cluster.start(), connect(cluster) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_disk_that_fills_up_during_initdb_is_made_again_when_there_is_room(
    small_disk: Path,
) -> None:
    remount(small_disk, "nr_inodes=200")  # MB enough to begin with, files too few to end
    cluster = Cluster(small_disk / "pg", durable=False)
    with pytest.raises(DiskFullError, match="the number of files is used up"):
        cluster.start()
    assert (cluster.root / "making").exists()
    remount(small_disk, "nr_inodes=20000")
    with cluster, connect(cluster) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
