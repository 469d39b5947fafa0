"""Heat cells: points lie in their cell, children nest, edges are where the formula says."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geodata.errors import InvalidCountError, InvalidParameterError, OutsideMercatorError
from geodata.heat import MAX_LAT_DEG, cell_polygons, cells_of, roll_up

LAST = 2**20 - 1
# The edge of a cell, drawn, may be off by the last digit of a degree.
DRAWN_DEG = 1e-12

lons = st.floats(-180, 180)
lats = st.floats(-MAX_LAT_DEG, MAX_LAT_DEG)
zooms = st.integers(0, 20)


@settings(deadline=None)
@given(lons, lats, zooms)
def test_a_point_lies_in_its_cell(lon: float, lat: float, zoom: int) -> None:
    x, y = cells_of(lon=[lon], lat=[lat], zoom=zoom)
    square = cell_polygons(x=x, y=y, zoom=zoom).iloc[0]
    assert square.distance(shapely.Point(lon, lat)) <= DRAWN_DEG * 360


@settings(deadline=None)
@given(lons, lats, zooms)
def test_a_coarse_cell_is_the_shifted_fine_one(lon: float, lat: float, zoom: int) -> None:
    fine_x, fine_y = cells_of(lon=[lon], lat=[lat])
    x, y = cells_of(lon=[lon], lat=[lat], zoom=zoom)
    assert (fine_x[0] >> (20 - zoom), fine_y[0] >> (20 - zoom)) == (x[0], y[0])


@settings(deadline=None)
@given(st.integers(0, LAST), st.integers(0, LAST))
def test_the_centre_of_a_cell_is_in_it(column: int, row: int) -> None:
    centre = cell_polygons(x=[column], y=[row], zoom=20).iloc[0].centroid
    x, y = cells_of(lon=shapely.get_x(centre), lat=shapely.get_y(centre))
    assert (x[0], y[0]) == (column, row)


@settings(deadline=None)
@given(st.integers(0, 2**17 - 1), st.integers(0, 2**17 - 1))
def test_four_children_make_up_their_parent(column: int, row: int) -> None:
    parent = cell_polygons(x=[column], y=[row], zoom=17).iloc[0]
    x = [2 * column, 2 * column + 1] * 2
    y = [2 * row] * 2 + [2 * row + 1] * 2
    children = cell_polygons(x=x, y=y, zoom=18)
    assert children.union_all().symmetric_difference(parent).area < DRAWN_DEG
    assert shapely.is_ccw(shapely.get_exterior_ring(parent))


def test_the_corners_of_the_world() -> None:
    x, y = cells_of(
        lon=[-180, 180, -180, 180, 0], lat=[MAX_LAT_DEG, MAX_LAT_DEG, -MAX_LAT_DEG, -MAX_LAT_DEG, 0]
    )
    assert x.tolist() == [0, LAST, 0, LAST, 2**19]
    assert y.tolist() == [0, 0, LAST, LAST, 2**19]


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 90), (0, -90), (0, 85.06), (180.001, 0), (np.nan, 0), (0, np.nan)]
)
def test_a_position_off_the_square_is_named(lon: float, lat: float) -> None:
    with pytest.raises(OutsideMercatorError) as caught:
        cells_of(lon=[0, lon], lat=[0, lat])
    assert caught.value.position == 1


def test_guicheng_cells_are_about_35_metres_wide() -> None:
    x, y = cells_of(lon=[113.15], lat=[23.03])
    square = cell_polygons(x=x, y=y, zoom=20).to_crs(4547).iloc[0]
    assert square.area == pytest.approx(35.2**2, rel=0.01)


def test_counts_roll_up_to_the_sum_of_their_children() -> None:
    cells = pd.DataFrame(
        {"x20": [8, 9, 8, 16], "y20": [4, 5, 4, 4], "count": [1, 2, 3, 4], "severe": [0, 1, 0, 1]}
    )
    expected = pd.DataFrame({"x": [4, 8], "y": [2, 2], "count": [6, 4], "severe": [1, 1]})
    assert_frame_equal(roll_up(cells, zoom=19), expected)
    assert roll_up(cells, zoom=0)["count"].tolist() == [10]


def test_no_points_no_cells() -> None:
    x, y = cells_of(lon=[], lat=[])
    assert len(x) == len(y) == len(cell_polygons(x=x, y=y, zoom=20)) == 0
    assert roll_up(pd.DataFrame({"x20": x, "y20": y, "count": x}), zoom=14).empty


def test_polygons_keep_the_index_of_their_frame() -> None:
    cells = pd.DataFrame({"x": [1, 2], "y": [1, 1]}, index=[7, 9])
    assert cell_polygons(x=cells["x"], y=cells["y"], zoom=3).index.tolist() == [7, 9]


def test_a_zoom_beyond_the_base_is_refused() -> None:
    with pytest.raises(InvalidParameterError):
        cells_of(lon=[0], lat=[0], zoom=21)


def test_cells_without_a_column_are_refused() -> None:
    with pytest.raises(InvalidCountError, match="y20"):
        roll_up(pd.DataFrame({"x20": [1], "count": [1]}), zoom=14)
