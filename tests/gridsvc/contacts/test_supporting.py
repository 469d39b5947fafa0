from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.contacts.problem import NOBODY, ContactProblem, Ints
from gridsvc.contacts.solver import nearest_neighbour
from gridsvc.contacts.supporting import SupportingSolution, assign_supporting, short_by_compound
from tests.bench.contacts_samples import clustered_problem
from tests.gridsvc.contacts.hamlets import best_plan, hamlets, is_allowed, with_changes

Case = tuple[ContactProblem, Ints, int, int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Three stairwells, three members who live there and one beyond; now and then no lead."""
    problem = hamlets(count=1, stairwells=3, members=3, seed=draw(st.integers(0, 10_000)))
    problem = with_changes(
        problem,
        member_capacity_households=problem.member_capacity_households // draw(st.integers(1, 4)),
        pinned=np.full(3, NOBODY),
    )
    lead = best_plan(problem).member.copy()
    if draw(st.booleans()):
        lead[draw(st.integers(0, 2))] = NOBODY
    return problem, lead, draw(st.integers(3, 12)), draw(st.integers(1, 4))


def room_left(problem: ContactProblem, lead: Ints, share: int) -> tuple[Ints, Ints]:
    """Return what households and stairwells each member could still take beside those led."""
    room = problem.member_capacity_households.copy()
    places = problem.member_capacity_stairwells.copy()
    for grid, member in enumerate(lead):
        if member >= 0:
            room[member] -= min(problem.grid_households[grid], share)
            places[member] -= 1
    return np.maximum(room, 0), np.maximum(places, 0)


def least_short(case: Case) -> int:
    """Try every choice of who helps where; what then fits is the least cut (max-flow min-cut)."""
    problem, lead, share, at_most = case
    room, places = room_left(problem, lead, share)
    members = range(problem.member_count)
    led = lead >= 0
    need = problem.grid_households - np.where(led, np.minimum(problem.grid_households, share), 0)
    choices = []
    for grid in range(problem.grid_count):
        may = [m for m in members if is_allowed(problem, grid, m) and m != lead[grid]]
        most = min(at_most - int(led[grid]), len(may))
        choices.append(list(combinations(may, most)) if most > 0 else [()])
    served = 0
    for chosen in product(*choices):
        taken = np.bincount([m for one in chosen for m in one], minlength=len(members))
        # Of a member with too few places, every choice of stairwells to let go.
        for kept in _within_places(chosen, taken, places):
            served = max(served, _fits(kept, need, room, share))
    return int(need.sum()) - served


def _within_places(
    chosen: tuple[tuple[int, ...], ...], taken: Ints, places: Ints
) -> list[tuple[tuple[int, ...], ...]]:
    over = np.flatnonzero(taken > places)
    if not len(over):
        return [chosen]
    member = int(over[0])
    found = []
    for row, one in enumerate(chosen):
        if member in one:
            fewer = tuple(m for m in one if m != member)
            less = (*chosen[:row], fewer, *chosen[row + 1 :])
            count = taken.copy()
            count[member] -= 1
            found += _within_places(less, count, places)
    return found


def _fits(chosen: tuple[tuple[int, ...], ...], need: Ints, room: Ints, share: int) -> int:
    helpers = sorted({member for one in chosen for member in one})
    least = int(need.sum())
    for size in range(len(helpers) + 1):
        for cut in combinations(helpers, size):
            through = [
                min(int(need[row]), share * len(set(one) - set(cut)))
                for row, one in enumerate(chosen)
            ]
            least = min(least, int(room[list(cut)].sum()) + sum(through))
    return least


def assert_kept(case: Case, answer: SupportingSolution) -> None:
    """Check every rule of an answer from the rules."""
    problem, lead, share, at_most = case
    room, places = room_left(problem, lead, share)
    households = np.zeros(problem.member_count, dtype=np.int64)
    stairwells = np.zeros(problem.member_count, dtype=np.int64)
    served = answer.lead_households + answer.short_households
    people = (lead >= 0).astype(int)
    links = list(zip(answer.grid, answer.member, answer.households, strict=True))
    for grid, member, count in links:
        assert 0 < count <= share
        assert is_allowed(problem, int(grid), int(member))
        assert member != lead[grid]
        households[member] += count
        stairwells[member] += 1
        served[grid] += count
        people[grid] += 1
    assert len({(grid, member) for grid, member, _ in links}) == len(links)
    assert (served == problem.grid_households).all()
    assert (answer.short_households >= 0).all()
    assert (people <= at_most).all()
    assert (households <= room).all()
    assert (stairwells <= places).all()


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_every_rule_is_kept_and_no_answer_leaves_fewer_than_the_bound(case: Case) -> None:
    problem, lead, share, at_most = case
    answer = assign_supporting(problem, lead, households_per_contact=share, at_most=at_most)
    assert_kept(case, answer)
    assert answer.short_at_least <= least_short(case) <= answer.short_households.sum()


@cache
def tried() -> tuple[int, int, int, int]:
    """Count over small cases: cases, those at the least, households left, and the fewest."""
    count, exact, left, fewest = 0, 0, 0, 0
    for seed in range(150):
        problem = hamlets(count=1, stairwells=3, members=3, seed=seed)
        problem = with_changes(
            problem,
            member_capacity_households=problem.member_capacity_households // (1 + seed % 7),
            pinned=np.full(3, NOBODY),
        )
        case = (problem, best_plan(problem).member, 4 + seed % 7, 2 + seed % 3)
        answer = assign_supporting(
            problem, case[1], households_per_contact=case[2], at_most=case[3]
        )
        best, short = least_short(case), int(answer.short_households.sum())
        count, exact = count + 1, exact + (best == short)
        left, fewest = left + short, fewest + best
    return count, exact, left, fewest


def test_in_nearly_all_small_cases_nobody_leaves_fewer_households() -> None:
    count, exact, left, fewest = tried()
    assert exact >= 0.95 * count
    assert left <= 1.01 * fewest


@pytest.mark.parametrize("members", [1_000, 700])
def test_in_a_town_the_shortage_is_proven_least_and_the_same_every_time(members: int) -> None:
    problem = clustered_problem(stairwells=2_000, members=members)
    lead = nearest_neighbour(problem).member
    answer, again = (assign_supporting(problem, lead) for _ in range(2))
    assert answer.short_at_least <= answer.short_households.sum()
    assert answer.short_households.sum() <= 1.002 * answer.short_at_least
    for name in ("grid", "member", "households", "short_households"):
        assert (getattr(answer, name) == getattr(again, name)).all()
    order = np.lexsort([answer.member, answer.distance_m, answer.tier, answer.grid])
    assert (order == np.arange(len(order))).all()
    by_compound = short_by_compound(problem, answer.short_households)
    assert sum(by_compound.values()) == answer.short_households.sum()
    assert min(by_compound.values(), default=1) > 0


def line_of(households: list[int], **changes: object) -> ContactProblem:
    """Stairwells in a row, ten metres apart, the lead of all at the first, others further on."""
    count = len(households)
    members = 5
    given_: dict[str, object] = {
        "grid_xy_m": [[10.0 * i, 0.0] for i in range(count)],
        "grid_households": households,
        "grid_building": [1] * count,
        "grid_compound": [1] * count,
        "member_xy_m": [[100.0 * i, 0.0] for i in range(members)],
        "member_capacity_households": [100] * members,
        "member_capacity_stairwells": [5] * members,
        "member_is_party": [True] * members,
        "member_available": [True] * members,
        "member_home_grid": [-1] * members,
        "member_home_building": [-1] * members,
        "member_home_compound": [1] * members,
        "incumbent": [-1] * count,
    }
    return ContactProblem(**{**given_, **changes})  # type: ignore[arg-type]


def test_the_lead_answers_for_fifteen_and_the_nearest_members_for_the_rest() -> None:
    answer = assign_supporting(line_of([40]), np.array([0]))
    assert answer.lead_households.tolist() == [15]
    assert answer.member.tolist() == [1, 2]
    assert answer.households.tolist() == [15, 10]
    assert answer.short_households.tolist() == [0]


def test_a_stairwell_has_at_most_four_people_and_the_rest_is_short() -> None:
    answer = assign_supporting(line_of([70]), np.array([0]))
    assert len(answer.member) == 3
    assert answer.short_households.tolist() == [10] == [answer.short_at_least]
    without_lead = assign_supporting(line_of([70]), np.array([NOBODY]))
    assert len(without_lead.member) == 4
    assert without_lead.short_households.tolist() == [10]


def test_a_small_stairwell_needs_nobody_beside_its_lead() -> None:
    answer = assign_supporting(line_of([15, 0]), np.array([0, 0]))
    assert (len(answer.grid), answer.short_households.sum()) == (0, 0)


def test_who_is_excluded_away_or_full_supports_nobody() -> None:
    problem = line_of(
        [30],
        excluded=[[0, 1]],
        member_available=[True, True, False, True, True],
        member_capacity_households=[100, 100, 100, 0, 100],
    )
    assert assign_supporting(problem, np.array([0])).member.tolist() == [4]


def test_nobody_left_is_a_shortage_and_no_error() -> None:
    problem = line_of([30, 20], member_capacity_stairwells=[2, 0, 0, 0, 0])
    answer = assign_supporting(problem, np.array([0, 0]))
    assert answer.short_households.tolist() == [15, 5]
    assert answer.short_at_least == 20
    assert short_by_compound(problem, answer.short_households) == {1: 20}


@pytest.mark.parametrize("wrong", [{"households_per_contact": 0}, {"at_most": 0}])
def test_numbers_that_make_no_sense_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        assign_supporting(line_of([30]), np.array([0]), **wrong)
