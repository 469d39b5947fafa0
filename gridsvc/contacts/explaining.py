"""Why this contact and not another: reasons that were tested, not guessed.

For each stairwell the contact is compared with somebody who looks better — nearer, a better place,
a Party member — but was not chosen, or else with the second choice. What is said to stand in the
way is taken away, the stairwells of both members are dealt out again at best, and only if this
stairwell then goes to the other is it given as the reason (`reasons`). Where several things stand
in the way together, none of them is the reason, and what the other would cost more is said instead.
"""

from dataclasses import dataclass

import numpy as np

from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Ints
from gridsvc.contacts.reasons import Finding, Judge, WhyNot

__all__ = ["Explanation", "WhyNot", "explain"]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a stairwell has the contact it has.

    Attributes
    ----------
    grid
        The stairwell.
    member
        Its contact; -1 for nobody.
    tier, distance_m
        Index into ``TIER_NAMES`` and metres; -1 and NaN for nobody.
    load_households, capacity_households, load_stairwells, capacity_stairwells
        What the contact carries and can carry; 0 for nobody.
    next_best
        Somebody who looks better, or else the second choice; -1 where there is nobody else.
    next_distance_m
        Metres; NaN for nobody.
    why_not
        What alone keeps the stairwell from ``next_best``: ``excluded``, ``unavailable``,
        ``takes_none``, ``too_far`` (more than the distance allowed), ``full`` (no room for this
        stairwell), ``would_change`` (the present contact stays), ``pinned`` (somebody decided),
        ``not_party``, ``lower_tier``, ``further`` (than the contact is: were it not so, a tie
        would be the other's); ``none``: nothing alone does.
    saved_without
        What solving again without that reason saves, at least, > 0; 0 for ``none``. In the units
        of the policy.
    costlier_by
        What it costs more to have ``next_best``, at most; None where that is not allowed.
        Negative: the plan could be bettered here.
    """

    grid: int
    member: int
    tier: int
    distance_m: float
    load_households: int
    capacity_households: int
    load_stairwells: int
    capacity_stairwells: int
    next_best: int
    next_distance_m: float
    why_not: WhyNot
    saved_without: int
    costlier_by: int | None


def explain(
    problem: ContactProblem,
    solution: ContactSolution,
    *,
    grids: Ints,
    change_at_most: int | None = None,
) -> list[Explanation]:
    """Explain the contacts of some stairwells.

    Parameters
    ----------
    problem, solution
        What was solved and its answer.
    grids
        Shape (k,), rows of stairwells; the work grows with these, not with the whole.
    change_at_most
        The budget of changes that ``solution`` kept to, if any.

    Returns
    -------
    list
        In the order of ``grids``.
    """
    asked = np.asarray(grids, dtype=np.int64)
    if not len(asked):
        return []
    judge = Judge(problem, solution, asked, change_at_most=change_at_most)
    return [_told(problem, solution, judge, grid, judge.find(grid)) for grid in asked.tolist()]


def _told(
    problem: ContactProblem, solution: ContactSolution, judge: Judge, grid: int, finding: Finding
) -> Explanation:
    member, pair = int(solution.member[grid]), finding.pair
    is_had, is_other = member != NOBODY, pair >= 0
    return Explanation(
        grid=grid,
        member=member,
        tier=int(solution.tier[grid]),
        distance_m=float(solution.distance_m[grid]),
        load_households=int(solution.load_households[member]) if is_had else 0,
        capacity_households=int(problem.member_capacity_households[member]) if is_had else 0,
        load_stairwells=int(solution.load_stairwells[member]) if is_had else 0,
        capacity_stairwells=int(problem.member_capacity_stairwells[member]) if is_had else 0,
        next_best=int(judge.pairs.member[pair]) if is_other else NOBODY,
        next_distance_m=float(judge.pairs.distance_m[pair]) if is_other else float("nan"),
        why_not=finding.why_not,
        saved_without=finding.saved_without,
        costlier_by=finding.costlier_by,
    )
