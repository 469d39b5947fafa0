"""What is done with incidents: steps, events, handing over many, and parties without an account."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import DatabaseDep, SessionDep, SettingsDep, VaultDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.incident_life import (
    AssignedManyOut,
    AssignedOut,
    AssignManyIn,
    EventOut,
    EventsOut,
    HandedIn,
    HandedOut,
    HandedStepIn,
    LinkOut,
    PartiesOut,
    PartyChangeIn,
    PartyIn,
    PartyOut,
    StepIn,
)
from api.schemas.incidents import IncidentOut
from api.schemas.territory import CommunityCode
from api.versions import IfMatch, etag_of, seen_version
from gridsvc.incidents.lists import service as lists
from gridsvc.incidents.parties import service as parties
from gridsvc.incidents.parties.model import Party
from gridsvc.overview import incidents as overview_incidents
from gridsvc.overview import service as overview

router = APIRouter(prefix="/api/v1", tags=["incidents"])
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "Known already: the first answer again."}
}
HasRetired = Annotated[bool, Query(alias="retired", description="Retired ones, too.")]


@router.post(
    "/incidents/assign", response_model=AssignedManyOut, responses=responses(401, 403, 422, 503)
)
def assign_many(
    session: SessionDep, body: AssignManyIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Hand many incidents to one account or party; each is answered for itself."""
    return once(
        session,
        idempotency_key,
        body.model_dump_json().encode(),
        status=200,
        act=lambda: AssignedManyOut(
            items=[
                AssignedOut.model_validate(one)
                for one in lists.assign_many(
                    session,
                    [one.chosen() for one in body.incidents],
                    body.wanted(),
                    on_event=overview_incidents.LISTENERS,
                )
            ]
        ),
    )


@router.post(
    "/incidents/{incident_id}/steps",
    response_model=IncidentOut,
    status_code=201,
    responses={
        200: {"model": IncidentOut, **_KNOWN[200]},
        **responses(401, 403, 404, 409, 412, 422, 428, 503),
    },
)
def make_step(
    session: SessionDep,
    incident_id: UUID,
    body: StepIn,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Make a step on an incident as it was seen; return it as it is then."""
    seen = seen_version(if_match)
    answer = once(
        session,
        idempotency_key,
        f"{incident_id} {seen} {body.model_dump_json()}".encode(),
        status=201,
        act=lambda: IncidentOut.model_validate(
            overview_incidents.step(
                session,
                incident_id,
                body.wanted(),
                version=seen,
                stairwell_codes=overview.own_stairwells(session),
            ),
            from_attributes=True,
        ),
    )
    if answer.status_code == 201:
        answer.headers["Location"] = f"/api/v1/incidents/{incident_id}"
    return answer


@router.get(
    "/incidents/{incident_id}/events",
    response_model=EventsOut,
    responses=responses(401, 403, 404, 422, 503),
)
def list_events(session: SessionDep, incident_id: UUID) -> EventsOut:
    """Return what happened to an incident, the first thing first."""
    found = overview_incidents.list_events(
        session, incident_id, stairwell_codes=overview.own_stairwells(session)
    )
    return EventsOut(items=[EventOut.model_validate(one) for one in found])


@router.post(
    "/incidents/{incident_id}/links",
    response_model=LinkOut,
    status_code=201,
    responses=responses(401, 403, 404, 422, 503),
)
def make_link(session: SessionDep, settings: SettingsDep, incident_id: UUID) -> LinkOut:
    """Make a link by which the party that an incident is handed to answers; older ones end."""
    link = parties.make_link(session, incident_id)
    return LinkOut(
        incident_id=link.incident_id,
        party_id=link.party_id,
        url=f"{settings.public_origin}/handed#{link.token}",
        expires_at=link.expires_at,
    )


# ---- parties


@router.get("/parties", response_model=PartiesOut, responses=responses(401, 403, 422, 503))
def list_parties(
    session: SessionDep,
    community: CommunityCode | None = None,
    has_retired: HasRetired = False,
) -> PartiesOut:
    """Return the parties without an account, by name."""
    found = parties.list_parties(session, community_code=community, has_retired=has_retired)
    return PartiesOut(items=[PartyOut.model_validate(one) for one in found])


@router.post(
    "/parties",
    response_model=PartyOut,
    status_code=201,
    responses=responses(401, 403, 404, 422, 503),
)
def add_party(session: SessionDep, vault: VaultDep, body: PartyIn) -> Party:
    """Keep a party of one community; what serves several is kept once in each."""
    return parties.add_party(session, vault=vault, **body.model_dump())


@router.patch(
    "/parties/{party_id}", response_model=PartyOut, responses=responses(401, 403, 404, 422, 503)
)
def change_party(
    session: SessionDep, vault: VaultDep, party_id: UUID, body: PartyChangeIn
) -> Party:
    """Change what is given; whoever is retired gets nothing new, and no address of it is kept."""
    return parties.change_party(session, party_id, body.model_dump(exclude_unset=True), vault)


# ---- by a party's link, without an account


@router.post("/handed", response_model=HandedOut, responses=responses(403, 404, 422, 503))
def read_handed(database: DatabaseDep, body: HandedIn) -> HandedOut:
    """Return the incident of a party's link; the token travels in the body, never in an address."""
    incident, events = overview_incidents.read_handed(database, body.token)
    return HandedOut(
        incident=IncidentOut.model_validate(incident, from_attributes=True),
        events=[EventOut.model_validate(one) for one in events],
    )


@router.post(
    "/handed/steps",
    response_model=IncidentOut,
    status_code=201,
    responses=responses(403, 404, 409, 422, 503),
)
def make_handed_step(database: DatabaseDep, body: HandedStepIn) -> JSONResponse:
    """Make a step as the party of a link."""
    after = overview_incidents.make_handed_step(database, body.token, body.wanted())
    answer = IncidentOut.model_validate(after, from_attributes=True).model_dump(mode="json")
    return JSONResponse(answer, 201, {"ETag": etag_of(after.version)})
