"""The course of one solve: prices, columns, annealing, proof and blocks, each in its time."""

from dataclasses import dataclass, replace

import numpy as np

from gridsvc.contacts.candidates import Candidates, incumbent_may_stay, takes_all_pairs
from gridsvc.contacts.problem import ContactProblem, Floats, Ints, Policy
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.blocks import mend_worst
from gridsvc.contacts.solving.clock import Clock
from gridsvc.contacts.solving.components import find_small
from gridsvc.contacts.solving.exact import prove
from gridsvc.contacts.solving.instance import Instance, instance_of
from gridsvc.contacts.solving.lagrange import Bound, Knapsacks, Margins, find_margins, raise_bound
from gridsvc.contacts.solving.pricing import find_missing
from gridsvc.contacts.solving.relaxation import Relaxation, relax
from gridsvc.contacts.solving.search import anneal
from gridsvc.contacts.solving.strict import WHOLLY_STRICT

# Parts at which stages end: of the time limit for the flows, of what these leave for the others.
_FLOWS_END, _PRICES_END, _SEARCH_END, _BLOCKS_END = 0.5, 0.25, 0.72, 0.76
_PROOF_END, _LAST_END = 0.86, 0.97
# Without a time limit: rounds and turns of each iteration.
_ROUNDS, _TURNS, _BLOCKS = 15, 200, 0.1
_MOST_ROUNDS = 1_000
_HOT, _WARM, _COLD = 0.5, 0.05, 20.0
_FLOWS, _COLUMNS, _NEW_COLUMNS = 4, 4, 8
# Prices are sought along the pairs that cost at most so many households of overload too much.
_NEAR = 1.0
_SMALL_SHARE = 0.02
# A small problem is searched for a moment; the time goes to its proof.
_SMALL_TURNS = 2_000
# After fewer rounds prices are too far from the best to ask for further pairs.
_ENOUGH = 40
# A bound lower by no more than this part of the cost is taken for all pairs.
_FINE = 5e-3
_EFFORT, _SMALL_ROUNDS = 8.0, 300


@dataclass(frozen=True)
class Rules:
    """How a solve is to go: see `gridsvc.contacts.solver.solve`."""

    seed: int
    iterations: int | None
    change_at_most: int | None


@dataclass(frozen=True)
class Outcome:
    """Candidates with the columns that were added, the pair of each stairwell, and the bound."""

    candidates: Candidates
    at: Ints
    bound: int
    bound_is_global: bool
    is_optimal: bool
    rounds: dict[str, int]


def run(
    problem: ContactProblem,
    policy: Policy,
    candidates: Candidates,
    clock: Clock,
    rules: Rules,
) -> Outcome:
    """Assign the stairwells that have a candidate."""
    is_whole = takes_all_pairs(problem)
    candidates, relaxation = _relaxed(problem, policy, candidates, clock)
    at = _rounded(candidates, relaxation.share)
    clock.lap("relaxation")
    clock.count_from_now()
    if relaxation.is_exact and rules.change_at_most is None and is_whole:
        return Outcome(candidates, at, relaxation.bound, True, True, {})
    course = _Course(problem, policy, candidates, clock, rules)
    course.begin(at, relaxation.worth(course.instance), relaxation.bound)
    for step in range(1, _COLUMNS + 1):
        rounds = course.price(_PRICES_END * step / _COLUMNS)
        if is_whole or clock.until(_PRICES_END)() <= 0:
            break
        if rounds >= _ENOUGH or rules.iterations is not None:
            course.add_columns()
    course.price(_PRICES_END)
    clock.lap("prices")
    course.search()
    clock.lap("search")
    course.prove_small()
    course.mend()
    clock.lap("blocks")
    course.price(_PROOF_END)
    bound, is_global = course.bound, is_whole
    if not is_whole and clock.until(1.0)() > 0:
        proven = course.prove_for_all_pairs()
        bound, is_global = (bound, False) if proven is None else (proven, True)
    clock.lap("bound")
    is_optimal = bound >= course.cost
    return Outcome(course.candidates, course.state.at, bound, is_global, is_optimal, course.rounds)


def _relaxed(
    problem: ContactProblem, policy: Policy, candidates: Candidates, clock: Clock
) -> tuple[Candidates, Relaxation]:
    """Solve the flow, and again with the pairs that its prices ask for, until there are none."""
    before_s = clock.gone_s
    relaxation = relax(problem, candidates, policy)
    flow_s = clock.gone_s - before_s
    for done in range(0 if takes_all_pairs(problem) else _FLOWS):
        has_time = clock.gone_s + flow_s < _FLOWS_END * clock.limit_s
        if done and not has_time:
            break
        instance = instance_of(problem, candidates, policy)
        margins = Margins(
            relaxation.bound,
            np.rint(relaxation.price).astype(np.int64),
            relaxation.toll,
            np.zeros(problem.member_count, dtype=np.int64),
            np.zeros(len(candidates), dtype=np.int64),
        )
        wider = _with_columns(
            problem, policy, candidates, margins, np.rint(relaxation.worth(instance))
        )
        if len(wider) == len(candidates):
            break
        if not has_time:
            at = wider.rows_of(candidates, _rounded(candidates, relaxation.share))
            return wider, relaxation.along(len(wider), at)
        candidates, relaxation = wider, relax(problem, wider, policy)
    return candidates, relaxation


def _with_columns(
    problem: ContactProblem,
    policy: Policy,
    candidates: Candidates,
    margins: Margins,
    worth: Floats,
    *,
    price_of_change: int = 0,
) -> Candidates:
    """Add, of the missing pairs that are worth their price, a few of each stairwell and member."""
    wider = find_missing(
        problem,
        policy,
        candidates,
        margins,
        worth.astype(np.int64),
        price_of_change=price_of_change,
        most_a_member=2 * _NEW_COLUMNS,
    )
    return candidates if wider is None else _cheapest_new(problem, candidates, wider, margins)


def _cheapest_new(
    problem: ContactProblem, candidates: Candidates, wider: Candidates, margins: Margins
) -> Candidates:
    """Keep, of the pairs that are new, a few for each stairwell: the cheapest at these prices."""
    by_load = margins.price[wider.member] * problem.grid_households[wider.grid]
    price = wider.cost + margins.toll[wider.member] + by_load
    known = candidates.grid * problem.member_count + candidates.member
    is_known = np.isin(wider.grid * problem.member_count + wider.member, known)
    new = np.flatnonzero(~is_known)
    order = new[np.lexsort([price[new], wider.grid[new]])]
    grid = wider.grid[order]
    rank = np.arange(len(order)) - np.searchsorted(grid, grid)
    kept = is_known.copy()
    kept[order[rank < _NEW_COLUMNS]] = True
    return wider.only(kept)


class _Course:
    """What is known so far: candidates, assignment, prices and proofs."""

    def __init__(
        self,
        problem: ContactProblem,
        policy: Policy,
        candidates: Candidates,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self.problem, self.policy, self.clock, self.rules = problem, policy, clock, rules
        self.candidates = candidates
        self.instance = self._instance_of(candidates)
        self.rounds = {"search": 0, "bound": 0, "columns": 0, "blocks": 0}
        self.proofs: list[tuple[Instance, Ints, int]] = []
        self.is_warm = False

    @property
    def bound(self) -> int:
        """What is proven along the candidates."""
        value = max(self.prices.value, self.least)
        for part, jobs, proven in self.proofs:
            alone = Knapsacks(part).value(
                self.prices.worth[jobs], price_of_change=self.prices.price_of_change
            )
            if len(jobs) == self.instance.is_served.sum():
                value = max(value, proven)
            elif self.rules.change_at_most is None:
                value += max(proven - alone, 0)
        return min(value, self.cost)

    @property
    def cost(self) -> int:
        """Cost of the assignment so far."""
        return self.instance.price(self.state.at)

    def begin(self, at: Ints, worth: Floats, bound: int) -> None:
        """Start from the flow, or from today's contacts where that is cheaper or demanded."""
        kept = at.copy()
        own = np.flatnonzero(
            (self.candidates.member == self.problem.incumbent[self.candidates.grid])
            & ((self.problem.pinned < 0)[self.candidates.grid])
        )
        kept[self.candidates.grid[own]] = own
        price = self.instance.price
        self.is_warm = self.rules.change_at_most is not None or price(kept) < price(at)
        self.state = State(self.instance, kept if self.is_warm else at)
        self.state.settle(changes_left=self._changes_left(), rounds=2)
        self.least = bound
        self.prices = Bound(bound, np.rint(worth).astype(np.int64), 0, 0)

    def price(self, part: float) -> int:
        """Raise the bound until a part of the time limit; return the rounds taken."""
        left, most = self.clock.until(part), self._times(_ROUNDS, _MOST_ROUNDS)

        def go_on(rounds: int) -> bool:
            self.clock.report("bound", rounds, most)
            return rounds < most and left() > 0

        margins = self._margins()
        near = margins.reduced <= _NEAR * self.policy.overload_per_household
        near[self.state.at[self.state.at >= 0]] = True
        found = raise_bound(
            self.instance.only(near),
            self.prices.worth.astype(np.float64),
            known_cost=self.cost,
            go_on=go_on,
            threads=2,
            change_at_most=self.rules.change_at_most,
            price_of_change=self.prices.price_of_change,
        )
        self.rounds["bound"] += found.rounds
        budget = found.price_of_change * (self.rules.change_at_most or 0)
        value = Knapsacks(self.instance, threads=2).value(
            found.worth, price_of_change=found.price_of_change
        )
        before = self.prices.price_of_change * (self.rules.change_at_most or 0)
        if value - budget >= margins.value - before:
            self.prices = replace(found, value=value - budget)
        else:
            self.prices = replace(self.prices, value=margins.value - before)
        return found.rounds

    def add_columns(self) -> None:
        """Add some pairs outside the candidates that are worth their price."""
        kept = _with_columns(
            self.problem,
            self.policy,
            self.candidates,
            self._margins(),
            self.prices.worth.astype(np.float64),
            price_of_change=self.prices.price_of_change,
        )
        if len(kept) == len(self.candidates):
            return
        self.rounds["columns"] += len(kept) - len(self.candidates)
        at = kept.rows_of(self.candidates, self.state.at)
        self.candidates, self.least = kept, 0
        self.instance = self._instance_of(kept)
        self.state = State(self.instance, at)

    def search(self) -> None:
        """Anneal, from the flow hot, from today's contacts warm."""
        if self.cost <= self.bound:
            return
        price = self.policy.overload_per_household
        hot = max(price * (_WARM if self.is_warm else _HOT), 2 * _COLD)
        iterations = self.rules.iterations
        turns = None if iterations is None else iterations * _TURNS
        if turns is None and self.problem.grid_count <= WHOLLY_STRICT:
            turns = _SMALL_TURNS
        self.rounds["search"] = anneal(
            self.state,
            self._margins(),
            places=self.problem.member_xy_m,
            hot=hot,
            cold=_COLD,
            seed=self.rules.seed,
            turns_per_job=turns,
            time_left=self.clock.until(_SEARCH_END),
            report=lambda done, total: self.clock.report("search", done, total),
            change_at_most=self.rules.change_at_most,
        )

    def prove_small(self) -> None:
        """Solve the components of few stairwells to the optimum."""
        is_small = self.problem.grid_count <= WHOLLY_STRICT
        left, budget = self.clock.until(1.0 if is_small else _BLOCKS_END), self.rules.change_at_most
        parts = find_small(self.instance, most_jobs=WHOLLY_STRICT)
        if budget is not None and (len(parts) != 1 or len(parts[0][0]) < self.problem.grid_count):
            return
        for jobs, members in parts:
            if left() <= 0:
                return
            part, pairs = self.instance.cut_out(jobs, members)
            row = np.full(len(self.instance.job), -1)
            row[pairs] = np.arange(len(pairs))
            at = row[self.state.at[jobs]]
            prices = raise_bound(
                part,
                self.prices.worth[jobs].astype(np.float64),
                known_cost=part.price(at),
                go_on=lambda rounds: rounds < _SMALL_ROUNDS,
                change_at_most=budget,
                price_of_change=self.prices.price_of_change,
            )
            proof = prove(
                part,
                at,
                prices,
                seed=self.rules.seed,
                time_limit_s=None
                if self.rules.iterations is not None
                else self._seconds_left(len(jobs)),
                effort=_EFFORT,
                change_at_most=budget,
            )
            self.state.reassign(jobs, pairs[proof.at])
            self.proofs.append((part, jobs, proof.bound))

    def mend(self) -> None:
        """Solve the worst blocks again."""
        if self.cost <= self.bound:
            return
        left, most = self.clock.until(_BLOCKS_END), self._times(_BLOCKS, self.problem.grid_count)
        self.rounds["blocks"] = mend_worst(
            self.state,
            self.prices,
            self._margins(),
            seed=self.rules.seed,
            go_on=lambda done: done < most and left() > 0,
            change_at_most=self.rules.change_at_most,
        )

    def prove_for_all_pairs(self) -> int | None:
        """Return what is proven for all allowed pairs, adding those that lower it.

        None where they still lower it by more than a little when the time is over.
        """
        left = self.clock.until(_LAST_END)
        for _ in range(_COLUMNS):
            proven = self._value_of_all_pairs()
            if proven is not None and self.bound - proven <= _FINE * self.cost:
                return proven
            if left() <= 0:
                break
            self.add_columns()
            self.price(_PROOF_END + (_LAST_END - _PROOF_END) / 2)
        return None

    def _value_of_all_pairs(self) -> int | None:
        """Return the bound at these prices along all allowed pairs."""
        worth, price_of_change = self.prices.worth, self.prices.price_of_change
        wider = find_missing(
            self.problem,
            self.policy,
            self.candidates,
            self._margins(),
            worth,
            price_of_change=price_of_change,
        )
        if wider is None:
            return None
        knapsacks = Knapsacks(self._instance_of(wider), threads=2)
        value = knapsacks.value(worth, price_of_change=price_of_change)
        return min(value - price_of_change * (self.rules.change_at_most or 0), self.cost)

    def _margins(self) -> Margins:
        return find_margins(
            self.instance, self.prices.worth, price_of_change=self.prices.price_of_change
        )

    def _instance_of(self, candidates: Candidates) -> Instance:
        """Return the arrays of the candidates; with a budget, which of them are changes."""
        is_change = None
        if self.rules.change_at_most is not None:
            incumbent = self.problem.incumbent[candidates.grid]
            stays = incumbent_may_stay(self.problem)[candidates.grid]
            is_change = (stays & (candidates.member != incumbent)).astype(np.int64)
        return instance_of(self.problem, candidates, self.policy, is_change)

    def _changes_left(self) -> int:
        if self.rules.change_at_most is None:
            return self.problem.grid_count
        used = self.instance.is_change[self.state.at[self.state.at >= 0]].sum()
        return self.rules.change_at_most - int(used)

    def _times(self, each: float, most: int) -> int:
        """Return how often: by the iterations, else as often as the time allows."""
        iterations = self.rules.iterations
        return most if iterations is None else min(int(each * iterations), most)

    def _seconds_left(self, jobs: int) -> float | None:
        """Return the time for a component: of what is left, by its part of the stairwells."""
        if np.isinf(self.clock.limit_s):
            return None
        seconds = max(self.clock.limit_s - self.clock.gone_s, 0.0)
        return seconds * min(_SMALL_SHARE + jobs / self.problem.grid_count, 1.0)


def _rounded(candidates: Candidates, share: Floats) -> Ints:
    """Give each stairwell the candidate with its largest share, the cheapest among equals."""
    at = np.full(len(candidates.first) - 1, -1)
    pairs = np.arange(len(candidates))
    order = np.lexsort([pairs, -share, candidates.grid])
    served = candidates.has_any
    at[served] = order[candidates.first[:-1][served]]
    return at
