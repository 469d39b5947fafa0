"""Signing in and out, renewing a device's token, and who is signed in."""

from fastapi import APIRouter, Response

from api.deps import (
    CallerDep,
    CredentialDep,
    DatabaseDep,
    PrincipalDep,
    SettingsDep,
    VaultDep,
    allow_development_login,
)
from api.errors import responses
from api.idempotency import IdempotencyKey
from api.schemas.access import (
    DeviceOut,
    IntervalOut,
    PrincipalOut,
    RefreshIn,
    SignInIn,
    SignInOut,
)
from gridsvc.access import service, signing_in
from gridsvc.access.devices import service as devices
from gridsvc.access.devices.model import DeviceStarted
from gridsvc.db import NOBODY, clear_connection_errors
from gridsvc.errors import NotSignedInError, ReadOnlyKeyError

router = APIRouter(prefix="/api/v1/session", tags=["access"])


@router.post(
    "",
    response_model=SignInOut,
    status_code=201,
    responses=responses(401, 403, 422, 429, 503),
)
def sign_in(
    database: DatabaseDep,
    settings: SettingsDep,
    vault: VaultDep,
    caller: CallerDep,
    body: SignInIn,
) -> SignInOut:
    """Sign in a program or phone; browsers use the page."""
    with clear_connection_errors():
        if body.code is not None:
            allow_development_login(settings)
            with database.session(NOBODY) as session, session.begin():
                account = service.get_by_code(session, body.code)
        else:
            account = signing_in.check_all(
                database,
                login=body.login or "",
                password=body.password or "",
                one_time_code=body.one_time_code,
                caller=caller,
                vault=vault,
            )
        with signing_in.own_session(database, account) as session:
            if body.device is not None:
                device = devices.start_device(session, account, name=body.device.name)
                return SignInOut(**vars(device))
            started = signing_in.start_fully(session, account, client=caller.client)
            return SignInOut(token=started.token, expires_at=started.expires_at)


@router.post("/refresh", response_model=DeviceOut, responses=responses(401, 403, 422, 429, 503))
def refresh(
    database: DatabaseDep,
    caller: CallerDep,
    body: RefreshIn,
    idempotency_key: IdempotencyKey = None,
) -> DeviceStarted:
    """Exchange a device's refresh token for its next pair of tokens.

    A refresh token is good once: a second use ends the device. Whoever lost the answer repeats the
    request with the same `Idempotency-Key`, and gets a fresh pair.
    """
    with clear_connection_errors():
        return devices.refresh(
            database,
            refresh_token=body.refresh_token,
            repeat_key=idempotency_key,
            caller=caller,
        )


@router.get("", response_model=PrincipalOut, responses=responses(401, 503))
def get_principal(principal: PrincipalDep) -> PrincipalOut:
    """Say who is signed in."""
    territories = [
        IntervalOut(lo=interval.lo, hi=interval.hi) for interval in principal.scope.intervals
    ]
    return PrincipalOut(name=principal.name, role=principal.role, territories=territories)


@router.delete("", status_code=204, response_class=Response, responses=responses(401, 403, 503))
def sign_out(database: DatabaseDep, credential: CredentialDep) -> None:
    """Sign out; the token ends at once, and with it the device that it belongs to."""
    if credential is None:
        raise NotSignedInError
    if credential.kind == "key":
        raise ReadOnlyKeyError
    with clear_connection_errors(), database.session(NOBODY) as session, session.begin():
        devices.sign_out(session, credential.secret)
