"""Accounts with passwords, second factors, devices, keys, single sign-on; throttle; erasure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "accounts"
down_revision = "planner_views"
branch_labels = None
depends_on = None

ROLE = "current_setting('app.role', true)"
PATROL = f"{ROLE} IN ('coordinator', 'administrator', 'patrol')"
FIELD = f"{ROLE} IN ('coordinator', 'administrator', 'contact', 'patrol')"
# A household contact does not need the patrols' routes. (Heat cells stay: a report adds to them.)
NOT_FOR_CONTACTS = (
    *("patrol_team", "patrol_shift", "patrol_route", "patrol_stop", "patrol_left_out"),
)
# What the API role may do; accounts are never deleted but by the job that erases a person.
RIGHTS = {
    "account": "INSERT, UPDATE",
    "account_scope": "INSERT, DELETE",
    "development_code": "SELECT",
    "sign_in": "UPDATE",
    "device": "SELECT, INSERT, UPDATE",
    "device_token": "SELECT, INSERT, UPDATE, DELETE",
    "invitation": "SELECT, INSERT, UPDATE",
    "api_key": "SELECT, INSERT, UPDATE",
    "sso_identity": "SELECT, INSERT, DELETE",
    "sso_attempt": "SELECT, INSERT, DELETE",
    "throttle": "SELECT, INSERT, UPDATE, DELETE",
}
NEW_TABLES = tuple(
    table for table in RIGHTS if table not in {"account", "account_scope", "sign_in"}
)


def _moment(name: str, *, nullable: bool = False, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(
        name, postgresql.TIMESTAMP(timezone=True), nullable=nullable, server_default=default
    )


def _id(name: str = "id") -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _account() -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return _id("account_id"), sa.ForeignKeyConstraint(["account_id"], ["gridsvc.account.id"])


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def upgrade() -> None:
    """Change the account, add the tables, grant what each needs, and shut out contacts."""
    _change_accounts()
    _make_tables()
    op.add_column("member", _moment("erased_at", nullable=True), schema="gridsvc")
    op.create_index(
        "audit_event_at_idx", "audit_event", ["community_code", "at", "id"], schema="gridsvc"
    )
    op.create_index(
        "audit_event_subject_idx", "audit_event", ["community_code", "subject"], schema="gridsvc"
    )
    for table, rights in RIGHTS.items():
        op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    for table in NEW_TABLES:
        op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
        op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")
    for table in NOT_FOR_CONTACTS:
        op.execute(f"ALTER POLICY role ON gridsvc.{table} USING ({PATROL}) WITH CHECK ({PATROL})")


def _change_accounts() -> None:
    # Sign-ins and development accounts are made anew by whoever needs them.
    for table in ("sign_in", "account_scope", "account"):
        op.execute(f"DELETE FROM gridsvc.{table}")
    op.drop_constraint("account_code_hash_key", "account", schema="gridsvc")
    op.drop_column("account", "code_hash", schema="gridsvc")
    for column in (
        _text("login"),
        sa.Column("office_code", sa.BigInteger(), nullable=False),
        _moment("created_at", is_now=True),
        _text("password_hash", nullable=True),
        _bytes("totp_cipher", nullable=True),
        sa.Column(
            "totp_is_confirmed", sa.Boolean(), nullable=False, server_default=sa.text("false")
        ),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
    ):
        op.add_column("account", column, schema="gridsvc")
    op.create_unique_constraint("account_login_key", "account", ["login"], schema="gridsvc")
    op.create_check_constraint(
        op.f("account_login_check"), "account", "login = lower(login)", schema="gridsvc"
    )
    for name in ("office_code", "person_id"):
        op.create_index(f"account_{name}_idx", "account", [name], schema="gridsvc")


def _make_tables() -> None:
    op.create_table(
        "development_code",
        *_account(),
        _bytes("code_hash"),
        sa.PrimaryKeyConstraint("account_id"),
        sa.UniqueConstraint("code_hash", name="development_code_code_hash_key"),
        schema="gridsvc",
    )
    op.create_table(
        "device",
        _id(),
        *_account(),
        _text("name"),
        _moment("created_at", is_now=True),
        _moment("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="gridsvc",
    )
    op.create_table(
        "device_token",
        _bytes("token_hash"),
        _id("device_id"),
        sa.ForeignKeyConstraint(["device_id"], ["gridsvc.device.id"]),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _bytes("repeat_hash", nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        schema="gridsvc",
    )
    for column in (
        _id(),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False, server_default=sa.text("'full'")),
        _text("client", nullable=True),
        _moment("created_at", is_now=True),
        _moment("used_at", is_now=True),
    ):
        op.add_column("sign_in", column, schema="gridsvc")
    op.create_unique_constraint("sign_in_id_key", "sign_in", ["id"], schema="gridsvc")
    op.create_foreign_key(
        "sign_in_device_id_fkey",
        *("sign_in", "device", ["device_id"], ["id"]),
        source_schema="gridsvc",
        referent_schema="gridsvc",
    )
    op.create_check_constraint(
        op.f("sign_in_stage_check"),
        "sign_in",
        "stage IN ('full', 'second_factor')",
        schema="gridsvc",
    )
    op.create_table(
        "invitation",
        _id(),
        *_account(),
        _bytes("code_hash"),
        _moment("created_at", is_now=True),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash", name="invitation_code_hash_key"),
        schema="gridsvc",
    )
    op.create_table(
        "api_key",
        _text("id"),
        *_account(),
        _text("name"),
        _bytes("secret_hash"),
        sa.Column("lo", sa.BigInteger(), nullable=False),
        sa.Column("hi", sa.BigInteger(), nullable=False),
        _moment("created_at", is_now=True),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.CheckConstraint("lo <= hi", name=op.f("api_key_order_check")),
        sa.PrimaryKeyConstraint("id"),
        schema="gridsvc",
    )
    op.create_table(
        "sso_identity",
        _text("issuer"),
        _text("subject"),
        *_account(),
        sa.PrimaryKeyConstraint("issuer", "subject"),
        schema="gridsvc",
    )
    op.create_table(
        "sso_attempt",
        *(_bytes("state_hash"), _bytes("browser_hash")),
        *(_text("nonce"), _text("code_verifier"), _text("goal")),
        _bytes("invitation_hash", nullable=True),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("state_hash"),
        schema="gridsvc",
    )
    op.create_table(
        "throttle",
        _bytes("key_hash"),
        sa.Column("tries", sa.Integer(), nullable=False),
        _moment("free_at"),
        _moment("tried_at", is_now=True),
        sa.PrimaryKeyConstraint("key_hash"),
        schema="gridsvc",
        prefixes=["UNLOGGED"],
    )
    for table in ("device", "sign_in", "invitation", "api_key", "sso_identity"):
        op.create_index(f"{table}_account_id_idx", table, ["account_id"], schema="gridsvc")
    for table in ("device_token", "sign_in"):
        op.create_index(f"{table}_device_id_idx", table, ["device_id"], schema="gridsvc")


def downgrade() -> None:
    """Open to contacts again, drop the tables, and give the account its code back."""
    for table in NOT_FOR_CONTACTS:
        op.execute(f"ALTER POLICY role ON gridsvc.{table} USING ({FIELD}) WITH CHECK ({FIELD})")
    op.drop_index("audit_event_subject_idx", "audit_event", schema="gridsvc")
    op.drop_index("audit_event_at_idx", "audit_event", schema="gridsvc")
    op.drop_column("member", "erased_at", schema="gridsvc")
    for name in ("id", "device_id", "stage", "client", "created_at", "used_at"):
        op.drop_column("sign_in", name, schema="gridsvc")
    op.drop_index("sign_in_account_id_idx", "sign_in", schema="gridsvc")
    for table in ("device_token", *(table for table in NEW_TABLES if table != "device_token")):
        op.drop_table(table, schema="gridsvc")
    for table in ("sign_in", "account_scope", "account"):
        op.execute(f"DELETE FROM gridsvc.{table}")
    for name in (
        *("login", "office_code", "created_at", "password_hash", "totp_cipher"),
        *("totp_is_confirmed", "totp_last_step"),
    ):
        op.drop_column("account", name, schema="gridsvc")
    op.drop_index("account_person_id_idx", "account", schema="gridsvc")
    op.add_column("account", _bytes("code_hash"), schema="gridsvc")
    op.create_unique_constraint("account_code_hash_key", "account", ["code_hash"], schema="gridsvc")
    for table in ("account", "account_scope", "sign_in"):
        op.execute(f"REVOKE {RIGHTS[table]} ON gridsvc.{table} FROM gridsvc_api")
