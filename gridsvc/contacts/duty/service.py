"""Who is contact of what on a day, who was before, and where nobody can be asked."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.contacts.duty import store
from gridsvc.contacts.duty.model import Alert, Duty, DutyFilter, OwnStairwell
from gridsvc.db import scope_of
from gridsvc.errors import NotFoundError
from gridsvc.local_time import local_today


def list_in_force(
    session: Session,
    wanted: DutyFilter | None = None,
    *,
    on: date | None = None,
    after: tuple[str, str, UUID] | None = None,
    limit: int = 100,
) -> list[Duty]:
    """Return at most ``limit`` contacts of a day, by stairwell, the lead first.

    Parameters
    ----------
    on
        Past or to come; default: today.
    after
        Stairwell, kind and member of the last one that was seen.
    """
    return store.list_duties(
        session, wanted or DutyFilter(), on=on or local_today(), after=after, limit=limit
    )


def list_history(session: Session, stairwell_code: str) -> list[Duty]:
    """Return everybody who was, is or will be contact of a stairwell, the newest first.

    Raises
    ------
    NotFoundError
        The caller's territory never had such a stairwell.
    """
    if not store.has_stairwell(session, stairwell_code):
        raise NotFoundError("stairwell", stairwell_code)
    return store.list_history(session, stairwell_code)


def list_own(session: Session, *, on: date | None = None) -> list[OwnStairwell]:
    """Return the stairwells that the caller is contact of; none for a caller unknown."""
    person = scope_of(session).person
    return [] if person is None else store.list_own(session, person, on=on or local_today())


def list_alerts(
    session: Session,
    *,
    on: date | None = None,
    community_code: int | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Alert]:
    """Return at most ``limit`` stairwells whose lead cannot be asked on a day, by code.

    Parameters
    ----------
    on
        Also to come, for absences that are known already; default: today.
    """
    return store.list_alerts(
        session, on=on or local_today(), community_code=community_code, after=after, limit=limit
    )
