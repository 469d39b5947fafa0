"""Tables of territory, people, incidents, contacts, patrols and access."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "tables"
down_revision = None
branch_labels = None
depends_on = None

# The zoom-20 cell of the middle of a geometry's box, as geodata.heat computes it.
CELL_FUNCTIONS = (
    """
    CREATE FUNCTION gridsvc.cell_x(geom public.geometry) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT least(1048575, floor(
            ((public.ST_XMin(geom) + public.ST_XMax(geom)) / 2 + 180) / 360 * 1048576))::integer
    $$
    """,
    """
    CREATE FUNCTION gridsvc.cell_y(geom public.geometry) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT least(1048575, greatest(0, floor(
            (1 - asinh(tan(radians((public.ST_YMin(geom) + public.ST_YMax(geom)) / 2))) / pi())
            / 2 * 1048576)))::integer
    $$
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for function in CELL_FUNCTIONS:
        op.execute(function)
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "role IN ('resident', 'contact', 'patrol', 'coordinator', 'planner', 'administrator')",
            name=op.f("account_role_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("code_hash", name=op.f("account_code_hash_key")),
        schema="gridsvc",
    )
    op.create_table(
        "audit_event",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("audit_event_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "category",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["gridsvc.category.code"], name=op.f("category_parent_code_fkey")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("category_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "contact_plan",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("weights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("objective", sa.BigInteger(), nullable=False),
        sa.Column("bound", sa.Float(), nullable=False),
        sa.Column("overload_households", sa.Integer(), nullable=False),
        sa.Column("nearest_overload_households", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('proposed', 'applied', 'superseded')",
            name=op.f("contact_plan_status_check"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("contact_plan_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "contact_plan_run_idx",
        "contact_plan",
        ["community_code", "run_id"],
        unique=False,
        schema="gridsvc",
    )
    op.create_table(
        "heat_release",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("zoom", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("cell_x", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell_y", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("incident_count >= 5", name=op.f("heat_release_incident_count_check")),
        sa.PrimaryKeyConstraint(
            "community_code", "zoom", "cell_x", "cell_y", name=op.f("heat_release_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "heat_release_total",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("community_code", name=op.f("heat_release_total_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "idempotency_key",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "account_id", "key", name=op.f("idempotency_key_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "patrol_team",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="POINT", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("patrol_team_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "street",
        sa.Column("code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.CheckConstraint("code % 1000 = 0", name=op.f("street_code_check")),
        sa.PrimaryKeyConstraint("code", name=op.f("street_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "walkway",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column(
            "geom",
            Geometry(geometry_type="LINESTRING", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column(
            "cell_x",
            sa.Integer(),
            sa.Computed("gridsvc.cell_x(geom)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "cell_y",
            sa.Integer(),
            sa.Computed("gridsvc.cell_y(geom)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('street', 'residential', 'footpath', 'steps', 'service')",
            name=op.f("walkway_kind_check"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("walkway_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "walkway_cell_idx", "walkway", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_index(
        "walkway_geom_idx",
        "walkway",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_table(
        "account_scope",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("lo", sa.BigInteger(), nullable=False),
        sa.Column("hi", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("lo <= hi", name=op.f("account_scope_order_check")),
        sa.CheckConstraint("slot BETWEEN 1 AND 4", name=op.f("account_scope_slot_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["gridsvc.account.id"], name=op.f("account_scope_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("account_id", "slot", name=op.f("account_scope_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "community",
        sa.Column("code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("street_code", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("attribution", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.CheckConstraint(
            "code / 1000 * 1000 = street_code AND code % 1000 > 0",
            name=op.f("community_code_check"),
        ),
        sa.ForeignKeyConstraint(
            ["street_code"], ["gridsvc.street.code"], name=op.f("community_street_code_fkey")
        ),
        sa.CheckConstraint(
            "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name=op.f("community_geom_check")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("community_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "community_geom_idx",
        "community",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_table(
        "heat_cell",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("cell_x", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell_y", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("class_code", sa.String(), nullable=False),
        sa.Column("incident_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("incident_count > 0", name=op.f("heat_cell_incident_count_check")),
        sa.ForeignKeyConstraint(
            ["class_code"], ["gridsvc.category.code"], name=op.f("heat_cell_class_code_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "cell_x", "cell_y", "month", "class_code", name=op.f("heat_cell_pkey")
        ),
        schema="gridsvc",
    )
    op.create_index(
        "heat_cell_cell_idx", "heat_cell", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_table(
        "patrol_shift",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.literal_column("community_code"), "="),
            (sa.literal_column("team_id"), "="),
            (sa.literal_column("during"), "&&"),
            using="gist",
            name="patrol_shift_team_excl",
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "team_id"],
            ["gridsvc.patrol_team.community_code", "gridsvc.patrol_team.id"],
            name=op.f("patrol_shift_community_code_team_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("patrol_shift_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["gridsvc.account.id"], name=op.f("sign_in_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("sign_in_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "compound",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("built_year", sa.SmallInteger(), nullable=True),
        sa.Column(
            "is_demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column(
            "geom",
            Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("retired_reason", sa.String(), nullable=True),
        sa.Column("successor_code", sa.String(), nullable=True),
        sa.Column(
            "cell_x",
            sa.Integer(),
            sa.Computed("gridsvc.cell_x(geom)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "cell_y",
            sa.Integer(),
            sa.Computed("gridsvc.cell_y(geom)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "code ~ '^[0-9]{15}$' AND left(code, 12) = community_code::text",
            name=op.f("compound_code_check"),
        ),
        sa.CheckConstraint(
            "(retired_on IS NULL) = (retired_reason IS NULL)", name=op.f("compound_retired_check")
        ),
        sa.ForeignKeyConstraint(
            ["community_code"],
            ["gridsvc.community.code"],
            name=op.f("compound_community_code_fkey"),
        ),
        sa.CheckConstraint(
            "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name=op.f("compound_geom_check")
        ),
        sa.PrimaryKeyConstraint("community_code", "code", name=op.f("compound_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "compound_cell_idx", "compound", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_index(
        "compound_geom_idx",
        "compound",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_table(
        "patrol_route",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("walk_s", sa.Integer(), nullable=False),
        sa.Column("prize", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "geom",
            Geometry(geometry_type="LINESTRING", srid=4326, spatial_index=False),
            nullable=True,
        ),
        sa.CheckConstraint(
            "network IN ('streets', 'straight')", name=op.f("patrol_route_network_check")
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "shift_id"],
            ["gridsvc.patrol_shift.community_code", "gridsvc.patrol_shift.id"],
            name=op.f("patrol_route_community_code_shift_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("patrol_route_pkey")),
        sa.UniqueConstraint(
            "community_code", "shift_id", name=op.f("patrol_route_community_code_shift_id_key")
        ),
        schema="gridsvc",
    )
    op.create_index(
        "patrol_route_run_idx",
        "patrol_route",
        ["community_code", "run_id"],
        unique=False,
        schema="gridsvc",
    )
    op.create_table(
        "building",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("compound_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("levels", sa.SmallInteger(), nullable=True),
        sa.Column(
            "geom",
            Geometry(geometry_type="POLYGON", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("retired_reason", sa.String(), nullable=True),
        sa.Column("successor_code", sa.String(), nullable=True),
        sa.Column(
            "cell_x",
            sa.Integer(),
            sa.Computed("gridsvc.cell_x(geom)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "cell_y",
            sa.Integer(),
            sa.Computed("gridsvc.cell_y(geom)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "code ~ '^[0-9]{18}$' AND left(code, 12) = community_code::text",
            name=op.f("building_code_check"),
        ),
        sa.CheckConstraint("kind IN ('slab', 'tower', 'other')", name=op.f("building_kind_check")),
        sa.CheckConstraint(
            "(retired_on IS NULL) = (retired_reason IS NULL)", name=op.f("building_retired_check")
        ),
        sa.CheckConstraint("left(code, 15) = compound_code", name=op.f("building_parent_check")),
        sa.ForeignKeyConstraint(
            ["community_code", "compound_code"],
            ["gridsvc.compound.community_code", "gridsvc.compound.code"],
            name=op.f("building_community_code_compound_code_fkey"),
        ),
        sa.CheckConstraint(
            "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name=op.f("building_geom_check")
        ),
        sa.PrimaryKeyConstraint("community_code", "code", name=op.f("building_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "building_cell_idx", "building", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_index(
        "building_compound_idx",
        "building",
        ["community_code", "compound_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_index(
        "building_geom_idx",
        "building",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_table(
        "organisation",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("compound_code", sa.String(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('party_branch', 'mutual_aid_association', 'self_governance_group', 'chief_team', 'society')",
            name=op.f("organisation_kind_check"),
        ),
        sa.CheckConstraint("people >= 0", name=op.f("organisation_people_check")),
        sa.ForeignKeyConstraint(
            ["community_code", "compound_code"],
            ["gridsvc.compound.community_code", "gridsvc.compound.code"],
            name=op.f("organisation_community_code_compound_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("organisation_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "stairwell",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("building_code", sa.String(), nullable=False),
        sa.Column("compound_code", sa.String(), nullable=False),
        sa.Column("household_count", sa.Integer(), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="POLYGON", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("retired_reason", sa.String(), nullable=True),
        sa.Column("successor_code", sa.String(), nullable=True),
        sa.Column(
            "cell_x",
            sa.Integer(),
            sa.Computed("gridsvc.cell_x(geom)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "cell_y",
            sa.Integer(),
            sa.Computed("gridsvc.cell_y(geom)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "code ~ '^[0-9]{20}$' AND left(code, 12) = community_code::text",
            name=op.f("stairwell_code_check"),
        ),
        sa.CheckConstraint(
            "(retired_on IS NULL) = (retired_reason IS NULL)", name=op.f("stairwell_retired_check")
        ),
        sa.CheckConstraint("household_count >= 0", name=op.f("stairwell_household_count_check")),
        sa.CheckConstraint(
            "left(code, 18) = building_code AND left(code, 15) = compound_code",
            name=op.f("stairwell_parent_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "building_code"],
            ["gridsvc.building.community_code", "gridsvc.building.code"],
            name=op.f("stairwell_community_code_building_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "compound_code"],
            ["gridsvc.compound.community_code", "gridsvc.compound.code"],
            name=op.f("stairwell_community_code_compound_code_fkey"),
        ),
        sa.CheckConstraint(
            "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name=op.f("stairwell_geom_check")
        ),
        sa.PrimaryKeyConstraint("community_code", "code", name=op.f("stairwell_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "stairwell_building_idx",
        "stairwell",
        ["community_code", "building_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_index(
        "stairwell_cell_idx", "stairwell", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_index(
        "stairwell_compound_idx",
        "stairwell",
        ["community_code", "compound_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_index(
        "stairwell_geom_idx",
        "stairwell",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_table(
        "incident",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("category_code", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reported_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("stairwell_code", sa.String(), nullable=True),
        sa.Column("compound_code", sa.String(), nullable=True),
        sa.Column("is_flagged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="POINT", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column(
            "cell_x",
            sa.Integer(),
            sa.Computed("gridsvc.cell_x(geom)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "cell_y",
            sa.Integer(),
            sa.Computed("gridsvc.cell_y(geom)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(place = 'stairwell') = (stairwell_code IS NOT NULL) AND (place IN ('stairwell', 'compound')) = (compound_code IS NOT NULL) AND (place = 'outside') = (community_code % 1000 = 0)",
            name=op.f("incident_place_code_check"),
        ),
        sa.CheckConstraint(
            "place IN ('stairwell', 'compound', 'community', 'outside')",
            name=op.f("incident_place_check"),
        ),
        sa.CheckConstraint(
            "status IN ('reported', 'triaged', 'assigned', 'in_progress', 'resolved', 'verified', 'closed')",
            name=op.f("incident_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["category_code"], ["gridsvc.category.code"], name=op.f("incident_category_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "compound_code"],
            ["gridsvc.compound.community_code", "gridsvc.compound.code"],
            name=op.f("incident_community_code_compound_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("incident_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("incident_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "incident_cell_idx", "incident", ["cell_x", "cell_y"], unique=False, schema="gridsvc"
    )
    op.create_index(
        "incident_geom_idx",
        "incident",
        ["geom"],
        unique=False,
        schema="gridsvc",
        postgresql_using="gist",
    )
    op.create_index(
        "incident_reported_idx",
        "incident",
        ["community_code", "reported_at", "id"],
        unique=False,
        schema="gridsvc",
    )
    op.create_index(
        "incident_stairwell_idx",
        "incident",
        ["community_code", "stairwell_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_table(
        "member",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("home_stairwell_code", sa.String(), nullable=True),
        sa.Column("reported_in_on", sa.Date(), nullable=True),
        sa.Column("capacity_households", sa.Integer(), nullable=False),
        sa.Column("capacity_stairwells", sa.SmallInteger(), nullable=False),
        sa.Column("is_available", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="POINT", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.CheckConstraint(
            "capacity_households >= 0 AND capacity_stairwells >= 0",
            name=op.f("member_capacity_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "home_stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("member_community_code_home_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("member_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "member_home_idx",
        "member",
        ["community_code", "home_stairwell_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_table(
        "patrol_left_out",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stairwell_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("prize", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "reason IN ('no_team', 'unreachable', 'too_far', 'window', 'traded')",
            name=op.f("patrol_left_out_reason_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("patrol_left_out_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "run_id", "stairwell_code", name=op.f("patrol_left_out_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "patrol_stop",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stairwell_code", sa.String(), nullable=False),
        sa.Column("prize", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("arrives_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("departs_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "geom",
            Geometry(geometry_type="POINT", srid=4326, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "route_id"],
            ["gridsvc.patrol_route.community_code", "gridsvc.patrol_route.id"],
            name=op.f("patrol_stop_community_code_route_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("patrol_stop_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "route_id", "position", name=op.f("patrol_stop_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "contact",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stairwell_code", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.literal_column("community_code"), "="),
            (sa.literal_column("stairwell_code"), "="),
            (sa.literal_column("valid"), "&&"),
            where=sa.text("kind = 'lead'"),
            using="gist",
            name="contact_lead_excl",
        ),
        sa.CheckConstraint("kind IN ('lead', 'supporting')", name=op.f("contact_kind_check")),
        sa.CheckConstraint("NOT isempty(valid)", name=op.f("contact_valid_check")),
        sa.ForeignKeyConstraint(
            ["community_code", "member_id"],
            ["gridsvc.member.community_code", "gridsvc.member.id"],
            name=op.f("contact_community_code_member_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "plan_id"],
            ["gridsvc.contact_plan.community_code", "gridsvc.contact_plan.id"],
            name=op.f("contact_community_code_plan_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("contact_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("contact_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "contact_member_idx",
        "contact",
        ["community_code", "member_id"],
        unique=False,
        schema="gridsvc",
    )
    op.create_index(
        "contact_stairwell_idx",
        "contact",
        ["community_code", "stairwell_code"],
        unique=False,
        schema="gridsvc",
    )
    op.create_table(
        "contact_plan_line",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("stairwell_code", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('own_stairwell', 'own_building', 'own_compound', 'near', 'far', 'no_candidate', 'all_unavailable', 'excluded', 'full')",
            name=op.f("contact_plan_line_reason_check"),
        ),
        sa.CheckConstraint(
            "(member_id IS NULL) = (distance_m IS NULL)",
            name=op.f("contact_plan_line_member_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "member_id"],
            ["gridsvc.member.community_code", "gridsvc.member.id"],
            name=op.f("contact_plan_line_community_code_member_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "plan_id"],
            ["gridsvc.contact_plan.community_code", "gridsvc.contact_plan.id"],
            name=op.f("contact_plan_line_community_code_plan_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("contact_plan_line_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "plan_id", "stairwell_code", name=op.f("contact_plan_line_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "member_affiliation",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("affiliation", sa.String(), nullable=False),
        sa.CheckConstraint(
            "affiliation IN ('party_member', 'league_member', 'masses')",
            name=op.f("member_affiliation_affiliation_check"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "member_id"],
            ["gridsvc.member.community_code", "gridsvc.member.id"],
            name=op.f("member_affiliation_community_code_member_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "community_code", "member_id", name=op.f("member_affiliation_pkey")
        ),
        schema="gridsvc",
    )
    op.create_table(
        "member_identity",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_code", "member_id"],
            ["gridsvc.member.community_code", "gridsvc.member.id"],
            name=op.f("member_identity_community_code_member_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "member_id", name=op.f("member_identity_pkey")),
        schema="gridsvc",
    )
    op.create_table(
        "post",
        sa.Column("community_code", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("compound_code", sa.String(), nullable=True),
        sa.Column("building_code", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('building_chief', 'lane_chief', 'street_chief')", name=op.f("post_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "building_code"],
            ["gridsvc.building.community_code", "gridsvc.building.code"],
            name=op.f("post_community_code_building_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "compound_code"],
            ["gridsvc.compound.community_code", "gridsvc.compound.code"],
            name=op.f("post_community_code_compound_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "member_id"],
            ["gridsvc.member.community_code", "gridsvc.member.id"],
            name=op.f("post_community_code_member_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name=op.f("post_pkey")),
        schema="gridsvc",
    )
    op.create_index(
        "post_member_idx", "post", ["community_code", "member_id"], unique=False, schema="gridsvc"
    )


# In the order in which foreign keys let them go.
TABLES = (
    "post",
    "member_identity",
    "member_affiliation",
    "contact_plan_line",
    "contact",
    "patrol_stop",
    "patrol_left_out",
    "member",
    "incident",
    "stairwell",
    "organisation",
    "building",
    "patrol_route",
    "compound",
    "sign_in",
    "patrol_shift",
    "heat_cell",
    "community",
    "account_scope",
    "walkway",
    "street",
    "patrol_team",
    "idempotency_key",
    "heat_release_total",
    "heat_release",
    "contact_plan",
    "category",
    "audit_event",
    "account",
)


def downgrade() -> None:
    """Drop the tables, and with them everything that was loaded."""
    for table in TABLES:
        op.drop_table(table, schema="gridsvc")
    op.execute("DROP FUNCTION gridsvc.cell_x(public.geometry)")
    op.execute("DROP FUNCTION gridsvc.cell_y(public.geometry)")
