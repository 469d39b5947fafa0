"""Plans of household contacts, their lines, and the contacts in force."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import (
    DATERANGE,
    JSONB,
    TIMESTAMP,
    ExcludeConstraint,
    Range,
)
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.contacts.model import PLAN_STATUSES, REASONS
from gridsvc.db import Base, FactMixin

STAIRWELL_KEY = ["stairwell.community_code", "stairwell.code"]
MEMBER_KEY = ["member.community_code", "member.id"]


class ContactPlanRow(FactMixin, Base):
    """A proposal of lead contacts for one community, part of a run over the caller's territory."""

    __tablename__ = "contact_plan"
    __table_args__ = (
        CheckConstraint(f"status IN {PLAN_STATUSES}", name="status"),
        Index("contact_plan_run_idx", "community_code", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
    applied_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    seed: Mapped[int]
    weights: Mapped[dict[str, Any]] = mapped_column(JSONB)
    objective: Mapped[int] = mapped_column(BigInteger)
    bound: Mapped[float] = mapped_column(Float)
    overload_households: Mapped[int]
    nearest_overload_households: Mapped[int]


class ContactPlanLineRow(FactMixin, Base):
    """One stairwell of a plan: who, and why; or nobody, and why."""

    __tablename__ = "contact_plan_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "plan_id"], ["contact_plan.community_code", "contact_plan.id"]
        ),
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint(f"reason IN {REASONS}", name="reason"),
        CheckConstraint("(member_id IS NULL) = (distance_m IS NULL)", name="member"),
    )

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    stairwell_code: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID | None]
    reason: Mapped[str]
    distance_m: Mapped[int | None]


class ContactRow(FactMixin, Base):
    """A household contact in force during ``valid``; two leads on one day are impossible."""

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(
            ["community_code", "plan_id"], ["contact_plan.community_code", "contact_plan.id"]
        ),
        CheckConstraint("kind IN ('lead', 'supporting')", name="kind"),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        ExcludeConstraint(
            (literal_column("community_code"), "="),
            (literal_column("stairwell_code"), "="),
            (literal_column("valid"), "&&"),
            name="contact_lead_excl",
            using="gist",
            where=text("kind = 'lead'"),
        ),
        Index("contact_stairwell_idx", "community_code", "stairwell_code"),
        Index("contact_member_idx", "community_code", "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    stairwell_code: Mapped[str]
    member_id: Mapped[UUID]
    kind: Mapped[str]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    plan_id: Mapped[UUID | None]
    tier: Mapped[int] = mapped_column(SmallInteger)
    distance_m: Mapped[int]
