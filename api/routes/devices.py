"""What is signed in to the own account, and ending it."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import PrincipalDep, SessionDep
from api.errors import responses
from api.schemas.access import SignInItemOut
from gridsvc.access.devices import service
from gridsvc.access.devices.model import SignIn

router = APIRouter(prefix="/api/v1/sign-ins", tags=["access"])


@router.get("", response_model=list[SignInItemOut], responses=responses(401, 403, 503))
def list_sign_ins(session: SessionDep, principal: PrincipalDep) -> list[SignIn]:
    """Return browsers and devices of the own account: this one, then by last use."""
    return service.list_sign_ins(session, principal)


@router.delete(
    "/{sign_in_id}",
    status_code=204,
    response_class=Response,
    responses=responses(401, 403, 404, 422, 503),
)
def end_sign_in(session: SessionDep, principal: PrincipalDep, sign_in_id: UUID) -> None:
    """End a sign-in of the own account; a device's tokens all end."""
    service.end(session, principal, sign_in_id)


@router.delete("", status_code=204, response_class=Response, responses=responses(401, 403, 503))
def end_other_sign_ins(session: SessionDep, principal: PrincipalDep) -> None:
    """End every sign-in of the own account but this one."""
    service.end_others(session, principal)
