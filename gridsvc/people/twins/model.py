"""Pairs of members who may be one person, in plain Python."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Offer = Literal["merge", "make_unavailable"]


@dataclass(frozen=True)
class Twin:
    """One of a pair, the phone masked."""

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    home_building_code: str | None
    is_available: bool
    version: int


@dataclass(frozen=True)
class Twins:
    """Two members who may be one person.

    Attributes
    ----------
    score
        In (0, 1]: how much speaks for it.
    reasons
        ``same_phone``, ``same_masked_phone``, ``same_name``, ``similar_name``, ``same_home``.
    offer
        ``merge`` in one community. Facts never change community: of two in different ones, one
        can be made unavailable.
    """

    one: Twin
    other: Twin
    score: float
    reasons: tuple[str, ...]
    offer: Offer
