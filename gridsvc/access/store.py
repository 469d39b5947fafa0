"""Queries of accounts, sign-ins and idempotency keys."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.model import (
    Credential,
    Credentials,
    DevelopmentAccount,
    Principal,
)
from gridsvc.access.tables import (
    AccountRow,
    AccountScopeRow,
    DevelopmentCodeRow,
    IdempotencyRow,
    SignInRow,
)
from gridsvc.db import Interval, Scope, in_scope

USE_IS_NOTED_AFTER = timedelta(minutes=10)
IS_ENABLED = AccountRow.is_disabled.is_(False)


def find_by_id(session: Session, account_id: UUID) -> Credentials | None:
    """Return an account's credentials, unless it is disabled."""
    return _find(session, AccountRow.id == account_id)


def names_of(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of accounts by id, be they disabled."""
    rows = session.execute(
        select(AccountRow.id, AccountRow.name).where(AccountRow.id.in_(set(account_ids)))
    )
    return {row.id: row.name for row in rows}


def list_accounts_for(
    session: Session, code: int, *, roles: Collection[str], account_id: UUID | None = None
) -> list[tuple[UUID, str, str]]:
    """Return id, name and role of the accounts of a territory, by name; disabled ones are not.

    Parameters
    ----------
    account_id
        This one only.
    """
    account, own = AccountRow, AccountScopeRow
    sees = exists().where(own.account_id == account.id, own.lo <= code, own.hi >= code)
    statement = select(account.id, account.name, account.role).where(
        account.role.in_(roles), account.is_disabled.is_(False), sees
    )
    if account_id is not None:
        statement = statement.where(account.id == account_id)
    rows = session.execute(statement.order_by(account.name, account.id))
    return [(row.id, row.name, row.role) for row in rows]


def find_by_login(session: Session, login: str) -> Credentials | None:
    """Return the credentials of a login, however it is capitalised, unless it is disabled."""
    if "\x00" in login:  # which PostgreSQL has no place for in text
        return None
    return _find(session, AccountRow.login == login.strip().lower())


def find_by_development_code(session: Session, code_hash: bytes) -> Credentials | None:
    """Return the account that a development code belongs to, unless it is disabled."""
    owner = select(DevelopmentCodeRow.account_id).where(DevelopmentCodeRow.code_hash == code_hash)
    return _find(session, AccountRow.id == owner.scalar_subquery())


def _find(session: Session, condition: ColumnElement[bool]) -> Credentials | None:
    columns = (getattr(AccountRow, field.name) for field in fields(Credentials))
    row = session.execute(select(*columns).where(condition, IS_ENABLED)).one_or_none()
    return Credentials(*row) if row else None


def is_unchanged(session: Session, account: Credentials) -> bool:
    """Tell whether an account is enabled and has the same password still; it stays so meanwhile."""
    statement = select(AccountRow.id).where(
        AccountRow.id == account.id,
        AccountRow.password_hash.is_not_distinct_from(account.password_hash),
        IS_ENABLED,
    )
    return session.scalar(statement.with_for_update(read=True)) is not None


def find_scope(session: Session, account_id: UUID) -> tuple[Interval, ...]:
    """Return an account's intervals as they are now."""
    rows = session.scalars(
        select(AccountScopeRow)
        .where(AccountScopeRow.account_id == account_id)
        .order_by(AccountScopeRow.slot)
    )
    return tuple(Interval(row.lo, row.hi) for row in rows)


def add_sign_in(session: Session, **values: object) -> None:
    """Remember a sign-in by the hash of its token."""
    session.execute(insert(SignInRow).values(**values))


def end_sign_in(session: Session, token_hash: bytes) -> None:
    """Forget a sign-in."""
    session.execute(delete(SignInRow).where(SignInRow.token_hash == token_hash))


def end_sign_ins(session: Session, account_id: UUID, *, except_id: UUID | None = None) -> None:
    """Forget every sign-in of an account, but perhaps the present one."""
    statement = delete(SignInRow).where(SignInRow.account_id == account_id)
    if except_id is not None:
        statement = statement.where(SignInRow.id != except_id)
    session.execute(statement)


def find_principal(session: Session, token_hash: bytes, now: datetime) -> Principal | None:
    """Return who holds a token, with role and territory as they are now.

    That it is in use is noted every ten minutes, so the session must be able to write.
    """
    rows: Sequence[Any] = session.execute(
        select(SignInRow, AccountRow, AccountScopeRow)
        .join(AccountRow, SignInRow.account_id == AccountRow.id)
        .outerjoin(AccountScopeRow, AccountScopeRow.account_id == AccountRow.id)
        .where(
            SignInRow.token_hash == token_hash,
            SignInRow.stage == "full",
            SignInRow.expires_at > now,
            IS_ENABLED,
        )
        .order_by(AccountScopeRow.slot)
    ).all()
    if not rows:
        return None
    sign_in, account, _ = rows[0]
    intervals = tuple(Interval(row.lo, row.hi) for *_, row in rows if row is not None)
    scope = Scope(account.role, intervals, person=account.person_id, account=account.id)
    if sign_in.used_at < now - USE_IS_NOTED_AFTER:
        _note_use(session, token_hash, now)
    credential: Credential = "device" if sign_in.device_id else "browser"
    return Principal(account.id, account.name, scope, credential, sign_in.id)


def _note_use(session: Session, token_hash: bytes, now: datetime) -> None:
    session.execute(update(SignInRow).where(SignInRow.token_hash == token_hash).values(used_at=now))


def find_pending(session: Session, token_hash: bytes, now: datetime) -> Credentials | None:
    """Return who stands between password and second factor with this token."""
    owner = select(SignInRow.account_id).where(
        SignInRow.token_hash == token_hash,
        SignInRow.stage == "second_factor",
        SignInRow.expires_at > now,
    )
    return _find(session, AccountRow.id == owner.scalar_subquery())


def change_account(session: Session, account_id: UUID, **values: object) -> None:
    """Change columns of an account."""
    session.execute(update(AccountRow).where(AccountRow.id == account_id).values(**values))


def move_person(session: Session, *, kept_id: UUID, gone_id: UUID) -> int:
    """Let accounts of one person be those of another; return how many."""
    moved = session.execute(
        update(AccountRow)
        .where(AccountRow.person_id == gone_id)
        .values(person_id=kept_id)
        .returning(AccountRow.id)
    )
    return len(moved.all())


def offer_cipher(session: Session, account_id: UUID, cipher: bytes) -> bytes:
    """Keep the secret of an authenticator unless there is one, and return that which counts."""
    statement = (
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(totp_cipher=func.coalesce(AccountRow.totp_cipher, cipher))
        .returning(AccountRow.totp_cipher)
    )
    return bytes(session.scalars(statement).one() or b"")


def use_step(session: Session, account_id: UUID, step: int) -> bool:
    """Use up a time step of the authenticator; false where it, or a later one, was used.

    So it is where the authenticator was reset since its code was read.
    """
    statement = (
        update(AccountRow)
        .where(
            AccountRow.id == account_id,
            AccountRow.totp_cipher.is_not(None),
            func.coalesce(AccountRow.totp_last_step, -1) < step,
        )
        .values(totp_last_step=step, totp_is_confirmed=True)
        .returning(AccountRow.id)
    )
    return session.scalar(statement) is not None


def put_scope(session: Session, account_id: UUID, intervals: Sequence[Interval]) -> None:
    """Write an account's intervals over what is there."""
    session.execute(delete(AccountScopeRow).where(AccountScopeRow.account_id == account_id))
    if intervals:
        session.execute(
            insert(AccountScopeRow),
            [
                {"account_id": account_id, "slot": slot, "lo": interval.lo, "hi": interval.hi}
                for slot, interval in enumerate(intervals, start=1)
            ],
        )


def put_development_account(
    session: Session, account: DevelopmentAccount, code_hash: bytes
) -> None:
    """Write an account with its intervals and code over what is there."""
    values = {
        "name": account.name,
        "role": account.role,
        "login": f"demo-{account.id}",
        "office_code": account.territory_codes[0],
    }
    session.execute(
        insert(AccountRow)
        .values(id=account.id, **values)
        .on_conflict_do_update(index_elements=[AccountRow.id], set_=values)
    )
    put_scope(session, account.id, [Interval.of(code) for code in account.territory_codes])
    session.execute(
        insert(DevelopmentCodeRow)
        .values(account_id=account.id, code_hash=code_hash)
        .on_conflict_do_update(
            index_elements=[DevelopmentCodeRow.account_id], set_={"code_hash": code_hash}
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


def keep_answer(session: Session, **values: object) -> None:
    """Keep the answer to a POST for its repetitions."""
    session.execute(insert(IdempotencyRow).values(**values))
