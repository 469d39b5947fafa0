import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from maps import palette
from maps.assets import asset_files
from maps.routes import team_look

STATES = (palette.FINE, palette.ATTENTION, palette.MISSING, palette.UNKNOWN)
FILLS = {mark.colour for mark in STATES} | {*palette.OKABE_ITO, *palette.YL_OR_RD}


def test_contrast_is_that_of_wcag() -> None:
    assert palette.contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("ink", [palette.INK, palette.SECONDARY, palette.ACCENT])
@pytest.mark.parametrize("ground", [palette.PAPER, palette.PANEL, palette.LAND])
def test_text_reads_on_every_ground(ink: str, ground: str) -> None:
    assert palette.contrast_ratio(ink, ground) >= 4.5


@pytest.mark.parametrize("fill", sorted(FILLS))
def test_numbers_and_icons_read_on_every_fill(fill: str) -> None:
    assert palette.contrast_ratio(palette.text_on(fill), fill) >= 4.5


@given(some.integers(0, 0xFFFFFF))
def test_one_of_black_and_white_reads_on_any_colour(colour: int) -> None:
    fill = f"#{colour:06x}"
    assert palette.contrast_ratio(palette.text_on(fill), fill) >= 4.5


def test_no_two_meanings_share_an_icon_or_a_pattern() -> None:
    assert len({mark.icon for mark in STATES}) == 4
    assert len({mark.pattern for mark in palette.COVERAGE}) == len(palette.COVERAGE) == 5
    assert len({mark.icon for mark in palette.COVERAGE}) == 5


def test_every_icon_is_drawn_by_the_scripts() -> None:
    script = asset_files()["gridsvc/icons.js"].read_text()
    for mark in (*STATES, *palette.COVERAGE):
        assert re.search(rf"^    {mark.icon}:", script, re.M), mark.icon


def test_the_style_sheet_has_no_colour_of_its_own() -> None:
    known = {
        value.lower()
        for value in vars(palette).values()
        if isinstance(value, str) and value.startswith("#")
    }
    known |= {colour.lower() for colour in palette.OKABE_ITO} | {"#e3eff4"}
    used = {
        colour.lower()
        for public, path in asset_files().items()
        if public.startswith("gridsvc/")
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text())
    }
    assert used <= known


def test_the_first_twenty_one_teams_all_look_different() -> None:
    looks = [team_look(place) for place in range(22)]
    assert len({(look.colour, tuple(look.dashes)) for look in looks}) == 21
    assert looks[21] == looks[0]


def test_teams_have_the_colour_that_the_layer_control_shows() -> None:
    style = asset_files()["gridsvc/map.css"].read_text()
    for place in range(7):
        assert f".gridsvc-team-{place} {{ border-color: {team_look(place).colour}; }}" in style


@given(some.lists(some.integers(0, 100_000)))
def test_classes_of_counts_leave_no_gap_and_no_count_out(counts: list[int]) -> None:
    classes = palette.count_classes(counts)
    assert len(classes) <= 5
    positive = [count for count in counts if count > 0]
    assert bool(classes) == bool(positive)
    if classes:
        assert classes[0][0] == 1
        assert classes[-1][1] == max(positive)
    assert all(low <= high for low, high in classes)
    assert all(one[1] + 1 == next_[0] for one, next_ in pairwise(classes))
    for count in positive:
        low, high = classes[palette.class_of(count, classes)]
        assert low <= count <= high
