"""Databases of the tests: a throw-away cluster, a template made once, clones of it in no time.

The processes of one test run share one cluster and its templates: whoever comes first makes them.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, text

from gridsvc import setup
from gridsvc.db import Database, make_engine
from gridsvc.embedded import Cluster

TEMPLATE = "template_grid"
_NUMBERS = count(1)
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "gw")  # noqa: TID251  (the test runner's)
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")  # noqa: TID251  (the test runner's)


@dataclass(frozen=True)
class Clone:
    """A database of a test's own.

    Attributes
    ----------
    root
        As superuser, past every policy.
    api, job
        As the roles that serve and that load.
    """

    cluster: Cluster
    name: str
    root: Engine
    api: Database
    job: Database

    @classmethod
    def of(cls, cluster: Cluster, name: str) -> "Clone":
        return cls(
            cluster,
            name,
            make_engine(cluster.url(name), pool_size=2),
            Database(make_engine(cluster.url(name, setup.API), pool_size=3)),
            Database(make_engine(cluster.url(name, setup.JOB), pool_size=2)),
        )

    def url(self, role: str) -> str:
        """Return the address of this database for a role."""
        return self.cluster.url(self.name, role)

    def count(self, table: str, where: str = "true") -> int:
        """Count rows as superuser."""
        with self.root.connect() as connection:
            return int(
                connection.scalar(text(f"SELECT count(*) FROM gridsvc.{table} WHERE {where}"))  # noqa: S608 - words of the tests
                or 0
            )

    def run(self, *statements: str) -> None:
        """Run statements as superuser, in one transaction."""
        with self.root.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Close every connection, so that the database can be cloned or dropped."""
        for engine in (self.root, self.api.engine, self.job.engine):
            engine.dispose()


@contextmanager
def throw_away_cluster() -> Iterator[Cluster]:
    """Run a cluster in a folder that the server's user can reach, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="grid-test-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        with Cluster(folder / "pg", durable=False) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster_of_the_run() -> Iterator[Cluster]:
    """Run one cluster for all processes of a test run; the last one to leave removes it."""
    if _RUN is None:
        with throw_away_cluster() as cluster:
            yield cluster
        return
    folder = Path("/tmp", f"grid-test-{_RUN}")  # noqa: S108 - of this run, made here
    folder.mkdir(mode=0o711, exist_ok=True)
    cluster = Cluster(folder / "pg", durable=False)
    cluster.start()
    try:
        yield cluster
    finally:
        if cluster.release():
            shutil.rmtree(folder, ignore_errors=True)


def template_of_the_run(cluster: Cluster, name: str, make: Callable[[str], None]) -> str:
    """Make a database to clone, unless another process of this run has; return its name.

    ``make`` is told the name of a database to fill; only a whole one gets the template's name.
    """
    with (cluster.root.parent / "templates.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if name not in _databases(cluster):
            making = f"making_{name}"
            run_on_server(cluster, f"DROP DATABASE IF EXISTS {making} WITH (FORCE)")
            make(making)
            run_on_server(cluster, f"ALTER DATABASE {making} RENAME TO {name}")
    return name


def _databases(cluster: Cluster) -> set[str]:
    engine = make_engine(cluster.url("postgres"), pool_size=1)
    try:
        with engine.connect() as connection:
            return set(connection.scalars(text("SELECT datname FROM pg_database")))
    finally:
        engine.dispose()


def run_on_server(cluster: Cluster, statement: str) -> None:
    """Run a statement that belongs to no transaction, such as CREATE DATABASE."""
    engine = make_engine(cluster.url("postgres"), pool_size=1)
    try:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def make_template(cluster: Cluster, name: str = TEMPLATE) -> str:
    """Set up an empty database to clone, and return its name."""
    setup.make_database(cluster.url("postgres"), name)
    setup.set_up(cluster.url(name))
    return name


def make_clone(cluster: Cluster, template: str, name: str | None = None) -> Clone:
    """Clone a database that nobody is connected to; files are copied, which fsync would slow."""
    name = name or f"clone_{_PROCESS}_{next(_NUMBERS)}"
    run_on_server(cluster, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return Clone.of(cluster, name)


def drop(clone: Clone) -> None:
    """Drop a clone, whoever is still connected."""
    clone.close()
    run_on_server(clone.cluster, f"DROP DATABASE IF EXISTS {clone.name} WITH (FORCE)")
