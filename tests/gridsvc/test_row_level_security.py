"""Two callers see and change exactly their own rows. Always as gridsvc_api, on a clone.

The rollback fixture would not do: SET LOCAL outlives a savepoint.
"""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, InternalError, ProgrammingError

from gridsvc import setup
from gridsvc.audit.tables import AuditRow
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import NOBODY, Base, Database, Interval, Scope, make_engine
from gridsvc.errors import TooManyIntervalsError
from gridsvc.incidents.reporting.tables import (
    PhotoRow,
    PublishedPhotoRow,
    ReportRow,
)
from gridsvc.incidents.tables import IncidentRow
from gridsvc.people.tables import MemberIdentityRow, MemberRow
from gridsvc.territory.tables import StairwellRow
from tests import town
from tests.conftest import MakeDatabase
from tests.databases import Clone
from tests.gridsvc.catalogue import FACTS
from tests.gridsvc.visibility import CALLERS, A, B, Caller, violations

pytestmark = pytest.mark.db


def test_every_caller_sees_and_changes_exactly_what_it_may(town_database: Clone) -> None:
    assert violations(town_database) == []


def test_the_sample_shows_two_communities_their_own_rows_only(sample_database: Clone) -> None:
    query = text(
        "SELECT community_code FROM gridsvc.stairwell GROUP BY 1 ORDER BY count(*) DESC LIMIT 2"
    )
    with sample_database.root.connect() as connection:
        codes = connection.scalars(query).all()
    tables = {row: sample_database.count(row) for row in ("stairwell", "incident", "member")}
    for code in codes:
        for table, everything in tables.items():
            own = sample_database.count(table, f"community_code = {code}")
            assert 0 < own < everything
            with sample_database.api.session(Caller("coordinator", (code,)).scope) as session:
                seen = session.scalar(text(f"SELECT count(*) FROM gridsvc.{table}"))  # noqa: S608
            assert seen == own


# ---- the check above can fail


@pytest.fixture(scope="module")
def weakened(cluster: object, town_template: str) -> Iterator[Clone]:
    from tests.databases import drop, make_clone

    clone = make_clone(cluster, town_template)  # type: ignore[arg-type]
    yield clone
    drop(clone)


# Which callers show it soonest when a table is open; the whole matrix would take a minute.
WATCHING = {"administrator", "coordinator", "planner", "resident"}
WATCHERS = [caller for caller in CALLERS if caller.codes in {(A,), ()} and caller.role in WATCHING]


# Below the services, on bare tables: every query of ours names the caller's territory in its WHERE
# as well, so behind HTTP an open policy would change no answer, and the matrix could not see it.
def test_opening_any_one_policy_is_noticed(weakened: Clone) -> None:
    with weakened.root.connect() as connection:
        policies = connection.execute(
            text(
                "SELECT tablename, policyname, qual, with_check FROM pg_policies"
                " WHERE schemaname = 'gridsvc' ORDER BY 1, 2"
            )
        ).all()
    assert {table for table, *_ in policies} == set(FACTS)
    assert violations(weakened, callers=WATCHERS) == []
    unnoticed = []
    for table, policy, qual, with_check in policies:
        for part, original in (("USING", qual), ("WITH CHECK", with_check)):
            if original is None or (part == "WITH CHECK" and not _may_insert(weakened, table)):
                continue  # nothing to open, or the missing grant is the wall
            alter = f"ALTER POLICY {policy} ON gridsvc.{table} {part}"
            weakened.run(f"{alter} (true)")
            if not violations(weakened, [table], WATCHERS):
                unnoticed.append(f"{table} {policy} {part}")
            weakened.run(f"{alter} ({original})")
    assert unnoticed == []
    assert violations(weakened, callers=WATCHERS) == []


def _may_insert(clone: Clone, table: str) -> bool:
    with clone.root.connect() as connection:
        return bool(
            connection.scalar(
                text("SELECT has_table_privilege('gridsvc_api', 'gridsvc.' || :table, 'insert')"),
                {"table": table},
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE gridsvc.post DISABLE ROW LEVEL SECURITY",
        "DROP POLICY territory ON gridsvc.post",
        "DROP POLICY role_read ON gridsvc.post",
        "CREATE POLICY more ON gridsvc.post USING (community_code > 0)",
    ],
)
def test_other_ways_to_open_or_shut_a_table_are_noticed(own_town: Clone, statement: str) -> None:
    own_town.run(statement)
    assert violations(own_town, ["post"], WATCHERS) != []


# ---- no scope, no rows


def test_a_raw_connection_of_the_pool_sees_no_row(town_database: Clone) -> None:
    with town_database.api.engine.connect() as connection:
        for table in FACTS:
            assert connection.scalar(text(f"SELECT count(*) FROM gridsvc.{table}")) == 0  # noqa: S608


def test_nobody_sees_no_row_and_an_empty_setting_is_no_error(town_database: Clone) -> None:
    with town_database.api.session(NOBODY, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(StairwellRow)) == 0
        session.execute(text("SET LOCAL app.lo1 = ''"))
        assert session.scalar(select(func.count()).select_from(StairwellRow)) == 0


def test_more_than_four_territories_are_refused_before_the_database() -> None:
    intervals = tuple(Interval.of(town.STREET + number) for number in range(1, 6))
    with pytest.raises(TooManyIntervalsError, match="5 territories: at most 4"):
        Scope("coordinator", intervals)
    assert Scope("coordinator", intervals[:4]).intervals == intervals[:4]


@pytest.mark.parametrize("role", ["'; SET app.lo1 = '0", "", "coordinator ", "管理员", "a1"])
def test_a_role_that_is_no_word_never_reaches_the_database(town_database: Clone, role: str) -> None:
    with (
        town_database.api.session(Scope(role)) as session,
        pytest.raises(ValueError, match=f"^{re.escape(role)}$"),
    ):
        session.connection()


@pytest.mark.parametrize("slot", [1, 2, 3, 4])
def test_each_of_the_four_slots_opens_its_territory(town_database: Clone, slot: int) -> None:
    elsewhere = [Interval.of(440605099000 + number) for number in range(1, 5)]
    elsewhere[slot - 1] = Interval.of(B)
    scope = Scope("coordinator", tuple(elsewhere))
    with town_database.api.session(scope, read_only=True) as session:
        codes = session.scalars(select(StairwellRow.community_code).distinct()).all()
    assert codes == [B]


# ---- one connection for many callers


@pytest.fixture
def narrow(town_database: Clone) -> Iterator[Database]:
    """A pool of one connection."""
    engine = make_engine(town_database.url(setup.API), pool_size=1)
    yield Database(engine)
    engine.dispose()


def communities_seen(database: Database, scope: Scope) -> Counter[int]:
    with database.session(scope, read_only=True) as session:
        return Counter(session.scalars(select(StairwellRow.community_code)))


def test_two_callers_who_take_turns_on_one_connection_see_their_own(narrow: Database) -> None:
    scopes = {code: Caller("coordinator", (code,)).scope for code in (A, B)}
    backends = set()
    for turn in range(10):
        code = (A, B)[turn % 2]
        with narrow.session(scopes[code]) as session:
            backends.add(session.scalar(text("SELECT pg_backend_pid()")))
        assert communities_seen(narrow, scopes[code]) == {code: 12}
        assert communities_seen(narrow, NOBODY) == {}
    assert len(backends) == 1


@pytest.mark.parametrize("end", ["commit", "rollback", "error", "savepoint"])
def test_what_a_caller_was_allowed_ends_with_the_transaction(narrow: Database, end: str) -> None:
    scope = replace(Caller("coordinator", (A,)).scope, person=UUID(int=1), report=UUID(int=2))
    with narrow.session(scope) as session:
        assert session.scalar(select(func.count()).select_from(StairwellRow)) == 12
        if end == "commit":
            session.commit()
        elif end == "savepoint":
            with session.begin_nested():
                session.scalar(select(1))
            session.rollback()
        elif end == "error":
            with pytest.raises(DBAPIError):
                session.execute(text("SELECT 1 / 0"))
    with narrow.engine.connect() as connection:
        for name in ("lo1", "hi1", "role", "person", "report"):
            value = connection.scalar(text(f"SELECT current_setting('app.{name}', true)"))
            assert value in {None, ""}, name
        assert connection.scalar(text("SELECT count(*) FROM gridsvc.stairwell")) == 0


def test_a_pool_smaller_than_its_load_mixes_nothing_up(town_database: Clone) -> None:
    engine = make_engine(town_database.url(setup.API), pool_size=2)
    database = Database(engine)
    wanted = [(A,), (B,), (A, B), ()] * 40

    def ask(codes: tuple[int, ...]) -> Counter[int]:
        return communities_seen(database, Caller("coordinator", codes).scope)

    with ThreadPoolExecutor(max_workers=12) as threads:
        answers = list(threads.map(ask, wanted))
    engine.dispose()
    assert answers == [Counter(dict.fromkeys(codes, 12)) for codes in wanted]


# ---- finer rules


def count_of(
    database: Database,
    scope: Scope,
    row: type[Base],
) -> int:
    with database.session(scope, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_a_contact_sees_only_the_own_person_and_the_own_stairwells(town_database: Clone) -> None:
    with town_database.root.connect() as connection:
        member_id, own = connection.execute(
            text(
                "SELECT member_id, count(*) FROM gridsvc.contact WHERE community_code = :code"
                " GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
            ),
            {"code": A},
        ).one()
    scope = replace(Caller("contact", (A,)).scope, person=member_id)
    assert own > 0
    assert count_of(town_database.api, scope, ContactRow) == own
    assert count_of(town_database.api, scope, MemberRow) == 1
    assert count_of(town_database.api, scope, MemberIdentityRow) == 1
    elsewhere = replace(scope, intervals=(Interval.of(B),))
    assert count_of(town_database.api, elsewhere, MemberRow) == 0


def test_a_resident_sees_the_own_report_and_of_others_what_is_public(town_database: Clone) -> None:
    report = town.id_of("incident", B, "neighbour_dispute.noise", 0)
    resident = Caller("resident", (B,)).scope
    private = select(IncidentRow.id).where(~IncidentRow.is_public)
    with town_database.api.session(resident, read_only=True) as session:
        assert session.scalars(private).all() == []
        public = session.scalar(select(func.count()).where(IncidentRow.is_public))
    assert public == town_database.count("incident", f"community_code = {B} AND is_public") > 0
    scope = replace(resident, report=report)
    with town_database.api.session(scope, read_only=True) as session:
        assert session.scalars(private).all() == [report]
    elsewhere = replace(scope, intervals=(Interval.of(A),))
    with town_database.api.session(elsewhere, read_only=True) as session:
        assert session.scalars(private).all() == []


def test_a_resident_sees_how_the_own_report_is_followed_and_its_photos_only(
    town_database: Clone,
) -> None:
    rows = (ReportRow, PhotoRow)
    resident = Caller("resident", (A,)).scope
    own = replace(resident, report=town.reported(A))
    for row in rows:
        assert count_of(town_database.api, resident, row) == 0
        assert count_of(town_database.api, own, row) == 1
        assert count_of(town_database.api, replace(own, report=town.reported(B)), row) == 0
    # What was published is everybody's, and still of the community that was asked for.
    assert count_of(town_database.api, resident, PublishedPhotoRow) == 1


REPORT = text(
    "INSERT INTO gridsvc.incident (community_code, id, category_code, status, reported_at,"
    " summary, place, geom) VALUES (:code, :id, 'lift.fault', 'reported', now(), '电梯停了',"
    " 'community', ST_SetSRID(ST_MakePoint(113.152, 23.032), 4326))"
)


def test_a_resident_adds_a_report_without_reading_it_back(own_town: Clone) -> None:
    resident = Caller("resident", (A,)).scope
    with own_town.api.session(resident) as session:
        session.execute(REPORT, {"code": A, "id": UUID(int=7)})
        session.commit()
        added = select(func.count()).where(IncidentRow.id == UUID(int=7))
        assert session.scalar(added) == 0
    assert own_town.count("incident", f"community_code = {A}") == 25
    with (
        own_town.api.session(resident) as session,
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        session.execute(REPORT, {"code": B, "id": UUID(int=8)})


def test_the_audit_trail_cannot_be_changed_or_cut_by_the_api_role(own_town: Clone) -> None:
    coordinator = Caller("coordinator", (A,)).scope
    written = own_town.count("audit_event", f"community_code = {A}")
    assert written > 0
    for statement in (
        "UPDATE gridsvc.audit_event SET action = ''",
        "DELETE FROM gridsvc.audit_event",
    ):
        with (
            own_town.api.session(coordinator) as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(text(statement))
    with own_town.api.session(coordinator) as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == written


@pytest.mark.parametrize("table", ["compound", "stairwell", "member", "organisation", "account"])
def test_the_api_role_cannot_write_what_only_jobs_load(own_town: Clone, table: str) -> None:
    with (
        own_town.api.session(Caller("administrator", (town.STREET,)).scope) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(text(f"DELETE FROM gridsvc.{table}"))  # noqa: S608


def test_a_planner_reads_the_views_of_the_own_territory(town_database: Clone) -> None:
    with town_database.api.session(Caller("planner", (A,)).scope, read_only=True) as session:
        rows = session.execute(
            text("SELECT community_code, household_count FROM planner.stairwells")
        ).all()
    assert {code for code, _ in rows} == {A}
    assert Counter(count for _, count in rows) == {None: 8, 30: 4}


def test_a_read_only_session_cannot_write(town_database: Clone) -> None:
    with (
        town_database.api.session(Caller("coordinator", (A,)).scope, read_only=True) as session,
        pytest.raises(InternalError, match="read-only transaction"),
    ):
        session.execute(REPORT, {"code": A, "id": UUID(int=9)})


def test_copy_is_refused_under_row_level_security(make_database: MakeDatabase) -> None:
    clone = make_database()
    with clone.api.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with (
            pytest.raises(Exception, match=r"permission denied|COPY FROM not supported"),
            raw.cursor() as cursor,
            cursor.copy("COPY gridsvc.heat_cell FROM STDIN"),
        ):
            pass
