"""Results of the territory, the card of a stairwell, and two periods compared."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import SessionDep
from api.errors import responses
from api.schemas.contacts import ContactOut
from api.schemas.territory import StairwellCode, StairwellOut
from gridsvc.errors import InvalidPeriodError
from gridsvc.overview import comparing, service
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


class ComparedOut(BaseModel):
    """Incidents on the same ground in two periods."""

    codes: list[str] = Field(description="Every grid that this ground has been, by code.")
    before: int
    after: int


@router.get(
    "/comparison", response_model=list[ComparedOut], responses=responses(401, 403, 422, 503)
)
def compare_periods(
    session: SessionDep,
    before_from: Annotated[date, Query(description="First day of the first period.")],
    before_to: Annotated[date, Query(description="Its last day.")],
    after_from: Annotated[date, Query(description="First day of the second period.")],
    after_to: Annotated[date, Query(description="Its last day.")],
    by: Literal["stairwell", "compound"] = "stairwell",
) -> list[comparing.Compared]:
    """Count incidents of two periods by grid; grids that descend from each other count as one."""
    before, after = (
        comparing.Period(before_from, before_to),
        comparing.Period(after_from, after_to),
    )
    for period in (before, after):
        if period.last_day < period.first_day:
            raise InvalidPeriodError(period.first_day, period.last_day)
    return comparing.compare(session, before, after, is_compound=by == "compound")
