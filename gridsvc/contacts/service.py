"""What a caller can do with household contacts: the plans, and who is contact of what today."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from gridsvc.contacts import following, store
from gridsvc.contacts.model import Contact
from gridsvc.contacts.plans.facts import problem_of
from gridsvc.contacts.plans.service import (
    adopt,
    apply,
    get_run,
    list_lines,
    list_plans,
    list_uncovered,
    propose,
)
from gridsvc.contacts.plans.service import get as get_plan
from gridsvc.db import scope_of
from gridsvc.local_time import local_today

__all__ = [
    "adopt",
    "apply",
    "count_states",
    "find_contact",
    "follow_grids",
    "get_plan",
    "get_run",
    "list_lines",
    "list_own_stairwells",
    "list_plans",
    "list_uncovered",
    "problem_of",
    "propose",
]


def find_contact(session: Session, stairwell_code: str) -> Contact | None:
    """Return today's lead contact of a stairwell."""
    return store.find_contact(session, stairwell_code, on=local_today())


def list_own_stairwells(session: Session) -> frozenset[str]:
    """Return the stairwells whose lead contact the caller is today; none for a caller unknown."""
    person = scope_of(session).person
    if person is None:
        return frozenset()
    return frozenset(store.list_led(session, member_id=person, on=local_today()))


def count_states(session: Session, *, community_code: int | None = None) -> dict[str, int]:
    """Return how many stairwells are in each state of coverage today."""
    today = local_today()
    return store.count_states(session, on=today, community_code=community_code)


def follow_grids(
    session: Session,
    *,
    community_code: int,
    ended: Sequence[str],
    descents: Sequence[tuple[str, str]],
    on: date,
) -> int:
    """Let the contacts of stairwells that ended go on in those that took their place.

    Every part of a split stairwell keeps its contacts, with the days to come. Of stairwells that
    were merged, the first gives the new one its lead; the others' leads go on as supporting. A
    pinned choice goes where the lead goes.

    Parameters
    ----------
    ended
        Codes of stairwells that ended on the day; without a successor, their contacts end.
    descents
        Predecessor and successor; of several predecessors, the one that counts most comes first.

    Returns
    -------
    int
        Contacts that go on.
    """
    return following.follow_grids(
        session, community_code=community_code, ended=ended, descents=descents, on=on
    )
