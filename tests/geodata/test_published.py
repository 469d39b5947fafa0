"""Nobody subtracts the published reports from a release and finds a small count of private ones."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from geodata.categories import class_of, load_categories
from geodata.privacy import release_cells
from geodata.published import release_with_published

K = 5


def cells(*rows: tuple[int, int, int]) -> DataFrame:
    return DataFrame(list(rows), columns=["x20", "y20", "count"]).astype("int64")


# A square of 4 × 4 coarsest cells, dense enough that counts meet.
tables = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(1, 12)), max_size=12
).map(lambda rows: cells(*rows))


def inside(table: DataFrame, zoom: int, x: int, y: int) -> int:
    """Count the reports of a table in a cell."""
    shift = 20 - zoom
    here = (table["x20"] // 2**shift == x) & (table["y20"] // 2**shift == y)
    return int(table.loc[here, "count"].sum())


@settings(deadline=None)
@given(private=tables, published=tables)
def test_what_is_left_of_a_cell_is_nothing_or_what_may_be_shown(
    private: DataFrame, published: DataFrame
) -> None:
    found, withheld = release_with_published(private, published, k=K)
    shown = release_cells(private, k=K)
    known = release_cells(published, k=K)
    private_cells = shown.cells[["zoom", "x", "y", "count"]].to_numpy().tolist()
    for zoom, x, y, count in found[["zoom", "x", "y", "count"]].to_numpy().tolist():
        assert count >= K
        left = sum(
            own
            for z, own_x, own_y, own in private_cells
            if z >= zoom and (own_x >> (z - zoom), own_y >> (z - zoom)) == (x, y)
        )
        assert left == 0 or left >= K
        # All that a reader can subtract is what is published in the cell.
        assert count - left <= inside(published, zoom, x, y)
    if withheld is None:
        assert None in (shown.withheld_count, known.withheld_count)
    else:
        everything = int(private["count"].sum() + published["count"].sum())
        assert int(found["count"].sum()) + withheld == everything


@settings(deadline=None)
@given(private=tables, published=tables)
def test_no_cell_lies_in_another(private: DataFrame, published: DataFrame) -> None:
    found, _ = release_with_published(private, published, k=K)
    keys = list(found[["zoom", "x", "y"]].itertuples(index=False, name=None))
    assert keys == sorted(set(keys))
    for zoom, x, y in keys:
        for up in range(1, zoom - 13):
            assert (zoom - up, x >> up, y >> up) not in keys


def test_one_private_report_among_many_published_ones_cannot_be_subtracted() -> None:
    published = cells((0, 0, 20), (64, 0, 30))
    with_one, without = (
        release_with_published(private, published, k=K)
        for private in (cells((0, 0, 1)), cells((0, 0, 2)))
    )
    pd.testing.assert_frame_equal(with_one[0], without[0])
    assert with_one[1] is without[1] is None
    together = release_cells(pd.concat([cells((0, 0, 1)), published]), k=K)
    assert int(together.cells["count"].sum()) == 51  # what the plain rule would have told


def test_a_finer_cell_of_one_kind_joins_the_coarser_of_the_other() -> None:
    private = cells((0, 0, 9))
    published = cells((0, 0, 7), (40, 40, 2))  # its second quarter is too small to split by
    found, withheld = release_with_published(private, published, k=K)
    assert found.to_dict("records") == [{"zoom": 14, "x": 0, "y": 0, "count": 18}]
    assert withheld == 0


def test_nothing_gives_nothing() -> None:
    found, withheld = release_with_published(cells(), cells(), k=K)
    assert found.empty
    assert withheld == 0


def test_a_class_is_public_as_a_whole_or_not_at_all() -> None:
    """Heat is counted by class, and so told apart by it."""
    by_code = {category.code: category for category in load_categories()}
    assert {
        category.code
        for category in load_categories()
        if category.is_public != by_code[class_of(category.code)].is_public
    } == set()
