"""API keys of the own account, for QGIS and scripts."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.deps import PrincipalDep, SessionDep
from api.errors import responses
from api.schemas.access import KeyIn, KeyOut, NewKeyOut
from gridsvc.access.keys import service
from gridsvc.access.keys.model import ApiKey

router = APIRouter(prefix="/api/v1/keys", tags=["access"])

KeyId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="16 hexadecimal digits.")]


@router.post(
    "", response_model=NewKeyOut, status_code=201, responses=responses(401, 403, 409, 422, 503)
)
def make_key(session: SessionDep, principal: PrincipalDep, body: KeyIn) -> NewKeyOut:
    """Make a key; its secret is shown this once.

    No answer is kept under an `Idempotency-Key`, because it holds a secret: if it is lost, revoke
    the key and make another.
    """
    key, secret = service.make(
        session,
        principal,
        name=body.name,
        territory_code=body.territory,
        lasts_days=body.days,
    )
    return NewKeyOut(**vars(key), secret=secret)


@router.get("", response_model=list[KeyOut], responses=responses(401, 403, 503))
def list_keys(session: SessionDep, principal: PrincipalDep) -> list[ApiKey]:
    """Return the own keys that were not revoked, the newest first."""
    return service.list_keys(session, principal)


@router.delete(
    "/{key_id}",
    status_code=204,
    response_class=Response,
    responses=responses(401, 403, 404, 422, 503),
)
def revoke_key(session: SessionDep, principal: PrincipalDep, key_id: KeyId) -> None:
    """Revoke a key; it ends at once."""
    service.revoke(session, principal, key_id)
