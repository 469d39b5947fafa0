"""Patrol routes: plan an evening, fetch a route in the form that the phone or map wants."""

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_uuid_cursor,
    page_of,
)
from api.schemas.patrols import (
    ENCODERS,
    MEDIA_TYPES,
    EveningOut,
    Format,
    LeftOutOut,
    PlanEveningIn,
    RouteOut,
    RouteSummaryOut,
    preferred_format,
)
from api.schemas.territory import CommunityCode
from gridsvc.patrols import service
from gridsvc.patrols.model import LeftOut

router = APIRouter(prefix="/api/v1/patrols", tags=["patrols"])


@router.get(
    "/routes", response_model=Page[RouteSummaryOut], responses=responses(401, 403, 422, 503)
)
def list_routes(
    session: SessionDep,
    community: CommunityCode | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return routes, the newest first."""
    routes = service.list_routes(
        session, community_code=community, before=decode_uuid_cursor(cursor), limit=limit + 1
    )
    return page_of(routes, limit, names=lambda last: (str(last.id),))


@router.post(
    "/evenings",
    response_model=EveningOut,
    status_code=201,
    responses={
        200: {"model": EveningOut, "description": "Known already: the first answer again."},
        **responses(401, 403, 422, 503),
    },
)
def plan_evening(
    session: SessionDep, body: PlanEveningIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Plan a route for every team on a day; earlier routes of that day are replaced."""
    return once(
        session,
        idempotency_key,
        body.model_dump_json().encode(),
        status=201,
        act=lambda: EveningOut.model_validate(
            {"routes": service.plan_evening(session, day=body.day, seed=body.seed)},
            from_attributes=True,
        ),
    )


@router.get(
    "/routes/{route_id}",
    response_class=Response,
    responses={
        200: {
            "description": "The route as JSON, GeoJSON or GPX 1.1.",
            "model": RouteOut,
            "content": {media_type: {} for media_type in MEDIA_TYPES.values()},
        },
        304: {"description": "Unchanged."},
        **responses(401, 403, 404, 422, 503),
    },
)
def get_route(
    session: SessionDep,
    route_id: UUID,
    f: Annotated[Format | None, Query(description="Format; default by `Accept`.")] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return one route."""
    route = service.get_route(session, route_id)
    chosen = f or preferred_format(accept)
    body = ENCODERS[chosen](route)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    if chosen == "gpx":
        headers["Content-Disposition"] = f'attachment; filename="{route_id}.gpx"'
    return Response(body, media_type=MEDIA_TYPES[chosen], headers=headers)


@router.get(
    "/routes/{route_id}/left-out",
    response_model=list[LeftOutOut],
    responses=responses(401, 403, 404, 422, 503),
)
def list_left_out(session: SessionDep, route_id: UUID) -> list[LeftOut]:
    """Return the candidates that this evening's routes leave out, and the tested reason."""
    return service.list_left_out(session, route_id)
