"""Row-level security on every fact table, and what each role may do."""

from alembic import op

revision = "policies"
down_revision = "tables"
branch_labels = None
depends_on = None

# Bare intervals of settings: no subquery, no function that reads a table (docs/DECISIONS.md).
TERRITORY = " OR ".join(
    f"community_code BETWEEN nullif(current_setting('app.lo{slot}', true), '')::bigint"
    f" AND nullif(current_setting('app.hi{slot}', true), '')::bigint"
    for slot in (1, 2, 3, 4)
)
ROLE = "current_setting('app.role', true)"
PERSON = "nullif(current_setting('app.person', true), '')::uuid"
REPORT = "nullif(current_setting('app.report', true), '')::uuid"

STAFF = f"{ROLE} IN ('coordinator', 'administrator')"
FIELD = f"{ROLE} IN ('coordinator', 'administrator', 'contact', 'patrol')"
SIGNED_IN = f"{ROLE} IN ('coordinator', 'administrator', 'contact', 'patrol', 'planner')"

READ, WRITE, APPEND = "SELECT", "SELECT, INSERT, UPDATE", "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE, DELETE"

# CASE, not OR: the planner believes that `role … OR id = …` keeps one row in fifty, and sorts a
# whole community for its newest hundred incidents (26 ms instead of 0.1 with 20,000 of them).
# table: (what the API role may do, who may see rows at all)
FACTS = {
    "compound": (READ, None),
    "building": (READ, None),
    "stairwell": (READ, None),
    "walkway": (READ, None),
    "member": (READ, f"CASE WHEN {STAFF} THEN true ELSE id = {PERSON} END"),
    "member_identity": (READ, f"CASE WHEN {STAFF} THEN true ELSE member_id = {PERSON} END"),
    "member_affiliation": (READ, f"CASE WHEN {STAFF} THEN true ELSE member_id = {PERSON} END"),
    "post": (READ, f"CASE WHEN {STAFF} THEN true ELSE member_id = {PERSON} END"),
    "organisation": (READ, SIGNED_IN),
    "heat_cell": (WRITE, FIELD),
    "heat_release": (READ, None),
    "heat_release_total": (READ, None),
    "contact_plan": (WRITE, STAFF),
    "contact_plan_line": (APPEND, STAFF),
    "contact": (WRITE, f"CASE WHEN {STAFF} THEN true ELSE member_id = {PERSON} END"),
    "patrol_team": (READ, FIELD),
    "patrol_shift": (APPEND, FIELD),
    "patrol_route": (EDIT, FIELD),
    "patrol_stop": (EDIT, FIELD),
    "patrol_left_out": (EDIT, FIELD),
    "idempotency_key": (APPEND, SIGNED_IN),
    "audit_event": (APPEND, None),
}
REFERENCES = {
    "street": READ,
    "community": READ,
    "category": READ,
    "account": READ,
    "account_scope": READ,
    "sign_in": "SELECT, INSERT, DELETE",
    "alembic_version": READ,
}


def upgrade() -> None:
    """Close every fact table, then open it by interval and role."""
    for table, (rights, readers) in FACTS.items():
        _close(table, rights)
        if readers:
            op.execute(
                f"CREATE POLICY role ON gridsvc.{table} AS RESTRICTIVE"
                f" USING ({readers}) WITH CHECK ({readers})"
            )
    # A resident sees the own report by its link, and may add one without reading it back.
    _close("incident", WRITE)
    op.execute(
        "CREATE POLICY role_read ON gridsvc.incident AS RESTRICTIVE FOR SELECT"
        f" USING (CASE WHEN {FIELD} THEN true"
        f" ELSE {ROLE} = 'resident' AND id = {REPORT} END)"
    )
    op.execute(
        "CREATE POLICY role_add ON gridsvc.incident AS RESTRICTIVE FOR INSERT"
        f" WITH CHECK ({FIELD} OR {ROLE} = 'resident')"
    )
    op.execute(
        f"CREATE POLICY role_change ON gridsvc.incident AS RESTRICTIVE FOR UPDATE USING ({FIELD})"
    )
    op.execute(
        f"CREATE POLICY role_audit ON gridsvc.audit_event AS RESTRICTIVE FOR SELECT USING ({STAFF})"
    )
    for table, rights in REFERENCES.items():
        op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")
    # Only an owner may ANALYZE; after a bulk load the planner must know what is there.
    op.execute(
        "CREATE FUNCTION gridsvc.refresh_statistics() RETURNS void LANGUAGE plpgsql"
        " SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN "
        + " ".join(f"ANALYZE gridsvc.{table};" for table in (*FACTS, "incident", "community"))
        + " END $$"
    )
    op.execute("REVOKE EXECUTE ON FUNCTION gridsvc.refresh_statistics() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION gridsvc.refresh_statistics() TO gridsvc_job")
    op.execute("GRANT ALL ON ALL TABLES IN SCHEMA gridsvc TO gridsvc_job")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA gridsvc TO gridsvc_backup")


def _close(table: str, rights: str) -> None:
    op.execute(f"ALTER TABLE gridsvc.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE gridsvc.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY territory ON gridsvc.{table} USING ({TERRITORY}) WITH CHECK ({TERRITORY})"
    )
    op.execute(f"GRANT {rights} ON gridsvc.{table} TO gridsvc_api")


def downgrade() -> None:
    """Take rights away first, so that no table is ever open without its policy."""
    op.execute("DROP FUNCTION gridsvc.refresh_statistics()")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA gridsvc FROM gridsvc_api, gridsvc_job")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA gridsvc FROM gridsvc_backup")
    for policy in ("role_read", "role_add", "role_change"):
        op.execute(f"DROP POLICY {policy} ON gridsvc.incident")
    op.execute("DROP POLICY role_audit ON gridsvc.audit_event")
    for table, (_, readers) in (FACTS | {"incident": (WRITE, None)}).items():
        if readers:
            op.execute(f"DROP POLICY role ON gridsvc.{table}")
        op.execute(f"DROP POLICY territory ON gridsvc.{table}")
        op.execute(f"ALTER TABLE gridsvc.{table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE gridsvc.{table} DISABLE ROW LEVEL SECURITY")
