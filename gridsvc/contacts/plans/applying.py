"""Applying: what was accepted becomes who is contact, all of it in one transaction or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.audit import service as audit
from gridsvc.contacts.duty import store as duty
from gridsvc.contacts.duty.model import Stint
from gridsvc.contacts.duty.replacing import (
    Changes,
    Period,
    Wanted,
    by_stairwell,
    replace_lead,
    replace_supporting,
)
from gridsvc.contacts.model import TIERS, Plan
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans import reviewing, store
from gridsvc.contacts.plans.facts import Facts
from gridsvc.errors import PlanNotReviewedError, PlanOutdatedError
from gridsvc.local_time import local_today

_MOVED_M = 2
"""Two ways of rounding one distance stay within this."""

Line = Mapping[str, Any]
Outdated = tuple[str, str, UUID | None]


def apply(session: Session, plan_id: UUID, *, version: int | None = None) -> Plan:
    """Bring the contacts in force into line with what was accepted of a plan.

    Lines that are open or rejected leave their stairwells as they are. A plan of every stairwell
    supersedes those applied before it, and the other open proposals of its community.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    PlanAppliedError
        The plan was applied, superseded or withdrawn.
    PlanNotReviewedError
        Nobody has said that its review is done.
    StalePlanError
        It is not in the version that the caller saw.
    PlanOutdatedError
        Stairwells or members of accepted lines have changed since.
    """
    plan = reviewing.hold(session, plan_id, version=version)
    if plan.status != "reviewed":
        raise PlanNotReviewedError(plan_id, plan.to_decide)
    period = Period(max(plan.day, local_today()), plan.until)
    lines = store.read_lines(session, plan, decisions=("accepted", "overridden"))
    store.hold_stairwells(
        session,
        community_code=plan.community_code,
        codes=[line["stairwell_code"] for line in lines],
    )
    supports = store.read_supports(session, plan)
    found = reading.read(session, plan.community_code, day=period.start)
    outdated = find_outdated(session, plan, lines, supports, found)
    if period.until is not None and period.until <= period.start:
        outdated.append((str(plan.community_code), "over", None))
    if outdated:
        raise PlanOutdatedError(plan_id, outdated)
    changed = _write(session, plan, lines, supports, period)
    if plan.kind == "full":
        store.supersede(session, plan)
    store.set_plan(session, plan, status="applied", applied_at=store.now())
    audit.record(
        session,
        community_code=plan.community_code,
        action="contacts.apply",
        subject=str(plan_id),
        changed=changed,
        accepted=len(lines),
    )
    return reviewing.get(session, plan_id)


def find_outdated(
    session: Session,
    plan: Plan,
    lines: Sequence[Line],
    supports: Mapping[str, Sequence[Line]],
    found: Facts,
) -> list[Outdated]:
    """Return stairwell, what has changed, and the member, for lines that were accepted."""
    ground = store.read_ground(session, community_code=plan.community_code)
    outdated: list[Outdated] = []
    for line in lines:
        code = line["stairwell_code"]
        if code not in ground:
            outdated.append((code, "ended", None))
            continue
        outdated += _changed_ground(line, ground[code])
        final = final_of(line)
        current = found.leads.get(code)
        # Who leads already needs no asking.
        if final is None or final.member_id != current:
            if current != line["former_member_id"]:
                outdated.append((code, "contact", current))
            outdated += _changed_member(found, code, final) if final else []
        for one in supports.get(code, ()):
            wanted = Wanted(one["member_id"], TIERS.index(one["reason"]), one["distance_m"])
            outdated += _changed_member(found, code, wanted)
    return outdated


def final_of(line: Line) -> Wanted | None:
    """Return who is to lead by a line that was accepted or overridden."""
    prefix = "chosen_" if line["decision"] == "overridden" else ""
    member_id = line[f"{prefix}member_id"]
    if member_id is None:
        return None
    tier = line["chosen_tier"] if prefix else line["reason"]
    return Wanted(member_id, TIERS.index(tier), line[f"{prefix}distance_m"])


def _changed_ground(line: Line, now: tuple[str, int]) -> list[Outdated]:
    code = line["stairwell_code"]
    mark, households = now
    if line["outline_hash"] != mark:
        return [(code, "redrawn", None)]
    return [(code, "households", None)] if line["household_count"] != households else []


def _changed_member(found: Facts, code: str, wanted: Wanted) -> list[Outdated]:
    member_id = wanted.member_id
    if member_id not in found.member_row:
        return [(code, "left", member_id)]
    if not found.is_free(member_id):
        return [(code, "unavailable", member_id)]
    if not found.can_lead(code, member_id):
        return [(code, "excluded", member_id)]
    tier, distance_m = found.place_of(code, member_id)
    # Near and far part at a distance, which rounding can cross.
    is_elsewhere = min(TIERS.index(tier), 3) != min(wanted.tier, 3)
    if is_elsewhere or abs(distance_m - wanted.distance_m) > _MOVED_M:
        return [(code, "moved", member_id)]
    return []


def _write(
    session: Session,
    plan: Plan,
    lines: Sequence[Line],
    supports: Mapping[str, Sequence[Line]],
    period: Period,
) -> int:
    """Write who is contact; return how many stairwells got another lead or other support."""
    stints = by_stairwell(
        duty.read_stints(session, community_code=plan.community_code, after=period.start)
    )
    changes = Changes()
    changed = 0
    for line in lines:
        own = stints.get(line["stairwell_code"], [])
        changed += _change(changes, plan, line, supports, own, period)
    duty.write(session, changes, community_code=plan.community_code)
    return changed


def _change(
    changes: Changes,
    plan: Plan,
    line: Line,
    supports: Mapping[str, Sequence[Line]],
    stints: Sequence[Stint],
    period: Period,
) -> bool:
    code, lead = line["stairwell_code"], final_of(line)
    wanted = [
        Wanted(one["member_id"], TIERS.index(one["reason"]), one["distance_m"], one["households"])
        for one in supports.get(code, ())
        # Who was chosen to lead in the place of another supports no more.
        if lead is None or one["member_id"] != lead.member_id
    ]
    is_other_lead = replace_lead(
        changes,
        [one for one in stints if one.kind == "lead"],
        lead,
        stairwell_code=code,
        period=period,
        plan_id=plan.id,
    )
    is_other_support = replace_supporting(
        changes,
        [one for one in stints if one.kind == "supporting"],
        wanted,
        stairwell_code=code,
        period=period,
        plan_id=plan.id,
    )
    return is_other_lead or is_other_support
