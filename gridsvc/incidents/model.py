"""Incidents and heat in plain Python."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

STATUSES = ("reported", "triaged", "assigned", "in_progress", "resolved", "verified", "closed")
PLACES = ("stairwell", "compound", "community", "outside")


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
    """An incident as a reader sees it; position in EPSG:4326."""

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
