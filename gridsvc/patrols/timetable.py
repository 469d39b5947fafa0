"""When a team is where: the one place that decides whether a route keeps its times."""

from dataclasses import dataclass

import numpy as np

from gridsvc.patrols.problem import UNREACHABLE_S, Ints, PatrolProblem, PatrolRoute


@dataclass(frozen=True)
class Timetable:
    """A problem with plain limits: windows that are always there, ways that add up.

    Attributes
    ----------
    problem
        The problem.
    opens_s, closes_s
        Shape (n,), when a visit may begin; 0 and ``UNREACHABLE_S`` without windows.
    worth
        Shape (n,), prizes, a required stop above all others together.
    """

    problem: PatrolProblem
    opens_s: Ints
    closes_s: Ints
    worth: Ints

    @classmethod
    def of(cls, problem: PatrolProblem) -> "Timetable":
        """Prepare a problem."""
        windows_s = problem.windows_s
        if windows_s is None:
            windows_s = np.tile(np.array([0, UNREACHABLE_S]), (problem.stop_count, 1))
        above_all = int(problem.prizes[~problem.required].sum()) + 1
        worth = problem.prizes + above_all * problem.required
        return cls(problem, windows_s[:, 0], windows_s[:, 1], worth)

    def route(self, team: int, stops: list[int]) -> PatrolRoute | None:
        """Walk a route, each leg as early as can be; None where it breaks a time or has no way."""
        problem = self.problem
        place, now, walk_s = int(problem.team_start[team]), int(problem.shift_start_s[team]), 0
        arrivals, departures = [], []
        for stop in stops:
            leg_s = int(problem.matrix_s[place, stop])
            arrival_s = now + leg_s
            begin_s = max(arrival_s, int(self.opens_s[stop]))
            if leg_s >= UNREACHABLE_S or begin_s > self.closes_s[stop]:
                return None
            place, now = stop, begin_s + int(problem.service_s[stop])
            walk_s += leg_s
            arrivals.append(arrival_s)
            departures.append(now)
        leg_s = int(problem.matrix_s[place, problem.team_end[team]]) if stops else 0
        if leg_s >= UNREACHABLE_S or now + leg_s > problem.shift_end_s[team]:
            return None
        return PatrolRoute(
            team=team,
            stops=np.array(stops, dtype=np.int64),
            arrival_s=np.array(arrivals, dtype=np.int64),
            departure_s=np.array(departures, dtype=np.int64),
            end_s=now + leg_s,
            walk_s=walk_s + leg_s,
            prize=int(problem.prizes[stops].sum()) if stops else 0,
        )

    def latest_s(self, team: int, stops: list[int]) -> Ints:
        """Return when each visit of a route, and its end, may begin at the latest.

        Returns
        -------
        NDArray
            Shape (s + 1,), the last is the end of the shift.
        """
        problem = self.problem
        latest = [int(problem.shift_end_s[team])]
        place = int(problem.team_end[team])
        for stop in reversed(stops):
            by_next = latest[-1] - int(problem.matrix_s[stop, place]) - int(problem.service_s[stop])
            latest.append(min(by_next, int(self.closes_s[stop])))
            place = stop
        return np.array(latest[::-1], dtype=np.int64)


@dataclass(frozen=True)
class Replacement:
    """A stop that takes the place of a row of stops in a route; of none is an insertion.

    ``lost`` is what the stops that go are worth, ``walk_s`` the change in walking.
    """

    stop: int
    team: int
    begin: int
    finish: int
    lost: int
    walk_s: int


def best_replacement(
    timetable: Timetable, stop: int, team: int, stops: list[int]
) -> Replacement | None:
    """Find the row of stops of least worth, maybe none, that a stop can replace in a route.

    Every row of neighbours is tried; among equals the one with the least walking. None where even
    the whole route does not make room.
    """
    problem = timetable.problem
    known = timetable.route(team, stops)
    if known is None:
        return None
    before = np.array([problem.team_start[team], *stops])
    after = np.array([*stops, problem.team_end[team]])
    leaves_s = np.array([problem.shift_start_s[team], *known.departure_s])
    to_s, from_s = problem.matrix_s[before, stop], problem.matrix_s[stop, after]
    begin_s = np.maximum(leaves_s + to_s, timetable.opens_s[stop])
    ready_s = begin_s + problem.service_s[stop]
    in_time = (to_s < UNREACHABLE_S) & (begin_s <= timetable.closes_s[stop])
    latest_s = timetable.latest_s(team, stops)
    fits = in_time[:, None] & (ready_s[:, None] + from_s[None, :] <= latest_s[None, :])
    fits = np.triu(fits)
    if not fits.any():
        return None
    gathered = np.concatenate([[0], np.cumsum(timetable.worth[stops])]) if stops else np.zeros(1)
    lost = gathered[None, :] - gathered[:, None]
    legs_s = problem.matrix_s[before, after] if stops else np.zeros(1, dtype=np.int64)
    walked_s = np.concatenate([[0], np.cumsum(legs_s)])
    walk_s = to_s[:, None] + from_s[None, :] - (walked_s[None, 1:] - walked_s[:-1, None])
    rows, columns = np.nonzero(fits)
    pick = int(np.lexsort([walk_s[rows, columns], lost[rows, columns]])[0])
    begin, finish = int(rows[pick]), int(columns[pick])
    return Replacement(
        stop, team, begin, finish, int(lost[begin, finish]), int(walk_s[begin, finish])
    )
