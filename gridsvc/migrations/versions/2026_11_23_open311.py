"""Incidents that everybody may see are marked, and a resident sees them."""

import sqlalchemy as sa
from alembic import op

revision = "open311"
down_revision = "incident_life"
branch_labels = None
depends_on = None

ROLE = "current_setting('app.role', true)"
REPORT = "nullif(current_setting('app.report', true), '')::uuid"
FIELD = f"{ROLE} IN ('coordinator', 'administrator', 'contact', 'patrol')"
SEEN_BEFORE = f"CASE WHEN {FIELD} THEN true ELSE {ROLE} = 'resident' AND id = {REPORT} END"
SEEN = f"CASE WHEN {FIELD} THEN true ELSE {ROLE} = 'resident' AND (id = {REPORT} OR is_public) END"


def upgrade() -> None:
    """Mark by category: a policy reads no other table."""
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column(
        "incident",
        sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        schema="gridsvc",
    )
    op.execute(
        "UPDATE gridsvc.incident i SET is_public = true FROM gridsvc.category c"
        " WHERE c.code = i.category_code AND c.is_public"
    )
    op.execute(f"ALTER POLICY role_read ON gridsvc.incident USING ({SEEN})")


def downgrade() -> None:
    """Let a resident see the own report only."""
    op.execute(f"ALTER POLICY role_read ON gridsvc.incident USING ({SEEN_BEFORE})")
    op.drop_column("incident", "is_public", schema="gridsvc")
