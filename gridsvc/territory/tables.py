"""Sub-district and communities (reference tables), compounds to stairwells and walkways (facts).

Grids are keyed by their code, which is permanent; see docs/DECISIONS.md. A grid that changes keeps
its code: its row is as it is now, and what it was lies beside it, in the table of its versions.
"""

from datetime import date, datetime
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
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
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


class NamedMixin(FactMixin):
    """What a grid and each of its versions share: a permanent code, a name, a first day."""

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    valid_from: Mapped[date] = mapped_column(server_default=text("current_date"))


class GridMixin(NamedMixin):
    """A compound, building or stairwell as it is since ``valid_from``, or as it ended."""

    version: Mapped[int] = mapped_column(server_default=text("1"))
    retired_on: Mapped[date | None]
    retired_reason: Mapped[str | None]


class VersionMixin(NamedMixin):
    """A grid as it was from ``valid_from`` to the day before ``valid_to``, and why it changed."""

    version: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column()
    valid_to: Mapped[date]
    reason: Mapped[str]


def code_check(digits: int) -> CheckConstraint:
    """Return the rule of a grid code: its digits, starting with its community's."""
    return CheckConstraint(
        f"code ~ '^[0-9]{{{digits}}}$' AND left(code, 12) = community_code::text", name="code"
    )


SOUND = "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)"
RETIRED = "(retired_on IS NULL) = (retired_reason IS NULL)"


def lived() -> CheckConstraint:
    """Return the rule of a grid's life: a first version, and no end before the last change."""
    rule = "version > 0 AND (retired_on IS NULL OR retired_on >= valid_from)"
    return CheckConstraint(rule, name="lived")


def version_of(table: str) -> tuple[Any, ...]:
    """Return the rules of the table of a grid's versions."""
    return (
        ForeignKeyConstraint(
            ["community_code", "code"], [f"{table}.community_code", f"{table}.code"]
        ),
        CheckConstraint("valid_from <= valid_to", name="order"),
        geometry_index(f"{table}_version"),
    )


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


class CompoundShape:
    """What changes in a compound; the households that others than staff are told of."""

    built_year: Mapped[int | None] = mapped_column(SmallInteger)
    is_demonstration: Mapped[bool] = mapped_column(server_default=text("false"))
    told_household_count: Mapped[int | None]
    geom: Mapped[Any] = mapped_column(geometry("MULTIPOLYGON"))


class CompoundRow(CompoundShape, GridMixin, CellMixin, Base):
    """A residential compound (小区)."""

    __tablename__ = "compound"
    __table_args__ = (
        ForeignKeyConstraint(["community_code"], ["community.code"]),
        code_check(15),
        CheckConstraint(RETIRED, name="retired"),
        lived(),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("compound"),
        tile_key_index("compound"),
    )


class CompoundVersionRow(CompoundShape, VersionMixin, Base):
    """What a compound was."""

    __tablename__ = "compound_version"
    __table_args__ = version_of("compound")

    is_demonstration: Mapped[bool] = mapped_column()


class BuildingShape:
    """What changes in a building."""

    compound_code: Mapped[str]
    kind: Mapped[str]
    levels: Mapped[int | None] = mapped_column(SmallInteger)
    geom: Mapped[Any] = mapped_column(geometry("POLYGON"))


class BuildingRow(BuildingShape, GridMixin, CellMixin, Base):
    """A building (楼栋) of a compound."""

    __tablename__ = "building"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "compound_code"], ["compound.community_code", "compound.code"]
        ),
        code_check(18),
        CheckConstraint("left(code, 15) = compound_code", name="parent"),
        CheckConstraint(RETIRED, name="retired"),
        lived(),
        CheckConstraint("kind IN ('slab', 'tower', 'other')", name="kind"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("building"),
        tile_key_index("building"),
        Index("building_compound_idx", "community_code", "compound_code"),
    )


class BuildingVersionRow(BuildingShape, VersionMixin, Base):
    """What a building was."""

    __tablename__ = "building_version"
    __table_args__ = version_of("building")


class StairwellShape:
    """What changes in a stairwell; the households that others than staff are told of."""

    building_code: Mapped[str]
    compound_code: Mapped[str]
    household_count: Mapped[int]
    told_household_count: Mapped[int | None]
    geom: Mapped[Any] = mapped_column(geometry("POLYGON"))


class StairwellRow(StairwellShape, GridMixin, CellMixin, Base):
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
        lived(),
        CheckConstraint("household_count >= 0", name="household_count"),
        CheckConstraint(SOUND, name="geom"),
        geometry_index("stairwell"),
        tile_key_index("stairwell"),
        Index("stairwell_building_idx", "community_code", "building_code"),
        Index("stairwell_compound_idx", "community_code", "compound_code"),
    )


class StairwellVersionRow(StairwellShape, VersionMixin, Base):
    """What a stairwell was."""

    __tablename__ = "stairwell_version"
    __table_args__ = version_of("stairwell")


class GridLineageRow(FactMixin, Base):
    """What became of a grid that ended: ``share`` of its area went into the successor."""

    __tablename__ = "grid_lineage"
    __table_args__ = (
        CheckConstraint("kind IN ('split', 'merge', 'move')", name="kind"),
        CheckConstraint("share >= 0 AND share <= 1", name="share"),
        Index("grid_lineage_successor_idx", "community_code", "successor_code"),
    )

    predecessor_code: Mapped[str] = mapped_column(primary_key=True)
    successor_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    happened_on: Mapped[date]
    share: Mapped[float]


class TerritoryImportRow(FactMixin, Base):
    """A file that somebody brought in, under the code of the territory that it is for."""

    __tablename__ = "territory_import"
    __table_args__ = (
        CheckConstraint(
            "layer IN ('compounds', 'buildings', 'stairwells', 'households')", name="layer"
        ),
        CheckConstraint("status IN ('staging', 'staged', 'applied', 'discarded')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    layer: Mapped[str]
    file_name: Mapped[str]
    file_hash: Mapped[bytes]
    format: Mapped[str]
    crs_name: Mapped[str]
    columns: Mapped[Any] = mapped_column(JSONB)
    notes: Mapped[Any] = mapped_column(JSONB)
    entrances: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    row_count: Mapped[int]
    valid_from: Mapped[date]
    status: Mapped[str]
    account_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )
    applied_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    result: Mapped[Any | None] = mapped_column(JSONB)


class ImportedFeatureRow(FactMixin, Base):
    """A feature or record of a file that was brought in, and why, where it did not go in."""

    __tablename__ = "imported_feature"
    __table_args__ = (
        CheckConstraint("outcome IN ('added', 'changed', 'same', 'rejected')", name="outcome"),
        ForeignKeyConstraint(
            ["community_code", "import_id"],
            ["territory_import.community_code", "territory_import.id"],
        ),
    )

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None]
    parent_code: Mapped[str | None]
    fields: Mapped[Any] = mapped_column(JSONB)
    geom: Mapped[Any | None] = mapped_column(geometry("GEOMETRY"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    reason_zh: Mapped[str | None]


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
