"""Entrances of a file, and the footprints that they belong to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from geodata.crs import local_metric_crs
from geodata.entrances import ENTRANCE_REACH_M, Matched, match_entrances, read_entrances
from geodata.errors import AmbiguousColumnsError, FileWithoutCRSError, UnreadableFileError
from geodata.offsets import gcj02_from_wgs84

CRS = local_metric_crs(lon=113.15, lat=23.03)
EAST, NORTH = (
    GeoDataFrame(geometry=[Point(113.15, 23.03)], crs=4326).to_crs(CRS).geometry.iloc[0].coords[0]
)


def degrees(shapes: list[Any], **columns: Any) -> GeoDataFrame:
    """Return shapes in metres from a corner as a frame; EPSG:4326."""
    origin = np.array([EAST, NORTH])
    moved = [shape and shapely.transform(shape, lambda xy: xy + origin) for shape in shapes]
    frame = GeoDataFrame(columns or {"at": range(len(shapes))}, geometry=moved, crs=CRS)
    return frame.to_crs(4326)


def buildings(*shapes: Any, codes: list[str | None] | None = None) -> GeoDataFrame:
    return degrees(list(shapes), code=codes or [None] * len(shapes))


def match(frame: GeoDataFrame, *points: Any, codes: list[str | None] | None = None) -> Matched:
    entrances = degrees(
        list(points),
        row=range(1, len(points) + 1),
        building_code=codes or [None] * len(points),
        ref=[None] * len(points),
    )
    return match_entrances(frame, entrances)


LEFT, RIGHT = box(0, 0, 40, 10), box(50, 0, 90, 10)


def test_a_point_belongs_to_the_nearest_footprint_within_reach() -> None:
    found = match(buildings(LEFT, RIGHT), Point(5, -1), Point(60, 12), Point(20, 5), Point(44, 5))
    assert found.doors["building"].tolist() == [0, 1, 0, 0]
    assert found.unmatched == []
    outlines = buildings(LEFT, RIGHT).to_crs(CRS).geometry
    for owner, door in zip(found.doors["building"], found.doors.to_crs(CRS).geometry, strict=True):
        assert outlines[owner].boundary.distance(door) < 0.01, "it is moved onto the wall"


def test_one_that_is_further_from_all_is_told_with_its_distance() -> None:
    found = match(buildings(LEFT, RIGHT), Point(20, -ENTRANCE_REACH_M - 1), Point(20, -4.9))
    assert found.doors["building"].tolist() == [0]
    (one,) = found.unmatched
    assert (one.row, one.building_code) == (1, None)
    assert one.why.en == (
        "The entrance of row 1 lies 6.0 m from the nearest building of the file; 5 m are allowed."
    )
    assert "6.0 米" in one.why.zh
    assert one.point is not None


def test_a_code_decides_whose_it_is_but_not_from_afar() -> None:
    frame = buildings(LEFT, RIGHT, codes=["a", "b"])
    found = match(
        frame, Point(46, 5), Point(46, 5), Point(5, 5), Point(5, 0), codes=["b", "a", "b", "c"]
    )
    assert found.doors["building"].tolist() == [1]
    reasons = [one.why.en for one in found.unmatched]
    assert reasons == [
        "The entrance of row 2 lies 6.0 m from its building a; 5 m are allowed.",
        "The entrance of row 3 lies 45.0 m from its building b; 5 m are allowed.",
        "The entrance of row 4 names building c, which the file does not have.",
    ]


def test_what_is_no_point_or_no_area_matches_nothing() -> None:
    bow = shapely.Polygon([(0, 0), (40, 10), (40, 0), (0, 10)])
    nothing = match(buildings(bow, None), Point(20, 5), None, box(0, 0, 1, 1))
    assert nothing.doors.empty
    assert [one.row for one in nothing.unmatched] == [1, 2, 3]
    told = "is no point, or the file has no building"
    assert all(told in one.why.en for one in nothing.unmatched)
    assert match(buildings(LEFT)).unmatched == []
    assert match(buildings()).doors.empty


@given(st.lists(st.tuples(st.floats(-30, 130), st.floats(-30, 40)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_every_entrance_is_matched_to_a_near_building_or_told(
    places: list[tuple[float, float]],
) -> None:
    points = [Point(round(x, 2), round(y, 2)) for x, y in places]
    found = match(buildings(LEFT, RIGHT), *points)
    distances = np.array([[shape.distance(point) for shape in (LEFT, RIGHT)] for point in points])
    sure = np.abs(distances.min(axis=1) - ENTRANCE_REACH_M) > 0.05
    told = {one.row - 1 for one in found.unmatched}
    assert len(found.doors) + len(told) == len(points)
    for place in np.flatnonzero(sure):
        assert (place in told) == (distances[place].min() > ENTRANCE_REACH_M)


def geojson(path: Path, features: list[tuple[dict[str, Any], Any]]) -> Path:
    document = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": told, "geometry": shapely.geometry.mapping(shape)}
            for told, shape in features
        ],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["楼栋编码", "building_code", "CODE", "所属楼栋"])
def test_the_column_of_the_building_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    told = {name: " 440605011001001001 ", "单元": "A", "备注": "x"}
    found = read_entrances(geojson(tmp_path / "a.geojson", [(told, Point(113, 23))]))
    assert found["building_code"].tolist() == ["440605011001001001"]
    assert found["ref"].tolist() == ["A"]
    assert found["row"].tolist() == [1]


def test_points_without_columns_are_entrances_too(tmp_path: Path) -> None:
    found = read_entrances(geojson(tmp_path / "a.geojson", [({}, Point(113, 23))]))
    assert found["building_code"].isna().all()
    assert found["ref"].isna().all()


def test_two_columns_of_one_meaning_are_refused(tmp_path: Path) -> None:
    told = {"code": "1", "楼栋编码": "2"}
    with pytest.raises(AmbiguousColumnsError, match="楼栋编码"):
        read_entrances(geojson(tmp_path / "a.geojson", [(told, Point(113, 23))]))


def test_what_they_are_in_is_declared_as_of_every_other_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("楼栋编码,lon,lat\n1,113.15,23.03\n", encoding="utf-8")
    with pytest.raises(FileWithoutCRSError):
        read_entrances(tmp_path / "a.csv")
    shifted = read_entrances(tmp_path / "a.csv", crs="gcj02").geometry
    back = gcj02_from_wgs84(lon=shifted.x.to_numpy(), lat=shifted.y.to_numpy())
    assert (back[0][0], back[1][0]) == pytest.approx((113.15, 23.03), abs=1e-7)
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_entrances(tmp_path / "none.geojson")
