"""Communities, compounds and stairwells of the caller's territory."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import SessionDep
from api.errors import responses
from api.schemas.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page_of
from api.schemas.territory import (
    AsOf,
    CommunityCode,
    CommunityOut,
    CompoundCode,
    CompoundOut,
    StairwellCode,
    StairwellOut,
)
from gridsvc.overview import service as overview
from gridsvc.territory import service
from gridsvc.territory.model import Community, Compound, Stairwell

router = APIRouter(prefix="/api/v1", tags=["territory"])
READ_PROBLEMS = responses(401, 403, 422, 503)


@router.get("/communities", response_model=list[CommunityOut], responses=responses(401, 422, 503))
def list_communities(session: SessionDep, as_of: AsOf = None) -> list[Community]:
    """Return the caller's communities with their counts, by code."""
    return service.list_communities(session, on=as_of)


@router.get("/compounds", response_model=Page[CompoundOut], responses=READ_PROBLEMS)
def list_compounds(
    session: SessionDep,
    community: CommunityCode | None = None,
    name: Annotated[
        str | None, Query(max_length=60, pattern=r"^[^\x00]*$", description="Part of the name.")
    ] = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return compounds, by code."""
    after = decode_cursor(cursor, parts=1) or ("",)
    compounds = service.list_compounds(
        session,
        community_code=community,
        name_part=name,
        stairwell_codes=overview.own_stairwells(session),
        on=as_of,
        after=after[0],
        limit=limit + 1,
    )
    return page_of(compounds, limit, names=lambda last: (last.code,))


@router.get(
    "/compounds/{code}", response_model=CompoundOut, responses=responses(401, 403, 404, 422, 503)
)
def get_compound(session: SessionDep, code: CompoundCode, as_of: AsOf = None) -> Compound:
    """Return one compound."""
    own = overview.own_stairwells(session)
    return service.get_compound(session, code, stairwell_codes=own, on=as_of)


@router.get("/stairwells", response_model=Page[StairwellOut], responses=READ_PROBLEMS)
def list_stairwells(
    session: SessionDep,
    compound: Annotated[str | None, Query(pattern="^[0-9]{15}$")] = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return stairwells, by code; areas are square metres."""
    after = decode_cursor(cursor, parts=1) or ("",)
    stairwells = service.list_stairwells(
        session,
        compound_code=compound,
        stairwell_codes=overview.own_stairwells(session),
        on=as_of,
        after=after[0],
        limit=limit + 1,
    )
    return page_of(stairwells, limit, names=lambda last: (last.code,))


@router.get(
    "/stairwells/{code}", response_model=StairwellOut, responses=responses(401, 403, 404, 422, 503)
)
def get_stairwell(session: SessionDep, code: StairwellCode, as_of: AsOf = None) -> Stairwell:
    """Return one stairwell; the area is in square metres."""
    own = overview.own_stairwells(session)
    return service.get_stairwell(session, code, stairwell_codes=own, on=as_of)
