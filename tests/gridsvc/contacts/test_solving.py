"""The inner parts of the contact solver against brute force and independent programmes."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridsvc.contacts import candidates as candidate_pairs
from gridsvc.contacts.candidates import find_candidates, incumbent_may_stay
from gridsvc.contacts.solver import NOBODY, ContactProblem, Policy, solve
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.gap import solve_gap
from gridsvc.contacts.solving.instance import Instance, instance_of, make_instance
from gridsvc.contacts.solving.knapsack import take_best
from gridsvc.contacts.solving.lagrange import Knapsacks, find_margins, raise_bound
from gridsvc.contacts.solving.pricing import find_missing
from tests.bench.contacts_samples import after_leaving, clustered_problem, read_gap_files
from tests.contact_problems import POLICY, may_serve, price_by_hand, problem_of, problems

INSTANCES = Path(__file__).parents[3] / "../shared/data/bench"
STRICT = Policy(mode="strict")


def instance_of_problem(problem: ContactProblem) -> Instance:
    return instance_of(problem, find_candidates(problem, POLICY), POLICY)


@settings(max_examples=100, deadline=None)
@given(draw=st.data())
def test_a_member_takes_the_most_profitable_jobs_of_all_subsets(draw: st.DataObject) -> None:
    size = draw.draw(st.integers(1, 8))
    row = st.lists(st.integers(0, 30), min_size=size, max_size=size)
    load = np.array(draw.draw(row))
    profit = np.array(draw.draw(st.lists(st.integers(-20, 200), min_size=size, max_size=size)))
    room, most = draw.draw(st.integers(0, 60)), draw.draw(st.integers(0, 5))
    per_load, per_job = draw.draw(st.integers(0, 20)), draw.draw(st.integers(0, 150))

    def gain(chosen: np.ndarray) -> int:
        over = per_load * max(int(load @ chosen) - room, 0) + per_job * max(chosen.sum() - most, 0)
        return int(profit @ chosen) - int(over)

    taken = np.array(draw.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)))
    found = take_best(
        np.array([0]), np.array([0, size]), np.arange(size), load, profit, np.array([room]),
        np.array([most]), per_load, per_job, taken,
    )  # fmt: skip
    assert found == max(gain(np.array(one)) for one in product([0, 1], repeat=size))
    assert found == gain(taken)


@settings(max_examples=40, deadline=None)
@given(problem=problems(most_grids=10, most_members=6), seed=st.integers(0, 9))
def test_annealing_and_settling_keep_the_books(problem: ContactProblem, seed: int) -> None:
    instance = instance_of_problem(problem)
    at = np.where(instance.is_served, instance.first[:-1], -1)
    jobs = np.flatnonzero(at >= 0)
    state, before = State(instance, at), instance.price(at)
    gained = state.anneal(
        jobs, instance.first, np.arange(len(instance.job)),
        np.zeros(instance.member_count, dtype=np.int64), turns=500, hot=3000.0, cold=10.0,
        seed=seed, changes_left=99,
    )  # fmt: skip
    gained += state.settle(changes_left=99)
    assert before - gained == instance.price(state.at)
    again = State(instance, state.at)
    assert again.carried.tolist() == state.carried.tolist()
    assert again.count.tolist() == state.count.tolist()
    assert (instance.job[state.at[jobs]] == jobs).all()


@settings(max_examples=40, deadline=None)
@given(problem=problems(most_grids=7, most_members=4))
def test_where_the_search_has_settled_no_shift_and_no_swap_is_cheaper(
    problem: ContactProblem,
) -> None:
    instance = instance_of_problem(problem)
    state = State(instance, np.where(instance.is_served, instance.first[:-1], -1))
    state.settle(changes_left=99)
    settled = instance.price(state.at)
    pairs = zip(instance.job, instance.member, strict=True)
    row = {(int(j), int(m)): e for e, (j, m) in enumerate(pairs)}
    member = {job: int(instance.member[pair]) for job, pair in enumerate(state.at) if pair >= 0}
    for (job, _), pair in row.items():
        shifted = state.at.copy()
        shifted[job] = pair
        assert instance.price(shifted) >= settled
    for one, two in product(member, member):
        if (one, member[two]) in row and (two, member[one]) in row:
            swapped = state.at.copy()
            swapped[one], swapped[two] = row[one, member[two]], row[two, member[one]]
            assert instance.price(swapped) >= settled


def complete_optimum(problem: ContactProblem) -> float:
    """Solve the divisible assignment along all allowed pairs, none left out."""
    pairs = [
        (grid, member)
        for grid, member in product(range(problem.grid_count), range(problem.member_count))
        if may_serve(problem, grid, member)
    ]
    served = sorted({grid for grid, _ in pairs})
    if not served:
        return 0.0
    cost = []
    for grid, member in pairs:
        alone = [NOBODY] * problem.grid_count
        alone[grid] = member
        empty = replace(
            problem,
            member_capacity_households=np.full(problem.member_count, 10**6),
            member_capacity_stairwells=np.full(problem.member_count, 99),
        )
        cost.append(price_by_hand(empty, alone) - POLICY.uncovered * (problem.grid_count - 1))
    members, count = problem.member_count, len(pairs)
    whole, loads, jobs = np.zeros((len(served), count)), *np.zeros((2, members, count))
    for column, (grid, member) in enumerate(pairs):
        whole[served.index(grid), column] = 1
        loads[member, column] = problem.grid_households[grid]
        jobs[member, column] = 1
    minus, nothing = -np.eye(members), np.zeros((members, members))
    answer = linprog(
        cost
        + [POLICY.overload_per_household] * members
        + [POLICY.overload_per_stairwell] * members,
        A_ub=np.vstack([np.hstack([loads, minus, nothing]), np.hstack([jobs, nothing, minus])]),
        b_ub=np.concatenate(
            [problem.member_capacity_households, problem.member_capacity_stairwells]
        ),
        A_eq=np.hstack([whole, np.zeros((len(served), 2 * members))]),
        b_eq=np.ones(len(served)),
    )
    assert answer.fun is not None
    return float(answer.fun)


@settings(max_examples=30, deadline=None)
@given(problem=problems(most_grids=9, most_members=7), worth=st.integers(0, 80_000))
def test_columns_bring_every_pair_that_could_lower_the_bound(
    problem: ContactProblem,
    worth: int,
) -> None:
    every = find_candidates(problem, POLICY)
    known = every.grid * problem.member_count + every.member
    served = np.unique(every.grid)
    # Of the pairs within the distance, leave the cheapest of each stairwell and today's contacts.
    is_own = every.member == problem.incumbent[every.grid]
    is_first = np.zeros(len(every), dtype=bool)
    is_first[every.first[served]] = True
    few = every.only((every.distance_m > problem.max_distance_m) | is_first | is_own)
    prices = np.full(problem.grid_count, worth)
    margins = find_margins(instance_of(problem, few, POLICY), prices)
    wider = find_missing(problem, POLICY, few, margins, prices)
    assert wider is not None
    assert set(wider.grid * problem.member_count + wider.member) <= set(known)
    with_all = Knapsacks(instance_of(problem, every, POLICY)).value(prices)
    assert Knapsacks(instance_of(problem, wider, POLICY)).value(prices) == with_all


def test_the_bound_of_a_sub_district_holds_for_pairs_that_are_no_candidates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Three candidates each by distance, of a problem taken as large: the rest must be priced.
    monkeypatch.setattr(candidate_pairs, "_SMALL", 0)
    monkeypatch.setattr(candidate_pairs, "NEAREST", 3)
    problem = clustered_problem(stairwells=90, members=30, seed=4)
    solution = solve(problem, iterations=20)
    assert solution.bound_is_global
    assert solution.counts["candidate_pairs"] < 90 * 30
    assert solution.bound <= solution.objective
    # The bound is that of prices, so it is near the divisible optimum of the complete graph.
    assert solution.bound >= 0.97 * complete_optimum(problem)


@settings(max_examples=30, deadline=None)
@given(problem=problems(), draw=st.data())
def test_pinned_members_lead_whatever_else_would_rule_them_out(
    problem: ContactProblem, draw: st.DataObject
) -> None:
    choice = st.integers(-1, problem.member_count - 1)
    pinned = draw.draw(st.lists(choice, min_size=problem.grid_count, max_size=problem.grid_count))
    solution = solve(replace(problem, pinned=np.array(pinned)), iterations=1)
    for grid, member in enumerate(pinned):
        if member >= 0:
            assert solution.member[grid] == member
    carried = np.bincount(solution.member[solution.member >= 0], minlength=problem.member_count)
    assert solution.load_stairwells.tolist() == carried.tolist()
    assert solution.bound <= solution.objective == price_by_hand(problem, solution.member.tolist())


@settings(max_examples=40, deadline=None)
@given(problem=problems(), change_at_most=st.integers(0, 3))
def test_no_more_contacts_are_replaced_than_the_budget_allows(
    problem: ContactProblem, change_at_most: int
) -> None:
    solution = solve(problem, iterations=1, change_at_most=change_at_most)
    stays = incumbent_may_stay(problem)
    replaced = int((stays & (solution.member != problem.incumbent)).sum())
    assert replaced == solution.counts["replaced"] <= change_at_most
    choices = [
        [m for m in range(problem.member_count) if may_serve(problem, grid, m)] or [NOBODY]
        for grid in range(problem.grid_count)
    ]
    best = min(
        price_by_hand(problem, list(one))
        for one in product(*choices)
        if (stays & (np.array(one) != problem.incumbent)).sum() <= change_at_most
    )
    assert solution.bound <= best <= solution.objective


def levels_by_hand(problem: ContactProblem, member: list[int]) -> tuple[int, ...]:
    """Price each wish of the strict order alone, straight from its words."""
    held = np.zeros((problem.member_count, 2), dtype=np.int64)
    party = place = churn = metres = 0
    for grid, one in enumerate(member):
        if one == NOBODY:
            continue
        held[one] += problem.grid_households[grid], 1
        party += not problem.member_is_party[one]
        apart = float(np.hypot(*(problem.grid_xy_m[grid] - problem.member_xy_m[one])))
        if problem.member_home_grid[one] == grid:
            place += 0
        elif problem.member_home_building[one] == problem.grid_building[grid]:
            place += 1
        elif problem.member_home_compound[one] == problem.grid_compound[grid]:
            place += 3
        else:
            place += 6 if apart <= 300 else 12
        churn += problem.incumbent[grid] not in (NOBODY, one)
        metres += min(int(apart), 999)
    over = np.maximum(held[:, 0] - problem.member_capacity_households, 0).sum()
    over += 50 * np.maximum(held[:, 1] - problem.member_capacity_stairwells, 0).sum()
    return int(over), party, place, churn, metres


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_the_strict_mode_is_first_in_the_order_of_wishes(problem: ContactProblem) -> None:
    solution = solve(problem, policy=STRICT, iterations=2)
    choices = [
        [m for m in range(problem.member_count) if may_serve(problem, grid, m)] or [NOBODY]
        for grid in range(problem.grid_count)
    ]
    best = min(levels_by_hand(problem, list(one)) for one in product(*choices))
    assert levels_by_hand(problem, solution.member.tolist()) == best
    reached = {level.name: level.reached for level in solution.levels}
    assert tuple(reached.values()) == best
    assert list(reached) == ["overload", "party", "place", "churn", "metres"]
    assert all(level.bound == level.reached for level in solution.levels)


def test_what_the_strict_mode_proves_of_each_level_holds() -> None:
    problem = clustered_problem(stairwells=130, members=60, seed=2)
    strict = solve(problem, policy=STRICT, iterations=4)
    longer = solve(problem, policy=STRICT, iterations=30, seed=1)
    for level, other in zip(strict.levels, longer.levels, strict=True):
        assert level.bound <= level.reached
        assert level.bound <= other.reached or other.reached > level.reached
        if other.reached != level.reached:
            break


def test_a_caller_can_stop_the_search_and_gets_an_answer() -> None:
    problem = clustered_problem(stairwells=150, members=80)
    asked = iter([True] * 5)
    solution = solve(problem, time_limit_s=60, go_on=lambda: next(asked, False))
    assert solution.counts["covered"] == 150
    assert solution.bound <= solution.objective
    assert sum(solution.stages_s.values()) < 30


def test_when_a_few_members_leave_few_others_are_replaced() -> None:
    problem = clustered_problem(stairwells=300, members=100, seed=1)
    today = solve(problem, iterations=10)
    after = solve(after_leaving(problem, today, share=0.02), iterations=10)
    assert after.counts["changed"] > after.counts["replaced"]
    assert after.counts["replaced"] <= 0.03 * 300


def brute_force_gap(cost: np.ndarray, load: np.ndarray, capacity: np.ndarray) -> int | None:
    members, jobs = cost.shape
    totals = []
    for one in product(range(members), repeat=jobs):
        chosen = np.array(one)
        carried = np.bincount(chosen, load[chosen, np.arange(jobs)], minlength=members)
        if (carried <= capacity).all():
            totals.append(int(cost[chosen, np.arange(jobs)].sum()))
    return min(totals, default=None)


@pytest.mark.parametrize("seed", range(4))
def test_small_instances_with_hard_capacities_are_solved(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost, load = random.integers(10, 50, (3, 7)), random.integers(5, 25, (3, 7))
    capacity = np.full(3, 40)
    best = brute_force_gap(cost, load, capacity)
    answer = solve_gap(cost, load, capacity, time_limit_s=0.5)
    assert answer.cost == (-1 if best is None else best)
    assert best is None or answer.bound <= best


def test_when_the_bound_takes_all_the_time_there_is_still_an_answer_within_the_capacities() -> None:
    random = np.random.default_rng(3)
    cost, load = random.integers(10, 50, (8, 60)), random.integers(5, 25, (8, 60))
    capacity = np.full(8, 140)
    answer = solve_gap(cost, load, capacity, time_limit_s=1e-3)
    assert answer.bound <= answer.cost
    carried = np.bincount(answer.member, load[answer.member, np.arange(60)], minlength=8)
    assert (carried <= capacity).all()


@pytest.mark.skipif(
    not INSTANCES.is_dir(), reason="the instances of ../shared/data/bench are not here"
)
def test_public_instances_are_bounded_truly_and_solved_nearly() -> None:
    for file in read_gap_files(INSTANCES):
        if file.cost.shape[1] > 200:
            continue
        answer = solve_gap(file.cost, file.load, file.capacity, time_limit_s=1)
        jobs = np.arange(file.cost.shape[1])
        carried = np.bincount(
            answer.member, file.load[answer.member, jobs], minlength=len(file.capacity)
        )
        assert (carried <= file.capacity).all()
        assert answer.cost == file.cost[answer.member, jobs].sum()
        assert answer.bound <= file.best_known
        assert answer.cost <= 1.03 * file.best_known
        assert answer.bound >= 0.995 * file.best_known


def test_the_price_of_a_bound_and_an_instance_without_pairs_is_nothing() -> None:
    empty = np.empty(0, dtype=np.int64)
    instance, _ = make_instance(
        job=empty, member=empty, cost=empty, load=empty, job_count=2, room=np.array([3]),
        most=np.array([1]), per_load=5, per_job=7,
    )  # fmt: skip
    bound = raise_bound(instance, np.zeros(2), known_cost=0, go_on=lambda _: True)
    assert bound.value == 0
    assert instance.price(np.array([-1, -1])) == 0


def test_problem_of_a_pin_beyond_the_members_is_named() -> None:
    with pytest.raises(Exception, match="pinned") as caught:
        problem_of(pinned=[0, 2, -1])
    assert "row 2 of 2" in str(caught.value)
