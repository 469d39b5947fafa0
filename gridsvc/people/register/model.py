"""Members of the register in plain Python.

Terms, absences and exclusions hold from ``since`` to the day before ``until``; without an end they
hold until further notice.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True)
class Home:
    """Where a member lives: a stairwell, else a building, else a point only.

    Attributes
    ----------
    lon, lat
        EPSG:4326; needed where neither code is given.
    """

    stairwell_code: str | None = None
    building_code: str | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, order=True)
class Hours:
    """A time of the week, in minutes since midnight, local time; Monday is 1."""

    weekday: int
    from_minute: int
    to_minute: int


@dataclass(frozen=True)
class Absence:
    """Days on which a member cannot be asked."""

    id: UUID
    kind: str
    since: date
    until: date | None


@dataclass(frozen=True)
class Consent:
    """A member agreed to be kept and asked; not from the day of withdrawal on."""

    id: UUID
    given_on: date
    withdrawn_on: date | None
    basis: str


@dataclass(frozen=True)
class Exclusion:
    """A stairwell, or a person, that a member must not be the contact of."""

    id: UUID
    stairwell_code: str | None
    other_member_id: UUID | None
    reason: str
    since: date
    until: date | None


@dataclass(frozen=True)
class Post:
    """An office that a member holds; a beginning that is not known is None."""

    id: UUID
    kind: str
    compound_code: str | None
    building_code: str | None
    place_name: str | None
    since: date | None
    until: date | None


@dataclass(frozen=True)
class ListedMember:
    """A member in the register, the phone masked.

    Attributes
    ----------
    is_free
        Whether they can be asked today: switched on, agreed, not absent.
    absent_until
        First day back, where absent and known.
    posts
        Kinds of the offices held today.
    """

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    affiliation: str | None
    home_stairwell_code: str | None
    home_building_code: str | None
    home_name: str | None
    branch_id: UUID | None
    branch_name: str | None
    reported_in_on: date | None
    capacity_households: int
    capacity_stairwells: int
    is_available: bool
    is_free: bool
    has_consent: bool
    is_absent: bool
    absent_until: date | None
    posts: tuple[str, ...]
    skills: tuple[str, ...]
    dialects: tuple[str, ...]
    version: int


@dataclass(frozen=True)
class Member:
    """A member with all that is known of them; exclusions are told to staff only."""

    listed: ListedMember
    lon: float
    lat: float
    hours: tuple[Hours, ...]
    absences: tuple[Absence, ...]
    consents: tuple[Consent, ...]
    exclusions: tuple[Exclusion, ...]
    posts: tuple[Post, ...]


@dataclass(frozen=True)
class Filter:
    """What the register is narrowed to; None: no matter.

    Attributes
    ----------
    is_free
        Whether they can be asked today.
    post
        Kind of an office held today.
    compound_code
        Where they live.
    """

    community_code: int | None = None
    affiliation: str | None = None
    post: str | None = None
    branch_id: UUID | None = None
    compound_code: str | None = None
    is_free: bool | None = None


@dataclass(frozen=True)
class Draft:
    """A member as somebody wrote them down.

    Attributes
    ----------
    phone
        As people write it; None: none.
    consented_on
        Day on which the member agreed; without it, nobody is kept.
    """

    community_code: int
    name: str
    phone: str | None
    affiliation: str
    home: Home
    capacity_households: int
    capacity_stairwells: int
    consented_on: date
    reported_in_on: date | None = None
    branch_id: UUID | None = None
    skills: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    is_available: bool = True


@dataclass(frozen=True)
class Branch:
    """A Party branch that members can belong to."""

    id: UUID
    community_code: int
    name: str
