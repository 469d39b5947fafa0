"""Splitting footprints into stairwells: what the pieces of any footprint keep to."""

from math import pi

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import MultiPoint, Point, Polygon, affinity, box
from shapely.geometry.base import BaseGeometry

from geodata.crs import local_metric_crs
from geodata.stairwells import split_footprints

LON, LAT = 113.15, 23.03
CRS = local_metric_crs(lon=LON, lat=LAT)
ORIGIN = GeoSeries([Point(LON, LAT)], crs=4326).to_crs(CRS).get_coordinates().to_numpy()[0]


def on_the_ground(*shapes: BaseGeometry) -> GeoDataFrame:
    """Place shapes given in metres near Guicheng; EPSG:4326."""
    placed = [affinity.translate(shape, *ORIGIN) for shape in shapes]
    return GeoDataFrame(geometry=placed, crs=CRS).to_crs(4326)


def l_shape(width: float, length: float, wing: float) -> Polygon:
    return Polygon([(0, 0), (length, 0), (length, width), (width, width), (width, wing), (0, wing)])


def u_shape(width: float, length: float, wing: float) -> BaseGeometry:
    outer = box(0, 0, length, wing + width)
    return outer.difference(box(width, width, length - width, wing + width + 1))


def assert_a_partition(footprint: BaseGeometry, pieces: GeoDataFrame) -> None:
    shapes = pieces.geometry.to_numpy()
    assert all(isinstance(shape, Polygon) and shape.area > 0 for shape in shapes)
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shapes).sum() == pytest.approx(footprint.area, rel=1e-9)
    assert shapely.coverage_is_valid(shapes)  # equal vertices where they touch, no overlap
    outside = shapely.difference(shapely.union_all(shapes), footprint)
    assert outside.area <= 1e-9 * footprint.area


def metric_areas(pieces: GeoDataFrame) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = shapely.area(pieces.to_crs(CRS).geometry.to_numpy())
    return areas


angles = st.floats(0, 2 * pi)
coordinates = st.floats(-60, 60).map(lambda value: round(value, 2))
hulls = (
    st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12)
    .map(lambda points: MultiPoint(points).convex_hull)
    .filter(lambda hull: isinstance(hull, Polygon) and hull.area > 20)
)
concave = st.builds(
    lambda shape, width, length, wing, angle: affinity.rotate(
        shape(width, length, wing), angle, origin=(0, 0), use_radians=True
    ),
    st.sampled_from([l_shape, u_shape]),
    st.floats(8, 20),
    st.floats(45, 120),
    st.floats(25, 120),
    angles,
)


@given(hulls)
@settings(deadline=None, max_examples=60)
def test_a_convex_footprint_is_cut_into_slices_of_equal_area(hull: Polygon) -> None:
    building = on_the_ground(hull)
    pieces = split_footprints(building, entrances=None)
    assert_a_partition(building.geometry.iloc[0], pieces)
    areas = metric_areas(pieces)
    assert areas == pytest.approx(areas.mean(), rel=0.02)


@given(concave)
@settings(deadline=None, max_examples=60)
def test_the_pieces_of_a_concave_footprint_are_connected_and_as_many_as_its_length_asks(
    shape: Polygon,
) -> None:
    building = on_the_ground(shape)
    pieces = split_footprints(building, entrances=None)
    assert_a_partition(building.geometry.iloc[0], pieces)
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    length_m = np.hypot(*np.diff(corners[:3], axis=0).T).max()
    assert abs(len(pieces) - length_m / 16) <= 0.5 + 1e-3


@given(concave, st.lists(st.floats(0, 1), min_size=2, max_size=9), st.booleans())
@settings(deadline=None, max_examples=60)
def test_cells_round_entrances_partition_a_concave_footprint(
    shape: Polygon, places: list[float], lettered: bool
) -> None:
    building = on_the_ground(shape)
    outline = building.boundary.iloc[0]
    doors = [outline.interpolate(place, normalized=True) for place in places]
    refs = [chr(65 + number) if lettered else None for number in range(len(doors))]
    entrances = GeoDataFrame({"ref": refs}, geometry=doors, crs=4326)
    pieces = split_footprints(building, entrances=entrances)
    assert_a_partition(building.geometry.iloc[0], pieces)


@pytest.mark.parametrize(("length_m", "count"), [(10, 1), (23, 1), (25, 2), (64, 4), (72.5, 5)])
def test_a_slab_has_a_stairwell_every_sixteen_metres(length_m: float, count: int) -> None:
    pieces = split_footprints(on_the_ground(box(0, 0, length_m, 12 / 2)), entrances=None)
    assert len(pieces) == count
    assert set(pieces["split_by"]) == {"whole" if count == 1 else "length"}


def test_a_wider_stairwell_makes_fewer() -> None:
    building = on_the_ground(box(0, 0, 64, 12))
    assert len(split_footprints(building, entrances=None, stairwell_width_m=32)) == 2


def test_a_very_long_wall_has_as_many_stairwells_as_codes_have_room_for() -> None:
    assert len(split_footprints(on_the_ground(box(0, 0, 3000, 12)), entrances=None)) == 99


def test_a_courtyard_stays_a_courtyard() -> None:
    ring = box(0, 0, 60, 60).difference(box(15, 15, 45, 45))
    building = on_the_ground(ring)
    pieces = split_footprints(building, entrances=None)
    assert len(pieces) == 4
    assert_a_partition(building.geometry.iloc[0], pieces)


def test_doors_with_letters_name_their_stairwells_and_shops_have_none() -> None:
    building = on_the_ground(box(0, 0, 60, 12))
    doors = on_the_ground(Point(10, 0), Point(50, 0), Point(30, 12), Point(10, 12), Point(50, 12))
    doors["ref"] = ["A", "B", None, "A", "B"]  # front and back doors
    pieces = split_footprints(building, entrances=doors)
    assert list(pieces["ref"]) == ["A", "B"]
    assert metric_areas(pieces) == pytest.approx([360, 360], rel=1e-3)


def test_doors_without_letters_count_where_no_door_has_one() -> None:
    building = on_the_ground(box(0, 0, 60, 12))
    doors = on_the_ground(Point(15, 0), Point(45, 0), Point(46, 0))  # the last two are one
    doors["ref"] = None
    pieces = split_footprints(building, entrances=doors)
    assert metric_areas(pieces) == pytest.approx([30.25 * 12, 29.75 * 12], rel=1e-3)
    assert set(pieces["split_by"]) == {"entrances"}


def test_one_known_door_does_not_say_how_many_stairwells_there_are() -> None:
    doors = on_the_ground(Point(15, 0))
    doors["ref"] = "A"
    pieces = split_footprints(on_the_ground(box(0, 0, 64, 12)), entrances=doors)
    assert list(pieces["split_by"]) == ["length"] * 4


def test_a_door_away_from_every_wall_counts_for_no_building() -> None:
    doors = on_the_ground(Point(15, -3), Point(45, -3))
    doors["ref"] = ["A", "B"]
    pieces = split_footprints(on_the_ground(box(0, 0, 64, 12)), entrances=doors)
    assert set(pieces["split_by"]) == {"length"}


def test_pieces_carry_the_index_of_their_building() -> None:
    buildings = on_the_ground(box(0, 0, 32, 12), box(100, 0, 110, 12)).set_axis(["east", "west"])
    pieces = split_footprints(buildings, entrances=None)
    assert list(pieces["building"]) == ["east", "east", "west"]


def test_no_buildings_give_no_pieces() -> None:
    nothing = GeoDataFrame(geometry=[], crs=4326)
    assert split_footprints(nothing, entrances=None).empty
