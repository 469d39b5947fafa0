"""Signing in, who is asking, repeated requests, and the audit trail."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gridsvc.access import store
from gridsvc.access.model import DevelopmentAccount, Principal
from gridsvc.db import new_id, scope_of
from gridsvc.errors import IdempotencyMismatchError, NotSignedInError, RoleNotAllowedError

SIGN_IN_LASTS = timedelta(hours=12)
_TOKEN_BYTES = 32


def hashed(secret: str) -> bytes:
    """Return the SHA-256 of a random secret; a slow hash is for secrets that people choose."""
    return hashlib.sha256(secret.encode()).digest()


def new_code() -> str:
    """Return a fresh login code of 128 random bits."""
    return secrets.token_urlsafe(16)


def sign_in(session: Session, code: str) -> str:
    """Start a sign-in by a login code.

    Returns
    -------
    str
        The token to present with each request; only its hash is stored.

    Raises
    ------
    NotSignedInError
        No account has this code.
    """
    account_id = store.find_account_id(session, hashed(code))
    if account_id is None:
        raise NotSignedInError
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = datetime.now(UTC) + SIGN_IN_LASTS
    store.add_sign_in(
        session, token_hash=hashed(token), account_id=account_id, expires_at=expires_at
    )
    return token


def sign_out(session: Session, token: str) -> None:
    """End a sign-in; nothing happens where there is none."""
    store.end_sign_in(session, hashed(token))


def authenticate(session: Session, token: str) -> Principal:
    """Return who holds a token; rights are read anew at every request.

    Raises
    ------
    NotSignedInError
        The token is unknown, has expired, or its account is disabled.
    """
    principal = store.find_principal(session, hashed(token), datetime.now(UTC))
    if principal is None:
        raise NotSignedInError
    return principal


def make_development_accounts(session: Session, accounts: Iterable[DevelopmentAccount]) -> None:
    """Write the accounts of a demonstration, each with its code."""
    for account in accounts:
        store.put_account(session, account, hashed(account.code))


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
    store.keep_answer(
        session,
        community_code=scope.intervals[0].lo,
        account_id=scope.account,
        key=key,
        request_hash=hashlib.sha256(request).digest(),
        status=status,
        answer=answer,
    )


def record(
    session: Session, *, community_code: int, action: str, subject: str, **detail: object
) -> None:
    """Note a change in the audit trail; details are codes and counts, never words or names."""
    store.add_audit(
        session,
        community_code=community_code,
        id=new_id(),
        account_id=scope_of(session).account,
        action=action,
        subject=subject,
        detail=detail,
    )
