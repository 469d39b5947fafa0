"""Taking up an invitation, and another password: once, throttled, without a hint."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from gridsvc.access import passwords, service, signing_in
from gridsvc.access import store as access_store
from gridsvc.access.accounts import service as accounts
from gridsvc.access.accounts.model import Invited, NewAccount
from gridsvc.access.devices import service as devices
from gridsvc.access.invitations import service as invitations
from gridsvc.access.model import Principal
from gridsvc.access.signing_in import Caller
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Interval, Scope
from gridsvc.errors import (
    GridsvcError,
    NotSignedInError,
    TooManyTriesError,
    WeakPasswordError,
    WrongCredentialsError,
)
from tests.databases import Clone

pytestmark = pytest.mark.db

STREET, A = 440605011000, 440605011001
PASSWORD, OTHER = "七号楼下的老榕树很凉快", "mango-tree-by-the-lake"
HERE, ELSEWHERE = Caller("203.0.113.7", "Firefox, Android"), Caller("198.51.100.9")
ADMINISTRATOR = Scope("administrator", (Interval.of(STREET),), account=uuid4())


def invite(clone: Clone, role: str = "contact", **wanted: Any) -> Invited:
    with clone.api.session(ADMINISTRATOR) as session, session.begin():
        return accounts.invite(session, NewAccount("陈试一", role, (A,), **wanted))


def redeem(clone: Clone, code: str, password: str = PASSWORD, caller: Caller = HERE) -> Any:
    return invitations.redeem(clone.api, code=code, password=password, caller=caller)


def authenticate(clone: Clone, token: str) -> Principal:
    with clone.api.session(NOBODY) as session, session.begin():
        return service.authenticate(session, token)


def typed_badly(code: str) -> str:
    return f"  {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "


def test_a_code_however_typed_opens_the_account_with_the_password_chosen(database: Clone) -> None:
    invited = invite(database)
    found = invitations.find(database.api, code=typed_badly(invited.code), caller=HERE)
    assert (found.id, found.login) == (invited.account.id, "001-0001")
    started = redeem(database, typed_badly(invited.code))
    assert (started.stage, started.has_second_factor) == ("full", False)
    principal = authenticate(database, started.token)
    assert principal.account_id == invited.account.id
    account = signing_in.check_password(
        database.api, login="001-0001", password=PASSWORD, caller=ELSEWHERE
    )
    assert account.id == invited.account.id
    with database.api.session(ADMINISTRATOR) as session:
        noted = [one.action for one in audit.list_events(session)]
        assert accounts.get(session, invited.account.id).has_password
    assert sorted(noted) == ["account.invite", "account.redeem", "sign-in.start"]


@pytest.mark.parametrize("role", ["coordinator", "administrator"])
def test_where_the_role_needs_a_second_factor_that_comes_next(database: Clone, role: str) -> None:
    started = redeem(database, invite(database, role).code)
    assert (started.stage, started.has_second_factor) == ("second_factor", False)
    with pytest.raises(NotSignedInError):
        authenticate(database, started.token)
    with database.api.session(NOBODY) as session:
        assert service.get_pending(session, started.token).login == "001-0001"


def test_used_replaced_expired_unknown_and_disabled_are_one_answer(database: Clone) -> None:
    codes: list[str] = []
    used, replaced, expired, disabled = (invite(database) for _ in range(4))
    redeem(database, used.code)
    of_expired = f"account_id = '{expired.account.id}'"
    database.run(f"UPDATE gridsvc.invitation SET expires_at = now() WHERE {of_expired}")  # noqa: S608
    with database.api.session(ADMINISTRATOR) as session, session.begin():
        again = accounts.invite_again(session, replaced.account.id)
        accounts.change(session, disabled.account.id, is_disabled=True)
    codes = [one.code for one in (used, replaced, expired, disabled)]
    said = set()
    for code in (*codes, "7QK2-M0XA-1123-ZZZZ", "", "' OR 1=1 --", "\x00", "陈" * 100):
        for attempt in (
            lambda code=code: invitations.find(database.api, code=code, caller=Caller()),
            lambda code=code: redeem(database, code, caller=Caller()),
        ):
            database.run("TRUNCATE gridsvc.throttle")
            with pytest.raises(WrongCredentialsError) as refused:
                attempt()
            said.add(str(refused.value))
    assert len(said) == 1
    assert redeem(database, again.code).stage == "full", "the new one is good"


def test_a_weak_password_leaves_the_invitation_open(database: Clone) -> None:
    invited = invite(database, login="chen.shi.yi")
    for weak in ("short", "1234567890", "my-chen.shi.yi-1", "陈试一陈试一陈试一陈试一", "x" * 201):
        with pytest.raises(WeakPasswordError):
            redeem(database, invited.code, weak)
    assert redeem(database, invited.code).stage == "full"


def test_of_two_who_take_up_one_invitation_at_once_one_gets_in(database: Clone) -> None:
    invited = invite(database)
    start = threading.Barrier(4)

    def try_it(number: int) -> str | None:
        start.wait()
        caller = Caller(f"203.0.{number}.1")
        try:
            return str(redeem(database, invited.code, f"{PASSWORD}{number}", caller).token)
        except WrongCredentialsError:
            return None

    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(try_it, range(4)))
    [winner] = [number for number, token in enumerate(tokens) if token]
    assert authenticate(database, tokens[winner] or "").account_id == invited.account.id
    assert database.count("sign_in") == 1
    signing_in.check_password(
        database.api, login="001-0001", password=f"{PASSWORD}{winner}", caller=ELSEWHERE
    )


def test_wrong_codes_from_one_subnet_are_slowed_down_and_good_ones_are_not(
    database: Clone,
) -> None:
    codes = [invite(database).code for _ in range(12)]
    for code in codes:
        redeem(database, code)
    for host in range(10):
        with pytest.raises(WrongCredentialsError):
            invitations.find(
                database.api, code="7QK2-M0XA-1123-ZZZZ", caller=Caller(f"203.0.113.{host}")
            )
    good = invite(database).code
    with pytest.raises(TooManyTriesError) as slowed:
        redeem(database, good)
    assert slowed.value.retry_after_s >= 1
    assert redeem(database, good, caller=ELSEWHERE).stage == "full", "from another subnet"


def test_taking_up_a_second_invitation_ends_what_was_signed_in(database: Clone) -> None:
    invited = invite(database)
    before = redeem(database, invited.code).token
    with database.api.session(ADMINISTRATOR) as session, session.begin():
        again = accounts.invite_again(session, invited.account.id)
    with pytest.raises(WrongCredentialsError):
        signing_in.check_password(
            database.api, login="001-0001", password=PASSWORD, caller=ELSEWHERE
        )
    after = redeem(database, again.code, OTHER).token
    authenticate(database, after)
    with pytest.raises(NotSignedInError):
        authenticate(database, before)


def test_taking_up_an_invitation_ends_what_is_signed_in_by_other_means(database: Clone) -> None:
    invited = invite(database)
    with database.api.session(NOBODY) as session, session.begin():
        account = access_store.find_by_id(session, invited.account.id)
        assert account is not None
        by_provider = service.start(session, account, stage="full", client=None).token
    assert still(database, [by_provider]) == [True]
    after = redeem(database, invited.code).token
    assert still(database, [by_provider, after]) == [False, True]


def test_no_connection_waits_while_a_password_is_hashed(
    database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: list[int] = []
    hash_password = passwords.hash_password

    def counting(password: str) -> str:
        out.append(database.api.engine.pool.checkedout())  # type: ignore[attr-defined]
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", counting)
    principal = authenticate(database, redeem(database, invite(database).code).token)
    change(database, principal)
    assert out == [0, 0]


# ---- another password


@pytest.fixture
def signed_in(database: Clone) -> tuple[Clone, Principal, list[str]]:
    """A contact with three sign-ins, the first one the present; the last one is of a phone."""
    token = redeem(database, invite(database).code).token
    principal = authenticate(database, token)
    with database.api.session(NOBODY) as session, session.begin():
        account = access_store.find_by_id(session, principal.account_id)
        assert account is not None
        other = service.start(session, account, stage="full", client=None).token
    with database.api.session(service.own_scope(account)) as session, session.begin():
        phone = devices.start_device(session, account, name="手机").token
    return database, principal, [token, other, phone]


def change(clone: Clone, principal: Principal, old: str = PASSWORD, new: str = OTHER) -> None:
    invitations.change_password(clone.api, principal, old=old, new=new, caller=HERE)


def still(clone: Clone, tokens: list[str]) -> list[bool]:
    found = []
    for token in tokens:
        try:
            authenticate(clone, token)
            found.append(True)
        except NotSignedInError:
            found.append(False)
    return found


def test_another_password_ends_every_other_sign_in(
    signed_in: tuple[Clone, Principal, list[str]],
) -> None:
    clone, principal, tokens = signed_in
    assert still(clone, tokens) == [True, True, True]
    change(clone, principal)
    assert still(clone, tokens) == [True, False, False]
    signing_in.check_password(clone.api, login="001-0001", password=OTHER, caller=ELSEWHERE)
    with pytest.raises(WrongCredentialsError):
        signing_in.check_password(clone.api, login="001-0001", password=PASSWORD, caller=ELSEWHERE)
    assert clone.count("audit_event", "action = 'account.password'") == 1


def test_a_phone_that_changes_the_password_stays_signed_in(
    signed_in: tuple[Clone, Principal, list[str]],
) -> None:
    clone, _, tokens = signed_in
    change(clone, authenticate(clone, tokens[2]))
    assert still(clone, tokens) == [False, False, True]
    assert clone.count("device", "revoked_at IS NULL") == 1


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (OTHER, "another-good-one", WrongCredentialsError),
        ("", OTHER, WrongCredentialsError),
        (PASSWORD, "short", WeakPasswordError),
        (PASSWORD, PASSWORD, WeakPasswordError),
    ],
)
def test_a_wrong_old_password_or_a_weak_new_one_changes_nothing(
    signed_in: tuple[Clone, Principal, list[str]], old: str, new: str, error: type[GridsvcError]
) -> None:
    clone, principal, tokens = signed_in
    with pytest.raises(error):
        change(clone, principal, old, new)
    assert still(clone, tokens) == [True, True, True]
    signing_in.check_password(clone.api, login="001-0001", password=PASSWORD, caller=ELSEWHERE)


def test_a_password_reset_meanwhile_stays_reset(
    signed_in: tuple[Clone, Principal, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, principal, _ = signed_in
    hash_password = passwords.hash_password

    def hash_while_an_administrator_resets(password: str) -> str:
        with clone.api.session(ADMINISTRATOR) as session, session.begin():
            accounts.invite_again(session, principal.account_id)
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", hash_while_an_administrator_resets)
    with pytest.raises(WrongCredentialsError):
        change(clone, principal)
    assert clone.count("account", "password_hash IS NULL") == 1


def test_guessing_the_old_password_is_slowed_down(
    signed_in: tuple[Clone, Principal, list[str]],
) -> None:
    clone, principal, _ = signed_in
    for _ in range(5):
        with pytest.raises(WrongCredentialsError):
            change(clone, principal, "a-wrong-old-one")
    with pytest.raises(TooManyTriesError):
        change(clone, principal)


def test_an_account_without_a_password_has_none_to_change(database: Clone) -> None:
    account = invite(database).account
    principal = Principal(account.id, account.name, Scope("contact", (Interval.of(A),)))
    with pytest.raises(WrongCredentialsError):
        change(database, principal)
    with pytest.raises(WrongCredentialsError):
        change(database, Principal(uuid4(), "", NOBODY))
