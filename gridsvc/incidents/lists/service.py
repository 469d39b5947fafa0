"""Work lists and what is done with many incidents at once."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.db import scope_of
from gridsvc.errors import GridsvcError, InvalidStepDetailError
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.lists import store
from gridsvc.incidents.lists.model import LISTS, Assigned, Chosen, WorkFilter
from gridsvc.incidents.model import Incident

COUNTED_TO = 1_000
"""Lists are counted so far: beyond that, "1,000 and more" is all that anybody needs."""

MOST_AT_ONCE = 200
"""Incidents that can be handed over at once."""


def list_work(
    session: Session,
    wanted: WorkFilter,
    *,
    stairwell_codes: Collection[str] | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Incident]:
    """Return at most ``limit`` incidents of a work list, the oldest first, after a time and id.

    Parameters
    ----------
    stairwell_codes
        Only those of these stairwells, and those handed to the caller; default: all.
    """
    return store.list_work(
        session,
        wanted,
        account=scope_of(session).account,
        stairwell_codes=stairwell_codes,
        now=datetime.now(UTC),
        after=after,
        limit=limit,
    )


def order_of(name: str, incident: Incident) -> datetime:
    """Return the time by which an incident stands in a list."""
    found: datetime = getattr(incident, store.ORDER[name])
    return found


def count_lists(
    session: Session,
    *,
    community_code: int | None = None,
    stairwell_codes: Collection[str] | None = None,
) -> dict[str, int]:
    """Return how many incidents are in each list, up to `COUNTED_TO`."""
    now = datetime.now(UTC)
    return {
        name: store.count_work(
            session,
            WorkFilter(name, community_code=community_code),
            account=scope_of(session).account,
            stairwell_codes=stairwell_codes,
            now=now,
            at_most=COUNTED_TO,
        )
        for name in LISTS
    }


def assign_many(
    session: Session,
    chosen: Sequence[Chosen],
    wanted: Step,
    *,
    on_event: Sequence[Listener] = (),
) -> list[Assigned]:
    """Hand many incidents to one account or party; each is answered for itself.

    Parameters
    ----------
    wanted
        The step ``assign``.

    Raises
    ------
    InvalidStepDetailError
        There are more than `MOST_AT_ONCE`.
    """
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidStepDetailError(f"At most {MOST_AT_ONCE} incidents at once.")
    # In one order for everybody: two who choose the same ones do not wait for each other.
    order = sorted(range(len(chosen)), key=lambda number: chosen[number].id)
    done = {
        number: _assign_one(session, chosen[number], wanted, on_event=on_event) for number in order
    }
    return [done[number] for number in range(len(chosen))]


def _assign_one(
    session: Session, one: Chosen, wanted: Step, *, on_event: Sequence[Listener]
) -> Assigned:
    try:
        with session.begin_nested():
            after = life.step(session, one.id, wanted, version=one.version, on_event=on_event)
    except GridsvcError as error:
        return Assigned(one.id, None, error.code, str(error))
    return Assigned(one.id, after.version)
