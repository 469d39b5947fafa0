"""Members as offices keep them: home, branch, skills, absences, hours, exclusions, consent, terms."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "members"
down_revision = "territory_history"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
PERSON = "nullif(current_setting('app.person', true), '')::uuid"
STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
OWN = f"CASE WHEN {STAFF} THEN true ELSE member_id = {PERSON} END"
OWN_ROW = OWN.replace("member_id", "id")
WRITE = ("INSERT", "UPDATE", "DELETE")
# Seen by staff and the member, written by staff.
OWN_FACTS = ("member_absence", "member_hours", "member_consent")
# Why somebody must not be the contact of a neighbour tells about the neighbour, too: staff only.
STAFF_FACTS = ("contact_exclusion",)
# What jobs alone could load until now, staff write: (commands, who sees rows).
EDITED = {
    "member": (("INSERT", "UPDATE"), OWN_ROW),
    "member_identity": (WRITE, OWN),
    "member_affiliation": (WRITE, OWN),
    "post": (WRITE, OWN),
}
# Rights on single columns, which go with those on the whole table.
FOLLOWING = {"member": "home_stairwell_code", "post": "building_code, compound_code"}


def _code() -> sa.Column[object]:
    return sa.Column("community_code", sa.BigInteger(), nullable=False)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _date(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _member_key(table: str, column: str = "member_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_code", column],
        ["gridsvc.member.community_code", "gridsvc.member.id"],
        name=op.f(f"{table}_community_code_{column}_fkey"),
    )


def upgrade() -> None:
    """Widen members and posts, make the tables beside them, let staff write all of them."""
    _widen_member()
    _widen_post()
    _make_absences()
    _make_hours()
    _make_consents()
    _make_exclusions()
    for table in (*OWN_FACTS, *STAFF_FACTS):
        _close(table)
    for table in OWN_FACTS:
        _let_staff_write(table, WRITE, OWN)
    for table in STAFF_FACTS:
        op.execute(
            f"CREATE POLICY role ON gridsvc.{table} AS RESTRICTIVE USING ({STAFF})"
            f" WITH CHECK ({STAFF})"
        )
    for table, (commands, readers) in EDITED.items():
        op.execute(f"DROP POLICY role ON gridsvc.{table}")
        op.execute(f"GRANT {', '.join(commands)} ON gridsvc.{table} TO gridsvc_api")
        _let_staff_write(table, commands, readers)
    # Until now, whoever was written down had agreed by reporting in, on paper.
    op.execute(
        "INSERT INTO gridsvc.member_consent (community_code, id, member_id, given_on, basis)"
        " SELECT community_code, gen_random_uuid(), id, coalesce(reported_in_on, current_date),"
        " 'carried_over' FROM gridsvc.member WHERE erased_at IS NULL"
    )


def _widen_member() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        _text("home_building_code", nullable=True),
        _id("branch_id", nullable=True),
        *(
            sa.Column(
                name, postgresql.ARRAY(sa.String()), nullable=False, server_default=sa.text("'{}'")
            )
            for name in ("skills", "dialects")
        ),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        _id("merged_into_id", nullable=True),
    )
    for column in columns:
        op.add_column("member", column, schema="gridsvc")
    op.create_foreign_key(
        op.f("member_community_code_home_building_code_fkey"),
        "member",
        "building",
        ["community_code", "home_building_code"],
        ["community_code", "code"],
        source_schema="gridsvc",
        referent_schema="gridsvc",
    )
    op.create_foreign_key(
        op.f("member_community_code_branch_id_fkey"),
        "member",
        "organisation",
        ["community_code", "branch_id"],
        ["community_code", "id"],
        source_schema="gridsvc",
        referent_schema="gridsvc",
    )
    op.create_check_constraint(
        op.f("member_home_check"),
        "member",
        "home_stairwell_code IS NULL OR home_building_code IS NULL",
        schema="gridsvc",
    )
    op.create_check_constraint(
        op.f("member_merged_check"),
        "member",
        "merged_into_id IS NULL OR erased_at IS NOT NULL",
        schema="gridsvc",
    )


def _widen_post() -> None:
    op.add_column(
        "post",
        sa.Column(
            "valid",
            postgresql.DATERANGE(),
            nullable=False,
            server_default=sa.text("'(,)'::daterange"),
        ),
        schema="gridsvc",
    )
    op.add_column("post", _text("place_name", nullable=True), schema="gridsvc")
    op.create_check_constraint(
        op.f("post_valid_check"), "post", "NOT isempty(valid)", schema="gridsvc"
    )


def _make_absences() -> None:
    op.create_table(
        "member_absence",
        *(_code(), _id("id"), _id("member_id")),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        _text("kind"),
        sa.CheckConstraint(
            "kind IN ('leave', 'moved', 'ill', 'other')", name=op.f("member_absence_kind_check")
        ),
        sa.CheckConstraint(
            "NOT isempty(valid) AND NOT lower_inf(valid)", name=op.f("member_absence_valid_check")
        ),
        _member_key("member_absence"),
        sa.PrimaryKeyConstraint("community_code", "id", name="member_absence_pkey"),
        schema="gridsvc",
    )
    op.create_index(
        "member_absence_member_idx",
        "member_absence",
        ["community_code", "member_id"],
        schema="gridsvc",
    )


def _make_hours() -> None:
    op.create_table(
        "member_hours",
        *(_code(), _id("member_id")),
        *(
            sa.Column(name, sa.SmallInteger(), nullable=False)
            for name in ("weekday", "from_minute", "to_minute")
        ),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("member_hours_weekday_check")),
        sa.CheckConstraint(
            "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440",
            name=op.f("member_hours_minutes_check"),
        ),
        _member_key("member_hours"),
        sa.PrimaryKeyConstraint(
            "community_code", "member_id", "weekday", "from_minute", name="member_hours_pkey"
        ),
        schema="gridsvc",
    )


def _make_consents() -> None:
    op.create_table(
        "member_consent",
        *(_code(), _id("id"), _id("member_id")),
        *(_date("given_on"), _date("withdrawn_on", nullable=True), _text("basis")),
        sa.CheckConstraint(
            "basis IN ('given', 'carried_over')", name=op.f("member_consent_basis_check")
        ),
        sa.CheckConstraint("given_on <= withdrawn_on", name=op.f("member_consent_order_check")),
        postgresql.ExcludeConstraint(
            (sa.literal_column("community_code"), "="),
            (sa.literal_column("member_id"), "="),
            (sa.literal_column("daterange(given_on, withdrawn_on)"), "&&"),
            name="member_consent_excl",
            using="gist",
        ),
        _member_key("member_consent"),
        sa.PrimaryKeyConstraint("community_code", "id", name="member_consent_pkey"),
        schema="gridsvc",
    )


def _make_exclusions() -> None:
    op.create_table(
        "contact_exclusion",
        *(_code(), _id("id"), _id("member_id")),
        *(_text("stairwell_code", nullable=True), _id("other_member_id", nullable=True)),
        *(_text("reason"), _date("since"), _date("until", nullable=True)),
        sa.CheckConstraint(
            "(stairwell_code IS NULL) <> (other_member_id IS NULL)",
            name=op.f("contact_exclusion_subject_check"),
        ),
        sa.CheckConstraint(
            "member_id <> other_member_id", name=op.f("contact_exclusion_other_check")
        ),
        sa.CheckConstraint("since < until", name=op.f("contact_exclusion_order_check")),
        _member_key("contact_exclusion"),
        _member_key("contact_exclusion", "other_member_id"),
        sa.ForeignKeyConstraint(
            ["community_code", "stairwell_code"],
            ["gridsvc.stairwell.community_code", "gridsvc.stairwell.code"],
            name=op.f("contact_exclusion_community_code_stairwell_code_fkey"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name="contact_exclusion_pkey"),
        schema="gridsvc",
    )
    for name, column in (("member", "member_id"), ("other", "other_member_id")):
        op.create_index(
            f"contact_exclusion_{name}_idx",
            "contact_exclusion",
            ["community_code", column],
            schema="gridsvc",
        )


def _close(table: str) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def _let_staff_write(table: str, commands: tuple[str, ...], readers: str) -> None:
    op.execute(
        f"CREATE POLICY role_read ON gridsvc.{table} AS RESTRICTIVE FOR SELECT USING ({readers})"
    )
    for command in commands:
        clause = "WITH CHECK" if command == "INSERT" else "USING"
        op.execute(
            f"CREATE POLICY role_{command.lower()} ON gridsvc.{table} AS RESTRICTIVE"
            f" FOR {command} {clause} ({STAFF})"
        )


def downgrade() -> None:
    """Forget what members added; homes of whole buildings stay as their points."""
    for table in (*STAFF_FACTS, *OWN_FACTS):
        op.drop_table(table, schema="gridsvc")
    for table, (commands, readers) in EDITED.items():
        for command in ("READ", *commands):
            op.execute(f"DROP POLICY role_{command.lower()} ON gridsvc.{table}")
        op.execute(f"REVOKE {', '.join(commands)} ON gridsvc.{table} FROM gridsvc_api")
        op.execute(
            f"CREATE POLICY role ON gridsvc.{table} AS RESTRICTIVE"
            f" USING ({readers}) WITH CHECK ({readers})"
        )
    for table, columns in FOLLOWING.items():
        op.execute(f"GRANT UPDATE ({columns}) ON gridsvc.{table} TO gridsvc_api")
    for name in ("home", "merged"):
        op.drop_constraint(op.f(f"member_{name}_check"), "member", schema="gridsvc")
    for name in (
        *("home_building_code", "branch_id", "skills", "dialects", "version", "merged_into_id"),
    ):
        op.drop_column("member", name, schema="gridsvc")
    op.drop_constraint(op.f("post_valid_check"), "post", schema="gridsvc")
    for name in ("valid", "place_name"):
        op.drop_column("post", name, schema="gridsvc")
