"""What people can do with jobs: ask for one, follow it, stop it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.audit import service as audit
from gridsvc.db import Interval, new_id, scope_of
from gridsvc.errors import JobOverError, NotFoundError
from gridsvc.jobs import queue, store
from gridsvc.jobs.model import CANCELLED, DONE, FAILED, Arguments, Job


def defer(
    session: Session,
    kind: str,
    *,
    community_code: int,
    arguments: Arguments | None = None,
    lock: str | None = None,
) -> UUID:
    """Ask for long work; it begins once the caller's transaction is committed, and only then.

    It runs as whoever asks, in the territory of ``community_code`` and no other.

    Parameters
    ----------
    kind
        As the worker's table of kinds names it.
    community_code
        Of a community, or of a sub-district for all of it.
    arguments
        Codes, ids and counts, which whoever sees the job sees; never words or names of people.
    lock
        Jobs of one lock run one after the other; default: those of one kind in one territory.

    Returns
    -------
    UUID
        Of the job.

    Raises
    ------
    NotFoundError
        The caller's territory does not hold all of that one.
    """
    scope = scope_of(session)
    wanted = Interval.of(community_code)
    if not any(own.lo <= wanted.lo and wanted.hi <= own.hi for own in scope.intervals):
        raise NotFoundError("territory", community_code)
    job_id = new_id()
    store.add(
        session,
        community_code=community_code,
        id=job_id,
        kind=kind,
        arguments=dict(arguments or {}),
        role=scope.role,
        person_id=scope.person,
        account_id=scope.account,
    )
    queue.put(
        session,
        community_code=community_code,
        job_id=job_id,
        lock=lock or f"{kind} {community_code}",
    )
    audit.record(
        session, community_code=community_code, action="job.defer", subject=str(job_id), kind=kind
    )
    return job_id


def get_job(session: Session, job_id: UUID) -> Job:
    """Return a job of the caller's territory.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    """
    job = store.find(session, job_id)
    if job is None:
        raise NotFoundError("job", job_id)
    return job


def list_jobs(
    session: Session,
    *,
    kind: str | None = None,
    is_open: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Job]:
    """Return at most ``limit`` jobs of the caller's territory, the newest first.

    Parameters
    ----------
    is_open
        Only those that wait or run.
    """
    return store.list_jobs(session, kind=kind, is_open=is_open, before=before, limit=limit)


def cancel(session: Session, job_id: UUID) -> Job:
    """Stop a job: at once where it waits, within seconds where it runs. Twice is once.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    JobOverError
        It is done or failed already.
    """
    job = get_job(session, job_id)
    if job.is_cancelling or job.status == CANCELLED:
        return job
    store.ask_to_stop(session, job_id)
    job = get_job(session, job_id)  # again: it may have ended a moment ago
    if job.status in (DONE, FAILED):
        raise JobOverError(job_id, job.status)
    audit.record(
        session, community_code=job.community_code, action="job.cancel", subject=str(job_id)
    )
    return job
