from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gridsvc.contacts.explaining import Explanation, explain
from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Policy
from gridsvc.contacts.solver import solve
from tests.gridsvc.contacts.hamlets import (
    POLICY,
    best_plan,
    described,
    hamlets,
    pair_price,
    place_price,
    price_table,
    rows_of,
    try_all,
    with_changes,
)

KINDS = (
    "excluded",
    "unavailable",
    "too_far",
    "takes_none",
    "full",
    "would_change",
    "pinned",
    "further",
    "lower_tier",
    "not_party",
)
ENOUGH = 50


@cache
def explained() -> tuple[ContactProblem, ContactSolution, dict[str, list[Explanation]]]:
    """Many hamlets, their best plan and all explanations by kind."""
    problem = hamlets(count=500, stairwells=5, members=5, seed=5)
    solution = best_plan(problem)
    by_kind: dict[str, list[Explanation]] = defaultdict(list)
    for told in explain(problem, solution, grids=np.arange(problem.grid_count)):
        by_kind[told.why_not].append(told)
    return problem, solution, by_kind


def put(array: NDArray[Any], row: int, value: object) -> NDArray[Any]:
    """Return a copy with one value replaced."""
    copy = array.copy()
    copy[row] = value
    return copy


def with_room(
    problem: ContactProblem, solution: ContactSolution, told: Explanation
) -> ContactProblem:
    """Give a member room for a stairwell beside those held in the plan."""
    member, room = told.next_best, problem.member_capacity_households
    most = problem.member_capacity_stairwells
    need = solution.load_households[member] + problem.grid_households[told.grid]
    more = solution.load_stairwells[member] + 1
    return with_changes(
        problem,
        member_capacity_households=put(room, member, max(int(room[member]), int(need))),
        member_capacity_stairwells=put(most, member, max(int(most[member]), int(more))),
    )


def without_price(problem: ContactProblem, told: Explanation) -> int:
    """Price the pair without the reason; where that would make a tie, a unit less."""
    price = pair_price(problem, told.grid, told.next_best)
    if told.why_not == "not_party":
        return price - POLICY.not_party - 1
    if told.why_not == "would_change":
        return price - POLICY.churn
    if told.why_not in ("further", "lower_tier"):
        own = place_price(problem, told.grid, told.member)
        return price - place_price(problem, told.grid, told.next_best) + own - 1
    return price


def solve_again(
    problem: ContactProblem,
    told: Explanation,
    *,
    price: int | None = None,
    room_of: ContactProblem | None = None,
) -> tuple[int, int]:
    """Try all assignments of the hamlet; return the least cost and who has the stairwell then.

    ``price`` is what the stairwell costs with the next best, and ``room_of`` has the capacities;
    None: as they are.
    """
    grids, members = rows_of(problem, int(problem.grid_compound[told.grid]))
    table = price_table(problem, grids, members)
    row = grids.index(told.grid)
    if price is not None:
        table[row, members.index(told.next_best)] = price
    cost, chosen = try_all(room_of or problem, grids, members, table)
    return cost, int(chosen[row])


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_reason_each_of_fifty_stairwells_goes_to_the_next_best(kind: str) -> None:
    problem, solution, by_kind = explained()
    assert len(by_kind[kind]) >= ENOUGH
    for told in by_kind[kind][:ENOUGH]:
        cost_now, chosen_now = solve_again(problem, told)
        assert chosen_now == told.member
        is_full = kind in ("full", "takes_none")
        room_of = with_room(problem, solution, told) if is_full else problem
        price = None if kind == "full" else without_price(problem, told)
        cost, chosen = solve_again(problem, told, price=price, room_of=room_of)
        assert cost <= cost_now - told.saved_without < cost_now
        assert kind == "full" or chosen == told.next_best


def opened(problem: ContactProblem, solution: ContactSolution, told: Explanation) -> ContactProblem:
    """Take the reason out of the question altogether, not for this stairwell alone."""
    grid, member = told.grid, told.next_best
    if told.why_not == "unavailable":
        return with_changes(problem, member_available=put(problem.member_available, member, True))
    if told.why_not == "too_far":
        return with_changes(problem, max_distance_m=told.next_distance_m + 0.01)
    if told.why_not == "would_change":
        return with_changes(problem, incumbent=put(problem.incumbent, grid, NOBODY))
    if told.why_not == "pinned":
        return with_changes(problem, pinned=put(problem.pinned, grid, NOBODY))
    return with_room(problem, solution, told)


@pytest.mark.parametrize(
    "kind", ["unavailable", "too_far", "takes_none", "full", "would_change", "pinned"]
)
def test_where_the_reason_falls_for_others_too_it_costs_less_and_most_often_the_contact_changes(
    kind: str,
) -> None:
    problem, solution, by_kind = explained()
    moved = 0
    for told in by_kind[kind][:ENOUGH]:
        cost_now, _ = solve_again(problem, told)
        cost, chosen = solve_again(opened(problem, solution, told), told)
        assert cost <= cost_now - told.saved_without
        moved += chosen != told.member
    assert moved >= 0.7 * ENOUGH


def test_where_nothing_alone_stands_in_the_way_the_next_best_costs_more_at_most_as_said() -> None:
    problem, _, by_kind = explained()
    told = [one for one in by_kind["none"] if one.next_best != NOBODY]
    told = [one for one in told if problem.pinned[one.grid] == NOBODY]
    assert len(told) >= ENOUGH
    exact = 0
    for one in told[:ENOUGH]:
        cost_now, _ = solve_again(problem, one)
        pin = put(problem.pinned, one.grid, one.next_best)
        cost, _ = solve_again(with_changes(problem, pinned=pin), one)
        assert one.saved_without == 0
        assert one.costlier_by is not None
        assert one.costlier_by >= cost - cost_now >= 0
        exact += one.costlier_by == cost - cost_now
    assert exact >= 0.6 * ENOUGH


def test_an_explanation_has_the_figures_of_the_plan() -> None:
    problem, solution, by_kind = explained()
    for told in (one for kind in by_kind.values() for one in kind[:20]):
        assert told.member == solution.member[told.grid]
        assert told.tier == solution.tier[told.grid]
        if told.member == NOBODY:
            assert (told.load_households, told.capacity_stairwells) == (0, 0)
            assert np.isnan(told.distance_m)
            assert told.costlier_by is None
            continue
        held = solution.member == told.member
        assert told.load_households == problem.grid_households[held].sum()
        assert told.load_stairwells == held.sum()
        assert told.capacity_households == problem.member_capacity_households[told.member]
        assert told.capacity_stairwells == problem.member_capacity_stairwells[told.member]
        apart = problem.grid_xy_m[told.grid] - problem.member_xy_m[told.member]
        assert told.distance_m == pytest.approx(np.hypot(*apart))


def test_asking_for_one_compound_tells_the_same_as_asking_for_all() -> None:
    problem, solution, by_kind = explained()
    everything = {one.grid: one for kind in by_kind.values() for one in kind}
    grids = np.flatnonzero(problem.grid_compound == 17)
    for told in explain(problem, solution, grids=grids):
        other = everything[told.grid]
        assert (told.next_best, told.why_not) == (other.next_best, other.why_not)
        assert told.saved_without == other.saved_without


def test_an_uncovered_stairwell_is_covered_without_the_reason_told() -> None:
    problem, solution, by_kind = explained()
    bare = [one for kind in by_kind.values() for one in kind if one.member == NOBODY]
    assert len(bare) > 10
    for told in bare:
        if told.why_not == "none":
            assert (told.next_best, told.saved_without) == (NOBODY, 0)
            continue
        assert told.why_not in ("excluded", "unavailable", "takes_none", "too_far")
        cost_now, _ = solve_again(problem, told)
        room_of = with_room(problem, solution, told) if told.why_not == "takes_none" else None
        price = pair_price(problem, told.grid, told.next_best)
        cost, chosen = solve_again(problem, told, price=price, room_of=room_of)
        assert chosen == told.next_best
        assert cost <= cost_now - told.saved_without < cost_now


def test_where_the_budget_of_changes_is_spent_that_is_the_reason() -> None:
    # Member 1 lives in the stairwell, member 0 a compound further, and is the contact today.
    arrays: dict[str, Any] = {
        "grid_xy_m": [[0.0, 0.0]],
        "grid_households": [10],
        "grid_building": [1],
        "grid_compound": [1],
        "member_xy_m": [[900.0, 0.0], [0.0, 0.0]],
        "member_capacity_households": [40, 40],
        "member_capacity_stairwells": [2, 2],
        "member_is_party": [True, True],
        "member_available": [True, True],
        "member_home_grid": [-1, 0],
        "member_home_building": [-1, 1],
        "member_home_compound": [2, 1],
        "incumbent": [0],
    }
    problem = ContactProblem(**arrays)
    kept = described(problem, np.array([0]))
    (told,) = explain(problem, kept, grids=np.array([0]), change_at_most=0)
    assert (told.next_best, told.why_not) == (1, "would_change")
    assert told.saved_without == POLICY.tiers[4] + 900
    (free,) = explain(problem, kept, grids=np.array([0]), change_at_most=1)
    assert (free.why_not, free.next_best) == ("none", 1)
    assert free.costlier_by == POLICY.churn - POLICY.tiers[4] - 900


def test_a_strict_plan_is_explained_by_its_own_weights() -> None:
    problem = hamlets(count=10, stairwells=5, members=4, seed=9)
    solution = solve(problem, policy=Policy(mode="strict"), iterations=2)
    told = explain(problem, solution, grids=np.arange(problem.grid_count))
    assert len({one.why_not for one in told}) > 5
    assert all((one.saved_without > 0) == (one.why_not != "none") for one in told)


def test_where_nobody_is_there_nobody_is_named() -> None:
    problem = hamlets(count=1, stairwells=3, members=2, seed=1)
    nobody = {
        name: getattr(problem, name)[:0]
        for name in ContactProblem.__dataclass_fields__
        if name.startswith("member_") or name == "excluded"
    }
    alone = np.full(3, NOBODY)
    asked = with_changes(problem, **nobody, pinned=alone, incumbent=alone)
    told = explain(asked, described(asked, alone), grids=np.arange(3))
    assert [(one.member, one.next_best, one.why_not) for one in told] == [(-1, -1, "none")] * 3


def test_nothing_asked_is_nothing_told() -> None:
    problem, solution, _ = explained()
    assert explain(problem, solution, grids=np.empty(0, dtype=np.int64)) == []
