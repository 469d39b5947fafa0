"""The contact assignment by general solvers, on the same candidate pairs and in the same time."""

import time
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from gridsvc.contacts.solving.instance import Instance


@dataclass(frozen=True)
class PeerAnswer:
    """Cost and bound; NaN where there is none."""

    cost: float
    bound: float
    wall_s: float


def by_cp_sat(instance: Instance, *, time_limit_s: float) -> PeerAnswer:
    """State everything as booleans and let CP-SAT search on two threads."""
    started = time.monotonic()
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in instance.job]
    for first, stop in zip(instance.first[:-1], instance.first[1:], strict=True):
        if stop > first:
            model.add_exactly_one(chosen[first:stop])
    terms = list(chosen)
    prices = instance.cost.tolist()
    for member in range(instance.member_count):
        pairs = instance.member_pair[
            instance.member_first[member] : instance.member_first[member + 1]
        ]
        own = [chosen[pair] for pair in pairs]
        for weights, limit, price in (
            (instance.load[pairs].tolist(), int(instance.room[member]), instance.per_load),
            ([1] * len(own), int(instance.most[member]), instance.per_job),
        ):
            if sum(weights) > limit:
                over = model.new_int_var(0, sum(weights) - limit, "")
                model.add(cp_model.LinearExpr.weighted_sum(own, weights) - over <= limit)
                terms.append(over)
                prices.append(price)
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, prices))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(time_limit_s - (time.monotonic() - started), 1.0)
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    has_one = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return PeerAnswer(
        solver.objective_value if has_one else np.nan,
        solver.best_objective_bound,
        time.monotonic() - started,
    )


def by_highs(instance: Instance, *, time_limit_s: float) -> PeerAnswer:
    """State everything as a mixed-integer programme and let SciPy's HiGHS search."""
    started = time.monotonic()
    pairs, members = len(instance.job), instance.member_count
    columns, ones = np.arange(pairs), np.ones(pairs)
    served = np.flatnonzero(instance.is_served)
    whole = csr_array((ones, (instance.job, columns)), shape=(instance.job_count, pairs))[served]
    of_member = csr_array((ones, (instance.member, columns)), shape=(members, pairs))
    loads = csr_array((instance.load * 1.0, (instance.member, columns)), shape=(members, pairs))
    minus, nothing = -eye_array(members), csr_array((members, members))
    cost = np.concatenate(
        [instance.cost, np.full(members, instance.per_load), np.full(members, instance.per_job)]
    )
    answer = milp(
        cost,
        integrality=np.concatenate([ones, np.zeros(2 * members)]),
        bounds=Bounds(0, np.concatenate([ones, np.full(2 * members, np.inf)])),
        constraints=[
            LinearConstraint(
                csr_array(hstack([whole, csr_array((len(served), 2 * members))])), 1, 1
            ),
            LinearConstraint(csr_array(hstack([loads, minus, nothing])), -np.inf, instance.room),
            LinearConstraint(
                csr_array(hstack([of_member, nothing, minus])), -np.inf, instance.most
            ),
        ],
        options={"time_limit": time_limit_s},
    )
    cost_found = np.nan if answer.x is None else float(answer.fun)
    bound = np.nan if answer.mip_dual_bound is None else float(answer.mip_dual_bound)
    return PeerAnswer(cost_found, bound, time.monotonic() - started)
