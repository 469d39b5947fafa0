"""Incidents and heat in plain Python."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

STATUSES = (
    *("reported", "triaged", "assigned", "in_progress", "hung", "resolved", "verified"),
    *("closed", "duplicate", "not_ours"),
)
ENDS = ("closed", "duplicate", "not_ours")
"""What is over; it can be reopened."""
PLACES = ("stairwell", "compound", "community", "outside")

STEPS = (
    *("report", "triage", "assign", "start", "answer", "resolve", "verify", "refuse", "close"),
    *("reopen", "mark_duplicate", "not_ours", "move", "hang", "resume", "hand_back", "escalate"),
    *("note", "follow"),
)
ACTOR_KINDS = ("account", "party", "reporter", "rule")
NOTE_LENGTH = 4_000
"""Characters that a note may have."""


@dataclass(frozen=True)
class NewIncident:
    """A report as it comes in; the place is found by the service."""

    id: UUID
    category_code: str
    reported_at: datetime
    summary: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Incident:
    """An incident as a reader sees it; position in EPSG:4326.

    Attributes
    ----------
    nearest_stairwell_code
        Of the same compound, for what happened outdoors.
    version
        One more with each step; 1 where nothing has happened since the report.
    level
        Who is to settle it: ``compound``, ``community``, ``street`` (the joint meeting).
    handler_account, handler_party
        Who sees to it: an account, or a party without one.
    due_at, due_rule
        Until when the next step is to be made, and why then: the step and its limit, such as
        ``resolve 2d``; absent where nothing is due.
    resolved_by
        Account that said it is solved: somebody else verifies.
    duplicate_of
        The incident that tells of the same.
    moved_to_code, moved_to
        Community that it belongs to, and its incident there once that is made.
    moved_from_code, moved_from
        Community and incident that it came from.
    """

    community_code: int
    id: UUID
    category_code: str
    status: str
    reported_at: datetime
    closed_at: datetime | None
    summary: str
    place: str
    stairwell_code: str | None
    compound_code: str | None
    is_flagged: bool
    lon: float
    lat: float
    nearest_stairwell_code: str | None
    version: int
    level: str
    handler_account: UUID | None
    handler_party: UUID | None
    due_at: datetime | None
    due_rule: str | None
    first_answer_at: datetime | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    resolved_level: str | None
    verified_at: datetime | None
    reopened_count: int
    duplicate_of: UUID | None
    moved_to_code: int | None
    moved_to: UUID | None
    moved_from_code: int | None
    moved_from: UUID | None


@dataclass(frozen=True)
class HeatTotals:
    """What a heat map says beside its cells.

    Attributes
    ----------
    shown, withheld
        Incidents in the cells, and in what the small-count rule holds back; ``withheld`` is None
        where that number itself is too small to tell.
    through
        Last calendar month counted whole, as its first day; ``None`` where everything counts.
    """

    shown: int
    withheld: int | None
    through: date | None
