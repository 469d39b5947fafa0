"""Proposing: a plan for each community, with its difference to today line by line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.progress import Progress, silent
from gridsvc.audit import service as audit
from gridsvc.contacts.duty import store as duty
from gridsvc.contacts.duty.replacing import by_stairwell
from gridsvc.contacts.model import TIERS, PlanOptions, Run
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans import store
from gridsvc.contacts.plans.facts import Facts
from gridsvc.contacts.problem import ContactSolution, Policy
from gridsvc.contacts.solver import nearest_neighbour, solve
from gridsvc.contacts.supporting import SupportingSolution, assign_supporting
from gridsvc.db import new_id
from gridsvc.errors import NotFoundError
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory

LONGEST_SOLVE_S = 90.0
"""Of one community: the transaction does nothing meanwhile, and ends after two minutes of that."""

GoOn = Callable[[], bool]


def propose(
    session: Session,
    *,
    time_limit_s: float,
    seed: int = 0,
    community_code: int | None = None,
    options: PlanOptions | None = None,
    progress: Progress | None = None,
    go_on: GoOn | None = None,
) -> Run:
    """Propose contacts for every stairwell, a plan for each community.

    What coordinators pinned stays, whom they excluded is not proposed again, and who stands in for
    somebody goes on until they return.

    Parameters
    ----------
    time_limit_s
        Seconds for all communities together, shared by their stairwells.
    community_code
        Plan this community only; default: all of the caller's.
    go_on
        Asked often; once it says no, the plan in work is the best so far, and no other is begun.

    Raises
    ------
    NotFoundError
        The caller's territory has no such community.
    """
    communities = [
        community
        for community in territory.list_communities(session)
        if community_code in (None, community.code) and community.stairwell_count
    ]
    if not communities:
        raise NotFoundError("community with stairwells", community_code or "in your territory")
    report = progress or silent
    run_id = new_id()
    total = sum(community.stairwell_count for community in communities)
    for done, community in enumerate(communities):
        if done and go_on is not None and not go_on():
            break
        report("contacts", done, len(communities))
        share_s = min(time_limit_s * community.stairwell_count / total, LONGEST_SOLVE_S)
        _plan_community(
            session,
            community.code,
            run_id,
            time_limit_s=share_s,
            seed=seed,
            options=options or PlanOptions(),
            go_on=go_on,
        )
    else:
        report("contacts", len(communities), len(communities))
    return Run(run_id, tuple(store.list_plans(session, run_id=run_id, limit=1000)))


def _plan_community(
    session: Session,
    community_code: int,
    run_id: UUID,
    *,
    time_limit_s: float,
    seed: int,
    options: PlanOptions,
    go_on: GoOn | None,
) -> None:
    found = reading.read(session, community_code, day=local_today())
    solution = solve(
        found.problem,
        policy=Policy(mode=options.mode, party_first=options.party_first),
        seed=seed,
        time_limit_s=time_limit_s,
        change_at_most=options.change_at_most,
        go_on=go_on,
    )
    supporting = support(found, solution, options)
    plan = describe(found, solution, supporting, run_id=run_id, seed=seed) | {
        "change_at_most": options.change_at_most
    }
    lines, supports = compare(session, found, solution, supporting)
    store.add_plan(session, plan, lines, supports)
    audit.record(
        session,
        community_code=community_code,
        action="contacts.propose",
        subject=str(plan["id"]),
        gap=round(solution.gap, 6),
    )


def support(found: Facts, solution: ContactSolution, options: PlanOptions) -> SupportingSolution:
    """Find supporting contacts for what is beyond the leads' shares."""
    return assign_supporting(
        found.problem,
        solution.member,
        households_per_contact=options.households_per_contact,
        at_most=options.supporting_at_most,
        policy=solution.policy,
    )


def describe(
    found: Facts,
    solution: ContactSolution,
    supporting: SupportingSolution,
    *,
    run_id: UUID,
    seed: int,
) -> dict[str, Any]:
    """Return a plan by column."""
    nearest = nearest_neighbour(found.problem)
    return {
        "community_code": found.community_code,
        "id": new_id(),
        "run_id": run_id,
        "kind": "full",
        "status": "proposed",
        "day": found.day,
        "seed": seed,
        "weights": asdict(solution.policy),
        "objective": solution.objective,
        "bound": float(solution.bound),
        "overload_households": int(solution.overload_households.sum()),
        "nearest_overload_households": int(nearest.overload_households.sum()),
        "short_households": int(supporting.short_households.sum()),
        "notes": _notes(found, solution),
        "facts_hash": found.fingerprint,
    }


def _notes(found: Facts, solution: ContactSolution) -> dict[str, Any]:
    """Return what a reader must know: codes and counts only."""
    problem = found.problem
    counts = {
        "members_without_home": int((problem.member_home_building < 0).sum()),
        "members_who_take_none": int((problem.member_capacity_stairwells == 0).sum()),
        "stairwells_without_households": int((problem.grid_households == 0).sum()),
    }
    told: dict[str, Any] = {name: count for name, count in counts.items() if count}
    if found.unkept_pins:
        told["unkept_pins"] = found.unkept_pins
    return told | {"bound_is_global": solution.bound_is_global}


def compare(
    session: Session,
    found: Facts,
    solution: ContactSolution,
    supporting: SupportingSolution,
    *,
    codes: Sequence[str] | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the lines of a plan, and their supporting contacts, by column.

    Parameters
    ----------
    codes
        Stairwells to tell of; default: all.
    """
    ground = store.read_ground(session, community_code=found.community_code)
    supports = _supports(found, supporting)
    today = _supporting_today(session, found)
    told = found.codes if codes is None else codes
    lines = []
    for code in told:
        row = found.row_of[code]
        member = int(solution.member[row])
        is_covered = member >= 0
        new = found.member_ids[member] if is_covered else None
        former = found.leads.get(code)
        mark, households = ground[code]
        own = {one["member_id"]: one["households"] for one in supports.get(code, ())}
        lines.append(
            {
                "stairwell_code": code,
                "member_id": new,
                "reason": TIERS[int(solution.tier[row])]
                if is_covered
                else str(solution.uncovered_reason[row]),
                "distance_m": round(float(solution.distance_m[row])) if is_covered else None,
                "change": change_of(former, new),
                "former_member_id": former,
                "household_count": households,
                "outline_hash": mark,
                "has_new_support": own != today.get(code, {}),
            }
        )
    return lines, [one for code in told for one in supports.get(code, ())]


def change_of(former: UUID | None, new: UUID | None) -> str:
    """Return what a line does to a stairwell.

    Examples
    --------
    >>> one, other = UUID(int=1), UUID(int=2)
    >>> change_of(one, one), change_of(None, one), change_of(one, other), change_of(one, None)
    ('kept', 'new', 'handed_over', 'ended')
    >>> change_of(None, None)
    'uncovered'
    """
    if former == new:
        return "uncovered" if new is None else "kept"
    if former is None:
        return "new"
    return "ended" if new is None else "handed_over"


def _supports(found: Facts, supporting: SupportingSolution) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    for link, grid in enumerate(supporting.grid.tolist()):
        code = found.codes[grid]
        told.setdefault(code, []).append(
            {
                "stairwell_code": code,
                "member_id": found.member_ids[int(supporting.member[link])],
                "households": int(supporting.households[link]),
                "reason": TIERS[int(supporting.tier[link])],
                "distance_m": round(float(supporting.distance_m[link])),
            }
        )
    return told


def _supporting_today(session: Session, found: Facts) -> Mapping[str, Mapping[UUID, int | None]]:
    """Return the supporting contacts in force on the day, with their households."""
    stints = duty.read_stints(session, community_code=found.community_code, after=found.day)
    return {
        code: {
            one.member_id: one.households
            for one in of_stairwell
            if one.kind == "supporting" and one.holds(found.day)
        }
        for code, of_stairwell in by_stairwell(stints).items()
    }
