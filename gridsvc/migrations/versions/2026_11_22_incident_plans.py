"""Plans of incidents that stay right under row-level security, and two indexes of wide scopes."""

from alembic import op

revision = "incident_plans"
down_revision = "accounts"
branch_labels = None
depends_on = None

TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)


def upgrade() -> None:
    """Count the territory once.

    Every query of incidents names its territory itself. The planner takes the policy for a second,
    independent filter, expects 6 of a community's 1,200 incidents, and sorts all of them for the
    newest hundred; CASE tells it nothing, and nothing is what it should add to the explicit WHERE.
    """
    _set_policy(f"CASE WHEN {TERRITORY} THEN true ELSE false END")
    op.create_index("incident_newest_idx", "incident", ["reported_at", "id"], schema="gridsvc")
    op.create_index("incident_id_idx", "incident", ["id"], schema="gridsvc")


def downgrade() -> None:
    """Put the policy back as it was."""
    op.drop_index("incident_id_idx", "incident", schema="gridsvc")
    op.drop_index("incident_newest_idx", "incident", schema="gridsvc")
    _set_policy(TERRITORY)


def _set_policy(rule: str) -> None:
    op.execute(f"ALTER POLICY territory ON gridsvc.incident USING ({rule}) WITH CHECK ({rule})")
