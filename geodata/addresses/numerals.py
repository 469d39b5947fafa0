"""Names of buildings, stairwells and rooms: digits, letters, Chinese numerals in one spelling."""

import re

CHINESE_DIGITS = "零〇一二两三四五六七八九十百"
HEAVENLY_STEMS = "甲乙丙丁戊己庚辛壬癸"
DIRECTIONS = "东西南北中"
LARGEST_RANGE = 200
"""Longer ranges of buildings are no spelling of a household's address, but a slip."""

_ONES = "一二三四五六七八九"
_VALUES = {"零": 0, "〇": 0, "两": 2} | {digit: at for at, digit in enumerate(_ONES, start=1)}

# 一十 is left out: in 滨江一十栋 it is the compound 滨江一 and building 十.
NUMERAL = (
    rf"(?<![{CHINESE_DIGITS}])(?:[{_ONES}]百(?:零?[{_ONES}]|[{_ONES}]十[{_ONES}]?)?"
    rf"|[二三四五六七八九]?十[{_ONES}]?|[{_ONES}两])(?![{CHINESE_DIGITS}])"
)
"""Pattern of a Chinese numeral from 1 to 999."""

SPELLED_OUT = rf"(?<![{CHINESE_DIGITS}])[{_ONES}][零〇{_ONES}]{{2,3}}(?![{CHINESE_DIGITS}])"
"""Pattern of a room number digit by digit: 三〇二."""

NAME = (
    rf"(?:(?<![A-Z])[A-Z]{{1,2}}-?\d{{1,3}}(?!\d)|(?<![\d.])\d{{1,3}}[A-Z]?(?![\dA-Z])"
    rf"|(?<![A-Z])[A-Z]{{1,2}}(?![A-Z])|{NUMERAL}|[{HEAVENLY_STEMS}])"
)
"""Pattern of the name of a building or stairwell without its word."""


def chinese_number(text: str) -> int | None:
    """Return the number that a Chinese numeral names, or None.

    Examples
    --------
    >>> chinese_number("二十三"), chinese_number("三〇二"), chinese_number("一百零五")
    (23, 302, 105)
    >>> chinese_number("一二") is None
    True
    """
    if re.fullmatch(SPELLED_OUT, text):
        return int("".join(str(_VALUES[digit]) for digit in text))
    if not re.fullmatch(NUMERAL, text):
        return None
    total, ones = 0, 0
    for sign in text:
        if sign in "十百":
            total += (ones or 1) * (10 if sign == "十" else 100)
            ones = 0
        else:
            ones = _VALUES[sign]
    return total + ones


def canonical(name: str) -> str:
    """Return the one spelling of the name of a building or stairwell.

    Examples
    --------
    >>> canonical("03"), canonical("十二"), canonical("A-01"), canonical("1B"), canonical("甲")
    ('3', '12', 'A1', '1B', '甲')
    """
    number = chinese_number(name)
    if number is not None:
        return str(number)
    bare = re.sub(r"(?<=[A-Z])-(?=\d)", "", name)
    return re.sub(r"(?<!\d)0+(?=\d)", "", bare)


def expand(first: str, last: str) -> tuple[str, ...] | None:
    """Return the names from one to another, both included, or None where that is no range.

    Examples
    --------
    >>> expand("9", "11"), expand("A", "C"), expand("B2", "B3")
    (('9', '10', '11'), ('A', 'B', 'C'), ('B2', 'B3'))
    >>> expand("10", "1") is None and expand("A", "3") is None and expand("1", "9999") is None
    True
    """
    if len(first) == len(last) == 1:
        for order in (HEAVENLY_STEMS, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
            if 0 <= order.find(first) < order.find(last):
                return tuple(order[order.find(first) : order.find(last) + 1])
    split = [re.fullmatch(r"([A-Z]*)(\d+)", name) for name in (first, last)]
    if not split[0] or not split[1]:
        return None
    prefix, end_prefix = split[0][1], split[1][1]
    start, end = int(split[0][2]), int(split[1][2])
    if end_prefix not in (prefix, "") or not start < end < start + LARGEST_RANGE:
        return None
    return tuple(f"{prefix}{number}" for number in range(start, end + 1))
