"""A lower bound on what any assignment costs, by Lagrangian relaxation.

The wish that each stairwell has one contact is priced instead of kept, and so is the number of
stairwells a member takes. What remains is, for each member alone, a knapsack with overload that is
solved exactly; so every set of prices gives a valid bound, and subgradient steps look for prices
that give a high one. Prices and profits are whole numbers: no rounding error can lift the bound.

References
----------
M. L. Fisher, Management Science 27 (1981) 1-18, doi:10.1287/mnsc.27.1.1 (the generalised
assignment problem is its example); step rule: B. T. Polyak, USSR Computational Mathematics and
Mathematical Physics 9 (1969) 14-29, doi:10.1016/0041-5553(69)90061-5.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.problem import Bools, ContactProblem, Ints, Policy
from gridsvc.contacts.relaxation import Relaxation

_PATIENCE = 6
_FIRST_STEP = 1.0
_LAST_STEP = 0.02
_MEMORY = 0.7
# Steps aim at this much above the best bound: the known cost may be far above the highest bound.
_REACH = 0.003


@dataclass(frozen=True)
class _Knapsacks:
    """One knapsack a member: the pairs worth taking, as rows of slots.

    ``member`` (r,), ``size`` (r,) slots in use; ``pair``, ``load``, ``profit`` (r, k); rows with
    more slots first.
    """

    member: Ints
    size: Ints
    pair: Ints
    load: Ints
    profit: Ints


def raise_bound(
    problem: ContactProblem,
    candidates: Candidates,
    policy: Policy,
    *,
    relaxation: Relaxation,
    known_cost: int,
    go_on: Callable[[int], bool],
) -> tuple[int, int]:
    """Look for a high bound on the cost of serving all stairwells that have a candidate.

    Parameters
    ----------
    relaxation
        Where the search starts: its bound, its tolls and prices.
    known_cost
        Cost of a known assignment of these stairwells.
    go_on
        Asked before each round, with the number of rounds done.

    Returns
    -------
    tuple
        The best bound and the number of rounds.
    """
    load = problem.grid_households[candidates.grid]
    served = np.flatnonzero(candidates.has_any)
    worth = np.zeros(problem.grid_count)
    offers = candidates.cost + load * relaxation.price[candidates.member]
    offers += relaxation.toll[candidates.member]
    worth[served] = np.minimum.reduceat(offers, candidates.first[served])
    toll = relaxation.toll.astype(np.float64)
    drift_worth, drift_toll = np.zeros_like(worth), np.zeros_like(toll)
    best, best_worth, best_toll = relaxation.bound, worth, toll
    step, stale, rounds = _FIRST_STEP, 0, 0
    while go_on(rounds) and step > _LAST_STEP and best < known_cost:
        worth_int, toll_int = np.rint(worth).astype(np.int64), np.rint(toll).astype(np.int64)
        value, taken = _evaluate(problem, candidates, policy, worth_int, toll_int)
        rounds += 1
        if value > best:
            best, best_worth, best_toll, stale = value, worth, toll, 0
        else:
            stale += 1
            if stale >= _PATIENCE:
                step, stale, worth, toll = step / 2, 0, best_worth, best_toll
                drift_worth, drift_toll = np.zeros_like(worth), np.zeros_like(toll)
                continue
        times = np.bincount(candidates.grid[taken], minlength=problem.grid_count)
        count = np.bincount(candidates.member[taken], minlength=problem.member_count)
        missing = np.where(candidates.has_any, 1.0 - times, 0.0)
        beyond = (count - problem.member_capacity_stairwells).astype(np.float64)
        beyond[(beyond < 0) & (toll <= 0)] = 0.0
        drift_worth = missing + _MEMORY * drift_worth
        drift_toll = beyond + _MEMORY * drift_toll
        norm = float(drift_worth @ drift_worth + drift_toll @ drift_toll)
        if norm == 0:
            break
        target = min(known_cost, best + _REACH * abs(best))
        length = step * max(target - value, 1) / norm
        worth = worth + length * drift_worth
        toll = np.clip(toll + length * drift_toll, 0, policy.overload_per_stairwell)
    return best, rounds


def _evaluate(
    problem: ContactProblem, candidates: Candidates, policy: Policy, worth: Ints, toll: Ints
) -> tuple[int, Ints]:
    """Return the bound that these prices give, and the pairs that the members then take."""
    profit = worth[candidates.grid] - candidates.cost - toll[candidates.member]
    load = problem.grid_households[candidates.grid]
    sure = (profit > 0) & (profit >= policy.overload_per_household * load)
    carried = np.bincount(candidates.member[sure], weights=load[sure], minlength=len(toll))
    room = problem.member_capacity_households - carried.astype(np.int64)
    gained = (
        int(profit[sure].sum()) + int(np.minimum(room, 0).sum()) * policy.overload_per_household
    )
    room = np.maximum(room, 0)
    # With no room left, a household costs more than it brings: only the sure ones are taken.
    maybe = (profit > 0) & ~sure & (room > 0)[candidates.member]
    rest = np.bincount(candidates.member[maybe], weights=load[maybe], minlength=len(toll))
    fits = maybe & (rest <= room)[candidates.member]
    gained += int(profit[fits].sum())
    tight = np.flatnonzero(maybe & ~fits)
    more, taken = _pack(_group(candidates, tight, load, profit), room, policy)
    taken = np.concatenate([np.flatnonzero(sure | fits), taken])
    fixed = int(worth[candidates.has_any].sum()) - int(toll @ problem.member_capacity_stairwells)
    return fixed - gained - more, taken


def _group(candidates: Candidates, pairs: Ints, load: Ints, profit: Ints) -> _Knapsacks:
    """Arrange pairs by member, as rows of slots, longest rows first."""
    member, row, size = np.unique(candidates.member[pairs], return_inverse=True, return_counts=True)
    order = np.argsort(-size, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    row = rank[row]
    by_row = np.argsort(row, kind="stable")
    pairs, row = pairs[by_row], row[by_row]
    size = size[order]
    slot = np.arange(len(pairs)) - np.repeat(np.cumsum(size) - size, size)
    shape = (len(member), int(size[0]) if len(size) else 0)
    arranged = [np.zeros(shape, dtype=np.int64) for _ in range(3)]
    for table, values in zip(arranged, (pairs, load[pairs], profit[pairs]), strict=True):
        table[row, slot] = values
    return _Knapsacks(member[order], size, *arranged)


def _pack(knapsacks: _Knapsacks, room: Ints, policy: Policy) -> tuple[int, Ints]:
    """Solve all knapsacks by dynamic programming over the load, overload allowed at its price.

    No best choice has a pair without which the member would still be full, for such a pair costs
    more than it brings; so loads up to the room plus one stairwell are enough.
    """
    if not len(knapsacks.member):
        return 0, np.empty(0, dtype=np.int64)
    heaviest = int(knapsacks.load.max())
    limit = room[knapsacks.member] + knapsacks.load.max(axis=1)
    width = int(limit.max()) + 1
    # Columns left of `heaviest` stand for negative loads, which nothing may reach.
    best = np.zeros((len(knapsacks.member), heaviest + width), dtype=np.int64)
    best[:, :heaviest] = np.iinfo(np.int64).min // 2
    loads = np.arange(width)
    chosen: list[Bools] = []
    for slot in range(knapsacks.load.shape[1]):
        rows = int(np.searchsorted(-knapsacks.size, -slot, side="left"))
        source = heaviest + loads[None, :] - knapsacks.load[:rows, slot, None]
        with_it = np.take_along_axis(best[:rows], source, axis=1)
        with_it += knapsacks.profit[:rows, slot, None]
        without = best[:rows, heaviest:]
        chosen.append(with_it > without)
        np.maximum(without, with_it, out=without)
    overload = np.maximum(loads[None, :] - room[knapsacks.member, None], 0)
    net = best[:, heaviest:] - policy.overload_per_household * overload
    at = net.argmax(axis=1)
    gained = int(np.take_along_axis(net, at[:, None], axis=1).sum())
    return gained, _unpack(knapsacks, chosen, at)


def _unpack(knapsacks: _Knapsacks, chosen: list[Bools], at: Ints) -> Ints:
    """Walk back through the tables of choices; return the pairs taken."""
    at = at.copy()
    taken = []
    for slot in range(len(chosen) - 1, -1, -1):
        rows = np.arange(len(chosen[slot]))
        yes = rows[chosen[slot][rows, at[rows]]]
        taken.append(knapsacks.pair[yes, slot])
        at[yes] -= knapsacks.load[yes, slot]
    return np.concatenate(taken)
