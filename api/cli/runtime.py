"""The database that a command works on: the embedded one, or the one of the settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import api
from api.cli.console import words
from gridsvc import setup
from gridsvc.db import (
    Database,
    Interval,
    Scope,
    ScopedSession,
    clear_connection_errors,
    make_engine,
)
from gridsvc.embedded import Cluster, choose_home, find_binaries
from gridsvc.errors import DatabaseNotReadyError
from gridsvc.people.phones import new_key
from gridsvc.settings import Settings

CHECKOUT = Path(api.__file__).resolve().parent.parent
DATABASE = "gridsvc"


@dataclass(frozen=True)
class Runtime:
    """The two connections of a command, and the folder of its secrets.

    Attributes
    ----------
    served
        As the API role: row-level security holds.
    job
        As the job role, for loading and aggregation; absent where no ``GRID_JOB_URL`` is set.
    """

    settings: Settings
    home: Path
    served: Database
    job: Database | None

    @contextmanager
    def job_session(self, street_code: int) -> Iterator[ScopedSession]:
        """Give one transaction of the job role over a sub-district.

        Raises
        ------
        DatabaseNotReadyError
            The settings name no connection of the job role.
        """
        if self.job is None:
            raise DatabaseNotReadyError("GRID_JOB_URL, a connection of gridsvc_job, is not set")
        scope = Scope("job", (Interval.of(street_code),))
        with clear_connection_errors(), self.job.session(scope) as session, session.begin():
            yield session

    def phone_key(self) -> str:
        """Return the key that encrypts phones: of the settings, else of a file made once."""
        if self.settings.phone_key:
            return self.settings.phone_key.get_secret_value()
        path = self.home / "phone.key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(new_key())
        return path.read_text(encoding="ascii")


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """Open the database of the settings; the embedded one is started, and released at the end.

    Raises
    ------
    GridsvcError
        The database cannot be started, is down, or is not set up.
    """
    home, notice = choose_home(CHECKOUT, settings.home, os_user=settings.pg_osuser)
    if settings.database_url is not None:
        with _engines(
            settings,
            home,
            settings.database_url.get_secret_value(),
            settings.job_url.get_secret_value() if settings.job_url else None,
        ) as runtime:
            yield runtime
        return
    if notice:
        words.print(notice)
    binaries = find_binaries(settings.pg_bindir) if settings.pg_bindir else None
    cluster = Cluster(home / "postgres", binaries=binaries, os_user=settings.pg_osuser)
    with cluster:
        setup.make_database(cluster.url("postgres"), DATABASE)
        setup.set_up(cluster.url(DATABASE))
        with _engines(
            settings,
            home,
            cluster.url(DATABASE, setup.API),
            cluster.url(DATABASE, setup.JOB),
        ) as runtime:
            yield runtime


@contextmanager
def _engines(settings: Settings, home: Path, url: str, job_url: str | None) -> Iterator[Runtime]:
    served = make_engine(
        url, pool_size=settings.pool_size, statement_timeout_s=settings.statement_timeout_s
    )
    job = make_engine(job_url, pool_size=2, statement_timeout_s=3600) if job_url else None
    try:
        readiness = setup.check(served)
        if not readiness.is_leakproof:
            words.print(
                "geometry_overlaps is not marked LEAKPROOF: map queries use the slower tile key. "
                "A superuser can mark it: ./grid db setup."
            )
        yield Runtime(
            settings,
            home,
            Database(served, readiness.is_leakproof),
            Database(job, readiness.is_leakproof) if job else None,
        )
    finally:
        served.dispose()
        if job:
            job.dispose()
