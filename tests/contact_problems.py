"""Problems of contact assignment for tests, and their answers by hand."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gridsvc.contacts.solver import NOBODY, ContactProblem, Policy

POLICY = Policy()


def problem_of(**changes: Any) -> ContactProblem:
    """Two stairwells of one building and, 100 m off in the compound, a third; two members."""
    given_: dict[str, Any] = {
        "grid_xy_m": [[0, 0], [10, 0], [100, 0]],
        "grid_households": [10, 20, 30],
        "grid_building": [1, 1, 2],
        "grid_compound": [1, 1, 1],
        "member_xy_m": [[0, 0], [100, 0]],
        "member_capacity_households": [40, 40],
        "member_capacity_stairwells": [3, 3],
        "member_is_party": [True, True],
        "member_available": [True, True],
        "member_home_grid": [0, 2],
        "member_home_building": [1, 2],
        "member_home_compound": [1, 1],
        "incumbent": [-1, -1, -1],
    }
    return ContactProblem(**{**given_, **changes})


@st.composite
def problems(draw: st.DrawFn, *, most_grids: int = 5, most_members: int = 4) -> ContactProblem:
    grids = draw(st.integers(1, most_grids))
    members = draw(st.integers(1, most_members))

    def ints(count: int, low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    def bools(count: int) -> list[bool]:
        return draw(st.lists(st.booleans(), min_size=count, max_size=count))

    def places(count: int) -> list[list[int]]:
        return [ints(2, 0, 1500) for _ in range(count)]

    pairs = draw(
        st.lists(st.tuples(st.integers(0, grids - 1), st.integers(0, members - 1)), max_size=3)
    )
    return ContactProblem(
        grid_xy_m=np.array(places(grids)),
        grid_households=np.array(ints(grids, 0, 40)),
        grid_building=np.array(ints(grids, 0, 3)),
        grid_compound=np.array(ints(grids, 0, 1)),
        member_xy_m=np.array(places(members)),
        member_capacity_households=np.array(ints(members, 0, 60)),
        member_capacity_stairwells=np.array(ints(members, 0, 3)),
        member_is_party=np.array(bools(members)),
        member_available=np.array([one or draw(st.booleans()) for one in bools(members)]),
        member_home_grid=np.array(ints(members, -1, grids - 1)),
        member_home_building=np.array(ints(members, -1, 3)),
        member_home_compound=np.array(ints(members, -1, 1)),
        incumbent=np.array(ints(grids, -1, members - 1)),
        excluded=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        max_distance_m=draw(st.sampled_from([300.0, 900.0, 3000.0])),
    )


def price_by_hand(problem: ContactProblem, member: list[int]) -> int:
    """Price an assignment straight from the rules of the policy."""
    total = 0
    for grid, chosen in enumerate(member):
        if chosen == NOBODY:
            total += POLICY.uncovered
            continue
        x, y = problem.grid_xy_m[grid] - problem.member_xy_m[chosen]
        metres = float(np.hypot(x, y))
        if problem.member_home_grid[chosen] == grid:
            tier = 0
        elif problem.member_home_building[chosen] == problem.grid_building[grid]:
            tier = 1
        elif problem.member_home_compound[chosen] == problem.grid_compound[grid]:
            tier = 2
        else:
            tier = 3 if metres <= 300 else 4
        total += POLICY.tiers[tier] + int(min(metres, POLICY.metres_cap))
        total += 0 if problem.member_is_party[chosen] else POLICY.not_party
        total += POLICY.churn if problem.incumbent[grid] not in (NOBODY, chosen) else 0
    for chosen in range(problem.member_count):
        held = [grid for grid, one in enumerate(member) if one == chosen]
        households = int(problem.grid_households[held].sum())
        beyond = max(households - int(problem.member_capacity_households[chosen]), 0)
        total += POLICY.overload_per_household * beyond
        over = max(len(held) - int(problem.member_capacity_stairwells[chosen]), 0)
        total += POLICY.overload_per_stairwell * over
    return total


def may_serve(problem: ContactProblem, grid: int, member: int) -> bool:
    """Tell from the rules, not from the candidates, whether a pair is allowed."""
    if not problem.member_available[member] or problem.member_capacity_stairwells[member] == 0:
        return False
    if [grid, member] in problem.excluded.tolist():
        return False
    x, y = problem.grid_xy_m[grid] - problem.member_xy_m[member]
    shares_home = problem.grid_building[grid] == problem.member_home_building[member]
    shares_home |= problem.grid_compound[grid] == problem.member_home_compound[member]
    return bool(shares_home or np.hypot(x, y) <= problem.max_distance_m)


def best_by_hand(problem: ContactProblem) -> int:
    """Try every assignment."""
    choices = []
    for grid in range(problem.grid_count):
        allowed = [m for m in range(problem.member_count) if may_serve(problem, grid, m)]
        choices.append(allowed or [NOBODY])
    return min(price_by_hand(problem, list(one)) for one in product(*choices))
