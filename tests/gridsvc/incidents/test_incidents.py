"""Incidents in bulk: where they fall, that they are counted, and what of them is released."""

from datetime import UTC, date, datetime
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from geopandas import GeoDataFrame, points_from_xy
from sqlalchemy import select, text

from geodata.categories import Category, load_categories
from geodata.heat import MAX_LAT_DEG, cells_of
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import RoleNotAllowedError, UnknownCategoryError
from gridsvc.incidents import service, store
from gridsvc.incidents.service import HeatFilter
from gridsvc.incidents.tables import CategoryRow, HeatCellRow
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def reports(places: list[tuple[float, float]], **more: object) -> GeoDataFrame:
    """Return an open incident at each place."""
    count = len(places)
    frame = {
        "id": [str(uuid4()) for _ in places],
        "category_code": ["lift.fault"] * count,
        "status": ["reported"] * count,
        "reported_at": pd.to_datetime(["2020-05-05T00:00:00Z"] * count, utc=True),
        "closed_at": pd.DatetimeIndex([pd.NaT] * count, tz="UTC"),
        "summary": [""] * count,
    } | more
    lons, lats = zip(*places, strict=True) if places else ((), ())
    return GeoDataFrame(frame, geometry=points_from_xy(lons, lats), crs="EPSG:4326")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (town.place(A, 5, 6), (A, "stairwell")),
        (town.place(A, 8, 7), (A, "stairwell")),  # on the wall between two stairwells
        (town.place(A, 4, 5), (A, "stairwell")),  # at a corner of the house
        (town.place(A, 10, 15), (A, "compound")),
        (town.place(A, 1, 20), (A, "compound")),  # on the fence
        (town.place(A, 20, 20), (A, "community")),
        (town.place(A, 40, 20), (A, "community")),  # on the border: the lower code
        (town.place(B, 0.5, 20), (B, "community")),
        (town.place(A, 40, 40), (A, "community")),  # where four corners meet
        (town.place(A, 20, 40.001), (STREET, "outside")),
        ((0.0, 0.0), (STREET, "outside")),
        ((180.0, 85.0), (STREET, "outside")),
        ((-180.0, -85.0), (STREET, "outside")),
    ],
)
def test_a_point_falls_in_the_smallest_grid_that_covers_it(
    town_session: ScopedSession, place: tuple[float, float], expected: tuple[int, str]
) -> None:
    added = service.add_many(town_session, reports([place]))
    assert [tuple(row) for row in added[["community_code", "place"]].to_numpy()] == [expected]


def test_the_wall_between_two_stairwells_belongs_to_the_lower_code(
    town_session: ScopedSession,
) -> None:
    added = service.add_many(town_session, reports([town.place(A, 8, 7)]))
    found = service.get(town_session, added["id"].iloc[0])
    assert found.stairwell_code == town.stairwell_code(A, number=1)


def test_incidents_that_are_there_are_left_as_they_are(town_session: ScopedSession) -> None:
    batch = reports([town.place(A, 5, 6), town.place(B, 5, 6), town.place(A, 20, 60)])
    before = service.count_by_class(town_session)["lift"]
    assert len(service.add_many(town_session, batch)) == 3
    assert len(service.add_many(town_session, batch)) == 0
    assert service.count_by_class(town_session)["lift"] == before + 3
    cells, totals = service.read_heat(town_session, HeatFilter(class_code="lift"))
    assert totals.shown == cells["incident_count"].sum() == before + 3


def test_no_incidents_add_nothing(town_session: ScopedSession) -> None:
    added = service.add_many(town_session, reports([]))
    assert list(added.columns) == ["id", "community_code", "place"]
    assert len(added) == 0


def test_an_unknown_category_stops_the_whole_load(town_session: ScopedSession) -> None:
    batch = reports([town.place(A, 5, 6)] * 2, category_code=["lift.fault", "weather.rain"])
    before = sum(service.count_by_class(town_session).values())
    with pytest.raises(UnknownCategoryError, match=r"'weather.rain': see /api/v1/categories"):
        service.add_many(town_session, batch)
    assert sum(service.count_by_class(town_session).values()) == before


def test_progress_is_told_and_batches_add_up(
    town_session: ScopedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_BATCH", 4)
    told: list[tuple[str, int, int]] = []
    batch = reports([town.place(A, 5, 6)] * 10)
    added = service.add_many(town_session, batch, progress=lambda *said: told.append(said))
    assert len(added) == 10
    assert told == [("incidents", 4, 10), ("incidents", 8, 10), ("incidents", 10, 10)]


def test_only_the_job_loads_and_releases(town_database: Clone) -> None:
    scope = Scope("administrator", (Interval.of(STREET),))
    with town_database.api.session(scope) as session:
        with pytest.raises(RoleNotAllowedError):
            service.add_many(session, reports([town.place(A, 5, 6)]))
        with pytest.raises(RoleNotAllowedError):
            service.release_heat(session)


# ---- the catalogue


def test_the_catalogue_is_written_once_and_in_order(empty_session: ScopedSession) -> None:
    service.apply_catalogue(empty_session)
    service.apply_catalogue(empty_session)
    assert service.list_categories(empty_session) == list(load_categories())


def test_a_category_that_is_no_longer_named_is_retired_not_deleted(
    empty_session: ScopedSession,
) -> None:
    kept, dropped = (
        Category("lift", None, "电梯", "Lift", True),
        Category("tea", None, "茶", "Tea", True),
    )
    store.put_categories(empty_session, [kept, dropped])
    store.put_categories(empty_session, [kept])
    assert service.list_categories(empty_session) == [kept]
    retired = empty_session.scalars(select(CategoryRow.code).where(CategoryRow.is_retired))
    assert retired.all() == ["tea"]
    store.put_categories(empty_session, [kept, dropped])
    assert service.list_categories(empty_session) == [kept, dropped]


# ---- heat


def test_the_database_and_geodata_number_cells_alike(empty_session: ScopedSession) -> None:
    random = np.random.default_rng(7)
    lon = random.uniform(-180, 180, 10_000)
    lat = random.uniform(-MAX_LAT_DEG, MAX_LAT_DEG, 10_000)
    lon[:4], lat[:4] = [-180, 180, 0, 113.15], [MAX_LAT_DEG, -MAX_LAT_DEG, 0, 23.03]
    rows = empty_session.execute(
        text(
            "SELECT gridsvc.cell_x(p), gridsvc.cell_y(p) FROM unnest(CAST(:lon AS float8[]),"
            " CAST(:lat AS float8[])) WITH ORDINALITY AS o (lon, lat, n),"
            " lateral (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS p) AS made ORDER BY n"
        ),
        {"lon": lon.tolist(), "lat": lat.tolist()},
    ).all()
    x, y = cells_of(lon=lon, lat=lat)
    assert [row[0] for row in rows] == x.tolist()
    assert [row[1] for row in rows] == y.tolist()


@pytest.mark.parametrize("zoom", [14, 16, 18, 20])
def test_heat_at_every_zoom_adds_up_to_the_same(town_session: ScopedSession, zoom: int) -> None:
    cells, totals = service.read_heat(town_session, HeatFilter(), zoom=zoom)
    assert cells["incident_count"].sum() == totals.shown == 36
    assert (totals.withheld, totals.through) == (0, None)
    assert (cells["zoom"] == zoom).all()
    assert cells.crs == "EPSG:4326"
    assert cells[["x", "y"]].drop_duplicates().shape[0] == len(cells)
    incidents = town.make_incidents()
    inside = incidents.sjoin(cells, predicate="intersects").groupby(level=0).size()
    assert (inside >= 1).all(), "every incident lies in a cell"


def test_heat_of_no_incidents_is_an_empty_frame(empty_session: ScopedSession) -> None:
    cells, totals = service.read_heat(empty_session, HeatFilter())
    assert (len(cells), totals.shown) == (0, 0)
    assert list(cells.columns) == ["zoom", "x", "y", "incident_count", "geometry"]


def test_each_cell_counts_what_lies_in_it_by_class_and_local_month(
    town_session: ScopedSession,
) -> None:
    incidents = town.make_incidents()
    x, y = cells_of(lon=incidents.geometry.x, lat=incidents.geometry.y)
    local = incidents["reported_at"].dt.tz_convert("Asia/Shanghai")
    expected = (
        pd.DataFrame(
            {
                "x": x,
                "y": y,
                "month": local.dt.strftime("%Y-%m-01"),
                "class_code": incidents["category_code"].str.split(".").str[0],
            }
        )
        .value_counts()
        .to_dict()
    )
    row = HeatCellRow
    stored = town_session.execute(
        select(row.cell_x, row.cell_y, row.month, row.class_code, row.incident_count)
    )
    assert {(x, y, str(month), code): n for x, y, month, code, n in stored} == expected


def test_a_release_tells_all_or_withholds_it(town_session: ScopedSession) -> None:
    totals = service.release_heat(town_session, today=date(2020, 6, 20))
    assert totals.through == date(2020, 5, 1)
    told = town_session.execute(
        text(
            "SELECT t.community_code, shown, withheld, sum(c.incident_count) AS everything,"
            " (SELECT sum(incident_count) FROM gridsvc.heat_release r"
            "  WHERE r.community_code = t.community_code) AS in_cells"
            " FROM gridsvc.heat_release_total t JOIN gridsvc.heat_cell c USING (community_code)"
            " WHERE c.month <= t.through GROUP BY 1, 2, 3 ORDER BY 1"
        )
    ).all()
    assert [tuple(row) for row in told] == [
        (A, 24, 0, 24, 24),
        (B, 0, None, 3, None),  # three in May: not even the total is told
    ]


def test_what_everybody_can_count_is_no_key_to_the_rest(town_session: ScopedSession) -> None:
    """One theft among twenty public reports: nobody subtracts, whoever counts in public."""
    before = service.release_heat(town_session, today=town.RELEASE_DAY)
    shown = dict(released(town_session))
    theft = reports([town.place(A, 5, 6)], category_code=["security.theft"])
    service.add_many(town_session, theft)
    after = service.release_heat(town_session, today=town.RELEASE_DAY)
    assert dict(released(town_session)) == shown
    assert after.shown == before.shown
    assert after.withheld is None, "a total would tell of the one"


def released(session: ScopedSession) -> list[tuple[int, int]]:
    """Return what the cells of each community add up to."""
    rows = session.execute(
        text(
            "SELECT community_code, sum(incident_count) FROM gridsvc.heat_release"
            " GROUP BY 1 ORDER BY 1"
        )
    )
    return [(code, int(total)) for code, total in rows]


def test_a_release_takes_the_place_of_the_last_one(town_session: ScopedSession) -> None:
    first = service.release_heat(town_session, today=town.RELEASE_DAY)
    again = service.release_heat(town_session, today=town.RELEASE_DAY)
    assert first == again
    least = town_session.scalar(text("SELECT min(incident_count) FROM gridsvc.heat_release"))
    assert least is not None
    assert least >= 5


def test_a_release_in_january_reaches_to_december(town_session: ScopedSession) -> None:
    totals = service.release_heat(town_session, today=date(2021, 1, 1))
    assert totals.through == date(2020, 12, 1)


def test_nothing_to_release_releases_nothing(empty_session: ScopedSession) -> None:
    totals = service.release_heat(empty_session, today=town.RELEASE_DAY)
    assert (totals.shown, totals.withheld, totals.through) == (0, 0, None)


# ---- reading


def test_incidents_come_newest_first_and_before_a_moment(town_session: ScopedSession) -> None:
    found = service.list_incidents(town_session, limit=1000)
    keys = [(incident.reported_at, incident.id) for incident in found]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == 36
    rest = service.list_incidents(town_session, before=keys[9], limit=1000)
    assert [(incident.reported_at, incident.id) for incident in rest] == keys[10:]
    assert found[-1].reported_at == datetime(2020, 5, 4, 20, tzinfo=UTC)


def test_counts_name_every_class_and_place(town_session: ScopedSession) -> None:
    assert service.count_by_place(town_session) == {
        "stairwell": 28,
        "compound": 5,
        "community": 1,
        "outside": 2,
    }
    assert service.count_by_stairwell(town_session, community_code=A) == {
        town.stairwell_code(A): 12,
        town.stairwell_code(A, compound=2, building=2, number=3): 9,
    }
    assert service.count_by_class(town_session)["public_facility"] == 0
