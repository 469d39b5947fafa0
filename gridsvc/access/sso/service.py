"""Signing in by a provider, and linking an account to who somebody is there.

Nobody gets an account by it. An identity is linked by whoever holds an invitation, or has signed in
otherwise moments ago. These take a database, not a session: no connection waits for the provider.
"""

import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import signing_in
from gridsvc.access import store as accounts
from gridsvc.access.accounts.service import end_access
from gridsvc.access.invitations import store as invitations
from gridsvc.access.model import Credentials, Principal
from gridsvc.access.service import own_scope
from gridsvc.access.signing_in import Caller
from gridsvc.access.sso import store
from gridsvc.access.sso.client import Client, client_of
from gridsvc.access.sso.model import Attempt, Finished, Identity, Provider, Returned
from gridsvc.access.tokens import hashed, hashed_code, new_token
from gridsvc.db import NOBODY, Database, ScopedSession
from gridsvc.errors import RecentSignInRequiredError, SsoRefusedError
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Backoff, Key, Rate, subnet_of

ATTEMPT_LASTS = timedelta(minutes=10)
RECENT = timedelta(minutes=15)
# An office shares one address: all of it may come in the morning.
_STARTS = Rate(count=200, per_s=600)
_RETURNS = Backoff(free=20)


def start(
    database: Database,
    provider: Provider,
    *,
    goal: str,
    browser_secret: str,
    caller: Caller,
    invitation_code: str | None = None,
) -> str:
    """Return the provider's address to send a browser to.

    Parameters
    ----------
    goal
        Page of ours to go on to; the caller has checked that it is ours.
    browser_secret
        What the browser keeps in a cookie: only it can finish the attempt.
    invitation_code
        As typed; whoever comes back is linked to the account it is for.

    Raises
    ------
    TooManyTriesError
        From this subnet there were too many of late.
    SsoUnavailableError
        The provider does not answer, or not as it should.
    """
    invitation_hash = hashed_code(invitation_code) if invitation_code else None
    return _start(database, provider, goal, hashed(browser_secret), caller, invitation_hash)


def start_link(
    database: Database,
    provider: Provider,
    principal: Principal,
    *,
    goal: str,
    browser_secret: str,
    caller: Caller,
) -> str:
    """Return the provider's address to send a browser to, so that its account is linked.

    Parameters
    ----------
    goal, browser_secret
        As for `start`.

    Raises
    ------
    RecentSignInRequiredError
        The sign-in is no browser's, or older than 15 minutes.
    TooManyTriesError, SsoUnavailableError
        As `start`.
    """
    with database.session(NOBODY, read_only=True) as session, session.begin():
        _require_recent(session, principal)
    browser_hash = _linking_hash(browser_secret, principal.account_id)
    return _start(database, provider, goal, browser_hash, caller, None)


def _require_recent(session: Session, principal: Principal) -> None:
    began_at = None
    if principal.credential == "browser" and principal.sign_in_id is not None:
        began_at = store.find_sign_in_time(session, principal.sign_in_id)
    if began_at is None or began_at < datetime.now(UTC) - RECENT:
        raise RecentSignInRequiredError


def _linking_hash(browser_secret: str, account_id: UUID) -> bytes:
    """Bind an attempt to the account, too: it fails if somebody else signs in meanwhile."""
    return hashed(f"{browser_secret} links {account_id}")


def _start(
    database: Database,
    provider: Provider,
    goal: str,
    browser_hash: bytes,
    caller: Caller,
    invitation_hash: bytes | None,
) -> str:
    now = datetime.now(UTC)
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {Key("sso start", subnet_of(caller.address)): _STARTS})
        store.forget_attempts(session, now)
    state, nonce, code_verifier = new_token(), new_token(), new_token()
    address = client_of(provider).address(state=state, nonce=nonce, code_verifier=code_verifier)
    with database.session(NOBODY) as session, session.begin():
        store.add_attempt(
            session,
            state_hash=hashed(state),
            browser_hash=browser_hash,
            nonce=nonce,
            code_verifier=code_verifier,
            goal=goal,
            invitation_hash=invitation_hash,
            expires_at=now + ATTEMPT_LASTS,
        )
    return address


def finish(
    database: Database,
    provider: Provider,
    returned: Returned,
    *,
    browser_secret: str | None,
    caller: Caller,
    account_id: UUID | None = None,
) -> Finished:
    """Sign in whoever comes back from the provider, or link the account that left for it.

    A sign-in begun here needs no authenticator of ours: asking for a second factor is left to the
    provider.

    Parameters
    ----------
    account_id
        Who is signed in, in this browser, already.

    Raises
    ------
    TooManyTriesError
        From this subnet there were too many of late that failed.
    SsoRefusedError
        The answer is forged, stale, another browser's, or declined; or nobody here is linked to
        who came back, or the account is disabled.
    SsoUnavailableError
        The provider does not answer, or not as it should.
    """
    key = Key("sso return", subnet_of(caller.address))
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {key: _RETURNS})
    # Taken before anything is checked, and committed: an attempt is good once, come what may.
    with database.session(NOBODY) as session, session.begin():
        attempt = store.take_attempt(session, hashed(returned.state or ""), datetime.now(UTC))
    if attempt is None:
        raise SsoRefusedError("state")
    links = _links(attempt, browser_secret, account_id)
    subject = _find_subject(client_of(provider), attempt, returned)
    if links and account_id is not None:
        finished = _link(database, attempt, Identity(provider.issuer, subject, account_id))
    else:
        finished = _sign_in(database, provider.issuer, subject, attempt, caller)
    with database.session(NOBODY) as session, session.begin():
        throttle.give_back(session, key)
    return finished


def _links(attempt: Attempt, browser_secret: str | None, account_id: UUID | None) -> bool:
    """Tell whether an attempt is to link the account; refuse it from another browser."""
    secret = browser_secret or ""
    if hmac.compare_digest(hashed(secret), attempt.browser_hash):
        return False
    if account_id and hmac.compare_digest(_linking_hash(secret, account_id), attempt.browser_hash):
        return True
    raise SsoRefusedError("browser")


def _find_subject(client: Client, attempt: Attempt, returned: Returned) -> str:
    if attempt.is_expired:
        raise SsoRefusedError("expired")
    is_named = returned.issuer is not None or client.names_itself()
    if is_named and returned.issuer != client.provider.issuer:
        raise SsoRefusedError("issuer")
    if returned.is_error:
        raise SsoRefusedError("declined")
    if not returned.code:
        raise SsoRefusedError("code")
    return client.redeem(
        code=returned.code, code_verifier=attempt.code_verifier, nonce=attempt.nonce
    )


def _link(database: Database, attempt: Attempt, identity: Identity) -> Finished:
    with database.session(NOBODY, read_only=True) as session, session.begin():
        account = _get_account(session, identity.account_id)
    with database.session(own_scope(account)) as session, session.begin():
        _put_identity(session, account, identity)
    return Finished(None, attempt.goal)


def _sign_in(
    database: Database, issuer: str, subject: str, attempt: Attempt, caller: Caller
) -> Finished:
    now = datetime.now(UTC)
    code_hash = attempt.invitation_hash
    with database.session(NOBODY, read_only=True) as session, session.begin():
        if code_hash is not None:
            account_id = invitations.find_account_id(session, code_hash, now)
        else:
            account_id = store.find_account_id(session, issuer, subject)
        if account_id is None:
            raise SsoRefusedError("unlinked" if code_hash is None else "invitation")
        account = _get_account(session, account_id)
    with database.session(own_scope(account)) as session, session.begin():
        if code_hash is not None:
            # Somebody may have used it since it was looked at.
            if invitations.use(session, code_hash, now) != account.id:
                raise SsoRefusedError("invitation")
            signing_in.note(session, account, "account.redeem")
            end_access(session, account.id)
            _put_identity(session, account, Identity(issuer, subject, account.id))
        started = signing_in.start_fully(session, account, client=caller.client)
    return Finished(started, attempt.goal)


def _get_account(session: Session, account_id: UUID) -> Credentials:
    account = accounts.find_by_id(session, account_id)
    if account is None:
        raise SsoRefusedError("disabled")
    return account


def _put_identity(session: ScopedSession, account: Credentials, identity: Identity) -> None:
    if not store.put_identity(session, identity):
        raise SsoRefusedError("taken")
    signing_in.note(session, account, "sso.link")
