"""Passwords: slow to hash, so few at a time.

References
----------
.. [1] OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 iterations, 1 lane at least.
.. [2] NIST SP 800-63B-4, section 3.1.1: length over composition, and a list of those too common.
"""

from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gridsvc.errors import BusyError, WeakPasswordError

SHORTEST, LONGEST = 10, 200
_LONGEST_WAIT_S = 2.0
_AT_ONCE, _WAITING = 2, 8
_FEWEST_DIFFERENT = 5
_COMMON = ("password", "passw0rd", "qwerty", "1q2w3e4r", "asdfgh", "abc123", "iloveyou", "admin")
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz")

# 19 MiB, 2 rounds, 1 lane: 22 ms of one core, where the library's default takes 189 ms.
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))

_slots = BoundedSemaphore(_AT_ONCE)
_queue = BoundedSemaphore(_AT_ONCE + _WAITING)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that `require_strong` let pass.

    Raises
    ------
    BusyError
        Too many are being hashed already.
    """
    with _Slot():
        return _hasher.hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Tell whether a password fits its hash; without a hash it never does, after the same time.

    Raises
    ------
    BusyError
        Too many are being hashed already.
    """
    with _Slot():
        is_same = _hasher.verify(password, password_hash or _nobodys_hash())
    return is_same and password_hash is not None


@cache
def _nobodys_hash() -> str:
    """Return what the password of an unknown login is held against: it takes the same time."""
    return _hasher.hash("nobody has this password")


def require_strong(password: str, *, login: str, name: str) -> None:
    """Refuse a password that is quickly guessed.

    Raises
    ------
    WeakPasswordError
        It is too short, too long, a common one, or made from the login or name.
    """
    folded = password.casefold()
    if len(password) < SHORTEST:
        raise WeakPasswordError(f"it must have {SHORTEST} characters at least")
    if len(password) > LONGEST:
        raise WeakPasswordError(f"it may have {LONGEST} characters at most")
    if len(set(folded)) < _FEWEST_DIFFERENT:
        raise WeakPasswordError("it repeats a few characters")
    if any(part in run for run in _RUNS for part in (folded, folded[::-1])):
        raise WeakPasswordError("it is a run of neighbours")
    if any(word in folded and len(folded) < len(word) + 6 for word in _COMMON):
        raise WeakPasswordError("it is one of those tried first")
    for own in (login, name):
        if own and own.casefold() in folded:
            raise WeakPasswordError("it holds your login or name")


class _Slot:
    """One of the few hashes at a time; whoever would wait too long is turned away at once."""

    def __enter__(self) -> None:
        if not _queue.acquire(blocking=False):
            raise BusyError
        if not _slots.acquire(timeout=_LONGEST_WAIT_S):
            _queue.release()
            raise BusyError

    def __exit__(self, *_: object) -> None:
        _slots.release()
        _queue.release()
