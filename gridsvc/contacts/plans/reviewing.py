"""Reviewing: a coordinator accepts, overrides or rejects lines, and says when the review is done.

A decision holds beyond its plan: whom a coordinator chose is pinned for later plans, and whom one
rejected is excluded. Deciding anew takes back what the earlier decision had brought about. What a
line was decided on is what was seen then: its stairwell and today's lead are noted again.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.audit import service as audit
from gridsvc.contacts import store as contacts
from gridsvc.contacts.model import OPEN_STATUSES, Plan
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans import store
from gridsvc.contacts.plans.proposing import change_of
from gridsvc.errors import InvalidChoiceError, NotFoundError, PlanAppliedError, StalePlanError
from gridsvc.people import service as people
from gridsvc.people.register import service as register


def get(session: Session, plan_id: UUID) -> Plan:
    """Return one plan.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    plan = store.find_plan(session, plan_id)
    if plan is None:
        raise NotFoundError("contact plan", plan_id)
    return plan


def hold(session: Session, plan_id: UUID, *, version: int | None) -> Plan:
    """Return an open plan that nobody else can change until this transaction ends.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    PlanAppliedError
        It was applied, superseded or withdrawn.
    StalePlanError
        It is not in the version that the caller saw.
    """
    store.hold(session, get(session, plan_id))
    plan = get(session, plan_id)
    if plan.status not in OPEN_STATUSES:
        raise PlanAppliedError(plan_id, plan.status)
    if version is not None and version != plan.version:
        raise StalePlanError(plan_id, version, plan.version)
    return plan


def accept(
    session: Session,
    plan_id: UUID,
    *,
    stairwell_codes: Sequence[str] | None = None,
    compound_code: str | None = None,
    version: int | None = None,
) -> Plan:
    """Accept lines as they were proposed.

    Parameters
    ----------
    stairwell_codes
        These lines, whatever was decided on them before.
    compound_code
        The open lines of this compound; with neither: all open lines. Stairwells that have ended
        stay open.

    Raises
    ------
    NotFoundError
        The plan has no line of one of the stairwells.
    """
    plan = hold(session, plan_id, version=version)
    lines = _chosen(session, plan, stairwell_codes, compound_code)
    ground = store.read_ground(session, community_code=plan.community_code)
    standing = [line for line in lines if line["stairwell_code"] in ground]
    if stairwell_codes is not None and len(standing) < len(lines):
        ended = sorted({line["stairwell_code"] for line in lines} - ground.keys())
        raise InvalidChoiceError(f"Stairwell {ended[0]} has ended: nothing of it can be accepted.")
    _undo(session, plan, standing)
    codes = [line["stairwell_code"] for line in standing]
    store.decide(session, plan, codes, decision="accepted")
    _see_again(session, plan, standing, ground)
    return _decided(session, plan, "accept", len(codes))


def override(
    session: Session,
    plan_id: UUID,
    *,
    stairwell_code: str,
    member_id: UUID,
    version: int | None = None,
) -> Plan:
    """Put somebody else in the place of the proposed lead, here and in every later plan.

    Raises
    ------
    NotFoundError
        The plan has no line of the stairwell, or the community no such member.
    InvalidChoiceError
        The member cannot be asked, or must not be contact of this stairwell; or the stairwell has
        ended.
    """
    plan = hold(session, plan_id, version=version)
    lines = _chosen(session, plan, [stairwell_code], None)
    _undo(session, plan, lines)
    found = reading.read(session, plan.community_code, day=plan.day)
    if stairwell_code not in found.row_of:
        raise InvalidChoiceError(f"Stairwell {stairwell_code} has ended.")
    if member_id not in found.member_row:
        raise NotFoundError("member", member_id)
    if not found.is_free(member_id):
        raise InvalidChoiceError(f"Member {member_id} cannot be asked on {plan.day}.")
    if not found.can_lead(stairwell_code, member_id):
        raise InvalidChoiceError(
            f"Member {member_id} must not be contact of stairwell {stairwell_code}: an exclusion "
            "is in force."
        )
    tier, distance_m = found.place_of(stairwell_code, member_id)
    store.decide(
        session,
        plan,
        [stairwell_code],
        decision="overridden",
        chosen_member_id=member_id,
        chosen_tier=tier,
        chosen_distance_m=distance_m,
    )
    store.pin(
        session,
        community_code=plan.community_code,
        stairwell_code=stairwell_code,
        member_id=member_id,
        plan_id=plan.id,
    )
    ground = store.read_ground(session, community_code=plan.community_code)
    _see_again(session, plan, lines, ground)
    return _decided(session, plan, "override", 1)


def reject(
    session: Session,
    plan_id: UUID,
    *,
    stairwell_codes: Sequence[str],
    reason: str,
    version: int | None = None,
) -> Plan:
    """Reject whom lines propose: they are excluded from these stairwells, whose contact stays.

    Parameters
    ----------
    reason
        Why, for whoever plans later; it becomes the exclusion's.

    Raises
    ------
    NotFoundError
        The plan has no line of one of the stairwells.
    InvalidChoiceError
        A line proposes nobody.
    """
    plan = hold(session, plan_id, version=version)
    lines = _chosen(session, plan, stairwell_codes, None)
    for line in lines:
        if line["member_id"] is None:
            raise InvalidChoiceError(
                f"The line of stairwell {line['stairwell_code']} proposes nobody to reject."
            )
    _undo(session, plan, lines)
    for line in lines:
        exclusion_id = people.add_exclusion(
            session,
            community_code=plan.community_code,
            member_id=line["member_id"],
            stairwell_code=line["stairwell_code"],
            reason=reason,
        )
        store.decide(
            session,
            plan,
            [line["stairwell_code"]],
            decision="rejected",
            exclusion_id=exclusion_id,
        )
    return _decided(session, plan, "reject", len(lines))


def reopen(
    session: Session,
    plan_id: UUID,
    *,
    stairwell_codes: Sequence[str],
    version: int | None = None,
) -> Plan:
    """Take decisions back, with the pins and exclusions that they made.

    Raises
    ------
    NotFoundError
        The plan has no line of one of the stairwells.
    """
    plan = hold(session, plan_id, version=version)
    lines = _chosen(session, plan, stairwell_codes, None)
    _undo(session, plan, lines)
    store.decide(session, plan, [line["stairwell_code"] for line in lines], decision="open")
    return _decided(session, plan, "reopen", len(lines))


def _chosen(
    session: Session,
    plan: Plan,
    stairwell_codes: Sequence[str] | None,
    compound_code: str | None,
) -> list[dict[str, Any]]:
    """Return the lines that a decision is about."""
    if stairwell_codes is None:
        return store.read_lines(session, plan, compound_code=compound_code, decisions=("open",))
    lines = store.read_lines(session, plan, codes=stairwell_codes)
    missing = sorted(set(stairwell_codes) - {line["stairwell_code"] for line in lines})
    if missing:
        raise NotFoundError("line of stairwell", missing[0])
    return lines


def _undo(session: Session, plan: Plan, lines: Sequence[dict[str, Any]]) -> None:
    """Take back the pins and exclusions that earlier decisions on these lines made."""
    pinned = [line["stairwell_code"] for line in lines if line["decision"] == "overridden"]
    store.unpin(session, pinned, of_plan=plan.id)
    for line in lines:
        if line["exclusion_id"] is not None:
            # Somebody may have ended it in the register.
            with suppress(NotFoundError):
                register.end_exclusion(session, line["member_id"], line["exclusion_id"])


def _see_again(
    session: Session,
    plan: Plan,
    lines: Sequence[dict[str, Any]],
    ground: dict[str, tuple[str, int]],
) -> None:
    """Note how the stairwells are now, and who leads them: that is what was decided on."""
    leads = contacts.read_leads(session, community_code=plan.community_code, on=plan.day)
    for line in lines:
        code = line["stairwell_code"]
        mark, households = ground[code]
        seen = {
            "former_member_id": leads.get(code),
            "household_count": households,
            "outline_hash": mark,
            "change": change_of(leads.get(code), line["member_id"]),
        }
        if any(line[name] != value for name, value in seen.items()):
            store.see_again(session, plan, code, **seen)


def _decided(session: Session, plan: Plan, decision: str, lines: int) -> Plan:
    """Note a decision; a review that was done is open again."""
    store.set_plan(session, plan, status="proposed", reviewed_at=None)
    audit.record(
        session,
        community_code=plan.community_code,
        action=f"contacts.{decision}",
        subject=str(plan.id),
        lines=lines,
    )
    return get(session, plan.id)


def finish(session: Session, plan_id: UUID, *, version: int | None = None) -> Plan:
    """Say that the review is done: lines that are still open will be left as they are today."""
    plan = hold(session, plan_id, version=version)
    if plan.status == "reviewed":
        return plan
    store.set_plan(session, plan, status="reviewed", reviewed_at=store.now())
    audit.record(
        session,
        community_code=plan.community_code,
        action="contacts.review",
        subject=str(plan.id),
        **plan.decisions,
    )
    return get(session, plan_id)


def withdraw(session: Session, plan_id: UUID, *, version: int | None = None) -> Plan:
    """Give a plan up; pins and exclusions that its review made stay."""
    plan = hold(session, plan_id, version=version)
    store.set_plan(session, plan, status="withdrawn")
    audit.record(
        session,
        community_code=plan.community_code,
        action="contacts.withdraw",
        subject=str(plan.id),
    )
    return get(session, plan_id)


def unpin(session: Session, stairwell_code: str) -> None:
    """Let later plans choose the lead of a stairwell again.

    Raises
    ------
    NotFoundError
        Nobody is pinned to such a stairwell of the caller's territory.
    """
    gone = store.unpin(session, [stairwell_code])
    if not gone:
        raise NotFoundError("pinned contact of stairwell", stairwell_code)
    audit.record(
        session, community_code=gone[0][0], action="contacts.unpin", subject=stairwell_code
    )
