"""Plans of household contacts, their lines, pinned choices, and the contacts in force."""

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

from gridsvc.contacts.model import CHANGES, DECISIONS, PLAN_KINDS, PLAN_STATUSES, REASONS, TIERS
from gridsvc.db import Base, FactMixin

STAIRWELL_KEY = ["stairwell.community_code", "stairwell.code"]
MEMBER_KEY = ["member.community_code", "member.id"]
PLAN_KEY = ["contact_plan.community_code", "contact_plan.id"]
LINE_KEY = [
    *("contact_plan_line.community_code", "contact_plan_line.plan_id"),
    "contact_plan_line.stairwell_code",
]


class ContactPlanRow(FactMixin, Base):
    """A proposal of contacts for one community, part of a run over the caller's territory."""

    __tablename__ = "contact_plan"
    __table_args__ = (
        CheckConstraint(f"status IN {PLAN_STATUSES}", name="status"),
        CheckConstraint(f"kind IN {PLAN_KINDS}", name="kind"),
        CheckConstraint("until > day", name="days"),
        CheckConstraint("change_at_most >= 0", name="budget"),
        Index("contact_plan_run_idx", "community_code", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(server_default=text("'full'"))
    status: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
    reviewed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    applied_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    day: Mapped[date] = mapped_column(server_default=text("current_date"))
    until: Mapped[date | None]
    seed: Mapped[int]
    weights: Mapped[dict[str, Any]] = mapped_column(JSONB)
    change_at_most: Mapped[int | None]
    objective: Mapped[int] = mapped_column(BigInteger)
    bound: Mapped[float] = mapped_column(Float)
    overload_households: Mapped[int]
    nearest_overload_households: Mapped[int]
    short_households: Mapped[int] = mapped_column(server_default=text("0"))
    notes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    facts_hash: Mapped[str | None]


class ContactPlanLineRow(FactMixin, Base):
    """One stairwell of a plan: who, and why; or nobody, and why; and what was decided.

    ``household_count``, ``outline_hash`` and ``former_member_id`` are what was seen when the line
    was made or last decided on; a plan is applied only while they are still true.
    """

    __tablename__ = "contact_plan_line"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "plan_id"], PLAN_KEY),
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "former_member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "chosen_member_id"], MEMBER_KEY),
        CheckConstraint(f"reason IN {REASONS}", name="reason"),
        CheckConstraint("(member_id IS NULL) = (distance_m IS NULL)", name="member"),
        CheckConstraint(f"change IN {CHANGES}", name="change"),
        CheckConstraint(f"decision IN {DECISIONS}", name="decision"),
        CheckConstraint(
            "(decision = 'overridden') = (chosen_member_id IS NOT NULL)"
            " AND (chosen_member_id IS NULL) = (chosen_tier IS NULL)"
            " AND (chosen_member_id IS NULL) = (chosen_distance_m IS NULL)",
            name="chosen",
        ),
        CheckConstraint(f"chosen_tier IN {TIERS}", name="chosen_tier"),
    )

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    stairwell_code: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID | None]
    reason: Mapped[str]
    distance_m: Mapped[int | None]
    change: Mapped[str] = mapped_column(server_default=text("'kept'"))
    decision: Mapped[str] = mapped_column(server_default=text("'open'"))
    former_member_id: Mapped[UUID | None]
    chosen_member_id: Mapped[UUID | None]
    chosen_tier: Mapped[str | None]
    chosen_distance_m: Mapped[int | None]
    exclusion_id: Mapped[UUID | None]
    household_count: Mapped[int] = mapped_column(server_default=text("0"))
    outline_hash: Mapped[str | None]
    has_new_support: Mapped[bool] = mapped_column(server_default=text("false"))


class ContactPlanSupportRow(FactMixin, Base):
    """A supporting contact that a line of a plan proposes, and for how many households."""

    __tablename__ = "contact_plan_support"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "plan_id", "stairwell_code"], LINE_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint("households > 0", name="households"),
        CheckConstraint(f"reason IN {TIERS}", name="reason"),
    )

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    stairwell_code: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    households: Mapped[int]
    reason: Mapped[str]
    distance_m: Mapped[int]


class ContactPinRow(FactMixin, Base):
    """Whom a coordinator chose as lead of a stairwell: every later plan keeps to it."""

    __tablename__ = "contact_pin"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "plan_id"], PLAN_KEY),
    )

    stairwell_code: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    plan_id: Mapped[UUID | None]
    pinned_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class ContactRow(FactMixin, Base):
    """A household contact in force during ``valid``; two leads on one day are impossible.

    ``households`` is what a supporting contact takes over from the lead. A cover stands in for
    somebody who returns: a row of theirs begins where it ends.
    """

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "plan_id"], PLAN_KEY),
        CheckConstraint("kind IN ('lead', 'supporting')", name="kind"),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        CheckConstraint("households > 0", name="households"),
        CheckConstraint("NOT (is_cover AND upper_inf(valid))", name="cover"),
        ExcludeConstraint(
            (literal_column("community_code"), "="),
            (literal_column("stairwell_code"), "="),
            (literal_column("valid"), "&&"),
            name="contact_lead_excl",
            using="gist",
            where=text("kind = 'lead'"),
        ),
        ExcludeConstraint(
            (literal_column("community_code"), "="),
            (literal_column("stairwell_code"), "="),
            (literal_column("member_id"), "="),
            (literal_column("valid"), "&&"),
            name="contact_supporting_excl",
            using="gist",
            where=text("kind = 'supporting'"),
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
    households: Mapped[int | None]
    is_cover: Mapped[bool] = mapped_column(server_default=text("false"))
