"""Making, listing and revoking API keys, and who holds one."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access import store as accounts
from gridsvc.access.keys import store
from gridsvc.access.keys.model import MOST_KEYS, ApiKey
from gridsvc.access.model import KEY_ROLES, Principal
from gridsvc.access.tokens import hashed, new_token
from gridsvc.audit import service as audit
from gridsvc.db import Interval, act_for
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    NotFoundError,
    NotSignedInError,
    TooManyKeysError,
)

KEY_ROLE = "planner"
"""Keys lie about in scripts and QGIS projects: they never see people's data."""
_ID_BYTES = 8
# The id has no underscore, the secret may.
_ID = re.compile(r"[0-9a-f]{16}")
_FORM = re.compile(rf"gk_({_ID.pattern})_([A-Za-z0-9_-]{{43}})")


def authenticate(session: Session, key: str) -> Principal:
    """Return who holds a key such as ``gk_<id>_<secret>``.

    Raises
    ------
    NotSignedInError
        The key is unknown, revoked or expired, or its owner is disabled.
    """
    parts = _FORM.fullmatch(key)
    principal = parts and store.find_principal(
        session,
        key_id=parts[1],
        secret_hash=hashed(parts[2]),
        role=KEY_ROLE,
        now=datetime.now(UTC),
    )
    if principal is None:
        raise NotSignedInError
    return principal


def make(
    session: Session,
    principal: Principal,
    *,
    name: str,
    territory_code: int | None,
    lasts_days: int,
) -> tuple[ApiKey, str]:
    """Make a key of the caller's, and return it with the secret, which is not kept.

    Parameters
    ----------
    territory_code
        A community or sub-district of the caller's; absent: all that is the caller's.

    Raises
    ------
    RoleNotAllowedError
        The caller's role makes no keys.
    BeyondOwnTerritoryError
        The territory is not the caller's.
    TooManyKeysError
        The caller has as many as may be.
    """
    access.require_role(session, *KEY_ROLES)
    interval = _within(principal, territory_code)
    if store.count_keys(session, principal.account_id) >= MOST_KEYS:
        raise TooManyKeysError(MOST_KEYS)
    key_id, secret = secrets.token_hex(_ID_BYTES), new_token()
    key = store.add_key(
        session,
        id=key_id,
        account_id=principal.account_id,
        name=name,
        secret_hash=hashed(secret),
        lo=interval.lo,
        hi=interval.hi,
        expires_at=datetime.now(UTC) + timedelta(days=lasts_days),
    )
    territory = {"lo": interval.lo, "hi": interval.hi}
    _note(session, principal, "key.make", key_id, **territory, days=lasts_days)
    return key, f"gk_{key_id}_{secret}"


def _within(principal: Principal, territory_code: int | None) -> Interval:
    own = principal.scope.intervals
    if not own:
        raise BeyondOwnTerritoryError
    if territory_code is None:
        # Holes between them open nothing: a key reads where it and its owner overlap.
        return Interval(min(one.lo for one in own), max(one.hi for one in own))
    wanted = Interval.of(territory_code)
    if not any(one.lo <= wanted.lo and wanted.hi <= one.hi for one in own):
        raise BeyondOwnTerritoryError
    return wanted


def list_keys(session: Session, principal: Principal) -> list[ApiKey]:
    """Return the caller's keys that were not revoked, the newest first."""
    return store.list_keys(session, principal.account_id)


def revoke(session: Session, principal: Principal, key_id: str) -> None:
    """End a key of the caller's.

    Raises
    ------
    NotFoundError
        The caller has none of this id.
    """
    if not (_ID.fullmatch(key_id) and store.revoke(session, principal.account_id, key_id)):
        raise NotFoundError("key", key_id)
    _note(session, principal, "key.revoke", key_id)


def revoke_all(session: Session, account_id: UUID) -> int:
    """End every key of an account, and return how many there were; the caller notes it.

    A key must not outlive the password that it was made with.
    """
    return store.revoke(session, account_id)


def _note(
    session: Session, principal: Principal, action: str, key_id: str, **detail: object
) -> None:
    """Note a change in the trail of the account's office, which may lie elsewhere."""
    account = accounts.find_by_id(session, principal.account_id)
    if account is None:  # disabled since the request began
        raise NotSignedInError
    act_for(session, Interval(account.office_code, account.office_code))
    audit.record(
        session, community_code=account.office_code, action=action, subject=key_id, **detail
    )
