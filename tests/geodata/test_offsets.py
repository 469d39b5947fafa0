"""GCJ-02 and BD-09 against published vectors, both ways, and against real boundaries."""

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InvalidParameterError, UnknownCRSError
from geodata.offsets import (
    Degrees,
    Shift,
    bd09_from_gcj02,
    bd09_from_wgs84,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    to_wgs84,
    unshift,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
METRES_PER_DEGREE = 111_000

needs_vectors = pytest.mark.skipif(
    not (SHARED / "crs").is_dir(), reason="the coordinate vectors of ../shared/data/crs are absent"
)


def vectors(name: str) -> Any:
    return json.loads((SHARED / "crs" / name).read_text(encoding="utf-8"))


def columns(pairs: list[list[float]]) -> tuple[Degrees, Degrees]:
    lon, lat = np.array(pairs, dtype=np.float64).T
    return lon, lat


def farthest(left: tuple[Degrees, Degrees], right: tuple[Degrees, Degrees]) -> float:
    return float(np.abs(np.array(left) - np.array(right)).max())


@needs_vectors
def test_eviltransform_vectors_agree_both_ways() -> None:
    known = vectors("eviltransform_vectors.json")
    for pair in known["wgs84_to_gcj02"]:
        wgs, gcj = columns([pair["wgs84"][::-1]]), columns([pair["gcj02"][::-1]])
        assert farthest(gcj02_from_wgs84(lon=wgs[0], lat=wgs[1]), gcj) < 1e-12
        back = wgs84_from_gcj02(lon=gcj[0], lat=gcj[1])
        assert farthest(back, wgs) < 1e-9


@needs_vectors
def test_eviltransform_bd09_is_another_formula_and_some_tens_of_metres_off() -> None:
    known = vectors("eviltransform_vectors.json")
    for pair in known["bd09_to_wgs84"]:
        bd, wgs = columns([pair["bd09"][::-1]]), columns([pair["wgs84"][::-1]])
        assert farthest(wgs84_from_bd09(lon=bd[0], lat=bd[1]), wgs) < 50 / METRES_PER_DEGREE
        # Its ripple has another rate and its inverses are the quick ones; with these it agrees.
        x, y = bd[0] - 0.0065, bd[1] - 0.006
        radius = np.hypot(x, y) - 0.00002 * np.sin(y * np.pi)
        angle = np.arctan2(y, x) - 0.000003 * np.cos(x * np.pi)
        gcj = (radius * np.cos(angle), radius * np.sin(angle))
        twice = gcj02_from_wgs84(lon=gcj[0], lat=gcj[1])
        theirs = (2 * gcj[0] - twice[0], 2 * gcj[1] - twice[1])
        assert farthest(theirs, wgs) < known["tolerances"]["bd09_to_wgs84_deg"]


@needs_vectors
def test_a_hundred_points_round_foshan_agree() -> None:
    known = vectors("wgs84_gcj02_bd09_foshan.json")["vectors"]
    wgs = columns([vector["wgs84"] for vector in known])
    gcj = columns([vector["gcj02"] for vector in known])
    bd = columns([vector["bd09"] for vector in known])
    assert farthest(gcj02_from_wgs84(lon=wgs[0], lat=wgs[1]), gcj) < 1e-12
    assert farthest(bd09_from_gcj02(lon=gcj[0], lat=gcj[1]), bd) < 1e-12
    assert farthest(wgs84_from_gcj02(lon=gcj[0], lat=gcj[1]), wgs) < 1e-9
    assert farthest(wgs84_from_bd09(lon=bd[0], lat=bd[1]), wgs) < 1e-9


@needs_vectors
def test_664_chinese_cities_agree() -> None:
    known = [city["coords"] for city in vectors("gcoord_china_cities.json")]
    wgs = columns([city["WGS84"] for city in known])
    gcj = columns([city["GCJ02"] for city in known])
    bd = columns([city["BD09"] for city in known])
    assert farthest(gcj02_from_wgs84(lon=wgs[0], lat=wgs[1]), gcj) < 1e-4
    assert farthest(wgs84_from_gcj02(lon=gcj[0], lat=gcj[1]), wgs) < 1e-4
    assert farthest(bd09_from_gcj02(lon=gcj[0], lat=gcj[1]), bd) < 1e-5
    assert farthest(gcj02_from_bd09(lon=bd[0], lat=bd[1]), gcj) < 1e-5
    assert farthest(wgs84_from_bd09(lon=bd[0], lat=bd[1]), wgs) < 1e-4


@pytest.mark.skipif(
    not (SHARED / "boundaries").is_dir(), reason="../shared/data/boundaries is absent"
)
def test_real_districts_move_back_to_where_they_are() -> None:
    folder = SHARED / "boundaries"
    shifted = geopandas.read_file(folder / "foshan_districts_gcj02.geojson")
    true = geopandas.read_file(folder / "foshan_districts_amap_wgs84.geojson").to_crs(4547)
    before = shifted.to_crs(4547).centroid
    after = to_wgs84(shifted, source="gcj02").to_crs(4547).centroid
    wrong_m = np.array(
        [[before.x.mean() - true.centroid.x.mean()], [before.y.mean() - true.centroid.y.mean()]]
    ).ravel()
    assert wrong_m == pytest.approx([540, -290], abs=20)
    nearest_m = [float(true.centroid.distance(point).min()) for point in after]
    assert max(nearest_m) < 25


inside_lon = st.floats(73, 136)
inside_lat = st.floats(2, 55)


@settings(deadline=None)
@given(inside_lon, inside_lat)
def test_the_inverse_undoes_the_shift(lon: float, lat: float) -> None:
    here = (np.array([lon]), np.array([lat]))
    gcj = gcj02_from_wgs84(lon=lon, lat=lat)
    bd = bd09_from_wgs84(lon=lon, lat=lat)
    assert farthest(wgs84_from_gcj02(lon=gcj[0], lat=gcj[1]), here) < 1e-9
    assert farthest(wgs84_from_bd09(lon=bd[0], lat=bd[1]), here) < 1e-9


@settings(deadline=None)
@given(inside_lon, inside_lat)
def test_every_place_in_china_is_moved_by_less_than_a_kilometre_and_a_half(
    lon: float, lat: float
) -> None:
    moved = gcj02_from_wgs84(lon=lon, lat=lat)
    distance = farthest(moved, (np.array([lon]), np.array([lat]))) * METRES_PER_DEGREE
    assert 1 < distance < 1500


@settings(deadline=None)
@given(st.floats(-180, 71), st.floats(-90, 90))
def test_outside_china_nothing_moves(lon: float, lat: float) -> None:
    for move in (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_wgs84, wgs84_from_bd09):
        moved_lon, moved_lat = move(lon=lon, lat=lat)
        assert (moved_lon[0], moved_lat[0]) == (lon, lat)


@pytest.mark.parametrize("source", ["gcj02", "bd09"])
def test_a_frame_keeps_its_rows_columns_and_missing_geometries(source: Shift) -> None:
    points = GeoSeries([shapely.Point(113.15, 23.03), shapely.Point(113.2, 23.1)], index=[5, 7])
    geometry = points.reindex([5, 6, 7])
    shifted = GeoDataFrame({"name": ["a", "b", "c"]}, geometry=geometry, index=[5, 6, 7])
    moved = to_wgs84(shifted, source=source)
    assert moved.crs is not None
    assert moved.crs.to_epsg() == 4326
    assert moved.index.tolist() == [5, 6, 7]
    assert moved.geometry.isna().tolist() == [False, True, False]
    lon, lat = unshift(lon=113.15, lat=23.03, source=source)
    assert shapely.get_coordinates(moved.geometry.iloc[0]).tolist() == [[lon[0], lat[0]]]
    assert shapely.get_x(shifted.geometry.iloc[0]) == 113.15


def test_no_points_and_no_rows_give_none() -> None:
    assert len(wgs84_from_bd09(lon=[], lat=[])[0]) == 0
    assert to_wgs84(GeoDataFrame({"name": []}, geometry=[]), source="bd09").empty


def test_an_unreadable_position_stays_unreadable_and_spoils_no_other() -> None:
    lon, _ = wgs84_from_gcj02(lon=[np.nan, 113.15], lat=[23.0, 23.03])
    assert np.isnan(lon[0])
    assert lon[1] == wgs84_from_gcj02(lon=113.15, lat=23.03)[0][0]


def test_metres_are_not_shifted_degrees() -> None:
    frame = GeoDataFrame(geometry=[shapely.Point(500_000, 2_500_000)], crs=4547)
    with pytest.raises(UnknownCRSError):
        to_wgs84(frame, source="gcj02")


def test_an_unknown_shift_is_refused() -> None:
    with pytest.raises(InvalidParameterError):
        unshift(lon=113, lat=23, source="mapbar")  # type: ignore[arg-type]  # the fault is the test
