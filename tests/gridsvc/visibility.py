"""Who may see and change which rows, said once more and independently of the policies.

`violations` compares what the API role gets with what DESIGN sections 4 and 5 promise. The counts
that it expects are taken as superuser and must not be zero, so an empty answer is no success.
"""

# ruff: noqa: S608 - names of our own tables, and numbers

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from gridsvc.db import Interval, Scope
from tests import town
from tests.databases import Clone
from tests.gridsvc.catalogue import FACTS

STAFF = {"coordinator", "administrator"}
PATROLS = STAFF | {"patrol"}
FIELD = PATROLS | {"contact"}
SIGNED_IN = FIELD | {"planner"}
EVERYBODY = SIGNED_IN | {"resident"}
ADMINISTRATORS = {"administrator"}

READERS = dict.fromkeys(FACTS, EVERYBODY) | {
    **dict.fromkeys(("member", "member_identity", "member_affiliation", "post"), STAFF),
    **dict.fromkeys(("contact", "contact_plan", "contact_plan_line", "audit_event"), STAFF),
    **dict.fromkeys(("member_absence", "member_consent", "member_hours"), STAFF),
    **dict.fromkeys(("contact_exclusion", "job"), STAFF),
    **dict.fromkeys(("contact_pin", "contact_plan_support"), STAFF),
    **dict.fromkeys(("notice", "notice_delivery"), STAFF),
    **dict.fromkeys(("notice_attempt", "notice_channel"), ADMINISTRATORS),
    **dict.fromkeys(("heat_cell", "incident_event"), FIELD),
    **dict.fromkeys(("party", "party_link"), STAFF),
    "incident": FIELD | {"resident"},
    "report": STAFF,
    "photo": FIELD,
    **dict.fromkeys(("patrol_team", "patrol_shift"), PATROLS),
    **dict.fromkeys(("patrol_route", "patrol_stop", "patrol_left_out"), PATROLS),
    **dict.fromkeys(("organisation", "idempotency_key"), SIGNED_IN),
    **dict.fromkeys(("territory_import", "imported_feature"), ADMINISTRATORS),
}
# What of a table residents may see, where it is not all.
FOR_RESIDENTS = {"incident": "is_public"}
# What staff may change where the grant is on some columns only: where an organisation belongs, what
# came of a job.
FOLLOWING = {
    "organisation": "compound_code",
    "job": "result",
    "notice_delivery": "outcome",
    "inbox_entry": "read_at",
}
# Where a role sees its own rows only, which those are.
OWN = {"inbox_entry": f"account_id = '{town.ACCOUNT}'"}
# What staff may delete, and no other table refers to.
UNREFERRED = (
    *("member_identity", "member_affiliation", "post"),
    *("member_absence", "member_hours", "member_consent", "contact_exclusion"),
    *("contact", "contact_pin", "contact_plan_support", "notice_channel"),
    *("photo", "published_photo"),
)
ARRAYS = ("skills", "dialects")
"""Columns that are arrays, not JSON."""
GRIDS = ("compound", "building", "stairwell")
CHANGERS = READERS | dict.fromkeys((*GRIDS, "organisation"), STAFF) | {"incident": FIELD}
DELETERS = READERS | {"published_photo": STAFF}
# What a role other than the readers may add: everybody's changes are audited, and whoever
# reports an incident need not be able to read it back.
WRITERS = READERS | {
    **dict.fromkeys(GRIDS, STAFF),
    # Whoever changes something tells those who are to know, and need not see what they are told.
    **dict.fromkeys(("audit_event", "notice", "notice_delivery", "inbox_entry"), EVERYBODY),
    "incident": FIELD | {"resident"},
    "published_photo": STAFF,
    "job": {"coordinator"},  # who asked for the town's; nobody asks in the name of another role
    **dict.fromkeys(("grid_lineage", *(f"{grid}_version" for grid in GRIDS)), STAFF),
}


@dataclass(frozen=True)
class Caller:
    """A role with a territory."""

    role: str
    codes: tuple[int, ...]

    @property
    def scope(self) -> Scope:
        intervals = tuple(Interval.of(code) for code in self.codes)
        return Scope(self.role, intervals, account=town.ACCOUNT)

    @property
    def territory(self) -> str:
        """The caller's rows, as a condition of the superuser's count."""
        parts = [f"community_code BETWEEN {i.lo} AND {i.hi}" for i in self.scope.intervals]
        return " OR ".join(parts) or "false"


A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
CALLERS = (
    *(Caller("coordinator", codes) for codes in ((A,), (B,), (STREET,), (A, B), ())),
    *(Caller(role, (A,)) for role in ("administrator", "patrol", "contact", "planner", "resident")),
    *(Caller(role, (STREET,)) for role in ("patrol", "planner", "resident")),
)
TABLES_OF_THE_WHOLE_STREET = {"incident", "heat_cell", "audit_event", "heat_release_total"}


def violations(
    clone: Clone, tables: Iterable[str] = FACTS, callers: Iterable[Caller] = CALLERS
) -> list[str]:
    """Return what the API role sees or changes and should not, or misses and should have."""
    tables = list(tables)
    rights = _rights(clone)
    found = []
    for caller in callers:
        expected = _expected_counts(clone, caller, tables)
        found += _wrong_reads(clone, caller, expected)
        for table in tables:
            if "UPDATE" in rights[table]:
                changeable = expected[table] if caller.role in CHANGERS[table] else 0
                found += _wrong_updates(clone, caller, table, changeable)
            if "INSERT" in rights[table]:
                found += _wrong_inserts(clone, caller, table)
            if "DELETE" in rights[table] and table in UNREFERRED:
                deletable = expected[table] if caller.role in DELETERS[table] else 0
                found += _wrong_deletes(clone, caller, table, deletable)
    return found


def _rights(clone: Clone) -> dict[str, set[str]]:
    rights: dict[str, set[str]] = {table: set() for table in FACTS}
    query = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'gridsvc_api' AND table_schema = 'gridsvc'"
    )
    with clone.root.connect() as connection:
        for table, right in connection.execute(query):
            if table in rights:
                rights[table].add(right)
    for table in FOLLOWING:
        rights[table].add("UPDATE")
    return rights


def _count_all(tables: list[str], conditions: dict[str, str]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM gridsvc.{table} WHERE {conditions[table]}"
        for table in tables
    )


def _expected_counts(clone: Clone, caller: Caller, tables: list[str]) -> dict[str, int]:
    """Count as superuser what a caller may see; what there is to see must not be nothing."""
    conditions = {
        table: f"({caller.territory}) AND {_readable(caller, table)} AND {OWN.get(table, 'true')}"
        for table in tables
    }
    with clone.root.connect() as connection:
        counts = {
            str(table): int(count)
            for table, count in connection.execute(text(_count_all(tables, conditions)))
        }
    for table, count in counts.items():
        if caller.codes and caller.role in READERS[table]:
            assert count > 0, f"the town has no {table} for {caller}"
    return counts


def _readable(caller: Caller, table: str) -> str:
    """Return which rows of a table somebody may read, by the role."""
    is_some = caller.role == "resident" and table in FOR_RESIDENTS
    return FOR_RESIDENTS[table] if is_some else str(caller.role in READERS[table])


def _wrong_reads(clone: Clone, caller: Caller, expected: dict[str, int]) -> list[str]:
    query = text(_count_all(list(expected), dict.fromkeys(expected, "true")))
    with clone.api.session(caller.scope, read_only=True) as session:
        seen = {str(table): int(count) for table, count in session.execute(query)}
    return [
        f"{caller} sees {seen[table]} of {table}, not {expected[table]}"
        for table in expected
        if seen[table] != expected[table]
    ]


def _wrong_updates(clone: Clone, caller: Caller, table: str, expected: int) -> list[str]:
    """Try to change every row there is, without reading any: only own rows may be reached."""
    code = caller.codes[0] if caller.codes else A
    change = f"community_code = {code}"
    if table in FOLLOWING:  # the grant is on some columns only
        change = f"{FOLLOWING[table]} = NULL"
    statement = text(f"UPDATE gridsvc.{table} SET {change}")
    if caller.codes not in {(A,), (B,), ()}:
        return []  # rows of two communities cannot be given one code
    with clone.api.session(caller.scope) as session:
        try:
            changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
        except DBAPIError as error:
            return [f"{caller} reaches foreign rows of {table}: {error.orig}"]
        finally:
            session.rollback()
    return [] if changed == expected else [f"{caller} changes {changed} of {table}, not {expected}"]


def _wrong_deletes(clone: Clone, caller: Caller, table: str, expected: int) -> list[str]:
    """Try to delete every row there is, without reading any."""
    with clone.api.session(caller.scope) as session:
        gone = session.execute(text(f"DELETE FROM gridsvc.{table}")).rowcount  # type: ignore[attr-defined]
        session.rollback()
    return [] if gone == expected else [f"{caller} deletes {gone} of {table}, not {expected}"]


def _wrong_inserts(clone: Clone, caller: Caller, table: str) -> list[str]:
    """Try to add a row that is there already: the policy must refuse it before its key does."""
    found = []
    for code in (A, B):
        may = caller.role in WRITERS[table] and any(
            interval.lo <= code <= interval.hi for interval in caller.scope.intervals
        )
        refused = _is_refused(clone, caller, table, code)
        if refused == may:
            found.append(f"{caller} {'may not' if may else 'may'} add to {table} of {code}")
    return found


def _is_refused(clone: Clone, caller: Caller, table: str, code: int) -> bool:
    statement = _copy_statement(clone, table, code)
    with clone.api.session(caller.scope) as session:
        try:
            session.execute(text(statement))
        except ProgrammingError as error:
            return "row-level security" in str(error.orig)
        except DBAPIError:
            return False  # it came as far as the table's own rules
        finally:
            session.rollback()
    return False


def _copy_statement(clone: Clone, table: str, code: int) -> str:
    """Return the statement that adds a community's first row once more, values spelled out."""
    columns = text(
        "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'gridsvc' AND table_name = :table"
        " AND is_generated = 'NEVER'"
    )
    with clone.root.connect() as connection:
        names = connection.scalar(columns, {"table": table})
        values = connection.scalar(
            text(
                "SELECT string_agg(quote_nullable(value), ', ' ORDER BY position) FROM ("
                f" SELECT to_jsonb(r) AS record FROM gridsvc.{table} r"
                f" WHERE community_code = {code} LIMIT 1) AS one,"
                f" unnest(string_to_array('{names}', ', ')) WITH ORDINALITY AS c (name, position),"
                " lateral (SELECT CASE jsonb_typeof(record -> name)"
                "  WHEN 'object' THEN CASE WHEN name = 'geom'"
                "    THEN ST_AsEWKT(ST_GeomFromGeoJSON(record -> name)) ELSE record ->> name END"
                f"  WHEN 'array' THEN CASE WHEN name IN {ARRAYS}"
                "    THEN translate(record ->> name, '[]', '{}') ELSE record ->> name END"
                "  ELSE record ->> name END AS value) AS spelled"
            )
        )
    assert values, f"no {table} in {code}"
    return f"INSERT INTO gridsvc.{table} ({names}) VALUES ({values})".replace(":", "\\:")
