"""Incidents, their categories, and the heat of them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.incidents import CategoryOut, HeatOut, IncidentIn, IncidentOut, Place
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_time_cursor,
    page_of,
)
from api.schemas.territory import CommunityCode
from geodata.categories import Category
from gridsvc.incidents import service
from gridsvc.incidents.model import Incident, NewIncident
from gridsvc.incidents.service import HeatFilter
from gridsvc.overview import service as overview

router = APIRouter(prefix="/api/v1", tags=["incidents"])
ClassCode = Annotated[
    str | None,
    Query(alias="class", pattern="^[a-z_]{1,40}$", description="One of the seven classes."),
]


@router.get("/categories", response_model=list[CategoryOut], responses=responses(401, 503))
def list_categories(session: SessionDep) -> list[Category]:
    """Return the catalogue, classes before their sub-categories."""
    return service.list_categories(session)


@router.get("/incidents", response_model=Page[IncidentOut], responses=responses(401, 403, 422, 503))
def list_incidents(
    session: SessionDep,
    community: CommunityCode | None = None,
    class_code: ClassCode = None,
    place: Place | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return incidents, the newest first."""
    incidents = service.list_incidents(
        session,
        community_code=community,
        class_code=class_code,
        place=place,
        stairwell_codes=overview.own_stairwells(session),
        before=decode_time_cursor(cursor),
        limit=limit + 1,
    )
    return page_of(
        incidents, limit, names=lambda last: (last.reported_at.isoformat(), str(last.id))
    )


@router.get(
    "/incidents/{incident_id}",
    response_model=IncidentOut,
    responses=responses(401, 403, 404, 422, 503),
)
def get_incident(session: SessionDep, incident_id: UUID) -> Incident:
    """Return one incident."""
    own = overview.own_stairwells(session)
    return service.get(session, incident_id, stairwell_codes=own)


@router.post(
    "/incidents",
    response_model=IncidentOut,
    status_code=201,
    responses={
        200: {"model": IncidentOut, "description": "Known already: the first answer again."},
        **responses(401, 403, 409, 422, 503),
    },
)
def report_incident(
    session: SessionDep, body: IncidentIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Report an incident; outside every community it is accepted and flagged."""
    request = body.model_dump_json(include=body.model_fields_set).encode()
    incident = NewIncident(**body.model_dump())
    return once(
        session,
        idempotency_key,
        request,
        status=201,
        act=lambda: IncidentOut.model_validate(
            service.add(session, incident), from_attributes=True
        ),
    )


@router.get("/heat", response_model=HeatOut, responses=responses(401, 403, 422, 503))
def get_heat(
    session: SessionDep,
    community: CommunityCode | None = None,
    class_code: ClassCode = None,
    first_month: Annotated[date | None, Query(alias="from")] = None,
    last_month: Annotated[date | None, Query(alias="to")] = None,
    zoom: Annotated[int, Query(ge=14, le=20)] = 18,
) -> HeatOut:
    """Return heat cells; planners get the release that passed the small-count rule."""
    selection = HeatFilter(community, class_code, first_month, last_month)
    cells, totals = service.read_heat(session, selection, zoom=zoom)
    return HeatOut(
        features=list(cells.iterfeatures(na="null", drop_id=True)),
        shown=totals.shown,
        withheld=totals.withheld,
        through=totals.through,
    )
