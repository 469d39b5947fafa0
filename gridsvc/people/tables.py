"""Members in three tables, so that the most sensitive facts have policies of their own."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import (
    ARRAY,
    DATERANGE,
    TIMESTAMP,
    ExcludeConstraint,
    Range,
)
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin
from gridsvc.people.model import ABSENCE_KINDS, CONSENT_BASES
from gridsvc.territory.tables import geometry

MEMBER_KEY = ["member.community_code", "member.id"]
STAIRWELL_KEY = ["stairwell.community_code", "stairwell.code"]


class MemberRow(FactMixin, Base):
    """Somebody who looks after neighbours: where from, and how much one can carry.

    The home is a stairwell, else a building, else only the point. What was merged into another
    member is an erased row that names it: old links lead on.
    """

    __tablename__ = "member"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "home_stairwell_code"], STAIRWELL_KEY),
        ForeignKeyConstraint(
            ["community_code", "home_building_code"], ["building.community_code", "building.code"]
        ),
        ForeignKeyConstraint(
            ["community_code", "branch_id"], ["organisation.community_code", "organisation.id"]
        ),
        CheckConstraint("capacity_households >= 0 AND capacity_stairwells >= 0", name="capacity"),
        CheckConstraint("home_stairwell_code IS NULL OR home_building_code IS NULL", name="home"),
        CheckConstraint("merged_into_id IS NULL OR erased_at IS NOT NULL", name="merged"),
        Index("member_home_idx", "community_code", "home_stairwell_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    home_stairwell_code: Mapped[str | None]
    home_building_code: Mapped[str | None]
    branch_id: Mapped[UUID | None]
    reported_in_on: Mapped[date | None]
    capacity_households: Mapped[int]
    capacity_stairwells: Mapped[int] = mapped_column(SmallInteger)
    is_available: Mapped[bool] = mapped_column(server_default=text("true"))
    skills: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))
    dialects: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    erased_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    merged_into_id: Mapped[UUID | None]
    geom: Mapped[Any] = mapped_column(geometry("POINT"))


class MemberIdentityRow(FactMixin, Base):
    """Name and phone of a member; the phone is encrypted, its mask is what pages show."""

    __tablename__ = "member_identity"
    __table_args__ = (ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),)

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str | None]


class MemberAffiliationRow(FactMixin, Base):
    """Political affiliation (政治面貌) of a member."""

    __tablename__ = "member_affiliation"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint(
            "affiliation IN ('party_member', 'league_member', 'masses')", name="affiliation"
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    affiliation: Mapped[str]


class PostRow(FactMixin, Base):
    """An office that a member holds during ``valid``, such as building chief (楼长)."""

    __tablename__ = "post"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        ForeignKeyConstraint(
            ["community_code", "building_code"], ["building.community_code", "building.code"]
        ),
        CheckConstraint("kind IN ('building_chief', 'lane_chief', 'street_chief')", name="kind"),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        Index("post_member_idx", "community_code", "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    member_id: Mapped[UUID]
    compound_code: Mapped[str | None]
    building_code: Mapped[str | None]
    place_name: Mapped[str | None]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE, server_default=text("'(,)'::daterange"))


class AbsenceRow(FactMixin, Base):
    """Days on which a member cannot be asked; without an upper end: until further notice."""

    __tablename__ = "member_absence"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint(f"kind IN {ABSENCE_KINDS}", name="kind"),
        CheckConstraint("NOT isempty(valid) AND NOT lower_inf(valid)", name="valid"),
        Index("member_absence_member_idx", "community_code", "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    kind: Mapped[str]


class HoursRow(FactMixin, Base):
    """When in the week a member can be asked: minutes since midnight, local time."""

    __tablename__ = "member_hours"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint(
            "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name="minutes"
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    from_minute: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    to_minute: Mapped[int] = mapped_column(SmallInteger)


class ConsentRow(FactMixin, Base):
    """A member agreed on a day to be kept and asked; withdrawn: not from that day on."""

    __tablename__ = "member_consent"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        CheckConstraint(f"basis IN {CONSENT_BASES}", name="basis"),
        CheckConstraint("given_on <= withdrawn_on", name="order"),
        ExcludeConstraint(
            (literal_column("community_code"), "="),
            (literal_column("member_id"), "="),
            (literal_column("daterange(given_on, withdrawn_on)"), "&&"),
            name="member_consent_excl",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    given_on: Mapped[date]
    withdrawn_on: Mapped[date | None]
    basis: Mapped[str]


class ExclusionRow(FactMixin, Base):
    """A stairwell or a person that a member must not be the contact of, until the day ``until``."""

    __tablename__ = "contact_exclusion"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "other_member_id"], MEMBER_KEY),
        ForeignKeyConstraint(["community_code", "stairwell_code"], STAIRWELL_KEY),
        CheckConstraint("(stairwell_code IS NULL) <> (other_member_id IS NULL)", name="subject"),
        CheckConstraint("member_id <> other_member_id", name="other"),
        CheckConstraint("since < until", name="order"),
        Index("contact_exclusion_member_idx", "community_code", "member_id"),
        Index("contact_exclusion_other_idx", "community_code", "other_member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    stairwell_code: Mapped[str | None]
    other_member_id: Mapped[UUID | None]
    reason: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]


class OrganisationRow(FactMixin, Base):
    """A Party branch, association, group or society of the community."""

    __tablename__ = "organisation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        CheckConstraint(
            "kind IN ('party_branch', 'mutual_aid_association', 'self_governance_group', "
            "'chief_team', 'society')",
            name="kind",
        ),
        CheckConstraint("people >= 0", name="people"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    compound_code: Mapped[str | None]
    people: Mapped[int]
