from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridsvc.contacts.candidates import Candidates, find_candidates
from gridsvc.contacts.solver import NOBODY, ContactProblem, Policy, nearest_neighbour, solve
from gridsvc.contacts.solving.instance import instance_of
from gridsvc.contacts.solving.lagrange import raise_bound
from gridsvc.contacts.solving.relaxation import relax
from gridsvc.errors import UnsoundProblemError
from tests.contact_problems import (
    POLICY,
    best_by_hand,
    may_serve,
    price_by_hand,
    problem_of,
    problems,
)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_bound_and_objective_enclose_the_best_of_all_assignments(problem: ContactProblem) -> None:
    solution = solve(problem, iterations=2)
    best = best_by_hand(problem)
    assert solution.bound <= best <= solution.objective
    assert solution.objective == price_by_hand(problem, solution.member.tolist())
    assert solution.gap == pytest.approx(
        (solution.objective - solution.bound) / max(solution.objective, 1)
    )


@settings(max_examples=50, deadline=None)
@given(problem=problems(), load=st.integers(0, 40))
def test_equal_stairwells_are_assigned_at_the_least_cost(
    problem: ContactProblem, load: int
) -> None:
    changed = {field: getattr(problem, field) for field in problem.__dataclass_fields__}
    changed["grid_households"] = np.full(problem.grid_count, load)
    equal = ContactProblem(**changed)
    solution = solve(equal, iterations=0)
    assert solution.objective == solution.bound == best_by_hand(equal)
    assert solution.gap == 0
    assert solution.bound_is_global


@settings(max_examples=50, deadline=None)
@given(problem=problems())
def test_every_stairwell_that_anybody_may_serve_is_covered_and_the_others_say_why(
    problem: ContactProblem,
) -> None:
    for solution in (solve(problem, iterations=5), nearest_neighbour(problem)):
        for grid in range(problem.grid_count):
            allowed = [m for m in range(problem.member_count) if may_serve(problem, grid, m)]
            if allowed:
                assert solution.member[grid] in allowed
                assert solution.uncovered_reason[grid] == ""
            else:
                assert solution.member[grid] == NOBODY
                assert solution.uncovered_reason[grid] != ""


def divided_optimum(problem: ContactProblem, candidates: Candidates, *, with_places: bool) -> float:
    """Solve the divisible assignment as a linear programme, independently of the flows."""
    members = problem.member_count
    served = np.flatnonzero(candidates.has_any)
    whole = (candidates.grid[None, :] == served[:, None]).astype(float)
    of_member = (candidates.member[None, :] == np.arange(members)[:, None]).astype(float)
    nothing, minus = np.zeros((members, members)), -np.eye(members)
    rows = [np.hstack([of_member * problem.grid_households[candidates.grid], minus, nothing])]
    limits = [problem.member_capacity_households]
    if with_places:
        rows.append(np.hstack([of_member, nothing, minus]))
        limits.append(problem.member_capacity_stairwells)
    answer = linprog(
        np.concatenate(
            [
                candidates.cost,
                np.full(members, POLICY.overload_per_household),
                np.full(members, POLICY.overload_per_stairwell),
            ]
        ),
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(limits),
        A_eq=np.hstack([whole, np.zeros((len(served), 2 * members))]),
        b_eq=np.ones(len(served)),
        method="highs",
    )
    assert answer.fun is not None
    return answer.fun


@settings(max_examples=50, deadline=None)
@given(problem=problems(most_grids=12, most_members=8))
def test_the_flow_bounds_the_linear_programme_closely_where_places_are_plenty(
    problem: ContactProblem,
) -> None:
    candidates = find_candidates(problem, POLICY)
    if not len(candidates):
        return
    relaxation = relax(problem, candidates, POLICY)
    with_places = divided_optimum(problem, candidates, with_places=True)
    if not relaxation.is_exact:
        # Rounding costs to 1/64 a household may take up to that much of each household.
        slack = problem.grid_households.sum() / 64 + 1
        assert relaxation.bound <= with_places + 1 + 1e-6 * with_places
        if not relaxation.toll.any():
            alone = divided_optimum(problem, candidates, with_places=False)
            assert alone - slack <= relaxation.bound <= alone + 1 + 1e-6 * alone


@settings(max_examples=50, deadline=None)
@given(problem=problems(most_grids=5, most_members=4), rounds=st.integers(1, 25))
def test_each_round_of_the_bound_is_valid(problem: ContactProblem, rounds: int) -> None:
    candidates = find_candidates(problem, POLICY)
    relaxation = relax(problem, candidates, POLICY)
    best = best_by_hand(problem) - POLICY.uncovered * int((~candidates.has_any).sum())
    instance = instance_of(problem, candidates, POLICY)
    bound = raise_bound(
        instance,
        relaxation.worth(instance),
        known_cost=2 * best + 1,
        go_on=lambda done: done < rounds,
    )
    assert bound.value <= best
    assert relaxation.bound <= best


def test_the_bound_rises_above_the_linear_programme_where_stairwells_do_not_fit() -> None:
    # Two members with room for 30, three stairwells of 20: divided they fit, whole they do not.
    problem = problem_of(
        grid_households=[20, 20, 19],
        member_capacity_households=[30, 30],
        member_capacity_stairwells=[3, 3],
    )
    candidates = find_candidates(problem, POLICY)
    solution = solve(problem, iterations=5)
    assert solution.bound > divided_optimum(problem, candidates, with_places=True)
    assert solution.objective == best_by_hand(problem)


def test_members_with_room_further_off_help_where_the_nearest_are_full() -> None:
    # Fifteen members by thirteen stairwells have no room; further off than those and further from
    # the stairwells than their nearest dozen, one more has.
    stairwells, crowd = 13, 15
    off = [[900 + i, 0] for i in range(12)]
    problem = problem_of(
        grid_xy_m=[[i, 5] for i in range(stairwells)] + off,
        grid_households=[30] * stairwells + [0] * 12,
        grid_building=range(25),
        grid_compound=range(25),
        incumbent=[-1] * 25,
        member_xy_m=[[i, 0] for i in range(crowd)] + [[905, 0]],
        member_capacity_households=[2] * crowd + [900],
        member_capacity_stairwells=[1] * crowd + [30],
        member_is_party=[True] * 16,
        member_available=[True] * 16,
        member_home_grid=[-1] * 16,
        member_home_building=[-1] * 16,
        member_home_compound=[-1] * 16,
    )
    solution = solve(problem, iterations=5)
    assert (solution.member[:stairwells] == 15).all()
    assert solution.overload_households.sum() == 0


def test_overload_is_spread_where_the_nearest_member_would_carry_all() -> None:
    places = [[i, 0] for i in range(6)]
    problem = problem_of(
        grid_xy_m=places,
        grid_households=[20, 21, 22, 23, 24, 25],
        grid_building=[1] * 6,
        grid_compound=[1] * 6,
        member_xy_m=[[0, 0], [200, 0]],
        member_capacity_households=[70, 70],
        member_home_grid=[-1, -1],
        incumbent=[-1] * 6,
    )
    nearest, balanced = nearest_neighbour(problem), solve(problem, iterations=5)
    assert nearest.counts["overload_households"] == 135 - 70
    assert balanced.counts["overload_households"] == 0
    assert balanced.load_stairwells.tolist() == [3, 3]


def test_a_party_member_further_off_comes_first_only_where_the_policy_says_so() -> None:
    problem = problem_of(member_is_party=[False, True], member_capacity_households=[60, 60])
    by_party = solve(problem, iterations=2)
    by_place = solve(problem, policy=Policy(party_first=False), iterations=2)
    assert by_party.member.tolist() == [1, 1, 1]
    assert by_place.member.tolist() == [0, 0, 1]
    assert by_place.tier.tolist() == [0, 1, 0]
    assert (by_party.counts["party"], by_place.counts["party"]) == (3, 1)


def test_more_stairwells_than_said_are_carried_rather_than_left_without_anybody() -> None:
    problem = problem_of(member_capacity_stairwells=[1, 1])
    solution = solve(problem, iterations=2)
    assert solution.counts["uncovered"] == 0
    assert solution.overload_stairwells.sum() == 1


def test_a_change_of_contact_has_its_price() -> None:
    # The second stairwell is a metre nearer to member 0, but member 1 is its contact today.
    changes: dict[str, Any] = {
        "grid_xy_m": [[0, 0], [49, 0], [100, 0]],
        "grid_building": [1, 2, 3],
        "member_home_building": [1, 3],
    }
    assert solve(problem_of(**changes), iterations=2).member.tolist() == [0, 0, 1]
    kept = solve(problem_of(**changes, incumbent=[0, 1, -1], member_capacity_households=[60, 60]))
    assert kept.member[1] == 1
    assert kept.counts["changed"] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"member_available": [False, False]}, "all_unavailable"),
        ({"member_capacity_stairwells": [0, 0]}, "full"),
        ({"excluded": [[g, m] for g in range(3) for m in range(2)]}, "excluded"),
        (
            {"member_xy_m": [[9e4, 0], [9e4, 0]], "member_home_compound": [-1, -1]}
            | {"member_home_building": [-1, -1]},
            "no_candidate",
        ),
    ],
)
def test_an_uncovered_stairwell_says_why(changes: dict[str, Any], reason: str) -> None:
    solution = solve(problem_of(**changes), iterations=1)
    assert solution.uncovered_reason.tolist() == [reason] * 3
    assert solution.objective == solution.bound == 3 * POLICY.uncovered


def test_the_same_seed_and_iterations_give_the_same_answer() -> None:
    random = np.random.default_rng(7)
    grids, members = 120, 60
    building = np.arange(grids) // 3
    problem = ContactProblem(
        grid_xy_m=random.uniform(0, 800, (grids, 2)),
        grid_households=random.integers(10, 41, grids),
        grid_building=building,
        grid_compound=building // 10,
        member_xy_m=random.uniform(0, 800, (members, 2)),
        member_capacity_households=random.integers(40, 90, members),
        member_capacity_stairwells=random.integers(1, 5, members),
        member_is_party=random.random(members) < 0.5,
        member_available=np.ones(members, dtype=bool),
        member_home_grid=np.full(members, -1),
        member_home_building=np.full(members, -1),
        member_home_compound=random.integers(0, 4, members),
        incumbent=np.full(grids, -1),
    )
    first, second = (solve(problem, seed=3, iterations=2) for _ in range(2))
    assert first.member.tolist() == second.member.tolist()
    assert (first.objective, first.bound) == (second.objective, second.bound)
    descent = solve(problem, seed=3, iterations=0)
    assert first.objective <= descent.objective


def test_nothing_to_assign_and_nobody_to_assign_are_answers() -> None:
    empty = problem_of(
        grid_xy_m=np.empty((0, 2)),
        grid_households=[],
        grid_building=[],
        grid_compound=[],
        incumbent=[],
        member_home_grid=[-1, -1],
    )
    solution = solve(empty)
    assert (solution.objective, solution.gap, len(solution.member)) == (0, 0.0, 0)
    nobody = problem_of(
        member_xy_m=np.empty((0, 2)),
        **{
            name: []
            for name in ContactProblem.__dataclass_fields__
            if name.startswith("member_") and name != "member_xy_m"
        },
    )
    assert solve(nobody).uncovered_reason.tolist() == ["no_candidate"] * 3
    assert nearest_neighbour(nobody).counts["uncovered"] == 3


def test_the_stages_are_reported() -> None:
    told: list[str] = []
    solve(problem_of(), iterations=1, progress=lambda stage, _done, _total: told.append(stage))
    stages = {"candidates", "relaxation", "bound", "prices", "search", "blocks"}
    assert {"candidates", "relaxation"} <= set(told) <= stages


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"grid_households": [1, 2]}, "grid_households", "shape"),
        ({"grid_households": [1, 2, -3]}, "grid_households", "negative"),
        ({"grid_households": [1, 2, 2.5]}, "grid_households", "int64"),
        ({"member_xy_m": [[0, np.nan], [1, 1]]}, "member_xy_m", "finite"),
        ({"incumbent": [0, 1, 2]}, "incumbent", "row 2 of 2"),
        ({"member_home_grid": [0, 3]}, "member_home_grid", "row 3 of 3"),
        ({"excluded": [[0, 5]]}, "excluded", "row 5 of 2"),
        ({"excluded": [0, 1]}, "excluded", "pairs"),
        ({"max_distance_m": 0}, "max_distance_m", "more than 0"),
    ],
)
def test_unsound_arrays_are_named(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(UnsoundProblemError, match=words) as caught:
        problem_of(**changes)
    assert caught.value.field == field
