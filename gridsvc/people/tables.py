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
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin
from gridsvc.territory.tables import geometry

MEMBER_KEY = ["member.community_code", "member.id"]


class MemberRow(FactMixin, Base):
    """Somebody who looks after neighbours: where from, and how much one can carry."""

    __tablename__ = "member"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "home_stairwell_code"],
            ["stairwell.community_code", "stairwell.code"],
        ),
        CheckConstraint("capacity_households >= 0 AND capacity_stairwells >= 0", name="capacity"),
        Index("member_home_idx", "community_code", "home_stairwell_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    home_stairwell_code: Mapped[str | None]
    reported_in_on: Mapped[date | None]
    capacity_households: Mapped[int]
    capacity_stairwells: Mapped[int] = mapped_column(SmallInteger)
    is_available: Mapped[bool] = mapped_column(server_default=text("true"))
    erased_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
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
    """An office that a member holds, such as building chief (楼长)."""

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
        Index("post_member_idx", "community_code", "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    member_id: Mapped[UUID]
    compound_code: Mapped[str | None]
    building_code: Mapped[str | None]


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
