"""Passwords are hashed slowly, few at a time, and weak ones are refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import pytest

from gridsvc.access import passwords
from gridsvc.errors import BusyError, WeakPasswordError

GOOD = "梧桐树下的第三张石凳"


def strong(password: str) -> None:
    passwords.require_strong(password, login="zhang.san", name="张三丰")


def test_a_hash_fits_its_password_only_and_never_twice_alike() -> None:
    one, two = passwords.hash_password(GOOD), passwords.hash_password(GOOD)
    assert one != two
    assert passwords.is_right(GOOD, one)
    assert passwords.is_right(GOOD, two)
    assert not passwords.is_right(GOOD + " ", one)
    assert GOOD not in one


def test_the_hash_says_what_it_costs() -> None:
    assert passwords.hash_password(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nobodys_password_is_never_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not passwords.is_right("nobody has this password", None)
    checked: list[str] = []
    verify = passwords._hasher.verify

    def counting(password: str, password_hash: str) -> bool:
        checked.append(password_hash)
        return verify(password, password_hash)

    monkeypatch.setattr(passwords._hasher, "verify", counting)
    own = passwords.hash_password(GOOD)
    passwords.is_right("wrong", own)
    passwords.is_right("wrong", None)
    assert len(checked) == 2, "as many hashes for an unknown login as for a known one"
    assert [one.rpartition("$")[0].rpartition("$")[0] for one in checked] == [
        "$argon2id$v=19$m=19456,t=2,p=1"
    ] * 2, "of the same cost"


@pytest.mark.parametrize(
    "password",
    [
        *("short", "123456789", "九个字的密码还不够"),
        *("aaaaaaaaaaaaaaa", "ababababababab", "1111122222"),
        *("0123456789", "9876543210", "abcdefghijkl"),
        *("password123", "Passw0rd2026", "qwerty12345", "1Q2W3E4R5T6"),
        *("zhang.san-2026", "我是张三丰啊我是张三丰啊", "ZHANG.SAN.zhang.san"),
        "x1" * 101,
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str) -> None:
    with pytest.raises(WeakPasswordError, match="Choose another password: it ") as refused:
        strong(password)
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [GOOD, "correct horse battery", "a7-Kx!9pQ2", "unpasswordlike-but-long", "岭南天地 lingnan"],
)
def test_length_counts_and_composition_does_not(password: str) -> None:
    strong(password)


# ---- few at a time


def places() -> int:
    """Return how many more could come in."""
    return passwords._queue._value


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Semaphore]]:
    """Keep each hash waiting for the first; count the second up for each that has begun."""
    opened, begun = Event(), Semaphore(0)
    verify = passwords._hasher.verify

    def waiting(password: str, password_hash: str) -> bool:
        begun.release()
        assert opened.wait(timeout=30)
        return verify(password, password_hash)

    monkeypatch.setattr(passwords._hasher, "verify", waiting)
    monkeypatch.setattr(passwords, "_LONGEST_WAIT_S", 20.0)
    yield opened, begun
    opened.set()


def test_two_are_hashed_at_once_eight_wait_and_the_eleventh_is_turned_away(
    gate: tuple[Event, Semaphore],
) -> None:
    opened, begun = gate
    own = passwords.hash_password(GOOD)
    with ThreadPoolExecutor(10) as threads:
        results = [threads.submit(passwords.is_right, GOOD, own) for _ in range(10)]
        for _ in range(2):
            assert begun.acquire(timeout=20)
        while places():
            pass
        with pytest.raises(BusyError):
            passwords.is_right(GOOD, own)
        with pytest.raises(BusyError):
            passwords.hash_password(GOOD)
        assert not begun.acquire(blocking=False), "two at a time"
        opened.set()
        assert all(result.result(timeout=30) for result in results)
    assert passwords.is_right(GOOD, own)
    assert places() == 10, "every place was given back"


def test_whoever_waits_too_long_is_turned_away_and_gives_the_place_back(
    gate: tuple[Event, Semaphore], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, begun = gate
    own = passwords.hash_password(GOOD)
    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(passwords.is_right, GOOD, own) for _ in range(2)]
        for _ in range(2):
            assert begun.acquire(timeout=20)
        monkeypatch.setattr(passwords, "_LONGEST_WAIT_S", 0.05)
        with pytest.raises(BusyError):
            passwords.is_right(GOOD, own)
        assert places() == 8
        opened.set()
        assert all(result.result(timeout=30) for result in results)
    assert places() == 10


def test_a_hash_that_fails_gives_its_slot_back() -> None:
    for _ in range(12):
        with pytest.raises(Exception, match="hash"):
            passwords.is_right(GOOD, "no hash at all")
    assert places() == 10
