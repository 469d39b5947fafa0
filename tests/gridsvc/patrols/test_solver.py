from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import UnsoundProblemError
from gridsvc.patrols.solver import (
    UNREACHABLE_S,
    PatrolProblem,
    PatrolSolution,
    solve,
    whole_seconds,
)


def problem_of(**changes: Any) -> PatrolProblem:
    """Three stops on a line, 100 s apart, the post at its west end; one team with 1,000 s."""
    places = np.array([100, 200, 300, 0])
    given_: dict[str, Any] = {
        "matrix_s": np.abs(places[:, None] - places[None, :]),
        "prizes": [5, 7, 9],
        "service_s": [60, 60, 60],
        "required": [False, False, False],
        "team_start": [3],
        "team_end": [3],
        "shift_start_s": [0],
        "shift_end_s": [1000],
    }
    return PatrolProblem(**{**given_, **changes})


@st.composite
def problems(draw: st.DrawFn) -> PatrolProblem:
    stops, teams = draw(st.integers(0, 5)), draw(st.integers(0, 2))
    posts = 2

    def ints(count: int, low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    places = np.array([ints(2, 0, 300) for _ in range(stops + posts)])
    metres = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    # One place may be cut off from all others.
    island = draw(st.integers(-1, stops + posts - 1))
    if island >= 0 and draw(st.booleans()):
        metres[island, :] = metres[:, island] = np.inf
        metres[island, island] = 0
    opens = np.array(ints(stops, 0, 900), dtype=np.int64)
    windows = np.column_stack([opens, opens + np.array(ints(stops, 0, 600), dtype=np.int64)])
    start = np.array(ints(teams, 0, 400), dtype=np.int64)
    return PatrolProblem(
        matrix_s=whole_seconds(metres),
        prizes=np.array(ints(stops, 0, 20), dtype=np.int64),
        service_s=np.array(ints(stops, 0, 200), dtype=np.int64),
        required=np.array(ints(stops, 0, 1), dtype=bool) & draw(st.booleans()),
        windows_s=windows if draw(st.booleans()) else None,
        team_start=np.array(ints(teams, stops, stops + posts - 1), dtype=np.int64),
        team_end=np.array(ints(teams, stops, stops + posts - 1), dtype=np.int64),
        shift_start_s=start,
        shift_end_s=start + np.array(ints(teams, 0, 1200), dtype=np.int64),
    )


def end_by_hand(problem: PatrolProblem, team: int, stops: tuple[int, ...]) -> int | None:
    """Walk a route by the rules; None where it breaks one."""
    if not stops:
        return int(problem.shift_start_s[team])
    now, place = int(problem.shift_start_s[team]), int(problem.team_start[team])
    for stop in stops:
        if problem.matrix_s[place, stop] >= UNREACHABLE_S:
            return None
        now += int(problem.matrix_s[place, stop])
        if problem.windows_s is not None:
            opens, closes = problem.windows_s[stop].tolist()
            if now > closes:
                return None
            now = max(now, opens)
        now += int(problem.service_s[stop])
        place = stop
    last = int(problem.matrix_s[place, problem.team_end[team]])
    now += last
    return None if last >= UNREACHABLE_S or now > problem.shift_end_s[team] else now


def best_by_hand(problem: PatrolProblem) -> tuple[int, int]:
    """Try every set of routes: most required stops, then most prize."""
    best_of_team = []
    for team in range(problem.team_count):
        feasible = set()
        for size in range(problem.stop_count + 1):
            for order in permutations(range(problem.stop_count), size):
                if end_by_hand(problem, team, order) is not None:
                    feasible.add(frozenset(order))
        best_of_team.append(feasible)
    unions: set[frozenset[int]] = {frozenset()}
    for feasible in best_of_team:
        unions = {one | other for one in unions for other in feasible}

    def value(stops: frozenset[int]) -> tuple[int, int]:
        chosen = sorted(stops)
        return int(problem.required[chosen].sum()), int(problem.prizes[chosen].sum())

    return max(value(union) for union in unions)


def check_routes(problem: PatrolProblem, solution: PatrolSolution) -> None:
    visited = [stop for route in solution.routes for stop in route.stops.tolist()]
    left = [one.stop for one in solution.left_out]
    assert sorted(visited + left) == list(range(problem.stop_count))
    for team, route in enumerate(solution.routes):
        stops = tuple(route.stops.tolist())
        assert route.team == team
        assert route.end_s == end_by_hand(problem, team, stops)
        places = [problem.team_start[team], *stops, problem.team_end[team]]
        legs = [int(problem.matrix_s[a, b]) for a, b in pairwise(places)]
        assert route.walk_s == (sum(legs) if stops else 0)
        leaves = [int(problem.shift_start_s[team]), *route.departure_s.tolist()]
        assert (
            route.arrival_s.tolist()
            == [left_at + leg for left_at, leg in zip(leaves, legs[:-1], strict=False)][
                : len(stops)
            ]
        )
    assert solution.prize == int(problem.prizes[visited].sum()) if visited else True
    assert solution.prize == sum(route.prize for route in solution.routes)
    assert solution.walk_s == sum(route.walk_s for route in solution.routes)


@settings(max_examples=120, deadline=None)
@given(problem=problems())
def test_routes_keep_every_time_and_never_beat_the_best_of_all(problem: PatrolProblem) -> None:
    solution = solve(problem, iterations=30)
    check_routes(problem, solution)
    met = int(problem.required.sum()) - solution.required_left_out
    assert (met, solution.prize) <= best_by_hand(problem)


@settings(max_examples=120, deadline=None)
@given(problem=problems())
def test_every_reason_for_leaving_a_stop_out_is_true(problem: PatrolProblem) -> None:
    solution = solve(problem, iterations=10)
    worth = problem.prizes + (problem.prizes.sum() + 1) * problem.required
    teams = range(problem.team_count)
    for one in solution.left_out:
        alone = [end_by_hand(problem, team, (one.stop,)) is not None for team in teams]
        ways = [
            problem.matrix_s[problem.team_start[team], one.stop] < UNREACHABLE_S
            and problem.matrix_s[one.stop, problem.team_end[team]] < UNREACHABLE_S
            for team in teams
        ]
        trips = [
            int(problem.matrix_s[problem.team_start[team], one.stop])
            + int(problem.service_s[one.stop])
            + int(problem.matrix_s[one.stop, problem.team_end[team]])
            for team in teams
        ]
        shifts = (problem.shift_end_s - problem.shift_start_s).tolist()
        at_any_hour = [w and t <= s for w, t, s in zip(ways, trips, shifts, strict=True)]
        assert one.required == bool(problem.required[one.stop])
        assert any(alone) == (one.reason == "traded")
        if one.reason == "traded":
            for team, route in enumerate(solution.routes):
                stops = route.stops.tolist()
                for at in range(len(stops) + 1):
                    inserted = (*stops[:at], one.stop, *stops[at:])
                    assert end_by_hand(problem, team, inserted) is None
            stops = solution.routes[one.team].stops.tolist()
            at = stops.index(one.instead_of[0])
            assert tuple(stops[at : at + len(one.instead_of)]) == one.instead_of
            replaced = (*stops[:at], one.stop, *stops[at + len(one.instead_of) :])
            assert end_by_hand(problem, one.team, replaced) is not None
            assert worth[list(one.instead_of)].sum() >= worth[one.stop]
        elif one.reason == "no_team":
            assert problem.team_count == 0
        elif one.reason == "unreachable":
            assert problem.team_count
            assert not any(ways)
        elif one.reason == "too_far":
            assert any(ways)
            assert not any(at_any_hour)
            assert one.needed_s > one.shift_s
        else:
            assert one.reason == "window"
            assert any(at_any_hour)
            assert problem.windows_s is not None


def test_small_problems_are_solved_within_a_percent_of_the_best() -> None:
    random = np.random.default_rng(1)
    found, best = 0, 0
    for _ in range(25):
        places = random.uniform(0, 400, (8, 2))
        metres = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
        problem = PatrolProblem(
            matrix_s=whole_seconds(metres),
            prizes=random.integers(1, 30, 6),
            service_s=random.integers(10, 100, 6),
            required=np.zeros(6, dtype=bool),
            team_start=np.array([6, 7]),
            team_end=np.array([6, 6]),
            shift_start_s=np.array([0, 100]),
            shift_end_s=np.array([700, 800]),
        )
        solution = solve(problem, iterations=100)
        check_routes(problem, solution)
        found += solution.prize
        best += best_by_hand(problem)[1]
    assert found >= 0.99 * best


def test_all_stops_on_the_way_are_visited_in_order() -> None:
    solution = solve(problem_of(), iterations=10)
    (route,) = solution.routes
    assert sorted(route.stops.tolist()) == [0, 1, 2]
    assert (route.walk_s, route.end_s) == (600, 780)
    assert (solution.prize, solution.left_out) == (21, ())


def test_a_required_stop_goes_before_any_prize() -> None:
    # Back in 300 s: stop 0 alone, or stop 1 of the higher prize not at all; 460 s for stop 1.
    short = {"shift_end_s": [460], "service_s": [60, 60, 0], "prizes": [5, 700, 9]}
    free = solve(problem_of(**short), iterations=10)
    assert free.routes[0].stops.tolist() == [1]
    bound = solve(problem_of(**short, required=[True, False, False]), iterations=10)
    assert bound.routes[0].stops.tolist() == [0]
    assert bound.required_left_out == 0
    (traded,) = [one for one in bound.left_out if one.stop == 1]
    assert (traded.reason, traded.instead_of) == ("traded", (0,))


def test_required_stops_that_do_not_fit_together_are_named() -> None:
    solution = solve(problem_of(required=[True, True, True], shift_end_s=[520]), iterations=10)
    assert solution.required_left_out == len([one for one in solution.left_out if one.required])
    assert solution.required_left_out == 1


def test_reasons_have_their_figures() -> None:
    solution = solve(problem_of(shift_end_s=[300]), iterations=10)
    by_stop = {one.stop: one for one in solution.left_out}
    assert by_stop[1].reason == "too_far"
    assert (by_stop[1].needed_s, by_stop[1].shift_s, by_stop[1].team) == (460, 300, 0)
    windows = [[0, 1000], [950, 960], [0, 1000]]
    late = solve(problem_of(windows_s=windows), iterations=10)
    assert [(one.stop, one.reason) for one in late.left_out] == [(1, "window")]


def test_a_team_waits_for_a_window() -> None:
    windows = [[0, 1000], [0, 1000], [500, 600]]
    (route,) = solve(problem_of(windows_s=windows), iterations=10).routes
    at = route.stops.tolist().index(2)
    assert route.departure_s[at] == max(route.arrival_s[at], 500) + 60


def test_seconds_are_rounded_up_so_that_nobody_is_late() -> None:
    assert whole_seconds(np.array([[0.0, 10.0001], [np.inf, 0.0]])).tolist() == [
        [0, 11],
        [UNREACHABLE_S, 0],
    ]


@pytest.mark.parametrize("stops", [0, 2])
@pytest.mark.parametrize("teams", [0, 1])
def test_nothing_to_do_is_an_answer(stops: int, teams: int) -> None:
    far = np.where(np.eye(stops + 1, dtype=bool), 0, UNREACHABLE_S)
    problem = problem_of(
        matrix_s=far,
        prizes=[1] * stops,
        service_s=[0] * stops,
        required=[True] * stops,
        team_start=[stops] * teams,
        team_end=[stops] * teams,
        shift_start_s=[0] * teams,
        shift_end_s=[100] * teams,
    )
    solution = solve(problem, iterations=10)
    assert (solution.prize, solution.solver) == (0, "none")
    assert [route.stops.tolist() for route in solution.routes] == [[]] * teams
    assert {one.reason for one in solution.left_out} == (
        set() if not stops else {"unreachable" if teams else "no_team"}
    )


def test_the_same_seed_and_iterations_give_the_same_routes() -> None:
    random = np.random.default_rng(5)
    places = random.uniform(0, 1000, (42, 2))
    problem = PatrolProblem(
        matrix_s=whole_seconds(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))),
        prizes=random.integers(1, 50, 40),
        service_s=np.full(40, 60),
        required=np.zeros(40, dtype=bool),
        team_start=np.array([40, 41]),
        team_end=np.array([40, 41]),
        shift_start_s=np.array([0, 0]),
        shift_end_s=np.array([2400, 2400]),
    )
    first, second = (solve(problem, seed=2, iterations=100) for _ in range(2))
    assert [r.stops.tolist() for r in first.routes] == [r.stops.tolist() for r in second.routes]
    assert first.prize >= first.first_prize
    check_routes(problem, first)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"prizes": [1, 2]}, "service_s", "shape"),
        ({"prizes": [1, 2, -3]}, "prizes", "negative"),
        ({"prizes": [1, 2, 0.5]}, "prizes", "int64"),
        ({"matrix_s": np.zeros((3, 4))}, "matrix_s", "square"),
        ({"matrix_s": np.ones((4, 4))}, "matrix_s", "diagonal"),
        ({"team_end": [4]}, "team_end", "place outside"),
        ({"shift_end_s": [-1]}, "shift_end_s", "before the start"),
        ({"windows_s": [[0, 1], [0, 1], [2, 1]]}, "windows_s", "before it opens"),
    ],
)
def test_unsound_arrays_are_named(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(UnsoundProblemError, match=words) as caught:
        problem_of(**changes)
    assert caught.value.field == field
