"""The printed cards: what stands on them, their codes as pictures, and that nothing is cut off."""

import re
from datetime import UTC, datetime
from uuid import UUID

import segno

from api.pages.cards import cards_page
from gridsvc.access.accounts.model import Invited
from gridsvc.access.model import Account
from gridsvc.access.tokens import new_code

ORIGIN = "https://grid.guicheng.example"
UNTIL = datetime(2027, 1, 2, 16, 30, tzinfo=UTC)


def invited(number: int, *, name: str = "陈试一", login: str | None = None) -> Invited:
    account = Account(
        UUID(int=number),
        login or f"016-{number:04d}",
        name,
        *("contact", 440605011016, (), None, False, UNTIL, False, False),
    )
    return Invited(account, new_code(), UNTIL)


def drawn(svg: str) -> list[list[int]]:
    """Return the modules of a QR code from the strokes of its picture, without the quiet zone."""
    size = int(re.findall(r'viewBox="0 0 (\d+) \1"', svg)[0])
    path = re.findall(r'stroke="#000" d="([^"]+)"', svg)[0]
    rows = [[0] * size for _ in range(size)]
    x, y = 0.0, 0.0
    for step, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if step == "h":
            for column in range(int(x), int(x + values[0])):
                rows[int(y)][column] = 1
            x += values[0]
        else:
            x, y = values if step == "M" else (x + values[0], y + values[1])
    assert not any(map(any, rows[:4] + rows[-4:])), "a quiet zone of four modules"
    return [row[4:-4] for row in rows[4:-4]]


def test_a_card_says_who_how_and_until_when_in_both_languages() -> None:
    one = invited(42)
    page = cards_page([one], ORIGIN, "zh")
    assert '<html lang="zh-CN">' in page
    for words in ("陈试一", "016-0042", one.code, "2027-01-03 00:30", f"{ORIGIN}/invite"):
        assert page.count(f">{words}<") == 1, words
    assert "登录名 <small" in page
    assert "用手机扫码" in page
    assert "Scan, or open the address" in page
    assert page.index("用手机扫码") < page.index("Scan, or open the address")
    english = cards_page([one], ORIGIN, "en")
    assert english.index("Scan, or open the address") < english.index("用手机扫码")


def test_the_qr_code_is_that_of_the_link_with_the_code_behind_the_hash() -> None:
    people = [invited(number) for number in range(3)]
    pictures = re.findall(r"<svg.+?</svg>", cards_page(people, ORIGIN))
    for one, picture in zip(people, pictures, strict=True):
        wanted = segno.make_qr(f"{ORIGIN}/invite#{one.code}", error="m", mask=3, boost_error=False)
        assert drawn(picture) == [list(row) for row in wanted.matrix]
        other = segno.make_qr(f"{ORIGIN}/invite#{new_code()}", error="m", mask=3, boost_error=False)
        assert drawn(picture) != [list(row) for row in other.matrix]


def test_what_people_are_called_is_text_on_the_card() -> None:
    page = cards_page([invited(1, name="<script>alert(1)</script>&")], ORIGIN)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_but_itself_and_fits_a_policy() -> None:
    page = cards_page([invited(1)], ORIGIN, nonce="abc")
    assert '<style nonce="abc">' in page
    assert not re.findall(r"(?:src|href)=", page)
    assert not re.findall(r"\sstyle=|\son[a-z]+=", page)
    assert "nonce" not in cards_page([invited(1)], ORIGIN)
    assert cards_page([], ORIGIN).count('class="card"') == 0
