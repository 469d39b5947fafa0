"""Run migrations on the connection that `gridsvc.setup` hands over."""

import importlib

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import text

from gridsvc.db import SCHEMA, Base

FEATURES = (
    *("throttle", "audit", "jobs", "access", "territory", "people", "incidents", "contacts"),
    *("patrols", "notices"),
)
for feature in FEATURES:
    importlib.import_module(f"gridsvc.{feature}.tables")
importlib.import_module("gridsvc.incidents.reporting.tables")

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _: kind != "schema" or name == SCHEMA,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
with context.begin_transaction():
    # A migration that waits for a lock blocks everybody behind it.
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    context.run_migrations()
