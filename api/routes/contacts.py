"""Plans of household contacts, and the contacts in force."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    decode_uuid_cursor,
    page_of,
)
from api.schemas.territory import CommunityCode
from gridsvc.contacts import service

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])
MAX_SOLVE_S = 20.0


class PlanOut(BaseModel):
    """A proposal for one community; ``gap`` is proven: no plan is better by more than that."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    id: UUID
    run_id: UUID
    status: str
    created_at: datetime
    applied_at: datetime | None
    objective: int
    bound: float
    gap: float
    overload_households: int
    nearest_overload_households: int = Field(
        description="If every stairwell simply got its nearest member."
    )
    stairwell_count: int
    covered_count: int


class PlanLineOut(BaseModel):
    """One stairwell of a plan: who, and why; or nobody, and why. Distances in metres."""

    stairwell_code: str
    member_id: UUID | None
    name: str | None
    is_party_member: bool | None
    reason: str
    distance_m: int | None


class ContactOut(BaseModel):
    """A lead contact, the phone masked. Distance in metres."""

    stairwell_code: str
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    since: date


class RunOut(BaseModel):
    """Plans of one run, a community each."""

    id: UUID
    gap: float
    plans: list[PlanOut]


class ProposeIn(BaseModel):
    """What to plan: one community, or the caller's whole territory."""

    model_config = ConfigDict(extra="forbid")

    community_code: CommunityCode | None = None
    time_limit_s: Annotated[float, Field(gt=0, le=MAX_SOLVE_S)] = 5.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class CoverageOut(BaseModel):
    """Stairwells in each state of coverage."""

    covered_party: int
    covered_other: int
    overloaded: int
    uncovered: int


@router.get("/plans", response_model=Page[PlanOut], responses=responses(401, 403, 422, 503))
def list_plans(
    session: SessionDep,
    community: CommunityCode | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return plans, the newest first."""
    plans = service.list_plans(
        session, community_code=community, before=decode_uuid_cursor(cursor), limit=limit + 1
    )
    return page_of(plans, limit, names=lambda last: (str(last.id),))


@router.post(
    "/plans",
    response_model=RunOut,
    status_code=201,
    responses={
        200: {"model": RunOut, "description": "Known already: the first answer again."},
        **responses(401, 403, 404, 422, 503),
    },
)
def propose_plans(
    session: SessionDep, body: ProposeIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Propose a lead contact for every stairwell; nothing changes until a plan is applied."""
    return once(
        session,
        idempotency_key,
        body.model_dump_json().encode(),
        status=201,
        act=lambda: RunOut.model_validate(
            service.propose(session, **body.model_dump()), from_attributes=True
        ),
    )


@router.get(
    "/plans/{plan_id}", response_model=PlanOut, responses=responses(401, 403, 404, 422, 503)
)
def get_plan(session: SessionDep, plan_id: UUID) -> object:
    """Return one plan."""
    return service.get_plan(session, plan_id)


@router.get(
    "/plans/{plan_id}/lines",
    response_model=Page[PlanLineOut],
    responses=responses(401, 403, 404, 422, 503),
)
def list_plan_lines(
    session: SessionDep, plan_id: UUID, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> dict[str, object]:
    """Return the lines of a plan, by stairwell code."""
    after = decode_cursor(cursor, parts=1) or ("",)
    lines = service.list_lines(session, plan_id, after=after[0], limit=limit + 1)
    return page_of(lines, limit, names=lambda last: (last.stairwell_code,))


@router.post(
    "/plans/{plan_id}/apply",
    response_model=PlanOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def apply_plan(
    session: SessionDep, plan_id: UUID, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Bring the contacts in force into line with a plan."""
    return once(
        session,
        idempotency_key,
        f"apply {plan_id}".encode(),
        status=200,
        act=lambda: PlanOut.model_validate(service.apply(session, plan_id)),
    )


@router.get("/coverage", response_model=CoverageOut, responses=responses(401, 403, 422, 503))
def get_coverage(session: SessionDep, community: CommunityCode | None = None) -> dict[str, int]:
    """Return how many stairwells have a contact today, and of which kind."""
    return service.count_states(session, community_code=community)
