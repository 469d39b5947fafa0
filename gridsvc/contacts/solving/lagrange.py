"""A lower bound on what any assignment costs, by Lagrangian relaxation.

The wish that each job has one member is priced instead of kept. What remains is, for each member
alone, a knapsack with soft limits that is solved exactly; so every set of prices gives a valid
bound, and subgradient steps look for prices that give a high one. Prices and profits are whole
numbers: no rounding error can lift the bound.

References
----------
M. L. Fisher, Management Science 27 (1981) 1-18, doi:10.1287/mnsc.27.1.1 (the generalised
assignment problem is its example); step rule: B. T. Polyak, USSR Computational Mathematics and
Mathematical Physics 9 (1969) 14-29, doi:10.1016/0041-5553(69)90061-5; deflected steps: P. M.
Camerini, L. Fratta, F. Maffioli, Mathematical Programming Study 3 (1975) 26-34,
doi:10.1007/BFb0120697.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from gridsvc.contacts.problem import Floats, Ints
from gridsvc.contacts.solving.instance import Instance
from gridsvc.contacts.solving.knapsack import limit_prices, take_best

_PATIENCE = 12
_FIRST_STEP = 1.0
_LAST_STEP = 0.005
_MEMORY = 0.8
# Steps aim at this much above the best bound: the known cost may be far above the highest bound.
_REACH = 0.01


@dataclass(frozen=True)
class Bound:
    """What the prices prove.

    Attributes
    ----------
    value
        No assignment costs less.
    worth
        Shape (n,), the price of serving each job, at which that is so.
    price_of_change
        That of using up a change of the budget, at which that is so.
    rounds
        Steps taken.
    """

    value: int
    worth: Ints
    price_of_change: int
    rounds: int


class Knapsacks:
    """The members of an instance, solved together at any prices, on several threads."""

    def __init__(self, instance: Instance, *, threads: int = 1) -> None:
        self.instance = instance
        self.taken = np.zeros(len(instance.job), dtype=np.int64)
        sizes = np.diff(instance.member_first)
        order = np.flatnonzero(sizes)
        weight = np.cumsum(sizes[order])
        cuts = (
            np.searchsorted(weight, weight[-1] * np.arange(1, threads) / threads)
            if len(weight)
            else []
        )
        self._parts = [part for part in np.split(order, cuts) if len(part)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def value(self, worth: Ints, *, price_of_change: int = 0) -> int:
        """Return the bound at these prices; ``taken`` then holds what the members take."""
        instance = self.instance
        profit = worth[instance.job] - instance.cost
        if price_of_change:
            profit -= price_of_change * instance.is_change

        def solve(members: Ints) -> int:
            return take_best(
                members,
                instance.member_first,
                instance.member_pair,
                instance.load,
                profit,
                instance.room,
                instance.most,
                instance.per_load,
                instance.per_job,
                self.taken,
            )

        gained = (
            map(solve, self._parts) if self._pool is None else self._pool.map(solve, self._parts)
        )
        return int(worth[instance.is_served].sum()) - sum(gained)


def raise_bound(
    instance: Instance,
    worth: Floats,
    *,
    known_cost: int,
    go_on: Callable[[int], bool],
    threads: int = 1,
    change_at_most: int | None = None,
    price_of_change: float = 0.0,
    last_step: float = _LAST_STEP,
) -> Bound:
    """Look for prices that give a high bound on the cost of serving all jobs that have a pair.

    Parameters
    ----------
    worth
        Shape (n,), where the search starts.
    known_cost
        Cost of a known assignment of these jobs.
    go_on
        Asked before each step but the first, with the number of steps done.
    change_at_most
        Budget of changes; default: none. It has a price too, found by the same steps.
    price_of_change
        Where that starts.
    """
    knapsacks = Knapsacks(instance, threads=threads)
    served = instance.is_served
    steps = _Steps(np.append(worth, price_of_change))
    budget = 0 if change_at_most is None else change_at_most
    while steps.best is None or (
        go_on(steps.rounds) and steps.size > last_step and steps.best < known_cost
    ):
        whole = np.rint(steps.prices).astype(np.int64)
        value = knapsacks.value(whole[:-1], price_of_change=int(whole[-1]))
        value -= int(whole[-1]) * budget
        if steps.note(value, whole):
            continue
        times = np.bincount(instance.job, weights=knapsacks.taken, minlength=instance.job_count)
        missing = np.append(np.where(served, 1.0 - times, 0.0), 0.0)
        if change_at_most is not None:
            missing[-1] = instance.is_change @ knapsacks.taken - budget
        if not steps.go(missing, known_cost):
            break
    best = 0 if steps.best is None else steps.best
    return Bound(best, steps.best_prices[:-1], int(steps.best_prices[-1]), steps.rounds)


class _Steps:
    """Prices on their way up: deflected steps, halved where they stop to help."""

    def __init__(self, prices: Floats) -> None:
        self.prices, self.drift = prices.astype(np.float64), np.zeros(len(prices))
        self.best: int | None = None
        self.best_prices = np.rint(prices).astype(np.int64)
        self.size, self.stale, self.rounds, self.value = _FIRST_STEP, 0, 0, 0

    def note(self, value: int, whole: Ints) -> bool:
        """Remember a value; return whether the search went back to the best prices."""
        self.rounds += 1
        self.value = value
        if self.best is None or value > self.best:
            self.best, self.best_prices, self.stale = value, whole, 0
            return False
        self.stale += 1
        if self.stale < _PATIENCE:
            return False
        self.size, self.stale = self.size / 2, 0
        self.prices, self.drift = self.best_prices.astype(np.float64), np.zeros(len(whole))
        return True

    def go(self, missing: Floats, known_cost: int) -> bool:
        """Take a step; return False where every wish is met, so that no step is left."""
        self.drift = missing + _MEMORY * self.drift
        norm = float(self.drift @ self.drift)
        best = self.value if self.best is None else self.best
        if norm == 0:
            return False
        target = min(known_cost, best + _REACH * abs(best))
        self.prices = self.prices + self.size * max(target - self.value, 1) / norm * self.drift
        self.prices[-1] = max(self.prices[-1], 0.0)
        return True


@dataclass(frozen=True)
class Margins:
    """How near each pair is to being taken at given prices.

    Attributes
    ----------
    value
        The bound at these prices.
    price, toll
        Shape (m,), price of load and of a place with each member.
    slack
        Shape (m,), by how much the member's divisible choice gains more than the whole one.
    reduced
        Shape (e,), what a pair costs beyond its worth at all these prices. A solution with this
        pair costs ``value - slack + reduced`` at least.
    """

    value: int
    price: Ints
    toll: Ints
    slack: Ints
    reduced: Ints


def find_margins(instance: Instance, worth: Ints, *, price_of_change: int = 0) -> Margins:
    """Solve all knapsacks at these prices and price what they did not take."""
    knapsacks = Knapsacks(instance)
    value = knapsacks.value(worth, price_of_change=price_of_change)
    profit = worth[instance.job] - instance.cost - price_of_change * instance.is_change
    price, toll = limit_prices(
        instance.member_first, instance.member_pair, instance.load, profit, instance.room,
        instance.most, instance.per_load, instance.per_job,
    )  # fmt: skip
    reduced = price[instance.member] * instance.load + toll[instance.member] - profit
    divisible = price * instance.room + toll * instance.most
    np.add.at(divisible, instance.member, np.maximum(-reduced, 0))
    pair = np.flatnonzero(knapsacks.taken)
    member = instance.member[pair]
    gain, carried = (np.zeros(instance.member_count, dtype=np.int64) for _ in range(2))
    np.add.at(gain, member, profit[pair])
    np.add.at(carried, member, instance.load[pair])
    count = np.bincount(member, minlength=instance.member_count)
    gain -= instance.per_load * np.maximum(carried - instance.room, 0)
    gain -= instance.per_job * np.maximum(count - instance.most, 0)
    return Margins(value, price, toll, divisible - gain, reduced)
