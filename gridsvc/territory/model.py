"""Territory in plain Python."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Community:
    """A community and how much of everything it holds."""

    code: int
    name: str
    compound_count: int
    stairwell_count: int
    household_count: int


@dataclass(frozen=True)
class Compound:
    """A compound as it is since a day; the position is a point inside it, EPSG:4326.

    Attributes
    ----------
    household_count
        ``None`` where a planner asks and it is withheld by the rule of `geodata.privacy`.
    """

    community_code: int
    code: str
    name: str
    built_year: int | None
    is_demonstration: bool
    building_count: int
    stairwell_count: int
    household_count: int | None
    version: int
    valid_from: date
    lon: float
    lat: float


@dataclass(frozen=True)
class Stairwell:
    """A stairwell as it is since a day, with what it is part of; area in square metres.

    Attributes
    ----------
    household_count
        ``None`` where a planner asks and it is withheld by the rule of `geodata.privacy`.
    """

    community_code: int
    code: str
    name: str
    building_code: str
    building_name: str
    compound_code: str
    compound_name: str
    household_count: int | None
    version: int
    valid_from: date
    area_m2: float
    lon: float
    lat: float
