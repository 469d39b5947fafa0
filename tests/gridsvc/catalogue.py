"""Rules of DESIGN section 4 as queries on the catalogue: each returns the names that break it."""

# ruff: noqa: S608 - the words put together here are our own

SCHEMAS = "('gridsvc', 'planner')"

FACTS = (
    *("audit_event", "building", "building_version", "compound", "compound_version", "contact"),
    *("contact_exclusion", "member_absence", "member_consent", "member_hours"),
    *("contact_pin", "contact_plan", "contact_plan_line", "contact_plan_support"),
    *("grid_lineage", "imported_feature"),
    *("heat_cell", "heat_release", "heat_release_total", "idempotency_key", "incident", "job"),
    *("inbox_entry", "notice", "notice_attempt", "notice_channel", "notice_delivery"),
    *("incident_event", "party", "party_link"),
    *("member", "member_affiliation", "member_identity", "organisation", "patrol_left_out"),
    *("patrol_route", "patrol_shift", "patrol_stop", "patrol_team", "post", "stairwell"),
    *("stairwell_version", "territory_import", "walkway"),
    *("report", "photo", "published_photo"),
)
REFERENCES = (
    *("account", "account_scope", "alembic_version", "api_key", "category", "community"),
    *("development_code", "device", "device_token", "invitation", "sign_in", "sso_attempt"),
    *("sso_identity", "street", "throttle"),
)

# ANALYZE is for owners; the job may have it done after a bulk load.
OWNER_FUNCTIONS = "('refresh_statistics')"

_FACTS = """
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'community_code'
    WHERE c.relnamespace = 'gridsvc'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT a.attisdropped"""

# The attribute number that a fact's key must start with.
_CODE = "(SELECT attnum FROM pg_attribute WHERE attrelid = {} AND attname = 'community_code')"

RULES = {
    "row-level security is enabled and forced on every fact": f"""
        WITH fact AS ({_FACTS})
        SELECT relname FROM fact WHERE NOT (relrowsecurity AND relforcerowsecurity)""",
    "a policy opens every command that the API role may run on a fact": f"""
        WITH fact AS ({_FACTS})
        SELECT relname || ' ' || command
        FROM fact, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS command
        WHERE has_table_privilege('gridsvc_api', fact.oid, command) AND NOT EXISTS (
            SELECT FROM pg_policies p
            WHERE p.schemaname = 'gridsvc' AND p.tablename = relname
              AND p.permissive = 'PERMISSIVE' AND p.cmd IN ('ALL', command))""",
    "every permissive policy of a fact holds the caller's four intervals": """
        SELECT tablename || ' ' || policyname FROM pg_policies
        WHERE permissive = 'PERMISSIVE' AND schemaname = 'gridsvc' AND NOT (
            coalesce(qual, with_check) LIKE '%community_code >=%app.lo1%community_code <=%app.hi1%'
            AND coalesce(qual, with_check) LIKE '%app.lo4%app.hi4%'
            AND coalesce(with_check, qual) = coalesce(qual, with_check))""",
    "a policy reads settings only": """
        SELECT tablename || ' ' || policyname
        FROM pg_policies, lateral (SELECT concat(qual, ' ', with_check) AS rule) AS policy
        WHERE schemaname = 'gridsvc' AND (
            rule ~* '\\mselect\\M' OR EXISTS (
                SELECT FROM regexp_matches(rule, '([a-z_]+)\\(', 'gi') AS called
                WHERE lower(called[1]) NOT IN ('current_setting', 'nullif', 'any')))""",
    "community_code comes first in every key of a fact": f"""
        WITH fact AS ({_FACTS})
        SELECT i.indexrelid::regclass::text
        FROM pg_index i JOIN fact ON fact.oid = i.indrelid
        WHERE (i.indisunique OR i.indisexclusion)
          AND i.indkey[0] <> {_CODE.format("fact.oid")}""",
    "community_code comes first in every foreign key between facts": f"""
        WITH fact AS ({_FACTS})
        SELECT conname FROM pg_constraint
        WHERE contype = 'f' AND conrelid IN (SELECT oid FROM fact)
          AND confrelid IN (SELECT oid FROM fact)
          AND NOT (conkey[1] = {_CODE.format("conrelid")}
                   AND confkey[1] = {_CODE.format("confrelid")})""",
    "no reference table points at a fact": f"""
        WITH fact AS ({_FACTS})
        SELECT conname FROM pg_constraint
        WHERE contype = 'f' AND confrelid IN (SELECT oid FROM fact)
          AND conrelid NOT IN (SELECT oid FROM fact)""",
    "views run with the rights of whoever reads them": f"""
        SELECT relname FROM pg_class
        WHERE relkind = 'v' AND relnamespace::regnamespace::text IN {SCHEMAS}
          AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)""",
    "no materialised view is granted": f"""
        SELECT c.relname FROM pg_class c, lateral aclexplode(c.relacl) AS granted
        WHERE c.relkind = 'm' AND c.relnamespace::regnamespace::text IN {SCHEMAS}
          AND granted.grantee <> c.relowner""",
    "planner views hold no people and no single incidents": """
        SELECT view_name || ' ' || table_name FROM information_schema.view_table_usage
        WHERE view_schema = 'planner' AND table_name NOT IN
              ('community', 'compound', 'building', 'stairwell', 'walkway', 'heat_release')""",
    "no column is an ENUM": f"""
        SELECT c.relname || '.' || a.attname
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.relnamespace::regnamespace::text IN {SCHEMAS} AND a.attnum > 0
          AND 'e' IN (t.typtype,
                      (SELECT e.typtype FROM pg_type e WHERE e.oid = t.typelem),
                      (SELECT b.typtype FROM pg_type b WHERE b.oid = t.typbasetype))""",
    "no foreign key sets null or a default": f"""
        SELECT conname FROM pg_constraint
        WHERE contype = 'f' AND confdeltype IN ('n', 'd')
          AND connamespace::regnamespace::text IN {SCHEMAS}""",
    "no table has a trigger of ours": f"""
        SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace::regnamespace::text IN {SCHEMAS}""",
    "a function with its owner's rights is listed, finds names safely, and is not for the API": f"""
        SELECT p.proname FROM pg_proc p
        WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('gridsvc', 'planner', 'public')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
          AND NOT (p.proname IN {OWNER_FUNCTIONS}
                   AND coalesce('search_path=pg_catalog' = ANY (p.proconfig), false)
                   AND NOT has_function_privilege('gridsvc_api', p.oid, 'execute'))""",
    "roles that serve have no power over roles, databases or policies": """
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('gridsvc_api', 'gridsvc_catalog')
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)""",
    "roles that serve belong to no other role": """
        SELECT member::regrole || ' ' || roleid::regrole FROM pg_auth_members
        WHERE member::regrole::text IN ('gridsvc_api', 'gridsvc_catalog')""",
    "roles that serve own nothing": f"""
        SELECT relname FROM pg_class
        WHERE relnamespace::regnamespace::text IN {SCHEMAS}
          AND relowner::regrole::text IN ('gridsvc_api', 'gridsvc_catalog')""",
    "every table is known as a fact or as a reference": f"""
        SELECT relname FROM pg_class
        WHERE relnamespace = 'gridsvc'::regnamespace AND relkind IN ('r', 'p')
          AND relname NOT IN {FACTS + REFERENCES}""",
    "every fact on the list has a community_code that is not null": f"""
        SELECT fact FROM unnest(ARRAY{list(FACTS)}) AS fact
        WHERE NOT EXISTS (
            SELECT FROM information_schema.columns
            WHERE table_schema = 'gridsvc' AND table_name = fact AND column_name = 'community_code'
              AND is_nullable = 'NO' AND data_type = 'bigint')""",
    "no reference table has a community_code": f"""
        WITH fact AS ({_FACTS}) SELECT relname FROM fact WHERE relname IN {REFERENCES}""",
}
