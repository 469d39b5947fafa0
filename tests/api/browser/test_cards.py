"""The printed cards in a browser: ten a page, and nothing cut off."""

import re
from pathlib import Path

import pytest

from api.deps import Language
from api.pages.cards import cards_page
from tests.api.pages.test_cards import ORIGIN, invited
from tests.browser import OpenTab

pytestmark = pytest.mark.browser

LONG = (
    "Maximilian-Alexander von und zu Sampletown-Example the Third, of a very long Name indeed, yes"
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_ten_cards_are_a_sheet_and_nothing_is_cut_off(
    open_tab: OpenTab, tmp_path: Path, language: Language
) -> None:
    people = [invited(number) for number in range(9)]
    people += [invited(10, name=LONG), invited(11, login="a" * 40), invited(12)]
    file = tmp_path / "cards.html"
    file.write_text(cards_page(people, ORIGIN, language), encoding="utf-8")
    tab = open_tab(file.parent.as_uri())
    tab.open("/cards.html")
    tab.page.emulate_media(media="print")
    cut = """[...document.querySelectorAll('.card, .facts, .how, .code')].filter(
        one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1
    ).map(one => one.textContent)"""
    assert tab.page.evaluate(cut) == []
    sheets = "[...document.querySelectorAll('.sheet')].map(sheet => sheet.children.length)"
    assert tab.page.evaluate(sheets) == [10, 2]
    sizes = tab.page.evaluate(
        "[...document.querySelectorAll('.sheet')].map(s => s.getBoundingClientRect().height)"
    )
    assert all(height < 277 / 25.4 * 96 for height in sizes), "a page of A4 inside its margins"
    pdf = tab.page.pdf(prefer_css_page_size=True)
    assert re.findall(rb"/Count (\d+)", pdf) == [b"2"]
    assert tab.complaints == []
    assert tab.outside() == []
