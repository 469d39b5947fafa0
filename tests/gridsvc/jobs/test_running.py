"""One job from its beginning to its end: as whom it runs, what stays of it, and what does not."""

import logging
from collections.abc import Callable
from uuid import UUID

import pytest

from geodata.progress import Progress
from gridsvc.db import Interval, Scope, ScopedSession, new_id
from gridsvc.errors import DatabaseDownError, NotFoundError, RoleNotAllowedError
from gridsvc.jobs import running, service, store
from gridsvc.jobs.kinds import GoOn, Kind
from gridsvc.jobs.model import CANCELLED, DONE, FAILED, JSON, QUEUED, RUNNING, Arguments, Job
from gridsvc.jobs.reporting import Reporter
from gridsvc.jobs.running import TryAgainError, Workplace
from tests import town
from tests.databases import Clone
from tests.gridsvc.jobs import kinds
from tests.gridsvc.jobs.kinds import AWAY, BREAK, COUNT, FAIL, KEEP, KINDS, LOAD

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def scope(*codes: int, role: str = "coordinator") -> Scope:
    return Scope(role, tuple(map(Interval.of, codes)), account=town.ACCOUNT)


def ask(clone: Clone, kind: str = COUNT, code: int = A, **wanted: JSON) -> UUID:
    arguments: Arguments = {"upto": 3, "mark": str(new_id()), **wanted}
    with clone.api.session(scope(STREET)) as session, session.begin():
        return service.defer(session, kind, community_code=code, arguments=arguments)


def counted(clone: Clone, job_id: UUID) -> int:
    """Return how often the work of a job had its effect."""
    mark = find(clone, job_id).arguments["mark"]
    return clone.count("audit_event", f"detail ->> 'mark' = '{mark}'")


def cancel(clone: Clone, job_id: UUID) -> None:
    with clone.api.session(scope(A)) as session, session.begin():
        service.cancel(session, job_id)


def find(clone: Clone, job_id: UUID) -> Job:
    with clone.api.session(scope(STREET)) as session:
        return service.get_job(session, job_id)


def run(
    clone: Clone,
    job_id: UUID,
    *,
    code: int = A,
    known: dict[str, Kind] | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Job:
    place = Workplace(clone.api, clone.job, {**KINDS, **(known or {})})
    running.run(place, code, job_id, is_stopping=is_stopping)
    return find(clone, job_id)


# ---- as whom


def test_a_job_that_is_done_says_what_came_of_it(office: Clone) -> None:
    job_id = ask(office)
    job = run(office, job_id)
    assert (job.status, job.attempt, job.error_code) == (DONE, 1, None)
    assert job.result == {"counted": 3, "role": "coordinator", "lo": A}
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at < job.started_at < job.finished_at
    assert counted(office, job_id) == 1


def test_a_job_sees_the_territory_it_was_asked_for_and_no_more(office: Clone) -> None:
    seen: list[Scope] = []

    def look(session: ScopedSession, *_: object) -> None:
        seen.append(session.info["scope"])
        assert session.get_bind() is office.api.engine

    for code in (A, STREET):
        job = run(office, ask(office, "look", code), code=code, known={"look": Kind(look)})
        assert (job.status, job.result) == (DONE, None)
    assert seen == [scope(A), scope(STREET)]


def test_a_kind_that_needs_the_job_role_has_it_in_the_same_territory(office: Clone) -> None:
    job = run(office, ask(office, LOAD))
    assert job.result == {"counted": 3, "role": "job", "lo": A}


def test_what_the_job_role_asks_for_runs_as_the_job_role(office: Clone) -> None:
    with town.job_session(office.job) as session, session.begin():
        job_id = service.defer(session, COUNT, community_code=B, arguments={"upto": 1})
    job = run(office, job_id, code=B)
    assert job.result == {"counted": 1, "role": "job", "lo": B}


def test_what_the_caller_may_not_do_the_job_may_not_either(office: Clone) -> None:
    def refuse(session: ScopedSession, *_: object) -> None:
        raise RoleNotAllowedError(session.info["scope"].role)

    job = run(office, ask(office, "refuse"), known={"refuse": Kind(refuse)})
    assert (job.status, job.error_code) == (FAILED, "role-not-allowed")


# ---- what stays


def test_a_job_that_is_over_is_not_begun_again(office: Clone) -> None:
    job_id = ask(office)
    first = run(office, job_id)
    assert run(office, job_id) == first
    assert counted(office, job_id) == 1


def test_a_job_that_is_gone_is_nothing_to_do(office: Clone) -> None:
    job_id = ask(office)
    office.run(f"DELETE FROM gridsvc.job WHERE id = '{job_id}'")  # noqa: S608 - an id of ours
    with pytest.raises(NotFoundError):  # it is looked for only after the work
        run(office, job_id)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(FAIL, "invalid-edit"), (BREAK, "job-failed"), ("nobody", "unknown-job-kind")],
)
def test_a_job_that_fails_has_a_code_and_nobodys_name_is_written(
    office: Clone, kind: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    from api.logs import JsonLines

    with caplog.at_level(logging.INFO, logger="gridsvc"):
        job = run(office, ask(office, kind))
    assert (job.status, job.error_code, job.result) == (FAILED, code, None)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert str(job.id) in lines[0]
    assert not any("\\u738b" in line or "王" in line for line in lines)


def test_what_a_failed_job_wrote_does_not_stay(office: Clone) -> None:
    def write_and_fail(
        session: ScopedSession, arguments: Arguments, progress: Progress, go_on: GoOn
    ) -> Arguments:
        kinds.count(session, arguments, progress, go_on)
        raise ValueError

    job_id = ask(office, "late")
    job = run(office, job_id, known={"late": Kind(write_and_fail)})
    assert job.status == FAILED
    assert counted(office, job_id) == 0


# ---- stopping


def test_a_job_stopped_while_it_waits_is_never_begun(office: Clone) -> None:
    job_id = ask(office)
    cancel(office, job_id)
    job = run(office, job_id)
    assert (job.status, job.attempt) == (CANCELLED, 0)


@pytest.mark.parametrize(("kind", "events"), [(COUNT, 0), (KEEP, 1)])
def test_a_job_stopped_while_it_runs_hears_of_it(office: Clone, kind: str, events: int) -> None:
    """What it has is dropped, unless its kind says that it is worth something."""
    job_id = ask(office, kind, upto=1000, wait_s=0.005)
    heard: list[int] = []

    def stop_after(
        session: ScopedSession, arguments: Arguments, progress: Progress, go_on: GoOn
    ) -> Arguments:
        cancel(office, job_id)
        assert find(office, job_id).is_cancelling
        result = kinds.count(session, arguments, progress, go_on)
        heard.append(result["counted"])  # type: ignore[arg-type]
        return result

    job = run(office, job_id, known={kind: Kind(stop_after, keeps_cancelled=kind == KEEP)})
    assert 0 <= heard[0] < 1000
    assert job.status == CANCELLED
    assert job.result == (
        None if kind == COUNT else {"counted": heard[0], "role": "coordinator", "lo": A}
    )
    assert counted(office, job_id) == events


def test_stopping_in_the_last_moment_is_stopping(office: Clone) -> None:
    """The work is complete, but not committed: whoever stopped it was told that it would stop."""

    def deaf(session: ScopedSession, *_: object) -> Arguments:
        cancel(office, job_id)
        return kinds.count(session, {"upto": 1, "mark": "deaf"}, lambda *_: None, lambda: True)

    job_id = ask(office, "deaf")
    job = run(office, job_id, known={"deaf": Kind(deaf)})
    assert (job.status, job.result) == (CANCELLED, None)
    assert office.count("audit_event", "detail ->> 'mark' = 'deaf'") == 0


def test_a_worker_that_stops_leaves_the_job_as_it_was(office: Clone) -> None:
    job_id = ask(office)
    with pytest.raises(TryAgainError) as caught:
        run(office, job_id, is_stopping=lambda: True)
    assert caught.value.after_s == 0
    job = find(office, job_id)
    assert (job.status, job.attempt) == (QUEUED, 0)
    assert counted(office, job_id) == 0
    assert run(office, job_id).status == DONE


def test_work_that_ends_while_the_worker_stops_is_done(office: Clone) -> None:
    def deaf(session: ScopedSession, *_: object) -> Arguments:
        return kinds.count(session, {"upto": 1, "mark": "deaf"}, lambda *_: None, lambda: True)

    job = run(office, ask(office, "deaf"), known={"deaf": Kind(deaf)}, is_stopping=lambda: True)
    assert job.status == DONE


# ---- crashes and the like


def test_a_job_that_was_taken_over_has_its_effect_once(office: Clone) -> None:
    """A worker that everybody thought dead comes back: what it did in between is dropped."""

    def sleep_and_wake(session: ScopedSession, *rest: object) -> Arguments:
        assert run(office, job_id).status == DONE  # somebody else's work meanwhile
        return kinds.count(session, *rest)  # type: ignore[arg-type]

    job_id = ask(office)
    job = run(office, job_id, known={COUNT: Kind(sleep_and_wake)})
    assert (job.status, job.attempt) == (DONE, 2)
    assert counted(office, job_id) == 1


def test_a_job_that_was_taken_over_is_told_to_stop(office: Clone) -> None:
    job_id = ask(office)
    with town.job_session(office.job) as session, session.begin():
        first = store.begin(session, A, job_id)
        second = store.begin(session, A, job_id)
    assert first is not None
    assert second is not None
    reporters = [Reporter(office.job, job, is_stopping=lambda: False) for job in (first, second)]
    assert [one.go_on() for one in reporters] == [False, True]


def test_a_job_whose_workers_go_away_ends_after_its_attempts(office: Clone) -> None:
    job_id = ask(office)
    for attempt in (1, 2, 3):
        with town.job_session(office.job) as session, session.begin():
            begun = store.begin(session, A, job_id)
        assert begun is not None
        assert begun.attempt == attempt
    job = run(office, job_id)
    assert (job.status, job.error_code) == (FAILED, "job-crashed")
    assert counted(office, job_id) == 0


def test_a_job_stopped_after_its_worker_went_away_is_not_begun_again(office: Clone) -> None:
    job_id = ask(office)
    with town.job_session(office.job) as session, session.begin():
        store.begin(session, A, job_id)
    cancel(office, job_id)
    assert find(office, job_id).status == RUNNING
    assert run(office, job_id).status == CANCELLED


def test_a_database_that_is_away_is_waited_for_longer_each_time_then_said(
    office: Clone,
) -> None:
    job_id = ask(office, AWAY)
    with pytest.raises(TryAgainError) as caught:
        run(office, job_id)
    assert caught.value.after_s == 5
    assert isinstance(caught.value.__cause__, DatabaseDownError)
    waiting = find(office, job_id)
    assert (waiting.status, waiting.attempt) == (QUEUED, 1)
    job = run(office, job_id)
    assert (job.status, job.attempt, job.error_code) == (FAILED, 2, "database-down")


# ---- progress


def test_progress_is_written_once_a_second_at_most(office: Clone) -> None:
    job_id = ask(office)
    with town.job_session(office.job) as session, session.begin():
        begun = store.begin(session, A, job_id)
    assert begun is not None
    now_s = 0.0
    reporter = Reporter(office.job, begun, is_stopping=lambda: False, clock=lambda: now_s)
    seen = []
    for tenth in range(25):
        now_s = tenth / 10
        reporter.progress("count", tenth, 25)
        assert reporter.go_on()
        seen.append(find(office, job_id).done)
    assert sorted(set(seen)) == [0, 10, 20]
    now_s = 3.0
    assert reporter.go_on()  # what came too soon is written with the next look
    job = find(office, job_id)
    assert (job.stage, job.done, job.total) == ("count", 24, 25)


def test_progress_is_seen_while_the_work_is_not(office: Clone) -> None:
    def write_first(
        session: ScopedSession, arguments: Arguments, progress: Progress, go_on: GoOn
    ) -> Arguments:
        result = kinds.count(session, arguments, progress, go_on)
        assert find(office, job_id).done == 1
        assert counted(office, job_id) == 0
        return result

    job_id = ask(office)
    job = run(office, job_id, known={COUNT: Kind(write_first)})
    assert (job.done, job.total) == (3, 3)
