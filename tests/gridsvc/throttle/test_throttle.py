"""The throttle slows down whoever tries too often, however many workers are asked."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, event, text

from gridsvc import setup
from gridsvc.db import NOBODY, Database, make_engine
from gridsvc.errors import TooManyTriesError
from gridsvc.throttle import service
from gridsvc.throttle.model import Backoff, Key, Rate, subnet_of
from tests.databases import Clone

pytestmark = pytest.mark.db

KEY, OTHER = Key("try", "甲"), Key("try", "乙")


def wait_s(database: Database, limits: Mapping[Key, Backoff | Rate]) -> int:
    """Try once, and return how long to wait; none where the try was free."""
    try:
        with database.session(NOBODY) as session, session.begin():
            service.take(session, limits)
    except TooManyTriesError as refused:
        return refused.retry_after_s
    return 0


def count(clone: Clone, key: Key = KEY) -> int | None:
    with clone.root.connect() as connection:
        statement = text("SELECT tries FROM gridsvc.throttle WHERE key_hash = :key")
        found: int | None = connection.scalar(statement, {"key": key.hashed})
    return found


def let_pass(clone: Clone, seconds: float) -> None:
    """Let time pass, by moving all that is stored into the past."""
    past = f"- make_interval(secs => {seconds})"
    clone.run(f"UPDATE gridsvc.throttle SET free_at = free_at {past}, tried_at = tried_at {past}")  # noqa: S608 - a number of the tests


# ---- backoff


def test_the_wait_doubles_from_one_second_to_its_cap(database: Clone) -> None:
    limits = {KEY: Backoff(free=3, longest_wait_s=25)}
    for _ in range(3):
        assert wait_s(database.api, limits) == 0
    for wait in (1, 2, 4, 8, 16, 25, 25, 25):
        assert wait_s(database.api, limits) == wait, "a refused try"
        assert wait_s(database.api, limits) == wait, "is not counted"
        let_pass(database, wait)
        assert wait_s(database.api, limits) == 0


def test_a_single_free_try_is_one(database: Clone) -> None:
    limits = {KEY: Backoff(free=1)}
    assert [wait_s(database.api, limits) for _ in range(2)] == [0, 1]


def test_a_thousand_tries_wait_no_longer_than_the_cap(database: Clone) -> None:
    limits = {KEY: Backoff(free=1, longest_wait_s=900)}
    wait_s(database.api, limits)
    database.run("UPDATE gridsvc.throttle SET tries = 2000000000")
    let_pass(database, 1)
    assert wait_s(database.api, limits) == 0
    assert wait_s(database.api, limits) == 900


def test_after_a_quiet_time_counting_starts_anew(database: Clone) -> None:
    limits = {KEY: Backoff(free=2, forget_after_s=3600)}
    wait_s(database.api, limits)
    let_pass(database, 3590)
    wait_s(database.api, limits)
    assert count(database) == 2
    let_pass(database, 3610)
    assert [wait_s(database.api, limits) for _ in range(3)] == [0, 0, 1]


def test_a_good_try_is_taken_back_and_a_sure_one_forgets_all(database: Clone) -> None:
    limits = {KEY: Backoff(free=2)}
    for _ in range(5):
        assert wait_s(database.api, limits) == 0, "good tries are never slowed down"
        with database.api.session(NOBODY) as session, session.begin():
            service.give_back(session, KEY)
    assert count(database) == 0
    wait_s(database.api, limits)
    with database.api.session(NOBODY) as session, session.begin():
        service.forget(session, KEY)
        service.give_back(session, OTHER)  # nothing to give back
    assert count(database) is None
    assert count(database, OTHER) is None


def test_a_good_try_does_not_free_the_bad_ones_before_it(database: Clone) -> None:
    limits = {KEY: Backoff(free=3)}
    for _ in range(3):
        wait_s(database.api, limits)
    let_pass(database, 1)
    wait_s(database.api, limits)
    with database.api.session(NOBODY) as session, session.begin():
        service.give_back(session, KEY)
    assert count(database) == 3
    assert [wait_s(database.api, limits) for _ in range(2)] == [0, 2]


# ---- rate


def test_a_rate_lets_a_burst_pass_and_then_one_after_the_other(database: Clone) -> None:
    limits = {KEY: Rate(count=4, per_s=60)}
    assert [wait_s(database.api, limits) for _ in range(6)] == [0, 0, 0, 0, 15, 15]
    let_pass(database, 15)
    assert [wait_s(database.api, limits) for _ in range(2)] == [0, 15]
    let_pass(database, 3600)
    assert [wait_s(database.api, limits) for _ in range(5)] == [0, 0, 0, 0, 15], (
        "no credit is saved"
    )


def test_a_rate_of_one_is_one_at_a_time(database: Clone) -> None:
    limits = {KEY: Rate(count=1, per_s=10)}
    assert [wait_s(database.api, limits) for _ in range(2)] == [0, 10]


# ---- keys


def test_keys_are_counted_apart_and_the_busiest_decides(database: Clone) -> None:
    narrow, wide = Backoff(free=1), Rate(count=3, per_s=60)
    assert wait_s(database.api, {OTHER: wide, KEY: narrow}) == 0
    assert wait_s(database.api, {OTHER: wide, KEY: narrow}) == 1
    assert count(database, OTHER) == 1, "a refused try is counted under no key"
    assert wait_s(database.api, {OTHER: wide}) == 0


def test_nobody_can_read_from_the_table_whose_tries_they_were(database: Clone) -> None:
    wait_s(database.api, {Key("login", "zhang.san"): Backoff(free=1)})
    with database.root.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM gridsvc.throttle").all())
    assert "zhang" not in rows
    assert b"zhang".hex() not in rows


def test_one_home_and_one_office_are_one_visitor_each() -> None:
    assert subnet_of("2001:db8:7:1::1") == subnet_of("2001:db8:7:1:ffff::2")
    assert subnet_of("2001:db8:7:1::1") != subnet_of("2001:db8:7:2::1")
    assert subnet_of("198.51.100.1") == subnet_of("::ffff:198.51.100.200")


# ---- many at once


@pytest.fixture
def workers(database: Clone) -> tuple[Database, Database]:
    """Two workers: engines of their own, as in two processes."""
    url = database.url(setup.API)
    return (
        Database(make_engine(url, pool_size=10)),
        Database(make_engine(url, pool_size=10)),
    )


def holding(engine: Engine, barrier: Barrier) -> None:
    """Let no thread write before all have looked and found the key free."""

    def wait(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO gridsvc.throttle"):
            barrier.wait(timeout=30)

    event.listen(engine, "before_cursor_execute", wait)


def test_of_fifty_at_once_exactly_the_free_ones_pass(
    workers: tuple[Database, Database],
) -> None:
    limits = {KEY: Rate(count=7, per_s=3600)}
    with ThreadPoolExecutor(50) as threads:
        waits = list(threads.map(lambda n: wait_s(workers[n % 2], limits), range(50)))
    assert waits.count(0) == 7
    assert all(500 < wait <= 515 for wait in waits if wait)
    for worker in workers:
        worker.engine.dispose()


def test_twenty_that_found_the_key_free_at_the_same_moment_are_still_counted(
    workers: tuple[Database, Database], database: Clone
) -> None:
    limits = {KEY: Backoff(free=5)}
    barrier = Barrier(20)
    for worker in workers:
        holding(worker.engine, barrier)
    with ThreadPoolExecutor(20) as threads:
        waits = list(threads.map(lambda n: wait_s(workers[n % 2], limits), range(20)))
    assert waits.count(0) == 5
    assert {wait for wait in waits if wait} == {1}
    assert count(database) == 5
    for worker in workers:
        worker.engine.dispose()


def test_two_workers_share_one_count(workers: tuple[Database, Database]) -> None:
    limits = {KEY: Backoff(free=4)}
    assert [wait_s(workers[n % 2], limits) for n in range(5)] == [0, 0, 0, 0, 1]
    for worker in workers:
        worker.engine.dispose()
