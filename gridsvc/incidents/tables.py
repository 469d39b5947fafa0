"""Categories (a reference table), incidents, heat cells and what of them is released (facts)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin
from gridsvc.incidents.model import PLACES, STATUSES
from gridsvc.territory.tables import CellMixin, geometry, geometry_index, tile_key_index


class CategoryRow(Base):
    """A class or sub-category of incidents; codes are ``class`` or ``class.kind``."""

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("category.code"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    is_public: Mapped[bool]
    position: Mapped[int] = mapped_column(SmallInteger)
    is_retired: Mapped[bool] = mapped_column(server_default=text("false"))


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
        CheckConstraint(f"status IN {STATUSES}", name="status"),
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
