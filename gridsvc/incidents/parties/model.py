"""Parties and their links, in plain Python."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Scope

NAME_LENGTH = 80
EMAIL_LENGTH = 254


@dataclass(frozen=True)
class Party:
    """Somebody without an account whom incidents are handed to.

    Attributes
    ----------
    kind
        property_company, bureau, utility or other.
    has_email
        Whether an address is kept; it is shown to nobody.
    is_retired
        Nothing new is handed to it.
    """

    community_code: int
    id: UUID
    name: str
    kind: str
    has_email: bool
    is_retired: bool


@dataclass(frozen=True)
class Link:
    """A link as it was just made: its token is told once, and only its hash is kept."""

    token: str
    party_id: UUID
    incident_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class Holder:
    """Whoever came by a link: what the link is for, and the scope that it opens."""

    incident_id: UUID
    party_id: UUID
    scope: Scope
