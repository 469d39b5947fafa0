"""Staging: rows of a file, written piece by piece, so that an interruption costs one piece."""

from uuid import UUID

from geopandas import GeoDataFrame
from sqlalchemy.orm import Session

from geodata.progress import Progress, silent
from gridsvc.audit import service as audit
from gridsvc.db import Database, Scope, new_id, scope_of
from gridsvc.errors import ImportStateError
from gridsvc.territory import store as territory
from gridsvc.territory.importing import staged_store, store
from gridsvc.territory.importing.model import FileWish
from gridsvc.territory.importing.source import Source

CHUNK_ROWS = 5_000
"""Rows that are staged in one transaction."""


def begin(session: Session, wish: FileWish, source: Source) -> UUID:
    """Return the caller's import of the same file that is not finished, else a new one."""
    # Two senders of one file go on with the same import.
    territory.lock_territory(session, wish.street_code)
    account_id = scope_of(session).account
    columns = dict(source.columns)
    known = store.find_unfinished(
        session,
        street_code=wish.street_code,
        layer=wish.layer,
        file_hash=source.digest,
        crs_name=source.crs_name,
        columns=columns,
        account_id=account_id,
    )
    if known is not None:
        store.change_import(session, wish.street_code, known, valid_from=wish.valid_from)
        return known
    import_id = new_id()
    store.add_import(
        session,
        community_code=wish.street_code,
        id=import_id,
        layer=wish.layer,
        file_name=wish.name,
        file_hash=source.digest,
        format=source.format,
        crs_name=source.crs_name,
        columns=columns,
        notes=list(source.notes),
        entrances=None if source.entrances is None else store.entrances_to_keep(source.entrances),
        row_count=len(source.rows),
        valid_from=wish.valid_from,
        status="staging",
        account_id=account_id,
    )
    audit.record(
        session,
        community_code=wish.street_code,
        action="territory.stage",
        subject=str(import_id),
        layer=wish.layer,
        rows=len(source.rows),
    )
    return import_id


def stage_rows(
    database: Database,
    scope: Scope,
    import_id: UUID,
    rows: GeoDataFrame,
    *,
    street_code: int,
    chunk_rows: int = CHUNK_ROWS,
    progress: Progress | None = None,
) -> None:
    """Stage the rows that are not staged yet, EPSG:4326, each piece in its own transaction.

    Parameters
    ----------
    progress
        Told after each piece, once it is committed.

    Raises
    ------
    ImportStateError
        The import was applied or discarded meanwhile.
    """
    report = progress or silent
    done = -1
    while done < len(rows):
        with database.session(scope) as session, session.begin():
            done = _stage_piece(session, street_code, import_id, rows, chunk_rows)
        report("rows staged", done, len(rows))


def _stage_piece(
    session: Session, street_code: int, import_id: UUID, rows: GeoDataFrame, chunk_rows: int
) -> int:
    """Stage the next rows and return how many are staged now."""
    status = store.lock_import(session, street_code, import_id)
    if status == "staged":
        return len(rows)
    if status != "staging":
        raise ImportStateError(import_id, status or "discarded")
    last = staged_store.last_row(session, street_code, import_id)
    start = int(rows["row"].searchsorted(last, side="right"))
    piece = rows.iloc[start : start + chunk_rows]
    if len(piece):
        staged_store.stage(session, street_code, import_id, piece)
    done = start + len(piece)
    if done == len(rows):
        store.change_import(session, street_code, import_id, status="staged")
    return done
