"""Errands: run once what they stand for is committed, again when they ask, beside long work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gridsvc.db import Database, new_id
from gridsvc.jobs import errands, running
from gridsvc.jobs.errands import Errands
from gridsvc.jobs.model import DONE
from gridsvc.jobs.running import TryAgainError, Workplace
from gridsvc.jobs.worker import Worker
from tests import town
from tests.databases import Clone
from tests.gridsvc.jobs.kinds import COUNT, KINDS
from tests.gridsvc.jobs.test_running import ask, cancel, scope
from tests.gridsvc.jobs.test_worker import ended, left_in_queue, wait_for

pytestmark = pytest.mark.db
A = town.EAST_SHORE


class Book:
    """What was run, and what to do about it."""

    def __init__(self) -> None:
        self.run: list[tuple[int, UUID]] = []
        self.failures: list[Exception] = []

    def note(self, database: Database, community_code: int, row_id: UUID) -> None:
        assert str(database.engine.url).startswith("postgresql")
        self.run.append((community_code, row_id))
        if self.failures:
            raise self.failures.pop(0)


@contextmanager
def working(clone: Clone, known: Errands, *, at_once: int = 1) -> Iterator[None]:
    place = Workplace(clone.api, clone.job, KINDS, known)
    worker = Worker(place, at_once=at_once, stalled_s=60)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def put(clone: Clone, *, is_kept: bool = True, at: datetime | None = None) -> UUID:
    row_id = new_id()
    with clone.api.session(scope(A, role="resident")) as session, session.begin():
        errands.put(session, "test.note", community_code=A, row_id=row_id, at=at)
        if not is_kept:
            session.rollback()
    return row_id


def test_an_errand_is_run_once_committed_and_nothing_is_left_of_it(office: Clone) -> None:
    book = Book()
    put(office, is_kept=False)
    row_id = put(office)
    with working(office, {"test.note": book.note}):
        wait_for(lambda: len(book.run) == 1)
        other = put(office)
        wait_for(lambda: len(book.run) == 2)
        wait_for(lambda: left_in_queue(office) == 0)
    assert book.run == [(A, row_id), (A, other)]


def test_an_errand_is_run_again_when_it_asks_and_not_before_it_may(office: Clone) -> None:
    book = Book()
    book.failures = [TryAgainError(0), TryAgainError(0)]
    with working(office, {"test.note": book.note}):
        put(office)
        wait_for(lambda: len(book.run) == 3)
        wait_for(lambda: left_in_queue(office) == 0)
        put(office, at=datetime.now(UTC) + timedelta(hours=1))
        soon = put(office)
        wait_for(lambda: len(book.run) == 4)
    assert book.run[-1] == (A, soon)
    assert left_in_queue(office) == 1
    office.run("SET LOCAL search_path TO procrastinate", "DELETE FROM procrastinate_jobs")


def test_an_errand_does_not_wait_for_long_work(office: Clone) -> None:
    book = Book()
    with working(office, {"test.note": book.note}):
        long = ask(office, COUNT, upto=5000, wait_s=0.01)
        row_id = put(office)
        wait_for(lambda: book.run == [(A, row_id)])
        cancel(office, long)
        assert ended(office, long).status != DONE


def test_a_fault_of_ours_or_an_unknown_errand_is_kept_for_later(
    office: Clone, caplog: pytest.LogCaptureFixture
) -> None:
    book = Book()
    place = Workplace(office.api, office.job, {}, {"test.note": book.note})
    book.failures = [ValueError("王小明")]
    for name in ("test.note", "test.unknown"):
        with pytest.raises(TryAgainError) as again:
            running.run_errand(place, name, A, new_id())
        assert again.value.after_s == 600
    assert [record.message for record in caplog.records] == [
        "unexpected error in an errand",
        "an errand that this worker does not know",
    ]
