"""The optimum of a small instance, proven: what prices rule out is dropped, CP-SAT does the rest.

References
----------
Variable fixing by reduced costs: M. Posta, J. A. Ferland, P. Michelon, Computational Optimization
and Applications 52 (2012) 629-644, doi:10.1007/s10589-011-9432-0. CP-SAT: OR-Tools.
"""

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from gridsvc.contacts.problem import Bools, Ints
from gridsvc.contacts.solving.instance import Instance
from gridsvc.contacts.solving.lagrange import Bound, find_margins


@dataclass(frozen=True)
class Proof:
    """The best assignment found, and the least any can cost.

    ``at`` has shape (n,), the pair of each job, -1 for none.
    """

    at: Ints
    cost: int
    bound: int


def prove(
    instance: Instance,
    at: Ints,
    bound: Bound,
    *,
    seed: int,
    time_limit_s: float | None,
    effort: float,
    change_at_most: int | None = None,
    threads: int = 1,
) -> Proof:
    """Look for a better assignment than ``at`` until there is none, or the time is over.

    Parameters
    ----------
    bound
        Prices near the best, and what they prove.
    time_limit_s
        Wall time; default: ``effort`` alone limits, the same on every machine.
    effort
        Deterministic time of CP-SAT, about seconds.
    """
    known = instance.price(at)
    if bound.value >= known:
        return Proof(at, known, known)
    margins = find_margins(instance, bound.worth, price_of_change=bound.price_of_change)
    least = bound.value - margins.slack[instance.member] + np.maximum(margins.reduced, 0)
    model, chosen = _model(instance, least < known, at, change_at_most)
    _require_less(model, instance, chosen, known)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = effort
    if time_limit_s is not None:
        solver.parameters.max_time_in_seconds = max(time_limit_s, 0.01)
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return Proof(at, known, known)
    raised = max(bound.value, min(known, int(np.ceil(solver.best_objective_bound - 1e-6))))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Proof(at, known, bound.value)
    found = np.full(instance.job_count, -1)
    for pair, literal in chosen.items():
        if solver.boolean_value(literal):
            found[instance.job[pair]] = pair
    cost = instance.price(found)
    return Proof(found, cost, cost if status == cp_model.OPTIMAL else min(raised, cost))


def _model(
    instance: Instance, may: Bools, at: Ints, change_at_most: int | None
) -> tuple[cp_model.CpModel, dict[int, cp_model.IntVar]]:
    """State the assignment along some of the pairs, with ``at`` as a hint."""
    model = cp_model.CpModel()
    chosen: dict[int, cp_model.IntVar] = {}
    for job in np.flatnonzero(instance.is_served):
        pairs = range(instance.first[job], instance.first[job + 1])
        own = {pair: model.new_bool_var("") for pair in pairs if may[pair]}
        model.add_exactly_one(own.values())
        chosen |= own
    for pair, literal in chosen.items():
        model.add_hint(literal, bool(at[instance.job[pair]] == pair))
    if change_at_most is not None:
        changes = [one for pair, one in chosen.items() if instance.is_change[pair]]
        model.add(cp_model.LinearExpr.sum(changes) <= change_at_most)
    return model, chosen


def _require_less(
    model: cp_model.CpModel, instance: Instance, chosen: dict[int, cp_model.IntVar], known: int
) -> None:
    """Add what members pay beyond their limits, and ask for less than a known cost."""
    literals, prices = list(chosen.values()), [int(instance.cost[pair]) for pair in chosen]
    by_member: dict[int, list[int]] = {}
    for pair in chosen:
        by_member.setdefault(int(instance.member[pair]), []).append(pair)
    fixed = 0
    for member, pairs in by_member.items():
        own = [chosen[pair] for pair in pairs]
        loads = [int(instance.load[pair]) for pair in pairs]
        room, most = int(instance.room[member]), int(instance.most[member])
        fixed += instance.per_load * max(-room, 0) + instance.per_job * max(-most, 0)
        for weights, limit, price in (
            (loads, max(room, 0), instance.per_load),
            ([1] * len(own), max(most, 0), instance.per_job),
        ):
            beyond = sum(weights) - limit
            if beyond > 0:
                over = model.new_int_var(0, beyond, "")
                model.add(cp_model.LinearExpr.weighted_sum(own, weights) - over <= limit)
                literals.append(over)
                prices.append(price)
    cost = cp_model.LinearExpr.weighted_sum(literals, prices)
    model.add(cost <= known - fixed - 1)
    model.minimize(cost + fixed)
