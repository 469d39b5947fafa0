"""Workers: soon, one after the other where they must, once in effect, whatever kills them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from gridsvc import setup
from gridsvc.db import Database
from gridsvc.jobs import service
from gridsvc.jobs.kinds import Kinds, Round
from gridsvc.jobs.model import CANCELLED, DONE, QUEUED, RUNNING, Job
from gridsvc.jobs.running import Workplace
from gridsvc.jobs.worker import Worker
from tests import town
from tests.databases import Clone
from tests.gridsvc.jobs.kinds import COUNT, KINDS
from tests.gridsvc.jobs.test_running import ask, cancel, counted, find, scope

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
PROJECT = Path(__file__).parents[3]
_LONGEST_S = 30
UPTO = 2000
"""So far counts a job that takes longer than any test waits, unless it is stopped."""


def wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + _LONGEST_S
    while not is_so():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


def ended(clone: Clone, job_id: UUID) -> Job:
    wait_for(lambda: find(clone, job_id).is_over)
    return find(clone, job_id)


@contextmanager
def working(
    clone: Clone,
    *,
    at_once: int = 1,
    stalled_s: float = 60,
    kinds: Kinds = KINDS,
    rounds: Sequence[Round] = (),
) -> Iterator[Worker]:
    """Run a worker in a thread; at the end it must have stopped by itself."""
    place = Workplace(clone.api, clone.job, kinds, rounds=rounds)
    worker = Worker(place, at_once=at_once, stalled_s=stalled_s)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(_LONGEST_S)
        assert not thread.is_alive()


@contextmanager
def child(clone: Clone, *, stalled_s: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Run a worker as a process of its own."""
    command = [
        *(sys.executable, "-m", "tests.gridsvc.jobs.worker_child"),
        *(clone.url(setup.API), clone.url(setup.JOB), str(stalled_s)),
    ]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_job_begins_soon_and_the_queue_is_empty_after_it(office: Clone) -> None:
    with working(office):
        ended(office, ask(office))  # the worker is there
        job = ended(office, ask(office))
        assert (job.status, job.attempt) == (DONE, 1)
        assert job.started_at is not None
        # Woken by the database: its own look would come every five seconds.
        assert (job.started_at - job.created_at).total_seconds() < 4.5
    assert left_in_queue(office) == 0


def left_in_queue(clone: Clone) -> int:
    with clone.root.connect() as connection:
        statement = "SELECT count(*) FROM procrastinate.procrastinate_jobs"
        return int(connection.exec_driver_sql(statement).scalar_one())


def test_jobs_asked_for_before_there_is_a_worker_are_done_in_order(office: Clone) -> None:
    ids = [ask(office) for _ in range(3)]
    with working(office):
        jobs = [ended(office, job_id) for job_id in ids]
    begun = [job.started_at for job in jobs]
    assert begun == sorted(begun, key=str)


def test_jobs_of_one_territory_wait_for_each_other_and_others_do_not(office: Clone) -> None:
    ids = [ask(office, COUNT, code, upto=30, wait_s=0.01) for code in (A, A, B)]
    with working(office, at_once=3):
        first, second, other = (ended(office, job_id) for job_id in ids)
    assert {first.status, second.status, other.status} == {DONE}
    assert second.started_at is not None
    assert other.started_at is not None
    assert first.finished_at is not None
    assert first.finished_at <= second.started_at
    assert other.started_at < first.finished_at


def test_no_more_jobs_run_at_once_than_the_worker_may(office: Clone) -> None:
    with office.api.session(scope(town.STREET)) as session, session.begin():
        ids = [
            service.defer(
                session,
                COUNT,
                community_code=A,
                arguments={"upto": 20, "wait_s": 0.01},
                lock=f"of its own {number}",
            )
            for number in range(5)
        ]
    with working(office, at_once=2):
        jobs = [ended(office, job_id) for job_id in ids]
    spans = [(job.started_at, job.finished_at) for job in jobs]
    at_once = [
        sum(begun <= moment < over for begun, over in spans)  # type: ignore[operator]
        for moment, _ in spans
    ]
    assert max(at_once) == 2


def test_a_job_that_runs_is_stopped_within_seconds(office: Clone) -> None:
    job_id = ask(office, upto=UPTO, wait_s=0.01)
    with working(office):
        wait_for(lambda: find(office, job_id).done > 0)
        asked = time.monotonic()
        cancel(office, job_id)
        job = ended(office, job_id)
        assert time.monotonic() - asked < 4
    assert (job.status, job.result) == (CANCELLED, None)
    assert 0 < job.done < UPTO
    assert counted(office, job_id) == 0


def test_a_worker_that_is_told_to_stop_hands_its_job_on(office: Clone) -> None:
    job_id = ask(office, upto=150, wait_s=0.01)
    with child(office) as process:
        wait_for(lambda: find(office, job_id).done > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(_LONGEST_S) == 0
    assert find(office, job_id).status == QUEUED
    with working(office):
        job = ended(office, job_id)
    assert (job.status, job.attempt) == (DONE, 1)
    assert counted(office, job_id) == 1


def test_a_job_whose_worker_is_killed_comes_to_its_end_once(office: Clone) -> None:
    job_id = ask(office, upto=150, wait_s=0.01)
    waiting = ask(office)  # behind the same lock
    with child(office, stalled_s=2) as process:
        wait_for(lambda: find(office, job_id).done > 0)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(_LONGEST_S)
        assert find(office, job_id).status == RUNNING
        with working(office, stalled_s=2):
            job, next_job = ended(office, job_id), ended(office, waiting)
    assert (job.status, job.attempt) == (DONE, 2)
    assert job.result == {"counted": 150, "role": "coordinator", "lo": A}
    assert counted(office, job_id) == 1
    assert (next_job.status, next_job.attempt) == (DONE, 1)
    assert left_in_queue(office) == 0


def test_a_worker_outlives_the_loss_of_its_connections(office: Clone) -> None:
    with working(office, stalled_s=2):
        ended(office, ask(office))
        office.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'gridsvc_job' AND datname = current_database()"
        )
        assert ended(office, ask(office)).status == DONE


def test_a_worker_can_be_stopped_before_it_has_begun(office: Clone) -> None:
    worker = Worker(Workplace(office.api, office.job, KINDS), at_once=1, stalled_s=60)
    worker.stop()
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    thread.join(_LONGEST_S)
    assert not thread.is_alive()


def test_a_round_is_made_again_and_again_even_after_one_that_went_wrong(office: Clone) -> None:
    made: list[str] = []

    def go(database: Database) -> None:
        made.append(str(database.engine.url.username))
        if len(made) == 1:
            raise RuntimeError

    with working(office, rounds=[Round("test", "* * * * * */1", go)]):
        wait_for(lambda: len(made) >= 3)
        job = ended(office, ask(office))
    assert job.status == DONE
    assert set(made) == {setup.JOB}


def test_of_two_workers_one_makes_each_round(office: Clone) -> None:
    made: list[int] = []

    def go(_: Database) -> None:
        made.append(int(time.time()))

    rounds = [Round("test", "* * * * * */1", go)]
    with working(office, rounds=rounds), working(office, rounds=rounds):
        wait_for(lambda: len(made) >= 4)
    assert made[-1] - made[0] >= len(made) - 2, "about one a second, not two"
