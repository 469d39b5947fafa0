"""Counts of two periods that stay comparable where the map was re-drawn in between."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from geodata.codes import COMPOUND_DIGITS, STAIRWELL_DIGITS
from geodata.lineage import comparable_units
from gridsvc.incidents import service as incidents
from gridsvc.territory.editing import service as editing


@dataclass(frozen=True)
class Period:
    """Days, both counted, in the sub-district's time."""

    first_day: date
    last_day: date


@dataclass(frozen=True)
class Compared:
    """Incidents on the same ground in two periods.

    Attributes
    ----------
    codes
        All grids that this ground has been, sorted: one where nothing was re-drawn.
    """

    codes: tuple[str, ...]
    before: int
    after: int


def compare(
    session: Session, before: Period, after: Period, *, is_compound: bool
) -> list[Compared]:
    """Count the incidents of two periods by grid, on ground that is the same in both.

    Incidents keep the grid that they were reported in. Where grids were split or merged, before,
    between or after the periods, all that descend from each other count as one.

    Returns
    -------
    list of Compared
        Every ground that had an incident in either period, by its first code.
    """
    first, second = (
        incidents.count_by_grid(
            session,
            is_compound=is_compound,
            first_day=period.first_day,
            last_day=period.last_day,
        )
        for period in (before, after)
    )
    digits = COMPOUND_DIGITS if is_compound else STAIRWELL_DIGITS
    units = comparable_units({*first, *second}, editing.list_descents(session, digits=digits))
    grounds = sorted({units[code] for code in {*first, *second}})
    return [
        Compared(
            codes,
            before=sum(first.get(code, 0) for code in codes),
            after=sum(second.get(code, 0) for code in codes),
        )
        for codes in grounds
    ]
