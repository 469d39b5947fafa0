"""Reports of people without an account, and their photos; pages are in `api.pages.reporting`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from api.deps import CallerDep, DatabaseDep, SettingsDep, VaultDep, VisitorDep
from api.errors import problem_of, responses
from api.follow_token import FoundToken, require
from api.idempotency import IdempotencyKey
from api.schemas.reports import (
    BatchedReportIn,
    BatchIn,
    BatchItemOut,
    BatchOut,
    FollowedOut,
    NearbyIn,
    NearbyOut,
    PhotoOut,
    ReportIn,
    ReportOut,
    SimilarOut,
    SpotOut,
)
from api.schemas.territory import CommunityCode
from gridsvc.access.signing_in import Caller
from gridsvc.db import Database, clear_connection_errors
from gridsvc.errors import GridsvcError
from gridsvc.incidents.photos import service as photos
from gridsvc.incidents.photos.model import Size
from gridsvc.incidents.reporting import places, service
from gridsvc.overview.incidents import LISTENERS
from gridsvc.vault import Vault

router = APIRouter(prefix="/api/v1", tags=["reports"])

SizeQuery = Annotated[Size, Query(description="full: at most 1,600 px; thumb: at most 320 px.")]
_IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "JPEG without metadata."}
}


@router.post(
    "/reports",
    response_model=ReportOut,
    status_code=201,
    responses={
        200: {"model": ReportOut, "description": "Known already: the first answer again."},
        **responses(403, 409, 422, 429, 503),
    },
)
def file_report(
    database: DatabaseDep,
    vault: VaultDep,
    settings: SettingsDep,
    visitor: VisitorDep,
    caller: CallerDep,
    body: ReportIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Report without an account; the link in the answer follows what becomes of it."""
    with clear_connection_errors():
        filed = service.file(
            database,
            vault,
            body.wish(key=idempotency_key),
            caller=caller if visitor is None else None,
            on_event=LISTENERS,
        )
    made = ReportOut.of(filed, origin=settings.public_origin)
    return JSONResponse(made.model_dump(mode="json"), status_code=201 if filed.is_new else 200)


@router.post("/reports/batch", response_model=BatchOut, responses=responses(403, 422, 503))
def file_reports(
    database: DatabaseDep,
    vault: VaultDep,
    settings: SettingsDep,
    visitor: VisitorDep,
    caller: CallerDep,
    body: BatchIn,
) -> BatchOut:
    """Report what a phone kept while it was offline; one that fails does not stop the others."""
    counted = caller if visitor is None else None
    origin = settings.public_origin
    return BatchOut(
        items=[
            _file_one(database, vault, index, one, caller=counted, origin=origin)
            for index, one in enumerate(body.reports)
        ]
    )


def _file_one(
    database: Database,
    vault: Vault,
    index: int,
    sent: dict[str, object],
    *,
    caller: Caller | None,
    origin: str,
) -> BatchItemOut:
    """Take one report of a batch, and say what came of it."""
    try:
        wish = BatchedReportIn.model_validate(sent).wish(key=None)
        with clear_connection_errors():
            filed = service.file(database, vault, wish, caller=caller, on_event=LISTENERS)
    except (ValidationError, GridsvcError) as error:
        told = problem_of(error)
        return BatchItemOut(index=index, status=told.status, problem=told)
    made = ReportOut.of(filed, origin=origin)
    return BatchItemOut(index=index, status=201 if filed.is_new else 200, report=made)


@router.post("/reports/nearby", response_model=NearbyOut, responses=responses(403, 422, 429, 503))
def list_nearby(database: DatabaseDep, caller: CallerDep, body: NearbyIn) -> NearbyOut:
    """Say where a place is, and which open public incidents of the class lie within 50 m."""
    with clear_connection_errors():
        spot, similar = places.look_round(
            database, body.where.where, body.category_code, caller=caller
        )
    return NearbyOut(where=SpotOut.of(spot), similar=[SimilarOut.of(one) for one in similar])


@router.get(
    "/reports/{incident_id}",
    response_model=FollowedOut,
    responses=responses(404, 422, 503),
)
def get_report(database: DatabaseDep, incident_id: UUID, token: FoundToken) -> FollowedOut:
    """Return a report as its reporter sees it."""
    with clear_connection_errors():
        return FollowedOut.of(service.follow(database, require(token, incident_id)))


# ---- photos


@router.post(
    "/reports/{incident_id}/photos",
    response_model=PhotoOut,
    status_code=201,
    responses={
        200: {"model": PhotoOut, "description": "Sent before: the first answer again."},
        **responses(403, 404, 409, 422, 429, 503),
    },
)
def add_photo(
    database: DatabaseDep,
    incident_id: UUID,
    token: FoundToken,
    caller: CallerDep,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 12 MB.")],
) -> JSONResponse:
    """Add a photo to a report: it is made small and loses all metadata; five at most."""
    with clear_connection_errors():
        kept, is_new = photos.add(
            database, require(token, incident_id), file.file.read(), caller=caller
        )
    return JSONResponse(
        PhotoOut.of(kept).model_dump(mode="json"), status_code=201 if is_new else 200
    )


@router.get(
    "/reports/{incident_id}/photos",
    response_model=list[PhotoOut],
    responses=responses(404, 422, 503),
)
def list_photos(database: DatabaseDep, incident_id: UUID, token: FoundToken) -> list[PhotoOut]:
    """Return the photos of a report, without their bytes."""
    with clear_connection_errors():
        return [PhotoOut.of(one) for one in photos.list_own(database, require(token, incident_id))]


@router.get(
    "/reports/{incident_id}/photos/{photo_id}",
    response_class=Response,
    responses={**_IMAGE, **responses(404, 422, 503)},
)
def get_photo(
    database: DatabaseDep,
    incident_id: UUID,
    photo_id: UUID,
    token: FoundToken,
    size: SizeQuery = "full",
) -> Response:
    """Return a photo of a report to its reporter."""
    with clear_connection_errors():
        image = photos.read_own(database, require(token, incident_id), photo_id, size)
    return Response(image, media_type="image/jpeg")


@router.delete(
    "/reports/{incident_id}/photos/{photo_id}",
    status_code=204,
    responses=responses(403, 404, 422, 503),
)
def delete_photo(
    database: DatabaseDep, incident_id: UUID, photo_id: UUID, token: FoundToken
) -> None:
    """Delete a photo of a report, published or not."""
    with clear_connection_errors():
        photos.remove_own(database, require(token, incident_id), photo_id)


@router.get(
    "/photos/{code}/{photo_id}",
    response_class=Response,
    responses={**_IMAGE, **responses(404, 422, 503)},
)
def get_public_photo(
    database: DatabaseDep, code: CommunityCode, photo_id: UUID, size: SizeQuery = "full"
) -> Response:
    """Return a published photo of a community, as it was blurred."""
    with clear_connection_errors():
        image = photos.read_public(database, code, photo_id, size)
    return Response(image, media_type="image/jpeg")
