"""What a client asks for: the parameters of GET requests, as lenient as the specification is.

An empty parameter is one that was not sent; what cannot be understood is named, all of it at once.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from starlette.datastructures import QueryParams

from api.open311.documents import category_code_of
from gridsvc.errors import UnfitServiceRequestError
from gridsvc.incidents.public.model import PublicQuery
from gridsvc.local_time import LOCAL_TIME

LONGEST = timedelta(days=90)
MOST = 1000
"""Requests of one answer, and ids that can be asked for at once."""
_DEEPEST = 100_000
_STATUSES = {"open": False, "closed": True}
_TRUE = {"true", "1", "yes"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# A plus sign that was not encoded arrives as a space.
_LOST_PLUS = re.compile(r" (?=\d{2}:\d{2}$)")


@dataclass(frozen=True)
class Wish:
    """Which requests are wanted, and whether with extensions."""

    query: PublicQuery
    is_extended: bool


def read_wish(parameters: QueryParams, *, now: datetime) -> Wish:
    """Return what the parameters of a list of requests mean.

    Raises
    ------
    UnfitServiceRequestError
        Some of them mean nothing; each is named.
    """
    faults: list[str] = []
    extended = is_extended(parameters)
    ids = _list(parameters, "service_request_id")
    if ids:  # overrides all other arguments
        if len(ids) > MOST:
            raise UnfitServiceRequestError([f"service_request_id: at most {MOST} at once."])
        known = [found for text in ids if (found := incident_id_of(text))]
        return Wish(PublicQuery(ids=known, limit=MOST), extended)
    codes = _list(parameters, "service_code")
    since, until = _period(parameters, now, faults)
    page, size = (
        _number(parameters, "page", 1, faults),
        _number(parameters, "page_size", MOST, faults),
    )
    size = min(size, MOST)
    if page * size > _DEEPEST:
        faults.append(f"page: at most {_DEEPEST} requests can be paged through; ask by time.")
    query = PublicQuery(
        category_codes=[category_code_of(code) for code in codes] if codes else None,
        is_closed=_status(parameters, faults),
        since=since,
        until=until,
        box=_box(parameters, faults),
        offset=(page - 1) * size,
        limit=size,
    )
    if faults:
        raise UnfitServiceRequestError(faults)
    return Wish(query, extended)


def is_extended(parameters: QueryParams) -> bool:
    """Tell whether extensions are wanted."""
    return _last(parameters, "extensions").lower() in _TRUE


def incident_id_of(text: str) -> UUID | None:
    """Return the id that a text is; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _list(parameters: QueryParams, name: str) -> list[str]:
    """Return the values of a parameter that may come several times, parted by commas."""
    parts = (part.strip() for text in parameters.getlist(name) for part in text.split(","))
    return [part for part in parts if part]


def _last(parameters: QueryParams, name: str) -> str:
    return str(parameters.get(name) or "").strip()


def _status(parameters: QueryParams, faults: list[str]) -> bool | None:
    wanted = {text.lower() for text in _list(parameters, "status")}
    if wanted - _STATUSES.keys():
        faults.append("status: there are open and closed.")
    known = {_STATUSES[text] for text in wanted & _STATUSES.keys()}
    return known.pop() if len(known) == 1 else None


def _number(parameters: QueryParams, name: str, default: int, faults: list[str]) -> int:
    text = _last(parameters, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        faults.append(f"{name}: not a number from 1 up.")
        return default
    return int(text)


def _box(parameters: QueryParams, faults: list[str]) -> tuple[float, float, float, float] | None:
    text = _last(parameters, "bbox")
    if not text:
        return None
    corners = [_degrees(part) for part in text.split(",")]
    if len(corners) == 4 and None not in corners:
        xmin, ymin, xmax, ymax = (corner or 0.0 for corner in corners)
        if -180 <= xmin <= xmax <= 180 and -90 <= ymin <= ymax <= 90:
            return xmin, ymin, xmax, ymax
    faults.append("bbox: not xmin,ymin,xmax,ymax in degrees, longitude first.")
    return None


def _degrees(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _period(parameters: QueryParams, now: datetime, faults: list[str]) -> tuple[datetime, datetime]:
    """Return the first and last moment that are wanted: 90 days at most."""
    before = len(faults)
    since = _moment(parameters, "start_date", time.min, faults)
    until = _moment(parameters, "end_date", time.max, faults)
    if len(faults) > before:
        return now, now
    try:
        if since is None:
            return (until or now) - LONGEST, until or now
        if until is None:
            return since, since + LONGEST
    except OverflowError:
        faults.append("start_date, end_date: out of range.")
        return now, now
    # By the clock of whoever asks, a day at the end is whole.
    if not timedelta(0) <= until - since < LONGEST + timedelta(days=1):
        faults.append("start_date, end_date: not in order, or more than 90 days apart.")
    return since, until


def _moment(parameters: QueryParams, name: str, of_day: time, faults: list[str]) -> datetime | None:
    """Return a moment; a day alone is one of the sub-district's, its begin or its end."""
    text = _LOST_PLUS.sub("+", _last(parameters, name))
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), of_day, LOCAL_TIME)
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        faults.append(f"{name}: not a time with its zone, such as 2010-01-01T00:00:00Z.")
        return None
    return found
