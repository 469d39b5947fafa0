"""Cutting a polygon along lines: faces, slabs of equal area, growth from seeds."""

from itertools import pairwise
from math import cos, pi, sin

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, Polygon, box

from geodata.partition import border_lengths, faces_of, grow_from_seeds, slices

EAST = np.array([1.0, 0.0])

coordinates = st.floats(-60, 60).map(lambda value: round(value, 2))
hulls = (
    st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12)
    .map(lambda points: MultiPoint(points).convex_hull)
    .filter(lambda hull: isinstance(hull, Polygon) and hull.area > 20)
)


@given(hulls, st.integers(1, 12), st.floats(0, 2 * pi))
@settings(deadline=None, max_examples=80)
def test_slabs_are_equal_share_their_corners_and_follow_the_axis(
    hull: Polygon, count: int, angle: float
) -> None:
    axis = np.array([cos(angle), sin(angle)])
    slabs = slices(hull, axis=axis, count=count)
    assert len(slabs) == count
    assert shapely.area(slabs) == pytest.approx(hull.area / count, rel=1e-3)
    assert shapely.is_valid(slabs).all()
    assert shapely.coverage_is_valid(slabs)
    along = shapely.get_coordinates(shapely.centroid(slabs)) @ axis
    assert (np.diff(along) > 0).all()


def test_a_cut_through_a_corner_still_makes_whole_slabs() -> None:
    rhombus = Polygon([(0, 0), (10, -5), (20, 0), (10, 5)])
    left, right = slices(rhombus, axis=EAST, count=2)
    assert shapely.area([left, right]) == pytest.approx([50, 50], rel=1e-4)
    assert shapely.coverage_is_valid([left, right])


def test_slabs_of_a_holed_polygon_keep_the_hole() -> None:
    holed = box(0, 0, 30, 10).difference(box(4, 4, 6, 6))
    assert isinstance(holed, Polygon)
    slabs = slices(holed, axis=EAST, count=3)
    assert shapely.area(slabs) == pytest.approx(296 / 3, rel=1e-4)
    assert [len(slab.interiors) for slab in slabs] == [1, 0, 0]


def test_a_line_that_leaves_the_polygon_and_comes_back_makes_more_parts_than_slabs() -> None:
    u_shape = box(0, 0, 30, 30).difference(box(0, 10, 20, 20))
    assert isinstance(u_shape, Polygon)
    parts = slices(u_shape, axis=EAST, count=3)
    assert len(parts) == 4
    assert shapely.area(parts).sum() == pytest.approx(700)


def test_faces_are_sorted_and_lines_outside_have_no_effect() -> None:
    cuts = [LineString([(20, -1), (20, 11)]), LineString([(10, -1), (10, 11)])]
    cuts.append(LineString([(40, -1), (40, 11)]))
    faces = faces_of(box(0, 0, 30, 10), cuts=cuts)
    assert [face.centroid.x for face in faces] == [5, 15, 25]
    assert border_lengths(faces) == {0: {1: 10}, 1: {0: 10, 2: 10}, 2: {1: 10}}
    wall = frozenset(pair for face in faces[:1] for pair in pairwise(face.exterior.coords))
    assert border_lengths(faces[:2], closed=wall | {pair[::-1] for pair in wall}) == {0: {}, 1: {}}


def test_a_piece_grows_over_the_longest_border_first() -> None:
    cuts = [LineString([(10, -1), (10, 21)]), LineString([(10, 5), (31, 5)])]
    faces = faces_of(box(0, 0, 30, 20), cuts=cuts)  # left 10 x 20; right 20 x 5 and 20 x 15
    small, large = (index for index in (1, 2) if faces[index].area in (100, 300))
    grown = grow_from_seeds(faces, seeds=[0, small])
    assert [piece.area for piece in grown] == [200, 400]
    assert grown[1].equals(faces[small].union(faces[large]))
