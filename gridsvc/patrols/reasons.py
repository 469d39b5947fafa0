"""Why a stop is on no route: only what a test has shown."""

import numpy as np

from gridsvc.patrols.problem import UNREACHABLE_S, Bools, Ints, LeftOut
from gridsvc.patrols.timetable import Replacement, Timetable


class Alone:
    """What each team could do if one stop were all it had to visit; arrays of shape (n, t).

    Attributes
    ----------
    has_way
        There is a way from the team's start to the stop and on to its end.
    trip_s
        Seconds there, of service, and on to the end.
    fits_any_hour
        The trip fits the shift, were there no window.
    fits
        It fits the shift and the window.
    """

    def __init__(self, timetable: Timetable) -> None:
        problem = timetable.problem
        stops = np.arange(problem.stop_count)
        to_s: Ints = problem.matrix_s[np.ix_(problem.team_start, stops)].T
        from_s: Ints = problem.matrix_s[np.ix_(stops, problem.team_end)]
        self.has_way: Bools = (to_s < UNREACHABLE_S) & (from_s < UNREACHABLE_S)
        self.trip_s: Ints = to_s + problem.service_s[:, None] + from_s
        shift_s = problem.shift_end_s - problem.shift_start_s
        self.fits_any_hour: Bools = self.has_way & (self.trip_s <= shift_s)
        begin_s = np.maximum(problem.shift_start_s + to_s, timetable.opens_s[:, None])
        back_s = begin_s + problem.service_s[:, None] + from_s
        self.fits: Bools = (
            self.fits_any_hour
            & (begin_s <= timetable.closes_s[:, None])
            & (back_s <= problem.shift_end_s)
        )


def explain(
    timetable: Timetable,
    alone: Alone,
    stop: int,
    replacements: list[Replacement],
    routes: list[list[int]],
) -> LeftOut:
    """Say why a stop was left out.

    Parameters
    ----------
    alone
        What the teams could do with this stop alone.
    replacements
        What the stop could replace in the routes, for each team that could take it.
    routes
        The stops of each team.
    """
    problem = timetable.problem
    required = bool(problem.required[stop])
    if replacements:
        cheapest = min(replacements, key=lambda one: (one.lost, one.walk_s, one.team))
        gone = routes[cheapest.team][cheapest.begin : cheapest.finish]
        return LeftOut(
            stop=stop,
            reason="traded",
            required=required,
            team=cheapest.team,
            instead_of=tuple(gone),
        )
    if not problem.team_count:
        return LeftOut(stop=stop, reason="no_team", required=required)
    if not alone.has_way[stop].any():
        return LeftOut(stop=stop, reason="unreachable", required=required)
    reason, among = "too_far", alone.has_way[stop]
    if alone.fits_any_hour[stop].any():
        reason, among = "window", alone.fits_any_hour[stop]
    team = int(np.where(among, alone.trip_s[stop], np.iinfo(np.int64).max).argmin())
    return LeftOut(
        stop=stop,
        reason=reason,
        required=required,
        team=team,
        needed_s=int(alone.trip_s[stop, team]),
        shift_s=int(problem.shift_end_s[team] - problem.shift_start_s[team]),
    )
