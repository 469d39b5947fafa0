"""Territory in plain Python."""

from dataclasses import dataclass


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
    """A compound; the position is a point inside it, EPSG:4326."""

    community_code: int
    code: str
    name: str
    built_year: int | None
    is_demonstration: bool
    building_count: int
    stairwell_count: int
    household_count: int
    lon: float
    lat: float


@dataclass(frozen=True)
class Stairwell:
    """A stairwell with the names of what it is part of; area in square metres.

    Attributes
    ----------
    household_count
        ``None`` where a planner asks and it is under `geodata.privacy.K`.
    """

    community_code: int
    code: str
    name: str
    building_code: str
    building_name: str
    compound_code: str
    compound_name: str
    household_count: int | None
    area_m2: float
    lon: float
    lat: float
