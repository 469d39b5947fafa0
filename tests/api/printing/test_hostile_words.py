"""Whatever people have typed is text on a notice, and one page holds it."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from api.printing.document import Paper
from api.printing.model import Notice, NoticeContact
from api.printing.notices import draw_notices
from api.printing.words import printable
from tests.api.printing.reading import ISSUED_ON, bookmarks, closed, codes, notice, printed, words

MARKUP = (
    "#panic()",
    '#import "house.typ": given',
    "#let words = 1",
    '"},{"paper":"A3","x":"',
    "*b* _i_ `r` $a^2$ <l> @r ~ -- --- ...",
    "// c /* d */",
    "= H\n- one\n+ two\n/ t: u",
    "\\u{1F600} \\# \\",
    "{facts} {0} {community} %s %(x)s",
    "<script>alert(1)</script>&amp;",
    "]) #pagebreak() [(",
    "'\"“”‘’",
    "https://a.example//b",
)
LETTERS = st.characters(codec="utf-8", min_codepoint=0x21, max_codepoint=0x7E) | st.sampled_from(
    "#*_$<>\\@`=-+/~\"'[]{}()%&桂城翠颐，。（）·é "
)
ANYTHING = st.text(max_size=120) | st.text(LETTERS, max_size=200) | st.sampled_from(MARKUP)


def everywhere(text: str) -> Notice:
    """Return a notice that says a text wherever it says anything."""
    people = [NoticeContact(text, text, post) for post in ("lead", "supporting", "building_chief")]
    return notice(
        street=text,
        community=text,
        compound=text,
        building=text,
        stairwell=text,
        contacts=tuple(people),
        office_phone=text,
    )


def test_markup_is_printed_as_it_was_typed() -> None:
    pdf = printed(*(everywhere(text) for text in MARKUP))
    assert len(pdf.pages) == len(MARKUP)
    for page, text in enumerate(MARKUP):
        # Five words of the place, three names and phones, the phone of the community.
        assert words(pdf, page).count(closed(printable(text, at_most=40))) == 12, text


def test_bookmarks_hold_markup_as_text() -> None:
    pdf = printed(notice(compound='#panic() *b* "q"', building="<1>", stairwell="@2"))
    assert bookmarks(pdf) == [('#panic() *b* "q" <1>@2', 0)]


@settings(max_examples=25, deadline=None)
@given(st.lists(ANYTHING, min_size=1, max_size=3), st.sampled_from(["A4", "A5"]))
def test_any_words_give_a_page_a_notice(texts: list[str], paper: Paper) -> None:
    asked = [everywhere(text) for text in texts]
    pdf = printed(*asked, paper=paper)
    assert len(pdf.pages) == len(asked)
    for page in range(len(asked)):
        assert words(pdf, page).count("楼道公示牌") == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(LETTERS, min_size=1, max_size=30), min_size=1, max_size=3))
def test_a_name_of_letters_that_we_have_is_on_the_page_whole(names: list[str]) -> None:
    pdf = printed(*(notice(contacts=(NoticeContact(name, None, "lead"),)) for name in names))
    for page, name in enumerate(names):
        assert closed(printable(name, at_most=40)) in words(pdf, page)


@pytest.mark.parametrize("text", ["W" * 500, "翠" * 500, "长 " * 500, "a\u0301" * 300, "@" * 60])
@pytest.mark.parametrize("paper", ["A4", "A5"])
def test_long_words_stay_on_the_paper_and_leave_the_code_readable(text: str, paper: Paper) -> None:
    one = everywhere(text)
    (picture,) = draw_notices(
        [one], paper=paper, language="zh", issued_on=ISSUED_ON, dots_per_inch=110
    )
    assert codes(picture) == [one.report_url]
    image = Image.open(BytesIO(picture)).convert("L")
    margin = image.width * 11 // 210
    left = image.crop((0, 0, margin, image.height))
    right = image.crop((image.width - margin, 0, image.width, image.height))
    assert left.getextrema() == right.getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x07\x1b[31mc", "ab[31mc"),
        ("one\ntwo\r\n\tthree\u2028four", "one two three four"),
        ("admin\u202eexe\u2066\u200b\ufeff", "adminexe"),
        ("颐景园😀🏳️‍🌈", "颐景园"),
        ("Z\u0361\u0489a\u0300", "Zà"),
        ("half \ud83d", "half"),
        ("①号 ☎ ★", "①号 ☎ ★"),
        ("   ", ""),
    ],
)
def test_what_paper_cannot_show_is_left_out(text: str, shown: str) -> None:
    assert printable(text, at_most=40) == shown
    pdf = printed(notice(compound=text))
    assert len(pdf.pages) == 1
    assert closed(shown) in words(pdf)


def test_a_text_is_cut_off_with_an_ellipsis() -> None:
    assert printable("南海颐景园", at_most=5) == "南海颐景园"
    assert printable("南海颐景园二期", at_most=5) == "南海颐景…"
    assert printable("ab cd", at_most=4) == "ab…"
    assert "翠" * 39 + "…" in words(
        printed(notice(contacts=(NoticeContact("翠" * 41, None, "lead"),)))
    )
