"""Solving the worst neighbourhoods again, exactly.

The gap between an assignment and the bound is a sum over members: what each one's jobs cost beyond
their worth, more than the member's best choice would. Where that is most, there is most to gain.

References
----------
Large neighbourhood search: P. Shaw, CP 1998, doi:10.1007/3-540-49481-2_30.
"""

from collections.abc import Callable

import numpy as np

from gridsvc.contacts.problem import Ints
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.exact import prove
from gridsvc.contacts.solving.instance import Instance
from gridsvc.contacts.solving.lagrange import Bound, Margins, raise_bound

_JOBS = 40
_EFFORT = 0.15
_ROUNDS = 30


def mend_worst(
    state: State,
    bound: Bound,
    margins: Margins,
    *,
    seed: int,
    go_on: Callable[[int], bool],
    change_at_most: int | None = None,
) -> int:
    """Solve blocks of about forty jobs again, each round the member with most to gain.

    Returns
    -------
    int
        Blocks solved.
    """
    instance = state.instance
    near = _neighbours(instance, margins)
    tired = np.zeros(instance.member_count, dtype=np.int64)
    done = 0
    while go_on(done):
        loss = _losses(state, margins) // (1 + 4 * tired)
        worst = int(loss.argmax())
        if loss[worst] <= 0:
            break
        members = _block(state, near, worst)
        tired[members] += 1
        _solve_block(state, bound, members, seed=seed + done, change_at_most=change_at_most)
        done += 1
    return done


def _losses(state: State, margins: Margins) -> Ints:
    """Return each member's share of the gap, shape (m,)."""
    instance = state.instance
    pair = state.at[state.at >= 0]
    over = np.maximum(state.carried - instance.room, 0)
    loss: Ints = (instance.per_load - margins.price) * over
    loss += margins.price * np.maximum(instance.room - state.carried, 0)
    beyond = np.maximum(state.count - instance.most, 0)
    loss += (instance.per_job - margins.toll) * beyond
    loss += margins.toll * np.maximum(instance.most - state.count, 0)
    np.add.at(loss, instance.member[pair], np.maximum(margins.reduced[pair], 0))
    return loss


def _neighbours(instance: Instance, margins: Margins) -> Ints:
    """Return each job's pairs by reduced cost, as an order of all pairs."""
    order: Ints = np.lexsort([margins.reduced, instance.job])
    return order


def _block(state: State, near: Ints, worst: int) -> Ints:
    """Return members round one, until they hold about forty jobs."""
    instance = state.instance
    members, queue, held = [worst], [worst], int(state.count[worst])
    seen = {worst}
    while queue and held < _JOBS:
        member = queue.pop(0)
        begin = instance.member_first[member]
        jobs = state.held[begin : begin + state.count[member]]
        if not len(jobs):
            pairs = instance.member_pair[begin : instance.member_first[member + 1]]
            jobs = instance.job[pairs[np.argsort(instance.cost[pairs], kind="stable")[:3]]]
        for job in jobs:
            for pair in near[instance.first[job] : instance.first[job + 1]][:6]:
                other = int(instance.member[pair])
                if other not in seen and held < _JOBS:
                    seen.add(other)
                    members.append(other)
                    queue.append(other)
                    held += int(state.count[other])
    return np.array(members)


def _solve_block(
    state: State, bound: Bound, members: Ints, *, seed: int, change_at_most: int | None
) -> None:
    """Free the jobs of these members and give them out again at least cost."""
    instance = state.instance
    is_inside = np.zeros(instance.member_count, dtype=bool)
    is_inside[members] = True
    placed = state.at >= 0
    free = np.zeros(instance.job_count, dtype=bool)
    free[placed] = is_inside[instance.member[state.at[placed]]]
    if not free.any():
        return
    block, pairs = instance.cut_out(np.flatnonzero(free), members)
    row = np.full(len(instance.job), -1)
    row[pairs] = np.arange(len(pairs))
    at = row[state.at[free]]
    left = None
    if change_at_most is not None:
        used = int(instance.is_change[state.at[placed & ~free]].sum())
        left = change_at_most - used
    prices = raise_bound(
        block,
        bound.worth[free].astype(np.float64),
        known_cost=block.price(at),
        go_on=lambda rounds: rounds < _ROUNDS,
    )
    proof = prove(
        block,
        at,
        prices,
        seed=seed,
        time_limit_s=None,
        effort=_EFFORT,
        change_at_most=left,
    )
    if proof.cost < block.price(at):
        state.reassign(np.flatnonzero(free), pairs[proof.at])
