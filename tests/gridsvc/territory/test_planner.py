"""The views that leave the house, read by statements that are not ours."""

import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import event, make_url, text

from gridsvc import setup
from gridsvc.db import NOBODY, Database, Interval, Scope, make_engine
from gridsvc.errors import DatabaseDownError, QueryTooSlowError, UnfitQueryError
from gridsvc.territory.planner import PlannerReader, read_columns, read_extent
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
VIEWS = {"communities", "compounds", "buildings", "stairwells", "walkways", "heat"}
COUNT = "SELECT count(*) AS found FROM planner.stairwells"


def planner(*codes: int) -> Scope:
    return Scope("planner", tuple(map(Interval.of, codes)))


def reader_of(clone: Clone, scope: Scope, *, timeout_s: int = 5) -> PlannerReader:
    reader = PlannerReader(clone.api, scope, timeout_s=timeout_s)
    reader.open()
    return reader


def test_the_catalogue_role_tells_the_columns_where_it_may_log_in(town_database: Clone) -> None:
    as_api: list[str] = []

    @event.listens_for(town_database.api.engine, "before_cursor_execute")
    def note(*told: object) -> None:
        as_api.append(str(told[2]))

    try:
        columns = read_columns(town_database.api)
    finally:
        event.remove(town_database.api.engine, "before_cursor_execute", note)
    assert not any("pg_attribute" in statement for statement in as_api)
    assert {column.view for column in columns} >= VIEWS
    (geom,) = [c for c in columns if (c.view, c.name) == ("stairwells", "geom")]
    assert (geom.type, geom.geometry_type, geom.srid) == ("geometry", "Polygon", 4326)
    types = {c.name: c.type for c in columns if c.view == "stairwells"}
    assert (types["community_code"], types["code"]) == ("bigint", "text")


def test_elsewhere_the_api_role_tells_the_same(town_database: Clone) -> None:
    url = make_url(town_database.url(setup.API)).set(password="of the API role only")  # noqa: S106
    elsewhere = Database(make_engine(url.render_as_string(hide_password=False), pool_size=1))
    try:
        assert read_columns(elsewhere) == read_columns(town_database.api)
    finally:
        elsewhere.engine.dispose()


def test_where_the_catalogue_role_may_not_log_in_the_api_role_is_asked(database: Clone) -> None:
    expected = read_columns(database.api)
    database.run(
        f"REVOKE CONNECT ON DATABASE {database.name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database.name} TO {setup.API}",
    )
    assert read_columns(database.api) == expected


def test_what_is_not_granted_to_the_catalogue_role_is_not_told(database: Clone) -> None:
    database.run("REVOKE SELECT ON planner.walkways FROM gridsvc_catalog")
    assert {column.view for column in read_columns(database.api)} == VIEWS - {"walkways"}


def test_without_a_database_the_catalogue_says_so() -> None:
    nowhere = Database(make_engine("postgresql://nobody@127.0.0.1:1/nowhere", pool_size=1))
    with pytest.raises(DatabaseDownError):
        read_columns(nowhere)


def test_the_catalogue_role_and_a_reader_without_scope_see_no_row(town_database: Clone) -> None:
    engine = make_engine(town_database.url(setup.CATALOG), pool_size=1)
    try:
        with engine.connect() as connection:
            assert connection.scalar(text(COUNT)) == 0
    finally:
        engine.dispose()
    reader = reader_of(town_database, NOBODY)
    assert reader.fetch(COUNT) == [{"found": 0}]
    reader.close()


def test_a_reader_sees_its_scope_and_leaves_nothing_of_it_behind(town_database: Clone) -> None:
    for scope, expected in ((planner(A), 12), (planner(A, B), 24), (NOBODY, 0), (planner(B), 12)):
        reader = reader_of(town_database, scope)
        assert reader.fetch(COUNT) == [{"found": expected}]
        reader.close()
    with town_database.api.engine.connect() as connection:
        assert connection.scalar(text("SELECT current_setting('app.lo1', true)")) in {None, ""}


def test_a_reader_takes_numbered_parameters_and_percent_signs(town_database: Clone) -> None:
    reader = reader_of(town_database, planner(A))
    found = reader.fetch("SELECT $1::text AS told, 'a' LIKE '%a' AS like", ["100 %s"])
    assert found == [{"told": "100 %s", "like": True}]
    reader.close()


def test_a_reader_cannot_write_widen_its_scope_or_take_long(town_database: Clone) -> None:
    for statement, error in (
        ("UPDATE gridsvc.stairwell SET name = 'x'", ReadOnlySqlTransaction),
        ("SELECT set_config('app.hi1', '999999999999', true)", InsufficientPrivilege),
        ("SELECT pg_sleep(3)", QueryTooSlowError),
        ("SELECT 1 / 0", UnfitQueryError),
        ("SELECT name + 1 FROM planner.stairwells", UnfitQueryError),
    ):
        reader = reader_of(town_database, planner(A), timeout_s=1)
        with pytest.raises(error):
            reader.fetch(statement)
        reader.close()


def test_an_extent_is_the_box_round_the_own_communities(town_database: Clone) -> None:
    for scope in (planner(A), planner(B), planner(A, B)):
        with town_database.api.session(scope, read_only=True) as session:
            box = read_extent(session)
        assert box is not None
        first, *_, last = [
            corner
            for interval in scope.intervals
            for corner in (town.place(interval.lo, 0, 0), town.place(interval.lo, 40, 40))
        ]
        assert box == pytest.approx((*first, *last))
    with town_database.api.session(planner(999999999999), read_only=True) as session:
        assert read_extent(session) is None
