"""Incidents, their categories, and the heat of them."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.incident_life import FiguresOut, Level, ListCountsOut, NumbersOut, WorkList
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
from api.versions import etag_of
from geodata.categories import Category
from gridsvc.incidents import service
from gridsvc.incidents.lists import service as lists
from gridsvc.incidents.lists.model import WorkFilter
from gridsvc.incidents.model import Incident, NewIncident
from gridsvc.incidents.numbers import service as numbers
from gridsvc.incidents.service import HeatFilter
from gridsvc.overview import service as overview
from gridsvc.overview.incidents import LISTENERS

router = APIRouter(prefix="/api/v1", tags=["incidents"])
OfList = Annotated[WorkList | None, Query(alias="list", description="A work list.")]
OfCompound = Annotated[
    str | None, Query(pattern=r"^[0-9]{15}$", description="Of this compound only: 15 digits.")
]
ClassCode = Annotated[
    str | None,
    Query(alias="class", pattern="^[a-z_]{1,40}$", description="One of the seven classes."),
]


@router.get("/categories", response_model=list[CategoryOut], responses=responses(401, 503))
def list_categories(session: SessionDep) -> list[Category]:
    """Return the catalogue, classes before their sub-categories."""
    return service.list_categories(session)


@router.get(
    "/incidents/counts", response_model=ListCountsOut, responses=responses(401, 403, 422, 503)
)
def count_work_lists(session: SessionDep, community: CommunityCode | None = None) -> dict[str, int]:
    """Return how many incidents each work list holds."""
    return lists.count_lists(
        session, community_code=community, stairwell_codes=overview.own_stairwells(session)
    )


@router.get(
    "/incidents/numbers", response_model=NumbersOut, responses=responses(401, 403, 422, 503)
)
def read_numbers(
    session: SessionDep,
    by: Literal["class", "compound", "community", "month"],
    first_day: Annotated[date, Query(alias="from", description="First day.")],
    last_day: Annotated[date, Query(alias="to", description="Last day.")],
    community: CommunityCode | None = None,
) -> NumbersOut:
    """Return how many were reported in a period, how soon answered and solved, and by whom."""
    found = numbers.read_figures(
        session, by=by, first_day=first_day, last_day=last_day, community_code=community
    )
    return NumbersOut(items=[FiguresOut.model_validate(one) for one in found])


@router.get("/incidents", response_model=Page[IncidentOut], responses=responses(401, 403, 422, 503))
def list_incidents(
    session: SessionDep,
    community: CommunityCode | None = None,
    class_code: ClassCode = None,
    place: Place | None = None,
    work_list: OfList = None,
    compound: OfCompound = None,
    level: Level | None = None,
    handler: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return incidents, the newest first; those of a work list the oldest first.

    ``compound``, ``level`` and ``handler`` are for work lists, ``place`` is for all the others.
    """
    if work_list is not None:
        wanted = WorkFilter(work_list, community, compound, class_code, level, handler)
        work = lists.list_work(
            session,
            wanted,
            stairwell_codes=overview.own_stairwells(session),
            after=decode_time_cursor(cursor),
            limit=limit + 1,
        )
        return page_of(
            work,
            limit,
            names=lambda last: (lists.order_of(wanted.name, last).isoformat(), str(last.id)),
        )
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
def get_incident(session: SessionDep, response: Response, incident_id: UUID) -> Incident:
    """Return one incident; its ``ETag`` is what a step's ``If-Match`` takes."""
    own = overview.own_stairwells(session)
    incident = service.get(session, incident_id, stairwell_codes=own)
    response.headers["ETag"] = etag_of(incident.version)
    return incident


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
            service.add(session, incident, on_event=LISTENERS), from_attributes=True
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
