"""The two libraries that look for routes, behind one form: stops by team in, stops by team out.

References
----------
VROOM: J. Coupey et al., https://github.com/VROOM-Project/vroom.
PyVRP: N. A. Wouda, L. Lan, W. Kool, INFORMS Journal on Computing 36 (2024) 943-955,
doi:10.1287/ijoc.2023.0055.
"""

import numpy as np
import pyvrp
import vroom
from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria, StoppingCriterion

from gridsvc.patrols.problem import Ints
from gridsvc.patrols.timetable import Timetable

Routes = list[list[int]]

_VROOM_HIGHEST = 100
# Where some stops are required the others stay well below them.
_VROOM_ORDINARY = 50


def first_routes(timetable: Timetable, stops: Ints, *, exploration: int) -> Routes:
    """Let VROOM plan routes through the best of these stops; on one thread, always the same.

    ``exploration`` is VROOM's own measure of effort, 0 to 5; 5 takes about fifteen times as long
    as 0.
    """
    problem = timetable.problem
    job_input = vroom.Input()
    job_input.set_durations_matrix("car", _finite_matrix(timetable).astype(np.uint32))
    for team in range(problem.team_count):
        shift = (int(problem.shift_start_s[team]), int(problem.shift_end_s[team]))
        job_input.add_vehicle(
            vroom.Vehicle(
                team,
                start=int(problem.team_start[team]),
                end=int(problem.team_end[team]),
                time_window=vroom.TimeWindow(*shift),
            )
        )
    windows = _windows(timetable)
    for stop, priority in zip(stops.tolist(), _priorities(timetable, stops), strict=True):
        job_input.add_job(
            vroom.Job(
                stop,
                location=stop,
                default_service=int(problem.service_s[stop]),
                priority=priority,
                time_windows=[vroom.TimeWindow(*windows[stop].tolist())],
            )
        )
    steps = job_input.solve(exploration_level=exploration, nb_threads=1).routes
    jobs = steps[steps["type"] == "job"]
    routes: Routes = [[] for _ in range(problem.team_count)]
    for team, stop in zip(jobs["vehicle_id"], jobs["id"], strict=True):
        routes[int(team)].append(int(stop))
    return routes


def improved_routes(
    timetable: Timetable,
    stops: Ints,
    start: Routes,
    *,
    seed: int,
    iterations: int | None,
    time_limit_s: float | None,
) -> Routes | None:
    """Let PyVRP improve routes; None where it ends with routes that break a rule.

    Distance costs one a second and a unit of prize more than the longest walk of all teams
    together, so that routes stay compact while no prize is given up for a shorter way.
    """
    data = _pyvrp_data(timetable, stops, start)
    number = {stop: client for client, stop in enumerate(stops.tolist())}
    warm = [
        pyvrp.Route(data, [number[stop] for stop in route], team)
        for team, route in enumerate(start)
        if route
    ]
    criteria: list[StoppingCriterion] = []
    if iterations is not None:
        criteria.append(MaxIterations(iterations))
    if time_limit_s is not None:
        criteria.append(MaxRuntime(max(time_limit_s, 0.0)))
    result = pyvrp.solve(
        data,
        MultipleCriteria(criteria),
        seed=seed,
        collect_stats=False,
        display=False,
        initial_solution=pyvrp.Solution(data, warm),
    )
    if not result.best.is_feasible():
        return None
    routes: Routes = [[] for _ in start]
    for route in result.best.routes():
        clients = [step.idx for step in route if step.is_client()]
        routes[route.vehicle_type()] = stops[clients].tolist()
    return routes


def _pyvrp_data(timetable: Timetable, stops: Ints, start: Routes) -> pyvrp.ProblemData:
    problem = timetable.problem
    posts = np.concatenate([problem.team_start, problem.team_end])
    places = np.concatenate([stops, posts])
    matrix = _finite_matrix(timetable)[np.ix_(places, places)]
    scale = int((problem.shift_end_s - problem.shift_start_s).sum()) + 1
    visited = {stop for route in start for stop in route}
    must = problem.required & np.array([stop in visited for stop in range(problem.stop_count)])
    windows = _windows(timetable)
    clients = [
        pyvrp.Client(
            location=location,
            service_duration=int(problem.service_s[stop]),
            tw_early=int(windows[stop, 0]),
            tw_late=int(windows[stop, 1]),
            prize=int(timetable.worth[stop]) * scale,
            required=bool(must[stop]),
        )
        for location, stop in enumerate(stops.tolist())
    ]
    teams = [
        pyvrp.VehicleType(
            start_depot=team,
            end_depot=problem.team_count + team,
            tw_early=int(problem.shift_start_s[team]),
            tw_late=int(problem.shift_end_s[team]),
            unit_distance_cost=1,
        )
        for team in range(problem.team_count)
    ]
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(x=0, y=0) for _ in places],
        clients=clients,
        depots=[pyvrp.Depot(location=len(stops) + post) for post in range(len(posts))],
        vehicle_types=teams,
        distance_matrices=[matrix],
        duration_matrices=[matrix],
    )


def _finite_matrix(timetable: Timetable) -> Ints:
    """Cut ways that nobody can walk within any shift to just too long, so that sums stay small."""
    problem = timetable.problem
    return np.minimum(problem.matrix_s, int(problem.shift_end_s.max()) + 1)


def _windows(timetable: Timetable) -> Ints:
    """Return the windows cut to the shifts, shape (n, 2); a window wholly outside stays empty."""
    last_s = int(timetable.problem.shift_end_s.max())
    opens_s = np.clip(timetable.opens_s, 0, last_s)
    return np.column_stack([opens_s, np.clip(timetable.closes_s, opens_s, last_s)])


def _priorities(timetable: Timetable, stops: Ints) -> list[int]:
    """Scale prizes to VROOM's 0 to 100; a required stop has the highest."""
    problem = timetable.problem
    required = problem.required[stops]
    highest = _VROOM_ORDINARY if required.any() else _VROOM_HIGHEST
    prizes = problem.prizes[stops]
    scaled = np.ceil(prizes * (highest / max(int(prizes.max()), 1))).astype(np.int64)
    return [int(one) for one in np.where(required, _VROOM_HIGHEST, np.minimum(scaled, highest))]
