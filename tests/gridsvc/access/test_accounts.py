"""Accounts: who invites, sees and changes whom, and what ends with a change."""

import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from gridsvc.access import service as access
from gridsvc.access import store as access_store
from gridsvc.access.accounts import service
from gridsvc.access.accounts.model import INVITED_ROLES, Invited, NewAccount, checked
from gridsvc.access.accounts.writing import INVITATION_LASTS
from gridsvc.access.devices import service as devices
from gridsvc.access.model import Account
from gridsvc.access.tokens import hashed_code, plain_code
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Interval, Scope, ScopedSession
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    FaultyListError,
    InvalidAccountError,
    LoginTakenError,
    NotFoundError,
    NotSignedInError,
    OwnAccountError,
    RoleNotAllowedError,
)
from tests.databases import Clone

pytestmark = pytest.mark.db

STREET, A, B, C = 440605011000, 440605011001, 440605011002, 440605011003
OTHER_STREET = 440605012000


def new(name: str = "陈试一", role: str = "contact", *codes: int, **more: Any) -> NewAccount:
    return NewAccount(name, role, codes or (A,), **more)


def scope(*codes: int, role: str = "administrator", account: UUID | None = None) -> Scope:
    return Scope(role, tuple(map(Interval.of, codes)), account=account or uuid4())


def session_of(clone: Clone, who: Scope) -> ScopedSession:
    return clone.api.session(who)


def invite(clone: Clone, wanted: NewAccount, by: Scope) -> Invited:
    with session_of(clone, by) as session, session.begin():
        return service.invite(session, wanted)


def as_list(news: Sequence[NewAccount]) -> bytes:
    """Return people as the rows of a list, the first in row 2."""
    rows = [("name", "role", "territory", "login")]
    for one in news:
        codes = " ".join(map(str, one.territory_codes))
        rows.append((one.name, one.role, codes, one.login or ""))
    return "\n".join(map(",".join, rows)).encode()


def logins(clone: Clone, by: Scope, **wanted: Any) -> list[str]:
    with session_of(clone, by) as session:
        return [account.login for account in service.list_accounts(session, **wanted)]


def actions(clone: Clone, account_id: UUID) -> list[str]:
    with clone.root.connect() as connection:
        found = connection.execute(
            text("SELECT action FROM gridsvc.audit_event WHERE subject = :id ORDER BY at, id"),
            {"id": str(account_id)},
        )
        return list(found.scalars())


def sign_in(clone: Clone, account: Account) -> str:
    """Sign an account in, as if its proof had been seen."""
    with clone.api.session(NOBODY) as session, session.begin():
        found = access_store.find_by_id(session, account.id)
        assert found is not None
        return access.start(session, found, stage="full", client=None).token


def is_signed_in(clone: Clone, token: str) -> bool:
    try:
        with clone.api.session(NOBODY) as session, session.begin():
            access.authenticate(session, token)
    except NotSignedInError:
        return False
    return True


# ---- inviting


def test_an_invitation_makes_an_account_and_a_code_of_which_only_the_hash_is_kept(
    database: Clone,
) -> None:
    person = uuid4()
    by = scope(STREET)
    invited = invite(database, new("陈试一", "contact", A, B, person_id=person), by)
    account = invited.account
    assert (account.login, account.name, account.role) == ("001-0001", "陈试一", "contact")
    assert account.territories == ((A, A), (B, B))
    assert (account.office_code, account.person_id) == (STREET, person)
    assert not any((account.has_password, account.has_second_factor, account.is_disabled))
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", invited.code)
    left = invited.expires_at - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= INVITATION_LASTS == timedelta(days=30)
    with session_of(database, by) as session:
        assert service.get(session, account.id) == account, "as it was written"
    with database.root.connect() as connection:
        rows = connection.execute(text("SELECT * FROM gridsvc.invitation")).all()
    assert [row.code_hash for row in rows] == [hashed_code(invited.code)]
    assert invited.code not in str(rows)
    assert plain_code(invited.code) not in str(rows)


def test_the_trail_notes_who_invited_whom_without_a_name(database: Clone) -> None:
    by = scope(STREET)
    invited = invite(database, new("陈试一"), by)
    with session_of(database, by) as session:
        noted = audit.list_events(session)
    assert [(one.action, one.subject, one.account_id) for one in noted] == [
        ("account.invite", str(invited.account.id), by.account)
    ]
    assert noted[0].detail == {"role": "contact"}
    assert noted[0].community_code == STREET


def test_logins_that_are_not_given_are_the_community_and_a_running_number(database: Clone) -> None:
    by = scope(STREET, OTHER_STREET)
    invited = [
        invite(database, new("甲", "contact", *codes), by).account.login
        for codes in ((A,), (A,), (B, A), (STREET,), (A,), (OTHER_STREET + 1,))
    ]
    assert invited == ["001-0001", "001-0002", "002-0001", "000-0001", "001-0003", "001-0004"]


def test_a_chosen_login_is_lower_case_and_skipped_by_the_running_number(database: Clone) -> None:
    by = scope(STREET)
    assert invite(database, new(login=" Chen.Shi@X "), by).account.login == "chen.shi@x"
    invite(database, new(login="001-0007"), by)
    assert invite(database, new(), by).account.login == "001-0008"
    with session_of(database, by) as session, session.begin():
        many = service.invite_list(session, as_list([new(login="001-0009"), new(), new()]))
    assert [one.account.login for one in many] == ["001-0009", "001-0010", "001-0011"]


def test_a_login_is_given_once_however_it_is_capitalised(database: Clone) -> None:
    invite(database, new(login="chen"), scope(STREET))
    with pytest.raises(LoginTakenError, match="chen"):
        invite(database, new(login="CHEN"), scope(OTHER_STREET, STREET))
    assert database.count("account") == 1
    assert database.count("invitation") == 1


def test_administrators_who_invite_at_once_get_different_logins(database: Clone) -> None:
    start = threading.Barrier(6)

    def invite_five(_: int) -> list[str]:
        start.wait()
        with database.job.session(Scope("job")) as session, session.begin():
            invited = service.invite_list(session, as_list([new()] * 5))
            return [one.account.login for one in invited]

    with ThreadPoolExecutor(6) as pool:
        made = [login for five in pool.map(invite_five, range(6)) for login in five]
    assert sorted(made) == [f"001-{number:04d}" for number in range(1, 31)]


@pytest.mark.parametrize(
    ("wanted", "column", "fault"),
    [
        (new(" "), "name", "missing"),
        (new("长" * 101), "name", "too-long"),
        (new("陈\x00"), "name", "unprintable"),
        (new("陈\n试"), "name", "unprintable"),
        (new(role="resident"), "role", "unknown-role"),
        (new(role="owner"), "role", "unknown-role"),
        (NewAccount("甲", "contact", ()), "territory", "missing"),
        (new("甲", "contact", 440605000000), "territory", "no-territory-code"),
        (new("甲", "contact", 44060501), "territory", "no-territory-code"),
        (new("甲", "contact", -440605011001), "territory", "no-territory-code"),
        (new(login="ab"), "login", "login-form"),
        (new(login="a" * 41), "login", "login-form"),
        (new(login="chen shi"), "login", "login-form"),
        (new(login="陈试一"), "login", "login-form"),
        (new(login="x' OR 1=1--"), "login", "login-form"),
    ],
)
def test_what_no_account_can_be_is_refused(wanted: NewAccount, column: str, fault: str) -> None:
    with pytest.raises(InvalidAccountError) as refused:
        checked(wanted, own=None)
    assert (refused.value.column, refused.value.fault) == (column, fault)


def test_an_account_that_cannot_be_leaves_nothing_behind(database: Clone) -> None:
    with pytest.raises(InvalidAccountError):
        invite(database, new(login="ab"), scope(STREET))
    assert database.count("account") == 0


@pytest.mark.parametrize(
    "codes", [(STREET,), (B,), (A, B), (OTHER_STREET + 1,), (A, A + 1, A + 2, A + 3, A + 4)]
)
def test_nobody_gives_more_than_they_have_nor_more_than_four(codes: tuple[int, ...]) -> None:
    with pytest.raises(BeyondOwnTerritoryError):
        checked(new("甲", "contact", *codes), own=[Interval.of(A)])


def test_an_administrator_gives_only_their_own_territory(database: Clone) -> None:
    with pytest.raises(BeyondOwnTerritoryError):
        invite(database, new("甲", "contact", A, B), scope(A))
    account = invite(database, new(), scope(A)).account
    with (
        pytest.raises(BeyondOwnTerritoryError),
        session_of(database, scope(A)) as session,
        session.begin(),
    ):
        service.change(session, account.id, territory_codes=(STREET,))
    assert (database.count("account"), database.count("account_scope")) == (1, 1)


def test_who_has_no_territory_left_invites_and_sees_nobody(database: Clone) -> None:
    invite(database, new(), scope(STREET))
    assert logins(database, scope()) == []
    with pytest.raises(BeyondOwnTerritoryError):
        invite(database, new(), scope())


def test_only_administrators_do_any_of_this(database: Clone) -> None:
    account_id = invite(database, new(), scope(STREET)).account.id
    for role in ("resident", *INVITED_ROLES[:-1]):
        refuse_all(database, account_id, role)


def refuse_all(clone: Clone, account_id: UUID, role: str) -> None:
    with session_of(clone, scope(STREET, role=role)) as session:
        for attempt in (
            lambda: service.list_accounts(session),
            lambda: service.get(session, account_id),
            lambda: service.get_by_login(session, "001-0001"),
            lambda: service.invite(session, new()),
            lambda: service.invite_list(session, as_list([new()])),
            lambda: service.invite_again(session, account_id),
            lambda: service.change(session, account_id, name="乙"),
            lambda: service.reset_second_factor(session, account_id),
        ):
            with pytest.raises(RoleNotAllowedError):
                attempt()


# ---- many at once


def test_many_are_invited_in_their_order(database: Clone) -> None:
    wanted = [new(f"甲{number}", "contact", A if number % 2 else B) for number in range(7)]
    with session_of(database, scope(STREET)) as session, session.begin():
        invited = service.invite_list(session, as_list(wanted))
    assert [one.account.name for one in invited] == [one.name for one in wanted]
    assert [one.account.login for one in invited][:4] == [
        *("002-0001", "001-0001", "002-0002", "001-0002"),
    ]
    assert len({one.code for one in invited}) == 7
    assert database.count("invitation") == database.count("account_scope") == 7
    assert [actions(database, one.account.id) for one in invited] == [["account.invite"]] * 7


def test_of_many_with_faults_nobody_is_invited_and_every_fault_is_named(database: Clone) -> None:
    invite(database, new(login="taken"), scope(OTHER_STREET, STREET))
    wanted = [
        new(),
        new(login="TAKEN"),
        new("甲", "contact", OTHER_STREET),
        new(login="twice"),
        new(role="owner"),
        new(login="Twice"),
    ]
    with (
        pytest.raises(FaultyListError) as refused,
        session_of(database, scope(STREET)) as session,
        session.begin(),
    ):
        service.invite_list(session, as_list(wanted))
    found = [(one.row, one.column, one.fault) for one in refused.value.list_faults]
    assert found == [
        (3, "login", "login-taken"),
        (4, "territory", "beyond-own-territory"),
        (5, "login", "login-twice"),
        (6, "role", "unknown-role"),
        (7, "login", "login-twice"),
    ]
    assert database.count("account") == 1


# ---- who sees whom


@pytest.fixture
def staffed(database: Clone) -> Clone:
    """A street with accounts of its own office, of the offices of A and B, and of another."""
    for wanted, by in (
        (new("甲街", "administrator", STREET, login="street"), scope(STREET)),
        (new("乙东", "coordinator", A, login="street-a"), scope(STREET)),
        (new("丙东", "contact", A, login="a-1"), scope(A)),
        (new("丁西", "contact", B, login="b-1"), scope(B)),
        (new("戊%_", "planner", A, B, login="a-b"), scope(A, B)),
        (new("己外", "contact", OTHER_STREET + 1, login="other"), scope(OTHER_STREET)),
    ):
        invite(database, wanted, by)
    return database


@pytest.mark.parametrize(
    ("codes", "seen"),
    [
        ((STREET,), ["a-1", "a-b", "b-1", "street", "street-a"]),
        ((A,), ["a-1"]),
        ((B,), ["b-1"]),
        ((A, B), ["a-1", "a-b", "b-1"]),
        ((C,), []),
        ((OTHER_STREET,), ["other"]),
        ((STREET, OTHER_STREET), ["a-1", "a-b", "b-1", "other", "street", "street-a"]),
    ],
)
def test_administrators_see_accounts_of_their_offices_that_see_no_more_than_they_do(
    staffed: Clone, codes: tuple[int, ...], seen: Sequence[str]
) -> None:
    assert logins(staffed, scope(*codes)) == seen
    every = {"a-1", "a-b", "b-1", "other", "street", "street-a"}
    with staffed.root.connect() as connection:
        rows = connection.execute(text("SELECT login, id FROM gridsvc.account")).all()
    ids: dict[str, UUID] = {row.login: row.id for row in rows}
    assert set(ids) == every
    for login in every:
        with session_of(staffed, scope(*codes)) as session, session.begin():
            if login in seen:
                assert service.get(session, ids[login]).login == login
                assert service.change(session, ids[login], name="改名").name == "改名"
                continue
            for attempt in (
                lambda login=login: service.get(session, ids[login]),
                lambda login=login: service.get_by_login(session, login),
                lambda login=login: service.change(session, ids[login], name="改名"),
                lambda login=login: service.invite_again(session, ids[login]),
                lambda login=login: service.reset_second_factor(session, ids[login]),
            ):
                with pytest.raises(NotFoundError, match="No account"):
                    attempt()
    assert staffed.count("account", "name = '改名'") == len(seen)


def test_absent_and_not_yours_are_one_answer(staffed: Clone) -> None:
    with session_of(staffed, scope(OTHER_STREET)) as session:
        [theirs] = service.list_accounts(session)
    said = []
    for account_id in (theirs.id, UUID(int=0)):
        with session_of(staffed, scope(STREET)) as session, pytest.raises(NotFoundError) as refused:
            service.get(session, account_id)
        said.append(str(refused.value).replace(str(account_id), "…"))
    assert said == ["No account ….", "No account …."]


def test_the_list_is_filtered(staffed: Clone) -> None:
    found = [
        ({"role": "contact"}, ["a-1", "b-1"]),
        ({"territory_code": A}, ["a-1", "a-b", "street", "street-a"]),
        ({"territory_code": STREET}, ["a-1", "a-b", "b-1", "street", "street-a"]),
        ({"territory_code": A, "role": "planner"}, ["a-b"]),
        ({"words": "东"}, ["a-1", "street-a"]),
        ({"words": " STREET 乙 "}, ["street-a"]),
        ({"words": "%"}, ["a-b"]),
        ({"words": "_"}, ["a-b"]),
        ({"words": "' OR true --"}, []),
        ({"limit": 2}, ["a-1", "a-b"]),
    ]
    for wanted, accounts in found:
        assert logins(staffed, scope(STREET), **wanted) == accounts, wanted  # type: ignore[arg-type]


def test_the_list_goes_on_after_its_last_account(staffed: Clone) -> None:
    seen: list[str] = []
    after = None
    while True:
        with session_of(staffed, scope(STREET)) as session:
            page = service.list_accounts(session, after=after, limit=2)
        if not page:
            break
        seen += [account.login for account in page]
        after = (page[-1].login, page[-1].id)
    assert seen == ["a-1", "a-b", "b-1", "street", "street-a"]


# ---- changing


def test_a_change_is_written_returned_and_noted_and_no_change_is_not(database: Clone) -> None:
    by = scope(STREET)
    account = invite(database, new(), by).account
    wanted: dict[str, Any] = {"name": " 乙 ", "role": "patrol", "territory_codes": (B, C, B)}
    with session_of(database, by) as session, session.begin():
        changed = service.change(session, account.id, **wanted)
        assert service.get(session, account.id) == changed
        assert (changed.name, changed.role) == ("乙", "patrol")
        assert changed.territories == ((B, B), (C, C))
        assert service.change(session, account.id, **wanted) == changed
        assert service.change(session, account.id) == changed
    with session_of(database, by) as session:
        noted = audit.list_events(session)[0]
    assert noted.detail == {"changed": ["name", "role", "territories"], "role": "patrol"}
    assert actions(database, account.id) == ["account.invite", "account.change"]


def test_two_changes_at_once_are_both_kept(database: Clone) -> None:
    account = invite(database, new(), scope(STREET)).account

    def disable() -> None:
        with session_of(database, scope(STREET)) as session, session.begin():
            service.change(session, account.id, is_disabled=True)

    with ThreadPoolExecutor(1) as pool:
        with session_of(database, scope(STREET)) as session, session.begin():
            service.change(session, account.id, role="patrol")
            second = pool.submit(disable)
            wait_for_a_lock(database)
        second.result()
    with session_of(database, scope(STREET)) as session:
        found = service.get(session, account.id)
    assert (found.role, found.is_disabled) == ("patrol", True)


def wait_for_a_lock(clone: Clone) -> None:
    """Wait until a transaction waits for another one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with clone.root.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_changed_role_and_territory_hold_from_the_next_request(database: Clone) -> None:
    by = scope(STREET)
    account = invite(database, new("甲", "contact", A), by).account
    token = sign_in(database, account)
    with session_of(database, by) as session, session.begin():
        service.change(session, account.id, role="patrol", territory_codes=(B,))
    with database.api.session(NOBODY) as session, session.begin():
        principal = access.authenticate(session, token)
    assert (principal.role, principal.scope.intervals) == ("patrol", (Interval(B, B),))


@pytest.mark.parametrize("role", ["coordinator", "administrator"])
def test_who_rises_to_a_role_with_a_second_factor_must_sign_in_anew(
    database: Clone, role: str
) -> None:
    by = scope(STREET)
    account = invite(database, new(), by).account
    token = sign_in(database, account)
    with session_of(database, by) as session, session.begin():
        service.change(session, account.id, role=role)
    assert not is_signed_in(database, token)


def start_device(clone: Clone, account: Account) -> str:
    with clone.api.session(NOBODY) as session, session.begin():
        found = access_store.find_by_id(session, account.id)
    assert found is not None
    with clone.api.session(access.own_scope(found)) as session, session.begin():
        return devices.start_device(session, found, name="手机").token


def test_disabling_ends_sign_ins_and_devices_and_enabling_does_not_bring_them_back(
    database: Clone,
) -> None:
    by = scope(STREET)
    account, other = (invite(database, new(), by).account for _ in range(2))
    tokens = [sign_in(database, account), start_device(database, account)]
    others = [sign_in(database, other), start_device(database, other)]
    assert all(is_signed_in(database, token) for token in (*tokens, *others))
    with session_of(database, by) as session, session.begin():
        assert service.change(session, account.id, is_disabled=True).is_disabled
    assert not any(is_signed_in(database, token) for token in tokens)
    assert database.count("device", f"account_id = '{account.id}' AND revoked_at IS NULL") == 0
    with session_of(database, by) as session, session.begin():
        assert not service.change(session, account.id, is_disabled=False).is_disabled
    assert not any(is_signed_in(database, token) for token in tokens)
    assert all(is_signed_in(database, token) for token in others)
    assert actions(database, account.id) == [
        *("account.invite", "account.disable", "account.change"),
    ]


def test_nobody_changes_disables_or_resets_themselves(database: Clone) -> None:
    account = invite(database, new("甲", "administrator", STREET), scope(STREET)).account
    by = scope(STREET, account=account.id)
    with session_of(database, by) as session:
        assert service.get(session, account.id) == account, "but sees the own account"
        for attempt in (
            lambda: service.change(session, account.id, is_disabled=True),
            lambda: service.change(session, account.id, role="planner"),
            lambda: service.invite_again(session, account.id),
            lambda: service.reset_second_factor(session, account.id),
        ):
            with pytest.raises(OwnAccountError, match="another administrator"):
                attempt()


def test_a_second_invitation_ends_the_first_the_password_and_what_is_signed_in(
    database: Clone,
) -> None:
    by = scope(STREET)
    first = invite(database, new(), by)
    account = first.account
    tokens = [sign_in(database, account), start_device(database, account)]
    database.run("UPDATE gridsvc.account SET password_hash = 'x', totp_is_confirmed = true")
    with session_of(database, by) as session, session.begin():
        second = service.invite_again(session, account.id)
    assert second.code != first.code
    assert not second.account.has_password
    assert second.account.has_second_factor, "a forgotten password is no lost phone"
    assert not any(is_signed_in(database, token) for token in tokens)
    assert database.count("account", "password_hash IS NULL") == 1
    assert database.count("invitation", "expires_at > now()") == 1
    assert actions(database, account.id)[-1] == "account.reset"


def test_two_who_invite_again_at_once_leave_one_open_invitation(database: Clone) -> None:
    account = invite(database, new(), scope(STREET)).account
    start = threading.Barrier(3)

    def again(_: int) -> None:
        start.wait()
        with session_of(database, scope(STREET)) as session, session.begin():
            service.invite_again(session, account.id)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(again, range(3)))
    assert database.count("invitation") == 4
    assert database.count("invitation", "expires_at > now()") == 1


def test_a_reset_second_factor_is_gone_with_what_is_signed_in(database: Clone) -> None:
    by = scope(STREET)
    account = invite(database, new("甲", "coordinator", A), by).account
    database.run(
        "UPDATE gridsvc.account SET password_hash = 'x', totp_is_confirmed = true,"
        " totp_cipher = 'c', totp_last_step = 7"
    )
    token = sign_in(database, account)
    with session_of(database, by) as session, session.begin():
        reset = service.reset_second_factor(session, account.id)
        assert service.get(session, account.id) == reset
    assert (reset.has_second_factor, reset.has_password) == (False, True)
    unset = "totp_cipher IS NULL AND totp_last_step IS NULL AND NOT totp_is_confirmed"
    assert database.count("account", unset) == 1
    assert not is_signed_in(database, token)
    assert actions(database, account.id)[-1] == "account.reset"


def test_the_job_reaches_every_account_and_gives_any_territory(staffed: Clone) -> None:
    with staffed.job.session(Scope("job")) as session, session.begin():
        assert len(service.list_accounts(session)) == 6
        made = service.invite(session, new("甲", "administrator", OTHER_STREET, login="boss"))
        assert made.account.office_code == OTHER_STREET
        assert service.get_by_login(session, " BOSS ").id == made.account.id
        assert service.change(session, made.account.id, name="乙").name == "乙"
