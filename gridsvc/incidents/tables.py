"""Categories (a reference table); incidents, their events, parties, heat cells (facts)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from geodata.categories import LEVELS, PARTY_KINDS
from gridsvc.db import Base, FactMixin
from gridsvc.incidents.model import ACTOR_KINDS, NOTE_LENGTH, PLACES, STATUSES, STEPS
from gridsvc.territory.tables import CellMixin, geometry, geometry_index, tile_key_index

NOW = text("now()")


def moment(**options: Any) -> Mapped[Any]:
    """Return a column of a point in time."""
    return mapped_column(TIMESTAMP(timezone=True), **options)


class CategoryRow(Base):
    """A class or sub-category of incidents; codes are ``class`` or ``class.kind``.

    ``rules`` holds its role, limits, escalation and questions, as the catalogue writes them.
    """

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("category.code"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    is_public: Mapped[bool]
    position: Mapped[int] = mapped_column(SmallInteger)
    is_retired: Mapped[bool] = mapped_column(server_default=text("false"))
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


WORK_INDEXES = {
    "unassigned": (("reported_at",), text("status IN ('reported', 'triaged')")),
    "unverified": (("resolved_at",), text("status = 'resolved'")),
    "hung": (("reported_at",), text("status = 'hung'")),
    "due": (("due_at",), text("due_at IS NOT NULL")),
    "handler": (
        ("handler_account", "reported_at"),
        text("handler_account IS NOT NULL AND closed_at IS NULL"),
    ),
    "open": (("reported_at",), text("closed_at IS NULL")),
    "rule": (("rule_at",), text("rule_at IS NOT NULL")),
    "moving": ((), text("moved_to_code IS NOT NULL AND moved_to IS NULL")),
    "duplicate": (("duplicate_of",), text("duplicate_of IS NOT NULL")),
}
"""Columns and condition of each partial index of incidents, beside community and id."""


class IncidentRow(FactMixin, CellMixin, Base):
    """A matter that somebody reported, and where it fell."""

    __tablename__ = "incident"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "stairwell_code"], ["stairwell.community_code", "stairwell.code"]
        ),
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        ForeignKeyConstraint(
            ["community_code", "nearest_stairwell_code"],
            ["stairwell.community_code", "stairwell.code"],
        ),
        ForeignKeyConstraint(
            ["community_code", "handler_party"], ["party.community_code", "party.id"]
        ),
        ForeignKeyConstraint(
            ["community_code", "duplicate_of"], ["incident.community_code", "incident.id"]
        ),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        CheckConstraint(f"resolved_level IN {LEVELS}", name="resolved_level"),
        CheckConstraint("handler_account IS NULL OR handler_party IS NULL", name="handler"),
        CheckConstraint("(status = 'duplicate') = (duplicate_of IS NOT NULL)", name="duplicate"),
        CheckConstraint(f"place IN {PLACES}", name="place"),
        CheckConstraint(
            "(place = 'stairwell') = (stairwell_code IS NOT NULL) AND "
            "(place IN ('stairwell', 'compound')) = (compound_code IS NOT NULL) AND "
            "(place = 'outside') = (community_code % 1000 = 0)",
            name="place_code",
        ),
        geometry_index("incident"),
        tile_key_index("incident"),
        Index("incident_reported_idx", "community_code", "reported_at", "id"),
        Index("incident_stairwell_idx", "community_code", "stairwell_code"),
        # Of a wide territory: its newest, and one of which only the id is known.
        Index("incident_newest_idx", "reported_at", "id"),
        Index("incident_id_idx", "id"),
        # Work lists of a community: few of its incidents are in any of them.
        *(
            Index(f"incident_{name}_idx", "community_code", *columns, "id", postgresql_where=where)
            for name, (columns, where) in WORK_INDEXES.items()
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    category_code: Mapped[str] = mapped_column(ForeignKey("category.code"))
    status: Mapped[str]
    reported_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    summary: Mapped[str]
    place: Mapped[str]
    stairwell_code: Mapped[str | None]
    compound_code: Mapped[str | None]
    is_flagged: Mapped[bool] = mapped_column(server_default=text("false"))
    # As its category says: a policy cannot look it up.
    is_public: Mapped[bool] = mapped_column(server_default=text("false"))
    geom: Mapped[Any] = mapped_column(geometry("POINT"))
    nearest_stairwell_code: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    level: Mapped[str] = mapped_column(server_default=text("'compound'"))
    handler_account: Mapped[UUID | None]
    handler_party: Mapped[UUID | None]
    due_at: Mapped[datetime | None] = moment()
    due_rule: Mapped[str | None]
    rule_at: Mapped[datetime | None] = moment()
    first_answer_at: Mapped[datetime | None] = moment()
    resolved_at: Mapped[datetime | None] = moment()
    resolved_by: Mapped[UUID | None]
    resolved_level: Mapped[str | None]
    verified_at: Mapped[datetime | None] = moment()
    reopened_count: Mapped[int] = mapped_column(server_default=text("0"))
    duplicate_of: Mapped[UUID | None]
    moved_to_code: Mapped[int | None] = mapped_column(BigInteger)
    moved_to: Mapped[UUID | None]
    moved_from_code: Mapped[int | None] = mapped_column(BigInteger)
    moved_from: Mapped[UUID | None]


class IncidentEventRow(FactMixin, Base):
    """One step in the life of an incident; appended, never changed."""

    __tablename__ = "incident_event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "incident_id"], ["incident.community_code", "incident.id"]
        ),
        UniqueConstraint(
            *("community_code", "incident_id", "position"),
            name="incident_event_community_code_incident_id_position_key",
        ),
        CheckConstraint(f"step IN {STEPS}", name="step"),
        CheckConstraint(f"status_before IN {STATUSES}", name="status_before"),
        CheckConstraint(f"status_after IN {STATUSES}", name="status_after"),
        CheckConstraint("(step = 'report') = (status_before IS NULL)", name="first"),
        CheckConstraint(f"actor_kind IN {ACTOR_KINDS}", name="actor_kind"),
        CheckConstraint(f"char_length(note) <= {NOTE_LENGTH}", name="note"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID]
    position: Mapped[int]
    step: Mapped[str]
    status_before: Mapped[str | None]
    status_after: Mapped[str]
    at: Mapped[datetime] = moment(server_default=NOW)
    actor_account: Mapped[UUID | None]
    actor_kind: Mapped[str]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    is_public: Mapped[bool]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class PartyRow(FactMixin, Base):
    """Somebody without an account whom incidents are handed to: a property company, a bureau."""

    __tablename__ = "party"
    __table_args__ = (CheckConstraint(f"kind IN {PARTY_KINDS}", name="kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    email_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_retired: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = moment(server_default=NOW)


class PartyLinkRow(FactMixin, Base):
    """A link by which a party answers for one incident; only the hash of its secret is kept."""

    __tablename__ = "party_link"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "incident_id"], ["incident.community_code", "incident.id"]
        ),
        ForeignKeyConstraint(["community_code", "party_id"], ["party.community_code", "party.id"]),
        Index("party_link_incident_idx", "community_code", "incident_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    incident_id: Mapped[UUID]
    party_id: Mapped[UUID]
    created_at: Mapped[datetime] = moment(server_default=NOW)
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment()
    revoked_at: Mapped[datetime | None] = moment()


class HeatCellRow(FactMixin, Base):
    """Incidents of one class in one zoom-20 cell and one calendar month (Asia/Shanghai)."""

    __tablename__ = "heat_cell"
    __table_args__ = (
        CheckConstraint("incident_count > 0", name="incident_count"),
        Index("heat_cell_cell_idx", "cell_x", "cell_y"),
    )

    cell_x: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cell_y: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    class_code: Mapped[str] = mapped_column(ForeignKey("category.code"), primary_key=True)
    incident_count: Mapped[int]


class HeatReleaseRow(FactMixin, Base):
    """A cell as planners and the public get it, after the small-count rule."""

    __tablename__ = "heat_release"
    __table_args__ = (CheckConstraint("incident_count >= 5", name="incident_count"),)

    zoom: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    cell_x: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cell_y: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    incident_count: Mapped[int]


class HeatReleaseTotalRow(FactMixin, Base):
    """What a community's release adds up to: shown + withheld = all up to a month.

    ``withheld`` is null where so little happened that not even the total may be told.
    """

    __tablename__ = "heat_release_total"

    through: Mapped[date]
    shown: Mapped[int]
    withheld: Mapped[int | None]
