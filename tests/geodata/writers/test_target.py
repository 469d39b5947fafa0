"""Coordinates of exports: EPSG codes and the shifts, each saying what it is."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from geodata.errors import CRSOutOfReachError, FormatCRSError, UnknownCRSError
from geodata.offsets import wgs84_from_bd09, wgs84_from_gcj02
from geodata.writers.formats import FORMATS
from geodata.writers.target import STORED, parse_target


@pytest.mark.parametrize("text", ["EPSG:4547", "epsg:4547", " 4547 "])
def test_a_code_is_told_in_any_spelling(text: str) -> None:
    target = parse_target(text)
    assert (target.name, target.word, target.is_angular) == ("EPSG:4547", "epsg4547", False)
    assert target.crs == CRS.from_epsg(4547)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "EPSG:999999",
        "EPSG:5773",
        "EPSG:4978",
        "EPSG:4979",
        "+proj=longlat",
        "gcj-02",
        "4326x",
    ],
)
def test_what_is_no_crs_of_a_map_is_refused(text: str) -> None:
    with pytest.raises(UnknownCRSError):
        parse_target(text)


def test_the_stored_crs_changes_nothing() -> None:
    points = shapely.points([[113.15, 23.03]])
    assert parse_target("4326") == STORED
    assert STORED.apply(points) is points


def test_metres_are_those_of_the_zone_easting_first() -> None:
    (point,) = parse_target("EPSG:4547").apply(shapely.points([[113.15, 23.03]]))
    expected = Transformer.from_crs(4326, 4547, always_xy=True).transform(113.15, 23.03)
    assert (point.x, point.y) == pytest.approx(expected, abs=1e-6)
    assert 400_000 < point.x < 500_000, "west of the meridian of 114 degrees"


@given(lon=st.floats(73, 135), lat=st.floats(4, 53), name=st.sampled_from(["gcj02", "bd09"]))
@settings(max_examples=60, deadline=None)
def test_a_shift_can_be_undone(lon: float, lat: float, name: str) -> None:
    undo = {"gcj02": wgs84_from_gcj02, "bd09": wgs84_from_bd09}[name]
    (moved,) = parse_target(name).apply(shapely.points([[lon, lat]]))
    back = np.concatenate(undo(lon=[moved.x], lat=[moved.y]))
    assert back.tolist() == pytest.approx([lon, lat], abs=1e-8)
    assert moved.distance(shapely.Point(lon, lat)) > 0


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_no_program_takes_a_shift_for_a_crs_that_it_knows(name: str) -> None:
    crs = parse_target(name).crs
    assert crs.to_epsg() is None
    assert crs.name.startswith({"gcj02": "GCJ-02", "bd09": "BD-09"}[name])
    with pytest.raises(ProjError):
        Transformer.from_crs(crs, CRS.from_epsg(4326))


def test_a_place_that_a_crs_does_not_reach_is_refused() -> None:
    with pytest.raises(CRSOutOfReachError, match="EPSG:2154"):
        parse_target("EPSG:2154").apply(shapely.points([[113.15, 23.03], [113.15, -90.0]]))


@pytest.mark.parametrize("name", ["geojson", "geojsons"])
def test_geojson_is_in_degrees_of_wgs_84_or_says_that_it_is_shifted(name: str) -> None:
    with pytest.raises(FormatCRSError, match="7946"):
        FORMATS[name].check(parse_target("EPSG:4547"))
    FORMATS[name].check(STORED)
    FORMATS[name].check(parse_target("gcj02"))
    FORMATS["gpkg"].check(parse_target("EPSG:4547"))


@pytest.mark.parametrize(
    ("crs", "name"),
    [("4326", "gates.gpkg"), ("4547", "gates.epsg4547.gpkg"), ("gcj02", "gates.gcj02.gpkg")],
)
def test_the_name_of_a_file_tells_its_coordinates(crs: str, name: str) -> None:
    assert FORMATS["gpkg"].file_name("gates", parse_target(crs)) == name
