"""Loading the compiled loops before a clock starts: from the cache a second, else half a minute."""

from functools import cache

import numpy as np

from gridsvc.contacts.candidates import find_candidates
from gridsvc.contacts.problem import NOBODY, ContactProblem, Policy
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.instance import instance_of
from gridsvc.contacts.solving.lagrange import find_margins
from gridsvc.contacts.solving.pricing import find_missing


@cache
def load_compiled() -> None:
    """Call each compiled loop once, on two stairwells and two members."""
    rows, policy = np.arange(2), Policy()
    problem = ContactProblem(
        grid_xy_m=np.zeros((2, 2)),
        grid_households=rows + 1,
        grid_building=rows,
        grid_compound=rows,
        member_xy_m=np.zeros((2, 2)),
        member_capacity_households=rows,
        member_capacity_stairwells=rows + 1,
        member_is_party=rows == 0,
        member_available=rows >= 0,
        member_home_grid=rows,
        member_home_building=rows,
        member_home_compound=rows,
        incumbent=np.full(2, NOBODY),
    )
    candidates = find_candidates(problem, policy)
    instance = instance_of(problem, candidates, policy)
    worth = np.full(2, policy.uncovered)
    find_missing(problem, policy, candidates, find_margins(instance, worth), worth)
    state = State(instance, candidates.first[:-1])
    every = np.arange(len(candidates))
    state.anneal(
        rows, instance.first, every, rows * 0, turns=9, hot=1.0, cold=1.0, seed=1, changes_left=9
    )
    state.reassign(rows, candidates.first[:-1])
    state.settle(changes_left=9)
