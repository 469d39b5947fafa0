"""The counters, each moved on by one atomic statement."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.throttle.model import Backoff, Key, Rate
from gridsvc.throttle.tables import ThrottleRow

# The clock, not the transaction's start: waiting for the row may have taken a while.
_NOW = func.clock_timestamp()
_HIGHEST_POWER = 20  # of two; beyond, every wait is the longest


def take_backoff(session: Session, key: Key, backoff: Backoff) -> bool:
    """Count a try; false where it comes too early, which is not counted."""
    is_forgotten = ThrottleRow.tried_at < _NOW - timedelta(seconds=backoff.forget_after_s)
    tries = case((is_forgotten, 1), else_=ThrottleRow.tries + 1)
    return _take(
        session,
        key,
        first={"tries": 1, "free_at": _NOW + _wait(literal(1), backoff)},
        then={"tries": tries, "free_at": _NOW + _wait(tries, backoff)},
        is_free=ThrottleRow.free_at <= _NOW,
    )


def _wait(tries: ColumnElement[int], backoff: Backoff) -> ColumnElement[timedelta]:
    power = func.least(tries - backoff.free, _HIGHEST_POWER)
    seconds = case((tries < backoff.free, 0), else_=func.power(2, power))
    return func.make_interval(0, 0, 0, 0, 0, 0, func.least(seconds, backoff.longest_wait_s))


def take_rate(session: Session, key: Key, rate: Rate) -> bool:
    """Count a try; false where there were too many of late, which is not counted."""
    apart = timedelta(seconds=rate.per_s / rate.count)
    burst = timedelta(seconds=rate.per_s) - apart
    return _take(
        session,
        key,
        first={"tries": 1, "free_at": _NOW + apart},
        then={
            "tries": ThrottleRow.tries + 1,
            "free_at": func.greatest(ThrottleRow.free_at, _NOW) + apart,
        },
        is_free=ThrottleRow.free_at <= _NOW + burst,
    )


def _take(
    session: Session,
    key: Key,
    *,
    first: dict[str, Any],
    then: dict[str, Any],
    is_free: ColumnElement[bool],
) -> bool:
    statement = (
        insert(ThrottleRow)
        .values(key_hash=key.hashed, tried_at=_NOW, **first)
        .on_conflict_do_update(
            index_elements=[ThrottleRow.key_hash], set_={"tried_at": _NOW, **then}, where=is_free
        )
        .returning(ThrottleRow.tries)
    )
    return session.scalar(statement) is not None


def find_free_at(session: Session, key: Key) -> tuple[datetime, datetime] | None:
    """Return when a key is free again, and the database's time now."""
    row = session.execute(
        select(ThrottleRow.free_at, _NOW).where(ThrottleRow.key_hash == key.hashed)
    ).one_or_none()
    return row and (row[0], row[1])


def give_back(session: Session, key: Key) -> None:
    """Take one try off a key, and let the next one come at once: it was a good one."""
    session.execute(
        update(ThrottleRow)
        .where(ThrottleRow.key_hash == key.hashed)
        .values(tries=func.greatest(ThrottleRow.tries - 1, 0), free_at=_NOW)
    )


def forget(session: Session, key: Key) -> None:
    """Count a key anew."""
    session.execute(delete(ThrottleRow).where(ThrottleRow.key_hash == key.hashed))
