"""Codes of grids: how siblings are numbered, and that no number comes twice."""

import pytest
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series
from shapely import Point

from geodata.codes import child_codes, next_codes
from geodata.errors import SequenceOverflowError

COMPOUND, OTHER = "440605011016003", "440605011016004"


def numbered(
    parents: list[str], places: list[tuple[float, float]], *, taken: list[str], digits: int = 2
) -> Series:
    centres = GeoSeries([Point(place) for place in places], crs=4326)
    return next_codes(Series(parents, dtype="str"), centres, digits=digits, taken=taken)


places_of = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda xy: (113 + xy[0], 23 + xy[1])),
    max_size=30,
)
parent_codes = st.sampled_from([COMPOUND, OTHER])
used_codes = st.lists(
    st.builds(lambda parent, number: f"{parent}{number:02d}", parent_codes, st.integers(1, 60))
)


def test_siblings_are_numbered_from_west_to_east_and_then_from_north_to_south() -> None:
    codes = numbered([COMPOUND] * 3, [(113.2, 23.0), (113.1, 23.0), (113.1, 23.1)], taken=[])
    assert list(codes) == [COMPOUND + "03", COMPOUND + "02", COMPOUND + "01"]


def test_numbers_go_on_after_the_highest_ever_used_also_past_a_gap() -> None:
    taken = [COMPOUND + "02", COMPOUND + "07", OTHER + "40"]
    codes = numbered([COMPOUND, OTHER, COMPOUND], [(2, 0), (0, 0), (1, 0)], taken=taken)
    assert list(codes) == [COMPOUND + "09", OTHER + "41", COMPOUND + "08"]


def test_codes_of_other_levels_and_other_text_among_the_taken_do_no_harm() -> None:
    taken = [COMPOUND, COMPOUND + "12" + "05", "", "栋12", COMPOUND + "x9"]
    assert list(numbered([COMPOUND], [(0, 0)], taken=taken)) == [COMPOUND + "01"]


def test_the_first_codes_of_a_parent_are_those_after_none() -> None:
    centres = GeoSeries([Point(1, 0), Point(0, 0)], index=["east", "west"], crs=4326)
    parents = Series([COMPOUND, COMPOUND], index=["east", "west"])
    codes = child_codes(parents, centres, digits=3)
    assert codes.to_dict() == {"east": COMPOUND + "002", "west": COMPOUND + "001"}


def test_no_children_get_no_codes() -> None:
    assert numbered([], [], taken=[COMPOUND + "01"]).empty


def test_the_last_free_number_is_given_and_no_more() -> None:
    taken = [f"{COMPOUND}97"]
    codes = numbered([COMPOUND] * 2, [(0, 0), (1, 0)], taken=taken)
    assert list(codes) == [COMPOUND + "98", COMPOUND + "99"]
    with pytest.raises(SequenceOverflowError, match=r"3 new codes, but only 2 of 99") as caught:
        numbered([COMPOUND] * 3, [(0, 0), (1, 0), (2, 0)], taken=taken)
    assert (caught.value.parent, caught.value.count, caught.value.free) == (COMPOUND, 3, 2)


def test_a_parent_whose_last_number_is_used_has_none_left_though_others_were_never_used() -> None:
    with pytest.raises(SequenceOverflowError, match="only 0 of 99"):
        numbered([COMPOUND], [(0, 0)], taken=[COMPOUND + "99"])


@given(st.data(), places_of, used_codes)
@settings(deadline=None, max_examples=60)
def test_new_codes_are_unique_in_order_and_above_every_code_ever_used(
    data: st.DataObject, places: list[tuple[float, float]], taken: list[str]
) -> None:
    parents = data.draw(st.lists(parent_codes, min_size=len(places), max_size=len(places)))
    codes = numbered(parents, places, taken=taken)
    assert not set(codes) & set(taken)
    assert codes.is_unique
    for parent in (COMPOUND, OTHER):
        own = [row for row, each in enumerate(parents) if each == parent]
        first = max((int(code[-2:]) for code in taken if code.startswith(parent)), default=0) + 1
        by_place = sorted(own, key=lambda row: (places[row][0], -places[row][1]))
        expected = [f"{parent}{number:02d}" for number in range(first, first + len(own))]
        assert [codes[row] for row in by_place] == expected


@given(st.integers(0, 99), st.integers(1, 99))
@settings(deadline=None, max_examples=60)
def test_numbers_run_out_exactly_at_the_limit(highest: int, asked: int) -> None:
    taken = [f"{COMPOUND}{highest:02d}"]
    places = [(number / 1000, 0.0) for number in range(asked)]
    if highest + asked <= 99:
        assert numbered([COMPOUND] * asked, places, taken=taken).max() == (
            f"{COMPOUND}{highest + asked:02d}"
        )
    else:
        with pytest.raises(SequenceOverflowError) as caught:
            numbered([COMPOUND] * asked, places, taken=taken)
        assert (caught.value.count, caught.value.free) == (asked, 99 - highest)
