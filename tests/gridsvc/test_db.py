"""Frames to and from PostGIS, scopes in words, and a connection that breaks."""

import time
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from shapely import Point
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError

from gridsvc import setup
from gridsvc.db import (
    NOBODY,
    Database,
    Interval,
    Scope,
    ScopedSession,
    act_for,
    clear_connection_errors,
    copy_frame,
    in_scope,
    make_engine,
    new_id,
    read_frame,
    scope_of,
    scope_statement,
)
from gridsvc.errors import (
    DatabaseDownError,
    DatabaseFullError,
    GridsvcError,
    QueryTooSlowError,
)
from gridsvc.people.tables import MemberRow
from gridsvc.territory.tables import CommunityRow, StreetRow
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def test_an_interval_is_a_community_or_a_whole_sub_district() -> None:
    assert Interval.of(A) == Interval(A, A)
    assert Interval.of(STREET) == Interval(STREET, STREET + 999)


def test_a_scope_is_sent_in_one_statement_of_words_and_numbers() -> None:
    scope = Scope("coordinator", (Interval.of(A), Interval.of(STREET)), person=UUID(int=1))
    assert scope_statement(scope, read_only=True) == (
        "SET TRANSACTION READ ONLY; SET LOCAL app.role = 'coordinator'; "
        f"SET LOCAL app.lo1 = '{A}'; SET LOCAL app.hi1 = '{A}'; "
        f"SET LOCAL app.lo2 = '{STREET}'; SET LOCAL app.hi2 = '{STREET + 999}'; "
        "SET LOCAL app.person = '00000000-0000-0000-0000-000000000001'"
    )
    assert scope_statement(NOBODY, read_only=False) == "SET LOCAL app.role = 'resident'"


def test_ids_are_ordered_by_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert {made.version for made in ids} == {7}


def test_the_first_wall_says_nothing_where_there_is_no_territory(town_database: Clone) -> None:
    with town_database.job.session(Scope("job")) as session:
        rows = select(CommunityRow.code).where(in_scope(session, CommunityRow.code))
        assert session.scalars(rows).all() == []


def test_acting_for_one_more_interval_holds_for_this_transaction(town_database: Clone) -> None:
    scope = Scope("coordinator", (Interval.of(A),))
    with town_database.api.session(scope) as session:
        act_for(session, Interval.of(B))
        assert scope_of(session).intervals == (Interval.of(A), Interval.of(B))
        assert session.scalar(text("SELECT count(*) FROM gridsvc.stairwell")) == 24
        act_for(session, Interval.of(STREET + 3))
        act_for(session, Interval.of(STREET + 4))
        act_for(session, Interval.of(STREET + 5))
        assert len(scope_of(session).intervals) == 4
        session.rollback()
    with town_database.api.session(scope) as session:
        assert session.scalar(text("SELECT count(*) FROM gridsvc.stairwell")) == 12


# ---- frames


def members(*homes: str | None) -> GeoDataFrame:
    return GeoDataFrame(
        {
            "id": [str(new_id()) for _ in homes],
            "community_code": A,
            "home_stairwell_code": list(homes),
            "reported_in_on": [date(2020, 1, 1), *[None] * (len(homes) - 1)],
            "capacity_households": 40,
            "capacity_stairwells": 2,
        },
        geometry=[Point(town.place(A, number, 1)) for number, _ in enumerate(homes)],
        crs="EPSG:4326",
    )


def test_missing_values_go_in_as_null_and_points_come_back_to_the_bit(
    town_session: ScopedSession,
) -> None:
    frame = members(town.stairwell_code(A), None, None)
    assert copy_frame(town_session, MemberRow, frame) == 3
    ids = [UUID(one) for one in frame["id"]]
    stored = read_frame(
        town_session,
        select(MemberRow.home_stairwell_code, MemberRow.reported_in_on, MemberRow.geom)
        .where(MemberRow.id.in_(ids))
        .order_by(MemberRow.id),
    )
    assert stored["home_stairwell_code"].isna().tolist() == [False, True, True]
    assert stored["reported_in_on"].isna().tolist() == [False, True, True]
    assert (stored.geometry == frame.geometry).all()
    assert stored.crs == "EPSG:4326"


def test_no_rows_copy_nothing_and_read_as_nothing(town_session: ScopedSession) -> None:
    assert copy_frame(town_session, MemberRow, members("x").iloc[:0]) == 0
    nothing = read_frame(
        town_session, select(CommunityRow.code, CommunityRow.geom).where(CommunityRow.code == 0)
    )
    assert list(nothing.columns) == ["code", "geometry"]
    assert nothing.crs == "EPSG:4326"


def test_a_copy_that_fails_leaves_nothing(database: Clone) -> None:
    frame = pd.DataFrame({"code": [STREET, STREET + 1], "name": ["甲", "乙"]})
    with town.job_session(database.job) as session, pytest.raises(Exception, match="street_code"):
        copy_frame(session, StreetRow, frame)
    assert database.count("street") == 0


# ---- a connection that breaks


def terminate(clone: Clone, pid: object) -> None:
    with clone.root.connect() as root:
        assert root.scalar(select(func.pg_terminate_backend(pid, 5000)))


def use_cut_connection(clone: Clone, use: Callable[[ScopedSession], object]) -> None:
    with clear_connection_errors(), town.job_session(clone.job) as session:
        terminate(clone, session.scalar(select(func.pg_backend_pid())))
        use(session)


@pytest.mark.parametrize("how", ["query", "copy", "commit"])
def test_a_connection_that_is_cut_is_said_so_in_one_sentence(database: Clone, how: str) -> None:
    frame = pd.DataFrame({"code": [STREET], "name": ["甲"]})
    uses: dict[str, Callable[[ScopedSession], object]] = {
        "query": lambda session: session.execute(text("SELECT 1")),
        "copy": lambda session: copy_frame(session, StreetRow, frame),
        "commit": lambda session: session.commit(),
    }
    with pytest.raises(DatabaseDownError, match=r"^The database does not answer: try again"):
        use_cut_connection(database, uses[how])
    with town.job_session(database.job) as session:
        assert session.scalar(text("SELECT 1")) == 1, "the pool connects again"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)", QueryTooSlowError),
        ("DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END'", DatabaseFullError),
    ],
)
def test_too_slow_and_too_full_are_not_called_down(
    empty_session: ScopedSession, statement: str, kind: type[GridsvcError]
) -> None:
    with pytest.raises(kind), clear_connection_errors():
        empty_session.connection().exec_driver_sql(statement)


# ---- what a connection may hold up


SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.mark.parametrize(
    ("statement_timeout_s", "bounds"),
    [
        (30, ["30s", "10s", "2min"]),
        (1, ["1s", "1s", "2min"]),
        (3600, ["1h", "20min", "1h"]),
    ],
)
def test_a_connection_is_bounded_and_a_jobs_as_widely_as_its_statements(
    database: Clone, statement_timeout_s: int, bounds: list[str]
) -> None:
    engine = make_engine(
        database.url(setup.API), pool_size=1, statement_timeout_s=statement_timeout_s
    )
    with engine.connect() as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in SETTINGS] == bounds
    engine.dispose()


def test_waiting_for_a_lock_ends_as_too_slow(database: Clone) -> None:
    lock = text("SELECT pg_advisory_xact_lock(77)")
    engine = make_engine(database.url(setup.JOB), pool_size=1, statement_timeout_s=3)
    with town.job_session(database.job) as holder:
        holder.execute(lock)
        began = time.monotonic()
        with (
            pytest.raises(QueryTooSlowError),
            clear_connection_errors(),
            town.job_session(Database(engine)) as waiter,
        ):
            waiter.execute(lock)
        assert 0.9 < time.monotonic() - began < 2.5, "a third of what a statement may take"
    engine.dispose()


def test_a_transaction_that_is_left_open_is_ended_and_said_to_be_too_slow(
    database: Clone,
) -> None:
    def idle(session: ScopedSession) -> None:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        time.sleep(0.5)
        session.execute(text("SELECT 1"))

    with (
        pytest.raises(QueryTooSlowError),
        clear_connection_errors(),
        town.job_session(database.job) as session,
    ):
        idle(session)
    with town.job_session(database.job) as session:
        assert session.scalar(text("SELECT 1")) == 1, "the pool connects again"


def test_an_error_does_not_repeat_what_a_query_was_given(empty_session: ScopedSession) -> None:
    with pytest.raises(DataError) as caught:
        empty_session.execute(
            text("SELECT CAST(:one AS text), 1 / CAST(:zero AS integer)"),
            {"one": "13800009999", "zero": 0},
        )
    assert "13800009999" not in str(caught.value)


def test_a_mistake_in_a_query_is_not_called_a_connection_error(database: Clone) -> None:
    with (
        pytest.raises(DataError, match="division by zero"),
        clear_connection_errors(),
        town.job_session(database.job) as session,
    ):
        session.execute(text("SELECT 1 / 0"))
