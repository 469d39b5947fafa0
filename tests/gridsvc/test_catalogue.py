"""The catalogue keeps the rules of DESIGN section 4, and each rule can be seen to fail."""

import pytest
from sqlalchemy import text

from gridsvc.db import Base, FactMixin
from tests.databases import Clone
from tests.gridsvc.catalogue import FACTS, RULES

pytestmark = pytest.mark.db

_FACT = "CREATE TABLE gridsvc.bench (community_code bigint NOT NULL, id uuid, PRIMARY KEY {})"
_OPEN = "CREATE POLICY open ON gridsvc.walkway FOR SELECT USING ({})"

# rule: what breaks it, and the name that it must then give
OFFENCES = {
    "row-level security is enabled and forced on every fact": (
        ["ALTER TABLE gridsvc.member_identity NO FORCE ROW LEVEL SECURITY"],
        "member_identity",
    ),
    "a policy opens every command that the API role may run on a fact": (
        ["DROP POLICY territory ON gridsvc.post"],
        "post SELECT",
    ),
    "every permissive policy of a fact holds the caller's four intervals": (
        [_OPEN.format("community_code > 0")],
        "walkway open",
    ),
    "a policy reads settings only": (
        [_OPEN.format("community_code IN (SELECT code FROM gridsvc.community)")],
        "walkway open",
    ),
    "community_code comes first in every key of a fact": (
        ["CREATE UNIQUE INDEX leak ON gridsvc.member (id, community_code)"],
        "gridsvc.leak",
    ),
    "community_code comes first in every foreign key between facts": (
        [
            "CREATE UNIQUE INDEX lone ON gridsvc.member (id)",
            (
                "ALTER TABLE gridsvc.post ADD CONSTRAINT loose"
                " FOREIGN KEY (member_id) REFERENCES gridsvc.member (id)"
            ),
        ],
        "loose",
    ),
    "no reference table points at a fact": (
        [
            "CREATE UNIQUE INDEX lone ON gridsvc.member (id)",
            (
                "ALTER TABLE gridsvc.account ADD CONSTRAINT upward"
                " FOREIGN KEY (person_id) REFERENCES gridsvc.member (id)"
            ),
        ],
        "upward",
    ),
    "views run with the rights of whoever reads them": (
        ["CREATE VIEW planner.leak AS SELECT code FROM gridsvc.compound"],
        "leak",
    ),
    "no materialised view is granted": (
        [
            "CREATE MATERIALIZED VIEW planner.frozen AS SELECT code FROM gridsvc.compound",
            "GRANT SELECT ON planner.frozen TO gridsvc_api",
        ],
        "frozen",
    ),
    "planner views hold no people and no single incidents": (
        [
            (
                "CREATE VIEW planner.homes WITH (security_invoker = true) AS"
                " SELECT home_stairwell_code FROM gridsvc.member"
            )
        ],
        "homes member",
    ),
    "no column is an ENUM": (
        [
            "CREATE TYPE gridsvc.mood AS ENUM ('calm', 'angry')",
            "ALTER TABLE gridsvc.incident ADD COLUMN moods gridsvc.mood[]",
        ],
        "incident.moods",
    ),
    "no foreign key sets null or a default": (
        [
            (
                "ALTER TABLE gridsvc.account ADD COLUMN street bigint"
                " CONSTRAINT forgets REFERENCES gridsvc.street ON DELETE SET NULL"
            )
        ],
        "forgets",
    ),
    "no table has a trigger of ours": (
        [
            (
                "CREATE TRIGGER echo BEFORE UPDATE ON gridsvc.incident FOR EACH ROW"
                " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )
        ],
        "echo",
    ),
    "a function with its owner's rights is listed, finds names safely, and is not for the API": (
        [
            (
                "CREATE FUNCTION gridsvc.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
                " AS 'SELECT count(*) FROM gridsvc.member'"
            )
        ],
        "peek",
    ),
    "roles that serve have no power over roles, databases or policies": (
        ["ALTER ROLE gridsvc_api CREATEROLE"],
        "gridsvc_api",
    ),
    "roles that serve belong to no other role": (
        ["GRANT gridsvc_job TO gridsvc_api"],
        "gridsvc_api gridsvc_job",
    ),
    "roles that serve own nothing": (
        [
            "GRANT CREATE ON SCHEMA gridsvc TO gridsvc_api",
            "ALTER TABLE gridsvc.walkway OWNER TO gridsvc_api",
        ],
        "walkway",
    ),
    "every table is known as a fact or as a reference": (
        [_FACT.format("(community_code, id)")],
        "bench",
    ),
    "every fact on the list has a community_code that is not null": (
        ["ALTER TABLE gridsvc.heat_cell RENAME community_code TO code"],
        "heat_cell",
    ),
    "no reference table has a community_code": (
        ["ALTER TABLE gridsvc.account ADD COLUMN community_code bigint"],
        "account",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_schema_keeps_the_rule(empty_database: Clone, rule: str) -> None:
    with empty_database.root.connect() as connection:
        assert connection.scalars(text(RULES[rule])).all() == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_names_whoever_breaks_it(empty_database: Clone, rule: str) -> None:
    statements, offender = OFFENCES[rule]
    with empty_database.root.connect() as connection, connection.begin() as scratch:
        for statement in statements:
            connection.execute(text(statement))
        assert offender in connection.scalars(text(RULES[rule])).all()
        scratch.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT EXECUTE ON FUNCTION gridsvc.refresh_statistics() TO gridsvc_api",
        "ALTER FUNCTION gridsvc.refresh_statistics() RESET search_path",
    ],
)
def test_a_listed_function_must_stay_safe(empty_database: Clone, statement: str) -> None:
    rule = (
        "a function with its owner's rights is listed, finds names safely, and is not for the API"
    )
    with empty_database.root.connect() as connection, connection.begin() as scratch:
        connection.execute(text(statement))
        assert connection.scalars(text(RULES[rule])).all() == ["refresh_statistics"]
        scratch.rollback()


def test_a_new_fact_without_policies_breaks_four_rules(empty_database: Clone) -> None:
    with empty_database.root.connect() as connection, connection.begin() as scratch:
        connection.execute(text(_FACT.format("(id, community_code)")))
        connection.execute(text("GRANT SELECT ON gridsvc.bench TO gridsvc_api"))
        broken = [rule for rule, query in RULES.items() if connection.scalars(text(query)).all()]
        scratch.rollback()
    assert broken == [
        "row-level security is enabled and forced on every fact",
        "a policy opens every command that the API role may run on a fact",
        "community_code comes first in every key of a fact",
        "every table is known as a fact or as a reference",
    ]


def test_the_table_classes_agree_which_tables_are_facts() -> None:
    facts = {
        mapper.local_table.description
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, FactMixin)
    }
    assert facts == set(FACTS)
    columns = {name: set(table.columns.keys()) for name, table in Base.metadata.tables.items()}
    with_code = {name for name, names in columns.items() if "community_code" in names}
    assert with_code == {f"gridsvc.{fact}" for fact in FACTS}
