"""People in plain Python."""

from dataclasses import dataclass
from uuid import UUID

AFFILIATIONS = ("party_member", "league_member", "masses")
POST_KINDS = ("building_chief", "lane_chief", "street_chief")
ABSENCE_KINDS = ("leave", "moved", "ill", "other")
CONSENT_BASES = ("given", "carried_over")
PURPOSES = ("contact_duty", "incident", "emergency", "correction")
"""What a phone may be revealed for."""


@dataclass(frozen=True)
class FoundMember:
    """A member as a search shows one: enough to tell two apart, the phone masked.

    Attributes
    ----------
    posts
        Kinds of the offices held today, such as ``building_chief``.
    """

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    is_party_member: bool | None
    is_available: bool
    posts: tuple[str, ...]


@dataclass(frozen=True)
class Revealed:
    """Who a member is, in clear; absent phone: none was ever given."""

    member_id: UUID
    name: str
    phone: str | None
