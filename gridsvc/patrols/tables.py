"""Patrol teams, their shifts, the routes planned for them, and what was left out and why."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin
from gridsvc.patrols.model import LEFT_OUT_REASONS, NETWORKS
from gridsvc.territory.tables import geometry


class TeamRow(FactMixin, Base):
    """A patrol team with the post it starts from."""

    __tablename__ = "patrol_team"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    starts: Mapped[time]
    ends: Mapped[time]
    geom: Mapped[Any] = mapped_column(geometry("POINT"))


class ShiftRow(FactMixin, Base):
    """One evening of a team; a team has one shift at a time."""

    __tablename__ = "patrol_shift"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "team_id"], ["patrol_team.community_code", "patrol_team.id"]
        ),
        ExcludeConstraint(
            (literal_column("community_code"), "="),
            (literal_column("team_id"), "="),
            (literal_column("during"), "&&"),
            name="patrol_shift_team_excl",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class RouteRow(FactMixin, Base):
    """The route of one shift; planning again replaces it."""

    __tablename__ = "patrol_route"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "shift_id"], ["patrol_shift.community_code", "patrol_shift.id"]
        ),
        UniqueConstraint("community_code", "shift_id"),
        CheckConstraint(f"network IN {NETWORKS}", name="network"),
        Index("patrol_route_run_idx", "community_code", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    shift_id: Mapped[UUID]
    network: Mapped[str]
    seed: Mapped[int]
    distance_m: Mapped[int]
    walk_s: Mapped[int]
    prize: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
    geom: Mapped[Any | None] = mapped_column(geometry("LINESTRING"))


class StopRow(FactMixin, Base):
    """A stop of a route, in order, with its reason."""

    __tablename__ = "patrol_stop"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "route_id"], ["patrol_route.community_code", "patrol_route.id"]
        ),
        ForeignKeyConstraint(
            ["community_code", "stairwell_code"], ["stairwell.community_code", "stairwell.code"]
        ),
    )

    route_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    stairwell_code: Mapped[str]
    prize: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    arrives_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    departs_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    geom: Mapped[Any] = mapped_column(geometry("POINT"))


class LeftOutRow(FactMixin, Base):
    """A stairwell that tonight's routes leave out, with the reason that was tested."""

    __tablename__ = "patrol_left_out"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "stairwell_code"], ["stairwell.community_code", "stairwell.code"]
        ),
        CheckConstraint(f"reason IN {LEFT_OUT_REASONS}", name="reason"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    stairwell_code: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    prize: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
