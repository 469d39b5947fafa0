"""When somebody has time, as offices write it: 周一至周五19:00-21:00；周六全天."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

Span = tuple[int, int, int]
"""Weekday (Monday is 1), first minute and minute after the last, since midnight."""

Away = tuple[date, date | None]
"""First and last day of an absence; None: no end is known."""

_EVERY_DAY = tuple(range(1, 8))
_DAY_MINUTES = 24 * 60
_DAYS = {name: number for number, name in enumerate("一二三四五六日", start=1)} | {"天": 7}
_GROUPS = {
    "每天": _EVERY_DAY,
    "每日": _EVERY_DAY,
    "天天": _EVERY_DAY,
    "全周": _EVERY_DAY,
    "随时": _EVERY_DAY,
    "工作日": (1, 2, 3, 4, 5),
    "周末": (6, 7),
    "双休日": (6, 7),
}
_PARTS = {
    "全天": (0, _DAY_MINUTES),
    "随时": (0, _DAY_MINUTES),
    "白天": (8 * 60, 18 * 60),
    "上午": (8 * 60, 12 * 60),
    "早上": (7 * 60, 9 * 60),
    "中午": (12 * 60, 14 * 60),
    "下午": (14 * 60, 18 * 60),
    "晚上": (19 * 60, 22 * 60),
    "晚间": (19 * 60, 22 * 60),
}
_SEGMENT = re.compile(r"[;,。\n]+")
_DATE = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_LAST = r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?"
_DATES = re.compile(rf"{_DATE}(?:(?:至|到|-|~|—)+{_LAST})?")
_LISTED = re.compile(r"([一二三四五六日天]),(?=周|星期|礼拜)")
_CLOCK = r"(\d{1,2})(?:[:点时](\d{2})?分?)"
_TIMES = re.compile(rf"{_CLOCK}(?:至|到|-|~|—)+{_CLOCK}")
_WEEK = re.compile(r"(?:周|星期|礼拜)((?:[一二三四五六日天](?:[、及和至到\-~—]|周|星期|礼拜)*)+)")
_RANGE = re.compile(r"([一二三四五六日天])(?:至|到|-|~|—)+(?:周|星期|礼拜)?([一二三四五六日天])")
_FILLERS = re.compile(
    r"暂时|不在|外出|请假|休假|有空|可以|均可|都可|可|有时间|在家|的|期间|及|和|、|\s"
)


@dataclass(frozen=True)
class Availability:
    """What a text about times was understood to say.

    Attributes
    ----------
    spans
        Times of the week, in order.
    away
        Absences, in the order of the text.
    unread
        How many parts of the text were not understood.
    """

    spans: tuple[Span, ...] = ()
    away: tuple[Away, ...] = ()
    unread: int = 0


def parse_availability(text: str) -> Availability:
    """Read when somebody has time, and when they are away.

    Parameters
    ----------
    text
        Weekdays and times, several of them parted by ; or ，; a part with two dates is an absence
        from the one to the other, a part with one date an absence from it on. A part without a
        weekday has those before it. Without a time, the whole day.

    Returns
    -------
    Availability
        Empty for an empty text.

    Examples
    --------
    >>> parse_availability("周一至周二19:00-21:00；周六全天").spans
    ((1, 1140, 1260), (2, 1140, 1260), (6, 0, 1440))
    >>> parse_availability("2020-07-01至2020-07-15不在").away
    ((datetime.date(2020, 7, 1), datetime.date(2020, 7, 15)),)
    """
    spans: set[Span] = set()
    away: list[Away] = []
    unread = 0
    days: tuple[int, ...] = _EVERY_DAY
    plain = _LISTED.sub(r"\1、", unicodedata.normalize("NFKC", text))
    for part in filter(None, map(str.strip, _SEGMENT.split(plain))):
        if (dates := _DATES.search(part)) is not None:
            absence = _absence(dates)
            away += [absence] if absence else []
            unread += absence is None
            continue
        named, rest = _weekdays(part)
        days = named or days
        times, rest = _times(rest)
        if times is None or _FILLERS.sub("", rest) or not (named or times):
            unread += 1
            continue
        spans |= {(day, *time) for day in days for time in times or [_PARTS["全天"]]}
    return Availability(tuple(sorted(spans)), tuple(away), unread)


def _absence(found: re.Match[str]) -> Away | None:
    try:
        first = date(*map(int, found.group(1, 2, 3)))
        last = date(int(found[4] or found[1]), int(found[5]), int(found[6])) if found[5] else None
    except ValueError:
        return None
    return (first, last) if last is None or last >= first else None


def _weekdays(part: str) -> tuple[tuple[int, ...], str]:
    """Return the weekdays that a part names, and what is left of it."""
    days: set[int] = set()
    rest = part
    for name, group in _GROUPS.items():
        if name in rest:
            days |= set(group)
            rest = rest.replace(name, "全天" if name == "随时" else "")
    for found in _WEEK.finditer(rest):
        text = found[1]
        for first, last in _RANGE.findall(text):
            low, high = _DAYS[first], _DAYS[last]
            wrapped = high + 7 if high < low else high
            days |= {(day - 1) % 7 + 1 for day in range(low, wrapped + 1)}
        days |= {_DAYS[letter] for letter in text if letter in _DAYS}
    return tuple(sorted(days)), _WEEK.sub("", rest)


def _times(part: str) -> tuple[list[tuple[int, int]] | None, str]:
    """Return the times that a part names, and what is left; None: one that there is not."""
    times = []
    for found in _TIMES.finditer(part):
        first = int(found[1]) * 60 + int(found[2] or 0)
        last = int(found[3]) * 60 + int(found[4] or 0)
        if not first < last <= _DAY_MINUTES or (found[2] or "") >= "60" or (found[4] or "") >= "60":
            return None, ""
        times.append((first, last))
    rest = _TIMES.sub("", part)
    for name, time in _PARTS.items():
        if name in rest:
            rest = rest.replace(name, "")
            if not times:
                times.append(time)
    return times, rest
