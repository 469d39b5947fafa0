"""Sub-district and communities (reference tables), compounds to stairwells and walkways (facts).

Grids are keyed by their code, which is permanent; see docs/DECISIONS.md.
"""

from datetime import date
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from gridsvc.db import SRID, Base, FactMixin


def geometry(kind: str) -> Geometry:
    """Return the column type of a geometry; its index is declared with the table."""
    return Geometry(kind, srid=SRID, spatial_index=False)


def tile_key_index(table: str) -> Index:
    """Return the btree index that map queries fall back to where ``&&`` is not LEAKPROOF."""
    return Index(f"{table}_cell_idx", "cell_x", "cell_y")


def geometry_index(table: str) -> Index:
    """Return the GiST index of ``geom``."""
    return Index(f"{table}_geom_idx", "geom", postgresql_using="gist")


class CellMixin:
    """The zoom-20 web-mercator cell of the middle of the geometry, kept by PostgreSQL."""

    @declared_attr
    @classmethod
    def cell_x(cls) -> Mapped[int]:
        """Column of the cell, counted from 180° W."""
        return mapped_column(Integer, Computed("gridsvc.cell_x(geom)", persisted=True))

    @declared_attr
    @classmethod
    def cell_y(cls) -> Mapped[int]:
        """Row of the cell, counted from 85.0511° N."""
        return mapped_column(Integer, Computed("gridsvc.cell_y(geom)", persisted=True))


class GridMixin(FactMixin):
    """What compounds, buildings and stairwells share: a permanent code, a name, how they end."""

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    retired_on: Mapped[date | None]
    retired_reason: Mapped[str | None]
    successor_code: Mapped[str | None]


def code_check(digits: int) -> CheckConstraint:
    """Return the rule of a grid code: its digits, starting with its community's."""
    return CheckConstraint(
        f"code ~ '^[0-9]{{{digits}}}$' AND left(code, 12) = community_code::text", name="code"
    )


SOUND = "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)"
RETIRED = "(retired_on IS NULL) = (retired_reason IS NULL)"


class StreetRow(Base):
    """A sub-district (街道)."""

    __tablename__ = "street"
    __table_args__ = (CheckConstraint("code % 1000 = 0", name="code"),)

    code: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]


class CommunityRow(Base):
    """A community (社区) with its outline, and whom maps of it must name as the source."""

    __tablename__ = "community"
    __table_args__ = (
        CheckConstraint("code / 1000 * 1000 = street_code AND code % 1000 > 0", name="code"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("community"),
    )

    code: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    street_code: Mapped[int] = mapped_column(ForeignKey("street.code"))
    name: Mapped[str]
    attribution: Mapped[str] = mapped_column(server_default=text("''"))
    geom: Mapped[Any] = mapped_column(geometry("MULTIPOLYGON"))


class CompoundRow(GridMixin, CellMixin, Base):
    """A residential compound (小区)."""

    __tablename__ = "compound"
    __table_args__ = (
        ForeignKeyConstraint(["community_code"], ["community.code"]),
        code_check(15),
        CheckConstraint(RETIRED, name="retired"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("compound"),
        tile_key_index("compound"),
    )

    built_year: Mapped[int | None] = mapped_column(SmallInteger)
    is_demonstration: Mapped[bool] = mapped_column(server_default=text("false"))
    geom: Mapped[Any] = mapped_column(geometry("MULTIPOLYGON"))


class BuildingRow(GridMixin, CellMixin, Base):
    """A building (楼栋) of a compound."""

    __tablename__ = "building"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        code_check(18),
        CheckConstraint("left(code, 15) = compound_code", name="parent"),
        CheckConstraint(RETIRED, name="retired"),
        CheckConstraint("kind IN ('slab', 'tower', 'other')", name="kind"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("building"),
        tile_key_index("building"),
        Index("building_compound_idx", "community_code", "compound_code"),
    )

    compound_code: Mapped[str]
    kind: Mapped[str]
    levels: Mapped[int | None] = mapped_column(SmallInteger)
    geom: Mapped[Any] = mapped_column(geometry("POLYGON"))


class StairwellRow(GridMixin, CellMixin, Base):
    """A stairwell (楼道): the base grid."""

    __tablename__ = "stairwell"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "building_code"], ["building.community_code", "building.code"]
        ),
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        code_check(20),
        CheckConstraint(
            "left(code, 18) = building_code AND left(code, 15) = compound_code", name="parent"
        ),
        CheckConstraint(RETIRED, name="retired"),
        CheckConstraint("household_count >= 0", name="household_count"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("stairwell"),
        tile_key_index("stairwell"),
        Index("stairwell_building_idx", "community_code", "building_code"),
        Index("stairwell_compound_idx", "community_code", "compound_code"),
    )

    building_code: Mapped[str]
    compound_code: Mapped[str]
    household_count: Mapped[int]
    geom: Mapped[Any] = mapped_column(geometry("POLYGON"))


class WalkwayRow(FactMixin, CellMixin, Base):
    """A piece of the walking network; pieces meet only at their end points."""

    __tablename__ = "walkway"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('street', 'residential', 'footpath', 'steps', 'service')", name="kind"
        ),
        geometry_index("walkway"),
        tile_key_index("walkway"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    geom: Mapped[Any] = mapped_column(geometry("LINESTRING"))
