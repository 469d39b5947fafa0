"""The database that a command works on: the embedded one, or the one of the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import api
from api.cli.console import words
from api.cli.key_file import FileVault, KeyFile
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
from gridsvc.settings import Settings
from gridsvc.vault import Vault

CHECKOUT = Path(api.__file__).resolve().parent.parent
DATABASE = "gridsvc"
EVERYWHERE = Scope("job", (Interval(100_000_000_000, 999_999_999_999),))
"""Every code of twelve digits, for work on the database as a whole."""


@dataclass(frozen=True)
class Runtime:
    """The two connections of a command, and what hides its secrets.

    Attributes
    ----------
    served
        As the API role: row-level security holds.
    vault
        Hides phones and the secrets of authenticators.
    job
        As the job role, for loading and aggregation; absent where no ``GRID_JOB_URL`` is set.
    """

    settings: Settings
    home: Path
    served: Database
    job: Database | None
    vault: Vault

    @property
    def loading(self) -> Database:
        """The connection of the job role.

        Raises
        ------
        DatabaseNotReadyError
            The settings name no such connection.
        """
        if self.job is None:
            raise DatabaseNotReadyError("GRID_JOB_URL, a connection of gridsvc_job, is not set")
        return self.job

    @contextmanager
    def job_session(self, street_code: int | None = None) -> Iterator[ScopedSession]:
        """Give one transaction of the job role over a sub-district, by default over all there are.

        Raises
        ------
        DatabaseNotReadyError
            The settings name no connection of the job role.
        """
        scope = EVERYWHERE if street_code is None else Scope("job", (Interval.of(street_code),))
        with clear_connection_errors(), self.loading.session(scope) as session, session.begin():
            yield session


def _open_vault(settings: Settings, home: Path) -> Vault:
    """Return what hides phones: by the keys of the settings, else by that of a file made once."""
    if settings.data_key:
        return Vault.of(settings.data_key.get_secret_value())
    file = KeyFile(home)
    file.make()
    return FileVault(file)


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
            _open_vault(settings, home),
        )
    finally:
        served.dispose()
        if job:
            job.dispose()
