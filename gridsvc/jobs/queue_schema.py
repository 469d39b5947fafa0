"""The queue's own tables: procrastinate's schema, and how it follows the library.

The library ships its whole schema (``schema.sql``) and, beside it, numbered files that lead from
one version to the next. A new database gets the whole schema; the comment of the database schema
then says up to which file that is. When the library is raised and brings new files, `VERSION` no
longer names the last one and a test fails: set it, and write a migration that calls `upgrade`.
A database made by the newer library has those files already, so there `upgrade` does nothing.
A file that adds a value to an ENUM type must be committed before the next one uses the value: give
such a migration an autocommit block.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

SCHEMA = "procrastinate"
VERSION = "03.04.00_50_post_add_retry_failed_job_procedure"
"""The last file of the locked library."""

_DROPS = text("""
    SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) AS statement, 1 AS turn
    FROM pg_proc WHERE pronamespace = 'procrastinate'::regnamespace
    UNION ALL SELECT format('DROP TABLE procrastinate.%I CASCADE', tablename), 2
    FROM pg_tables WHERE schemaname = 'procrastinate'
    UNION ALL SELECT format('DROP TYPE procrastinate.%I', typname), 3
    FROM pg_type WHERE typnamespace = 'procrastinate'::regnamespace
      AND (typtype = 'e' OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c'))
    ORDER BY turn""")


def _folder() -> Path:
    """Return the library's folder of SQL; every command reads migrations, so none is imported."""
    found = find_spec("procrastinate")
    assert found is not None  # noqa: S101  (it is in the lock)
    assert found.origin is not None  # noqa: S101
    return Path(found.origin).parent / "sql"


def list_versions() -> list[str]:
    """Return the names of the library's files, in order."""
    return sorted(path.stem for path in (_folder() / "migrations").glob("*.sql"))


def create(connection: Connection) -> None:
    """Make the library's tables, types and functions in their schema, which is there and empty."""
    _run(connection, (_folder() / "schema.sql").read_text(encoding="utf-8"))
    _note_version(connection)


def upgrade(connection: Connection) -> None:
    """Apply every file of the library that the database does not have yet."""
    present = read_version(connection)
    for version in list_versions():
        if version > present:
            script = _folder() / "migrations" / f"{version}.sql"
            _run(connection, script.read_text(encoding="utf-8"))
    _note_version(connection)


def read_version(connection: Connection) -> str:
    """Return the last file that the database has; empty where there is no queue."""
    comment = connection.scalar(
        text("SELECT obj_description(to_regnamespace(:schema)::oid, 'pg_namespace')"),
        {"schema": SCHEMA},
    )
    return str(comment or "")


def drop(connection: Connection) -> None:
    """Drop all that `create` made; the schema stays, which set-up makes."""
    for statement in connection.scalars(_DROPS).all():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS NULL")


def _run(connection: Connection, script: str) -> None:
    """Run the library's statements, which name nothing by its schema."""
    connection.exec_driver_sql(f"SET LOCAL search_path TO {SCHEMA}")
    cursor: Any = connection.connection.cursor()
    cursor.execute(script)  # by the driver itself: no parameters, so % stays what it is
    cursor.close()
    connection.exec_driver_sql("SET LOCAL search_path TO DEFAULT")


def _note_version(connection: Connection) -> None:
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS '{list_versions()[-1]}'")
