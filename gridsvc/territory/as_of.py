"""Grids as they were on a day: what is in force, and what it was before it changed or ended."""

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    String,
    Subquery,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from gridsvc.territory.tables import (
    BuildingRow,
    BuildingVersionRow,
    CompoundRow,
    CompoundVersionRow,
    StairwellRow,
    StairwellVersionRow,
)

_VERSIONS: dict[Any, Any] = {
    CompoundRow: CompoundVersionRow,
    BuildingRow: BuildingVersionRow,
    StairwellRow: StairwellVersionRow,
}


def has_history(row: Any) -> bool:
    """Tell whether what the rows of a table were is kept."""
    return row in _VERSIONS


def as_of(row: Any, on: date | None) -> Any:
    """Return the grids of a table on a day, to select from as from the table class itself.

    Parameters
    ----------
    row
        `CompoundRow`, `BuildingRow` or `StairwellRow`.
    on
        Each grid is told as it was at the end of this day; default: as it is now. A grid that
        ended on the day is left out, and so is one that began after it; of one that ended later,
        that it would is not told.

    Returns
    -------
    type
        An alias with the columns of ``row``.
    """
    if on is None:
        living = select(row).where(row.retired_on.is_(None)).subquery(row.__tablename__)
        return aliased(row, living, name=row.__tablename__, adapt_on_names=True)
    return _alias(row, _in_force(row, first=on, last=on))


def within(row: Any, first: date | None, last: date | None) -> Any:
    """Return the grids that were in force at the end of any day from one to another.

    Parameters
    ----------
    row
        As for `as_of`.
    first, last
        Absent: since ever, for ever. Each grid is told as it was at the last of these days on
        which it was in force, so on one day alone this is `as_of`.

    Returns
    -------
    type
        An alias with the columns of ``row``.
    """
    every = _in_force(row, first=first, last=last)
    key = (every.c.community_code, every.c.code)
    latest = select(every).ext(distinct_on(*key)).order_by(*key, every.c.version.desc())
    return _alias(row, latest.subquery(row.__tablename__))


def _alias(row: Any, found: Subquery) -> Any:
    return aliased(row, found, name=row.__tablename__, adapt_on_names=True)


def _in_force(row: Any, *, first: date | None, last: date | None) -> Subquery:
    """Return the versions, also the present ones, that were in force at the end of such a day."""
    names = [column.name for column in row.__table__.columns]
    current = select(*(_open_end(name, getattr(row, name)) for name in names)).where(
        _begins_by(row, last),
        or_(row.retired_on.is_(None), _ends_after(row, row.retired_on, first)),
    )
    past = _VERSIONS[row]
    former = select(*(_former(past, name) for name in names)).where(
        _begins_by(past, last), _ends_after(past, past.valid_to, first)
    )
    return union_all(current, former).subquery(row.__tablename__)


def _begins_by(version: Any, last: date | None) -> ColumnElement[bool]:
    begins: ColumnElement[bool] = true() if last is None else version.valid_from <= last
    return begins


def _ends_after(version: Any, end: Any, first: date | None) -> ColumnElement[bool]:
    """Return that a version saw the end of a day: not one that was changed on its first day."""
    lasted: ColumnElement[bool] = end > version.valid_from
    return lasted if first is None else lasted & (end > first)


_ENDS = {"retired_on": Date, "retired_reason": String}


def _open_end(name: str, value: Any) -> Any:
    """Return a column, or nothing of the end that was yet to come."""
    return literal(None, _ENDS[name]).label(name) if name in _ENDS else value


def _former(past: Any, name: str) -> Any:
    """Return a column of a former version, which keeps no tile key."""
    if name in {"cell_x", "cell_y"}:
        return getattr(func.gridsvc, name)(past.geom).label(name)
    return _open_end(name, getattr(past, name, None))
