"""What administrators do with accounts: invite, change, disable, reset.

An administrator reaches accounts whose office lies in their own territory and that see nothing
beyond it; all others are absent. The job, which commands run as, reaches every account.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import store as access_store
from gridsvc.access.accounts import invitation_list, store
from gridsvc.access.accounts.model import (
    LOGIN,
    TERRITORY,
    Invited,
    NewAccount,
    checked,
    checked_name,
    checked_role,
    checked_territory,
)
from gridsvc.access.accounts.writing import add_invitations, note, own_territory, write
from gridsvc.access.devices import service as devices
from gridsvc.access.model import SECOND_FACTOR_ROLES, Account
from gridsvc.access.service import require_role
from gridsvc.db import Interval, scope_of
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    FaultyListError,
    InvalidAccountError,
    ListFault,
    LoginTakenError,
    NotFoundError,
    OwnAccountError,
)

_ADMINISTRATOR = "administrator"


def list_accounts(
    session: Session,
    *,
    role: str | None = None,
    territory_code: int | None = None,
    words: str | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> list[Account]:
    """Return at most ``limit`` accounts, by login and id.

    Parameters
    ----------
    territory_code
        Those that may see any of this community or sub-district.
    words
        Each of them is a part of the name or the login.
    after
        Login and id of the last account before.
    """
    require_role(session, _ADMINISTRATOR)
    return store.list_accounts(
        session,
        role=role,
        interval=Interval.of(territory_code) if territory_code else None,
        words=(words or "").split(),
        after=after,
        limit=limit,
    )


def get(session: Session, account_id: UUID) -> Account:
    """Return one account.

    Raises
    ------
    NotFoundError
        It is absent, or somebody else's to look after.
    """
    require_role(session, _ADMINISTRATOR)
    return _found(store.find(session, account_id), account_id)


def get_by_login(session: Session, login: str) -> Account:
    """Return the account of a login.

    Raises
    ------
    NotFoundError
        As `get`.
    """
    require_role(session, _ADMINISTRATOR)
    return _found(store.find_by_login(session, login.strip().lower()), login)


def _found(account: Account | None, what: object) -> Account:
    if account is None:
        raise NotFoundError("account", what)
    return account


def invite(session: Session, new: NewAccount) -> Invited:
    """Make an account, and the code by which its owner chooses a password.

    Raises
    ------
    InvalidAccountError
        Name, role, territory or login cannot be.
    BeyondOwnTerritoryError
        A territory is not the caller's, or there are more than four.
    LoginTakenError
        Another account has the login.
    """
    require_role(session, _ADMINISTRATOR)
    return write(session, [checked(new, own=own_territory(session))])[0]


def invite_list(session: Session, content: bytes) -> list[Invited]:
    """Make the accounts of an uploaded list, all or none, in its order.

    Raises
    ------
    UnreadableListError
        It is no list, or too large a one.
    FaultyListError
        Some rows are at fault: it names every one.
    """
    require_role(session, _ADMINISTRATOR)
    return _invite_all(session, *invitation_list.parse(content))


def _invite_all(
    session: Session, news: Sequence[NewAccount], faults: Sequence[ListFault]
) -> list[Invited]:
    own = own_territory(session)
    accepted: list[NewAccount] = []
    found = list(faults)
    for new in news:
        try:
            accepted.append(checked(new, own=own))
        except InvalidAccountError as error:
            found.append(ListFault(new.row or 0, error.column, error.fault, error.reason))
        except BeyondOwnTerritoryError as error:
            found.append(ListFault(new.row or 0, TERRITORY, "beyond-own-territory", str(error)))
    found += _login_faults(session, accepted)
    if found:
        raise FaultyListError(sorted(found, key=lambda fault: fault.row))
    try:
        return write(session, accepted)
    except LoginTakenError as error:  # by somebody who invites at the same time
        row = next((new.row for new in accepted if new.login == error.login), None)
        raise FaultyListError([_taken(row)]) from error


def _taken(row: int | None) -> ListFault:
    return ListFault(row or 0, LOGIN, "login-taken", "another account has it")


def _login_faults(session: Session, news: Sequence[NewAccount]) -> Iterator[ListFault]:
    counts = Counter(new.login for new in news if new.login)
    taken = store.find_taken(session, list(counts)) if counts else set()
    for new in news:
        if new.login in taken:
            yield _taken(new.row)
        elif new.login and counts[new.login] > 1:
            yield ListFault(new.row or 0, LOGIN, "login-twice", "it is in the list twice")


def invite_again(session: Session, account_id: UUID) -> Invited:
    """Replace a forgotten password by a new invitation; sign-ins and devices end.

    Raises
    ------
    NotFoundError
        As `get`.
    OwnAccountError
        It is the caller's own.
    """
    account = _get_to_change(session, account_id)
    now = datetime.now(UTC)
    access_store.change_account(session, account.id, password_hash=None)
    end_access(session, account.id)
    # Whoever took the account over may have linked an identity of their own.
    store.remove_identities(session, account.id)
    store.end_invitations(session, account.id, now)
    note(session, account, "account.reset", what="password")
    return add_invitations(session, [replace(account, has_password=False)], now)[0]


def change(
    session: Session,
    account_id: UUID,
    *,
    name: str | None = None,
    role: str | None = None,
    territory_codes: Sequence[int] | None = None,
    is_disabled: bool | None = None,
) -> Account:
    """Change what is given of an account; it holds from the account's next request.

    Disabling ends sign-ins and devices. So does a role that needs a second factor: who signed in
    without one must not be in it.

    Raises
    ------
    NotFoundError
        As `get`.
    OwnAccountError
        It is the caller's own.
    InvalidAccountError, BeyondOwnTerritoryError
        As `invite`.
    """
    account = _get_to_change(session, account_id)
    wanted = account
    if name is not None:
        wanted = replace(wanted, name=checked_name(name))
    if role is not None and role != account.role:
        wanted = replace(wanted, role=checked_role(role))
    if territory_codes is not None:
        intervals = map(Interval.of, checked_territory(territory_codes, own=own_territory(session)))
        wanted = replace(wanted, territories=tuple((each.lo, each.hi) for each in intervals))
    if is_disabled is not None:
        wanted = replace(wanted, is_disabled=is_disabled)
    if wanted != account:
        _write_change(session, account, wanted)
    return wanted


def _write_change(session: Session, account: Account, wanted: Account) -> None:
    access_store.change_account(
        session, account.id, name=wanted.name, role=wanted.role, is_disabled=wanted.is_disabled
    )
    if wanted.territories != account.territories:
        intervals = [Interval(lo, hi) for lo, hi in wanted.territories]
        access_store.put_scope(session, account.id, intervals)
    is_stepping_up = wanted.role in SECOND_FACTOR_ROLES and account.role not in SECOND_FACTOR_ROLES
    is_ending = wanted.is_disabled and not account.is_disabled
    if is_ending or is_stepping_up:
        end_access(session, account.id)
    fields = ("name", "role", "territories", "is_disabled")
    changed = [field for field in fields if getattr(wanted, field) != getattr(account, field)]
    action = "account.disable" if is_ending else "account.change"
    note(session, wanted, action, changed=changed, role=wanted.role)


def reset_second_factor(session: Session, account_id: UUID) -> Account:
    """Take the authenticator off an account; sign-ins and devices end, the next one sets another.

    Raises
    ------
    NotFoundError
        As `get`.
    OwnAccountError
        It is the caller's own.
    """
    account = _get_to_change(session, account_id)
    access_store.change_account(
        session, account.id, totp_cipher=None, totp_is_confirmed=False, totp_last_step=None
    )
    end_access(session, account.id)
    note(session, account, "account.reset", what="second-factor")
    return replace(account, has_second_factor=False)


def end_access(session: Session, account_id: UUID) -> None:
    """End every sign-in and device of an account."""
    devices.revoke_all(session, account_id)
    access_store.end_sign_ins(session, account_id)


def _get_to_change(session: Session, account_id: UUID) -> Account:
    """Return an account, locked: two changes at once go one after the other."""
    require_role(session, _ADMINISTRATOR)
    account = _found(store.find(session, account_id, is_locked=True), account_id)
    if account.id == scope_of(session).account:
        raise OwnAccountError
    return account
