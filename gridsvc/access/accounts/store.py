"""Queries of accounts, as administrators see them, and of their invitations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Numeric,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.model import Account
from gridsvc.access.tables import AccountRow, AccountScopeRow, InvitationRow, SsoIdentityRow
from gridsvc.db import Interval, in_scope, scope_of

_COLUMNS = (
    *(AccountRow.id, AccountRow.login, AccountRow.name, AccountRow.role, AccountRow.office_code),
    *(AccountRow.person_id, AccountRow.is_disabled, AccountRow.created_at),
    AccountRow.password_hash.is_not(None).label("has_password"),
    AccountRow.totp_is_confirmed.label("has_second_factor"),
)
_FIRST_NUMBER_AT = 5  # in 016-0042, counted from 1


def list_accounts(
    session: Session,
    *,
    role: str | None,
    interval: Interval | None,
    words: Sequence[str],
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[Account]:
    """Return at most ``limit`` accounts in the caller's reach, by login and id.

    Parameters
    ----------
    interval
        Those that may see any of it.
    words
        Each is a part of the name or the login.
    """
    statement = select(*_COLUMNS).where(_in_reach(session))
    if role is not None:
        statement = statement.where(AccountRow.role == role)
    if interval is not None:
        statement = statement.where(_sees(interval))
    for word in words:
        is_part = (
            column.icontains(word, autoescape=True)
            for column in (AccountRow.name, AccountRow.login)
        )
        statement = statement.where(or_(*is_part))
    if after is not None:
        statement = statement.where(tuple_(AccountRow.login, AccountRow.id) > after)
    rows = session.execute(statement.order_by(AccountRow.login, AccountRow.id).limit(limit)).all()
    territories = _territories(session, [row.id for row in rows])
    return [Account(**row._mapping, territories=territories.get(row.id, ())) for row in rows]  # noqa: SLF001


def find(session: Session, account_id: UUID, *, is_locked: bool = False) -> Account | None:
    """Return an account in the caller's reach; locked, nobody else changes it until the end."""
    return _find(session, AccountRow.id == account_id, is_locked=is_locked)


def find_by_login(session: Session, login: str) -> Account | None:
    """Return the account of a login in the caller's reach."""
    return _find(session, AccountRow.login == login)


def _find(
    session: Session, condition: ColumnElement[bool], *, is_locked: bool = False
) -> Account | None:
    statement = select(*_COLUMNS).where(condition, _in_reach(session))
    if is_locked:
        statement = statement.with_for_update(of=AccountRow)
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    territories = _territories(session, [row.id]).get(row.id, ())
    return Account(**row._mapping, territories=territories)  # noqa: SLF001


def _territories(
    session: Session, account_ids: Sequence[UUID]
) -> Mapping[UUID, tuple[tuple[int, int], ...]]:
    rows: Iterable[Any] = session.execute(
        select(AccountScopeRow.account_id, AccountScopeRow.lo, AccountScopeRow.hi)
        .where(AccountScopeRow.account_id.in_(account_ids))
        .order_by(AccountScopeRow.account_id, AccountScopeRow.slot)
    )
    found: dict[UUID, tuple[tuple[int, int], ...]] = {}
    for account_id, lo, hi in rows:
        found[account_id] = (*found.get(account_id, ()), (lo, hi))
    return found


def _in_reach(session: Session) -> ColumnElement[bool]:
    """Return the condition of accounts that the caller looks after.

    Their office lies in the caller's territory, and so does all that they see.
    """
    scope = scope_of(session)
    if scope.role == "job":
        return true()
    if not scope.intervals:
        return false()
    is_own = (
        and_(AccountScopeRow.lo >= interval.lo, AccountScopeRow.hi <= interval.hi)
        for interval in scope.intervals
    )
    sees_more = exists().where(AccountScopeRow.account_id == AccountRow.id, ~or_(*is_own))
    return and_(in_scope(session, AccountRow.office_code), ~sees_more)


def _sees(interval: Interval) -> ColumnElement[bool]:
    return exists().where(
        AccountScopeRow.account_id == AccountRow.id,
        AccountScopeRow.lo <= interval.hi,
        AccountScopeRow.hi >= interval.lo,
    )


def find_taken(session: Session, logins: Sequence[str]) -> set[str]:
    """Return those logins that an account has, whoever looks after it."""
    statement = select(AccountRow.login).where(AccountRow.login == func.any(list(logins)))
    return set(session.scalars(statement))


def lock_numbers(session: Session) -> None:
    """Let those who number logins go one after the other, until this one commits."""
    name = func.hashtextextended("number of a login", 0)
    session.execute(select(func.pg_advisory_xact_lock(name)))


def last_number(session: Session, prefix: str) -> int:
    """Return the highest number among logins such as ``016-0042``; zero where there is none."""
    number = cast(func.substr(AccountRow.login, _FIRST_NUMBER_AT), Numeric)
    statement = select(func.max(number)).where(AccountRow.login.regexp_match(f"^{prefix}-[0-9]+$"))
    return int(session.scalar(statement) or 0)


def add(session: Session, rows: Sequence[Mapping[str, object]]) -> set[str]:
    """Write accounts but those whose login is taken, and return the logins written."""
    statement = (
        insert(AccountRow)
        .on_conflict_do_nothing(index_elements=[AccountRow.login])
        .returning(AccountRow.login)
    )
    return set(session.scalars(statement, [dict(row) for row in rows]))


def add_intervals(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Write intervals of new accounts."""
    session.execute(insert(AccountScopeRow), [dict(row) for row in rows])


def add_invitations(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Write invitations."""
    session.execute(insert(InvitationRow), [dict(row) for row in rows])


def end_invitations(session: Session, account_id: UUID, now: datetime) -> None:
    """Let an account's open invitations expire."""
    session.execute(
        update(InvitationRow)
        .where(
            InvitationRow.account_id == account_id,
            InvitationRow.used_at.is_(None),
            InvitationRow.expires_at > now,
        )
        .values(expires_at=now)
    )


def remove_identities(session: Session, account_id: UUID) -> None:
    """Unlink an account from every provider of single sign-on."""
    session.execute(delete(SsoIdentityRow).where(SsoIdentityRow.account_id == account_id))
