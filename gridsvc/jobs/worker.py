"""The worker: takes jobs from the library's queue and runs them, at most so many at once."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as QueueJob
from psycopg import Error as DriverError

from gridsvc.jobs import errands, running
from gridsvc.jobs.kinds import Round
from gridsvc.jobs.queue import QUEUE, TASK
from gridsvc.jobs.running import TryAgainError, Workplace

ERRANDS_AT_ONCE = 4
"""Short work never waits for long work: it has places of its own."""
_LONGEST_WAIT_S = 30

log = logging.getLogger(__name__)


class _AsTold(BaseRetryStrategy):
    """Begin a job again exactly if it asks for that."""

    def get_retry_decision(
        self, *, exception: BaseException, job: QueueJob
    ) -> RetryDecision | None:
        del job
        if not isinstance(exception, TryAgainError):
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=exception.after_s))


class Worker:
    """Works until it is told to stop.

    Parameters
    ----------
    at_once
        How many jobs run at the same time, each in a thread.
    stalled_s
        A worker that has not been heard of for so long is taken for dead, and its jobs are begun
        again. It must be longer than what keeps all threads of a process from running.
    """

    def __init__(self, place: Workplace, *, at_once: int, stalled_s: float) -> None:
        self._place = place
        self._at_once = at_once
        self._stalled_s = stalled_s
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    def run(self) -> None:
        """Work until `stop`; a database that goes away is waited for."""
        with asyncio.Runner() as runner:
            runner.run(self._run())

    def stop(self) -> None:
        """Stop soon, from any thread: jobs that run are told so, and begun again by another."""
        self._stopping.set()
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None:
            with suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(stopped.set)

    async def _run(self) -> None:
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        threads = self._at_once + ERRANDS_AT_ONCE
        self._loop.set_default_executor(ThreadPoolExecutor(threads, "job"))
        wait_s = 1
        while not self._stopping.is_set():
            try:
                await self._work()
                wait_s = 1
            except (ConnectorException, DriverError) as error:
                log.warning("the worker has lost the database", exc_info=error)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait_s)

    async def _work(self) -> None:
        """Work until told to stop, or until the database goes away."""
        assert self._stopped is not None  # noqa: S101  (made just before)
        app = self._make_app()
        async with app.open_async():
            tasks = [
                asyncio.create_task(self._serve(app, QUEUE, self._at_once)),
                asyncio.create_task(self._serve(app, errands.QUEUE, ERRANDS_AT_ONCE)),
                asyncio.create_task(self._rescue(app)),
                asyncio.create_task(self._stopped.wait()),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in found:
            if isinstance(outcome, Exception):
                raise outcome

    async def _serve(self, app: App, queue: str, at_once: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="always",  # what became of them is a fact of ours
            update_heartbeat_interval=self._stalled_s / 4,
            stalled_worker_timeout=self._stalled_s,
        )

    def _make_app(self) -> App:
        url = self._place.job.engine.url.set(drivername="postgresql")
        connector = PsycopgConnector(
            conninfo=url.render_as_string(hide_password=False),
            kwargs={"connect_timeout": 5},
            min_size=1,
            max_size=self._at_once + ERRANDS_AT_ONCE + 4,
        )
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE, retry=_AsTold())(self._run_job)
        app.task(name=errands.TASK, queue=errands.QUEUE, retry=_AsTold())(self._run_errand)
        for one in self._place.rounds:
            name = f"round:{one.name}"
            # A round that takes long is not begun a second time beside itself.
            task = app.task(name=name, queue=QUEUE, lock=name, queueing_lock=name)
            app.periodic(cron=one.cron, periodic_id=name)(task(partial(self._make_round, one)))
        return app

    def _make_round(self, one: Round, timestamp: int) -> None:
        """Make a round; what goes wrong is logged, and the next one tries again."""
        del timestamp
        try:
            one.run(self._place.job)
        except Exception as error:
            log.exception("a round went wrong", exc_info=error, extra={"round": one.name})

    def _run_job(self, *, community_code: int, job_id: str) -> None:
        running.run(self._place, community_code, UUID(job_id), is_stopping=self._stopping.is_set)

    def _run_errand(self, *, errand: str, community_code: int, row_id: str) -> None:
        running.run_errand(self._place, errand, community_code, UUID(row_id))

    async def _rescue(self, app: App) -> None:
        """Let jobs of workers that are gone be begun again."""
        while True:
            stalled = await app.job_manager.get_stalled_jobs(
                seconds_since_heartbeat=self._stalled_s
            )
            for job in stalled:
                told = job.task_kwargs.get("job_id") or job.task_kwargs.get("row_id")
                # Another worker may have seen it too.
                with suppress(ConnectorException):
                    await app.job_manager.retry_job(job)
                    log.warning("a job of a lost worker", extra={"job": told})
            await app.job_manager.prune_stalled_workers(self._stalled_s)
            await asyncio.sleep(self._stalled_s / 2)
