"""Incidents as the public gets them, in plain Python."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

ENDED = ("verified", "closed", "duplicate", "not_ours")
"""Statuses of what the public calls closed; solved counts once somebody else has verified it."""


@dataclass(frozen=True)
class Jurisdiction:
    """A sub-district as whoever reports there knows it."""

    code: int
    name: str


@dataclass(frozen=True)
class Moment:
    """Something that happened to an incident and that everybody may know: a step, without words."""

    at: datetime
    step: str


@dataclass(frozen=True)
class PublicIncident:
    """An incident of a public category; nobody's words, and no place finer than a compound.

    Attributes
    ----------
    first_answer_at, resolved_at, verified_at, closed_at
        When each came to pass; absent where it has not, or no longer holds.
    compound_code, compound_name
        Absent where it fell in none, or in one whose households are too few to be told.
    lon, lat
        A point of that compound, else of the community, the same for all of them. EPSG:4326.
    due_at
        Until when the next step is to be made; absent where that is not set.
    """

    community_code: int
    id: UUID
    category_code: str
    name_zh: str
    name_en: str
    status: str
    reported_at: datetime
    first_answer_at: datetime | None
    resolved_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    community_name: str
    compound_code: str | None
    compound_name: str | None
    lon: float
    lat: float

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to be done."""
        return self.status in ENDED

    @property
    def updated_at(self) -> datetime:
        """When it last changed, as far as the public is told."""
        return self.history[-1].at

    @property
    def history(self) -> tuple[Moment, ...]:
        """What happened, the oldest first."""
        moments = {
            "report": self.reported_at,
            "answer": self.first_answer_at,
            "resolve": self.resolved_at,
            "verify": self.verified_at,
            "close": self.closed_at,
        }
        known = [Moment(at, step) for step, at in moments.items() if at is not None]
        # An import may bring a closing that is older than what is known of the rest.
        return tuple(sorted(known, key=lambda moment: moment.at))


@dataclass(frozen=True)
class PublicQuery:
    """Which public incidents are wanted; what is None is no condition.

    Attributes
    ----------
    since, until
        When they were reported, both ends included.
    box
        ``xmin, ymin, xmax, ymax``, EPSG:4326, of the point that is told: a box round the true
        place would tell that place to whoever asks with smaller and smaller ones.
    """

    ids: Collection[UUID] | None = None
    category_codes: Collection[str] | None = None
    is_closed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    box: tuple[float, float, float, float] | None = None
    offset: int = 0
    limit: int = 1000


@dataclass(frozen=True)
class NewRequest:
    """A report that a program sends; one kind of place is given at least.

    Attributes
    ----------
    lon, lat
        EPSG:4326.
    address_id
        Code of a compound or stairwell.
    address
        Words that name a compound.
    answers
        To the questions of the category, by their codes.
    """

    id: UUID
    category_code: str
    words: str
    lon: float | None = None
    lat: float | None = None
    address_id: str | None = None
    address: str | None = None
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Spot:
    """Where a report is: a community (outside of all, the sub-district), and a point, EPSG:4326."""

    community_code: int
    lon: float
    lat: float
