"""Assigning one lead contact to each stairwell: arrays in, arrays out.

The model is a generalised assignment with soft capacities: a shortage is overload with a price,
never an infeasible problem, and each stairwell that has any candidate gets a contact. Pairs come
from ``candidates``, a bound and a start from ``relaxation``, better assignments from
``local_search`` and ``matching``, a better bound from ``bound``.

The bound holds for assignments along the candidate pairs. They leave out members further off than
the nearest dozen and outside the compound, unless these have room where the nearest have none.
"""

import random
import time
from collections.abc import Callable

import numpy as np

from geodata.progress import Progress, silent
from gridsvc.contacts.bound import raise_bound
from gridsvc.contacts.candidates import Candidates, find_candidates, uncovered_reasons, widen
from gridsvc.contacts.local_search import Assignment, rebuild_once, settle
from gridsvc.contacts.matching import reshuffle
from gridsvc.contacts.problem import (
    NOBODY,
    TIER_NAMES,
    ContactProblem,
    ContactSolution,
    Ints,
    Policy,
)
from gridsvc.contacts.relaxation import Relaxation, relax

__all__ = [
    "NOBODY",
    "TIER_NAMES",
    "ContactProblem",
    "ContactSolution",
    "Policy",
    "nearest_neighbour",
    "solve",
]

_DEFAULT_ITERATIONS = 20
_BOUND_ROUNDS = 30
_BOUND_PART = 0.25
_DEALS = 2
_REBUILDS = 50
_WIDENINGS = 2
# No further flow is begun when less than this part of the time is left.
_SEARCH_PART = 0.6


def solve(
    problem: ContactProblem,
    *,
    policy: Policy | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    progress: Progress | None = None,
) -> ContactSolution:
    """Assign one lead contact to each stairwell.

    Parameters
    ----------
    problem
        Stairwells and members; none of either is allowed.
    policy
        The weights; ``Policy()`` when not given.
    seed
        Of the search's random choices.
    time_limit_s
        Wall time after which the answer is returned, seconds; a quarter goes to the bound.
        Candidates and the first flow are always finished.
    iterations
        Turns of the search after the first descent: two very large exchanges and fifty small
        rebuildings each. Without a time limit the answer is then the same every time; 20 when
        neither is given.
    progress
        Told the stages ``candidates``, ``relaxation``, ``search`` and ``bound``.

    Returns
    -------
    ContactSolution
        With a proven gap.
    """
    policy = policy or Policy()
    report = progress or silent
    if time_limit_s is None and iterations is None:
        iterations = _DEFAULT_ITERATIONS
    clock = _Clock(time_limit_s)
    candidates = find_candidates(problem, policy)
    clock.lap("candidates", report)
    candidates, relaxation = _relaxed(problem, candidates, policy, clock)
    clock.lap("relaxation", report)
    at = _rounded(candidates, relaxation)
    bound, rounds = relaxation.bound, {"search": 0, "bound": 0}
    if not relaxation.is_exact:
        assignment = Assignment(problem, candidates, policy, at)
        rounds["search"] = _search(problem, candidates, assignment, seed, clock, iterations, report)
        at = np.array(assignment.at, dtype=np.int64)
        clock.lap("search", report)
        raised, rounds["bound"] = raise_bound(
            problem,
            candidates,
            policy,
            relaxation=relaxation,
            known_cost=assignment.total,
            go_on=_bound_goes_on(clock, iterations, report),
        )
        bound = max(bound, raised)
        clock.lap("bound", report)
    return _describe(problem, candidates, policy, at, bound, clock.stages_s, rounds)


def nearest_neighbour(problem: ContactProblem, *, policy: Policy | None = None) -> ContactSolution:
    """Give each stairwell its nearest member, whatever that one carries: the plain comparison.

    Its cost is counted by the same policy; its bound is only the sum of the cheapest pairs.
    """
    policy = policy or Policy()
    clock = _Clock(None)
    candidates = find_candidates(problem, policy)
    order = np.lexsort([candidates.member, candidates.distance_m, candidates.grid])
    at = np.full(problem.grid_count, -1)
    served = candidates.has_any
    at[served] = order[candidates.first[:-1][served]]
    bound = int(candidates.cost[candidates.first[:-1][served]].sum())
    clock.lap("nearest", silent)
    return _describe(problem, candidates, policy, at, bound, clock.stages_s, {})


class _Clock:
    """Wall time since the start, by stage."""

    def __init__(self, limit_s: float | None) -> None:
        self.started = self.lapped = time.monotonic()
        self.limit_s = np.inf if limit_s is None else limit_s
        self.stages_s: dict[str, float] = {}

    def has_left(self, part: float = 0.0) -> bool:
        """Tell whether more than a part of the limit is left."""
        return time.monotonic() - self.started < self.limit_s * (1.0 - part)

    def lap(self, stage: str, report: Progress) -> None:
        now = time.monotonic()
        self.stages_s[stage] = now - self.lapped
        self.lapped = now
        report(stage, 1, 1)


def _relaxed(
    problem: ContactProblem, candidates: Candidates, policy: Policy, clock: _Clock
) -> tuple[Candidates, Relaxation]:
    """Solve the flow, adding members with room where the candidates of a stairwell are full."""
    relaxation = relax(problem, candidates, policy)
    for _ in range(_WIDENINGS):
        wider = widen(problem, policy, candidates, (relaxation.toll, relaxation.price))
        if wider is candidates or not clock.has_left(_SEARCH_PART):
            break
        candidates, relaxation = wider, relax(problem, wider, policy)
    return candidates, relaxation


def _rounded(candidates: Candidates, relaxation: Relaxation) -> Ints:
    """Give each stairwell the candidate with its largest share, the cheapest among equals."""
    at = np.full(len(candidates.first) - 1, -1)
    pairs = np.arange(len(candidates))
    order = np.lexsort([pairs, -relaxation.share, candidates.grid])
    served = candidates.has_any
    at[served] = order[candidates.first[:-1][served]]
    return at


def _search(
    problem: ContactProblem,
    candidates: Candidates,
    assignment: Assignment,
    seed: int,
    clock: _Clock,
    iterations: int | None,
    report: Progress,
) -> int:
    """Descend, then deal out anew and rebuild in turns; return how many turns."""
    served = [grid for grid, pair in enumerate(assignment.at) if pair >= 0]
    chance, dealer = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - no secret

    def go_on() -> bool:
        return clock.has_left(_BOUND_PART)

    report("search", 0, iterations or 0)
    if not served or not settle(assignment, served, go_on):
        return 0
    done = 0
    while (iterations is None or done < iterations) and go_on():
        for _ in range(_DEALS):
            changed = reshuffle(assignment, problem, candidates, assignment.policy, dealer)
            settle(assignment, assignment.neighbours(changed), go_on)
        for _ in range(_REBUILDS):
            if go_on():
                rebuild_once(assignment, chance.choice(served), chance)
        done += 1
        report("search", done, iterations or 0)
    return done


def _bound_goes_on(
    clock: _Clock, iterations: int | None, report: Progress
) -> Callable[[int], bool]:
    """Return the stopping rule of the bound: the time, or a fixed number of rounds."""

    def go_on(rounds: int) -> bool:
        report("bound", rounds, _BOUND_ROUNDS)
        return clock.has_left() and (iterations is None or rounds < _BOUND_ROUNDS)

    return go_on


def _describe(
    problem: ContactProblem,
    candidates: Candidates,
    policy: Policy,
    at: Ints,
    bound: int,
    stages_s: dict[str, float],
    rounds: dict[str, int],
) -> ContactSolution:
    """Count and price an assignment from its pairs alone."""
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
    had_one = problem.incumbent >= 0
    counts = {
        "covered": int(covered.sum()),
        "uncovered": int((~covered).sum()),
        "party": int(problem.member_is_party[member[covered]].sum()),
        "changed": int((had_one & (member != problem.incumbent)).sum()),
        "overload_households": int(over_households.sum()),
        "overload_stairwells": int(over_stairwells.sum()),
        "overloaded_members": int(((over_households > 0) | (over_stairwells > 0)).sum()),
        "candidate_pairs": len(candidates),
    }
    counts |= {f"tier_{tier_}": int((tier == tier_).sum()) for tier_ in range(len(TIER_NAMES))}
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
        counts=counts,
        stages_s=stages_s,
        rounds=rounds,
    )
