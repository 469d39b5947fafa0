"""Reports without an account over the wire."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.errors import Problem
from gridsvc.db import new_id
from gridsvc.incidents.photos.model import Photo
from gridsvc.incidents.reporting.model import (
    LONGEST_WORDS,
    Filed,
    Followed,
    NewReport,
    Similar,
    Spot,
    Where,
    id_of_key,
)
from gridsvc.incidents.reporting.words import is_email, plain_words

MOST_REPORTS = 100
_CLOCK_AHEAD = timedelta(days=1)
_OLDEST = timedelta(days=30)
# Longer ones are told so before they are looked at letter by letter.
_LONGEST_RAW = 4 * LONGEST_WORDS

_OF_A_LINK = r"^[A-Za-z0-9_-]{24}$"
PlaceKind = Literal["stairwell", "compound", "community", "outside"]


def _now(moment: datetime) -> datetime:
    """Take a clock that is somewhat ahead as now; refuse the future, and what is long past."""
    now = datetime.now(UTC)
    if moment > now + _CLOCK_AHEAD:
        raise ValueError("in the future")
    if moment < now - _OLDEST:
        raise ValueError(f"more than {_OLDEST.days} days ago")
    return min(moment, now)


def _plain(text: str) -> str:
    """Return words without what no reader should get; none, or too many, are refused."""
    words = plain_words(text)
    if not words:
        raise ValueError("no words")
    if len(words) > LONGEST_WORDS:
        raise ValueError(f"more than {LONGEST_WORDS} characters")
    return words


def _address(text: str) -> str | None:
    """Return an address; an empty one is none."""
    given = text.strip()
    if given and not is_email(given):
        raise ValueError("no e-mail address")
    return given or None


ReportWords = Annotated[str, StringConstraints(max_length=_LONGEST_RAW), AfterValidator(_plain)]
CategoryCode = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z_]+(\.[a-z_]+)?$")]
StairwellText = Annotated[str, StringConstraints(pattern=r"^[0-9]{20}$")]
CompoundText = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]


class WhereIn(BaseModel):
    """A place: exactly one of a stairwell, a compound, and a point."""

    model_config = ConfigDict(extra="forbid")

    stairwell_code: StairwellText | None = Field(default=None, description="20 digits.")
    compound_code: CompoundText | None = Field(
        default=None, description="15 digits: somewhere in this compound."
    )
    lon: float | None = Field(default=None, ge=-180, le=180, description="Degrees, EPSG:4326.")
    lat: float | None = Field(default=None, ge=-85, le=85, description="Degrees, EPSG:4326.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        has_point = self.lon is not None and self.lat is not None
        if (self.lon is None) != (self.lat is None):
            raise ValueError("a point has lon and lat")
        if sum((self.stairwell_code is not None, self.compound_code is not None, has_point)) != 1:
            raise ValueError("one of stairwell_code, compound_code, and lon with lat")
        return self

    @property
    def where(self) -> Where:
        """The place as the service takes it."""
        return Where(self.stairwell_code, self.compound_code, self.lon, self.lat)


class ReportIn(BaseModel):
    """A report: what, where, in which words; optionally under which id and secret."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = Field(default=None, description="UUIDv7; phones make it offline.")
    secret: str | None = Field(
        default=None,
        pattern=_OF_A_LINK,
        description="18 random bytes, made by the phone: with it a repetition of the report is "
        "answered as the first time, with the link. Without it, and without Idempotency-Key, an "
        "id that is there already is a conflict.",
    )
    category_code: CategoryCode = Field(examples=["public_facility.stairwell_lights"])
    words: ReportWords = Field(
        description=f"At most {LONGEST_WORDS} characters.", examples=["三楼的灯不亮"]
    )
    where: WhereIn
    reported_at: Annotated[AwareDatetime, AfterValidator(_now)] = Field(
        default_factory=lambda: datetime.now(UTC),
        description="When it was written, for a phone that was offline: at most 30 days ago.",
    )
    email: Annotated[
        str | None, StringConstraints(max_length=254), AfterValidator(lambda e: e and _address(e))
    ] = Field(default=None, description="Where answers go, or nothing.")
    language: Literal["zh", "en"] = "zh"

    def wish(self, *, key: str | None, entry: str = "api") -> NewReport:
        """Return the report as the service takes it."""
        made_id = id_of_key(key) if key else new_id()
        return NewReport(
            self.id or made_id,
            self.category_code,
            self.words,
            self.where.where,
            self.reported_at,
            email=self.email,
            language=self.language,
            entry=entry,
            secret=self.secret,
            key=key,
        )


class BatchedReportIn(ReportIn):
    """A report of a batch: without an id and a secret of its own, it could be doubled or lost."""

    id: UUID = Field(description="UUIDv7; phones make it offline.")
    secret: str = Field(pattern=_OF_A_LINK, description="18 random bytes, made by the phone.")


class SpotOut(BaseModel):
    """A place in the words that people know; position in EPSG:4326."""

    place: PlaceKind
    community_code: int
    community_name: str
    compound_code: str | None
    compound_name: str
    stairwell_code: str | None
    stairwell_name: str
    lon: float
    lat: float

    @classmethod
    def of(cls, spot: Spot) -> "SpotOut":
        """Return a place for an answer."""
        return cls.model_validate(vars(spot))


class ReportOut(BaseModel):
    """A report that was taken, and the link that follows it."""

    id: UUID
    status: str
    category_code: str
    reported_at: datetime
    where: SpotOut
    token: str = Field(description="Secret: it opens the report, without an account.")
    link: str = Field(description="The page that follows the report; the token stands behind #.")

    @classmethod
    def of(cls, filed: Filed, *, origin: str) -> "ReportOut":
        """Return what the reporter gets."""
        return cls(
            id=filed.id,
            status=filed.status,
            category_code=filed.category_code,
            reported_at=filed.reported_at,
            where=SpotOut.of(filed.spot),
            token=filed.token,
            link=follow_link(filed.token, origin=origin),
        )


def follow_link(token: str, *, origin: str) -> str:
    """Return the link that follows a report; what stands behind # never leaves the browser."""
    return f"{origin}/report/follow#{token}"


class BatchIn(BaseModel):
    """Reports that a phone made offline; each is judged by itself."""

    model_config = ConfigDict(extra="forbid")

    reports: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_REPORTS,
        description="Each as the body of POST /api/v1/reports, with its own id and secret.",
    )


class BatchItemOut(BaseModel):
    """What came of one report of a batch: either the report or the problem."""

    index: int
    status: int = Field(description="As POST /api/v1/reports would have answered.")
    report: ReportOut | None = None
    problem: Problem | None = None


class BatchOut(BaseModel):
    """What came of each report, in the order in which they were sent."""

    items: list[BatchItemOut]


class NearbyIn(BaseModel):
    """What somebody is about to report, and where."""

    model_config = ConfigDict(extra="forbid")

    category_code: CategoryCode
    where: WhereIn


class SimilarOut(BaseModel):
    """An open public incident of the same class within 50 m, in what everybody may know."""

    id: UUID
    category_code: str
    status: str
    reported_at: datetime
    words: str = Field(description="Long numbers and addresses are hidden.")
    place_name: str
    distance_m: int = Field(description="Rounded up to tens.")
    thumbnail: str | None = Field(description="Address of a published photo.")

    @classmethod
    def of(cls, found: Similar) -> "SimilarOut":
        """Return a suggestion for an answer."""
        photo = found.photo_id and f"/api/v1/photos/{found.community_code}/{found.photo_id}"
        return cls.model_validate(
            vars(found) | {"thumbnail": f"{photo}?size=thumb" if photo else None}
        )


class NearbyOut(BaseModel):
    """Where a place is, in words, and what is reported there already."""

    where: SpotOut
    similar: list[SimilarOut]


class StepOut(BaseModel):
    """Something that happened to a report."""

    kind: str
    at: datetime
    words: str


class FollowedOut(BaseModel):
    """A report as its reporter sees it."""

    id: UUID
    status: str
    category_code: str
    reported_at: datetime
    closed_at: datetime | None
    words: str
    where: SpotOut
    has_email: bool
    can_confirm: bool
    can_reopen: bool
    steps: list[StepOut]

    @classmethod
    def of(cls, followed: Followed) -> "FollowedOut":
        """Return a report for an answer."""
        return cls(
            id=followed.id,
            status=followed.status,
            category_code=followed.category_code,
            reported_at=followed.reported_at,
            closed_at=followed.closed_at,
            words=followed.words,
            where=SpotOut.of(followed.spot),
            has_email=followed.has_email,
            can_confirm=followed.can_confirm,
            can_reopen=followed.can_reopen,
            steps=[StepOut.model_validate(vars(step)) for step in followed.steps],
        )


class PhotoOut(BaseModel):
    """A photo of a report, without its bytes."""

    id: UUID
    position: int
    width_px: int
    height_px: int
    created_at: datetime
    is_published: bool

    @classmethod
    def of(cls, photo: Photo) -> "PhotoOut":
        """Return a photo for an answer."""
        return cls.model_validate(vars(photo))
