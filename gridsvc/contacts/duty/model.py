"""Contacts in force, in plain Python."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

ALERT_STATES = ("none", "left", "switched_off", "no_consent", "absent")
"""Why nobody can be asked: no lead at all, or one who is gone, declines, withdrew, or is away."""


@dataclass(frozen=True)
class Stint:
    """Days on which somebody is contact of a stairwell.

    Attributes
    ----------
    kind
        ``lead`` or ``supporting``.
    first_day, end
        First day, and first day after the last; absent: until further notice.
    households
        What a supporting contact takes over.
    is_cover
        Stands in for somebody who returns.
    """

    id: UUID
    stairwell_code: str
    member_id: UUID
    kind: str
    first_day: date
    end: date | None
    plan_id: UUID | None
    tier: int
    distance_m: int
    households: int | None
    is_cover: bool

    def holds(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        return self.first_day <= day and (self.end is None or day < self.end)


@dataclass(frozen=True)
class Duty:
    """A contact of a stairwell as a list shows one, the phone masked.

    Attributes
    ----------
    since, end
        First day, and first day after the last; absent: until further notice.
    """

    community_code: int
    stairwell_code: str
    kind: str
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    households: int | None
    is_cover: bool
    since: date
    end: date | None


@dataclass(frozen=True)
class DutyFilter:
    """Which contacts to list; what is absent does not matter."""

    community_code: int | None = None
    compound_code: str | None = None
    stairwell_code: str | None = None
    member_id: UUID | None = None
    kind: str | None = None


@dataclass(frozen=True)
class OwnStairwell:
    """A stairwell that the caller is contact of.

    Attributes
    ----------
    household_count, households
        Of the stairwell, and what of it a supporting contact takes over.
    """

    community_code: int
    stairwell_code: str
    kind: str
    household_count: int
    households: int | None
    is_cover: bool
    since: date
    end: date | None


@dataclass(frozen=True)
class Alert:
    """A stairwell whose lead cannot be asked on a day.

    Attributes
    ----------
    state
        One of `ALERT_STATES`.
    back_on
        First day on which an absent lead is back, where that is known.
    supporting_count
        Supporting contacts who can be asked; with none of them, there is nobody.
    """

    community_code: int
    stairwell_code: str
    household_count: int
    state: str
    member_id: UUID | None
    name: str | None
    back_on: date | None
    supporting_count: int
