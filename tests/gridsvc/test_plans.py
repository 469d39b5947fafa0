"""Hot queries use their index under row-level security, as the role that serves."""

# ruff: noqa: S608 - numbers and words of our own

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gridsvc.db import Database, Interval, Scope
from gridsvc.incidents import service as incidents
from gridsvc.incidents.reporting import store as reporting_store
from gridsvc.incidents.reporting.model import ENDED, Spot
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.plans import indexes, plan_of, scans, tile_of

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
TILE = (19, 426934, 227656)


@pytest.fixture(scope="module")
def crowded(cluster: object, town_template: str) -> Iterator[Clone]:
    """The town with 40,000 walkways and 40,000 incidents more, spread over both communities."""
    clone = make_clone(cluster, town_template)  # type: ignore[arg-type]
    place = "113.15 + random() * 0.008, 23.03 + random() * 0.004"
    clone.run(
        "INSERT INTO gridsvc.walkway (community_code, id, kind, geom)"
        f" SELECT {A} + (n & 1), gen_random_uuid(), 'footpath', ST_SetSRID(ST_MakeLine(p,"
        "  ST_Translate(p, 0.00001, 0)), 4326)"
        f" FROM generate_series(1, 40000) n, lateral (SELECT ST_MakePoint({place} + 0 * n) AS p) o",
        "INSERT INTO gridsvc.incident (community_code, id, category_code, status, reported_at,"
        " summary, place, geom)"
        f" SELECT {A} + (n & 1), gen_random_uuid(), 'lift.fault', 'reported',"
        "  now() - n * interval '1 minute', '', 'community',"
        f"  ST_SetSRID(ST_MakePoint({place}), 4326) FROM generate_series(1, 40000) n",
        "ANALYZE",
    )
    yield clone
    drop(clone)


def scope(code: int) -> Scope:
    return Scope("coordinator", (Interval.of(code),))


def read_tile(session: Session) -> object:
    return tile_of(session, "walkways", TILE)


@pytest.mark.parametrize("code", [A, STREET])
def test_a_tile_is_read_by_the_spatial_index(crowded: Clone, code: int) -> None:
    found = plan_of(crowded.api, scope(code), read_tile)
    assert "walkway_geom_idx" in indexes(found)
    assert "walkway" not in scans(found)


def test_without_the_leakproof_mark_the_spatial_index_is_lost(crowded: Clone) -> None:
    """The test above can fail: this is what it would find."""
    mark = "ALTER FUNCTION public.geometry_overlaps(geometry, geometry) {} LEAKPROOF"
    crowded.run(mark.format("NOT"))
    try:
        found = plan_of(crowded.api, scope(A), read_tile)
        assert "walkway_geom_idx" not in indexes(found)
        by_key = plan_of(Database(crowded.api.engine, is_leakproof=False), scope(A), read_tile)
        assert indexes(by_key) <= {"walkway_cell_idx", "walkway_pkey"}
        assert "walkway" not in scans(by_key)
    finally:
        crowded.run(mark.format(""))


def test_the_newest_incidents_of_a_community_come_from_its_index(crowded: Clone) -> None:
    found = plan_of(
        crowded.api, scope(A), lambda session: incidents.list_incidents(session, limit=100)
    )
    assert indexes(found) == {"incident_reported_idx"}
    assert not scans(found)
    assert all(node["Plan Rows"] < 40_000 for node in found)


def test_the_next_page_starts_where_the_last_one_ended(crowded: Clone) -> None:
    with crowded.api.session(scope(A), read_only=True) as session:
        first = incidents.list_incidents(session, limit=100)
    before = (first[-1].reported_at, first[-1].id)
    found = plan_of(
        crowded.api,
        scope(A),
        lambda session: incidents.list_incidents(session, before=before, limit=100),
    )
    assert indexes(found) == {"incident_reported_idx"}


def test_one_incident_is_found_by_its_id(crowded: Clone) -> None:
    incident_id = town.id_of("incident", A, "lift.fault", 0)
    found = plan_of(crowded.api, scope(STREET), lambda session: incidents.get(session, incident_id))
    assert indexes(found) == {"incident_id_idx"}


def test_what_is_reported_nearby_is_found_by_the_spatial_index(crowded: Clone) -> None:
    lon, lat = town.place(A, 20, 20)
    spot = Spot(A, "community", lon, lat)
    found = plan_of(
        crowded.api,
        Scope("resident", (Interval(A, A),)),
        lambda session: reporting_store.list_similar(
            session,
            spot,
            class_code="lift",
            ended=ENDED,
            since=datetime.now(UTC) - timedelta(days=28),
            within_m=50,
            limit=5,
        ),
    )
    assert "incident_geom_idx" in indexes(found)
    assert "incident" not in scans(found)


def test_the_incidents_of_a_stairwell_are_counted_in_their_community(crowded: Clone) -> None:
    found = plan_of(
        crowded.api,
        scope(STREET),
        lambda session: incidents.count_by_stairwell(session, community_code=A),
    )
    assert indexes(found) & {"incident_stairwell_idx", "incident_reported_idx", "incident_pkey"}
    assert "incident" not in scans(found)


def test_jit_is_off_and_statements_have_a_time_limit(crowded: Clone) -> None:
    with crowded.api.engine.connect() as connection:
        assert connection.scalar(text("SHOW jit")) == "off"
        assert connection.scalar(text("SHOW statement_timeout")) == "30s"
