"""Mending the assignment after members left or went on leave, with few changes beside the forced.

Everybody who can stay stays, but where moving a few others saves much: the assignment is solved
again with a price on each change so high that a helping move must save that much more than a new
plan would ask of it. Chains of moves are as long as they pay for themselves, link by link.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from gridsvc.contacts.candidates import incumbent_may_stay
from gridsvc.contacts.neighbourhood import price_pairs
from gridsvc.contacts.problem import NOBODY, Bools, ContactProblem, ContactSolution, Ints, Policy
from gridsvc.contacts.solver import solve
from gridsvc.contacts.solving.answer import describe
from gridsvc.contacts.solving.strict import strict_weights

WORTH = 8_000
"""What a helping change must save beyond the price of a change: as much as four changes."""

# The rest of the time is for the bound.
_MENDING_PART = 0.75
_BOUND_ITERATIONS = 5


@dataclass(frozen=True, kw_only=True)
class Repair(ContactSolution):
    """A mended assignment, and what changed.

    Attributes
    ----------
    changed
        Shape (k,), the stairwells whose contact is another than today's, ascending; those who have
        none today and get one are among them.
    before, after
        Shape (k,), today's contact and the new one; -1 for nobody.
    is_forced
        Shape (k,), today's contact could not stay, or there was none; else the change helps
        another.
    """

    changed: Ints
    before: Ints
    after: Ints
    is_forced: Bools


def repair(
    problem: ContactProblem,
    *,
    policy: Policy | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    worth: int = WORTH,
    helping_at_most: int | None = None,
    go_on: Callable[[], bool] | None = None,
) -> Repair:
    """Find new contacts for the stairwells whose contact cannot stay, changing few others.

    Parameters
    ----------
    problem
        With today's contacts as ``incumbent``; members who left or are on leave as not available.
    policy
        The weights; ``Policy()`` when not given. In the strict mode a helping change must save a
        household of overload, whatever ``worth`` says.
    seed
        Of the search's random choices.
    time_limit_s
        Wall time, seconds, a quarter of it for the bound. Without it the answer is the same every
        time.
    iterations
        Work of the search, as in `gridsvc.contacts.solver.solve`.
    worth
        What a helping change must save beyond the price of a change, >= 0.
    helping_at_most
        Most helping changes there may be; default: as many as are worth it.
    go_on
        Asked often; False ends the search, with the best answer so far.

    Returns
    -------
    Repair
        Its objective is by ``policy``, without ``worth``; its bound is that of a new plan.
    """
    started = time.monotonic()
    weights = policy or Policy()
    if weights.mode == "strict":
        weights = strict_weights(weights, stairwells=problem.grid_count)
        worth = weights.overload_per_household - weights.churn - 1
    mended = solve(
        problem,
        policy=replace(weights, mode="balanced", churn=weights.churn + worth),
        seed=seed,
        time_limit_s=None if time_limit_s is None else time_limit_s * _MENDING_PART,
        iterations=iterations,
        change_at_most=helping_at_most,
        go_on=go_on,
    )
    spent_s = time.monotonic() - started
    plan = solve(
        problem,
        policy=replace(weights, mode="balanced"),
        seed=seed,
        time_limit_s=None if time_limit_s is None else max(time_limit_s - spent_s, 0.0),
        iterations=iterations or (_BOUND_ITERATIONS if time_limit_s is None else None),
        go_on=go_on,
    )
    stages_s = {"repair": spent_s, "bound": time.monotonic() - started - spent_s}
    return _described(problem, weights, mended, plan, stages_s)


def _described(
    problem: ContactProblem,
    policy: Policy,
    mended: ContactSolution,
    plan: ContactSolution,
    stages_s: dict[str, float],
) -> Repair:
    """Price the mended assignment by the policy, and say what changed and why."""
    member = mended.member
    covered = np.flatnonzero(member >= 0)
    pairs = price_pairs(problem, policy, covered * problem.member_count + member[covered])
    at = np.full(problem.grid_count, NOBODY)
    at[covered] = np.arange(len(covered))
    answer = describe(
        problem,
        pairs,
        policy,
        at,
        bound=0,
        bound_is_global=plan.bound_is_global,
        stages_s=stages_s,
        rounds=mended.rounds,
    )
    # A bound that does not hold for all pairs may be above an answer that has others.
    bound = min(plan.bound, answer.objective)
    changed = np.flatnonzero(member != problem.incumbent)
    known = {field.name: getattr(answer, field.name) for field in fields(answer)}
    pair_count = mended.counts["candidate_pairs"]
    known["bound"] = bound
    known["gap"] = (answer.objective - bound) / answer.objective if answer.objective else 0.0
    known["counts"] = answer.counts | {"candidate_pairs": pair_count}
    return Repair(
        **known,
        changed=changed,
        before=problem.incumbent[changed],
        after=member[changed],
        is_forced=~incumbent_may_stay(problem)[changed],
    )
