"""What a caller can do with household contacts: propose a plan, read it, apply it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pyproj import CRS
from sqlalchemy.orm import Session

from geodata.crs import local_metric_crs
from geodata.progress import Progress, silent
from gridsvc.audit import service as audit
from gridsvc.contacts import store
from gridsvc.contacts.model import TIERS, Contact, Plan, PlanLine, Run
from gridsvc.contacts.problem import ContactProblem, ContactSolution
from gridsvc.contacts.solver import nearest_neighbour, solve
from gridsvc.db import new_id, scope_of
from gridsvc.errors import NotFoundError, PlanAppliedError
from gridsvc.local_time import local_today
from gridsvc.people import service as people
from gridsvc.territory import service as territory


def propose(
    session: Session,
    *,
    time_limit_s: float,
    seed: int = 0,
    community_code: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Propose a lead contact for every stairwell, a plan for each community.

    Parameters
    ----------
    time_limit_s
        Seconds for all communities together, shared by their stairwells.
    community_code
        Plan this community only; default: all of the caller's.

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
        report("contacts", done, len(communities))
        share_s = time_limit_s * community.stairwell_count / total
        _plan_community(session, community.code, run_id, time_limit_s=share_s, seed=seed)
    report("contacts", len(communities), len(communities))
    return get_run(session, run_id)


def _plan_community(
    session: Session, community_code: int, run_id: UUID, *, time_limit_s: float, seed: int
) -> None:
    stairwells = territory.read_stairwells(session, community_code=community_code)
    members = people.read_members(session, community_code=community_code)
    leads = store.read_leads(session, community_code=community_code, on=local_today())
    problem = problem_of(stairwells, members, leads)
    solution = solve(problem, seed=seed, time_limit_s=time_limit_s)
    nearest = nearest_neighbour(problem)
    plan_id = new_id()
    plan = {
        "community_code": community_code,
        "id": plan_id,
        "run_id": run_id,
        "status": "proposed",
        "seed": seed,
        "weights": asdict(solution.policy),
        "objective": solution.objective,
        "bound": float(solution.bound),
        "overload_households": int(solution.overload_households.sum()),
        "nearest_overload_households": int(nearest.overload_households.sum()),
    }
    store.add_plan(session, plan, _lines(stairwells, members, solution))
    audit.record(
        session,
        community_code=community_code,
        action="contacts.propose",
        subject=str(plan_id),
        gap=round(solution.gap, 6),
    )


def problem_of(
    stairwells: GeoDataFrame, members: GeoDataFrame, leads: dict[str, UUID]
) -> ContactProblem:
    """Turn frames into the arrays of the solver.

    Parameters
    ----------
    stairwells
        ``code``, ``building_code``, ``compound_code``, ``household_count``, ``geometry`` (point,
        EPSG:4326).
    members
        As `gridsvc.people.service.read_members` returns them.
    leads
        Today's lead of each stairwell that has one.
    """
    xmin, ymin, xmax, ymax = stairwells.total_bounds
    metric = local_metric_crs(lon=(xmin + xmax) / 2, lat=(ymin + ymax) / 2)
    buildings = pd.Index(stairwells["building_code"].unique())
    compounds = pd.Index(stairwells["compound_code"].unique())
    home_grid = pd.Index(stairwells["code"]).get_indexer(pd.Index(members["home_stairwell_code"]))
    grid_building = buildings.get_indexer(pd.Index(stairwells["building_code"]))
    grid_compound = compounds.get_indexer(pd.Index(stairwells["compound_code"]))
    lead_ids = pd.Index([leads.get(code) for code in stairwells["code"]], dtype=object)
    return ContactProblem(
        grid_xy_m=_xy_m(stairwells, metric),
        grid_households=stairwells["household_count"].to_numpy(np.int64),
        grid_building=grid_building,
        grid_compound=grid_compound,
        member_xy_m=_xy_m(members, metric),
        member_capacity_households=members["capacity_households"].to_numpy(np.int64),
        member_capacity_stairwells=members["capacity_stairwells"].to_numpy(np.int64),
        member_is_party=members["is_party_member"].to_numpy(np.bool_),
        member_available=members["is_available"].to_numpy(np.bool_),
        member_home_grid=home_grid,
        member_home_building=np.where(home_grid >= 0, grid_building[home_grid], -1),
        member_home_compound=np.where(home_grid >= 0, grid_compound[home_grid], -1),
        incumbent=pd.Index(members["id"], dtype=object).get_indexer(lead_ids),
    )


def _xy_m(points: GeoDataFrame, metric: CRS) -> NDArray[np.float64]:
    projected = points.geometry.to_crs(metric)
    return np.column_stack([projected.x, projected.y])


def _lines(
    stairwells: GeoDataFrame, members: GeoDataFrame, solution: ContactSolution
) -> list[dict[str, object]]:
    ids = members["id"].tolist()
    lines: list[dict[str, object]] = []
    for row, code in enumerate(stairwells["code"]):
        member = int(solution.member[row])
        is_covered = member >= 0
        lines.append(
            {
                "stairwell_code": code,
                "member_id": ids[member] if is_covered else None,
                "reason": TIERS[int(solution.tier[row])]
                if is_covered
                else str(solution.uncovered_reason[row]),
                "distance_m": round(float(solution.distance_m[row])) if is_covered else None,
            }
        )
    return lines


def apply(session: Session, plan_id: UUID) -> Plan:
    """Bring the contacts in force into line with a proposed plan.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    PlanAppliedError
        The plan was applied or superseded before.
    """
    plan = store.find_plan(session, plan_id, for_update=True)
    if plan is None:
        raise NotFoundError("contact plan", plan_id)
    if plan.status != "proposed":
        raise PlanAppliedError(plan_id, plan.status)
    changed = store.apply_plan(
        session,
        community_code=plan.community_code,
        plan_id=plan_id,
        today=local_today(),
    )
    audit.record(
        session,
        community_code=plan.community_code,
        action="contacts.apply",
        subject=str(plan_id),
        changed=changed,
    )
    return get_plan(session, plan_id)


def get_plan(session: Session, plan_id: UUID) -> Plan:
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


def get_run(session: Session, run_id: UUID) -> Run:
    """Return the plans of a run, the newest first."""
    plans = store.list_plans(session, run_id=run_id, limit=1000)
    return Run(run_id, tuple(plans))


def list_plans(
    session: Session,
    *,
    community_code: int | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> list[Plan]:
    """Return at most ``limit`` plans, the newest first, before an id."""
    return store.list_plans(session, community_code=community_code, before=before, limit=limit)


def list_lines(
    session: Session, plan_id: UUID, *, after: str = "", limit: int = 100
) -> list[PlanLine]:
    """Return at most ``limit`` lines of a plan after a stairwell code, by code.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    plan = get_plan(session, plan_id)
    return store.list_lines(
        session, community_code=plan.community_code, plan_id=plan_id, after=after, limit=limit
    )


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


def list_uncovered(session: Session, run_id: UUID) -> list[tuple[str, str]]:
    """Return code and reason of each stairwell that a run leaves without a contact, by code."""
    return store.list_uncovered(session, run_id)


def follow_grids(
    session: Session,
    *,
    community_code: int,
    ended: Sequence[str],
    descents: Sequence[tuple[str, str]],
    on: date,
) -> int:
    """Let the contacts of stairwells that ended go on in those that took their place.

    Every part of a split stairwell keeps its contacts. Of stairwells that were merged, the first
    gives the new one its lead; the others' leads go on as supporting.

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
    former = store.list_in_force(
        session, community_code=community_code, stairwell_codes=ended, on=on
    )
    store.end_of_stairwells(session, community_code=community_code, stairwell_codes=ended, on=on)
    heirs: dict[tuple[str, UUID], dict[str, Any]] = {}
    led: set[str] = set()
    for predecessor, successor in descents:
        for contact in (one for one in former if one["stairwell_code"] == predecessor):
            key = (successor, contact["member_id"])
            if key in heirs:
                continue
            kind = "supporting" if successor in led else contact["kind"]
            led |= {successor} if kind == "lead" else set()
            heirs[key] = contact | {"id": new_id(), "stairwell_code": successor, "kind": kind}
    store.begin(session, list(heirs.values()), on=on)
    return len(heirs)
