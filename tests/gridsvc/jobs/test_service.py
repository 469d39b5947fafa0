"""Asking for a job, following it, stopping it: what people can do."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gridsvc.audit import service as audit
from gridsvc.audit.model import AuditFilter
from gridsvc.db import Interval, Scope, ScopedSession, new_id
from gridsvc.errors import JobOverError, NotFoundError
from gridsvc.jobs import service
from gridsvc.jobs.model import CANCELLED, QUEUED
from tests import town
from tests.databases import Clone
from tests.gridsvc.jobs.kinds import COUNT

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
MEMBER = new_id()


def session_of(
    clone: Clone, *codes: int, role: str = "coordinator", person: UUID | None = None
) -> ScopedSession:
    scope = Scope(role, tuple(map(Interval.of, codes)), person=person, account=town.ACCOUNT)
    return clone.api.session(scope)


def ask(clone: Clone, code: int = A, **wanted: object) -> UUID:
    with session_of(clone, STREET) as session, session.begin():
        return service.defer(session, COUNT, community_code=code, arguments={"upto": 3, **wanted})  # type: ignore[dict-item]


def queued(clone: Clone, job_id: UUID) -> list[dict[str, object]]:
    query = text(
        "SELECT lock, args, status FROM procrastinate.procrastinate_jobs"
        " WHERE args ->> 'job_id' = :id"
    )
    with clone.root.connect() as connection:
        return [dict(row) for row in connection.execute(query, {"id": str(job_id)}).mappings()]


# ---- asking


def test_a_job_that_was_asked_for_waits_in_the_queue(office: Clone) -> None:
    job_id = ask(office)
    with session_of(office, A) as session:
        job = service.get_job(session, job_id)
    assert (job.kind, job.status, job.arguments) == (COUNT, QUEUED, {"upto": 3})
    assert (job.done, job.total, job.attempt, job.result, job.error_code) == (0, 0, 0, None, None)
    assert (job.role, job.person_id, job.account_id) == ("coordinator", None, town.ACCOUNT)
    assert (job.started_at, job.finished_at, job.is_over) == (None, None, False)
    assert queued(office, job_id) == [
        {
            "lock": f"{COUNT} {A}",
            "args": {"community_code": A, "job_id": str(job_id)},
            "status": "todo",
        }
    ]


def test_a_transaction_that_is_rolled_back_leaves_no_job_anywhere(office: Clone) -> None:
    with session_of(office, A) as session:
        session.begin()
        job_id = service.defer(session, COUNT, community_code=A)
        assert service.get_job(session, job_id).status == QUEUED
        session.rollback()
        with pytest.raises(NotFoundError):
            service.get_job(session, job_id)
    assert queued(office, job_id) == []


def test_asking_and_stopping_are_noted_without_what_was_asked(office: Clone) -> None:
    job_id = ask(office)
    with session_of(office, A) as session, session.begin():
        service.cancel(session, job_id)
        service.cancel(session, job_id)
        events = audit.list_events(session, AuditFilter(action="job", subject=str(job_id)))
    assert [(one.action, one.subject, one.detail) for one in events] == [
        ("job.cancel", str(job_id), {}),
        ("job.defer", str(job_id), {"kind": COUNT}),
    ]
    assert {one.account_id for one in events} == {town.ACCOUNT}


@pytest.mark.parametrize("code", [B, STREET])
def test_nobody_asks_for_work_outside_the_own_territory(office: Clone, code: int) -> None:
    with (
        session_of(office, A) as session,
        pytest.raises(NotFoundError, match=f"No territory {code}"),
    ):
        service.defer(session, COUNT, community_code=code)


def test_two_communities_are_not_the_whole_sub_district(office: Clone) -> None:
    with session_of(office, A, B) as session:
        service.defer(session, COUNT, community_code=B)
        with pytest.raises(NotFoundError):
            service.defer(session, COUNT, community_code=STREET)


# ---- the policies: below the service


@pytest.mark.parametrize(
    ("role", "person"), [("administrator", None), ("job", None), ("coordinator", uuid4())]
)
def test_the_database_takes_no_job_in_the_name_of_another(
    office: Clone, role: str, person: UUID | None
) -> None:
    insert = text(
        "INSERT INTO gridsvc.job (community_code, id, kind, role, person_id)"
        " VALUES (:code, :id, 'x', :role, :person)"
    )
    with session_of(office, A) as session:
        values = {"code": A, "id": new_id(), "role": "coordinator", "person": None}
        session.execute(insert, values)
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(insert, {**values, "id": new_id(), "role": role, "person": person})


def test_whoever_is_no_staff_sees_the_own_jobs_only(office: Clone) -> None:
    with session_of(office, A, role="contact", person=MEMBER) as session, session.begin():
        own = service.defer(session, COUNT, community_code=A)
        assert [job.id for job in service.list_jobs(session)] == [own]
    ask(office)
    with session_of(office, A, role="contact", person=MEMBER) as session:
        assert [job.id for job in service.list_jobs(session)] == [own]
    with session_of(office, A, role="contact", person=new_id()) as session:
        assert service.list_jobs(session) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT args FROM procrastinate.procrastinate_jobs",
        "UPDATE procrastinate.procrastinate_jobs SET status = 'todo'",
        "DELETE FROM procrastinate.procrastinate_jobs",
        "SELECT * FROM procrastinate_fetch_job_v2(NULL, 1)",
        "SELECT * FROM procrastinate.procrastinate_workers",
        "UPDATE gridsvc.job SET role = 'administrator'",
        "UPDATE gridsvc.job SET arguments = '{}'",
        "UPDATE gridsvc.job SET person_id = NULL",
        "DELETE FROM gridsvc.job",
    ],
)
def test_requests_add_to_the_queue_and_can_do_nothing_else_with_it(
    office: Clone, statement: str
) -> None:
    with (
        session_of(office, A) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(text(statement))


# ---- following


def test_a_job_of_another_territory_is_absent(office: Clone) -> None:
    job_id = ask(office)
    with session_of(office, B) as session:
        for act in (service.get_job, service.cancel):
            with pytest.raises(NotFoundError, match=f"No job {job_id}"):
                act(session, job_id)


def test_jobs_are_listed_the_newest_first_in_pages(database: Clone) -> None:
    ids = [ask(database, code) for code in (A, B, A, A)]
    with session_of(database, A) as session:
        first = service.list_jobs(session, limit=2)
        rest = service.list_jobs(session, before=(first[-1].created_at, first[-1].id))
        assert [job.id for job in (*first, *rest)] == [ids[3], ids[2], ids[0]]
        assert service.list_jobs(session, before=(datetime(2020, 1, 1, tzinfo=UTC), ids[0])) == []
        assert service.list_jobs(session, kind="another") == []
        service.cancel(session, ids[2])
        waiting = service.list_jobs(session, kind=COUNT, is_open=True)
        assert [job.id for job in waiting] == [ids[3], ids[0]]


# ---- stopping


def test_a_job_that_waits_is_stopped_at_once(office: Clone) -> None:
    job_id = ask(office)
    with session_of(office, A) as session, session.begin():
        job = service.cancel(session, job_id)
    assert (job.status, job.is_cancelling, job.started_at) == (CANCELLED, False, None)
    assert job.finished_at is not None


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_job_that_is_over_cannot_be_stopped(office: Clone, status: str) -> None:
    job_id = ask(office)
    office.run(f"UPDATE gridsvc.job SET status = '{status}', finished_at = now()")  # noqa: S608 - a word of the tests
    with (
        session_of(office, A) as session,
        pytest.raises(JobOverError, match=f"{job_id} is {status} already"),
    ):
        service.cancel(session, job_id)
