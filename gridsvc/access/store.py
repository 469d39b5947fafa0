"""Queries of accounts, sign-ins, idempotency keys and audit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.model import DevelopmentAccount, Principal
from gridsvc.access.tables import (
    AccountRow,
    AccountScopeRow,
    AuditRow,
    IdempotencyRow,
    SignInRow,
)
from gridsvc.db import Interval, Scope, in_scope


def find_account_id(session: Session, code_hash: bytes) -> UUID | None:
    """Return the account that a login code belongs to, unless it is disabled."""
    return session.scalar(
        select(AccountRow.id).where(
            AccountRow.code_hash == code_hash, AccountRow.is_disabled.is_(False)
        )
    )


def add_sign_in(
    session: Session, *, token_hash: bytes, account_id: UUID, expires_at: datetime
) -> None:
    """Remember a sign-in by the hash of its token."""
    session.execute(
        insert(SignInRow).values(
            token_hash=token_hash, account_id=account_id, expires_at=expires_at
        )
    )


def end_sign_in(session: Session, token_hash: bytes) -> None:
    """Forget a sign-in."""
    session.execute(delete(SignInRow).where(SignInRow.token_hash == token_hash))


def find_principal(session: Session, token_hash: bytes, now: datetime) -> Principal | None:
    """Return who holds a token, with the territory as it is now."""
    rows: Sequence[tuple[AccountRow, AccountScopeRow | None]] = session.execute(
        select(AccountRow, AccountScopeRow)
        .join(SignInRow, SignInRow.account_id == AccountRow.id)
        .outerjoin(AccountScopeRow, AccountScopeRow.account_id == AccountRow.id)
        .where(
            SignInRow.token_hash == token_hash,
            SignInRow.expires_at > now,
            AccountRow.is_disabled.is_(False),
        )
        .order_by(AccountScopeRow.slot)
    ).all()
    if not rows:
        return None
    account = rows[0][0]
    intervals = tuple(Interval(row.lo, row.hi) for _, row in rows if row is not None)
    scope = Scope(account.role, intervals, person=account.person_id, account=account.id)
    return Principal(account.id, account.name, scope)


def put_account(session: Session, account: DevelopmentAccount, code_hash: bytes) -> None:
    """Write an account and its intervals over what is there."""
    values = {"name": account.name, "role": account.role, "code_hash": code_hash}
    session.execute(
        insert(AccountRow)
        .values(id=account.id, **values)
        .on_conflict_do_update(index_elements=[AccountRow.id], set_=values)
    )
    session.execute(delete(AccountScopeRow).where(AccountScopeRow.account_id == account.id))
    intervals = [Interval.of(code) for code in account.territory_codes]
    session.execute(
        insert(AccountScopeRow).values(
            [
                {"account_id": account.id, "slot": slot, "lo": interval.lo, "hi": interval.hi}
                for slot, interval in enumerate(intervals, start=1)
            ]
        )
    )


def wait_for_key(session: Session, account_id: UUID, key: str) -> None:
    """Let requests with one idempotency key go one after the other, until this one commits."""
    name = func.hashtextextended(f"{account_id} {key}", 0)
    session.execute(select(func.pg_advisory_xact_lock(name)))


def find_answer(
    session: Session, account_id: UUID, key: str
) -> tuple[bytes, int, dict[str, Any]] | None:
    """Return request hash, status and answer kept under an idempotency key."""
    row = session.execute(
        select(IdempotencyRow.request_hash, IdempotencyRow.status, IdempotencyRow.answer).where(
            in_scope(session, IdempotencyRow.community_code),
            IdempotencyRow.account_id == account_id,
            IdempotencyRow.key == key,
        )
    ).one_or_none()
    return row and (row.request_hash, row.status, row.answer)


def keep_answer(
    session: Session,
    *,
    community_code: int,
    account_id: UUID,
    key: str,
    request_hash: bytes,
    status: int,
    answer: dict[str, Any],
) -> None:
    """Keep the answer to a POST for its repetitions."""
    session.execute(
        insert(IdempotencyRow).values(
            community_code=community_code,
            account_id=account_id,
            key=key,
            request_hash=request_hash,
            status=status,
            answer=answer,
        )
    )


def add_audit(session: Session, **values: object) -> None:
    """Append to the audit trail."""
    session.execute(insert(AuditRow).values(**values))
