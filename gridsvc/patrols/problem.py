"""Patrol routes as arrays: question and answer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import UnsoundProblemError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Stands for "no way" in matrices of whole seconds; larger than any shift, small enough to add up.
UNREACHABLE_S = 10**9
_FIELDS = {
    "matrix_s": np.int64,
    "prizes": np.int64,
    "service_s": np.int64,
    "required": np.bool_,
    "team_start": np.int64,
    "team_end": np.int64,
    "shift_start_s": np.int64,
    "shift_end_s": np.int64,
}


def whole_seconds(matrix_s: Floats) -> Ints:
    """Round walking seconds up, so that no route is secretly late; infinite is ``UNREACHABLE_S``.

    Examples
    --------
    >>> whole_seconds(np.array([[0.0, 59.2], [np.inf, 0.0]])).tolist()
    [[0, 60], [1000000000, 0]]
    """
    finite = np.isfinite(matrix_s)
    return np.where(finite, np.ceil(np.where(finite, matrix_s, 0.0)), UNREACHABLE_S).astype(
        np.int64
    )


@dataclass(frozen=True, kw_only=True)
class PatrolProblem:
    """Stops worth a visit, and the teams who walk.

    The first n places of the matrix are the stops, in order; the others are posts. Times count
    from one common zero, for example midnight.

    Attributes
    ----------
    matrix_s
        Shape (k, k), k >= n, whole seconds of walking from row to column, 0 on the diagonal;
        ``UNREACHABLE_S`` or more for no way. ``whole_seconds`` makes it from fractions.
    prizes
        Shape (n,), worth of a visit, whole numbers >= 0.
    service_s
        Shape (n,), seconds spent at the stop, >= 0.
    required
        Shape (n,), stops to visit before all others.
    team_start, team_end
        Shape (t,), places in the matrix where each team starts and ends.
    shift_start_s, shift_end_s
        Shape (t,), a team starts not before and is back not after; start <= end, >= 0.
    windows_s
        Shape (n, 2), earliest and latest second at which a visit may begin; None for any time.

    Raises
    ------
    UnsoundProblemError
        An array has another length than its neighbours, or a value out of its range.
    """

    matrix_s: Ints
    prizes: Ints
    service_s: Ints
    required: Bools
    team_start: Ints
    team_end: Ints
    shift_start_s: Ints
    shift_end_s: Ints
    windows_s: Ints | None = None

    def __post_init__(self) -> None:
        for name, kind in _FIELDS.items():
            self._take(name, kind)
        if self.windows_s is not None:
            self._take("windows_s", np.int64)
        self._check_shapes()
        self._check_values()

    @property
    def stop_count(self) -> int:
        """Number of stops."""
        return len(self.prizes)

    @property
    def team_count(self) -> int:
        """Number of teams."""
        return len(self.team_start)

    def _take(self, name: str, kind: type[np.generic]) -> None:
        """Replace a field by an array of its kind that nobody else can write to."""
        given = np.asarray(getattr(self, name))
        array: NDArray[Any] = given.astype(kind)
        if given.size and not np.array_equal(array, given):
            raise UnsoundProblemError(name, f"has values that are not {kind.__name__}")
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def _check_shapes(self) -> None:
        stops, teams = (self.stop_count,), (self.team_count,)
        expected: dict[str, tuple[int, ...]] = {"prizes": stops, "service_s": stops}
        expected |= {"required": stops, "team_start": teams, "team_end": teams}
        expected |= {"shift_start_s": teams, "shift_end_s": teams}
        if self.windows_s is not None:
            expected["windows_s"] = (self.stop_count, 2)
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise UnsoundProblemError(name, f"has shape {found}, expected {shape}")
        size = self.matrix_s.shape
        if len(size) != 2 or size[0] != size[1] or size[0] < self.stop_count:
            raise UnsoundProblemError(
                "matrix_s", f"has shape {size}, expected square with the {self.stop_count} stops"
            )

    def _check_values(self) -> None:
        for name in ("matrix_s", "prizes", "service_s", "shift_start_s"):
            if (getattr(self, name) < 0).any():
                raise UnsoundProblemError(name, "must not be negative")
        if np.diagonal(self.matrix_s).any():
            raise UnsoundProblemError("matrix_s", "must be 0 on the diagonal")
        for name in ("team_start", "team_end"):
            places = getattr(self, name)
            if ((places < 0) | (places >= len(self.matrix_s))).any():
                raise UnsoundProblemError(name, f"names a place outside the {len(self.matrix_s)}")
        if (self.shift_end_s < self.shift_start_s).any():
            raise UnsoundProblemError("shift_end_s", "is before the start of the shift")
        if (self.shift_end_s >= UNREACHABLE_S).any():
            raise UnsoundProblemError("shift_end_s", f"must be less than {UNREACHABLE_S}")
        if self.windows_s is not None and (self.windows_s[:, 1] < self.windows_s[:, 0]).any():
            raise UnsoundProblemError("windows_s", "closes before it opens")


@dataclass(frozen=True, kw_only=True)
class PatrolRoute:
    """What one team walks.

    Attributes
    ----------
    team
        Row of the team.
    stops
        Shape (s,), stops in order; none for a team that stays at its post.
    arrival_s, departure_s
        Shape (s,), when the team reaches a stop, and leaves it after waiting and service.
    end_s
        When the team is at its end post.
    walk_s
        Seconds of walking.
    prize
        Sum of the stops' prizes.
    """

    team: int
    stops: Ints
    arrival_s: Ints
    departure_s: Ints
    end_s: int
    walk_s: int
    prize: int


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Why a stop is on no route: each reason was tested, and is true.

    Attributes
    ----------
    stop
        Row of the stop.
    reason
        ``no_team``: there is none. ``unreachable``: no team has a way there and on to its end.
        ``too_far``: no team would be back in time even with this stop alone and at any hour.
        ``window``: alone and at any hour it would fit a shift, in its window it fits none.
        ``traded``: it fits a shift alone, but into no route unless others go.
    required
        The stop was required.
    team
        The team that comes nearest to it: for ``traded`` the one whose route was tested, else the
        one with the shortest round trip; -1 where there is none.
    needed_s, shift_s
        For ``too_far`` and ``window``: seconds that the round trip of ``team`` takes, waiting
        included, and the length of its shift; else 0.
    instead_of
        For ``traded``: the stops of least worth that must go together from that route, in a row,
        to make room; never worth less than this stop.
    """

    stop: int
    reason: str
    required: bool
    team: int = -1
    needed_s: int = 0
    shift_s: int = 0
    instead_of: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PatrolSolution:
    """Routes, one a team, in the order of the teams, and what was left out.

    Attributes
    ----------
    routes
        One for each team.
    left_out
        By stop, ascending.
    prize, walk_s
        Sums over the routes.
    required_left_out
        Number of required stops on no route.
    solver
        Whose routes were kept: ``vroom`` or ``pyvrp``, each with our last pass; ``none`` where
        there was nothing to solve.
    first_prize
        Prize of the first answer, by VROOM and our last pass.
    stages_s
        Seconds of wall time by stage.
    """

    routes: tuple[PatrolRoute, ...]
    left_out: tuple[LeftOut, ...]
    prize: int
    walk_s: int
    required_left_out: int
    solver: str
    first_prize: int
    stages_s: dict[str, float]
