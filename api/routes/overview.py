"""Results of the territory, and the card of a stairwell."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import SessionDep
from api.errors import responses
from api.routes.contacts import ContactOut
from api.schemas.territory import StairwellCode, StairwellOut
from gridsvc.overview import service
from gridsvc.overview.model import Results, StairwellCard

router = APIRouter(prefix="/api/v1", tags=["overview"])


class ResultsOut(BaseModel):
    """What has been reached: counted, at the moment of asking."""

    communities: int
    compounds: int
    demonstration_compounds: int
    buildings: int
    stairwells: int
    households: int
    building_chiefs: int
    party_building_chiefs: int
    party_members_reported_in: int
    organisations: dict[str, int]
    people_in_organisations: int
    incidents: int
    incidents_by_class: dict[str, int]
    incidents_by_place: dict[str, int]


class StairwellCardOut(BaseModel):
    """A stairwell with its contact and how many incidents it has had."""

    stairwell: StairwellOut
    contact: ContactOut | None
    incident_count: int


@router.get("/results", response_model=ResultsOut, responses=responses(401, 403, 503))
def get_results(session: SessionDep) -> Results:
    """Count what has been reached in the caller's territory."""
    return service.read_results(session)


@router.get(
    "/stairwells/{code}/card",
    response_model=StairwellCardOut,
    responses=responses(401, 403, 404, 422, 503),
)
def get_stairwell_card(session: SessionDep, code: StairwellCode) -> StairwellCard:
    """Return a stairwell with its contact and incidents."""
    return service.get_card(session, code)
