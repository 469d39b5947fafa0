"""Signing in by login and password, then by the code of an authenticator.

These take a database, not a session: tries are counted in a transaction of their own, which must be
there for everybody before the slow hash begins, and no connection waits for the hash.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from gridsvc.access import passwords, second_factor, service, store
from gridsvc.access.model import Credentials, Started
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Database, ScopedSession
from gridsvc.errors import (
    NotSignedInError,
    SecondFactorNotSetError,
    SecondFactorRequiredError,
    WrongCredentialsError,
)
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Backoff, Key, Rate, subnet_of
from gridsvc.vault import Vault

_BY_SUBNET = Backoff(free=10)
_BY_SUBNET_AND_LOGIN = Backoff(free=5, longest_wait_s=900)
# From everywhere: generous, because whoever spends it shuts the owner out for a minute.
_BY_LOGIN = Rate(count=60, per_s=3600)
_SECOND_FACTOR = Backoff(free=5, longest_wait_s=900)


@dataclass(frozen=True)
class Caller:
    """Where a try to sign in comes from.

    Attributes
    ----------
    address
        Of the network, for the throttle only.
    client
        What the browser or phone calls itself, shortened, for the list of sign-ins.
    """

    address: str | None = None
    client: str | None = None


def check_password(database: Database, *, login: str, password: str, caller: Caller) -> Credentials:
    """Return the account that a login and password belong to.

    Raises
    ------
    TooManyTriesError
        From this subnet or for this login there were too many tries of late.
    WrongCredentialsError
        The login is unknown or disabled, or the password wrong.
    BusyError
        Too many passwords are being checked already.
    """
    limits = _limits(login.strip().lower(), caller)
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, limits)
    with database.session(NOBODY) as session, session.begin():
        account = store.find_by_login(session, login)
    # Outside of any transaction: a hash takes longer than all statements together.
    if not passwords.is_right(password, account.password_hash if account else None):
        raise WrongCredentialsError
    assert account is not None  # noqa: S101  (a hash that fitted belongs to somebody)
    with database.session(NOBODY) as session, session.begin():
        throttle.give_back(session, *limits)
    return account


def _limits(login: str, caller: Caller) -> Mapping[Key, Backoff | Rate]:
    subnet = subnet_of(caller.address)
    return {
        Key("login from", subnet): _BY_SUBNET,
        Key("login as", login): _BY_LOGIN,
        Key("login from as", f"{subnet} {login}"): _BY_SUBNET_AND_LOGIN,
    }


def sign_in(database: Database, *, login: str, password: str, caller: Caller) -> Started:
    """Start a browser's sign-in; where a second factor is needed, that comes next.

    Raises
    ------
    TooManyTriesError, WrongCredentialsError, BusyError
        As `check_password`.
    """
    account = check_password(database, login=login, password=password, caller=caller)
    with own_session(database, account) as session:
        if account.needs_second_factor:
            return service.start(session, account, stage="second_factor", client=caller.client)
        return start_fully(session, account, client=caller.client)


@contextmanager
def own_session(database: Database, account: Credentials) -> Iterator[ScopedSession]:
    """Open a transaction in which an account, whose proof was seen just now, starts a sign-in.

    Raises
    ------
    WrongCredentialsError
        Since then it was disabled, or its password changed: the proof is void, and the sign-in
        would have outlived the order to end them all.
    """
    with database.session(service.own_scope(account)) as session, session.begin():
        if not store.is_unchanged(session, account):
            raise WrongCredentialsError
        yield session


def start_fully(session: ScopedSession, account: Credentials, *, client: str | None) -> Started:
    """Start a sign-in whose every proof has been seen, and note it in the trail."""
    note(session, account, "sign-in.start")
    return service.start(session, account, stage="full", client=client)


def note(session: ScopedSession, account: Credentials, action: str) -> None:
    """Note something that an account did to itself; the session has `service.own_scope`."""
    audit.record(
        session, community_code=account.office_code, action=action, subject=str(account.id)
    )


def check_all(
    database: Database,
    *,
    login: str,
    password: str,
    one_time_code: str | None,
    caller: Caller,
    vault: Vault,
) -> Credentials:
    """Return the account of a program that sends everything at once.

    Raises
    ------
    SecondFactorRequiredError
        The password was right, and a code is needed too.
    SecondFactorNotSetError
        The role needs an authenticator, and none is set yet.
    TooManyTriesError, WrongCredentialsError, BusyError
        As `check_password`; a wrong code is as wrong as a wrong password.
    """
    account = check_password(database, login=login, password=password, caller=caller)
    if not account.needs_second_factor:
        return account
    if not account.totp_is_confirmed:
        raise SecondFactorNotSetError
    if not one_time_code:
        raise SecondFactorRequiredError
    _use_code(database, account, one_time_code, vault)
    return account


def confirm(
    database: Database, *, token: str, one_time_code: str, caller: Caller, vault: Vault
) -> Started:
    """Finish a sign-in by the authenticator's code; the token is replaced by a new one.

    The first code confirms a secret that `offer_secret` made.

    Raises
    ------
    NotSignedInError
        The token waits for no second factor.
    TooManyTriesError
        There were too many codes of late.
    WrongCredentialsError
        The code is wrong, or was used before.
    """
    account = _get_pending(database, token)
    _use_code(database, account, one_time_code, vault)
    with own_session(database, account) as session:
        service.sign_out(session, token)
        if not account.totp_is_confirmed:
            note(session, account, "second-factor.set")
        return start_fully(session, account, client=caller.client)


def offer_secret(database: Database, *, token: str, vault: Vault) -> tuple[str, str]:
    """Return a secret and its ``otpauth://`` address; the same until a code confirms it.

    Raises
    ------
    NotSignedInError
        The token waits for no second factor, or an authenticator is set already.
    """
    account = _get_pending(database, token)
    if account.totp_is_confirmed:
        raise NotSignedInError
    cipher = account.totp_cipher
    if cipher is None:
        offered = vault.encrypt(second_factor.new_secret())
        with database.session(service.own_scope(account)) as session, session.begin():
            # Of two pages that ask at once, both show what the first one kept.
            cipher = store.offer_cipher(session, account.id, offered)
    secret = vault.decrypt(cipher)
    return secret, second_factor.address(secret, login=account.login)


def _get_pending(database: Database, token: str) -> Credentials:
    with database.session(NOBODY, read_only=True) as session, session.begin():
        return service.get_pending(session, token)


def _use_code(database: Database, account: Credentials, one_time_code: str, vault: Vault) -> None:
    key = Key("second factor of", str(account.id))
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {key: _SECOND_FACTOR})
    if account.totp_cipher is None:
        raise WrongCredentialsError
    step = second_factor.find_step(
        vault.decrypt(account.totp_cipher),
        one_time_code,
        now=datetime.now(UTC),
        last_step=account.totp_last_step,
    )
    with database.session(NOBODY) as session, session.begin():
        # Two requests with one code: the row decides which of them came first.
        if step is None or not store.use_step(session, account.id, step):
            raise WrongCredentialsError
        throttle.forget(session, key)
