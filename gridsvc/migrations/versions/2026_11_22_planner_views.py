"""The views that leave the house: territory and released heat, never people."""

from alembic import op

revision = "planner_views"
down_revision = "policies"
branch_labels = None
depends_on = None

# k of the small-count rule (geodata.privacy.SMALLEST_COUNT): fewer households are not told.
VIEWS = {
    "communities": "SELECT code, name, attribution, geom FROM gridsvc.community",
    "compounds": """
        SELECT community_code, code, name, built_year, is_demonstration, geom
        FROM gridsvc.compound WHERE retired_on IS NULL""",
    "buildings": """
        SELECT community_code, code, compound_code, name, kind, levels, geom
        FROM gridsvc.building WHERE retired_on IS NULL""",
    "stairwells": """
        SELECT community_code, code, compound_code, building_code, name,
               CASE WHEN household_count >= 5 THEN household_count END AS household_count, geom
        FROM gridsvc.stairwell WHERE retired_on IS NULL""",
    "walkways": "SELECT community_code, id, kind, name, geom FROM gridsvc.walkway",
}


def upgrade() -> None:
    """Make the views; each runs with the rights of whoever reads it."""
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW planner.{name} WITH (security_invoker = true) AS {query}")
        op.execute(f"GRANT SELECT ON planner.{name} TO gridsvc_api, gridsvc_catalog, gridsvc_job")
    # security_invoker checks the reader on the tables too; the catalogue has no scope: no rows.
    for table in ("community", "compound", "building", "stairwell", "walkway"):
        op.execute(f"GRANT SELECT ON gridsvc.{table} TO gridsvc_catalog")


def downgrade() -> None:
    """Drop the views."""
    for table in ("community", "compound", "building", "stairwell", "walkway"):
        op.execute(f"REVOKE SELECT ON gridsvc.{table} FROM gridsvc_catalog")
    for name in VIEWS:
        op.execute(f"DROP VIEW planner.{name}")
