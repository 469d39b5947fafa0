"""An evening's routes over the sample: real distances, shifts that hold, reasons that are true."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import NotFoundError
from gridsvc.patrols import service
from gridsvc.patrols.model import Route
from tests.databases import Clone

pytestmark = pytest.mark.db
COMMUNITY = 440605011016
NEIGHBOUR = 440605011050
DAY = date(2030, 3, 4)


@pytest.fixture
def session(sample_database: Clone) -> Iterator[ScopedSession]:
    """A coordinator of one community; everything is rolled back."""
    scope = Scope("coordinator", (Interval.of(COMMUNITY),))
    with sample_database.api.session(scope) as opened:
        yield opened
        opened.rollback()


def evening(session: ScopedSession, *, seed: int = 0) -> list[Route]:
    planned = service.plan_evening(session, day=DAY, seed=seed)
    return [service.get_route(session, route.id) for route in planned]


def test_every_route_keeps_its_shift(session: ScopedSession) -> None:
    routes = evening(session)
    assert len(routes) >= 2
    walked = [route for route in routes if route.stops]  # one team may suffice for a small town
    assert walked
    for route in walked:
        assert route.network == "streets"
        assert len(route.stops) == route.stop_count
        assert [stop.position for stop in route.stops] == list(range(1, route.stop_count + 1))
        times = [moment for stop in route.stops for moment in (stop.arrives_at, stop.departs_at)]
        assert times == sorted(times)
        assert route.starts_at <= times[0]
        assert times[-1] <= route.ends_at
        assert route.prize == sum(stop.prize for stop in route.stops)


def test_no_stairwell_is_visited_twice(session: ScopedSession) -> None:
    visited = [stop.stairwell_code for route in evening(session) for stop in route.stops]
    assert len(visited) == len(set(visited))
    assert all(code.startswith(str(COMMUNITY)) for code in visited)


def test_the_line_is_as_long_as_the_route_says(session: ScopedSession) -> None:
    for route in (route for route in evening(session) if route.stops):
        line = ", ".join(f"{lon} {lat}" for lon, lat in route.line)
        measured_m = session.scalar(
            text("SELECT ST_Length(ST_GeomFromText(:line, 4326)::geography)"),
            {"line": f"LINESTRING({line})"},
        )
        # The line runs on the network; the distance adds the steps from it to the doors.
        assert 0.5 * route.distance_m <= measured_m <= 1.01 * route.distance_m


def test_the_same_seed_gives_the_same_routes(session: ScopedSession) -> None:
    first, again = evening(session, seed=3), evening(session, seed=3)
    assert [route.stops for route in first] == [route.stops for route in again]


def test_planning_again_replaces_the_evening(session: ScopedSession) -> None:
    old = evening(session, seed=1)
    new = evening(session, seed=2)
    assert len(service.list_day(session, DAY)) == len(new)
    with pytest.raises(NotFoundError):
        service.get_route(session, old[0].id)
    assert service.list_day(session, DAY + timedelta(days=1)) == []


def test_what_is_left_out_is_on_no_route_and_says_why(session: ScopedSession) -> None:
    routes = evening(session)
    visited = {stop.stairwell_code for route in routes for stop in route.stops}
    left_out = service.list_left_out(session, routes[0].id)
    candidates = {left.stairwell_code for left in left_out} | visited
    assert len(candidates) == len(left_out) + len(visited)
    for left in left_out:
        assert left.stairwell_code not in visited
        if left.reason == "traded":
            assert set(left.facts["instead_of"]) <= visited
    assert [left.prize for left in left_out] == sorted(
        (left.prize for left in left_out), reverse=True
    )


def test_without_walkways_the_route_says_so(sample_database: Clone) -> None:
    scope = Scope("job", (Interval.of(COMMUNITY),))
    with sample_database.job.session(scope) as session:
        session.execute(text("DELETE FROM gridsvc.walkway"))
        routes = evening(session)
        assert {route.network for route in routes} == {"straight"}
        assert all(len(route.line) > 2 for route in routes if route.stops)
        assert sum(route.distance_m for route in routes) > 0
        session.rollback()


def test_a_foreign_route_is_absent(sample_database: Clone) -> None:
    own = Scope("coordinator", (Interval.of(NEIGHBOUR),))
    with sample_database.api.session(own, read_only=True) as session:
        foreign = service.list_routes(session)[0]
    other = Scope("coordinator", (Interval.of(COMMUNITY),))
    with sample_database.api.session(other, read_only=True) as session:
        assert foreign.id not in {route.id for route in service.list_routes(session)}
        with pytest.raises(NotFoundError):
            service.get_route(session, foreign.id)


@pytest.mark.parametrize("role", ["planner", "contact", "resident"])
def test_there_are_no_routes_but_for_patrols_and_staff(sample_database: Clone, role: str) -> None:
    scope = Scope(role, (Interval.of(COMMUNITY),))
    with sample_database.api.session(scope, read_only=True) as session:
        assert service.list_routes(session) == []
