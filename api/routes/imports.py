"""Files of territory, for administrators: send one, read the report, apply it or discard it."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.responses import JSONResponse, Response

from api.deps import DatabaseDep, LanguageDep, PrincipalDep, SessionDep, SettingsDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.imports import DecisionIn, ImportDetailOut, ImportOut, ReportOut, UploadIn
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_time_cursor,
    page_of,
)
from api.uploads import fingerprint, sent_file, stage_upload
from geodata.geojson import geojson_text
from gridsvc.access import service as access
from gridsvc.db import Database, Scope, clear_connection_errors
from gridsvc.territory.importing import service

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])

GEOJSON, CSV = "application/geo+json", "text/csv"


@router.post(
    "",
    response_model=ImportOut,
    status_code=201,
    responses={
        200: {"model": ImportOut, "description": "Known already: the first answer again."},
        **responses(401, 403, 404, 409, 422, 503),
    },
)
def send_import(
    database: DatabaseDep,
    settings: SettingsDep,
    principal: PrincipalDep,
    file: Annotated[UploadFile, File(description="50 MB at most; shapefiles as ZIP.")],
    form: Annotated[UploadIn, Depends()],
    entrances: Annotated[
        UploadFile | None,
        File(
            description="With buildings: points where people go in, perhaps with the building's "
            "code, by which these are cut into stairwells."
        ),
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Read a file and stage its rows; nothing of the territory changes yet.

    The same file again, before it was applied or discarded, is the same import.
    """
    scope = principal.scope
    beside = sent_file(entrances)
    return _staged_once(
        database,
        scope,
        idempotency_key,
        fingerprint(file, form, entrances=beside),
        stage=lambda: ImportOut.of(
            stage_upload(database, scope, settings, file, form, entrances=beside)
        ),
    )


def _staged_once(
    database: Database,
    scope: Scope,
    key: str | None,
    request: bytes,
    *,
    stage: Callable[[], ImportOut],
) -> JSONResponse:
    """Stage and answer, unless the key has an answer already; staging commits piece by piece.

    Raises
    ------
    IdempotencyMismatchError
        The key was used for another request.
    """
    if key:
        with clear_connection_errors(), database.session(scope) as session, session.begin():
            earlier = access.earlier_answer(session, key=key, request=request)
        if earlier:
            return JSONResponse(earlier[1], status_code=200)
    staged = stage()
    with clear_connection_errors(), database.session(scope) as session, session.begin():
        return once(session, key, request, status=201, act=lambda: staged)


@router.get("", response_model=Page[ImportOut], responses=responses(401, 403, 422, 503))
def list_imports(
    session: SessionDep, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> dict[str, object]:
    """Return the files that were brought in, the newest first."""
    found = service.list_imports(session, before=decode_time_cursor(cursor), limit=limit + 1)
    shown = [ImportOut.of(one) for one in found]
    return page_of(shown, limit, names=lambda last: (last.created_at.isoformat(), str(last.id)))


@router.get(
    "/{import_id}",
    response_model=ImportDetailOut,
    responses=responses(401, 403, 404, 422, 503),
)
def get_import(session: SessionDep, import_id: UUID) -> ImportDetailOut:
    """Return a file and, while it waits to be applied, what stands against it now."""
    found = service.get(session, import_id)
    report = None
    if found.status == "staged":
        report = ReportOut.of(service.report(session, found))
    return ImportDetailOut(**ImportOut.of(found).model_dump(), report=report)


@router.get(
    "/{import_id}/faults.geojson",
    response_class=Response,
    responses={
        200: {"content": {GEOJSON: {}}, "description": "The faults, each at its place."},
        **responses(401, 403, 404, 409, 422, 503),
    },
)
def get_faults(session: SessionDep, import_id: UUID) -> Response:
    """Return the faults of a staged file; EPSG:4326."""
    findings = service.report(session, service.get(session, import_id))
    return _file(geojson_text(findings.faults), GEOJSON, "faults.geojson")


@router.get(
    "/{import_id}/rejects.csv",
    response_class=Response,
    responses={
        200: {"content": {CSV: {}}, "description": "Rows that did not go in, with the reason."},
        **responses(401, 403, 404, 409, 422, 503),
    },
)
def get_rejects(session: SessionDep, import_id: UUID, language: LanguageDep) -> Response:
    """Return the rows that did not go in; of a staged file, those with faults."""
    found = service.get(session, import_id)
    return _file(service.write_rejects(session, found, lang=language), CSV, "rejects.csv")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=media_type, headers=headers)


@router.post(
    "/{import_id}/apply",
    response_model=ImportOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def apply_import(
    session: SessionDep, import_id: UUID, body: DecisionIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Write a staged file into the territory: everything of it, or nothing."""
    request = f"apply {import_id} {body.model_dump_json()}".encode()

    def act() -> ImportOut:
        service.apply(session, import_id, body.decision())
        return ImportOut.of(service.get(session, import_id))

    return once(session, idempotency_key, request, status=200, act=act)


@router.delete("/{import_id}", status_code=204, responses=responses(401, 403, 404, 409, 422, 503))
def discard_import(session: SessionDep, import_id: UUID) -> Response:
    """Forget the rows of a file that was not applied."""
    service.discard(session, import_id)
    return Response(status_code=204)
