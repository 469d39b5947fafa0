"""An entry of the trail, in plain Python."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class AuditEvent:
    """Who did what to which subject, and when.

    Attributes
    ----------
    account_id
        Absent for jobs and for visitors without an account.
    subject
        Code or id of what was changed or revealed; never words or names.
    detail
        Codes and counts.
    """

    community_code: int
    id: UUID
    at: datetime
    account_id: UUID | None
    action: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class AuditFilter:
    """Which events to find; what is absent does not matter."""

    community_code: int | None = None
    account_id: UUID | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
