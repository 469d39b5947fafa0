"""Phones that stay signed in by tokens that rotate, and ending what is signed in.

References
----------
.. [1] RFC 9700, section 4.14.2: refresh token rotation; a second use revokes the whole family,
   because one of the two users is a thief and nobody knows which.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access import store as accounts
from gridsvc.access.devices import store
from gridsvc.access.devices.model import DeviceStarted, RefreshToken, SignIn
from gridsvc.access.keys import service as keys
from gridsvc.access.model import Credentials, Principal
from gridsvc.access.signing_in import Caller
from gridsvc.access.tokens import hashed, new_token
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Database, Interval, act_for, new_id
from gridsvc.errors import NotFoundError, NotSignedInError, WrongCredentialsError
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate, subnet_of

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=60)
LIST_LIMIT = 200
# Many phones share the few addresses of a mobile network; a token is too long to be guessed.
_BY_SUBNET = Rate(count=600, per_s=60)


def start_device(session: Session, account: Credentials, *, name: str) -> DeviceStarted:
    """Start a phone of an account whose proof has been seen.

    The session has `gridsvc.access.service.own_scope`, or the job's.
    """
    device_id = new_id()
    store.add_device(session, id=device_id, account_id=account.id, name=name)
    _note(session, account, "device.start", device_id)
    return _give_pair(session, account, device_id)


def _give_pair(session: Session, account: Credentials, device_id: UUID) -> DeviceStarted:
    started = access.start(
        session, account, stage="full", client=None, device_id=device_id, lasts=ACCESS_LASTS
    )
    refresh_token = new_token()
    store.add_token(
        session,
        token_hash=hashed(refresh_token),
        device_id=device_id,
        expires_at=datetime.now(UTC) + REFRESH_LASTS,
    )
    return DeviceStarted(started.token, started.expires_at, refresh_token, device_id)


def refresh(
    database: Database, *, refresh_token: str, repeat_key: str | None, caller: Caller
) -> DeviceStarted:
    """Exchange a refresh token for the next pair; the former access token ends.

    Parameters
    ----------
    repeat_key
        Idempotency key of the request. A phone that lost the answer repeats its request with the
        same key and gets a fresh pair, as long as the lost one is unused: that becomes void.

    Raises
    ------
    TooManyTriesError
        From this subnet there were too many requests of late.
    WrongCredentialsError
        The token is unknown, expired or revoked, its account is disabled, or it was used before:
        then the device is revoked, because the token is in the hands of two.
    """
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {Key("refresh from", subnet_of(caller.address)): _BY_SUBNET})
    token_hash = hashed(refresh_token)
    repeat_hash = hashed(repeat_key) if repeat_key else None
    account = _find_owner(database, token_hash)
    with database.session(access.own_scope(account)) as session, session.begin():
        started = _rotate(session, account, token_hash, repeat_hash)
    # Outside: the revocation of a device must not be rolled back by its own refusal.
    if started is None:
        raise WrongCredentialsError
    return started


def _find_owner(database: Database, token_hash: bytes) -> Credentials:
    with database.session(NOBODY) as session, session.begin():
        account_id = store.find_owner(session, token_hash)
        account = accounts.find_by_id(session, account_id) if account_id else None
    if account is None:
        raise WrongCredentialsError
    return account


def _rotate(
    session: Session, account: Credentials, token_hash: bytes, repeat_hash: bytes | None
) -> DeviceStarted | None:
    token = store.lock_token(session, token_hash)
    if token is None or token.is_revoked:
        return None
    if token.used_at is not None and not _is_repeat(token, repeat_hash):
        store.revoke(session, account.id, device_id=token.device_id)
        _note(session, account, "device.revoke-reuse", token.device_id)
        return None
    if token.expires_at <= datetime.now(UTC):
        return None
    store.use_token(session, token.device_id, token_hash, repeat_hash)
    return _give_pair(session, account, token.device_id)


def _is_repeat(token: RefreshToken, repeat_hash: bytes | None) -> bool:
    return repeat_hash is not None and token.repeat_hash == repeat_hash and token.is_newest_used


def list_sign_ins(session: Session, principal: Principal) -> list[SignIn]:
    """Return what is signed in to the caller's account: the present one, then by last use."""
    return store.list_sign_ins(
        session,
        principal.account_id,
        current_id=principal.sign_in_id,
        now=datetime.now(UTC),
        limit=LIST_LIMIT,
    )


def end(session: Session, principal: Principal, sign_in_id: UUID) -> None:
    """End a sign-in or device of the caller's account, be it the present one.

    Raises
    ------
    NotFoundError
        The account has none of this id.
    """
    account_id = principal.account_id
    if store.end_browser(session, account_id, sign_in_id):
        action = "sign-in.end"
    elif store.revoke(session, account_id, device_id=sign_in_id):
        action = "device.revoke"
    else:
        raise NotFoundError("sign-in", sign_in_id)
    _note(session, _own(session, principal), action, sign_in_id)


def end_others(session: Session, principal: Principal) -> None:
    """End every sign-in and device of the caller's account but the present one."""
    account_id = principal.account_id
    present = store.find_device_of(session, principal.sign_in_id)
    revoked = store.revoke(session, account_id, except_id=present)
    accounts.end_sign_ins(session, account_id, except_id=principal.sign_in_id)
    account = _own(session, principal)
    _note(session, account, "sign-in.end-others", account_id, devices=len(revoked))


def sign_out(session: Session, token: str) -> None:
    """End a sign-in, and the device that it belongs to; nothing happens where there is none."""
    found = store.find_device_by_token(session, hashed(token))
    if found is None:
        access.sign_out(session, token)
    else:
        account_id, device_id = found
        store.revoke(session, account_id, device_id=device_id)


def revoke_all(session: Session, account_id: UUID) -> int:
    """End every device and API key of an account, and return how many devices there were.

    Neither may outlive the password that it was started under. The caller notes it.
    """
    keys.revoke_all(session, account_id)
    return len(store.revoke(session, account_id))


def _own(session: Session, principal: Principal) -> Credentials:
    account = accounts.find_by_id(session, principal.account_id)
    if account is None:  # disabled since the request began
        raise NotSignedInError
    return account


def _note(
    session: Session, account: Credentials, action: str, subject: UUID, **detail: object
) -> None:
    """Note a change to the own account in the trail of its office, which may lie elsewhere."""
    act_for(session, Interval(account.office_code, account.office_code))
    audit.record(
        session, community_code=account.office_code, action=action, subject=str(subject), **detail
    )
