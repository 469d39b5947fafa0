"""Taking up an invitation from a program; browsers use the page."""

from fastapi import APIRouter

from api.deps import CallerDep, DatabaseDep
from api.errors import responses
from api.schemas.accounts import RedeemedOut, RedeemIn
from gridsvc.access.invitations import service
from gridsvc.db import clear_connection_errors

router = APIRouter(prefix="/api/v1/invitations", tags=["access"])


@router.post(
    "/redeem",
    response_model=RedeemedOut,
    status_code=201,
    responses=responses(401, 403, 422, 429, 503),
)
def redeem_invitation(database: DatabaseDep, caller: CallerDep, body: RedeemIn) -> RedeemedOut:
    """Choose a password by an invitation's code, which is used up, and sign in."""
    with clear_connection_errors():
        started = service.redeem(database, code=body.code, password=body.password, caller=caller)
    return RedeemedOut.of(started)
