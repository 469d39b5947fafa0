"""Handing over: somebody leaves or is away, and the smallest good change takes care of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.audit import service as audit
from gridsvc.contacts.duty import store as duty
from gridsvc.contacts.model import Plan, PlanOptions
from gridsvc.contacts.plans import applying, proposing, reviewing, store
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans.facts import Facts
from gridsvc.contacts.problem import Policy
from gridsvc.contacts.repairing import repair
from gridsvc.db import new_id
from gridsvc.errors import InvalidChoiceError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.people.register import service as register

REPAIR_S = 2.0


def hand_over(
    session: Session,
    member_id: UUID,
    *,
    from_on: date | None = None,
    until: date | None = None,
    absence: str | None = None,
    options: PlanOptions | None = None,
    seed: int = 0,
    is_applied: bool = False,
) -> Plan:
    """Find others for the stairwells of a member who leaves, or is away for some time.

    Everybody else keeps their stairwells, as far as that is good; other absences are left to hand-
    overs of their own.

    Parameters
    ----------
    from_on
        First day without the member; default: today.
    until
        First day on which the member returns: the change is a cover that ends by itself. Absent:
        the member does not return.
    is_applied
        Apply it at once; otherwise it waits for a review.

    Returns
    -------
    Plan
        Of the stairwells that change hands, and those that nobody could be found for.

    Raises
    ------
    NotFoundError
        The caller's territory has no such member.
    InvalidChoiceError
        The member would return before leaving, or leave in the past.
    """
    options = options or PlanOptions()
    day = from_on or local_today()
    _check(day, until)
    community_code = store.find_community_of(session, member_id)
    if community_code is None:
        raise NotFoundError("member", member_id)
    if absence is not None:
        register.add_absence(session, member_id, kind=absence, since=day, until=until)
    found = _without(reading.read(session, community_code, day=day), member_id)
    policy = Policy(mode=options.mode, party_first=options.party_first)
    solution = repair(found.problem, policy=policy, seed=seed, time_limit_s=REPAIR_S)
    supporting = proposing.support(found, solution, options)
    plan = proposing.describe(found, solution, supporting, run_id=new_id(), seed=seed) | {
        "kind": "hand_over",
        "until": until,
    }
    touched = _touched(session, found, member_id, solution.member.tolist())
    lines, supports = proposing.compare(session, found, solution, supporting, codes=touched)
    store.add_plan(session, plan, lines, supports)
    audit.record(
        session,
        community_code=community_code,
        action="contacts.hand_over",
        subject=str(plan["id"]),
        stairwells=len(lines),
    )
    made = reviewing.get(session, plan["id"])
    return _applied(session, made) if is_applied else made


def _check(day: date, until: date | None) -> None:
    if day < local_today():
        raise InvalidChoiceError(f"A hand-over on {day} lies in the past: it begins today at last.")
    if until is not None and until <= day:
        raise InvalidChoiceError(f"The member returns on {until}, which is not after {day}.")


def _without(found: Facts, member_id: UUID) -> Facts:
    """Return the facts without one member; leads who are away otherwise stay what they are."""
    members = found.members.copy()
    members.loc[members["id"] == member_id, "is_available"] = False
    pins = {code: pinned for code, pinned in found.pins.items() if pinned != member_id}
    pins |= {
        code: lead
        for code, lead in found.leads.items()
        if lead != member_id and lead in found.member_row and not found.is_free(lead)
    }
    return replace(found, members=members, pins=pins, is_pinning_absent=True)


def _touched(session: Session, found: Facts, member_id: UUID, chosen: Sequence[int]) -> list[str]:
    """Return the stairwells that change hands, or that the member leads or supports, sorted."""
    stints = duty.read_stints(
        session, community_code=found.community_code, after=found.day, member_id=member_id
    )
    codes = {one.stairwell_code for one in stints if one.holds(found.day)} & found.row_of.keys()
    for row, code in enumerate(found.codes):
        member = found.member_ids[chosen[row]] if chosen[row] >= 0 else None
        former = found.leads.get(code)
        if former is not None and member is not None and member != former:
            codes.add(code)
    return sorted(codes)


def _applied(session: Session, plan: Plan) -> Plan:
    """Accept all lines of a plan, review it and apply it: one person decided that already."""
    reviewing.accept(session, plan.id)
    reviewing.finish(session, plan.id)
    return applying.apply(session, plan.id)
