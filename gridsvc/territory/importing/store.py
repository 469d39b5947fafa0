"""Queries of imports: which files were brought in, and what became of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.crs import GEOGRAPHIC
from gridsvc.db import in_scope, plain_values
from gridsvc.territory.importing.model import Layer, Status, TerritoryImport
from gridsvc.territory.tables import ImportedFeatureRow, TerritoryImportRow


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
        func.coalesce(func.jsonb_array_length(row.entrances), 0).label("entrance_count"),
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


def read_entrances(session: Session, street_code: int, import_id: UUID) -> GeoDataFrame | None:
    """Return the entrances that came with an import, EPSG:4326; nothing where none did."""
    row = TerritoryImportRow
    found = session.scalar(
        select(row.entrances).where(
            in_scope(session, row.community_code),
            row.community_code == street_code,
            row.id == import_id,
        )
    )
    if found is None:
        return None
    table = DataFrame(found, columns=["row", "building_code", "ref", "lon", "lat"])
    has_place = table["lon"].notna().to_numpy()
    points = np.full(len(table), None, dtype=object)
    points[has_place] = shapely.points(table.loc[has_place, ["lon", "lat"]].to_numpy(dtype=float))
    return GeoDataFrame(table[["row", "building_code", "ref"]], geometry=points, crs=GEOGRAPHIC)


def entrances_to_keep(entrances: GeoDataFrame) -> list[list[object]]:
    """Return entrances, EPSG:4326, in the form in which an import keeps them, as JSON."""
    points = entrances.geometry.to_numpy()
    places = DataFrame({"lon": shapely.get_x(points), "lat": shapely.get_y(points)})
    kept = (entrances["row"], entrances["building_code"], entrances["ref"])
    columns = [*kept, places["lon"], places["lat"]]
    return [list(one) for one in zip(*map(plain_values, columns), strict=True)]


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
