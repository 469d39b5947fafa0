"""Phones and browsers that are signed in, and what their tokens still open."""

from collections.abc import Callable
from datetime import timedelta

from gridsvc.access import service as access
from gridsvc.access import store as accounts
from gridsvc.access.devices import service
from gridsvc.access.devices.model import DeviceStarted, SignIn
from gridsvc.access.model import Credentials, Principal
from gridsvc.access.signing_in import Caller
from gridsvc.db import NOBODY, Database, ScopedSession
from gridsvc.errors import GridsvcError, NotSignedInError
from tests.databases import Clone
from tests.gridsvc.access.enrolled import Enrolled

HOME = Caller("203.0.113.7")


def credentials(clone: Clone, enrolled: Enrolled) -> Credentials:
    with clone.api.session(NOBODY) as session:
        account = accounts.find_by_id(session, enrolled.id)
    assert account is not None
    return account


def start(clone: Clone, enrolled: Enrolled, name: str = "一队的手机") -> DeviceStarted:
    account = credentials(clone, enrolled)
    with clone.api.session(access.own_scope(account)) as session, session.begin():
        return service.start_device(session, account, name=name)


def start_browser(clone: Clone, enrolled: Enrolled, lasts: timedelta | None = None) -> str:
    account = credentials(clone, enrolled)
    with clone.api.session(access.own_scope(account)) as session, session.begin():
        return access.start(session, account, stage="full", client="Firefox", lasts=lasts).token


def refresh(database: Database, token: str, repeat_key: str | None = None) -> DeviceStarted:
    return service.refresh(database, refresh_token=token, repeat_key=repeat_key, caller=HOME)


def who(database: Database, token: str) -> Principal:
    with database.session(NOBODY) as session, session.begin():
        return access.authenticate(session, token)


def is_in(database: Database, token: str) -> bool:
    try:
        who(database, token)
    except NotSignedInError:
        return False
    return True


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except GridsvcError as error:
        return error.code
    return "good"


def acting(clone: Clone, token: str, act: Callable[[ScopedSession, Principal], object]) -> None:
    principal = who(clone.api, token)
    with clone.api.session(principal.scope) as session, session.begin():
        act(session, principal)


def listed(clone: Clone, token: str) -> list[SignIn]:
    principal = who(clone.api, token)
    with clone.api.session(principal.scope, read_only=True) as session:
        return service.list_sign_ins(session, principal)
