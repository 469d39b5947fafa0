"""Grids under correction, in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from shapely.geometry.base import BaseGeometry

from geodata.codes import BUILDING_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS, community_of

Kind = Literal["compound", "building", "stairwell"]
Descents = Literal["split", "merge", "move"]

DIGITS: Mapping[Kind, int] = {
    "compound": COMPOUND_DIGITS,
    "building": BUILDING_DIGITS,
    "stairwell": STAIRWELL_DIGITS,
}
SEQUENCE_DIGITS: Mapping[Kind, int] = {"compound": 3, "building": 3, "stairwell": 2}
PARTS: Mapping[Kind, Kind | None] = {
    "compound": "building",
    "building": "stairwell",
    "stairwell": None,
}
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "compound": ("built_year", "is_demonstration"),
    "building": ("kind", "levels"),
    "stairwell": ("household_count",),
}
"""What each kind has beside name and geometry, and what of it may be changed."""


def kind_of(code: str) -> Kind | None:
    """Return what a grid code names, by its digits.

    Examples
    --------
    >>> kind_of("44060501101600301202")
    'stairwell'
    """
    return next((kind for kind, digits in DIGITS.items() if digits == len(code)), None)


def parent_of(code: str) -> str:
    """Return the code of what a grid is part of: of a compound, its community's.

    Examples
    --------
    >>> parent_of("440605011016003012")
    '440605011016003'
    """
    return code[: -2 if len(code) == STAIRWELL_DIGITS else -3]


@dataclass(frozen=True)
class Grid:
    """A compound, building or stairwell in one of its versions.

    Attributes
    ----------
    geometry
        Polygon or multipolygon, EPSG:4326.
    fields
        Those of `FIELDS` for its kind.
    retired_on, retired_reason
        When and why it ended; ``None`` while it is in force.
    """

    code: str
    name: str
    version: int
    valid_from: date
    geometry: BaseGeometry
    fields: Mapping[str, Any] = field(default_factory=dict)
    retired_on: date | None = None
    retired_reason: str | None = None

    @property
    def kind(self) -> Kind:
        """What it is."""
        kind = kind_of(self.code)
        assert kind is not None  # noqa: S101 - the table's own rule
        return kind

    @property
    def community_code(self) -> int:
        """The community that it lies in."""
        return community_of(self.code)

    @property
    def parent_code(self) -> str:
        """Code of what it is part of."""
        return parent_of(self.code)


@dataclass(frozen=True)
class FormerGrid:
    """What a grid was until the day ``valid_to``, and why it changed."""

    grid: Grid
    valid_to: date
    reason: str


@dataclass(frozen=True)
class Piece:
    """A part that a grid is split into; EPSG:4326.

    Attributes
    ----------
    household_count
        Of a stairwell; default: its share of the area.
    """

    geometry: BaseGeometry
    name: str | None = None
    household_count: int | None = None


@dataclass(frozen=True)
class Descent:
    """A grid that took the place of another, and the share of the other's area that it took."""

    predecessor_code: str
    successor_code: str
    kind: Descents
    share: float


@dataclass(frozen=True)
class Plan:
    """What a split or merge will write.

    Attributes
    ----------
    added
        By kind from the compound down, then as numbered.
    retired
        Codes that end.
    """

    added: tuple[Grid, ...]
    retired: tuple[str, ...]
    descents: tuple[Descent, ...]


@dataclass(frozen=True)
class Edit:
    """What was done on a day: the grids in force by it, those that ended, and how they relate.

    Attributes
    ----------
    descents
        Of several predecessors of one grid, the largest comes first.
    """

    on: date
    grids: tuple[Grid, ...]
    retired: tuple[str, ...] = ()
    descents: tuple[Descent, ...] = ()


@dataclass(frozen=True)
class History:
    """A grid through time.

    Attributes
    ----------
    former
        The oldest first.
    predecessors, successors
        What it came from and what became of it; none for most.
    """

    grid: Grid
    former: tuple[FormerGrid, ...]
    predecessors: tuple[Descent, ...]
    successors: tuple[Descent, ...]
