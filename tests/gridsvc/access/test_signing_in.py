"""Signing in by password and authenticator: what is counted, when, and what is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Event

import pyotp
import pytest

from gridsvc.access import passwords, second_factor, service, signing_in, store
from gridsvc.access.model import Started
from gridsvc.access.signing_in import Caller
from gridsvc.db import NOBODY, Database
from gridsvc.errors import (
    GridsvcError,
    NotSignedInError,
    SecondFactorNotSetError,
    SecondFactorRequiredError,
    TooManyTriesError,
    WrongCredentialsError,
)
from tests import town
from tests.databases import Clone
from tests.gridsvc.access.enrolled import PASSWORD, Enrolled, enrol, forget_steps

pytestmark = pytest.mark.db

A = town.EAST_SHORE
HOME, ELSEWHERE = Caller("203.0.113.7", "Firefox, Android"), Caller("198.51.100.7", None)


def sign_in(
    database: Database, login: str, password: str = PASSWORD, caller: Caller = HOME
) -> Started:
    return signing_in.sign_in(database, login=login, password=password, caller=caller)


def authenticate(database: Database, token: str) -> str:
    with database.session(NOBODY) as session, session.begin():
        return service.authenticate(session, token).role


def confirm(database: Database, started: Started, code: str) -> Started:
    return signing_in.confirm(
        database, token=started.token, one_time_code=code, caller=HOME, vault=town.VAULT
    )


def check_all(database: Database, enrolled: Enrolled, code: str | None) -> object:
    return signing_in.check_all(
        database,
        login=enrolled.login,
        password=PASSWORD,
        one_time_code=code,
        caller=HOME,
        vault=town.VAULT,
    )


def outcome(act: Callable[[], object]) -> str:
    """Return the code of the error that comes of it; ``good`` where none does."""
    try:
        act()
    except GridsvcError as error:
        return error.code
    return "good"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every password that is held against a hash."""
    passwords._nobodys_hash()
    held: list[str] = []
    verify = passwords._hasher.verify

    def noting(password: str, password_hash: str) -> bool:
        held.append(password)
        return verify(password, password_hash)

    monkeypatch.setattr(passwords._hasher, "verify", noting)
    return held


# ---- the password


@pytest.mark.parametrize("spelling", [str, str.upper, " {} ".format])
def test_a_password_signs_in_however_the_login_is_spelled(
    database: Clone, spelling: Callable[[str], str]
) -> None:
    patrol = enrol(database, "patrol", A)
    started = sign_in(database.api, spelling(patrol.login))
    assert (started.stage, authenticate(database.api, started.token)) == ("full", "patrol")
    assert timedelta(hours=11) < started.expires_at - datetime.now(UTC) < timedelta(hours=13)
    assert database.count("audit_event", "action = 'sign-in.start'") == 1
    assert database.count("sign_in", "client = 'Firefox, Android'") == 1


def test_unknown_disabled_invited_and_wrong_are_one_answer_after_one_hash(
    database: Clone, hashes: list[str]
) -> None:
    known, disabled, invited = (enrol(database, "patrol", A) for _ in range(3))
    database.run(
        f"UPDATE gridsvc.account SET is_disabled = true WHERE id = '{disabled.id}'",  # noqa: S608
        f"UPDATE gridsvc.account SET password_hash = NULL WHERE id = '{invited.id}'",  # noqa: S608
    )
    tries = {
        "wrong": (known.login, "not the password"),
        "disabled": (disabled.login, PASSWORD),
        "invited": (invited.login, PASSWORD),
        "unknown": ("nobody", PASSWORD),
        "impossible": ("nobody\x00", PASSWORD),
        "injected": ("' OR 1=1 --", PASSWORD),
    }
    for login, password in tries.values():
        with pytest.raises(WrongCredentialsError) as refused:
            sign_in(database.api, login, password)
        assert str(refused.value) == str(WrongCredentialsError())
    assert hashes == [password for _, password in tries.values()], "one hash each"
    assert database.count("sign_in") == 0


def test_a_throttled_try_is_refused_before_any_hash(database: Clone, hashes: list[str]) -> None:
    patrol = enrol(database, "patrol", A)
    for _ in range(5):
        assert outcome(lambda: sign_in(database.api, patrol.login, "wrong")) == "wrong-credentials"
    hashes.clear()
    with pytest.raises(TooManyTriesError, match="wait 1 s"):
        sign_in(database.api, patrol.login)
    assert hashes == []


def test_one_subnet_is_slowed_down_and_another_is_not(database: Clone) -> None:
    patrol, other = enrol(database, "patrol", A), enrol(database, "patrol", A)
    for _ in range(5):
        outcome(lambda: sign_in(database.api, patrol.login, "wrong"))
    neighbour = Caller("203.0.113.200", None)
    assert outcome(lambda: sign_in(database.api, patrol.login, caller=neighbour)) == (
        "too-many-tries"
    )
    assert sign_in(database.api, patrol.login, caller=ELSEWHERE).stage == "full"
    assert sign_in(database.api, other.login).stage == "full", "another login, five tries are left"
    for number in range(5):
        outcome(partial(sign_in, database.api, f"guess-{number}"))
    assert outcome(lambda: sign_in(database.api, other.login)) == "too-many-tries"
    assert sign_in(database.api, other.login, caller=ELSEWHERE).stage == "full"


def test_a_login_is_guessed_sixty_times_an_hour_from_all_the_world(
    database: Clone, hashes: list[str]
) -> None:
    patrol = enrol(database, "patrol", A)
    for number in range(60):
        caller = Caller(f"10.0.{number}.1", None)
        outcome(partial(sign_in, database.api, patrol.login, "wrong", caller))
    assert len(hashes) == 60
    with pytest.raises(TooManyTriesError) as refused:
        sign_in(database.api, patrol.login, "wrong", Caller("10.1.0.1", None))
    assert 30 < refused.value.retry_after_s <= 60


def test_people_of_one_office_who_all_sign_in_are_not_slowed_down(database: Clone) -> None:
    patrol = enrol(database, "patrol", A)
    assert {sign_in(database.api, patrol.login).stage for _ in range(25)} == {"full"}


def test_a_password_changed_while_it_is_checked_starts_nothing(
    database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    patrol = enrol(database, "patrol", A)
    checked, changed = Event(), Event()
    is_right = passwords.is_right

    def slow(password: str, password_hash: str | None) -> bool:
        fits = is_right(password, password_hash)
        checked.set()
        assert changed.wait(timeout=30)
        return fits

    monkeypatch.setattr(passwords, "is_right", slow)
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(outcome, lambda: sign_in(database.api, patrol.login))
        assert checked.wait(timeout=30)
        database.run("UPDATE gridsvc.account SET password_hash = 'another'")
        changed.set()
        assert result.result(timeout=30) == "wrong-credentials"
    assert database.count("sign_in") == 0


# ---- the second factor


@pytest.mark.parametrize("role", ["coordinator", "administrator"])
def test_staff_is_in_only_after_the_code_and_with_another_token(database: Clone, role: str) -> None:
    staff = enrol(database, role, A)
    pending = sign_in(database.api, staff.login)
    assert (pending.stage, pending.has_second_factor) == ("second_factor", True)
    with pytest.raises(NotSignedInError):
        authenticate(database.api, pending.token)
    assert database.count("audit_event") == 0, "not in yet"
    started = confirm(database.api, pending, staff.code())
    assert started.token != pending.token
    assert authenticate(database.api, started.token) == role
    with pytest.raises(NotSignedInError):
        confirm(database.api, pending, staff.code())
    assert database.count("audit_event", "action = 'sign-in.start'") == 1


def test_ten_minutes_after_the_password_the_code_is_too_late(database: Clone) -> None:
    staff = enrol(database, "coordinator", A)
    pending = sign_in(database.api, staff.login)
    left = pending.expires_at - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    database.run("UPDATE gridsvc.sign_in SET expires_at = now() - interval '1 second'")
    with pytest.raises(NotSignedInError):
        confirm(database.api, pending, staff.code())


def test_a_full_token_waits_for_no_code(database: Clone) -> None:
    started = sign_in(database.api, enrol(database, "patrol", A).login)
    with pytest.raises(NotSignedInError):
        confirm(database.api, started, "123456")
    with pytest.raises(NotSignedInError):
        signing_in.offer_secret(database.api, token=started.token, vault=town.VAULT)


def test_the_first_code_confirms_the_authenticator_that_was_offered(database: Clone) -> None:
    staff = enrol(database, "coordinator", A, is_confirmed=False)
    pending = sign_in(database.api, staff.login)
    assert not pending.has_second_factor
    assert outcome(lambda: confirm(database.api, pending, "123456")) == "wrong-credentials"
    secret, address = signing_in.offer_secret(database.api, token=pending.token, vault=town.VAULT)
    again = signing_in.offer_secret(database.api, token=pending.token, vault=town.VAULT)
    assert again == (secret, address), "the QR code may be loaded twice"
    assert secret in address
    assert not any(
        secret.encode() in bytes(cipher)
        for cipher in _column(database, "totp_cipher")
        if cipher is not None
    )
    confirm(database.api, pending, pyotp.TOTP(secret).now())
    assert database.count("account", "totp_is_confirmed") == 1
    assert database.count("audit_event", "action = 'second-factor.set'") == 1
    later = sign_in(database.api, staff.login)
    assert later.has_second_factor
    with pytest.raises(NotSignedInError):
        signing_in.offer_secret(database.api, token=later.token, vault=town.VAULT)


def _column(clone: Clone, name: str) -> list[bytes | None]:
    with clone.root.connect() as connection:
        statement = f"SELECT {name} FROM gridsvc.account"  # noqa: S608
        return list(connection.exec_driver_sql(statement).scalars())


def test_two_pages_that_ask_at_once_show_one_secret(
    database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = enrol(database, "coordinator", A, is_confirmed=False)
    pending = sign_in(database.api, staff.login)
    barrier = Barrier(3)
    new_secret = second_factor.new_secret

    def together() -> str:
        barrier.wait(timeout=30)
        return new_secret()

    def offer(_: int) -> str:
        return signing_in.offer_secret(database.api, token=pending.token, vault=town.VAULT)[0]

    monkeypatch.setattr(second_factor, "new_secret", together)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(offer, range(3)))) == 1


def test_a_program_sends_everything_at_once(database: Clone) -> None:
    staff, patrol = enrol(database, "coordinator", A), enrol(database, "patrol", A)
    unset = enrol(database, "coordinator", A, is_confirmed=False)
    with pytest.raises(SecondFactorRequiredError):
        check_all(database.api, staff, None)
    with pytest.raises(SecondFactorNotSetError):
        check_all(database.api, unset, "123456")
    assert outcome(lambda: check_all(database.api, staff, "000000")) == "wrong-credentials"
    assert outcome(lambda: check_all(database.api, staff, staff.code())) == "good"
    assert outcome(lambda: check_all(database.api, patrol, None)) == "good"


def test_a_code_is_good_once_for_browser_and_program_together(database: Clone) -> None:
    staff = enrol(database, "coordinator", A)
    pending = sign_in(database.api, staff.login)
    code = staff.code()
    confirm(database.api, pending, code)
    assert outcome(lambda: check_all(database.api, staff, code)) == "wrong-credentials"
    second = sign_in(database.api, staff.login)
    assert outcome(lambda: confirm(database.api, second, code)) == "wrong-credentials"


def test_of_ten_at_once_with_one_code_one_gets_in(
    database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = enrol(database, "coordinator", A)
    pending = [sign_in(database.api, staff.login) for _ in range(5)]
    code, barrier = staff.code(), Barrier(5)
    find_step = second_factor.find_step

    def together(*args: object, **kwargs: object) -> int | None:
        step = find_step(*args, **kwargs)  # type: ignore[arg-type]
        barrier.wait(timeout=30)
        return step

    monkeypatch.setattr(second_factor, "find_step", together)
    with ThreadPoolExecutor(5) as threads:
        outcomes = list(
            threads.map(lambda one: outcome(lambda: confirm(database.api, one, code)), pending)
        )
    assert sorted(outcomes) == ["good"] + ["wrong-credentials"] * 4
    assert database.count("sign_in", "stage = 'full'") == 1


def test_codes_are_guessed_five_times_then_slower_and_a_good_one_forgives(
    database: Clone,
) -> None:
    staff = enrol(database, "coordinator", A)
    pending = sign_in(database.api, staff.login)
    wrong = "000000" if staff.code() != "000000" else "000001"
    for _ in range(5):
        assert outcome(lambda: confirm(database.api, pending, wrong)) == "wrong-credentials"
    assert outcome(lambda: confirm(database.api, pending, staff.code())) == "too-many-tries"
    fresh = sign_in(database.api, staff.login, caller=ELSEWHERE)
    assert outcome(lambda: confirm(database.api, fresh, staff.code())) == "too-many-tries", (
        "the account counts, not the subnet"
    )
    database.run("UPDATE gridsvc.throttle SET free_at = free_at - interval '2 seconds'")
    confirm(database.api, pending, staff.code())
    forget_steps(database)
    again = sign_in(database.api, staff.login)
    for _ in range(4):
        outcome(lambda: confirm(database.api, again, wrong))
    assert outcome(lambda: confirm(database.api, again, staff.code())) == "good"


def test_an_authenticator_reset_while_its_code_is_checked_is_not_confirmed(
    database: Clone,
) -> None:
    staff = enrol(database, "coordinator", A)
    database.run("UPDATE gridsvc.account SET totp_cipher = NULL, totp_is_confirmed = false")
    with database.api.session(NOBODY) as session, session.begin():
        assert not store.use_step(session, staff.id, 1)
    assert database.count("account", "totp_is_confirmed") == 0


def test_nothing_of_password_code_or_token_is_stored_as_it_is(database: Clone) -> None:
    staff = enrol(database, "coordinator", A)
    pending = sign_in(database.api, staff.login)
    started = confirm(database.api, pending, staff.code())
    secrets = (PASSWORD, staff.secret or "", pending.token, started.token)
    with database.root.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gridsvc'"
            " AND table_type = 'BASE TABLE'"
        )
        for table in list(tables.scalars()):
            rows = str(connection.exec_driver_sql(f"SELECT * FROM gridsvc.{table}").all())  # noqa: S608
            for secret in secrets:
                assert secret not in rows
                assert secret.encode().hex() not in rows
                assert repr(secret.encode())[2:-1] not in rows
