"""From the pairs chosen to the answer: loads, overload, counts, cost and gap."""

import numpy as np

from gridsvc.contacts.candidates import Candidates, incumbent_may_stay, uncovered_reasons
from gridsvc.contacts.problem import (
    NOBODY,
    TIER_NAMES,
    Bools,
    ContactProblem,
    ContactSolution,
    Ints,
    Level,
    Policy,
)


def describe(
    problem: ContactProblem,
    candidates: Candidates,
    policy: Policy,
    at: Ints,
    *,
    bound: int,
    bound_is_global: bool,
    stages_s: dict[str, float],
    rounds: dict[str, int],
    levels: tuple[Level, ...] = (),
) -> ContactSolution:
    """Count and price an assignment, shape (n,), from its pairs alone; -1 for none."""
    covered = at >= 0
    pair = at[covered]
    member = np.full(problem.grid_count, NOBODY)
    member[covered] = candidates.member[pair]
    tier = np.full(problem.grid_count, -1)
    tier[covered] = candidates.tier[pair]
    distance_m = np.full(problem.grid_count, np.nan)
    distance_m[covered] = candidates.distance_m[pair]
    households = np.zeros(problem.member_count, dtype=np.int64)
    np.add.at(households, member[covered], problem.grid_households[covered])
    stairwells = np.bincount(member[covered], minlength=problem.member_count)
    over_households = np.maximum(households - problem.member_capacity_households, 0)
    over_stairwells = np.maximum(stairwells - problem.member_capacity_stairwells, 0)
    forced = policy.uncovered * int((~covered).sum())
    objective = forced + int(candidates.cost[pair].sum())
    objective += policy.overload_per_household * int(over_households.sum())
    objective += policy.overload_per_stairwell * int(over_stairwells.sum())
    counts = _counts(problem, member, tier)
    counts |= {
        "overload_households": int(over_households.sum()),
        "overload_stairwells": int(over_stairwells.sum()),
        "overloaded_members": int(((over_households > 0) | (over_stairwells > 0)).sum()),
        "candidate_pairs": len(candidates),
    }
    return ContactSolution(
        member=member,
        tier=tier,
        distance_m=distance_m,
        uncovered_reason=uncovered_reasons(problem, candidates.has_any),
        load_households=households,
        load_stairwells=stairwells,
        overload_households=over_households,
        overload_stairwells=over_stairwells,
        objective=objective,
        bound=forced + bound,
        gap=(objective - forced - bound) / objective if objective else 0.0,
        policy=policy,
        levels=levels,
        bound_is_global=bound_is_global,
        counts=counts,
        stages_s=stages_s,
        rounds=rounds,
    )


def _counts(problem: ContactProblem, member: Ints, tier: Ints) -> dict[str, int]:
    """Count stairwells by word."""
    covered = member >= 0
    changed: Bools = member != problem.incumbent
    return {
        "covered": int(covered.sum()),
        "uncovered": int((~covered).sum()),
        "party": int(problem.member_is_party[member[covered]].sum()),
        "changed": int(((problem.incumbent >= 0) & changed).sum()),
        "replaced": int((incumbent_may_stay(problem) & changed).sum()),
        "pinned": int((problem.pinned >= 0).sum()),
    } | {f"tier_{each}": int((tier == each).sum()) for each in range(len(TIER_NAMES))}
