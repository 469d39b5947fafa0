"""The life of incidents: steps and their events, handlers, due times, parties and their links."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "incident_life"
down_revision = "notices"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
REPORT = "nullif(current_setting('app.report', true), '')::uuid"
STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
FIELD = f"{ROLE} IN ('coordinator', 'administrator', 'contact', 'patrol')"
OLD_STATUSES = "'reported', 'triaged', 'assigned', 'in_progress', 'resolved', 'verified', 'closed'"
STATUSES = (
    "'reported', 'triaged', 'assigned', 'in_progress', 'hung', 'resolved', 'verified',"
    " 'closed', 'duplicate', 'not_ours'"
)
STEPS = (
    "'report', 'triage', 'assign', 'start', 'answer', 'resolve', 'verify', 'refuse', 'close',"
    " 'reopen', 'mark_duplicate', 'not_ours', 'move', 'hang', 'resume', 'hand_back', 'escalate',"
    " 'note', 'follow'"
)
LEVELS = "'compound', 'community', 'street'"
MOMENT = postgresql.TIMESTAMP(timezone=True)
CHECKS = {
    "level": f"level IN ({LEVELS})",
    "resolved_level": f"resolved_level IN ({LEVELS})",
    "handler": "handler_account IS NULL OR handler_party IS NULL",
    "duplicate": "(status = 'duplicate') = (duplicate_of IS NOT NULL)",
}
INDEXES: dict[str, tuple[list[str], str]] = {
    "unassigned": (["reported_at"], "status IN ('reported', 'triaged')"),
    "unverified": (["resolved_at"], "status = 'resolved'"),
    "hung": (["reported_at"], "status = 'hung'"),
    "due": (["due_at"], "due_at IS NOT NULL"),
    "handler": (
        ["handler_account", "reported_at"],
        "handler_account IS NOT NULL AND closed_at IS NULL",
    ),
    "open": (["reported_at"], "closed_at IS NULL"),
    "rule": (["rule_at"], "rule_at IS NOT NULL"),
    "moving": ([], "moved_to_code IS NOT NULL AND moved_to IS NULL"),
    "duplicate": (["duplicate_of"], "duplicate_of IS NOT NULL"),
}
REFERENCES = {
    "nearest_stairwell_code": ("stairwell", "code"),
    "handler_party": ("party", "id"),
    "duplicate_of": ("incident", "id"),
}


def _maybe(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _needed(name: str, kind: Any, default: str | None = None) -> sa.Column[Any]:
    given = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=False, server_default=given)


def _key(table: str, column: str, target: str, named: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_code", column],
        [f"gridsvc.{target}.community_code", f"gridsvc.{target}.{named}"],
        name=op.f(f"{table}_community_code_{column}_fkey"),
    )


def _columns() -> tuple[sa.Column[Any], ...]:
    """Return the new columns of incidents, made anew: a column belongs to one statement."""
    return (
        _maybe("nearest_stairwell_code", sa.String()),
        _needed("version", sa.Integer(), "1"),
        _needed("level", sa.String(), "'compound'"),
        _maybe("handler_account", sa.Uuid()),
        _maybe("handler_party", sa.Uuid()),
        _maybe("due_at", MOMENT),
        _maybe("due_rule", sa.String()),
        _maybe("rule_at", MOMENT),
        _maybe("first_answer_at", MOMENT),
        _maybe("resolved_at", MOMENT),
        _maybe("resolved_by", sa.Uuid()),
        _maybe("resolved_level", sa.String()),
        _maybe("verified_at", MOMENT),
        _needed("reopened_count", sa.Integer(), "0"),
        _maybe("duplicate_of", sa.Uuid()),
        _maybe("moved_to_code", sa.BigInteger()),
        _maybe("moved_to", sa.Uuid()),
        _maybe("moved_from_code", sa.BigInteger()),
        _maybe("moved_from", sa.Uuid()),
    )


def upgrade() -> None:
    """Make parties, widen incidents, then make what refers to both."""
    op.add_column("category", _needed("rules", postgresql.JSONB(), "'{}'"), schema="gridsvc")
    _make_party()
    _widen_incident()
    _make_event()
    _make_link()
    for table, rights in (
        ("party", "SELECT, INSERT, UPDATE"),
        ("incident_event", "SELECT, INSERT"),
        ("party_link", "SELECT, INSERT, UPDATE"),
    ):
        _close(table, rights)
    _restrict("party", "role", "ALL", STAFF)
    # A reporter reads what is meant for them, and adds to the own report; so does a party by its
    # link. CASE, not OR: see the policies of incidents.
    of_report = f"{ROLE} = 'resident' AND incident_id = {REPORT}"
    _restrict(
        "incident_event",
        "role_read",
        "SELECT",
        f"CASE WHEN {FIELD} THEN true ELSE {of_report} AND is_public END",
    )
    _restrict(
        "incident_event", "role_add", "INSERT", f"CASE WHEN {FIELD} THEN true ELSE {of_report} END"
    )
    _restrict("party_link", "role", "ALL", f"CASE WHEN {STAFF} THEN true ELSE {of_report} END")
    own = f"{ROLE} = 'resident' AND id = {REPORT}"
    op.execute(
        "ALTER POLICY role_change ON gridsvc.incident"
        f" USING (CASE WHEN {FIELD} THEN true ELSE {own} END)"
    )
    # Where the last incident of a cell moves away, the cell goes.
    op.execute("GRANT DELETE ON gridsvc.heat_cell TO gridsvc_api")


def _make_party() -> None:
    op.create_table(
        "party",
        _needed("community_code", sa.BigInteger()),
        _needed("id", sa.Uuid()),
        _needed("name", sa.String()),
        _needed("kind", sa.String()),
        _maybe("email_cipher", sa.LargeBinary()),
        _needed("is_retired", sa.Boolean(), "false"),
        _needed("created_at", MOMENT, "now()"),
        sa.CheckConstraint(
            "kind IN ('property_company', 'bureau', 'utility', 'other')",
            name=op.f("party_kind_check"),
        ),
        sa.PrimaryKeyConstraint("community_code", "id", name="party_pkey"),
        schema="gridsvc",
    )


def _widen_incident() -> None:
    for column in _columns():
        op.add_column("incident", column, schema="gridsvc")
    _set_statuses(STATUSES)
    for name, rule in CHECKS.items():
        op.create_check_constraint(
            op.f(f"incident_{name}_check"), "incident", rule, schema="gridsvc"
        )
    for name, (target, named) in REFERENCES.items():
        op.create_foreign_key(
            op.f(f"incident_community_code_{name}_fkey"),
            "incident",
            target,
            ["community_code", name],
            ["community_code", named],
            source_schema="gridsvc",
            referent_schema="gridsvc",
        )
    for name, (keys, rule) in INDEXES.items():
        op.create_index(
            f"incident_{name}_idx",
            "incident",
            ["community_code", *keys, "id"],
            schema="gridsvc",
            postgresql_where=sa.text(rule),
        )


def _set_statuses(words: str) -> None:
    name = op.f("incident_status_check")
    op.drop_constraint(name, "incident", schema="gridsvc")
    op.create_check_constraint(name, "incident", f"status IN ({words})", schema="gridsvc")


def _make_event() -> None:
    table = "incident_event"
    op.create_table(
        table,
        _needed("community_code", sa.BigInteger()),
        _needed("id", sa.Uuid()),
        _needed("incident_id", sa.Uuid()),
        _needed("position", sa.Integer()),
        _needed("step", sa.String()),
        _maybe("status_before", sa.String()),
        _needed("status_after", sa.String()),
        _needed("at", MOMENT, "now()"),
        _maybe("actor_account", sa.Uuid()),
        _needed("actor_kind", sa.String()),
        _needed("note", sa.String(), "''"),
        _needed("is_public", sa.Boolean()),
        _needed("details", postgresql.JSONB(), "'{}'"),
        sa.CheckConstraint(f"step IN ({STEPS})", name=op.f(f"{table}_step_check")),
        sa.CheckConstraint(
            f"status_before IN ({STATUSES})", name=op.f(f"{table}_status_before_check")
        ),
        sa.CheckConstraint(
            f"status_after IN ({STATUSES})", name=op.f(f"{table}_status_after_check")
        ),
        sa.CheckConstraint(
            "(step = 'report') = (status_before IS NULL)", name=op.f(f"{table}_first_check")
        ),
        sa.CheckConstraint(
            "actor_kind IN ('account', 'party', 'reporter', 'rule')",
            name=op.f(f"{table}_actor_kind_check"),
        ),
        sa.CheckConstraint("char_length(note) <= 4000", name=op.f(f"{table}_note_check")),
        _key(table, "incident_id", "incident"),
        sa.PrimaryKeyConstraint("community_code", "id", name=f"{table}_pkey"),
        sa.UniqueConstraint(
            *("community_code", "incident_id", "position"),
            name=f"{table}_community_code_incident_id_position_key",
        ),
        schema="gridsvc",
    )


def _make_link() -> None:
    table = "party_link"
    op.create_table(
        table,
        _needed("community_code", sa.BigInteger()),
        _needed("token_hash", sa.LargeBinary()),
        _needed("incident_id", sa.Uuid()),
        _needed("party_id", sa.Uuid()),
        _needed("created_at", MOMENT, "now()"),
        _needed("expires_at", MOMENT),
        _maybe("used_at", MOMENT),
        _maybe("revoked_at", MOMENT),
        _key(table, "incident_id", "incident"),
        _key(table, "party_id", "party"),
        sa.PrimaryKeyConstraint("community_code", "token_hash", name=f"{table}_pkey"),
        schema="gridsvc",
    )
    op.create_index(
        "party_link_incident_idx", table, ["community_code", "incident_id"], schema="gridsvc"
    )


def _close(table: str, rights: str) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def _restrict(table: str, name: str, command: str, rule: str) -> None:
    parts = [f"USING ({rule})"] if command != "INSERT" else []
    parts += [f"WITH CHECK ({rule})"] if command != "SELECT" else []
    op.execute(
        f"CREATE POLICY {name} ON gridsvc.{table} AS RESTRICTIVE FOR {command} {' '.join(parts)}"
    )


def downgrade() -> None:
    """Forget steps and parties; what was hung counts as assigned, what had ended as closed."""
    op.execute("REVOKE DELETE ON gridsvc.heat_cell FROM gridsvc_api")
    op.execute(f"ALTER POLICY role_change ON gridsvc.incident USING ({FIELD})")
    for table in ("party_link", "incident_event"):
        op.drop_table(table, schema="gridsvc")
    for name in INDEXES:
        op.drop_index(f"incident_{name}_idx", "incident", schema="gridsvc")
    for column in REFERENCES:
        op.drop_constraint(
            op.f(f"incident_community_code_{column}_fkey"), "incident", schema="gridsvc"
        )
    for name in CHECKS:
        op.drop_constraint(op.f(f"incident_{name}_check"), "incident", schema="gridsvc")
    op.execute(
        "UPDATE gridsvc.incident SET status = CASE status WHEN 'hung' THEN 'assigned'"
        " ELSE 'closed' END WHERE status IN ('hung', 'duplicate', 'not_ours')"
    )
    _set_statuses(OLD_STATUSES)
    for added in _columns():
        op.drop_column("incident", added.name, schema="gridsvc")
    op.drop_table("party", schema="gridsvc")
    op.drop_column("category", "rules", schema="gridsvc")
