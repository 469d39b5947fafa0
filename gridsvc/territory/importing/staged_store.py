"""Queries of staged rows: as the file has them, and what is planned for each."""

from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import ColumnElement, String, cast, delete, func, select
from sqlalchemy.orm import Session

from gridsvc.db import copy_frame, in_scope, plain_values, scope_of
from gridsvc.territory.importing.statements import (
    ewkb_of,
    load_statement,
    planning_once,
    read_shapes,
)
from gridsvc.territory.tables import ImportedFeatureRow

_STAGE, _PLAN, _REPAIR = (load_statement(name) for name in ("stage", "plan", "repair"))


def last_row(session: Session, street_code: int, import_id: UUID) -> int:
    """Return the number of the last row that is staged; 0 for none."""
    return (
        session.scalar(
            select(func.max(ImportedFeatureRow.row)).where(*of_import(street_code, import_id))
        )
        or 0
    )


def of_import(street_code: int, import_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of an import's staged rows."""
    row = ImportedFeatureRow
    return row.community_code == street_code, row.import_id == import_id


def stage(session: Session, street_code: int, import_id: UUID, rows: GeoDataFrame) -> None:
    """Stage rows of a file, as `gridsvc.territory.importing.source.Source` has them.

    Geometries, in EPSG:4326, may be missing or of any kind.
    """
    with planning_once(session):
        _stage(session, street_code, import_id, rows)


def _stage(session: Session, street_code: int, import_id: UUID, rows: GeoDataFrame) -> None:
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
            "codes": plain_values(rows["code"]),
            "parent_codes": plain_values(rows["parent_code"]),
            "fields": rows["fields"].tolist(),
            "shapes": ewkb_of(rows),
            "reasons": plain_values(rows["reason"]),
            "reasons_zh": plain_values(rows["reason_zh"]),
        },
    )


def read_staged(session: Session, street_code: int, import_id: UUID) -> GeoDataFrame:
    """Return the staged rows of an import by row: as `stage` takes them, and ``outcome``.

    EPSG:4326; a missing geometry stays missing.
    """
    row = ImportedFeatureRow
    # As text: the JSON of ten thousand rows is read at once, and faster.
    fields = cast(row.fields, String).label("fields")
    return read_shapes(
        session,
        select(
            *(row.row, row.code, row.parent_code, fields),
            *(row.outcome, row.reason, row.reason_zh),
            func.ST_AsBinary(row.geom).label("geom"),
        )
        .where(in_scope(session, row.community_code), *of_import(street_code, import_id))
        .order_by(row.row),
    )


def read_outcomes(session: Session, street_code: int, import_id: UUID, outcome: str) -> DataFrame:
    """Return the staged rows of an outcome, by row.

    Returns
    -------
    DataFrame
        ``row``, ``code``, ``reason``, ``reason_zh``, ``fields``.
    """
    row = ImportedFeatureRow
    found = session.execute(
        select(row.row, row.code, row.reason, row.reason_zh, row.fields)
        .where(
            in_scope(session, row.community_code),
            *of_import(street_code, import_id),
            row.outcome == outcome,
        )
        .order_by(row.row)
    )
    return DataFrame(found.all(), columns=["row", "code", "reason", "reason_zh", "fields"])


def forget_rows(session: Session, street_code: int, import_id: UUID) -> None:
    """Delete the staged rows of an import."""
    session.execute(delete(ImportedFeatureRow).where(*of_import(street_code, import_id)))


def write_left_out(session: Session, street_code: int, import_id: UUID, plan: DataFrame) -> None:
    """Note of rows that do not go in their ``code``, ``outcome``, ``reason`` and ``reason_zh``.

    The others stay as the file has them: what became of them is in the territory.
    """
    if plan.empty:
        return
    session.execute(
        _PLAN,
        {
            "street_code": street_code,
            "import_id": import_id,
            "rows": plan["row"].tolist(),
            "codes": plain_values(plan["code"]),
            "outcomes": plain_values(plan["outcome"]),
            "reasons": plain_values(plan["reason"]),
            "reasons_zh": plain_values(plan["reason_zh"]),
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
            "shapes": ewkb_of(rows),
        },
    )
