"""Migrations lead from nothing to the tables of the code, back, and forth again."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import Column, Connection, Integer, MetaData, Table, text

from gridsvc import setup
from gridsvc.db import SCHEMA, Base
from gridsvc.incidents import tables as incident_tables
from tests.databases import Clone

pytestmark = pytest.mark.db

_OBJECTS = text("""
    SELECT concat(c.relkind, ' ', c.oid::regclass) AS object FROM pg_class c
    WHERE c.relnamespace::regnamespace::text IN ('gridsvc', 'planner')
      AND c.relname NOT LIKE 'alembic_version%'
    UNION ALL SELECT concat('policy ', tablename, ' ', policyname) FROM pg_policies
    UNION ALL SELECT concat('function ', p.oid::regprocedure) FROM pg_proc p
              WHERE p.pronamespace = 'gridsvc'::regnamespace
    UNION ALL SELECT concat('right ', c.oid::regclass, ' ', a.grantee::regrole, ' ',
                            a.privilege_type)
              FROM pg_class c, lateral aclexplode(c.relacl) a
              WHERE c.relnamespace::regnamespace::text IN ('gridsvc', 'planner')
                AND c.relname <> 'alembic_version' AND a.grantee <> c.relowner
    ORDER BY object""")


def objects(connection: Connection) -> list[str]:
    return list(connection.scalars(_OBJECTS))


def migrate(clone: Clone, revision: str) -> list[str]:
    with clone.root.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {setup.OWNER}"))
        setup.migrate(connection, revision)
    with clone.root.connect() as connection:
        return objects(connection)


def differences(clone: Clone, metadata: MetaData) -> list[object]:
    with clone.root.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                "include_object": alembic_helpers.include_object,
                "version_table_schema": SCHEMA,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        return list(compare_metadata(context, metadata))


def test_the_way_back_leaves_nothing_and_the_way_forth_makes_the_same(database: Clone) -> None:
    with database.root.connect() as connection:
        first = objects(connection)
    assert "r gridsvc.incident" in first
    assert "policy incident territory" in first
    assert "right gridsvc.incident gridsvc_api SELECT" in first
    assert migrate(database, "base") == []
    assert migrate(database, "head") == first


def test_tables_and_migrations_agree(empty_database: Clone) -> None:
    assert incident_tables.IncidentRow.metadata is Base.metadata
    assert differences(empty_database, Base.metadata) == []


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE gridsvc.patrol_left_out",
        "ALTER TABLE gridsvc.member DROP COLUMN is_available",
        "ALTER TABLE gridsvc.incident ALTER summary DROP NOT NULL",
        "ALTER TABLE gridsvc.heat_cell ALTER incident_count TYPE bigint",
        "DROP INDEX gridsvc.incident_geom_idx",
    ],
)
def test_a_table_that_the_code_does_not_describe_is_noticed(database: Clone, change: str) -> None:
    database.run(change)
    assert len(differences(database, Base.metadata)) == 1


def test_a_table_that_no_migration_makes_is_noticed(empty_database: Clone) -> None:
    metadata = MetaData(schema=SCHEMA, naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata)
    Table("bench", metadata, Column("id", Integer, primary_key=True))
    assert len(differences(empty_database, metadata)) == 1
