"""Writing accounts that were checked, with a login and an invitation each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from gridsvc.access.accounts import store
from gridsvc.access.accounts.model import Invited, NewAccount
from gridsvc.access.model import Account
from gridsvc.access.tokens import hashed_code, new_code
from gridsvc.audit import service as audit
from gridsvc.db import Interval, new_id, scope_of
from gridsvc.errors import LoginTakenError

INVITATION_LASTS = timedelta(days=30)


def own_territory(session: Session) -> Sequence[Interval] | None:
    """Return the territory that the caller may give; ``None`` where any, as for the job."""
    scope = scope_of(session)
    return None if scope.role == "job" else scope.intervals


def write(session: Session, news: Sequence[NewAccount]) -> list[Invited]:
    """Write accounts, each with an invitation; none for none.

    Raises
    ------
    LoginTakenError
        Somebody else was given one of the logins in the meantime.
    """
    if not news:
        return []
    now = datetime.now(UTC)
    accounts = [
        _account(new, login, office_code=_office(session, new), now=now)
        for new, login in zip(news, _logins(session, news), strict=True)
    ]
    written = store.add(session, [_columns(account) for account in accounts])
    for account in accounts:
        if account.login not in written:
            raise LoginTakenError(account.login)
    store.add_intervals(
        session,
        [
            {"account_id": account.id, "slot": slot, "lo": lo, "hi": hi}
            for account in accounts
            for slot, (lo, hi) in enumerate(account.territories, start=1)
        ],
    )
    invited = add_invitations(session, accounts, now)
    for account in accounts:
        note(session, account, "account.invite", role=account.role)
    return invited


def _office(session: Session, new: NewAccount) -> int:
    """Return whose administrators look after a new account: the caller's office."""
    own = own_territory(session)
    return own[0].lo if own else new.territory_codes[0]


def _account(new: NewAccount, login: str, *, office_code: int, now: datetime) -> Account:
    intervals = map(Interval.of, new.territory_codes)
    return Account(
        id=new_id(),
        login=login,
        name=new.name,
        role=new.role,
        office_code=office_code,
        territories=tuple((interval.lo, interval.hi) for interval in intervals),
        person_id=new.person_id,
        is_disabled=False,
        created_at=now,
        has_password=False,
        has_second_factor=False,
    )


def _columns(account: Account) -> dict[str, object]:
    names = ("id", "login", "name", "role", "office_code", "person_id", "created_at")
    return {name: getattr(account, name) for name in names}


def _logins(session: Session, news: Sequence[NewAccount]) -> list[str]:
    """Return the login of each: its own, or community and running number."""
    chosen = {new.login for new in news if new.login}
    if len(chosen) < len(news):
        store.lock_numbers(session)
    numbers: dict[str, int] = {}
    logins = []
    for new in news:
        if new.login:
            logins.append(new.login)
            continue
        prefix = f"{new.territory_codes[0] % 1000:03d}"
        if prefix not in numbers:
            numbers[prefix] = store.last_number(session, prefix)
        login = None
        while login is None or login in chosen:
            numbers[prefix] += 1
            login = f"{prefix}-{numbers[prefix]:04d}"
        logins.append(login)
    return logins


def add_invitations(session: Session, accounts: Sequence[Account], now: datetime) -> list[Invited]:
    """Write an invitation for each account, and return their codes: only hashes are kept."""
    expires_at = now + INVITATION_LASTS
    invited = [Invited(account, new_code(), expires_at) for account in accounts]
    store.add_invitations(
        session,
        [
            {
                "id": new_id(),
                "account_id": one.account.id,
                "code_hash": hashed_code(one.code),
                "created_at": now,
                "expires_at": expires_at,
            }
            for one in invited
        ],
    )
    return invited


def note(session: Session, account: Account, action: str, **detail: object) -> None:
    """Note in the trail of the account's office what was done to it."""
    audit.record(
        session,
        community_code=account.office_code,
        action=action,
        subject=str(account.id),
        **detail,
    )
