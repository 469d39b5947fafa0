"""The working calendar of offices in China: when a limit of working hours or days is up.

Holidays and make-up days are those that the State Council announced, each autumn for the next
year, as the package chinesecalendar holds them. For a year that it does not know, Monday to Friday
count, and what was worked out so says that it may change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from chinese_calendar import is_workday
from chinese_calendar.constants import holidays

from geodata.errors import InvalidParameterError

OFFICE_ZONE = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
"""When offices work, local time: morning and afternoon."""

_SATURDAY = 5
_LIMIT = re.compile(r"([1-9][0-9]{0,2})([hd])")
_ANNOUNCED_YEARS = frozenset(day.year for day in holidays)
_WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_UNITS = {
    ("zh", "h"): ("{} 个工作小时", "{} 个工作小时"),
    ("zh", "d"): ("{} 个工作日", "{} 个工作日"),
    ("en", "h"): ("{} working hour", "{} working hours"),
    ("en", "d"): ("{} working day", "{} working days"),
}
_UNANNOUNCED = {
    "zh": "{}年的节假日尚未公布，按周一至周五计算",
    "en": "the holidays of {} are not announced yet, Monday to Friday were counted",
}
Language = Literal["zh", "en"]


def _hours_of_a_day() -> timedelta:
    day = date(2000, 1, 1)
    return sum(
        (datetime.combine(day, end) - datetime.combine(day, start) for start, end in OFFICE_HOURS),
        timedelta(),
    )


WORKING_DAY = _hours_of_a_day()
"""How long offices work on a day."""


@dataclass(frozen=True)
class Limit:
    """So many working hours or working days.

    Attributes
    ----------
    unit
        ``h`` for hours, ``d`` for days.
    """

    count: int
    unit: str

    @classmethod
    def of(cls, text: str) -> "Limit":
        """Return the limit that a catalogue writes as ``4h`` or ``2d``.

        Raises
        ------
        InvalidParameterError
            It is written otherwise.

        Examples
        --------
        >>> Limit.of("4h")
        Limit(count=4, unit='h')
        """
        found = _LIMIT.fullmatch(text)
        if found is None:
            raise InvalidParameterError("limit", text, "a number and h or d, such as 4h or 2d")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def length(self) -> timedelta:
        """How much working time it is."""
        return self.count * (timedelta(hours=1) if self.unit == "h" else WORKING_DAY)

    def words(self, language: Language) -> str:
        """Return it as people say it.

        Examples
        --------
        >>> Limit.of("4h").words("en"), Limit.of("1d").words("zh")
        ('4 working hours', '1 个工作日')
        """
        one, many = _UNITS[language, self.unit]
        return (one if self.count == 1 else many).format(self.count)


@dataclass(frozen=True)
class Due:
    """When a limit is up, and why then.

    Attributes
    ----------
    at
        In the offices' zone.
    unannounced_years
        Years on the way whose holidays are not known yet.
    """

    at: datetime
    limit: Limit
    unannounced_years: tuple[int, ...] = ()

    def words(self, language: Language) -> str:
        """Return the day and time with the reason.

        Examples
        --------
        >>> due_after(datetime(2026, 11, 23, 17, 0, tzinfo=OFFICE_ZONE), Limit.of("4h")).words("en")
        'due Tuesday 24 November 12:00: 4 working hours'
        """
        local = self.at.astimezone(OFFICE_ZONE)
        weekday, reason = _WEEKDAYS[language][local.weekday()], self.limit.words(language)
        if language == "zh":
            said = f"{local.month}月{local.day}日（{weekday}）{local:%H:%M} 前：{reason}"
        else:
            said = f"due {weekday} {local.day} {local:%B %H:%M}: {reason}"
        doubts = [_UNANNOUNCED[language].format(year) for year in self.unannounced_years]
        joint = "；" if language == "zh" else "; "
        return joint.join([said, *doubts])


def is_announced(year: int) -> bool:
    """Tell whether the holidays of a year are known."""
    return year in _ANNOUNCED_YEARS


@cache
def is_working_day(day: date) -> bool:
    """Tell whether offices work on a day: holidays and make-up days where they are known.

    Examples
    --------
    >>> is_working_day(date(2026, 10, 1)), is_working_day(date(2026, 10, 10))
    (False, True)
    """
    if is_announced(day.year):
        return bool(is_workday(day))
    return day.weekday() < _SATURDAY


def due_after(start: datetime, limit: Limit) -> Due:
    """Return when so much working time has passed.

    What begins outside working time begins with the next working minute. A limit is up within
    working time, never at a moment when nobody works.

    Parameters
    ----------
    start
        With a zone.
    """
    left = limit.length
    last = start.astimezone(OFFICE_ZONE)
    for begins, ends in _stretches(start):
        if left <= ends - begins:
            last = begins + left
            break
        left -= ends - begins
    return Due(last, limit, unannounced_between(start, last))


def unannounced_between(start: datetime, end: datetime) -> tuple[int, ...]:
    """Return the years between two moments whose holidays are not known yet."""
    first, last = start.astimezone(OFFICE_ZONE).year, end.astimezone(OFFICE_ZONE).year
    return tuple(year for year in range(first, last + 1) if not is_announced(year))


def working_time_between(start: datetime, end: datetime) -> timedelta:
    """Return how much working time lies between two moments; none where the end is not later."""
    total = timedelta()
    for begins, ends in _stretches(start):
        if begins >= end:
            break
        total += min(ends, end.astimezone(OFFICE_ZONE)) - begins
    return total


def _stretches(start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of working time from a moment on, without end."""
    local = start.astimezone(OFFICE_ZONE)
    day = local.date()
    while True:
        if is_working_day(day):
            for opens, closes in OFFICE_HOURS:
                begins = max(datetime.combine(day, opens, OFFICE_ZONE), local)
                ends = datetime.combine(day, closes, OFFICE_ZONE)
                if begins < ends:
                    yield begins, ends
        day += timedelta(days=1)
