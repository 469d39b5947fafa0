"""Figures of incidents for whoever works with them: exact, of the own territory."""

from datetime import date

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.errors import InvalidPeriodError
from gridsvc.incidents.numbers import store
from gridsvc.incidents.numbers.model import Figures


def read_figures(
    session: Session,
    *,
    by: str,
    first_day: date,
    last_day: date,
    community_code: int | None = None,
) -> list[Figures]:
    """Return the figures of what was reported in a period, by one of ``DIVISIONS``.

    Parameters
    ----------
    first_day, last_day
        Both counted, in the sub-district's time.

    Raises
    ------
    InvalidPeriodError
        It ends before it begins.
    RoleNotAllowedError
        The caller is not of the staff: exact counts of homes do not leave the house.
    """
    access.require_role(session, *STAFF_ROLES, "job")
    if last_day < first_day:
        raise InvalidPeriodError(first_day, last_day)
    return store.read_figures(
        session, by=by, community_code=community_code, first_day=first_day, last_day=last_day
    )
