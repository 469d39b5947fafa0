"""The assignment with stairwells divisible, as minimum-cost flows: a bound and a start.

First stairwells flow whole to members, who take so many and pay for more: that prices a place with
each member. Then, with these tolls on the pairs, households flow to members, who have room for so
many and pay for more. Both are relaxations, so the second, less the tolls that places free of
charge do not owe, bounds the true cost from below. Where all stairwells have the same number of
households one flow has both wishes, and is the optimum itself.

References
----------
Cost-scaling push-relabel: A. V. Goldberg, Journal of Algorithms 22 (1997) 1-29,
doi:10.1006/jagm.1995.0805.
"""

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.problem import ContactProblem, Floats, Ints, Policy
from gridsvc.contacts.solving.instance import Instance

# Costs per household are fractions; as whole multiples of 1/64 each is at most that too low.
_COST_SCALE = 64


@dataclass(frozen=True)
class Relaxation:
    """What the flow says.

    Attributes
    ----------
    bound
        No assignment of the stairwells that have a candidate costs less.
    share
        Shape (e,), the part of each stairwell that goes to each candidate; 0 to 1.
    toll, price
        Shape (m,), cost of one more stairwell, and of one more household, for each member, >= 0.
    is_exact
        The shares are all 0 or 1 and the bound is their cost.
    """

    bound: int
    share: Floats
    toll: Ints
    price: Floats
    is_exact: bool

    def along(self, pairs: int, at: Ints) -> "Relaxation":
        """Keep the prices for more pairs; the shares become those of an assignment.

        The bound held for fewer pairs and is dropped.
        """
        share = np.zeros(pairs)
        share[at[at >= 0]] = 1.0
        return Relaxation(0, share, self.toll, self.price, is_exact=False)

    def worth(self, instance: Instance) -> Floats:
        """Return what serving each job costs at these prices, shape (n,): the cheapest pair."""
        offers = instance.cost + instance.load * self.price[instance.member]
        offers = offers + self.toll[instance.member]
        worth = np.zeros(instance.job_count)
        served = instance.is_served
        if served.any():
            worth[served] = np.minimum.reduceat(offers, instance.first[:-1][served])
        return worth


def relax(problem: ContactProblem, candidates: Candidates, policy: Policy) -> Relaxation:
    """Solve the divisible assignment of the stairwells that have a candidate."""
    free = np.zeros(problem.member_count, dtype=np.int64)
    if not len(candidates):
        return Relaxation(0, np.empty(0), free, free.astype(np.float64), is_exact=True)
    loads = problem.grid_households[candidates.has_any]
    if (loads == loads[0]).all():
        return _relax_whole(problem, candidates, policy, int(loads[0]))
    return _relax_divided(problem, candidates, policy, _tolls(problem, candidates, policy))


def _relax_whole(
    problem: ContactProblem, candidates: Candidates, policy: Policy, load: int
) -> Relaxation:
    """Solve exactly, where all stairwells are alike: each further one of a member costs more."""
    most = np.bincount(candidates.member, minlength=problem.member_count)
    member = np.repeat(np.arange(problem.member_count), most)
    nth = np.arange(len(member)) - np.repeat(np.cumsum(most) - most, most) + 1
    capacity = problem.member_capacity_households[member]
    excess = np.maximum(nth * load - capacity, 0) - np.maximum((nth - 1) * load - capacity, 0)
    cost = excess * policy.overload_per_household
    cost += policy.overload_per_stairwell * (nth > problem.member_capacity_stairwells[member])
    supply = candidates.has_any.astype(np.int64)
    arcs = (member, np.ones(len(member), dtype=np.int64), cost)
    flow, total = _flow(problem, candidates, supply, candidates.cost, arcs)
    taken = np.bincount(candidates.member, weights=flow, minlength=problem.member_count)
    carried = load * taken.astype(np.int64) - problem.member_capacity_households
    next_cost = np.maximum(carried + load, 0) - np.maximum(carried, 0)
    next_cost *= policy.overload_per_household
    next_cost += policy.overload_per_stairwell * (taken >= problem.member_capacity_stairwells)
    toll = _prices(problem, candidates, flow, candidates.cost, next_cost)
    price = np.zeros(problem.member_count)
    return Relaxation(total, flow.astype(np.float64), toll, price, is_exact=True)


def _tolls(problem: ContactProblem, candidates: Candidates, policy: Policy) -> Ints:
    """Return what a place with each member is worth where only the number of places counts."""
    places, dear = problem.member_capacity_stairwells, policy.overload_per_stairwell
    supply = candidates.has_any.astype(np.int64)
    arcs = _two_prices(places, problem.grid_count, dear)
    flow, _ = _flow(problem, candidates, supply, candidates.cost, arcs)
    taken = np.bincount(candidates.member, weights=flow, minlength=problem.member_count)
    next_cost = np.where(taken < places, 0, dear)
    return _prices(problem, candidates, flow, candidates.cost, next_cost)


def _relax_divided(
    problem: ContactProblem, candidates: Candidates, policy: Policy, toll: Ints
) -> Relaxation:
    """Solve with households as units; stairwells without any just take their cheapest pair."""
    load = problem.grid_households[candidates.grid]
    supply = np.where(candidates.has_any, problem.grid_households, 0)
    cost = candidates.cost + toll[candidates.member]
    unit_cost = cost * _COST_SCALE // np.maximum(load, 1)
    room, dear = problem.member_capacity_households, policy.overload_per_household * _COST_SCALE
    arcs = _two_prices(room, int(supply.sum()), dear)
    flow, total = _flow(problem, candidates, supply, unit_cost, arcs)
    empty = np.flatnonzero(candidates.has_any & (problem.grid_households == 0))
    pairs = np.arange(len(candidates))
    cheapest = np.lexsort([pairs, cost, candidates.grid])[candidates.first[empty]]
    share = flow / np.maximum(load, 1)
    share[cheapest] = 1.0
    # Costs are whole numbers, so the bound may be rounded up.
    bound = -(-total // _COST_SCALE) + int(cost[cheapest].sum())
    bound -= int(toll @ problem.member_capacity_stairwells)
    taken = np.bincount(candidates.member, weights=flow, minlength=problem.member_count)
    price = _prices(problem, candidates, flow, unit_cost, np.where(taken < room, 0, dear))
    return Relaxation(bound, share, toll, price / _COST_SCALE, is_exact=False)


def _two_prices(room: Ints, most: int, dear: int) -> tuple[Ints, Ints, Ints]:
    """Return arcs to the sink, as member, capacity and cost: free up to the room, dear beyond."""
    everybody = np.arange(len(room))
    return (
        np.concatenate([everybody, everybody]),
        np.concatenate([room, np.full(len(room), most)]),
        np.repeat([0, dear], len(room)),
    )


def _flow(
    problem: ContactProblem,
    candidates: Candidates,
    supply: Ints,
    unit_cost: Ints,
    to_sink: tuple[Ints, Ints, Ints],
) -> tuple[Ints, int]:
    """Return the flow on each candidate pair, shape (e,), and the least total cost."""
    member_node = problem.grid_count + candidates.member
    sink = problem.grid_count + problem.member_count
    member, capacity, cost = to_sink
    network = SimpleMinCostFlow()
    pairs = network.add_arcs_with_capacity_and_unit_cost(
        candidates.grid, member_node, supply[candidates.grid], unit_cost
    )
    network.add_arcs_with_capacity_and_unit_cost(
        problem.grid_count + member, np.full(len(member), sink), capacity, cost
    )
    network.set_nodes_supplies(np.arange(problem.grid_count), supply)
    network.set_node_supply(sink, -int(supply.sum()))
    status = network.solve()
    if status != network.OPTIMAL:
        raise RuntimeError(f"minimum-cost flow ended with {status}")
    return np.asarray(network.flows(pairs), dtype=np.int64), int(network.optimal_cost())


def _prices(
    problem: ContactProblem, candidates: Candidates, flow: Ints, unit_cost: Ints, next_cost: Ints
) -> Ints:
    """Return what one more unit costs each member, shape (m,): shortest ways in the residual graph.

    A unit more for a member is paid there, at ``next_cost``, or pushes one of its units on to
    another candidate of that unit's stairwell. The solver keeps its potentials to itself, so they
    are found again by Bellman and Ford's rounds; the flow is optimal, hence they end.
    """
    price = next_cost.astype(np.int64)
    used = np.flatnonzero(flow > 0)
    served = np.flatnonzero(candidates.has_any)
    begins = candidates.first[served]
    cheapest = np.zeros(problem.grid_count, dtype=np.int64)
    for _ in range(problem.member_count):
        offers = unit_cost + price[candidates.member]
        cheapest[served] = np.minimum.reduceat(offers, begins)
        pushed = cheapest[candidates.grid[used]] - unit_cost[used]
        lower = price.copy()
        np.minimum.at(lower, candidates.member[used], pushed)
        if (lower == price).all():
            break
        price = lower
    return np.maximum(price, 0)
