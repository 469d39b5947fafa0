"""The generalised assignment problem with hard capacities, by the same prices and the same loops.

A public yardstick of the contact solver: we have no other use for it. Annealing takes capacities
as soft, at a price that rises; then HiGHS searches the pairs of least reduced cost.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from gridsvc.contacts.problem import Floats, Ints
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.instance import Instance, make_instance
from gridsvc.contacts.solving.lagrange import Margins, find_margins, raise_bound
from gridsvc.contacts.solving.search import choose

# Prices are whole numbers: costs are multiplied so that these are fine enough.
_SCALE = 256
_NOTHING = np.empty(0, dtype=np.int64)
# Parts of the time at which bound and annealing end; the rest goes to the core, small, then larger.
_BOUND_END, _SEARCH_END, _CORE_ENDS = 0.15, 0.45, (0.7, 0.98)
_LEAST_SEARCH = 0.05
_CORE_SIZES = (2, 3)
_CHOICES = 5
_HOT, _COLD = 0.3, 0.02
# Price of overload at the first and the last temperature, in typical prices of load.
_SOFT, _FIRM = 1.5, 10.0


@dataclass(frozen=True)
class GapAnswer:
    """The best assignment found and what is proven.

    Attributes
    ----------
    member
        Shape (n,), the member of each job; empty where none was found within the capacities.
    cost
        Its cost; -1 where none was found.
    bound
        No assignment within the capacities costs less.
    """

    member: Ints
    cost: int
    bound: int


def solve_gap(
    cost: Ints, load: Ints, capacity: Ints, *, time_limit_s: float, seed: int = 0
) -> GapAnswer:
    """Assign each job to one member at least cost, loads within the capacities.

    Parameters
    ----------
    cost, load
        Shape (m, n), whole numbers, load >= 0. Every job fits a member alone.
    capacity
        Shape (m,).
    time_limit_s
        Wall time, seconds; one thread.
    """
    clock = _Part(time_limit_s)
    hard = _instance_of(cost, load, capacity)
    prices = raise_bound(
        hard,
        _divisible_prices(hard),
        known_cost=hard.per_load,
        go_on=lambda _: clock.gone() < _BOUND_END,
        last_step=1e-4,
    )
    margins = find_margins(hard, prices.worth)
    best = _search(hard, margins, clock, seed)
    for size, end in zip(_CORE_SIZES, _CORE_ENDS, strict=True):
        if not len(best) or hard.price(best) >= prices.value + _SCALE:
            best = _better(hard, best, _solve_core(hard, margins, size, clock.left_s(end)))
    known = hard.price(best) if len(best) else hard.per_load
    bound = -(-min(prices.value, known) // _SCALE)
    return GapAnswer(hard.member[best], known // _SCALE if len(best) else -1, bound)


class _Part:
    """Wall time since the start, as a part of a limit."""

    def __init__(self, limit_s: float) -> None:
        self._started, self._limit_s = time.monotonic(), limit_s

    def gone(self) -> float:
        return (time.monotonic() - self._started) / self._limit_s

    def left_s(self, end: float) -> float:
        return max((end - self.gone()) * self._limit_s, 0.1)


def _instance_of(cost: Ints, load: Ints, capacity: Ints) -> Instance:
    """Return the pairs that fit at all, overload at a price that nothing outweighs."""
    member, job = np.nonzero(load <= capacity[:, None])
    instance, _ = make_instance(
        job=job,
        member=member,
        cost=_SCALE * cost[member, job],
        load=load[member, job],
        job_count=cost.shape[1],
        room=capacity,
        most=np.full(len(capacity), cost.shape[1]),
        per_load=_SCALE * (int(cost.max()) * cost.shape[1] + 1),
        per_job=0,
    )
    return instance


def _divisible_prices(hard: Instance) -> Floats:
    """Return what each job costs where jobs can be divided, shape (n,)."""
    columns, ones = np.arange(len(hard.job)), np.ones(len(hard.job))
    answer = linprog(  # type: ignore[call-overload]  # sparse rows are allowed
        hard.cost,
        A_eq=csr_array((ones, (hard.job, columns)), shape=(hard.job_count, len(columns))),
        b_eq=np.ones(hard.job_count),
        A_ub=csr_array(
            (hard.load, (hard.member, columns)), shape=(hard.member_count, len(columns))
        ),
        b_ub=hard.room,
    )
    if answer.status != 0:
        return np.minimum.reduceat(hard.cost, hard.first[:-1]).astype(np.float64)
    prices: Floats = answer.eqlin.marginals
    return prices


def _search(hard: Instance, margins: Margins, clock: _Part, seed: int) -> Ints:
    """Anneal while overload grows dearer; return pairs within the capacities, or nothing."""
    typical = max(float(np.median(margins.price)), 1.0)
    state = State(hard, np.lexsort([margins.reduced, hard.job])[hard.first[:-1]])
    first, choice = choose(margins, state, most=_CHOICES)
    jobs, side = np.arange(hard.job_count), np.zeros(hard.member_count, dtype=np.int64)
    hot = _HOT * max(float(np.median(np.abs(margins.reduced[choice]))), _SCALE)
    begin, best, lap = clock.gone(), _NOTHING, 0
    # A short search even where the bound has used up the time.
    span = max(_SEARCH_END - begin, _LEAST_SEARCH)
    while (part := (clock.gone() - begin) / span) < 1:
        state.instance = replace(hard, per_load=int(typical * _SOFT * (_FIRM / _SOFT) ** part))
        heat = hot * (_COLD * _SCALE / hot) ** part
        lap += 1
        state.anneal(
            jobs, first, choice, side, turns=100 * hard.job_count, hot=heat, cold=heat,
            seed=seed * 1_000_000 + lap, changes_left=0,
        )  # fmt: skip
        best = _better(hard, best, state.at)
    state.instance = hard
    state.settle(changes_left=0, rounds=5)
    return _better(hard, best, state.at)


def _better(hard: Instance, best: Ints, at: Ints) -> Ints:
    """Return the cheaper of two assignments that hold all capacities; nothing where neither."""
    limit = hard.price(best) if len(best) else hard.per_load
    return at.copy() if len(at) and hard.price(at) < limit else best


def _solve_core(hard: Instance, margins: Margins, size: int, time_limit_s: float) -> Ints:
    """Let HiGHS choose among the pairs of least reduced cost, so many a job on average."""
    lowest = np.minimum.reduceat(margins.reduced, hard.first[:-1])
    beyond = margins.reduced - lowest[hard.job]
    limit = np.sort(beyond)[min(size * hard.job_count, len(beyond) - 1)]
    core = np.flatnonzero(beyond <= limit)
    columns, ones = np.arange(len(core)), np.ones(len(core))
    whole = csr_array((ones, (hard.job[core], columns)), shape=(hard.job_count, len(core)))
    loads = csr_array(
        (hard.load[core].astype(np.float64), (hard.member[core], columns)),
        shape=(hard.member_count, len(core)),
    )
    answer = milp(
        hard.cost[core] / _SCALE,
        integrality=np.ones(len(core), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(whole, 1, 1), LinearConstraint(loads, -np.inf, hard.room)],
        options={"time_limit": time_limit_s},
    )
    if answer.x is None:
        return _NOTHING
    at = np.full(hard.job_count, -1)
    chosen = core[answer.x > 0.5]
    at[hard.job[chosen]] = chosen
    return at
