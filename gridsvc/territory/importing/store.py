"""Queries of imports: staged rows, what they are compared with, and what they become."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    String,
    TextClause,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from geodata.crs import GEOGRAPHIC
from gridsvc.db import SRID, copy_frame, in_scope, scope_of
from gridsvc.territory.importing.layers import GRID_LAYERS, GridLayer
from gridsvc.territory.importing.model import Layer, Status, TerritoryImport
from gridsvc.territory.tables import (
    BuildingRow,
    CommunityRow,
    CompoundRow,
    ImportedFeatureRow,
    StairwellRow,
    TerritoryImportRow,
)

_SQL = files("gridsvc.territory.importing") / "sql"


def _load(name: str) -> TextClause:
    statement = text((_SQL / f"{name}.sql").read_text(encoding="utf-8"))
    given: dict[str, Any] = {"street_code": BigInteger, "valid_from": Date}
    known = [one for one in given if f":{one}" in statement.text]
    return statement.bindparams(*(bindparam(one, type_=given[one]) for one in known))


_STAGE, _PLAN, _REPAIR = _load("stage"), _load("plan"), _load("repair")
_ADD_STAIRWELLS = _load("add_stairwells")
_APPLY = {layer: _load(f"apply_{layer}") for layer in GRID_LAYERS}
_APPLY_HOUSEHOLDS = _load("apply_households")


def add_import(session: Session, **values: object) -> None:
    """Write an import that nothing is staged of yet."""
    session.execute(insert(TerritoryImportRow).values(**values))


def find_unfinished(
    session: Session,
    *,
    street_code: int,
    layer: Layer,
    file_hash: bytes,
    crs_name: str,
    columns: dict[str, str],
    account_id: UUID | None,
) -> UUID | None:
    """Return the account's import of the very same file that was not applied yet, if any."""
    row = TerritoryImportRow
    return session.scalar(
        select(row.id)
        .where(
            in_scope(session, row.community_code),
            row.community_code == street_code,
            row.layer == layer,
            row.file_hash == file_hash,
            row.crs_name == crs_name,
            row.columns == columns,
            row.account_id.is_not_distinct_from(account_id),
            row.status.in_(("staging", "staged")),
        )
        .order_by(row.created_at.desc(), row.id.desc())
        .limit(1)
    )


def change_import(session: Session, street_code: int, import_id: UUID, **values: object) -> None:
    """Change an import."""
    session.execute(
        update(TerritoryImportRow)
        .where(TerritoryImportRow.community_code == street_code, TerritoryImportRow.id == import_id)
        .values(**values)
    )


def finish(session: Session, street_code: int, import_id: UUID, result: dict[str, Any]) -> None:
    """Note that an import was applied, and what it did."""
    change_import(
        session,
        *(street_code, import_id),
        status="applied",
        applied_at=func.now(),
        result=result,
    )


def lock_import(session: Session, street_code: int, import_id: UUID) -> Status | None:
    """Lock an import until the transaction ends, and return its status."""
    found: Any = session.scalar(
        select(TerritoryImportRow.status)
        .where(
            in_scope(session, TerritoryImportRow.community_code),
            TerritoryImportRow.community_code == street_code,
            TerritoryImportRow.id == import_id,
        )
        .with_for_update()
    )
    status: Status | None = found  # a check of the table names the words
    return status


def _imports(session: Session) -> Select[*tuple[Any, ...]]:
    row = TerritoryImportRow
    staged = (
        select(func.count())
        .where(
            ImportedFeatureRow.community_code == row.community_code,
            ImportedFeatureRow.import_id == row.id,
        )
        .scalar_subquery()
    )
    return select(
        row.id,
        row.community_code.label("street_code"),
        row.layer,
        row.file_name,
        row.format,
        row.crs_name,
        row.columns,
        row.notes,
        row.row_count,
        staged.label("staged_count"),
        row.valid_from,
        row.status,
        row.account_id,
        row.created_at,
        row.applied_at,
        row.result,
    ).where(in_scope(session, row.community_code))


def find_import(session: Session, import_id: UUID) -> TerritoryImport | None:
    """Return an import of the caller's territory."""
    statement = _imports(session).where(TerritoryImportRow.id == import_id)
    row = session.execute(statement).mappings().one_or_none()
    return TerritoryImport(**row) if row else None


def list_imports(
    session: Session, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[TerritoryImport]:
    """Return at most ``limit`` imports before a time and id, the newest first."""
    key = tuple_(TerritoryImportRow.created_at, TerritoryImportRow.id)
    statement = _imports(session)
    if before is not None:
        statement = statement.where(key < before)
    newest = statement.order_by(
        TerritoryImportRow.created_at.desc(), TerritoryImportRow.id.desc()
    ).limit(limit)
    return [TerritoryImport(**row) for row in session.execute(newest).mappings()]


def last_row(session: Session, street_code: int, import_id: UUID) -> int:
    """Return the number of the last row that is staged; 0 for none."""
    return (
        session.scalar(select(func.max(ImportedFeatureRow.row)).where(*_of(street_code, import_id)))
        or 0
    )


def _of(street_code: int, import_id: UUID) -> tuple[ColumnElement[bool], ...]:
    row = ImportedFeatureRow
    return row.community_code == street_code, row.import_id == import_id


def stage(session: Session, street_code: int, import_id: UUID, rows: GeoDataFrame) -> None:
    """Stage rows of a file: ``row``, ``code``, ``parent_code``, ``fields`` (JSON), ``reason``.

    Geometries, in EPSG:4326, may be missing or of any kind.
    """
    if scope_of(session).role == "job":
        known = rows.assign(community_code=street_code, import_id=str(import_id))
        copy_frame(session, ImportedFeatureRow, known)
        return
    session.execute(
        _STAGE,
        {
            "street_code": street_code,
            "import_id": import_id,
            "rows": rows["row"].tolist(),
            "codes": _plain(rows, "code"),
            "parent_codes": _plain(rows, "parent_code"),
            "fields": rows["fields"].tolist(),
            "shapes": _ewkb(rows),
            "reasons": _plain(rows, "reason"),
        },
    )


def _plain(rows: DataFrame, column: str) -> list[object]:
    return list(rows[column].astype(object).where(rows[column].notna(), None))


def _ewkb(rows: GeoDataFrame) -> list[bytes | None]:
    return list(shapely.to_wkb(shapely.set_srid(rows.geometry.to_numpy(), SRID), include_srid=True))


def read_staged(session: Session, street_code: int, import_id: UUID) -> GeoDataFrame:
    """Return the staged rows of an import by row: as `stage` takes them, and ``outcome``.

    EPSG:4326; a missing geometry stays missing.
    """
    row = ImportedFeatureRow
    # As text: the JSON of ten thousand rows is read at once, and faster.
    fields = cast(row.fields, String).label("fields")
    return _read(
        session,
        select(
            *(row.row, row.code, row.parent_code, fields, row.outcome, row.reason),
            func.ST_AsBinary(row.geom).label("geom"),
        )
        .where(in_scope(session, row.community_code), *_of(street_code, import_id))
        .order_by(row.row),
    )


def _read(session: Session, statement: Select[*tuple[Any, ...]]) -> GeoDataFrame:
    """Read rows whose last column is WKB, all shapes at once: `read_frame` takes each by itself."""
    found = session.execute(statement)
    names = list(found.keys())
    table = DataFrame(found.all(), columns=names)
    shapes = np.empty(len(table), dtype=object)
    shapes[:] = [None if one is None else bytes(one) for one in table[names[-1]]]
    return GeoDataFrame(
        table.drop(columns=names[-1]), geometry=shapely.from_wkb(shapes), crs=GEOGRAPHIC
    )


def read_outcomes(session: Session, street_code: int, import_id: UUID, outcome: str) -> DataFrame:
    """Return ``row``, ``code``, ``reason``, ``fields`` of the staged rows of an outcome, by row."""
    row = ImportedFeatureRow
    found = session.execute(
        select(row.row, row.code, row.reason, row.fields)
        .where(
            in_scope(session, row.community_code),
            *_of(street_code, import_id),
            row.outcome == outcome,
        )
        .order_by(row.row)
    )
    return DataFrame(found.all(), columns=["row", "code", "reason", "fields"])


def forget_rows(session: Session, street_code: int, import_id: UUID) -> None:
    """Delete the staged rows of an import."""
    session.execute(delete(ImportedFeatureRow).where(*_of(street_code, import_id)))


def write_plan(session: Session, street_code: int, import_id: UUID, plan: DataFrame) -> None:
    """Note of each row ``code``, ``parent_code``, ``outcome`` and ``reason``."""
    session.execute(
        _PLAN,
        {
            "street_code": street_code,
            "import_id": import_id,
            "rows": plan["row"].tolist(),
            "codes": _plain(plan, "code"),
            "parent_codes": _plain(plan, "parent_code"),
            "outcomes": _plain(plan, "outcome"),
            "reasons": _plain(plan, "reason"),
        },
    )


def write_shapes(session: Session, street_code: int, import_id: UUID, rows: GeoDataFrame) -> None:
    """Replace the staged shapes of some rows (``row``, geometry in EPSG:4326)."""
    session.execute(
        _REPAIR,
        {
            "street_code": street_code,
            "import_id": import_id,
            "rows": rows["row"].tolist(),
            "shapes": _ewkb(rows),
        },
    )


def lock_territory(session: Session, street_code: int) -> None:
    """Let nobody else change a sub-district's grids until the transaction ends, nor edit one."""
    session.execute(select(func.pg_advisory_xact_lock(street_code)))


def _in_street(session: Session, column: Any, street_code: int) -> tuple[ColumnElement[bool], ...]:
    return in_scope(session, column), column.between(street_code, street_code + 999)


def has_street(session: Session, street_code: int) -> bool:
    """Tell whether the caller has any community of a sub-district."""
    statement = select(CommunityRow.code).where(
        *_in_street(session, CommunityRow.code, street_code)
    )
    return session.scalar(statement.limit(1)) is not None


def read_parents(session: Session, layer: GridLayer, street_code: int) -> GeoDataFrame:
    """Return what a layer's grids may lie in: ``code`` (text), ``geometry``; EPSG:4326, by code."""
    row = layer.parent_row
    community = row.code if row is CommunityRow else row.community_code
    statement = select(
        cast(row.code, String).label("code"), func.ST_AsBinary(row.geom).label("geom")
    ).where(*_in_street(session, community, street_code))
    if row is not CommunityRow:
        statement = statement.where(row.retired_on.is_(None))
    return _read(session, statement.order_by(row.code))


def read_grids(
    session: Session,
    layer: GridLayer,
    street_code: int,
    *,
    codes: Sequence[str],
    parents: Sequence[str],
) -> GeoDataFrame:
    """Return the grids of some codes or parents, also those that ended; EPSG:4326, by code.

    Returns
    -------
    GeoDataFrame
        ``code``, ``parent_code``, ``version``, ``valid_from``, ``is_retired``, the layer's fields,
        ``geometry``.
    """
    row = layer.row
    parent = func.left(row.code, layer.parent_digits)
    statement = (
        select(
            row.code,
            parent.label("parent_code"),
            row.version,
            row.valid_from,
            row.retired_on.is_not(None).label("is_retired"),
            *(getattr(row, name) for name in layer.fields),
            func.ST_AsBinary(row.geom).label("geom"),
        )
        .where(
            *_in_street(session, row.community_code, street_code),
            or_(row.code == _among(codes), parent == _among(parents)),
        )
        .order_by(row.code)
    )
    return _read(session, statement)


def _among(values: Sequence[str]) -> Any:
    # One array: a list of parameters ends at 65,535.
    return any_(literal(list(values), ARRAY(String)))


@contextmanager
def joining_by_hash(session: Session) -> Iterator[None]:
    """Keep the planner from nested loops: it takes rows just staged for one row, of ten thousand.

    Nobody has counted them yet, and the API role may not have them counted.
    """
    session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    session.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))


def apply(
    session: Session,
    *,
    layer: Layer,
    street_code: int,
    import_id: UUID,
    valid_from: date,
    reason: str,
) -> tuple[int, int]:
    """Do what the plan of an import says; return how many grids were added and changed."""
    added, changed = session.execute(
        _APPLY[layer],
        {
            "street_code": street_code,
            "import_id": import_id,
            "valid_from": valid_from,
            "reason": reason,
        },
    ).one()
    return int(added), int(changed)


def apply_households(session: Session, counts: Series, *, valid_from: date, reason: str) -> int:
    """Write counts of households, by stairwell code, and return how many."""
    changed = session.scalar(
        _APPLY_HOUSEHOLDS,
        {
            "codes": [str(code) for code in counts.index],
            "counts": [int(count) for count in counts],
            "valid_from": valid_from,
            "reason": reason,
        },
    )
    return int(changed or 0)


def read_named_stairwells(session: Session, street_code: int) -> DataFrame:
    """Return the living stairwells of a sub-district with the names that addresses use, by code.

    Returns
    -------
    DataFrame
        ``code``, ``stairwell_name``, ``building_name``, ``compound_name``, ``household_count``,
        ``valid_from``.
    """
    statement = (
        select(
            StairwellRow.code,
            StairwellRow.name.label("stairwell_name"),
            BuildingRow.name.label("building_name"),
            CompoundRow.name.label("compound_name"),
            StairwellRow.household_count,
            StairwellRow.valid_from,
        )
        .join(
            BuildingRow,
            (BuildingRow.community_code == StairwellRow.community_code)
            & (BuildingRow.code == StairwellRow.building_code),
        )
        .join(
            CompoundRow,
            (CompoundRow.community_code == StairwellRow.community_code)
            & (CompoundRow.code == StairwellRow.compound_code),
        )
        .where(
            *_in_street(session, StairwellRow.community_code, street_code),
            StairwellRow.retired_on.is_(None),
        )
        .order_by(StairwellRow.code)
    )
    found = session.execute(statement)
    return DataFrame(found.all(), columns=list(found.keys()))


def read_uncut(session: Session, street_code: int, import_id: UUID) -> GeoDataFrame:
    """Return the buildings of an import that have no living stairwell; EPSG:4326, by code.

    Returns
    -------
    GeoDataFrame
        ``code``, ``stairwell_count`` (as the file states it, nullable), ``geometry``.
    """
    staged, row = ImportedFeatureRow, BuildingRow
    living = (
        select(StairwellRow.code)
        .where(
            StairwellRow.community_code == row.community_code,
            StairwellRow.building_code == row.code,
            StairwellRow.retired_on.is_(None),
        )
        .exists()
    )
    count = staged.fields["stairwell_count"].as_integer()
    statement = (
        select(
            row.code,
            count.label("stairwell_count"),
            func.ST_AsBinary(row.geom).label("geom"),
        )
        .join(staged, staged.code == row.code)
        .where(
            *_in_street(session, row.community_code, street_code),
            *_of(street_code, import_id),
            staged.outcome.in_(("added", "changed", "same")),
            ~living,
        )
        .order_by(row.code)
    )
    return _read(session, statement)


def stairwell_codes_ever(session: Session, street_code: int, buildings: Sequence[str]) -> list[str]:
    """Return every code that stairwells of some buildings have or had."""
    row = StairwellRow
    return list(
        session.scalars(
            select(row.code).where(
                *_in_street(session, row.community_code, street_code),
                row.building_code == _among(buildings),
            )
        )
    )


def add_stairwells(session: Session, stairwells: GeoDataFrame, *, valid_from: date) -> int:
    """Add stairwells (``code``, ``name``, polygons in EPSG:4326) and return how many."""
    return int(
        session.scalar(
            _ADD_STAIRWELLS,
            {
                "valid_from": valid_from,
                "codes": stairwells["code"].tolist(),
                "names": stairwells["name"].tolist(),
                "shapes": _ewkb(stairwells),
            },
        )
        or 0
    )
