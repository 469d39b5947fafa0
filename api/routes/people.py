"""Looking for members, and revealing one phone for a purpose.

Both are a POST, so that neither a name nor a phone stands in an address or a log, and neither takes
an ``Idempotency-Key``: answers with people in them are not kept.
"""

from uuid import UUID

from fastapi import APIRouter

from api.deps import DatabaseDep, PrincipalDep, SessionDep, VaultDep
from api.errors import responses
from api.schemas.people import FoundMemberOut, FoundOut, RevealedOut, RevealIn, SearchIn
from gridsvc.db import clear_connection_errors
from gridsvc.people import revealing, service
from gridsvc.people.model import Revealed

router = APIRouter(prefix="/api/v1/members", tags=["people"])


@router.post("/search", response_model=FoundOut, responses=responses(401, 403, 422, 503))
def search_members(session: SessionDep, body: SearchIn) -> FoundOut:
    """Find members by part of their name; how many were shown is noted."""
    found, is_cut = service.search(session, body.words)
    return FoundOut(items=[FoundMemberOut.model_validate(one) for one in found], is_cut=is_cut)


@router.post(
    "/{member_id}/reveal",
    response_model=RevealedOut,
    responses=responses(401, 403, 404, 422, 429, 503),
)
def reveal_member(
    database: DatabaseDep,
    principal: PrincipalDep,
    vault: VaultDep,
    member_id: UUID,
    body: RevealIn,
) -> Revealed:
    """Return name and phone in clear: noted with its purpose, thirty an hour."""
    with clear_connection_errors():
        return revealing.reveal(
            database, principal.scope, member_id=member_id, purpose=body.purpose, vault=vault
        )
