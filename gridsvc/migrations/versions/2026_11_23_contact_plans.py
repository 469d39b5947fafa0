"""Contact plans that are reviewed line by line: decisions, supporting contacts, pins, covers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "contact_plans"
down_revision = "jobs"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
STAFF = "current_setting('app.role', true) IN ('coordinator', 'administrator')"
# New table: what the API role may do; staff alone may see rows.
FACTS = {
    "contact_plan_support": "SELECT, INSERT, UPDATE, DELETE",
    "contact_pin": "SELECT, INSERT, UPDATE, DELETE",
}
TIERS = "'own_stairwell', 'own_building', 'own_compound', 'near', 'far'"
# Table and name of a check, and what it says.
CHECKS = {
    ("contact_plan", "kind"): "kind IN ('full', 'hand_over')",
    ("contact_plan", "days"): "until > day",
    ("contact_plan", "budget"): "change_at_most >= 0",
    ("contact_plan_line", "change"): (
        "change IN ('kept', 'new', 'handed_over', 'ended', 'uncovered')"
    ),
    ("contact_plan_line", "decision"): (
        "decision IN ('open', 'accepted', 'overridden', 'rejected')"
    ),
    ("contact_plan_line", "chosen"): (
        "(decision = 'overridden') = (chosen_member_id IS NOT NULL)"
        " AND (chosen_member_id IS NULL) = (chosen_tier IS NULL)"
        " AND (chosen_member_id IS NULL) = (chosen_distance_m IS NULL)"
    ),
    ("contact_plan_line", "chosen_tier"): f"chosen_tier IN ({TIERS})",
    ("contact", "households"): "households > 0",
    ("contact", "cover"): "NOT (is_cover AND upper_inf(valid))",
}
NEW_COLUMNS = {
    "contact_plan": (
        *("kind", "version", "reviewed_at", "day", "until", "change_at_most", "short_households"),
        *("notes", "facts_hash"),
    ),
    "contact_plan_line": (
        *("change", "decision", "former_member_id", "chosen_member_id", "chosen_tier"),
        *("chosen_distance_m", "exclusion_id", "household_count", "outline_hash"),
        "has_new_support",
    ),
    "contact": ("households", "is_cover"),
}
STATUSES = "'proposed', 'reviewed', 'applied', 'superseded', 'withdrawn'"


def _column(name: str, kind: Any, default: str | None = None) -> sa.Column[Any]:
    """Return a column that may be null unless it has a default."""
    given = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=default is None, server_default=given)


def _needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _key(table: str, columns: list[str], target: str, named: list[str]) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_code", *columns],
        [f"gridsvc.{target}.community_code", *(f"gridsvc.{target}.{name}" for name in named)],
        name=op.f(f"{table}_community_code_{'_'.join(columns)}_fkey"),
    )


def upgrade() -> None:
    """Widen plans, lines and contacts, and make the two tables beside them."""
    _widen_plan()
    _widen_line()
    op.add_column("contact", _column("households", sa.Integer()), schema="gridsvc")
    op.add_column("contact", _column("is_cover", sa.Boolean(), "false"), schema="gridsvc")
    for (table, name), rule in CHECKS.items():
        op.create_check_constraint(op.f(f"{table}_{name}_check"), table, rule, schema="gridsvc")
    op.create_exclude_constraint(
        "contact_supporting_excl",
        "contact",
        *((name, "=") for name in ("community_code", "stairwell_code", "member_id")),
        ("valid", "&&"),
        where=sa.text("kind = 'supporting'"),
        using="gist",
        schema="gridsvc",
    )
    _make_support()
    _make_pin()
    for table, rights in FACTS.items():
        _close(table, rights)
    op.execute("GRANT UPDATE ON gridsvc.contact_plan_line TO gridsvc_api")
    # A contact who would have begun today or later was never in force for a whole day.
    op.execute("GRANT DELETE ON gridsvc.contact TO gridsvc_api")


def _widen_plan() -> None:
    for column in (
        _column("kind", sa.String(), "'full'"),
        _column("version", sa.Integer(), "1"),
        _column("reviewed_at", postgresql.TIMESTAMP(timezone=True)),
        _column("day", sa.Date(), "current_date"),
        _column("until", sa.Date()),
        _column("change_at_most", sa.Integer()),
        _column("short_households", sa.Integer(), "0"),
        _column("notes", postgresql.JSONB(), "'{}'"),
        _column("facts_hash", sa.String()),
    ):
        op.add_column("contact_plan", column, schema="gridsvc")
    _set_statuses(STATUSES)


def _set_statuses(words: str) -> None:
    name = op.f("contact_plan_status_check")
    op.drop_constraint(name, "contact_plan", schema="gridsvc")
    op.create_check_constraint(name, "contact_plan", f"status IN ({words})", schema="gridsvc")


def _widen_line() -> None:
    for column in (
        _column("change", sa.String(), "'kept'"),
        _column("decision", sa.String(), "'open'"),
        _column("former_member_id", sa.Uuid()),
        _column("chosen_member_id", sa.Uuid()),
        _column("chosen_tier", sa.String()),
        _column("chosen_distance_m", sa.Integer()),
        _column("exclusion_id", sa.Uuid()),
        _column("household_count", sa.Integer(), "0"),
        _column("outline_hash", sa.String()),
        _column("has_new_support", sa.Boolean(), "false"),
    ):
        op.add_column("contact_plan_line", column, schema="gridsvc")
    for name in ("former_member_id", "chosen_member_id"):
        op.create_foreign_key(
            op.f(f"contact_plan_line_community_code_{name}_fkey"),
            "contact_plan_line",
            "member",
            ["community_code", name],
            ["community_code", "id"],
            source_schema="gridsvc",
            referent_schema="gridsvc",
        )
    # What was applied had been accepted as a whole.
    op.execute(
        "UPDATE gridsvc.contact_plan_line l SET decision = 'accepted' FROM gridsvc.contact_plan p"
        " WHERE p.community_code = l.community_code AND p.id = l.plan_id"
        " AND p.status <> 'proposed'"
    )


def _make_support() -> None:
    table = "contact_plan_support"
    op.create_table(
        table,
        _needed("community_code", sa.BigInteger()),
        _needed("plan_id", sa.Uuid()),
        _needed("stairwell_code", sa.String()),
        _needed("member_id", sa.Uuid()),
        _needed("households", sa.Integer()),
        _needed("reason", sa.String()),
        _needed("distance_m", sa.Integer()),
        sa.CheckConstraint("households > 0", name=op.f(f"{table}_households_check")),
        sa.CheckConstraint(f"reason IN ({TIERS})", name=op.f(f"{table}_reason_check")),
        _key(
            table,
            ["plan_id", "stairwell_code"],
            "contact_plan_line",
            ["plan_id", "stairwell_code"],
        ),
        _key(table, ["member_id"], "member", ["id"]),
        sa.PrimaryKeyConstraint(
            *("community_code", "plan_id", "stairwell_code", "member_id"), name=f"{table}_pkey"
        ),
        schema="gridsvc",
    )


def _make_pin() -> None:
    op.create_table(
        "contact_pin",
        _needed("community_code", sa.BigInteger()),
        _needed("stairwell_code", sa.String()),
        _needed("member_id", sa.Uuid()),
        _column("plan_id", sa.Uuid()),
        _column("pinned_at", postgresql.TIMESTAMP(timezone=True), "now()"),
        _key("contact_pin", ["stairwell_code"], "stairwell", ["code"]),
        _key("contact_pin", ["member_id"], "member", ["id"]),
        _key("contact_pin", ["plan_id"], "contact_plan", ["id"]),
        sa.PrimaryKeyConstraint("community_code", "stairwell_code", name="contact_pin_pkey"),
        schema="gridsvc",
    )


def _close(table: str, rights: str) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    op.execute(
        f"CREATE POLICY role ON gridsvc.{table} AS RESTRICTIVE USING ({STAFF}) WITH CHECK ({STAFF})"
    )
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def downgrade() -> None:
    """Forget decisions, pins and supporting lines; what is under review counts as proposed."""
    op.execute("REVOKE DELETE ON gridsvc.contact FROM gridsvc_api")
    op.execute("REVOKE UPDATE ON gridsvc.contact_plan_line FROM gridsvc_api")
    for table in reversed(FACTS):
        op.drop_table(table, schema="gridsvc")
    op.drop_constraint("contact_supporting_excl", "contact", schema="gridsvc")
    for table, name in CHECKS:
        op.drop_constraint(op.f(f"{table}_{name}_check"), table, schema="gridsvc")
    op.execute(
        "UPDATE gridsvc.contact_plan SET status = CASE status WHEN 'reviewed' THEN 'proposed'"
        " WHEN 'withdrawn' THEN 'superseded' ELSE status END"
    )
    _set_statuses("'proposed', 'applied', 'superseded'")
    for table, names in NEW_COLUMNS.items():
        for name in names:
            op.drop_column(table, name, schema="gridsvc")
