"""The parameter ``datetime``: grids as they were then.

References
----------
OGC 17-069r4, OGC API - Features - Part 1: Core, section 7.15.4 (parameter datetime).
"""

from datetime import UTC, date
from typing import Annotated

from ciso8601 import parse_rfc3339
from fastapi import Depends, Query

from api.errors import RequestRefusedError
from gridsvc.local_time import LOCAL_TIME
from gridsvc.territory.planner import Days

_RULE = "datetime: a date, an RFC 3339 time, or two of them with a slash between."
_OPEN = {"", ".."}


def read_days(
    datetime: Annotated[
        str | None,
        Query(
            description="Compounds, buildings and stairwells as they were at the end of a day: its "
            "date, or a time on it. Of an interval (`first/last`, `../last`, `first/..`) those "
            "that were there at the end of any of its days, as they were on the last of these. "
            "Other collections have no time, so all of theirs match."
        ),
    ] = None,
) -> Days | None:
    """Return the days that are asked for, by the calendar of the sub-district.

    Raises
    ------
    RequestRefusedError
        It is no date, time or interval, or ends before it begins.
    """
    if not datetime:
        return None
    ends = datetime.split("/")
    if len(ends) > 2 or (len(ends) == 2 and set(ends) <= _OPEN):
        raise _refusal()
    days = [None if len(ends) == 2 and end in _OPEN else _day(end) for end in ends]
    first, last = days[0], days[-1]
    if first and last and first > last:
        raise _refusal()
    return Days(first, last)


DaysDep = Annotated[Days | None, Depends(read_days)]


def _day(text: str) -> date:
    """Return a day, or the day that a time is on where the sub-district is."""
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text)
        return parse_rfc3339(text).astimezone(UTC).astimezone(LOCAL_TIME).date()
    except (ValueError, OverflowError):
        raise _refusal() from None


def _refusal() -> RequestRefusedError:
    return RequestRefusedError(400, "invalid-query", _RULE)


def pass_no_time() -> None:
    """Hand no time on to the library: it would look for a column of times, which none has."""
