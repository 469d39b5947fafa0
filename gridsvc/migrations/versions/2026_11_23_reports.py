"""Reports without an account: how they are followed, what is said of them later, and photos."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "reports"
down_revision = "incident_life"
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


def _own(role: str) -> str:
    """Return who may: those of a role, and whoever follows this very report by its link."""
    return f"CASE WHEN {role} THEN true ELSE {ROLE} = 'resident' AND incident_id = {REPORT} END"


# New table: what the API role may do, and who may see rows at all.
FACTS = {
    "report": ("SELECT, INSERT, UPDATE", _own(STAFF)),
    "photo": ("SELECT, INSERT, DELETE", _own(FIELD)),
    "published_photo": ("SELECT, INSERT, DELETE", None),
}
SEEN_BEFORE = f"CASE WHEN {FIELD} THEN true ELSE {ROLE} = 'resident' AND id = {REPORT} END"
SEEN = f"CASE WHEN {FIELD} THEN true ELSE {ROLE} = 'resident' AND (id = {REPORT} OR is_public) END"


def upgrade() -> None:
    """Mark incidents that everybody may see, and make the tables of reports."""
    op.add_column(
        "incident",
        sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        schema="gridsvc",
    )
    op.execute(
        "UPDATE gridsvc.incident i SET is_public = true FROM gridsvc.category c"
        " WHERE c.code = i.category_code AND c.is_public"
    )
    op.execute("DROP POLICY role_read ON gridsvc.incident")
    op.execute(
        f"CREATE POLICY role_read ON gridsvc.incident AS RESTRICTIVE FOR SELECT USING ({SEEN})"
    )
    _make_report()
    _make_photo()
    _make_published_photo()
    for table, (rights, readers) in FACTS.items():
        _close(table, rights, readers)
    for command, rule in (("INSERT", "WITH CHECK"), ("DELETE", "USING")):
        op.execute(
            f"CREATE POLICY staff_{command.lower()} ON gridsvc.published_photo AS RESTRICTIVE"
            f" FOR {command} {rule} ({STAFF})"
        )


def _needed(name: str, kind: Any, default: str | None = None) -> sa.Column[Any]:
    given = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=False, server_default=given)


def _moment(name: str) -> sa.Column[Any]:
    return _needed(name, postgresql.TIMESTAMP(timezone=True), "now()")


def _of_incident(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_code", "incident_id"],
        ["gridsvc.incident.community_code", "gridsvc.incident.id"],
        name=op.f(f"{table}_community_code_incident_id_fkey"),
    )


def _make_report() -> None:
    op.create_table(
        "report",
        _needed("community_code", sa.BigInteger()),
        _needed("incident_id", sa.Uuid()),
        _needed("token_hash", sa.LargeBinary()),
        _needed("token_cipher", sa.LargeBinary()),
        sa.Column("email_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(), nullable=True),
        _needed("request_hash", sa.LargeBinary()),
        _needed("language", sa.String()),
        _needed("entry", sa.String()),
        _moment("created_at"),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("report_language_check")),
        sa.CheckConstraint("entry IN ('page', 'api')", name=op.f("report_entry_check")),
        _of_incident("report"),
        sa.PrimaryKeyConstraint("community_code", "incident_id", name="report_pkey"),
        schema="gridsvc",
    )


def _make_photo() -> None:
    op.create_table(
        "photo",
        _needed("community_code", sa.BigInteger()),
        _needed("id", sa.Uuid()),
        _needed("incident_id", sa.Uuid()),
        _needed("position", sa.SmallInteger()),
        _needed("image", sa.LargeBinary()),
        _needed("thumbnail", sa.LargeBinary()),
        _needed("width_px", sa.Integer()),
        _needed("height_px", sa.Integer()),
        _needed("source_hash", sa.LargeBinary()),
        _moment("created_at"),
        sa.CheckConstraint("position BETWEEN 1 AND 5", name=op.f("photo_position_check")),
        sa.CheckConstraint("octet_length(image) <= 4000000", name=op.f("photo_image_check")),
        _of_incident("photo"),
        sa.PrimaryKeyConstraint("community_code", "id", name="photo_pkey"),
        sa.UniqueConstraint(
            *("community_code", "incident_id", "position"),
            name=op.f("photo_community_code_incident_id_position_key"),
        ),
        schema="gridsvc",
    )
    op.create_index("photo_id_idx", "photo", ["id"], schema="gridsvc")


def _make_published_photo() -> None:
    op.create_table(
        "published_photo",
        _needed("community_code", sa.BigInteger()),
        _needed("photo_id", sa.Uuid()),
        _needed("incident_id", sa.Uuid()),
        _needed("image", sa.LargeBinary()),
        _needed("thumbnail", sa.LargeBinary()),
        _needed("blurred_count", sa.SmallInteger()),
        _needed("published_by", sa.Uuid()),
        _moment("published_at"),
        sa.ForeignKeyConstraint(
            ["community_code", "photo_id"],
            ["gridsvc.photo.community_code", "gridsvc.photo.id"],
            name=op.f("published_photo_community_code_photo_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("community_code", "photo_id", name="published_photo_pkey"),
        schema="gridsvc",
    )
    op.create_index(
        "published_photo_incident_idx",
        "published_photo",
        ["community_code", "incident_id"],
        schema="gridsvc",
    )
    # Compressed already: PostgreSQL need not try.
    for table in ("photo", "published_photo"):
        for column in ("image", "thumbnail"):
            op.execute(f"ALTER TABLE gridsvc.{table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _close(table: str, rights: str, readers: str | None) -> None:
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
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    op.execute(f"GRANT ALL ON gridsvc.{table} TO gridsvc_job")
    op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_backup")


def downgrade() -> None:
    """Forget who follows what, and every photo; the incidents stay."""
    for table in reversed(FACTS):
        op.drop_table(table, schema="gridsvc")
    op.execute("DROP POLICY role_read ON gridsvc.incident")
    op.execute(
        "CREATE POLICY role_read ON gridsvc.incident AS RESTRICTIVE FOR SELECT"
        f" USING ({SEEN_BEFORE})"
    )
    op.drop_column("incident", "is_public", schema="gridsvc")
