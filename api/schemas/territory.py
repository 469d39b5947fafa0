"""Territory over the wire."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

CompoundCode = Annotated[
    str, Path(pattern=r"^[0-9]{15}$", description="15 digits: community, compound.")
]
StairwellCode = Annotated[
    str,
    Path(
        pattern=r"^[0-9]{20}$", description="20 digits: community, compound, building, stairwell."
    ),
]
AsOf = Annotated[
    date | None,
    Query(description="As it was at the end of this day, YYYY-MM-DD; default: as it is now."),
]
CommunityCode = Annotated[int, Field(ge=100000000000, le=999999999999, description="12 digits.")]


class CommunityOut(BaseModel):
    """A community of the caller's territory."""

    code: int
    name: str
    compound_count: int
    stairwell_count: int
    household_count: int


class CompoundOut(BaseModel):
    """A compound; the position lies inside it, EPSG:4326."""

    code: str
    community_code: int
    name: str
    built_year: int | None
    is_demonstration: bool
    building_count: int
    stairwell_count: int
    household_count: int | None = Field(description="Null where it is not told to a planner.")
    version: int
    valid_from: date = Field(description="Since when it is as it is told here.")
    lon: float
    lat: float


class StairwellOut(BaseModel):
    """A stairwell; the area is in square metres, the position EPSG:4326."""

    code: str
    community_code: int
    name: str
    building_code: str
    building_name: str
    compound_code: str
    compound_name: str
    household_count: int | None = Field(description="Null where it is not told to a planner.")
    version: int
    valid_from: date = Field(description="Since when it is as it is told here.")
    area_m2: float
    lon: float
    lat: float
