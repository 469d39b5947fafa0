"""Who is asking, what they may do in a service, and repeated requests."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import store
from gridsvc.access.model import (
    FIELD_ROLES,
    Credentials,
    DevelopmentAccount,
    Principal,
    Started,
)
from gridsvc.access.tokens import hashed, new_token
from gridsvc.db import Interval, Scope, new_id, scope_of
from gridsvc.errors import (
    IdempotencyMismatchError,
    NoTerritoryError,
    NotSignedInError,
    RoleNotAllowedError,
    WrongCredentialsError,
)

SIGN_IN_LASTS = timedelta(hours=12)
SECOND_FACTOR_LASTS = timedelta(minutes=10)


def get_by_code(session: Session, code: str) -> Credentials:
    """Return the account of a development code, which needs no second factor.

    Raises
    ------
    WrongCredentialsError
        No account has this code.
    """
    account = store.find_by_development_code(session, hashed(code))
    if account is None:
        raise WrongCredentialsError
    return account


def start(
    session: Session,
    account: Credentials,
    *,
    stage: Literal["full", "second_factor"],
    client: str | None,
    device_id: UUID | None = None,
    lasts: timedelta | None = None,
) -> Started:
    """Write a sign-in of an account whose proof has been seen, and return its token.

    Parameters
    ----------
    client
        What it looks like in the list of sign-ins, such as ``Firefox, Android``.
    lasts
        Default twelve hours; ten minutes while the second factor is missing.
    """
    token = new_token()
    lasts = lasts or (SIGN_IN_LASTS if stage == "full" else SECOND_FACTOR_LASTS)
    expires_at = datetime.now(UTC) + lasts
    store.add_sign_in(
        session,
        token_hash=hashed(token),
        id=new_id(),
        account_id=account.id,
        device_id=device_id,
        stage=stage,
        client=client,
        expires_at=expires_at,
    )
    return Started(token, stage, expires_at, has_second_factor=account.totp_is_confirmed)


def own_scope(account: Credentials) -> Scope:
    """Return the scope in which an account changes itself: its office's trail, and nothing else."""
    office = Interval(account.office_code, account.office_code)
    return Scope("resident", (office,), person=account.person_id, account=account.id)


def sign_out(session: Session, token: str) -> None:
    """End a sign-in; nothing happens where there is none."""
    store.end_sign_in(session, hashed(token))


def authenticate(session: Session, token: str) -> Principal:
    """Return who holds a token; rights are read anew at every request.

    Raises
    ------
    NotSignedInError
        The token is unknown, has expired, waits for its second factor, or its account is disabled.
    """
    principal = store.find_principal(session, hashed(token), datetime.now(UTC))
    if principal is None:
        raise NotSignedInError
    return principal


def find_own(session: Session, principal: Principal) -> Credentials | None:
    """Return the caller's account; absent where it was disabled a moment ago."""
    return store.find_by_id(session, principal.account_id)


def follow_person(session: Session, *, kept_id: UUID, gone_id: UUID) -> int:
    """Give the accounts of somebody who was entered twice to the entry that stays; return how many.

    The caller has decided that it may.
    """
    return store.move_person(session, kept_id=kept_id, gone_id=gone_id)


def names_of(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of accounts by id; those that were erased are left out."""
    return store.names_of(session, account_ids)


def list_field_accounts(session: Session, code: int) -> list[tuple[UUID, str, str]]:
    """Return id, name and role of whoever works in a community, by name."""
    return store.list_accounts_for(session, code, roles=FIELD_ROLES)


def is_field_account(session: Session, account_id: UUID, code: int) -> bool:
    """Tell whether an account works in a community, and is not disabled."""
    return bool(store.list_accounts_for(session, code, roles=FIELD_ROLES, account_id=account_id))


def get_pending(session: Session, token: str) -> Credentials:
    """Return who waits for the second factor with this token.

    Raises
    ------
    NotSignedInError
        Nobody does.
    """
    pending = store.find_pending(session, hashed(token), datetime.now(UTC))
    if pending is None:
        raise NotSignedInError
    return pending


def make_development_accounts(session: Session, accounts: Iterable[DevelopmentAccount]) -> None:
    """Write the accounts of a demonstration, each with its code, as the job."""
    require_role(session, "job")
    for account in accounts:
        store.put_development_account(session, account, hashed(account.code))


def require_role(session: Session, *roles: str) -> None:
    """Refuse callers of other roles; the policies refuse their rows as well.

    Raises
    ------
    RoleNotAllowedError
        The caller's role is none of ``roles``, nor the job.
    """
    role = scope_of(session).role
    if role not in (*roles, "job"):
        raise RoleNotAllowedError(role)


def earlier_answer(
    session: Session, *, key: str, request: bytes
) -> tuple[int, dict[str, Any]] | None:
    """Return status and answer that the same request got before.

    Raises
    ------
    IdempotencyMismatchError
        The key was used for another request.
    """
    account_id = scope_of(session).account
    if account_id is None:
        return None
    store.wait_for_key(session, account_id, key)
    found = store.find_answer(session, account_id, key)
    if found is None:
        return None
    request_hash, status, answer = found
    if request_hash != hashlib.sha256(request).digest():
        raise IdempotencyMismatchError(key)
    return status, answer


def keep_answer(
    session: Session, *, key: str, request: bytes, status: int, answer: dict[str, Any]
) -> None:
    """Keep an answer under its idempotency key, in the transaction of the change itself."""
    scope = scope_of(session)
    if scope.account is None:
        raise NotSignedInError
    if not scope.intervals:
        raise NoTerritoryError
    store.keep_answer(
        session,
        community_code=scope.intervals[0].lo,
        account_id=scope.account,
        key=key,
        request_hash=hashlib.sha256(request).digest(),
        status=status,
        answer=answer,
    )
