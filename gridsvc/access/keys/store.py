"""Queries of API keys."""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.keys.model import ApiKey
from gridsvc.access.model import KEY_ROLES, Principal
from gridsvc.access.store import IS_ENABLED, USE_IS_NOTED_AFTER, find_scope
from gridsvc.access.tables import AccountRow, ApiKeyRow
from gridsvc.db import Interval, Scope

_COLUMNS = tuple(getattr(ApiKeyRow, field.name) for field in fields(ApiKey))
_IS_LIVE = ApiKeyRow.revoked_at.is_(None)


def find_principal(
    session: Session, *, key_id: str, secret_hash: bytes, role: str, now: datetime
) -> Principal | None:
    """Return who holds a key: in a role of its own, where the key and its owner overlap now."""
    found = session.execute(
        select(ApiKeyRow, AccountRow)
        .join(AccountRow, AccountRow.id == ApiKeyRow.account_id)
        .where(
            ApiKeyRow.id == key_id,
            ApiKeyRow.secret_hash == secret_hash,
            ApiKeyRow.expires_at > now,
            _IS_LIVE,
            AccountRow.role.in_(KEY_ROLES),
            IS_ENABLED,
        )
    ).one_or_none()
    if found is None:
        return None
    key, account = found
    if key.used_at is None or key.used_at < now - USE_IS_NOTED_AFTER:
        session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(used_at=now))
    own = (
        Interval(max(key.lo, interval.lo), min(key.hi, interval.hi))
        for interval in find_scope(session, account.id)
    )
    intervals = tuple(interval for interval in own if interval.lo <= interval.hi)
    return Principal(account.id, key.name, Scope(role, intervals, account=account.id), "key")


def add_key(session: Session, **values: object) -> ApiKey:
    """Remember a key by the hash of its secret."""
    row = session.execute(insert(ApiKeyRow).values(**values).returning(*_COLUMNS)).one()
    return ApiKey(*row)


def count_keys(session: Session, account_id: UUID) -> int:
    """Count an account's keys that were not revoked, expired or not."""
    counted = select(func.count()).where(ApiKeyRow.account_id == account_id, _IS_LIVE)
    return session.scalar(counted) or 0


def list_keys(session: Session, account_id: UUID) -> list[ApiKey]:
    """Return an account's keys that were not revoked, the newest first."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(ApiKeyRow.account_id == account_id, _IS_LIVE)
        .order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    )
    return [ApiKey(*row) for row in rows]


def revoke(session: Session, account_id: UUID, key_id: str | None = None) -> int:
    """End one key of an account, or all, and return how many."""
    statement = update(ApiKeyRow).where(ApiKeyRow.account_id == account_id, _IS_LIVE)
    if key_id is not None:
        statement = statement.where(ApiKeyRow.id == key_id)
    ended = session.scalars(statement.values(revoked_at=func.now()).returning(ApiKeyRow.id))
    return len(ended.all())
