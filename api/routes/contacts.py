"""Who is contact of what on a day, where nobody can be asked, and handing over."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import SessionDep, SettingsDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.routes.contact_plans import defaults_of
from api.schemas.contacts import (
    AlertOut,
    CoverageOut,
    DutyOut,
    HandOverIn,
    HistoryOfContactsOut,
    OfCommunity,
    OfCompound,
    OfStairwell,
    OwnStairwellOut,
    OwnStairwellsOut,
    PinOut,
    PlanOut,
)
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    invalid_cursor,
    page_of,
)
from api.schemas.territory import AsOf, CommunityCode, StairwellCode
from gridsvc.contacts import service
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.duty.model import DutyFilter
from gridsvc.contacts.plans import service as plans

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])
OnDay = Annotated[date | None, Query(description="Also to come; default: today.")]
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": PlanOut, "description": "Known already: the first answer again."}
}


@router.get("", response_model=Page[DutyOut], responses=responses(401, 403, 422, 503))
def list_contacts(
    session: SessionDep,
    community: OfCommunity = None,
    compound: OfCompound = None,
    stairwell: OfStairwell = None,
    member: UUID | None = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the contacts of a day, by stairwell, the lead before the supporting ones."""
    wanted = DutyFilter(community, compound, stairwell, member)
    found = duty.list_in_force(
        session, wanted, on=as_of, after=_decode_duty(cursor), limit=limit + 1
    )
    return page_of(
        found,
        limit,
        names=lambda last: (last.stairwell_code, last.kind, str(last.member_id)),
    )


def _decode_duty(cursor: str | None) -> tuple[str, str, UUID] | None:
    parts = decode_cursor(cursor, parts=3)
    if parts is None:
        return None
    try:
        return parts[0], parts[1], UUID(parts[2])
    except ValueError:
        raise invalid_cursor() from None


@router.get("/own", response_model=OwnStairwellsOut, responses=responses(401, 403, 422, 503))
def list_own_stairwells(session: SessionDep, as_of: AsOf = None) -> OwnStairwellsOut:
    """Return the stairwells that the caller is contact of; none for an account of no member."""
    found = duty.list_own(session, on=as_of)
    return OwnStairwellsOut(items=[OwnStairwellOut.model_validate(one) for one in found])


@router.get("/alerts", response_model=Page[AlertOut], responses=responses(401, 403, 422, 503))
def list_alerts(
    session: SessionDep,
    community: OfCommunity = None,
    on: OnDay = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the stairwells whose lead cannot be asked on a day, by code."""
    after = decode_cursor(cursor, parts=1) or ("",)
    found = duty.list_alerts(
        session, on=on, community_code=community, after=after[0], limit=limit + 1
    )
    return page_of(found, limit, names=lambda last: (last.stairwell_code,))


@router.get("/coverage", response_model=CoverageOut, responses=responses(401, 403, 422, 503))
def get_coverage(session: SessionDep, community: CommunityCode | None = None) -> dict[str, int]:
    """Return how many stairwells have a contact today, and of which kind."""
    return service.count_states(session, community_code=community)


@router.get(
    "/stairwells/{code}",
    response_model=HistoryOfContactsOut,
    responses=responses(401, 403, 404, 422, 503),
)
def get_contact_history(session: SessionDep, code: StairwellCode) -> HistoryOfContactsOut:
    """Return everybody who was, is or will be contact of a stairwell."""
    found = duty.list_history(session, code)
    return HistoryOfContactsOut(items=[DutyOut.model_validate(one) for one in found])


@router.get("/pins", response_model=Page[PinOut], responses=responses(401, 403, 422, 503))
def list_pins(
    session: SessionDep,
    community: OfCommunity = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the choices that every later plan keeps to, by stairwell."""
    after = decode_cursor(cursor, parts=1) or ("",)
    found = plans.list_pins(session, community_code=community, after=after[0], limit=limit + 1)
    return page_of(found, limit, names=lambda last: (last.stairwell_code,))


@router.delete("/pins/{code}", status_code=204, responses=responses(401, 403, 404, 422, 503))
def remove_pin(session: SessionDep, code: StairwellCode) -> None:
    """Let later plans choose the lead of a stairwell again; today's contact stays."""
    plans.unpin(session, code)


@router.post(
    "/hand-overs",
    response_model=PlanOut,
    status_code=201,
    responses={**_KNOWN, **responses(401, 403, 404, 422, 503)},
)
def hand_over(
    session: SessionDep,
    settings: SettingsDep,
    body: HandOverIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Find others for the stairwells of somebody who leaves, with the fewest changes that do.

    The answer is a plan of these stairwells: applied at once, or waiting for a review.
    """
    return once(
        session,
        idempotency_key,
        body.model_dump_json().encode(),
        status=201,
        act=lambda: PlanOut.model_validate(
            plans.hand_over(
                session,
                body.member_id,
                from_on=body.from_on,
                until=body.until,
                absence=body.absence,
                options=defaults_of(settings),
                is_applied=body.apply,
            )
        ),
    )
