"""How a job says how far it is, and hears that it should stop, without writing all the time."""

import time
from collections.abc import Callable

from gridsvc.db import Database, Interval, Scope
from gridsvc.jobs import store
from gridsvc.jobs.model import Job, Standing, Step

EVERY_S = 1.0


class Reporter:
    """Progress of one job, written once a second at most, each time in a transaction of its own.

    Parameters
    ----------
    database
        Of the job role: the work's own transaction must not see or hold the row.
    is_stopping
        Whether the worker is to stop.
    clock
        Seconds, never going back.

    Attributes
    ----------
    last
        How far the job is, written or not.
    was_stopped_by_worker
        Whether the work was told to stop because the worker does: what it has is not its answer.
    """

    def __init__(
        self,
        database: Database,
        job: Job,
        *,
        is_stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._job = job
        self._is_stopping = is_stopping
        self._clock = clock
        self._next_look_s = self._next_write_s = clock()
        self._is_written = True
        self._standing = Standing(is_own=True, is_cancelling=False)
        self.last: Step | None = None
        self.was_stopped_by_worker = False

    def progress(self, stage: str, done: int, total: int) -> None:
        """Note how far the job is; what comes too soon is written with the next look."""
        self.last = Step(stage, done, total)
        self._is_written = False
        if self._clock() >= self._next_write_s:
            self._write(self.last)

    def go_on(self) -> bool:
        """Return whether to go on: not cancelled, not taken over, the worker not stopping."""
        if self._clock() >= self._next_look_s:
            self._look()
        if self._is_stopping():
            self.was_stopped_by_worker = True
        return not (
            self.was_stopped_by_worker or self._standing.is_cancelling or not self._standing.is_own
        )

    def _look(self) -> None:
        """Look what became of the job; what was not written yet is."""
        if self.last is not None and not self._is_written:
            self._write(self.last)
            return
        with self._database.session(scope_of_job(self._job)) as session, session.begin():
            self._standing = store.look(session, self._job)
        self._next_look_s = self._clock() + EVERY_S

    def _write(self, step: Step) -> None:
        with self._database.session(scope_of_job(self._job)) as session, session.begin():
            self._standing = store.report(session, self._job, step)
        self._is_written = True
        self._next_look_s = self._next_write_s = self._clock() + EVERY_S


def scope_of_job(job: Job) -> Scope:
    """Return the scope in which the worker keeps the books of a job."""
    return Scope("job", (Interval.of(job.community_code),))
