"""The queue's tables are those of the locked library, and can follow a newer one."""

import pytest
from sqlalchemy import Connection, text

from gridsvc.jobs import queue_schema
from tests.databases import Clone

pytestmark = pytest.mark.db

_OBJECTS = text("""
    SELECT relkind::text || ' ' || relname FROM pg_class
    WHERE relnamespace = 'procrastinate'::regnamespace
    UNION ALL SELECT 'function ' || oid::regprocedure || md5(prosrc) FROM pg_proc
    WHERE pronamespace = 'procrastinate'::regnamespace
    UNION ALL SELECT 'type ' || typname FROM pg_type
    WHERE typnamespace = 'procrastinate'::regnamespace AND typtype IN ('e', 'c')
    ORDER BY 1""")


def objects(connection: Connection) -> list[str]:
    return list(connection.scalars(_OBJECTS))


def test_the_database_has_the_schema_of_the_locked_library(empty_database: Clone) -> None:
    """When this fails the library was raised: see the module for what to do."""
    assert queue_schema.list_versions()[-1] == queue_schema.VERSION
    with empty_database.root.connect() as connection:
        assert queue_schema.read_version(connection) == queue_schema.VERSION


def test_the_way_back_leaves_an_empty_schema_and_the_way_forth_makes_the_same(
    empty_database: Clone,
) -> None:
    with empty_database.root.connect() as connection, connection.begin() as scratch:
        before = objects(connection)
        assert "r procrastinate_jobs" in before
        queue_schema.drop(connection)
        assert (objects(connection), queue_schema.read_version(connection)) == ([], "")
        queue_schema.create(connection)
        assert objects(connection) == before
        scratch.rollback()


def test_files_of_a_newer_library_are_applied_once(empty_database: Clone) -> None:
    """A database as the version before made it, which lacks what the last file brings."""
    brought = "procrastinate_trigger_function_status_events_update_v1"
    before, last = queue_schema.list_versions()[-2:]
    with empty_database.root.connect() as connection, connection.begin() as scratch:
        connection.execute(text(f"DROP FUNCTION procrastinate.{brought} CASCADE"))
        connection.execute(text(f"COMMENT ON SCHEMA procrastinate IS '{before}'"))
        assert not any(brought in one for one in objects(connection))
        queue_schema.upgrade(connection)
        made = objects(connection)
        assert any(brought in one for one in made)
        assert queue_schema.read_version(connection) == last
        queue_schema.upgrade(connection)
        assert objects(connection) == made
        scratch.rollback()
