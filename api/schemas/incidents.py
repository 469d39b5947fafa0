"""Incidents and heat over the wire."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

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


class ChoiceOut(BaseModel):
    """One answer that can be chosen."""

    code: str
    zh: str
    en: str


class QuestionOut(BaseModel):
    """What a reporter is asked beside the words."""

    code: str
    zh: str
    en: str
    kind: Literal["text", "number", "yes_no", "choice"]
    choices: list[ChoiceOut]


Limits = Annotated[dict[str, Annotated[str, BeforeValidator(str)]], Field()]


class CategoryOut(BaseModel):
    """A category; a sub-category names its class as parent."""

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    is_public: bool
    role: str = Field(description="Who usually sees to it.")
    limits: Limits = Field(description="Working time for each step: `4h`, `2d`.")
    escalation: Limits = Field(
        description="How much working time after its time is up it goes up to a level."
    )
    questions: list[QuestionOut]


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
    nearest_stairwell_code: str | None = Field(
        description="For what happened outdoors in a compound."
    )
    version: int = Field(description="For `If-Match`.")
    level: str = Field(description="Who is to settle it: compound, community or street.")
    handler_account: UUID | None
    handler_party: UUID | None
    due_at: datetime | None = Field(description="Until when the next step is to be made.")
    due_rule: str | None = Field(
        description="That step and its limit: `resolve 2d` is two working days, `4h` four hours."
    )
    first_answer_at: datetime | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    resolved_level: str | None
    verified_at: datetime | None
    reopened_count: int
    duplicate_of: UUID | None
    moved_to_code: int | None
    moved_to: UUID | None
    moved_from_code: int | None
    moved_from: UUID | None


class HeatOut(BaseModel):
    """Heat cells as GeoJSON (EPSG:4326), and what they add up to."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[dict[str, Any]]
    shown: int
    withheld: int | None = Field(description="Null where the number itself is too small to tell.")
    through: date | None = Field(description="Last month counted, for a release.")
