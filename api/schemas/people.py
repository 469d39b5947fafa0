"""Members over the wire: phones masked, but in the answer to a reveal."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Purpose = Literal["contact_duty", "incident", "emergency", "correction"]
Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


class SearchIn(BaseModel):
    """What to look for: part of a name, or a whole masked phone."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    words: Words


class FoundMemberOut(BaseModel):
    """A member, the phone masked."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    is_party_member: bool | None
    is_available: bool
    posts: list[str] = Field(description="Offices held, such as building_chief.")


class FoundOut(BaseModel):
    """At most fifty members, by name."""

    items: list[FoundMemberOut]
    is_cut: bool = Field(description="There are more: ask for more of the name.")


class RevealIn(BaseModel):
    """What the phone is needed for; it is noted."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class RevealedOut(BaseModel):
    """Name and phone in clear; keep them nowhere."""

    model_config = ConfigDict(from_attributes=True)

    member_id: UUID
    name: str
    phone: str | None
