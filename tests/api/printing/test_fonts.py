"""The fonts of printed documents come with the program."""

import pytest

from api.printing import fonts
from api.printing.fonts import FAMILY, font_files, load_fonts
from maps.errors import MissingAssetError


def test_there_are_two_weights_of_one_family_and_nothing_of_the_system() -> None:
    assert {(font.family, font.weight) for font in load_fonts().fonts()} == {
        (FAMILY, 400),
        (FAMILY, 700),
    }
    assert {font.path for font in load_fonts().fonts()} == {str(path) for path in font_files()}


def test_they_may_be_handed_on() -> None:
    licence = (font_files()[0].parents[1] / "LICENSE_FONT").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def test_a_missing_font_is_said_before_pages_come_out_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "_FILES", ("400Regular/None.ttf",))
    with pytest.raises(MissingAssetError, match=r"None\.ttf is not installed"):
        font_files()
