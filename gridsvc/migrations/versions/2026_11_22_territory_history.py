"""Territory that is imported, corrected and kept: versions, lineage, staged imports, told counts."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "territory_history"
down_revision = "incident_plans"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
GRIDS = ("compound", "building", "stairwell")
VERSIONS = tuple(f"{grid}_version" for grid in GRIDS)
# New table: (what the API role may do, who may see rows at all, who may write them)
FACTS = {
    **dict.fromkeys(VERSIONS, ("SELECT, INSERT", None, STAFF)),
    "grid_lineage": ("SELECT, INSERT", None, STAFF),
    "territory_import": (
        "SELECT, INSERT, UPDATE, DELETE",
        *(f"{ROLE} = 'administrator'", None),
    ),
    "imported_feature": (
        "SELECT, INSERT, UPDATE, DELETE",
        *(f"{ROLE} = 'administrator'", None),
    ),
}
FOLLOWING = {
    "member": "home_stairwell_code",
    "post": "building_code, compound_code",
    "organisation": "compound_code",
}
# What is told of the households of a stairwell and a compound is kept beside the count, by
# gridsvc/territory/sql/tell_households.sql: a view could not use its spatial index under a window.
TELL = """
    UPDATE gridsvc.stairwell SET told_household_count = told.household_count FROM (
        SELECT community_code, code,
               CASE WHEN household_count BETWEEN 1 AND 4 OR any_small AND household_count = smallest
                    THEN NULL ELSE household_count END AS household_count
        FROM (
            SELECT community_code, code, household_count,
                   bool_or(household_count BETWEEN 1 AND 4) OVER compound AS any_small,
                   min(household_count) FILTER (WHERE household_count >= 5) OVER compound
                       AS smallest
            FROM gridsvc.stairwell WHERE retired_on IS NULL
            WINDOW compound AS (PARTITION BY community_code, compound_code)
        ) stairwell
    ) told
    WHERE stairwell.community_code = told.community_code AND stairwell.code = told.code"""
TELL_OF_COMPOUNDS = """
    UPDATE gridsvc.compound SET told_household_count = told.household_count FROM (
        SELECT community_code, code,
               CASE WHEN household_count BETWEEN 1 AND 4 OR any_small AND household_count = smallest
                    THEN NULL ELSE household_count END AS household_count
        FROM (
            SELECT community_code, code, household_count,
                   bool_or(household_count BETWEEN 1 AND 4) OVER community AS any_small,
                   min(household_count) FILTER (WHERE household_count >= 5) OVER community
                       AS smallest
            FROM (
                SELECT c.community_code, c.code,
                       coalesce(sum(s.household_count), 0) AS household_count
                FROM gridsvc.compound c
                LEFT JOIN gridsvc.stairwell s
                  ON s.community_code = c.community_code AND s.compound_code = c.code
                 AND s.retired_on IS NULL
                WHERE c.retired_on IS NULL
                GROUP BY c.community_code, c.code
            ) total
            WINDOW community AS (PARTITION BY community_code)
        ) compound
    ) told
    WHERE compound.community_code = told.community_code AND compound.code = told.code"""
VIEWS = {
    # Communities are a reference table, which no policy guards.
    "communities": f"""
        SELECT code, name, attribution, geom FROM gridsvc.community
        WHERE {TERRITORY.replace("community_code", "code")}""",
    "heat": """
        SELECT community_code, zoom || '/' || cell_x || '/' || cell_y || '/' || community_code AS id,
               zoom, incident_count,
               ST_Transform(ST_TileEnvelope(zoom, cell_x, cell_y), 4326)::geometry(Polygon, 4326)
                   AS geom
        FROM gridsvc.heat_release""",
    "compounds": """
        SELECT community_code, code, name, built_year, is_demonstration,
               told_household_count AS household_count, geom
        FROM gridsvc.compound WHERE retired_on IS NULL""",
    "buildings": """
        SELECT community_code, code, compound_code, name, kind, levels, geom
        FROM gridsvc.building WHERE retired_on IS NULL""",
    "stairwells": """
        SELECT community_code, code, compound_code, building_code, name,
               told_household_count AS household_count, geom
        FROM gridsvc.stairwell WHERE retired_on IS NULL""",
}
FORMER_VIEWS = {
    "communities": "SELECT code, name, attribution, geom FROM gridsvc.community",
    "compounds": """
        SELECT community_code, code, name, built_year, is_demonstration, geom
        FROM gridsvc.compound WHERE retired_on IS NULL""",
    "buildings": VIEWS["buildings"],
    "stairwells": """
        SELECT community_code, code, compound_code, building_code, name,
               CASE WHEN household_count >= 5 THEN household_count END AS household_count, geom
        FROM gridsvc.stairwell WHERE retired_on IS NULL""",
}


def _code() -> sa.Column[object]:
    return sa.Column("community_code", sa.BigInteger(), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(
        name, postgresql.TIMESTAMP(timezone=True), nullable=nullable, server_default=default
    )


def _date(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _count(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _geom(kind: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column("geom", Geometry(kind, srid=4326, spatial_index=False), nullable=nullable)


# What a version keeps beside its code, name and time.
SHAPES: dict[str, Callable[[], tuple[sa.Column[Any], ...]]] = {
    "compound": lambda: (
        sa.Column("built_year", sa.SmallInteger(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        _count("told_household_count"),
        _geom("MULTIPOLYGON"),
    ),
    "building": lambda: (
        _text("compound_code"),
        _text("kind"),
        sa.Column("levels", sa.SmallInteger(), nullable=True),
        _geom("POLYGON"),
    ),
    "stairwell": lambda: (
        *(_text("building_code"), _text("compound_code")),
        _count("household_count", nullable=False),
        _count("told_household_count"),
        _geom("POLYGON"),
    ),
}


def upgrade() -> None:
    """Give every grid a version and a first day; keep what it was, and what it came from."""
    for name in FORMER_VIEWS:
        op.execute(f"DROP VIEW planner.{name}")
    for grid in GRIDS:
        _date_grids(grid)
        _make_version_table(grid)
    for grid in ("compound", "stairwell"):
        op.add_column(grid, _count("told_household_count"), schema="gridsvc")
    op.execute(TELL)
    op.execute(TELL_OF_COMPOUNDS)
    _make_lineage()
    _make_imports()
    for table, rights in FACTS.items():
        _close(table, *rights)
    for grid in GRIDS:
        op.execute(f"GRANT INSERT, UPDATE ON gridsvc.{grid} TO gridsvc_api")
        _let_staff_write(grid, "INSERT", "UPDATE")
    # Where somebody lives or holds a post follows a grid that is split or merged.
    for table, columns in FOLLOWING.items():
        op.execute(f"GRANT UPDATE ({columns}) ON gridsvc.{table} TO gridsvc_api")
    _let_staff_write("organisation", "UPDATE")  # others than staff see the rows, too
    _make_views(VIEWS)
    op.execute("GRANT SELECT ON gridsvc.heat_release TO gridsvc_catalog")


def _date_grids(grid: str) -> None:
    op.drop_column(grid, "successor_code", schema="gridsvc")
    op.add_column(
        grid,
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        schema="gridsvc",
    )
    op.add_column(
        grid,
        sa.Column("valid_from", sa.Date(), nullable=False, server_default=sa.text("current_date")),
        schema="gridsvc",
    )
    op.create_check_constraint(
        op.f(f"{grid}_lived_check"),
        grid,
        "version > 0 AND (retired_on IS NULL OR retired_on >= valid_from)",
        schema="gridsvc",
    )


def _make_version_table(grid: str) -> None:
    op.create_table(
        f"{grid}_version",
        _code(),
        _text("code"),
        sa.Column("version", sa.Integer(), nullable=False),
        *(_text("name"), _date("valid_from"), _date("valid_to"), _text("reason")),
        *SHAPES[grid](),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f(f"{grid}_version_order_check")),
        sa.ForeignKeyConstraint(
            ["community_code", "code"],
            [f"gridsvc.{grid}.community_code", f"gridsvc.{grid}.code"],
            name=op.f(f"{grid}_version_community_code_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "code", "version", name=f"{grid}_version_pkey"),
        schema="gridsvc",
    )
    op.create_index(
        f"{grid}_version_geom_idx",
        f"{grid}_version",
        ["geom"],
        postgresql_using="gist",
        schema="gridsvc",
    )


def _make_lineage() -> None:
    op.create_table(
        "grid_lineage",
        _code(),
        *(_text("predecessor_code"), _text("successor_code"), _text("kind"), _date("happened_on")),
        sa.Column("share", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('split', 'merge', 'move')", name=op.f("grid_lineage_kind_check")
        ),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("grid_lineage_share_check")),
        sa.PrimaryKeyConstraint(
            "community_code", "predecessor_code", "successor_code", name="grid_lineage_pkey"
        ),
        schema="gridsvc",
    )
    op.create_index(
        "grid_lineage_successor_idx",
        "grid_lineage",
        ["community_code", "successor_code"],
        schema="gridsvc",
    )


def _make_imports() -> None:
    op.create_table(
        "territory_import",
        _code(),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(_text("layer"), _text("file_name"), _text("format"), _text("crs_name"), _text("status")),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("notes", postgresql.JSONB(), nullable=False),
        sa.Column("entrances", postgresql.JSONB(), nullable=True),
        _count("row_count", nullable=False),
        _date("valid_from"),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        *(_moment("created_at", is_now=True), _moment("applied_at", nullable=True)),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "layer IN ('compounds', 'buildings', 'stairwells', 'households')",
            name=op.f("territory_import_layer_check"),
        ),
        sa.CheckConstraint(
            "status IN ('staging', 'staged', 'applied', 'discarded')",
            name=op.f("territory_import_status_check"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name="territory_import_pkey"),
        schema="gridsvc",
    )
    op.create_table(
        "imported_feature",
        _code(),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        *(_text("code", nullable=True), _text("parent_code", nullable=True)),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        _geom("GEOMETRY", nullable=True),
        *(_text(name, nullable=True) for name in ("outcome", "reason", "reason_zh")),
        sa.CheckConstraint(
            "outcome IN ('added', 'changed', 'same', 'rejected')",
            name=op.f("imported_feature_outcome_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "import_id"],
            ["gridsvc.territory_import.community_code", "gridsvc.territory_import.id"],
            name=op.f("imported_feature_community_code_import_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "import_id", "row", name="imported_feature_pkey"),
        schema="gridsvc",
    )


def _close(table: str, rights: str, readers: str | None, writers: str | None) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    if readers:
        op.execute(
            f"CREATE POLICY role ON gridsvc.{table} AS RESTRICTIVE"
            f" USING ({readers}) WITH CHECK ({readers})"
        )
    if writers:
        _let_staff_write(table, "INSERT")
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def _let_staff_write(table: str, *commands: str) -> None:
    for command in commands:
        clause = "WITH CHECK" if command == "INSERT" else "USING"
        op.execute(
            f"CREATE POLICY role_{command.lower()} ON gridsvc.{table} AS RESTRICTIVE"
            f" FOR {command} {clause} ({STAFF})"
        )


def _make_views(views: dict[str, str]) -> None:
    for name, query in views.items():
        op.execute(f"CREATE VIEW planner.{name} WITH (security_invoker = true) AS {query}")
        op.execute(f"GRANT SELECT ON planner.{name} TO gridsvc_api, gridsvc_catalog, gridsvc_job")


def downgrade() -> None:
    """Forget versions, lineage and imports; the grids stay as they are now."""
    for name in VIEWS:
        op.execute(f"DROP VIEW planner.{name}")
    op.execute("REVOKE SELECT ON gridsvc.heat_release FROM gridsvc_catalog")
    for table in ("imported_feature", "territory_import", "grid_lineage", *VERSIONS):
        op.drop_table(table, schema="gridsvc")
    for grid in ("compound", "stairwell"):
        op.drop_column(grid, "told_household_count", schema="gridsvc")
    for grid in GRIDS:
        for command in ("insert", "update"):
            op.execute(f"DROP POLICY role_{command} ON gridsvc.{grid}")
        op.execute(f"REVOKE INSERT, UPDATE ON gridsvc.{grid} FROM gridsvc_api")
        op.drop_constraint(op.f(f"{grid}_lived_check"), grid, schema="gridsvc")
        for column in ("version", "valid_from"):
            op.drop_column(grid, column, schema="gridsvc")
        op.add_column(grid, _text("successor_code", nullable=True), schema="gridsvc")
    op.execute("DROP POLICY role_update ON gridsvc.organisation")
    for table, columns in FOLLOWING.items():
        op.execute(f"REVOKE UPDATE ({columns}) ON gridsvc.{table} FROM gridsvc_api")
    _make_views(FORMER_VIEWS)
