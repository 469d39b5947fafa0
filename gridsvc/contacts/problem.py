"""The assignment of one lead contact a stairwell, as arrays: question, policy and answer."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import UnsoundProblemError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NOBODY = -1
TIER_NAMES = ("own stairwell", "own building", "own compound", "near", "further")
NEAR_M = 300.0

_GRID_FIELDS = {
    "grid_xy_m": np.float64,
    "grid_households": np.int64,
    "grid_building": np.int64,
    "grid_compound": np.int64,
    "incumbent": np.int64,
    "pinned": np.int64,
}
_MEMBER_FIELDS = {
    "member_xy_m": np.float64,
    "member_capacity_households": np.int64,
    "member_capacity_stairwells": np.int64,
    "member_is_party": np.bool_,
    "member_available": np.bool_,
    "member_home_grid": np.int64,
    "member_home_building": np.int64,
    "member_home_compound": np.int64,
}
_NOT_NEGATIVE = ("grid_households", "member_capacity_households", "member_capacity_stairwells")


@dataclass(frozen=True, kw_only=True)
class ContactProblem:
    """Stairwells that need a lead contact, and the members who could be one.

    Ids of buildings and compounds are any whole numbers; -1 says none. Rows are the ids of grids
    and members in everything else.

    Attributes
    ----------
    grid_xy_m
        Shape (n, 2), a point in each stairwell, metres, one projected CRS for all.
    grid_households
        Shape (n,), households in the stairwell, >= 0.
    grid_building, grid_compound
        Shape (n,), where the stairwell is.
    member_xy_m
        Shape (m, 2), the member's home or place of work, metres, same CRS.
    member_capacity_households, member_capacity_stairwells
        Shape (m,), what the member can carry, >= 0; 0 stairwells: takes none.
    member_is_party, member_available
        Shape (m,), Party member; can be assigned at all.
    member_home_grid, member_home_building, member_home_compound
        Shape (m,), where the member lives; -1 for none or outside.
    incumbent
        Shape (n,), the member who is lead contact today; -1 for none.
    excluded
        Shape (p, 2), pairs of grid and member that must not be.
    pinned
        Shape (n,), the member who must be lead contact because a person said so, whatever else
        would rule the member out; -1 for none. Empty: nobody is pinned. Pinned stairwells count in
        their member's load and may go beyond it.
    max_distance_m
        How far a member may be from the stairwell, metres; members of the stairwell's own building
        and compound always may.

    Raises
    ------
    UnsoundProblemError
        An array has another length than its neighbours, or a value out of its range.
    """

    grid_xy_m: Floats
    grid_households: Ints
    grid_building: Ints
    grid_compound: Ints
    member_xy_m: Floats
    member_capacity_households: Ints
    member_capacity_stairwells: Ints
    member_is_party: Bools
    member_available: Bools
    member_home_grid: Ints
    member_home_building: Ints
    member_home_compound: Ints
    incumbent: Ints
    excluded: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    pinned: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    max_distance_m: float = 2000.0

    def __post_init__(self) -> None:
        if not np.size(self.pinned):
            object.__setattr__(self, "pinned", np.full(self.grid_count, NOBODY))
        for name, kind in (_GRID_FIELDS | _MEMBER_FIELDS | {"excluded": np.int64}).items():
            self._take(name, kind)
        self._check_shapes()
        for name in _NOT_NEGATIVE:
            if (getattr(self, name) < 0).any():
                raise UnsoundProblemError(name, "must not be negative")
        for name in ("grid_xy_m", "member_xy_m"):
            if not np.isfinite(getattr(self, name)).all():
                raise UnsoundProblemError(name, "has a coordinate that is not a finite number")
        self._check_indices("incumbent", self.incumbent, self.member_count, lowest=NOBODY)
        self._check_indices("pinned", self.pinned, self.member_count, lowest=NOBODY)
        self._check_indices("member_home_grid", self.member_home_grid, self.grid_count, lowest=-1)
        self._check_indices("excluded", self.excluded[:, 0], self.grid_count, lowest=0)
        self._check_indices("excluded", self.excluded[:, 1], self.member_count, lowest=0)
        if not self.max_distance_m > 0:
            raise UnsoundProblemError("max_distance_m", "must be more than 0")

    @property
    def grid_count(self) -> int:
        """Number of stairwells."""
        return len(self.grid_xy_m)

    @property
    def member_count(self) -> int:
        """Number of members."""
        return len(self.member_xy_m)

    def _take(self, name: str, kind: type[np.generic]) -> None:
        """Replace a field by an array of its kind that nobody else can write to."""
        given = np.asarray(getattr(self, name))
        array: NDArray[Any] = given.astype(kind)
        if given.size and not np.array_equal(array, given, equal_nan=kind is np.float64):
            raise UnsoundProblemError(name, f"has values that are not {kind.__name__}")
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def _check_shapes(self) -> None:
        for fields, count in ((_GRID_FIELDS, "grid_xy_m"), (_MEMBER_FIELDS, "member_xy_m")):
            rows = len(getattr(self, count))
            for name in fields:
                expected = (rows, 2) if name.endswith("_xy_m") else (rows,)
                if getattr(self, name).shape != expected:
                    found = getattr(self, name).shape
                    raise UnsoundProblemError(name, f"has shape {found}, expected {expected}")
        if self.excluded.ndim != 2 or self.excluded.shape[1] != 2:
            raise UnsoundProblemError("excluded", "must be pairs, shape (p, 2)")

    @staticmethod
    def _check_indices(name: str, rows: Ints, count: int, *, lowest: int) -> None:
        wrong = (rows < lowest) | (rows >= count)
        if wrong.any():
            raise UnsoundProblemError(name, f"names row {rows[wrong][0]} of {count}")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is worse than what: costs in one unit, the price of a metre.

    The weights stand for an order of wishes — coverage, overload, Party member, place, few changes,
    metres. ``balanced`` takes them as one sum: many small gains may outweigh one household of
    overload. ``strict`` takes them one after the other: no gain of a later wish, however large,
    pays for the least loss of an earlier one. Coverage is strict in both: a stairwell for which
    anybody can be had gets somebody, at whatever overload.

    Attributes
    ----------
    mode
        ``balanced`` or ``strict``.
    party_first
        A Party member is a wish of its own, above place; else it does not count.
    uncovered
        A stairwell without a lead contact.
    overload_per_household
        A household beyond what a member can carry.
    overload_per_stairwell
        A stairwell beyond the number a member said to carry: as bad as fifty households too many,
        more than any one stairwell usually has. So the number gives way only where a stairwell
        would be uncovered or others be overloaded far more.
    not_party
        The contact is no Party member; counts only with ``party_first``. More than the dearest
        tier, so that Party membership stands above place.
    tiers
        By place: own stairwell, own building, own compound, within 300 m, further.
    churn
        The contact is another than today's.
    metres_cap
        Metres count one each, up to this many.
    """

    mode: Literal["balanced", "strict"] = "balanced"
    party_first: bool = True
    uncovered: int = 600_000
    overload_per_household: int = 2_000
    overload_per_stairwell: int = 100_000
    not_party: int = 13_000
    tiers: tuple[int, int, int, int, int] = (0, 1_000, 3_000, 6_000, 12_000)
    churn: int = 2_000
    metres_cap: int = 999


@dataclass(frozen=True)
class Level:
    """One wish of the strict order: what was reached, and what is proven of it.

    Attributes
    ----------
    name
        ``overload``, ``party``, ``place``, ``churn`` or ``metres``.
    reached
        Sum over all stairwells, in the units of the policy.
    bound
        No assignment that is as good in all earlier levels has a smaller sum: proven.
    """

    name: str
    reached: int
    bound: int


@dataclass(frozen=True, kw_only=True)
class ContactSolution:
    """A lead contact for each stairwell, what it costs, and how good that is at least.

    Attributes
    ----------
    member
        Shape (n,), lead contact; -1 for nobody.
    tier
        Shape (n,), index into ``TIER_NAMES``; -1 for nobody.
    distance_m
        Shape (n,), metres as the crow flies; NaN for nobody.
    uncovered_reason
        Shape (n,), text, empty where covered: ``no_candidate`` (no member near enough),
        ``all_unavailable``, ``full`` (those available take no stairwell), ``excluded``.
    load_households, load_stairwells
        Shape (m,), what each member carries.
    overload_households, overload_stairwells
        Shape (m,), what of it is beyond the capacity.
    objective
        Sum of all costs by ``policy``.
    bound
        No assignment that keeps the pinned choices and the budget of changes costs less than this:
        proven, for all allowed pairs where ``bound_is_global``, else for the candidate pairs.
    bound_is_global
        Every allowed pair was priced; the bound holds for all of them.
    gap
        Proven gap, (objective - bound) / objective; 0 for an objective of 0.
    policy
        The weights.
    levels
        In the strict mode, each wish in its order; else empty.
    counts
        Stairwells by word: ``covered``, ``uncovered``, ``party``, ``changed`` (of those who have
        a contact today), ``replaced`` (of those whose contact of today could have stayed),
        ``pinned``, ``tier_0`` to ``tier_4``; ``overload_households``,
        ``overload_stairwells``, ``overloaded_members``, ``candidate_pairs``.
    stages_s
        Seconds of wall time by stage.
    rounds
        Rounds of local search and of the bound, by ``search`` and ``bound``.
    """

    member: Ints
    tier: Ints
    distance_m: Floats
    uncovered_reason: NDArray[np.str_]
    load_households: Ints
    load_stairwells: Ints
    overload_households: Ints
    overload_stairwells: Ints
    objective: int
    bound: int
    gap: float
    policy: Policy
    levels: tuple[Level, ...] = ()
    bound_is_global: bool = False
    counts: dict[str, int]
    stages_s: dict[str, float]
    rounds: dict[str, int]
