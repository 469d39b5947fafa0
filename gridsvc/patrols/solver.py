"""Planning patrol routes: team orienteering with time windows, arrays in, arrays out.

VROOM gives a first answer at once, PyVRP improves it, and a pass of our own puts in every stop that
still fits or is worth more than the stops it displaces. Our timetable alone decides what keeps the
times, and each stop left out has a reason that was tested.
"""

import time

import numpy as np

from geodata.progress import Progress, silent
from gridsvc.patrols.engines import Routes, first_routes, improved_routes
from gridsvc.patrols.problem import (
    UNREACHABLE_S,
    Ints,
    LeftOut,
    PatrolProblem,
    PatrolRoute,
    PatrolSolution,
    whole_seconds,
)
from gridsvc.patrols.reasons import Alone, explain
from gridsvc.patrols.timetable import Replacement, Timetable, best_replacement

__all__ = [
    "UNREACHABLE_S",
    "LeftOut",
    "PatrolProblem",
    "PatrolRoute",
    "PatrolSolution",
    "solve",
    "whole_seconds",
]

_DEFAULT_ITERATIONS = 500

Key = tuple[int, int, int]


def solve(
    problem: PatrolProblem,
    *,
    seed: int = 0,
    iterations: int | None = None,
    time_limit_s: float | None = None,
    exploration: int = 0,
    progress: Progress | None = None,
) -> PatrolSolution:
    """Plan one route a team, collecting as much prize as the shifts allow, then walking least.

    Parameters
    ----------
    problem
        Stops and teams; none of either, and stops that nobody can reach, are allowed.
    seed
        Of PyVRP's random choices.
    iterations
        Of PyVRP; 0 keeps the first answer. Without a time limit the answer is the same every time.
        500 when neither is given.
    time_limit_s
        Wall time for PyVRP, seconds.
    exploration
        Effort of VROOM for the first answer, 0 to 5. At 0 it takes about half a second for 150
        stops and three teams; 5 takes about fifteen times as long and is better by some percent.
    progress
        Told the stages ``first`` and ``improve``.

    Returns
    -------
    PatrolSolution
        Routes that keep every shift and window, and a reason for each stop left out.
    """
    report = progress or silent
    if iterations is None and time_limit_s is None:
        iterations = _DEFAULT_ITERATIONS
    timetable = Timetable.of(problem)
    alone = Alone(timetable)
    possible = np.flatnonzero(alone.fits.any(axis=1))
    started = time.monotonic()
    routes: Routes = [[] for _ in range(problem.team_count)]
    solver = "none"
    if len(possible):
        routes = _polished(
            timetable, possible, first_routes(timetable, possible, exploration=exploration)
        )
        solver = "vroom"
    first_prize = _prize(problem, routes)
    stages_s = {"first": time.monotonic() - started}
    report("first", 1, 1)
    if len(possible) and iterations != 0:
        found = improved_routes(
            timetable,
            possible,
            routes,
            seed=seed,
            iterations=iterations,
            time_limit_s=time_limit_s,
        )
        better = None if found is None else _polished(timetable, possible, found)
        if better is not None and _key(timetable, better) > _key(timetable, routes):
            routes, solver = better, "pyvrp"
    stages_s["improve"] = time.monotonic() - started - stages_s["first"]
    report("improve", 1, 1)
    return _describe(timetable, alone, routes, solver, first_prize, stages_s)


def _walk(timetable: Timetable, team: int, stops: list[int]) -> PatrolRoute:
    """Return the times of a route that is known to keep them."""
    route = timetable.route(team, stops)
    if route is None:
        raise RuntimeError(f"route of team {team} breaks a time: {stops}")
    return route


def _key(timetable: Timetable, routes: Routes) -> Key:
    """Return what makes routes better than others: worth, number of stops, less walking."""
    visited = [stop for route in routes for stop in route]
    walk_s = sum(_walk(timetable, team, route).walk_s for team, route in enumerate(routes))
    return int(timetable.worth[visited].sum()) if visited else 0, len(visited), -walk_s


def _prize(problem: PatrolProblem, routes: Routes) -> int:
    return sum(int(problem.prizes[route].sum()) for route in routes if route)


def _polished(timetable: Timetable, possible: Ints, routes: Routes) -> Routes:
    """Put in stops that fit, or that are worth more than what they displace, until none does.

    A route that breaks a time, should an engine make one, is emptied first: its stops go in again
    where they fit.
    """
    routes = [
        list(route) if timetable.route(team, route) is not None else []
        for team, route in enumerate(routes)
    ]
    while True:
        best = _best_gain(timetable, possible, routes)
        if best is None:
            return routes
        routes[best.team][best.begin : best.finish] = [best.stop]


def _best_gain(timetable: Timetable, possible: Ints, routes: Routes) -> Replacement | None:
    """Return the replacement that gains most, the one that walks least among equals."""
    best, best_key = None, (0, 0)
    for stop in _left(possible, routes):
        for one in _replacements(timetable, stop, routes):
            gain = int(timetable.worth[stop]) - one.lost
            key = (gain, -one.walk_s)
            # A stop without worth goes in only where it displaces none: else there is no end.
            allowed = gain > 0 or (gain == 0 and one.begin == one.finish)
            if allowed and (best is None or key > best_key):
                best, best_key = one, key
    return best


def _left(possible: Ints, routes: Routes) -> list[int]:
    visited = {stop for route in routes for stop in route}
    return [stop for stop in possible.tolist() if stop not in visited]


def _replacements(timetable: Timetable, stop: int, routes: Routes) -> list[Replacement]:
    found = [best_replacement(timetable, stop, team, route) for team, route in enumerate(routes)]
    return [one for one in found if one is not None]


def _describe(
    timetable: Timetable,
    alone: Alone,
    routes: Routes,
    solver: str,
    first_prize: int,
    stages_s: dict[str, float],
) -> PatrolSolution:
    """Walk the routes, and explain what is on none of them."""
    problem = timetable.problem
    walked = tuple(_walk(timetable, team, route) for team, route in enumerate(routes))
    left_out = tuple(
        explain(timetable, alone, stop, _replacements(timetable, stop, routes), routes)
        for stop in _left(np.arange(problem.stop_count), routes)
    )
    return PatrolSolution(
        routes=walked,
        left_out=left_out,
        prize=sum(route.prize for route in walked),
        walk_s=sum(route.walk_s for route in walked),
        required_left_out=sum(one.required for one in left_out),
        solver=solver,
        first_prize=first_prize,
        stages_s=stages_s,
    )
