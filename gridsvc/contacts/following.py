"""Contacts and pinned choices follow grids that were split or merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.contacts.duty import store as duty
from gridsvc.contacts.duty.model import Stint
from gridsvc.contacts.duty.replacing import Changes, by_stairwell
from gridsvc.contacts.plans import store as plans
from gridsvc.db import new_id


def follow_grids(
    session: Session,
    *,
    community_code: int,
    ended: Sequence[str],
    descents: Sequence[tuple[str, str]],
    on: date,
) -> int:
    """Let contacts go on where their stairwells went; see `gridsvc.contacts.service`."""
    gone = set(ended)
    stints = by_stairwell(
        one
        for one in duty.read_stints(session, community_code=community_code, after=on)
        if one.stairwell_code in gone
    )
    changes = Changes()
    for one in (stint for of_stairwell in stints.values() for stint in of_stairwell):
        _end(changes, one, on)
    for successor in dict.fromkeys(successor for _, successor in descents):
        sources = [stints.get(old, []) for old, new in descents if new == successor]
        changes.added += _inherited(sources, successor, on)
    duty.write(session, changes, community_code=community_code)
    _pins_follow(session, community_code, ended, descents)
    return len(changes.added)


def _end(changes: Changes, stint: Stint, on: date) -> None:
    """Let somebody's days end; who began on that day keeps it, so that the day has a contact."""
    if stint.first_day == on:
        changes.ended[stint.id] = date.fromordinal(on.toordinal() + 1)
    else:
        changes.cut(stint, on)


def _inherited(sources: Sequence[Sequence[Stint]], successor: str, on: date) -> list[Stint]:
    """Return who is contact of a stairwell, given who was of each that went into it."""
    heirs: list[Stint] = []
    known: set[UUID] = set()
    has_lead = False
    for source in sources:
        own = [one for one in source if one.member_id not in known]
        is_leading = not has_lead and any(one.kind == "lead" for one in own)
        for one in own:
            kind = one.kind if is_leading else "supporting"
            if kind == "supporting" and any(
                heir.member_id == one.member_id and heir.kind == kind for heir in heirs
            ):
                continue
            heirs.append(
                replace(
                    one,
                    id=new_id(),
                    stairwell_code=successor,
                    kind=kind,
                    first_day=max(one.first_day, on),
                )
            )
        known |= {one.member_id for one in own}
        has_lead = has_lead or is_leading
    return heirs


def _pins_follow(
    session: Session,
    community_code: int,
    ended: Sequence[str],
    descents: Sequence[tuple[str, str]],
) -> None:
    pins = plans.read_pins(session, community_code=community_code)
    plans.unpin(session, [code for code in ended if code in pins])
    heirs: dict[str, UUID] = {}
    for predecessor, successor in descents:
        if predecessor in pins:
            heirs.setdefault(successor, pins[predecessor])
    for successor, member_id in heirs.items():
        plans.pin(
            session,
            community_code=community_code,
            stairwell_code=successor,
            member_id=member_id,
            plan_id=None,
        )
