"""Splitting footprints into stairwells: what the pieces of any footprint keep to."""

from itertools import pairwise
from math import pi

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pandas import Series
from shapely import MultiPoint, Point, Polygon, affinity, box
from shapely.geometry.base import BaseGeometry

from geodata.crs import local_metric_crs
from geodata.errors import InvalidParameterError
from geodata.stairwells import cut_equally, estimate_stairwells, split_footprints

LON, LAT = 113.15, 23.03
CRS = local_metric_crs(lon=LON, lat=LAT)
ORIGIN = GeoSeries([Point(LON, LAT)], crs=4326).to_crs(CRS).get_coordinates().to_numpy()[0]


def on_the_ground(*shapes: BaseGeometry) -> GeoDataFrame:
    """Place shapes given in metres near Guicheng; EPSG:4326."""
    placed = [affinity.translate(shape, *ORIGIN) for shape in shapes]
    return GeoDataFrame(geometry=placed, crs=CRS).to_crs(4326)


def polygon(shape: BaseGeometry) -> Polygon:
    assert isinstance(shape, Polygon)
    return shape


def courtyard(side: float, width: float) -> Polygon:
    yard = box(width, width, side - width, side - width)
    return Polygon(box(0, 0, side, side).exterior, [yard.exterior.coords])


def l_shape(width: float, length: float, wing: float) -> Polygon:
    return Polygon([(0, 0), (length, 0), (length, width), (width, width), (width, wing), (0, wing)])


def u_shape(width: float, length: float, wing: float) -> Polygon:
    outer = box(0, 0, length, wing + width)
    return polygon(outer.difference(box(width, width, length - width, wing + width + 1)))


def t_shape(width: float, length: float, stem: float) -> Polygon:
    middle = length / 2
    bar = box(0, stem, length, stem + width)
    return polygon(bar.union(box(middle - width / 2, 0, middle + width / 2, stem)))


def z_shape(width: float, length: float, rise: float) -> Polygon:
    upright = box(length - width, 0, length, rise + width)
    low, high = (
        box(0, 0, length, width),
        box(length - width, rise, 2 * length - width, rise + width),
    )
    return polygon(shapely.union_all([low, upright, high]))


def h_shape(width: float, length: float, gap: float) -> Polygon:
    bar = box(0, (length - width) / 2, gap + 2 * width, (length + width) / 2)
    sides = [box(0, 0, width, length), box(gap + width, 0, gap + 2 * width, length)]
    return polygon(shapely.union_all([*sides, bar]))


def arc(width: float, radius: float, angle: float) -> Polygon:
    turns = np.linspace(0, angle, 25)
    circle = np.column_stack([np.cos(turns), np.sin(turns)])
    inner, outer = radius - width / 2, radius + width / 2
    return Polygon(np.vstack([circle * outer, circle[::-1] * inner]))


def star(radii: list[float], yard: float) -> Polygon:
    """Return an outline with one corner at each radius, and a square courtyard."""
    turns = np.linspace(0, 2 * pi, len(radii), endpoint=False)
    outline = np.column_stack([np.cos(turns), np.sin(turns)]) * np.array(radii)[:, None]
    shape = Polygon(outline)
    return Polygon(outline, [box(-yard, -yard, yard, yard).exterior.coords]) if yard else shape


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
widths, lengths, wings = st.floats(8, 16), st.floats(50, 110), st.floats(16, 60)
bent = st.one_of(
    st.builds(l_shape, st.floats(8, 12), lengths, st.floats(40, 80)),
    st.builds(u_shape, st.floats(8, 12), lengths, wings),
    st.builds(z_shape, st.floats(8, 12), st.floats(40, 60), st.floats(30, 60)),
    st.builds(arc, st.floats(8, 12), st.floats(30, 60), st.floats(1.2, 4)),
)
arms = st.one_of(
    st.builds(l_shape, widths, lengths, wings),
    st.builds(u_shape, widths, lengths, wings),
    st.builds(t_shape, widths, lengths, wings),
    st.builds(z_shape, widths, st.floats(32, 60), wings),
    st.builds(h_shape, widths, lengths, st.floats(8, 40)),
    st.builds(arc, widths, st.floats(20, 80), st.floats(1, 5)),
)
stars = st.builds(
    star,
    st.lists(st.floats(15, 60).map(lambda value: round(value, 2)), min_size=5, max_size=20),
    st.sampled_from([0.0, 1.0, 2.0, 3.0]),
)


@given(hulls)
@settings(deadline=None, max_examples=60)
def test_a_convex_footprint_is_cut_into_slices_of_equal_area(hull: Polygon) -> None:
    building = on_the_ground(hull)
    pieces = split_footprints(building, entrances=None)
    assert_a_partition(building.geometry.iloc[0], pieces)
    areas = metric_areas(pieces)
    assert areas == pytest.approx(areas.mean(), rel=0.02)


@given(arms, st.integers(1, 12), angles, st.sampled_from([0.1, 1.0, 4.0]))
@settings(deadline=None, max_examples=60)
def test_a_building_of_arms_has_the_stated_count_of_stairwells_of_nearly_equal_area(
    shape: Polygon, count: int, angle: float, scale: float
) -> None:
    turned = affinity.rotate(shape, angle, origin=(0, 0), use_radians=True)
    building = on_the_ground(affinity.scale(turned, scale, scale, origin=(0, 0)))
    pieces = split_footprints(building, entrances=None, counts=Series([count]))
    assert len(pieces) == count
    assert list(pieces["number"]) == list(range(1, count + 1))
    assert_a_partition(building.geometry.iloc[0], pieces)
    areas = metric_areas(pieces)
    assert areas == pytest.approx(areas.mean(), rel=0.1)


@given(bent, st.integers(2, 12), angles)
@settings(deadline=None, max_examples=40)
def test_numbers_follow_a_bent_building_from_its_west_or_north_end(
    shape: Polygon, count: int, angle: float
) -> None:
    pieces = cut_equally(affinity.rotate(shape, angle, use_radians=True), count=count)
    for piece, following in pairwise(pieces):
        assert shapely.intersection(piece, following).length > 1
    first, last = pieces[0].centroid, pieces[-1].centroid
    assert first.x < last.x or first.y > last.y


# A cut that just touches the courtyard in a corner.
TOUCHED = star([16.0, 16.0, 35.04, 18.16, 41.74, 58.94, 35.07, 16.0, 38.51], 1.0)


@given(stars, st.integers(1, 12))
@example(TOUCHED, 9)
@settings(deadline=None, max_examples=40)
def test_the_pieces_of_any_outline_and_courtyard_are_connected(shape: Polygon, count: int) -> None:
    building = on_the_ground(shape)
    pieces = split_footprints(building, entrances=None, counts=Series([count]))
    assert len(pieces) == count
    assert_a_partition(building.geometry.iloc[0], pieces)


def test_courtyards_that_touch_a_wall_or_each_other_are_no_obstacle() -> None:
    square = box(0, 0, 60, 60).exterior
    left, right = [(10, 30), (20, 20), (30, 30), (20, 40)], [(30, 30), (40, 20), (50, 30), (40, 40)]
    corner, side = [(0, 0), (30, 10), (10, 30)], [(0, 30), (20, 20), (40, 30), (20, 40)]
    for yards in ([left, right], [corner], [side]):
        shape = Polygon(square, yards)
        for count in (2, 3, 5, 8):
            pieces = GeoDataFrame(geometry=cut_equally(shape, count=count), crs=CRS)
            assert len(pieces) == count
            assert_a_partition(shape, pieces)
            assert pieces.area.to_numpy() == pytest.approx(shape.area / count, rel=0.1)


def test_an_outline_of_thousands_of_corners_is_cut_like_one_of_few() -> None:
    coarse = arc(12, 40, pi)
    fine = Polygon(shapely.get_coordinates(coarse.segmentize(0.02)))
    assert shapely.get_num_coordinates(fine) > 5000
    pieces = cut_equally(fine, count=6)
    assert_a_partition(fine, GeoDataFrame(geometry=pieces, crs=CRS))
    for piece, drawn in zip(pieces, cut_equally(coarse, count=6), strict=True):
        assert piece.symmetric_difference(drawn).area < 0.02 * drawn.area


# What a person would draw, in metres: cuts straight across the arms, a mitre at a corner.
DRAWN: dict[str, tuple[Polygon, list[list[tuple[float, float]]]]] = {
    "an L with 4": (
        l_shape(12, 40, 40),
        [
            [(0, 23), (12, 23), (12, 40), (0, 40)],
            [(0, 0), (12, 12), (12, 23), (0, 23)],
            [(0, 0), (23, 0), (23, 12), (12, 12)],
            [(23, 0), (40, 0), (40, 12), (23, 12)],
        ],
    ),
    "a U with 6": (
        u_shape(12, 50, 32),
        [
            [(0, 25), (12, 25), (12, 44), (0, 44)],
            [(0, 0), (12, 12), (12, 25), (0, 25)],
            [(0, 0), (25, 0), (25, 12), (12, 12)],
            [(25, 0), (50, 0), (38, 12), (25, 12)],
            [(50, 0), (50, 25), (38, 25), (38, 12)],
            [(38, 25), (50, 25), (50, 44), (38, 44)],
        ],
    ),
    "a U with 5": (
        u_shape(12, 50, 28),
        [
            [(0, 18.8), (12, 18.8), (12, 40), (0, 40)],
            [(0, 0), (14.4, 0), (14.4, 12), (12, 12), (12, 18.8), (0, 18.8)],
            [(14.4, 0), (35.6, 0), (35.6, 12), (14.4, 12)],
            [(35.6, 0), (50, 0), (50, 18.8), (38, 18.8), (38, 12), (35.6, 12)],
            [(38, 18.8), (50, 18.8), (50, 40), (38, 40)],
        ],
    ),
    "a T with 4": (
        t_shape(12, 68, 28),
        [
            [(0, 28), (24, 28), (24, 40), (0, 40)],
            [(24, 28), (28, 28), (28, 24), (40, 24), (40, 28), (44, 28), (44, 40), (24, 40)],
            [(28, 0), (40, 0), (40, 24), (28, 24)],
            [(44, 28), (68, 28), (68, 40), (44, 40)],
        ],
    ),
    "a Z with 4": (
        z_shape(12, 40, 30),
        [
            [(0, 0), (24.5, 0), (24.5, 12), (0, 12)],
            [(24.5, 0), (40, 0), (40, 21), (28, 21), (28, 12), (24.5, 12)],
            [(28, 21), (40, 21), (40, 30), (43.5, 30), (43.5, 42), (28, 42)],
            [(43.5, 30), (68, 30), (68, 42), (43.5, 42)],
        ],
    ),
    "a courtyard with 4, from its west side round": (
        courtyard(60, 15),
        [
            [(0, 0), (15, 0), (15, 45), (0, 45)],
            [(15, 0), (60, 0), (60, 15), (15, 15)],
            [(45, 15), (60, 15), (60, 60), (45, 60)],
            [(0, 45), (45, 45), (45, 60), (0, 60)],
        ],
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_bent_building_is_cut_as_a_person_would_cut_it(name: str) -> None:
    shape, drawn = DRAWN[name]
    pieces = cut_equally(shape, count=len(drawn))
    for piece, corners in zip(pieces, drawn, strict=True):
        wrong = piece.symmetric_difference(Polygon(corners)).area
        assert wrong < 0.005 * piece.area, piece.wkt


def test_a_curved_slab_is_cut_towards_the_centre_of_its_curve() -> None:
    pieces = cut_equally(arc(12, 40, pi), count=6)
    for number, (piece, following) in enumerate(pairwise(pieces), start=1):
        border = shapely.get_coordinates(shapely.line_merge(piece.intersection(following)))
        along = np.degrees(np.arctan2(border[:, 1], border[:, 0]))
        assert along == pytest.approx(180 - 30 * number, abs=1)


def test_balconies_and_recesses_make_no_arms() -> None:
    slab = box(0, 0, 64, 12)
    bays = [box(x, 12, x + 3, 13.5) for x in (2, 10, 18, 26, 34, 42, 50, 58)]
    slots = [box(x, -1, x + 2, 4) for x in (6, 14, 22, 38, 46, 54)]
    shape = shapely.union_all([slab, *bays]).difference(shapely.union_all(slots))
    pieces = split_footprints(on_the_ground(shape), entrances=None)
    assert len(pieces) == 4
    assert metric_areas(pieces) == pytest.approx(metric_areas(pieces).mean(), rel=0.02)


def test_the_arms_of_a_building_are_measured_one_after_the_other() -> None:
    assert estimate_stairwells(l_shape(12, 40, 40)) == 4  # 68 m of slab
    assert estimate_stairwells(t_shape(12, 68, 28)) == 6  # 96 m
    assert estimate_stairwells(courtyard(60, 15)) == 11  # 180 m


def test_a_stated_count_stands_against_the_length() -> None:
    buildings = on_the_ground(box(0, 0, 64, 12), box(100, 0, 164, 12), box(200, 0, 264, 12))
    pieces = split_footprints(buildings, entrances=None, counts=Series([3.0, None, 1.0]))
    assert pieces.groupby("building").size().to_dict() == {0: 3, 1: 4, 2: 1}
    ways = pieces.drop_duplicates("building")["split_by"]
    assert list(ways) == ["count", "length", "whole"]


def test_doors_serve_where_they_are_as_many_as_the_stated_count() -> None:
    building = on_the_ground(box(0, 0, 60, 12))
    doors = on_the_ground(Point(10, 0), Point(40, 0))
    doors["ref"] = ["A", "B"]
    agreed = split_footprints(building, entrances=doors, counts=Series([2]))
    assert metric_areas(agreed) == pytest.approx([25 * 12, 35 * 12], rel=1e-3)
    stated = split_footprints(building, entrances=doors, counts=Series([3]))
    assert list(stated["split_by"]) == ["count"] * 3


@pytest.mark.parametrize("count", [0, 100, 2.5, -1])
def test_a_count_that_no_code_can_number_is_refused(count: float) -> None:
    with pytest.raises(InvalidParameterError, match="stairwell count of building 0"):
        split_footprints(on_the_ground(box(0, 0, 60, 12)), entrances=None, counts=Series([count]))


@given(arms, st.lists(st.floats(0, 1), min_size=2, max_size=6), angles)
@settings(deadline=None, max_examples=40)
def test_each_entrance_stands_at_its_own_stairwell(
    shape: Polygon, places: list[float], angle: float
) -> None:
    building = on_the_ground(affinity.rotate(shape, angle, origin=(0, 0), use_radians=True))
    outline = building.to_crs(CRS).boundary.iloc[0]
    doors = [outline.interpolate(place, normalized=True) for place in places]
    far = [a.distance(b) > 5 for number, a in enumerate(doors) for b in doors[:number]]
    assume(all(far))
    refs = [chr(65 + number) for number in range(len(doors))]
    entrances = GeoDataFrame({"ref": refs}, geometry=doors, crs=CRS)
    pieces = split_footprints(building, entrances=entrances.to_crs(4326)).to_crs(CRS)
    assert sorted(pieces["ref"]) == refs
    homes = pieces.set_index("ref").geometry
    for ref, door in zip(refs, doors, strict=True):
        assert homes[ref].distance(door) < 1e-3


@given(arms, st.lists(st.floats(0, 1), min_size=2, max_size=9), st.booleans())
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
    ring = courtyard(60, 15)
    building = on_the_ground(ring)
    pieces = split_footprints(building, entrances=None)
    assert len(pieces) == 11
    assert_a_partition(building.geometry.iloc[0], pieces)
    whole = split_footprints(building, entrances=None, counts=Series([2]))
    assert_a_partition(building.geometry.iloc[0], whole)


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
