"""Assigning one lead contact to each stairwell: arrays in, arrays out.

The model is a generalised assignment with soft capacities: a shortage is overload with a price,
never an infeasible problem, and each stairwell that has any candidate gets a contact. Pairs come
from ``candidates``; minimum-cost flows and Lagrangian prices give a bound and show which pairs are
near the best; annealing along these, compiled, finds the assignment; CP-SAT solves small parts to
the optimum and the worst blocks again; and at the end all allowed pairs are priced, so that the
bound holds for each of them (``solving``).
"""

from collections.abc import Callable

import numpy as np

from geodata.progress import Progress, silent
from gridsvc.contacts.candidates import find_candidates, takes_all_pairs
from gridsvc.contacts.problem import (
    NOBODY,
    TIER_NAMES,
    ContactProblem,
    ContactSolution,
    Level,
    Policy,
)
from gridsvc.contacts.solving.answer import describe
from gridsvc.contacts.solving.clock import Clock
from gridsvc.contacts.solving.compiled import load_compiled
from gridsvc.contacts.solving.course import Rules, run
from gridsvc.contacts.solving.strict import WHOLLY_STRICT, prove_levels, strict_weights

__all__ = [
    "NOBODY",
    "TIER_NAMES",
    "ContactProblem",
    "ContactSolution",
    "Level",
    "Policy",
    "nearest_neighbour",
    "solve",
]

_DEFAULT_ITERATIONS = 20
# The strict mode keeps the rest of the time to prove its levels.
_STRICT_PART = 0.8


def solve(
    problem: ContactProblem,
    *,
    policy: Policy | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    change_at_most: int | None = None,
    go_on: Callable[[], bool] | None = None,
    progress: Progress | None = None,
) -> ContactSolution:
    """Assign one lead contact to each stairwell.

    ``balanced`` proves its bound on the sum of all costs. ``strict`` also names, for each level of
    its order, what was reached and a bound that holds for every assignment as good in the levels
    before; up to 60 stairwells all levels are usually proven best, beyond that overload nearly so
    and the later levels loosely, as they inherit what is open in the earlier ones.

    Parameters
    ----------
    problem
        Stairwells and members; none of either is allowed.
    policy
        The weights; ``Policy()`` when not given. In the strict mode the answer's policy has the
        weights that stand for the order.
    seed
        Of the search's random choices.
    time_limit_s
        Wall time after which the answer is returned, seconds; candidates, the first flow and one
        round of each later stage are always finished. Compiling, once on a machine, is extra.
    iterations
        Work of the search: two hundred turns a stairwell each, and the bound ten rounds each.
        Without a time limit the answer is then the same every time; 20 when neither is given.
    change_at_most
        Of the stairwells whose contact of today could stay, at most so many get another. There is
        always such an assignment. Changes that are forced do not count.
    go_on
        Asked often; False ends the solve, with the best answer so far.
    progress
        Told the stages ``candidates``, ``relaxation``, ``bound``, ``prices``, ``search``,
        ``blocks`` and, in the strict mode, ``levels``.

    Returns
    -------
    ContactSolution
        With a proven gap.
    """
    policy = policy or Policy()
    is_strict = policy.mode == "strict"
    if is_strict:
        policy = strict_weights(policy, stairwells=problem.grid_count)
    if time_limit_s is None and iterations is None:
        iterations = _DEFAULT_ITERATIONS
    share = _STRICT_PART if is_strict and time_limit_s is not None else 1.0
    limit_s = None if time_limit_s is None else time_limit_s * share
    load_compiled()
    clock = Clock(limit_s, go_on=go_on, report=progress or silent)
    candidates = find_candidates(problem, policy)
    clock.lap("candidates")
    rules = Rules(seed, iterations, change_at_most)
    outcome = run(problem, policy, candidates, clock, rules)
    levels: tuple[Level, ...] = ()
    if is_strict:
        is_optimal = problem.grid_count <= WHOLLY_STRICT and outcome.is_optimal
        levels = prove_levels(
            problem, policy, outcome.candidates, outcome.at, is_optimal=is_optimal
        )
        clock.lap("levels")
    return describe(
        problem,
        outcome.candidates,
        policy,
        outcome.at,
        bound=outcome.bound,
        bound_is_global=outcome.bound_is_global,
        stages_s=clock.stages_s,
        rounds=outcome.rounds,
        levels=levels,
    )


def nearest_neighbour(problem: ContactProblem, *, policy: Policy | None = None) -> ContactSolution:
    """Give each stairwell its nearest member, whatever that one carries: the plain comparison.

    Its cost is counted by the same policy; its bound is only the sum of the cheapest pairs.
    """
    policy = policy or Policy()
    clock = Clock(None, go_on=None, report=silent)
    candidates = find_candidates(problem, policy)
    order = np.lexsort([candidates.member, candidates.distance_m, candidates.grid])
    at = np.full(problem.grid_count, NOBODY)
    served = candidates.has_any
    at[served] = order[candidates.first[:-1][served]]
    bound = int(candidates.cost[candidates.first[:-1][served]].sum())
    clock.lap("nearest")
    return describe(
        problem,
        candidates,
        policy,
        at,
        bound=bound,
        bound_is_global=takes_all_pairs(problem),
        stages_s=clock.stages_s,
        rounds={},
    )
