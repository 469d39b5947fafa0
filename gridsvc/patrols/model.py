"""Patrols in plain Python."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

NETWORKS = ("streets", "straight")
LEFT_OUT_REASONS = ("no_team", "unreachable", "too_far", "window", "traded")


@dataclass(frozen=True)
class Stop:
    """A stop of a route; position in EPSG:4326."""

    position: int
    stairwell_code: str
    name: str
    prize: int
    facts: dict[str, Any]
    arrives_at: datetime
    departs_at: datetime
    lon: float
    lat: float


@dataclass(frozen=True, kw_only=True)
class RouteSummary:
    """A team's route of one shift, without its stops.

    Attributes
    ----------
    network
        ``streets``, or ``straight`` where no network was known: line of sight × circuity.
    """

    community_code: int
    id: UUID
    run_id: UUID
    team_name: str
    starts_at: datetime
    ends_at: datetime
    network: str
    distance_m: int
    walk_s: int
    prize: int
    stop_count: int


@dataclass(frozen=True, kw_only=True)
class Route(RouteSummary):
    """A route with its line and stops.

    Attributes
    ----------
    post_lon, post_lat
        Where the team starts and ends; EPSG:4326.
    line
        Vertices as lon, lat; empty for a route without stops.
    """

    post_lon: float
    post_lat: float
    line: tuple[tuple[float, float], ...]
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class LeftOut:
    """A stairwell that no route reaches, with the reason that was tested."""

    stairwell_code: str
    reason: str
    prize: int
    facts: dict[str, Any]
