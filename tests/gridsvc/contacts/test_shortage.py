from functools import cache

import numpy as np
import pytest

from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution
from gridsvc.contacts.shortage import saving_of_one_more, shortages
from tests.gridsvc.contacts.hamlets import (
    best_plan,
    described,
    hamlets,
    price_table,
    rows_of,
    try_all,
    with_changes,
)

HAMLETS = 24


@cache
def planned() -> tuple[ContactProblem, ContactSolution]:
    problem = hamlets(count=HAMLETS, stairwells=5, members=4, seed=21)
    return problem, best_plan(problem)


def test_shortages_add_up_to_all_overload_and_all_that_is_uncovered() -> None:
    problem, solution = planned()
    told = shortages(problem, solution)
    bare = solution.member == NOBODY
    overload = solution.overload_households.sum() + problem.grid_households[bare].sum()
    places = solution.overload_stairwells.sum() + bare.sum()
    assert sum(one.households_short for one in told) == overload > 0
    assert sum(one.stairwells_short for one in told) == places > 0
    assert [one.compound for one in told] == sorted({one.compound for one in told})
    assert all(one.people_short > 0 for one in told)


def test_what_a_member_carries_too_much_is_shared_among_the_compounds_carried() -> None:
    problem, _ = planned()
    households = problem.grid_households
    member = np.full(problem.grid_count, NOBODY)
    member[[0, 5, 6]] = 2
    room = problem.member_capacity_households.copy()
    room[2] = 0
    told = shortages(
        (asked := with_changes(problem, member_capacity_households=room)), described(asked, member)
    )
    short = {one.compound: one.households_short for one in told}
    assert short[0] == households[:5].sum()
    assert short[1] == households[5:10].sum()


def test_people_short_carry_as_much_as_the_middle_member() -> None:
    problem, _ = planned()
    ten = np.full(problem.member_count, 10)
    asked = with_changes(
        problem,
        member_capacity_households=3 * ten,
        member_capacity_stairwells=ten,
        member_available=ten > 0,
        grid_households=np.full(problem.grid_count, 20),
    )
    nobody = described(asked, np.full(problem.grid_count, NOBODY))
    assert {one.people_short for one in shortages(asked, nobody)} == {-(-100 // 30)}


def with_newcomer(
    problem: ContactProblem, home: int, *, households: int, stairwells: int
) -> ContactProblem:
    """Add a Party member who lives in a stairwell."""
    return with_changes(
        problem,
        member_xy_m=np.vstack([problem.member_xy_m, problem.grid_xy_m[home]]),
        member_capacity_households=np.append(problem.member_capacity_households, households),
        member_capacity_stairwells=np.append(problem.member_capacity_stairwells, stairwells),
        member_is_party=np.append(problem.member_is_party, True),
        member_available=np.append(problem.member_available, True),
        member_home_grid=np.append(problem.member_home_grid, home),
        member_home_building=np.append(problem.member_home_building, problem.grid_building[home]),
        member_home_compound=np.append(problem.member_home_compound, problem.grid_compound[home]),
    )


def least_with_one_more(problem: ContactProblem, hamlet: int) -> int:
    """Try every home of one more member and every assignment."""
    grids, members = rows_of(problem, hamlet)
    costs = []
    for home in grids:
        asked = with_newcomer(problem, home, households=60, stairwells=3)
        everybody = [*members, problem.member_count]
        costs.append(try_all(asked, grids, everybody, price_table(asked, grids, everybody))[0])
    return min(costs)


def test_one_more_saves_at_most_what_the_best_of_all_homes_would_and_mostly_that() -> None:
    problem, solution = planned()
    exact = 0
    for hamlet in range(HAMLETS):
        grids, members = rows_of(problem, hamlet)
        now, _ = try_all(problem, grids, members, price_table(problem, grids, members))
        saving = saving_of_one_more(
            problem, solution, compound=hamlet, capacity_households=60, capacity_stairwells=3
        )
        possible = now - least_with_one_more(problem, hamlet)
        assert 0 <= saving.cost <= possible
        assert saving.home_grid in grids
        assert saving.stairwells <= 5
        exact += saving.cost == possible
    assert exact >= 0.8 * HAMLETS


def test_a_compound_without_stairwells_is_an_error() -> None:
    problem, solution = planned()
    with pytest.raises(ValueError, match="compound 77"):
        saving_of_one_more(problem, solution, compound=77)
