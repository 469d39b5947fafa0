"""Counting tries, and refusing those that come too fast.

A try is counted before its outcome is known, so that a hundred at once cannot pass while the first
one is still being checked. The caller commits at once, in a transaction of its own.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from gridsvc.errors import TooManyTriesError
from gridsvc.throttle import store
from gridsvc.throttle.model import Backoff, Key, Rate


def take(session: Session, limits: Mapping[Key, Backoff | Rate]) -> None:
    """Count one try under each key.

    Parameters
    ----------
    limits
        In an order that is the same everywhere, the narrowest key last: rows stay locked until
        the caller commits.

    Raises
    ------
    TooManyTriesError
        One of the keys is not free yet; those before it have been counted.
    """
    for key, limit in limits.items():
        if not _is_free(session, key, limit) or not _take(session, key, limit):
            raise TooManyTriesError(_wait_s(session, key, limit))


def _is_free(session: Session, key: Key, limit: Backoff | Rate) -> bool:
    """Look without a lock first: a flood of refused tries must not queue for the row."""
    return _wait_s(session, key, limit) <= 0


def _wait_s(session: Session, key: Key, limit: Backoff | Rate) -> float:
    found = store.find_free_at(session, key)
    if found is None:
        return 0.0
    free_at, now = found
    if isinstance(limit, Rate):
        free_at -= timedelta(seconds=limit.per_s - limit.per_s / limit.count)
    return (free_at - now).total_seconds()


def _take(session: Session, key: Key, limit: Backoff | Rate) -> bool:
    if isinstance(limit, Backoff):
        return store.take_backoff(session, key, limit)
    return store.take_rate(session, key, limit)


def give_back(session: Session, *keys: Key) -> None:
    """Take one try off each key: it turned out well.

    The next one may come at once; under a `Rate`, that is all of them anew.
    """
    for key in keys:
        store.give_back(session, key)


def forget(session: Session, *keys: Key) -> None:
    """Count each key anew."""
    for key in keys:
        store.forget(session, key)
