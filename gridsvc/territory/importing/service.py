"""What an administrator does with a file of territory: stage it, read the report, apply or discard.

Staging commits piece by piece and goes on where it was interrupted. Applying is one transaction:
everything goes in, or nothing; what is there already stays as it is.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.collecting import collecting_later
from geodata.progress import Progress
from geodata.reasons import Language
from gridsvc.audit import service as audit
from gridsvc.db import Database, Scope, scope_of
from gridsvc.errors import ImportNeedsStreetError, ImportStateError, NotFoundError
from gridsvc.territory.importing import applying, staged_store, staging, store
from gridsvc.territory.importing.applying import Application
from gridsvc.territory.importing.findings import Findings, in_language
from gridsvc.territory.importing.looking import look_at, require_street
from gridsvc.territory.importing.model import Decision, FileWish, TerritoryImport
from gridsvc.territory.importing.rejects import rejects_csv, rejects_table
from gridsvc.territory.importing.source import Source, read_source

_SUB_DISTRICT = 999


def street_of_caller(session: Session, street_code: int | None = None) -> int:
    """Return the sub-district that the caller brings territory in for.

    Parameters
    ----------
    street_code
        Which of the caller's; default: the only one.

    Raises
    ------
    ImportNeedsStreetError
        The caller has no whole sub-district, or several, or not this one.
    """
    whole = [one.lo for one in scope_of(session).intervals if one.hi - one.lo == _SUB_DISTRICT]
    wanted = whole if street_code is None else [one for one in whole if one == street_code]
    if len(wanted) != 1:
        raise ImportNeedsStreetError(street_code)
    return wanted[0]


def stage(
    database: Database,
    scope: Scope,
    wish: FileWish,
    *,
    source: Source | None = None,
    chunk_rows: int = staging.CHUNK_ROWS,
    progress: Progress | None = None,
) -> TerritoryImport:
    """Read a file and stage its rows; the same file goes on where it was interrupted.

    Parameters
    ----------
    source
        The file, where it was read already.
    chunk_rows
        Rows that are staged in one transaction.
    progress
        Told after each piece, once it is committed.

    Raises
    ------
    GeodataError
        The file cannot be read; nothing was staged.
    ImportNeedsStreetError, NotFoundError
        The sub-district is not the caller's, or has no community.
    """
    with database.session(scope, read_only=True) as session, session.begin():
        street_of_caller(session, wish.street_code)
        require_street(session, wish.street_code)
    with collecting_later():
        source = source or read_source(wish)
        with database.session(scope) as session, session.begin():
            import_id = staging.begin(session, wish, source)
        staging.stage_rows(
            database,
            scope,
            import_id,
            source.rows,
            street_code=wish.street_code,
            chunk_rows=chunk_rows,
            progress=progress,
        )
    with database.session(scope, read_only=True) as session, session.begin():
        return get(session, import_id)


def preview(session: Session, wish: FileWish, source: Source) -> Findings:
    """Return what stands against a file that is not staged at all.

    Raises
    ------
    NotFoundError
        The sub-district has no community.
    """
    require_street(session, wish.street_code)
    with collecting_later():
        return look_at(
            session,
            wish.layer,
            wish.street_code,
            source.rows,
            valid_from=wish.valid_from,
            entrances=source.entrances,
        )


def get(session: Session, import_id: UUID) -> TerritoryImport:
    """Return an import.

    Raises
    ------
    NotFoundError
        The caller's territory has no such import.
    """
    found = store.find_import(session, import_id)
    if found is None:
        raise NotFoundError("import", import_id)
    return found


def list_imports(
    session: Session, *, before: tuple[datetime, UUID] | None = None, limit: int = 100
) -> list[TerritoryImport]:
    """Return at most ``limit`` imports before a time and id, the newest first."""
    return store.list_imports(session, before=before, limit=limit)


def report(session: Session, found: TerritoryImport) -> Findings:
    """Return what stands against a staged file, and what it would do.

    Raises
    ------
    ImportStateError
        It is not staged, or no longer.
    """
    if found.status != "staged":
        raise ImportStateError(found.id, found.status)
    rows = staged_store.read_staged(session, found.street_code, found.id)
    return look_at(
        session,
        found.layer,
        found.street_code,
        rows,
        valid_from=found.valid_from,
        entrances=store.read_entrances(session, found.street_code, found.id),
    )


def apply(
    session: Session, import_id: UUID, decision: Decision, *, source: Source | None = None
) -> Application:
    """Write a staged file into the territory: everything, or nothing.

    Parameters
    ----------
    source
        The file that `stage` was just given, where the caller still has it.

    Raises
    ------
    NotFoundError
        The caller's territory has no such import.
    ImportStateError
        It is not staged, or no longer.
    ImportBlockedError
        Errors, or warnings that are not accepted.
    InvalidParameterError
        There is no such kind of warning.
    TerritoryChangedError
        Somebody loaded territory meanwhile.
    """
    with collecting_later():
        return applying.apply(session, get(session, import_id), decision, source=source)


def discard(session: Session, import_id: UUID) -> None:
    """Forget the rows of a file that was not applied; one that was discarded stays so.

    Raises
    ------
    NotFoundError
        The caller's territory has no such import.
    ImportStateError
        It was applied.
    """
    found = get(session, import_id)
    status = store.lock_import(session, found.street_code, import_id)
    if status == "applied":
        raise ImportStateError(import_id, status)
    if status == "discarded":
        return
    staged_store.forget_rows(session, found.street_code, import_id)
    store.change_import(session, found.street_code, import_id, status="discarded")
    audit.record(
        session,
        community_code=found.street_code,
        action="territory.discard",
        subject=str(import_id),
        layer=found.layer,
    )


def write_rejects(session: Session, found: TerritoryImport, *, lang: Language) -> bytes:
    """Return the rows that did not go in, with the reason in a language, as CSV.

    Of a file that was applied those that were left out; of one that was not, those that have a
    fault of their own: while there are any, no row goes in.

    Raises
    ------
    ImportStateError
        The file is being staged, or was discarded.
    """
    if found.status == "applied":
        left_out = staged_store.read_outcomes(session, found.street_code, found.id, "rejected")
        return rejects_csv(rejects_table(in_language(left_out, lang), left_out))
    findings = report(session, found)
    rows = staged_store.read_staged(session, found.street_code, found.id)
    return rejects_csv(rejects_table(findings.rejected(lang=lang), rows))
