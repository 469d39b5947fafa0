"""Choosing a password: first or anew by an invitation, or in place of the present one.

As in `gridsvc.access.signing_in`, these take a database: tries are counted in a transaction of
their own before anything is looked up, and no connection waits for the slow hash.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from gridsvc.access import passwords, service, signing_in
from gridsvc.access import store as access_store
from gridsvc.access.accounts import service as accounts
from gridsvc.access.devices import service as devices
from gridsvc.access.invitations import store
from gridsvc.access.keys import service as keys
from gridsvc.access.model import Credentials, Principal, Started
from gridsvc.access.signing_in import Caller
from gridsvc.access.tokens import hashed_code
from gridsvc.db import NOBODY, Database, ScopedSession
from gridsvc.errors import WeakPasswordError, WrongCredentialsError
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Backoff, Key, subnet_of

# A whole office takes up its invitations from one subnet; good codes do not count.
_BY_SUBNET = Backoff(free=10)
_OLD_PASSWORD = Backoff(free=5, longest_wait_s=900)


def find(database: Database, *, code: str, caller: Caller) -> Credentials:
    """Return whom an open invitation is for.

    Raises
    ------
    TooManyTriesError
        From this subnet there were too many wrong codes of late.
    WrongCredentialsError
        No such code, or it was used, replaced, or has expired, or the account is disabled.
    """
    limits = {Key("invitation from", subnet_of(caller.address)): _BY_SUBNET}
    _count(database, limits)
    with database.session(NOBODY) as session, session.begin():
        account_id = store.find_account_id(session, hashed_code(code), datetime.now(UTC))
        account = access_store.find_by_id(session, account_id) if account_id else None
        if account is None:
            raise WrongCredentialsError
        throttle.give_back(session, *limits)
    return account


def redeem(database: Database, *, code: str, password: str, caller: Caller) -> Started:
    """Choose a password by an invitation, use that up, and sign in.

    Sign-ins and devices that were there end. Where the role needs a second factor, that comes
    next: the token opens nothing else.

    Raises
    ------
    TooManyTriesError, WrongCredentialsError
        As `find`; of two that take up one invitation at once, one is too late.
    WeakPasswordError
        The password is too easy to guess; the invitation stays open.
    BusyError
        Too many passwords are being hashed already.
    """
    account = find(database, code=code, caller=caller)
    passwords.require_strong(password, login=account.login, name=account.name)
    password_hash = passwords.hash_password(password)
    with database.session(service.own_scope(account)) as session, session.begin():
        if store.use(session, hashed_code(code), datetime.now(UTC)) != account.id:
            raise WrongCredentialsError
        access_store.change_account(session, account.id, password_hash=password_hash)
        accounts.end_access(session, account.id)
        signing_in.note(session, account, "account.redeem")
        return _start(session, account, caller)


def _start(session: ScopedSession, account: Credentials, caller: Caller) -> Started:
    if account.needs_second_factor:
        return service.start(session, account, stage="second_factor", client=caller.client)
    return signing_in.start_fully(session, account, client=caller.client)


def change_password(
    database: Database, principal: Principal, *, old: str, new: str, caller: Caller
) -> None:
    """Choose another password; every sign-in and device ends but the one that asks.

    Raises
    ------
    TooManyTriesError
        There were too many wrong old passwords of late.
    WrongCredentialsError
        The old password is wrong, or there is none.
    WeakPasswordError
        The new one is too easy to guess, or the old one.
    BusyError
        Too many passwords are being hashed already.
    """
    with database.session(NOBODY) as session, session.begin():
        account = access_store.find_by_id(session, principal.account_id)
    if account is None or account.password_hash is None:
        raise WrongCredentialsError
    # Before the try is counted: finding a strong one may take several.
    passwords.require_strong(new, login=account.login, name=account.name)
    if new == old:
        raise WeakPasswordError("it is the present one")
    limits = {
        Key("password from", subnet_of(caller.address)): _BY_SUBNET,
        Key("password of", str(account.id)): _OLD_PASSWORD,
    }
    _count(database, limits)
    old_hash = account.password_hash
    if not passwords.is_right(old, old_hash):
        raise WrongCredentialsError
    new_hash = passwords.hash_password(new)
    with database.session(service.own_scope(account)) as session, session.begin():
        # An administrator may have reset it meanwhile: that stands.
        if not store.replace_password(session, account.id, old_hash=old_hash, new_hash=new_hash):
            raise WrongCredentialsError
        devices.end_others(session, principal)
        keys.revoke_all(session, account.id)
        signing_in.note(session, account, "account.password")
        throttle.give_back(session, *limits)


def _count(database: Database, limits: Mapping[Key, Backoff]) -> None:
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, limits)
