"""Roles, extensions and schema of a database: made as superuser, checked at every start."""

from dataclasses import dataclass
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from gridsvc.db import SCHEMA, clear_connection_errors, make_engine
from gridsvc.errors import DatabaseNotReadyError, UnsafeRoleError

QUEUE = "procrastinate"
OWNER, API, JOB = "gridsvc_owner", "gridsvc_api", "gridsvc_job"
CATALOG, BACKUP = "gridsvc_catalog", "gridsvc_backup"

# What each role may be: nobody but the job and the backup role passes by the policies.
ROLES = {
    OWNER: "NOLOGIN NOBYPASSRLS",
    API: "LOGIN NOBYPASSRLS",
    JOB: "LOGIN BYPASSRLS",
    CATALOG: "LOGIN NOBYPASSRLS",
    BACKUP: "LOGIN BYPASSRLS",
}
# Who may make roles may make one that passes by the policies, and become it.
_NO_POWER = "NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION"

_PREPARE = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    # A caller who could change app.* could widen its own territory.
    "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO {CATALOG}, {BACKUP}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION {OWNER}",
    f"CREATE SCHEMA IF NOT EXISTS planner AUTHORIZATION {OWNER}",
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO {API}, {JOB}, {CATALOG}, {BACKUP}",
    f"GRANT USAGE ON SCHEMA planner TO {API}, {JOB}, {CATALOG}, {BACKUP}",
    f"CREATE SCHEMA IF NOT EXISTS {QUEUE} AUTHORIZATION {OWNER}",
    f"GRANT USAGE ON SCHEMA {QUEUE} TO {API}, {JOB}, {BACKUP}",
    # The library that keeps the queue names its tables without their schema.
    *(f"ALTER ROLE {role} SET search_path = public, {QUEUE}" for role in (API, JOB)),
)

# && only compares boxes and cannot reveal a hidden row; under row-level security PostGIS uses its
# index only when this is marked. Superusers may; elsewhere queries fall back to the tile key.
_LEAKPROOF = "ALTER FUNCTION public.geometry_overlaps(geometry, geometry) LEAKPROOF"


@dataclass(frozen=True)
class Readiness:
    """What a check of the database found."""

    revision: str | None
    head: str
    is_leakproof: bool

    @property
    def is_current(self) -> bool:
        """Whether every migration has been applied."""
        return self.revision == self.head


def make_database(admin_url: str, name: str) -> None:
    """Make a database where there is none yet.

    Parameters
    ----------
    admin_url
        Connection of a superuser to another database of the same server.
    """
    engine = make_engine(admin_url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with clear_connection_errors(), engine.connect() as connection:
            exists = connection.scalar(
                text("SELECT true FROM pg_database WHERE datname = :name"), {"name": name}
            )
            if not exists:
                connection.execute(text(f'CREATE DATABASE "{name}"'))
    except ProgrammingError as error:
        # Two commands at once: the other one made it between our look and our try.
        if "already exists" not in str(error):
            raise
    finally:
        engine.dispose()


def set_up(admin_url: str, *, role_urls: tuple[str, ...] = ()) -> None:
    """Make roles, extensions and schema, and migrate to the newest revision; idempotent.

    Parameters
    ----------
    admin_url
        Connection of a superuser to the database.
    role_urls
        Connections of our roles, whose passwords are set to those named in them.

    Raises
    ------
    DatabaseDownError
        The database does not answer.
    """
    engine = make_engine(admin_url, pool_size=1, statement_timeout_s=600)
    try:
        with clear_connection_errors(), engine.begin() as connection:
            _make_roles(connection, role_urls)
            for statement in _PREPARE:
                connection.execute(text(statement))
            _mark_leakproof(connection)
            connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
            migrate(connection, "head")
    finally:
        engine.dispose()


def _make_roles(connection: Connection, role_urls: tuple[str, ...]) -> None:
    # Two set-ups at once, as in tests on one cluster, would both find a role missing.
    connection.execute(text("SELECT pg_advisory_xact_lock(4406050110)"))
    existing = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    for role, attributes in ROLES.items():
        verb = "ALTER" if role in existing else "CREATE"
        connection.execute(text(f"{verb} ROLE {role} {_NO_POWER} {attributes}"))
    raw = connection.connection.cursor()
    for url in map(make_url, role_urls):
        if url.username in ROLES and url.password:
            raw.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(url.username), sql.Literal(str(url.password))
                )
            )


def _mark_leakproof(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            connection.execute(text(_LEAKPROOF))
    except ProgrammingError:
        return  # not a superuser: `check` reports it, queries use the tile key


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gridsvc") / "migrations"))
    return config


def migrate(connection: Connection, revision: str) -> None:
    """Move the schema to a revision, forward or back, on a connection of the owner."""
    config = _config()
    config.attributes["connection"] = connection
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def check(engine: Engine) -> Readiness:
    """Check that a database can be served from, as the role that will serve.

    Raises
    ------
    UnsafeRoleError
        The role is a superuser or passes by row-level security, or may become such a role.
    DatabaseNotReadyError
        Migrations are missing, or PUBLIC may change settings.
    DatabaseDownError
        The database does not answer.
    """
    with clear_connection_errors(), engine.connect() as connection:
        role, is_unsafe = connection.execute(
            text(
                "SELECT current_user, bool_or(rolsuper OR rolbypassrls) FROM pg_roles"
                " WHERE pg_has_role(current_user, oid, 'member')"  # may become it, or is it
            )
        ).one()
        if is_unsafe:
            raise UnsafeRoleError(role)
        readiness = _readiness(connection)
        if not readiness.is_current:
            raise DatabaseNotReadyError(f"revision {readiness.revision}, not {readiness.head}")
        if _may_change_settings(connection):
            raise DatabaseNotReadyError("PUBLIC may execute set_config")
        return readiness


def _readiness(connection: Connection) -> Readiness:
    # Absent before set-up, and not ours to read before the migration that grants rights.
    is_readable = connection.execute(
        text(f"SELECT has_table_privilege(to_regclass('{SCHEMA}.alembic_version'), 'select')")
    ).scalar_one()
    revision = None
    if is_readable:
        context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
        revision = context.get_current_revision()
    is_leakproof = connection.execute(
        text(
            "SELECT coalesce(bool_and(proleakproof), false) FROM pg_proc"
            " WHERE proname = 'geometry_overlaps' AND pronamespace = 'public'::regnamespace"
        )
    ).scalar_one()
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return Readiness(revision=revision, head=str(head), is_leakproof=is_leakproof)


def _may_change_settings(connection: Connection) -> bool:
    may: bool = connection.execute(
        text(
            "SELECT has_function_privilege('pg_catalog.set_config(text, text, boolean)', 'execute')"
        )
    ).scalar_one()
    return may
