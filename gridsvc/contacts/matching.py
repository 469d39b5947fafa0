"""A very large neighbourhood: one stairwell of every member at once, dealt out again at best.

Each member hands in one stairwell and takes at most one back, so what each pair costs does not
depend on the others, and the best deal is a matching: exact, over exponentially many exchanges.

References
----------
R. K. Ahuja, O. Ergun, J. B. Orlin, A. P. Punnen, Discrete Applied Mathematics 123 (2002) 75-102,
doi:10.1016/S0166-218X(01)00338-9 (assignment neighbourhoods).
"""

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.local_search import Assignment
from gridsvc.contacts.problem import ContactProblem, Ints, Policy


def reshuffle(
    assignment: Assignment,
    problem: ContactProblem,
    candidates: Candidates,
    policy: Policy,
    chance: np.random.Generator,
) -> list[int]:
    """Take a random stairwell from each member who has any and deal these out at least cost.

    Returns
    -------
    list
        The stairwells that have another member now, ascending. The total never rises.
    """
    at = np.array(assignment.at, dtype=np.int64)
    handed_in = _one_of_each(candidates, at, chance)
    if not len(handed_in):
        return []
    is_open = np.zeros(problem.grid_count, dtype=bool)
    is_open[handed_in] = True
    pairs = np.flatnonzero(is_open[candidates.grid])
    cost = candidates.cost[pairs] + _fees(assignment, problem, candidates, policy, handed_in, pairs)
    chosen = pairs[_match(problem, candidates, handed_in, pairs, cost)]
    dealt = at.copy()
    dealt[candidates.grid[chosen]] = chosen
    changed: list[int] = np.flatnonzero(dealt != at).tolist()
    for grid in changed:
        assignment.take(grid)
    for grid in changed:
        assignment.put(grid, int(dealt[grid]))
    return changed


def _one_of_each(candidates: Candidates, at: Ints, chance: np.random.Generator) -> Ints:
    """Return a random stairwell of each member who has one, ascending."""
    order = chance.permutation(np.flatnonzero(at >= 0))
    _, first = np.unique(candidates.member[at[order]], return_index=True)
    return np.sort(order[first])


def _fees(
    assignment: Assignment,
    problem: ContactProblem,
    candidates: Candidates,
    policy: Policy,
    handed_in: Ints,
    pairs: Ints,
) -> Ints:
    """Return the overload that each pair would add, once the stairwells are handed in."""
    over = np.array(assignment.load, dtype=np.int64) - problem.member_capacity_households
    count = np.array(assignment.count, dtype=np.int64)
    giver = candidates.member[np.array(assignment.at, dtype=np.int64)[handed_in]]
    over[giver] -= problem.grid_households[handed_in]
    count[giver] -= 1
    member = candidates.member[pairs]
    then = over[member] + problem.grid_households[candidates.grid[pairs]]
    households = np.maximum(then, 0) - np.maximum(over[member], 0)
    beyond = (count >= problem.member_capacity_stairwells)[member]
    fees: Ints = policy.overload_per_household * households + policy.overload_per_stairwell * beyond
    return fees


def _match(
    problem: ContactProblem, candidates: Candidates, handed_in: Ints, pairs: Ints, cost: Ints
) -> Ints:
    """Return the positions in ``pairs`` of the cheapest matching that serves all stairwells."""
    network = SimpleMinCostFlow()
    member = problem.grid_count + np.arange(problem.member_count)
    sink = problem.grid_count + problem.member_count
    arcs = network.add_arcs_with_capacity_and_unit_cost(
        candidates.grid[pairs],
        problem.grid_count + candidates.member[pairs],
        np.ones(len(pairs), dtype=np.int64),
        cost,
    )
    ones = np.ones(problem.member_count, dtype=np.int64)
    network.add_arcs_with_capacity_and_unit_cost(member, ones * sink, ones, ones * 0)
    network.set_nodes_supplies(handed_in, np.ones(len(handed_in), dtype=np.int64))
    network.set_node_supply(sink, -len(handed_in))
    status = network.solve()
    if status != network.OPTIMAL:
        raise RuntimeError(f"matching ended with {status}")
    return np.flatnonzero(np.asarray(network.flows(arcs)) > 0)
