"""Grids as they were on a day: what is in force, and what it was before it changed or ended."""

from datetime import date
from typing import Any

from sqlalchemy import Date, String, func, literal, or_, select, union_all
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
    names = [column.name for column in row.__table__.columns]
    current = select(*(_open_end(name, getattr(row, name)) for name in names)).where(
        row.valid_from <= on, or_(row.retired_on.is_(None), row.retired_on > on)
    )
    past = _VERSIONS[row]
    former = select(*(_former(past, name) for name in names)).where(
        past.valid_from <= on, past.valid_to > on
    )
    found = union_all(current, former).subquery(row.__tablename__)
    return aliased(row, found, name=row.__tablename__, adapt_on_names=True)


_ENDS = {"retired_on": Date, "retired_reason": String}


def _open_end(name: str, value: Any) -> Any:
    """Return a column, or nothing of the end that was yet to come."""
    return literal(None, _ENDS[name]).label(name) if name in _ENDS else value


def _former(past: Any, name: str) -> Any:
    """Return a column of a former version, which keeps no tile key."""
    if name in {"cell_x", "cell_y"}:
        return getattr(func.gridsvc, name)(past.geom).label(name)
    return _open_end(name, getattr(past, name, None))
