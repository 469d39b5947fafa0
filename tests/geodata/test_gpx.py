"""GPX: valid against the schema, and read back by another program (GDAL)."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import shapely
import xmlschema
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series
from pyogrio import read_dataframe
from shapely.geometry import LineString, MultiLineString

from geodata.errors import InvalidParameterError, UndeclaredCRSError
from geodata.gpx import route_gpx

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "fixtures" / "gpx11_subset.xsd")

WAY = LineString([(113.15, 23.03), (113.151, 23.03), (113.152, 23.0312345678)])


def three_stops() -> GeoDataFrame:
    """Return stops out of order, one without a name, one without a time."""
    return GeoDataFrame(
        {
            "order": [2, 1, 3],
            "name": ["翠颐 12栋 <2梯> & 车棚", "Start", None],
            "time": pd.to_datetime(
                Series(["2026-11-22 20:15+08:00", "2026-11-22 20:00+08:00", None]), utc=True
            ).dt.tz_convert("Asia/Shanghai"),
        },
        geometry=shapely.points([(113.151, 23.03), (113.15, 23.03), (113.152, 23.0312)]),
        crs=4326,
    )


def written(folder: Path, document: bytes) -> Path:
    path = folder / "route.gpx"
    path.write_bytes(document)
    return path


def test_the_document_fits_the_schema() -> None:
    document = route_gpx(
        name="夜巡",
        track=WAY,
        stops=three_stops(),
        created_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    )
    SCHEMA.validate(document.decode())


def test_the_schema_can_fail() -> None:
    document = route_gpx(name="夜巡", track=WAY, stops=three_stops()).decode()
    assert SCHEMA.is_valid(document)
    assert not SCHEMA.is_valid(document.replace("<rte>", "<rte><stray />", 1))
    assert not SCHEMA.is_valid(document.replace('lat="23.', 'lat="123.', 1))
    assert not SCHEMA.is_valid(document.replace('version="1.1"', 'version="1.0"', 1))


def test_gdal_reads_the_stops_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, route_gpx(name="夜巡", track=WAY, stops=three_stops()))
    for layer in ("route_points", "waypoints"):
        stops = read_dataframe(path, layer=layer)
        assert stops["name"].tolist() == ["Start", "翠颐 12栋 <2梯> & 车棚", "3"]
        assert shapely.get_x(stops.geometry.array).tolist() == [113.15, 113.151, 113.152]
        assert stops["time"].iloc[1] == pd.Timestamp("2026-11-22 12:15", tz="UTC")
        assert pd.isna(stops["time"].iloc[2])
    assert read_dataframe(path, layer="routes")["name"].tolist() == ["夜巡"]


def test_gdal_reads_one_segment_a_leg(tmp_path: Path) -> None:
    legs = MultiLineString([WAY, LineString([(113.16, 23.04), (113.161, 23.041)])])
    path = written(tmp_path, route_gpx(name="two legs", track=legs, stops=three_stops()))
    track = read_dataframe(path, layer="tracks").geometry.iloc[0]
    assert track.equals_exact(legs, 1e-7)


def test_stops_come_in_any_crs(tmp_path: Path) -> None:
    stops = three_stops().to_crs(4547)
    path = written(tmp_path, route_gpx(name="metres", track=WAY, stops=stops))
    read = read_dataframe(path, layer="waypoints")
    assert shapely.get_y(read.geometry.iloc[0]) == pytest.approx(23.03, abs=1e-6)


def test_a_route_without_stops_and_track_is_still_a_document() -> None:
    nothing = route_gpx(name="none", track=LineString(), stops=three_stops().iloc[:0])
    SCHEMA.validate(nothing.decode())
    assert b"<rte>" not in nothing
    assert b"<trk>" not in nothing


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_name_makes_a_valid_document(name: str) -> None:
    stops = three_stops().assign(name=name)
    SCHEMA.validate(route_gpx(name=name, track=WAY, stops=stops, creator=name).decode())


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90))
def test_any_position_is_valid(lon: float, lat: float) -> None:
    stops = three_stops().set_geometry(shapely.points([(lon, lat)] * 3), crs=4326)
    SCHEMA.validate(route_gpx(name="anywhere", track=WAY, stops=stops).decode())


def test_a_time_without_a_zone_is_refused() -> None:
    stops = three_stops()
    stops["time"] = pd.to_datetime(["2026-11-22 20:00"] * 3)
    with pytest.raises(InvalidParameterError, match="time zone"):
        route_gpx(name="when", track=WAY, stops=stops)


def test_stops_that_are_no_places_are_refused() -> None:
    stops = three_stops()
    with pytest.raises(InvalidParameterError, match="time"):
        route_gpx(name="x", track=WAY, stops=stops.drop(columns="time"))
    with pytest.raises(InvalidParameterError, match="points only"):
        route_gpx(name="x", track=WAY, stops=stops.set_geometry([WAY] * 3, crs=4326))
    with pytest.raises(InvalidParameterError, match="position"):
        route_gpx(name="x", track=WAY, stops=stops.set_geometry([shapely.Point()] * 3, crs=4326))
    columns = {"order": [1], "name": ["Start"], "time": [None]}
    nowhere = GeoDataFrame(columns, geometry=[shapely.Point(1, 2)])
    with pytest.raises(UndeclaredCRSError):
        route_gpx(name="x", track=WAY, stops=nowhere)
