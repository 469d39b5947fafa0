"""Incidents and heat over the wire."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from gridsvc.db import new_id

_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_AHEAD = timedelta(days=1)


def _plausible(moment: datetime) -> datetime:
    """Refuse years that no phone's clock has; a clock that is somewhat ahead may be."""
    if not _FIRST_DAY <= moment <= datetime.now(UTC) + _CLOCK_AHEAD:
        raise ValueError("not between the year 2000 and now")
    return moment


ReportTime = Annotated[AwareDatetime, AfterValidator(_plausible)]
Place = Literal["stairwell", "compound", "community", "outside"]


class CategoryOut(BaseModel):
    """A category; a sub-category names its class as parent."""

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    is_public: bool


class IncidentIn(BaseModel):
    """A report: what, where, and optionally when and under which id."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(default_factory=new_id, description="UUIDv7; phones make it offline.")
    category_code: str = Field(max_length=60, examples=["sanitation.rubbish"])
    summary: Annotated[
        str,
        # PostgreSQL has no place for a NUL in text.
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$"
        ),
    ] = Field(examples=["楼道堆放纸箱"])
    lon: float = Field(ge=-180, le=180, description="Degrees, EPSG:4326.")
    lat: float = Field(ge=-85, le=85, description="Degrees, EPSG:4326.")
    reported_at: ReportTime = Field(default_factory=lambda: datetime.now(UTC))


class IncidentOut(BaseModel):
    """An incident; position in EPSG:4326."""

    id: UUID
    community_code: int
    category_code: str
    status: str
    reported_at: datetime
    closed_at: datetime | None
    summary: str
    place: Place
    stairwell_code: str | None
    compound_code: str | None
    is_flagged: bool
    lon: float
    lat: float


class HeatOut(BaseModel):
    """Heat cells as GeoJSON (EPSG:4326), and what they add up to."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[dict[str, Any]]
    shown: int
    withheld: int | None = Field(description="Null where the number itself is too small to tell.")
    through: date | None = Field(description="Last month counted, for a release.")
