"""Steps and events of incidents, in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

PRIVATE_STEPS = frozenset({"assign", "hand_back", "note"})
"""Steps that a reporter does not see, unless whoever makes one says otherwise."""


@dataclass(frozen=True)
class Step:
    """What somebody wants to do with an incident.

    Attributes
    ----------
    kind
        One of the steps of incidents; ``report`` and ``follow`` come about by themselves.
    note
        Words; some steps need them.
    is_public
        Whether the reporter may read it; default: depends on the step.
    by
        ``account``, ``party``, ``reporter`` or ``rule``; default: by the role of the caller.
    account, party
        Whom to assign it to: one of them.
    original
        The incident that tells of the same.
    community_code
        Where it belongs.
    category_code
        What it is after all: for ``triage``.
    level
        Up to where it escalates; default: the next level.
    """

    kind: str
    note: str = ""
    is_public: bool | None = None
    by: str | None = None
    account: UUID | None = None
    party: UUID | None = None
    original: UUID | None = None
    community_code: int | None = None
    category_code: str | None = None
    level: str | None = None


@dataclass(frozen=True)
class Event:
    """One step that was made.

    Attributes
    ----------
    position
        Counted from 1; the version of the incident after it.
    status_before
        Absent for the report itself.
    actor_account
        Who it was, where it was an account.
    details
        Ids and codes: whom it was assigned to, what it is a duplicate of.
    """

    community_code: int
    id: UUID
    incident_id: UUID
    position: int
    step: str
    status_before: str | None
    status_after: str
    at: datetime
    actor_account: UUID | None
    actor_kind: str
    note: str
    is_public: bool
    details: Mapping[str, Any]
