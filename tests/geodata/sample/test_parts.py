"""Parts of the sample that a reader can check by hand."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.apportionment import apportion
from geodata.sample.lines import cut_lines, longest_parts


@given(
    st.integers(0, 10_000),
    st.lists(st.floats(0.01, 100), min_size=1, max_size=30),
    st.integers(0, 3),
)
def test_shares_add_up_and_nobody_gets_too_little(
    extra: int, weights: list[float], least: int
) -> None:
    total = extra + least * len(weights)
    shares = apportion(total, weights, least=least)
    assert shares.sum() == total
    assert shares.min() >= least


def test_a_line_is_cut_where_points_lie_and_keeps_its_bends() -> None:
    lines = np.array(
        [shapely.LineString([(0, 0), (10, 0), (10, 10)]), shapely.LineString([(0, 5), (4, 5)])]
    )
    pieces, origin = cut_lines(
        lines, owner=np.array([0, 0, 0]), points=np.array([[10.0, 4.0], [3.0, 0.0], [3.0, 0.0]])
    )
    assert [piece.wkt for piece in pieces] == [
        "LINESTRING (0 0, 3 0)",
        "LINESTRING (3 0, 10 0, 10 4)",
        "LINESTRING (10 4, 10 10)",
        "LINESTRING (0 5, 4 5)",
    ]
    assert origin.tolist() == [0, 0, 0, 1]


def test_cutting_at_an_end_changes_nothing() -> None:
    lines = np.array([shapely.LineString([(0, 0), (10, 0)])])
    pieces, _ = cut_lines(lines, owner=np.array([0, 0]), points=np.array([[0.0, 0.0], [10.0, 0.0]]))
    assert [piece.wkt for piece in pieces] == ["LINESTRING (0 0, 10 0)"]


def test_the_longest_part_is_kept_and_nothing_stays_empty() -> None:
    two = shapely.MultiLineString([[(0, 0), (1, 0)], [(3, 0), (7, 0)]])
    parts = longest_parts(np.array([two, shapely.LineString()]))
    assert parts[0].length == pytest.approx(4)
    assert parts[1].is_empty
