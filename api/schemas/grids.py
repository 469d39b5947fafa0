"""Grids and their corrections over the wire; geometries are GeoJSON, EPSG:4326, lon-lat."""

from datetime import date
from typing import Annotated, Any, Literal

import orjson
import shapely
from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from gridsvc.territory.editing.model import Descent, FormerGrid, Grid

MAX_VERTICES = 20_000
GridCode = Annotated[
    str,
    Path(
        pattern=r"^([0-9]{15}|[0-9]{18}|[0-9]{20})$",
        description="A compound (15 digits), building (18) or stairwell (20).",
    ),
]
GridCodeIn = Annotated[str, Field(pattern=r"^([0-9]{15}|[0-9]{18}|[0-9]{20})$")]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
Reason = Annotated[
    str,
    Field(
        min_length=3,
        max_length=300,
        pattern=r"^[^\x00]*$",
        description="Why, for whoever reads the history; no names of persons.",
    ),
]
OnDay = Annotated[
    date | None, Field(description="First day of the change; default: today in Shanghai.")
]
Households = Annotated[int, Field(ge=0, le=10_000)]


def _outline(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is no GeoJSON polygon, before anybody measures it."""
    shape = to_shape(given)
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        raise ValueError("must be a Polygon or a MultiPolygon")  # noqa: TRY004 - pydantic's way
    if shapely.get_num_coordinates(shape) > MAX_VERTICES:
        raise ValueError(f"has more than {MAX_VERTICES} vertices")
    return given


def to_shape(outline: dict[str, Any]) -> BaseGeometry:
    """Return a geometry from GeoJSON; heights are dropped."""
    try:
        shape = shapely.from_geojson(orjson.dumps(outline))
    except (GEOSException, orjson.JSONEncodeError) as error:
        raise ValueError("is no GeoJSON geometry") from error
    flat: BaseGeometry = shapely.force_2d(shape)
    return flat


Outline = Annotated[dict[str, Any], AfterValidator(_outline)]


class GridOut(BaseModel):
    """A compound, building or stairwell as it is, or was, from a day on."""

    kind: Literal["compound", "building", "stairwell"]
    code: str
    community_code: int
    parent_code: str
    name: str
    version: int
    valid_from: date
    retired_on: date | None
    retired_reason: str | None
    built_year: int | None = None
    is_demonstration: bool | None = None
    building_kind: str | None = None
    levels: int | None = None
    household_count: int | None = Field(
        default=None, description="Of a stairwell; null where it is not told to a planner."
    )
    geometry: dict[str, Any]

    @classmethod
    def of(cls, grid: Grid) -> "GridOut":
        """Return the wire form of a grid."""
        fields = dict(grid.fields)
        if grid.kind == "building":
            fields["building_kind"] = fields.pop("kind")
        return cls(
            kind=grid.kind,
            code=grid.code,
            community_code=grid.community_code,
            parent_code=grid.parent_code,
            name=grid.name,
            version=grid.version,
            valid_from=grid.valid_from,
            retired_on=grid.retired_on,
            retired_reason=grid.retired_reason,
            geometry=orjson.loads(shapely.to_geojson(grid.geometry)),
            **fields,
        )


class FormerGridOut(BaseModel):
    """What a grid was until the day `valid_to`, and why it changed."""

    grid: GridOut
    valid_to: date
    reason: str

    @classmethod
    def of(cls, former: FormerGrid) -> "FormerGridOut":
        """Return the wire form of a former grid."""
        return cls(grid=GridOut.of(former.grid), valid_to=former.valid_to, reason=former.reason)


class DescentOut(BaseModel):
    """A grid that took the place of another, and the share of the other's area that it took."""

    predecessor_code: str
    successor_code: str
    kind: Literal["split", "merge", "move"]
    share: float

    @classmethod
    def of(cls, descent: Descent) -> "DescentOut":
        """Return the wire form of a descent."""
        return cls.model_validate(descent, from_attributes=True)


class HistoryOut(BaseModel):
    """A grid through time: now, before (the oldest first), what it came from and became."""

    grid: GridOut
    former: list[FormerGridOut]
    predecessors: list[DescentOut]
    successors: list[DescentOut]


class RedrawIn(BaseModel):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    geometry: Outline | None = None
    household_count: Households | None = None
    built_year: Annotated[int, Field(ge=1800, le=2200)] | None = None
    is_demonstration: bool | None = None
    building_kind: Literal["slab", "tower", "other"] | None = None
    levels: Annotated[int, Field(ge=1, le=200)] | None = None
    reason: Reason
    on: OnDay = None

    def fields(self) -> dict[str, Any]:
        """Return the facts that are given, under the names of the table."""
        names = {
            "household_count": self.household_count,
            "built_year": self.built_year,
            "is_demonstration": self.is_demonstration,
            "kind": self.building_kind,
            "levels": self.levels,
        }
        return {name: value for name, value in names.items() if value is not None}


class PieceIn(BaseModel):
    """A part of a grid that is split."""

    geometry: Outline
    name: Name | None = None
    household_count: Households | None = Field(
        default=None, description="Of a stairwell; default: its share of the area."
    )


class SplitIn(BaseModel):
    """The parts that a grid is split into; together they are the grid."""

    pieces: Annotated[list[PieceIn], Field(min_length=2, max_length=99)]
    reason: Reason
    on: OnDay = None


class VersionIn(BaseModel):
    """A grid, and the version of it that was seen."""

    code: GridCodeIn
    version: Annotated[int, Field(ge=1)]


class MergeIn(BaseModel):
    """Grids that are made one."""

    grids: Annotated[list[VersionIn], Field(min_length=2, max_length=99)]
    name: Name
    reason: Reason
    on: OnDay = None


class VoidIn(BaseModel):
    """Why a grid ends."""

    reason: Reason
    on: OnDay = None


class EditOut(BaseModel):
    """What was done: grids in force by it, codes that ended, and how they relate."""

    on: date
    grids: list[GridOut]
    retired: list[str]
    descents: list[DescentOut]
