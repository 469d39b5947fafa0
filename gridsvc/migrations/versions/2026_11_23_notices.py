"""Notices: the outbox, deliveries and their tries, channels, inboxes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "notices"
down_revision = "contact_plans"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
ACCOUNT = "nullif(current_setting('app.account', true), '')::uuid"
STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
ADMINISTRATOR = f"{ROLE} = 'administrator'"
OWN = f"account_id = {ACCOUNT}"
CHANGES = "status, attempt_count, outcome, next_at, ended_at"
# Whoever changes something may say so, residents too, without reading it back.
# Table: what the API role may do; who may see rows, and change them.
FACTS: dict[str, tuple[str, dict[str, str]]] = {
    "notice_channel": (
        "SELECT, INSERT, UPDATE, DELETE",
        {"role": f"USING ({ADMINISTRATOR}) WITH CHECK ({ADMINISTRATOR})"},
    ),
    "notice": ("SELECT, INSERT", {"role_read": f"FOR SELECT USING ({STAFF})"}),
    "notice_delivery": (
        f"SELECT, INSERT, UPDATE ({CHANGES})",
        {
            "role_read": f"FOR SELECT USING ({STAFF})",
            "role_change": f"FOR UPDATE USING ({STAFF})",
        },
    ),
    "notice_attempt": ("SELECT", {"role": f"USING ({ADMINISTRATOR})"}),
    "inbox_entry": (
        "SELECT, INSERT, UPDATE (read_at)",
        {"own_read": f"FOR SELECT USING ({OWN})", "own_change": f"FOR UPDATE USING ({OWN})"},
    ),
}
KINDS = "kind IN ('wecom', 'dingtalk', 'feishu', 'webhook', 'email', 'copy')"
LANGUAGES = "language IN ('zh', 'en')"
MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the tables, closed but for who may."""
    _make_channel()
    _make_notice()
    _make_delivery()
    _make_attempt()
    _make_inbox()
    for table, (rights, policies) in FACTS.items():
        _close(table, rights, policies)


def _needed(name: str, kind: Any, default: str | None = None) -> sa.Column[Any]:
    given = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=False, server_default=given)


def _key() -> tuple[sa.Column[Any], ...]:
    return _needed("community_code", sa.BigInteger()), _needed("id", sa.Uuid())


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"{table}_{name}_check"))


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_code", column],
        [f"gridsvc.{target}.community_code", f"gridsvc.{target}.id"],
        name=op.f(f"{table}_community_code_{column}_fkey"),
    )


def _make(table: str, *parts: Any) -> None:
    key = sa.PrimaryKeyConstraint("community_code", "id", name=op.f(f"{table}_pkey"))
    op.create_table(table, *_key(), *parts, key, schema="gridsvc")


def _make_channel() -> None:
    table = "notice_channel"
    _make(
        table,
        *(_needed(name, sa.String()) for name in ("kind", "name", "place_code")),
        _needed("language", sa.String(), "'zh'"),
        sa.Column("address_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("secret_cipher", sa.LargeBinary(), nullable=True),
        _needed("host", sa.String(), "''"),
        _needed("is_on", sa.Boolean(), "true"),
        _needed("created_at", MOMENT, "now()"),
        _check(table, "kind", KINDS),
        _check(table, "language", LANGUAGES),
        _check(table, "address", "(kind = 'copy') = (address_cipher IS NULL)"),
        _check(
            table,
            "place",
            "place_code ~ '^([0-9]{12}|[0-9]{15}|[0-9]{20})$'"
            " AND left(place_code, 12)::bigint = community_code",
        ),
    )
    columns = ["community_code", "place_code"]
    op.create_index("notice_channel_place_idx", table, columns, schema="gridsvc")


def _make_notice() -> None:
    _make(
        "notice",
        _needed("template", sa.String()),
        _needed("category", sa.String(), "''"),
        _needed("values", postgresql.JSONB()),
        _needed("subject", sa.String()),
        sa.Column("place_code", sa.String(), nullable=True),
        _needed("created_at", MOMENT, "now()"),
    )
    columns = ["community_code", "created_at", "id"]
    op.create_index("notice_newest_idx", "notice", columns, schema="gridsvc")


def _make_delivery() -> None:
    table = "notice_delivery"
    _make(
        table,
        _needed("notice_id", sa.Uuid()),
        _needed("kind", sa.String()),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        _needed("channel_name", sa.String(), "''"),
        _needed("language", sa.String(), "'zh'"),
        sa.Column("address_cipher", sa.LargeBinary(), nullable=True),
        _needed("status", sa.String(), "'waiting'"),
        _needed("attempt_count", sa.Integer(), "0"),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("next_at", MOMENT, nullable=True),
        _needed("created_at", MOMENT, "now()"),
        sa.Column("ended_at", MOMENT, nullable=True),
        _refers(table, "notice_id", "notice"),
        _check(table, "kind", KINDS),
        _check(table, "language", LANGUAGES),
        _check(table, "status", "status IN ('waiting', 'sent', 'dead', 'to_copy', 'copied')"),
        _check(table, "ended", "(status IN ('waiting', 'to_copy')) = (ended_at IS NULL)"),
        _check(table, "count", "attempt_count >= 0"),
    )
    for name, columns in (
        ("newest", ["community_code", "status", "created_at", "id"]),
        ("notice", ["community_code", "notice_id"]),
    ):
        op.create_index(f"{table}_{name}_idx", table, columns, schema="gridsvc")


def _make_attempt() -> None:
    table = "notice_attempt"
    _make(
        table,
        _needed("delivery_id", sa.Uuid()),
        _needed("number", sa.Integer()),
        _needed("at", MOMENT, "now()"),
        _needed("outcome", sa.String()),
        sa.Column("status", sa.Integer(), nullable=True),
        _needed("took_ms", sa.Integer()),
        _refers(table, "delivery_id", "notice_delivery"),
    )
    columns = ["community_code", "delivery_id", "number"]
    op.create_index("notice_attempt_delivery_idx", table, columns, schema="gridsvc")


def _make_inbox() -> None:
    table = "inbox_entry"
    _make(
        table,
        _needed("account_id", sa.Uuid()),
        _needed("template", sa.String()),
        _needed("category", sa.String(), "''"),
        _needed("values", postgresql.JSONB()),
        _needed("subject", sa.String()),
        _needed("created_at", MOMENT, "now()"),
        sa.Column("read_at", MOMENT, nullable=True),
    )
    columns = ["account_id", "created_at", "id"]
    op.create_index("inbox_entry_newest_idx", table, columns, schema="gridsvc")
    op.create_index(
        "inbox_entry_unread_idx",
        table,
        ["account_id"],
        schema="gridsvc",
        postgresql_where=sa.text("read_at IS NULL"),
    )


def _close(table: str, rights: str, policies: dict[str, str]) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    for name, rule in policies.items():
        op.execute(f"CREATE POLICY {name} ON gridsvc.{table} AS RESTRICTIVE {rule}")
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def downgrade() -> None:
    """Forget every notice, and the channels."""
    for table in (
        *("inbox_entry", "notice_attempt", "notice_delivery", "notice"),
        "notice_channel",
    ):
        op.drop_table(table, schema="gridsvc")
