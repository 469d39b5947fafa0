"""Small counts: what a release shows, and what somebody who knows the rule can compute from it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame, Series
from pandas.testing import assert_frame_equal

from geodata.errors import InvalidCountError, InvalidParameterError
from geodata.heat import roll_up
from geodata.privacy import Release, release_cells, suppress_small

ATTACK_K = 3


def frame(cells: Sequence[tuple[int, int, int]]) -> DataFrame:
    """Return heat cells; column by column, because an empty list has no columns."""
    x20, y20, count = zip(*cells, strict=True) if cells else ((), (), ())
    return DataFrame({"x20": x20, "y20": y20, "count": count}, dtype="int64")


cell_lists = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 12)), max_size=60
)
smallest_counts = st.integers(2, 9)


@settings(deadline=None)
@given(cell_lists, smallest_counts)
def test_shown_and_withheld_make_up_all_and_none_is_small(
    cells: list[tuple[int, int, int]], k: int
) -> None:
    everything = frame(cells)
    release = release_cells(everything, k=k)
    shown = int(release.cells["count"].sum())
    total = int(everything["count"].sum())
    assert (release.cells["count"] >= k).all()
    if release.withheld_count is None:
        assert shown == 0
        assert release.withheld_cell_count is None
    else:
        assert shown + release.withheld_count == total
        assert release.withheld_count == 0 or release.withheld_count > k
        assert release.withheld_cell_count != 1


@settings(deadline=None)
@given(cell_lists, smallest_counts)
def test_shown_counts_are_true_and_shown_cells_apart(
    cells: list[tuple[int, int, int]], k: int
) -> None:
    everything = frame(cells)
    release = release_cells(everything, k=k)
    covered: set[tuple[int, int]] = set()
    for zoom, x, y, count in release.cells.itertuples(index=False):
        truth = roll_up(everything, zoom=zoom).set_index(["x", "y"])["count"]
        assert truth.loc[(x, y)] == count
        side = 1 << (18 - zoom)
        inside = set(product(range(x * side, (x + 1) * side), range(y * side, (y + 1) * side)))
        assert covered.isdisjoint(inside)
        covered |= inside


@settings(deadline=None)
@given(cell_lists, smallest_counts, st.randoms())
def test_order_and_repeated_rows_change_nothing(
    cells: list[tuple[int, int, int]], k: int, random: Random
) -> None:
    shuffled = [(x, y, 1) for x, y, count in cells for _ in range(count)]
    random.shuffle(shuffled)
    assert_same(release_cells(frame(cells), k=k), release_cells(frame(shuffled), k=k))


@settings(deadline=None)
@given(cell_lists, smallest_counts)
def test_a_shown_cell_is_whole_only_because_a_quarter_is_small(
    cells: list[tuple[int, int, int]], k: int
) -> None:
    everything = frame(cells)
    for zoom, x, y, _count in release_cells(everything, k=k).cells.itertuples(index=False):
        if zoom < 18:
            quarters = roll_up(everything[everything["count"] > 0], zoom=zoom + 1)
            mine = quarters[(quarters["x"] // 2 == x) & (quarters["y"] // 2 == y)]
            assert mine["count"].min() < k


def test_a_release_by_hand() -> None:
    # Zoom 14 cells are 64 wide at zoom 20, zoom 18 cells 4 wide.
    cells = frame([(0, 0, 9), (4, 0, 6), (64, 0, 5), (96, 0, 4), (128, 0, 2), (192, 0, 30)])
    release = release_cells(cells)
    # (2, 0) holds 2 and is withheld; the smallest other is (1, 0) with 5 + 4, withheld with it.
    assert (release.withheld_count, release.withheld_cell_count) == (11, 2)
    expected = DataFrame({"zoom": 18, "x": [0, 1, 48], "y": 0, "count": [9, 6, 30]}, dtype="int64")
    assert_frame_equal(release.cells, expected)


def test_a_cell_with_a_small_quarter_is_shown_whole() -> None:
    release = release_cells(frame([(0, 0, 9), (32, 0, 4)]))
    assert release.cells.to_dict("records") == [{"zoom": 14, "x": 0, "y": 0, "count": 13}]
    assert (release.withheld_count, release.withheld_cell_count) == (0, 0)


def test_fewer_than_k_in_all_states_not_even_the_total() -> None:
    release = release_cells(frame([(0, 0, 3), (500, 500, 1)]))
    assert release.cells.empty
    assert release.withheld_count is None


def test_nothing_is_released_of_nothing() -> None:
    release = release_cells(frame([]))
    assert release.cells.empty
    assert release.withheld_count == 0
    assert release.cells.dtypes.unique().tolist() == [np.dtype("int64")]


def test_a_large_area_is_released_at_once() -> None:
    generator = np.random.default_rng(7)
    cells = DataFrame(
        {
            "x20": generator.normal(853_861, 60, 200_000).astype(int),
            "y20": generator.normal(455_325, 60, 200_000).astype(int),
            "count": 1,
        }
    )
    release = release_cells(cells)
    assert release.cells["count"].sum() + (release.withheld_count or 0) == 200_000
    assert (release.cells["zoom"] == 18).mean() > 0.5


# The attacks. An attacker knows the code, the area and the release, and lists every world that
# would have given it. Nothing may be certain of a cell that is not shown but what is promised.


def worlds(places: int, *, most: int) -> Iterator[tuple[int, ...]]:
    """List every way to put up to ``most`` reports into some places."""
    for counts in product(range(most + 1), repeat=places):
        if sum(counts) <= most:
            yield counts


def seen_by_the_public(release: Release, *, total: int) -> tuple[object, ...]:
    """Return everything that is published, the grand total included, as a key."""
    rows = tuple(release.cells.itertuples(index=False, name=None))
    return rows, release.withheld_count, release.withheld_cell_count, total


def is_certainly_small(possible: set[int]) -> bool:
    """Tell whether the attacker knows that a place holds something, and less than k."""
    return possible <= set(range(1, ATTACK_K))


def test_no_withheld_coarsest_cell_is_known_or_known_to_be_small() -> None:
    same_release = defaultdict(list)
    for counts in worlds(4, most=11):
        cells = frame([(4 * place, 0, count) for place, count in enumerate(counts)])
        release = release_cells(cells, k=ATTACK_K, finest_zoom=18, coarsest_zoom=18)
        if release.withheld_count:
            same_release[seen_by_the_public(release, total=sum(counts))].append(counts)
    assert len(same_release) > 20
    for key, candidates in same_release.items():
        shown = {x for _zoom, x, _y, _count in key[0]}  # type: ignore[attr-defined]
        for place in set(range(4)) - shown:
            possible = {counts[place] for counts in candidates}
            # A place that is empty in every candidate holds nothing to protect.
            assert possible == {0} or (not is_certainly_small(possible) and len(possible) > 1)


def test_no_finest_cell_that_is_not_shown_is_known_to_hold_a_small_count() -> None:
    # Two coarse cells with three of their quarters each.
    places = [
        (4 * cell + 2 * (quarter % 2), 2 * (quarter // 2))
        for cell in (0, 1)
        for quarter in range(3)
    ]
    same_release = defaultdict(list)
    for counts in worlds(6, most=7):
        cells = frame([(x, y, count) for (x, y), count in zip(places, counts, strict=True)])
        release = release_cells(cells, k=ATTACK_K, finest_zoom=19, coarsest_zoom=18)
        same_release[seen_by_the_public(release, total=sum(counts))].append(counts)
    assert len(same_release) > 20
    for candidates in same_release.values():
        for place in range(6):
            possible = {counts[place] for counts in candidates}
            assert not is_certainly_small(possible)
            assert len(possible) == 1 or 0 in possible


def test_the_attack_finds_what_the_simpler_rule_gives_away() -> None:
    """Withholding only until the total reaches k is what the module refuses: prove the attack."""
    same_release = defaultdict(list)
    for counts in worlds(3, most=9):
        values = np.array(counts)
        withheld = (values > 0) & (values < ATTACK_K)
        if 0 < values[withheld].sum() < ATTACK_K and (values >= ATTACK_K).any():
            smallest = values[values >= ATTACK_K].min()
            withheld[int(np.argmax(values == smallest))] = True
        shown = tuple(np.where(withheld, -1, values))
        same_release[shown, int(values[withheld].sum())].append(counts)
    known = [
        place
        for (shown, _total), candidates in same_release.items()
        for place in range(3)
        if shown[place] == -1 and is_certainly_small({counts[place] for counts in candidates})
    ]
    assert known


def test_no_withheld_table_entry_is_known_or_known_to_be_small() -> None:
    same_table = defaultdict(list)
    for counts in worlds(4, most=11):
        table = suppress_small(Series(counts), k=ATTACK_K)
        shown = tuple(table.counts.fillna(-1))
        if table.withheld_count:
            same_table[shown, table.withheld_count, sum(counts)].append(counts)
    assert len(same_table) > 20
    for (shown, _withheld, _total), candidates in same_table.items():
        for place in (place for place in range(4) if shown[place] == -1):
            possible = {counts[place] for counts in candidates}
            assert not is_certainly_small(possible)
            assert len(possible) > 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12), smallest_counts)
def test_a_table_shows_only_zeros_and_large_counts_and_adds_up(counts: list[int], k: int) -> None:
    table = suppress_small(Series(counts, dtype="int64"), k=k)
    shown = table.counts.dropna()
    assert ((shown == 0) | (shown >= k)).all()
    if table.withheld_count is None:
        assert shown.empty
    else:
        assert shown.sum() + table.withheld_count == sum(counts)


def test_a_table_by_hand() -> None:
    table = suppress_small(Series({"parking": 40, "lift": 2, "safety": 9, "security": 0}))
    assert table.counts.dropna().to_dict() == {"parking": 40, "security": 0}
    assert table.counts.index[table.counts.isna()].tolist() == ["lift", "safety"]
    assert table.withheld_count == 11


def test_a_small_table_hides_its_zeros_too() -> None:
    table = suppress_small(Series({"lift": 2, "parking": 0}))
    assert table.counts.isna().all()
    assert table.withheld_count is None


@pytest.mark.parametrize("count", [-1, 1.5, np.nan, "many"])
def test_a_count_that_is_none_is_named(count: object) -> None:
    with pytest.raises(InvalidCountError, match="entry 1"):
        suppress_small(Series([7, count], dtype="object"))


def test_cells_without_counts_are_refused() -> None:
    with pytest.raises(InvalidCountError, match="count"):
        release_cells(DataFrame({"x20": [1], "y20": [1]}))


@pytest.mark.parametrize(
    ("k", "finest_zoom", "coarsest_zoom"), [(1, 18, 14), (5, 14, 18), (5, 21, 14), (5, 18, -1)]
)
def test_parameters_without_a_meaning_are_refused(
    k: int, finest_zoom: int, coarsest_zoom: int
) -> None:
    with pytest.raises(InvalidParameterError):
        release_cells(frame([]), k=k, finest_zoom=finest_zoom, coarsest_zoom=coarsest_zoom)


def assert_same(left: Release, right: Release) -> None:
    assert_frame_equal(left.cells, right.cells)
    assert left.withheld_count == right.withheld_count
    assert left.withheld_cell_count == right.withheld_cell_count
