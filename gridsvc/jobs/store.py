"""Queries of jobs."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, false, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.jobs.model import (
    CANCELLED,
    DONE,
    OPEN,
    QUEUED,
    RUNNING,
    Arguments,
    Job,
    Standing,
    Step,
)
from gridsvc.jobs.tables import JobRow


def add(session: Session, **values: object) -> None:
    """Write a job that waits."""
    session.execute(insert(JobRow).values(**values))


def find(session: Session, job_id: UUID) -> Job | None:
    """Return a job of the caller's territory."""
    row = session.scalar(
        select(JobRow)
        .where(in_scope(session, JobRow.community_code), JobRow.id == job_id)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _job(row)


def list_jobs(
    session: Session,
    *,
    kind: str | None,
    is_open: bool,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Job]:
    """Return at most ``limit`` jobs, the newest first, before a time and id."""
    statement = select(JobRow).where(in_scope(session, JobRow.community_code))
    if kind is not None:
        statement = statement.where(JobRow.kind == kind)
    if is_open:
        statement = statement.where(JobRow.status.in_(OPEN))
    if before is not None:
        statement = statement.where(tuple_(JobRow.created_at, JobRow.id) < before)
    ordered = statement.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
    return [_job(row) for row in session.scalars(ordered)]


def ask_to_stop(session: Session, job_id: UUID) -> None:
    """End a job that waits, and ask one that runs to stop; nothing where it is over."""
    found = update(JobRow).where(in_scope(session, JobRow.community_code), JobRow.id == job_id)
    # One that runs and is done a moment later has no mark: its last statement holds the row.
    session.execute(
        found.where(JobRow.status == QUEUED).values(status=CANCELLED, finished_at=func.now())
    )
    session.execute(found.where(JobRow.status == RUNNING).values(is_cancelling=True))


def begin(session: Session, community_code: int, job_id: UUID) -> Job | None:
    """Begin a job, or begin it again after a crash; nothing where it is over or gone."""
    row = session.scalar(
        update(JobRow)
        .where(*_key(community_code, job_id), JobRow.status.in_(OPEN))
        .values(
            status=RUNNING,
            attempt=JobRow.attempt + 1,
            started_at=func.coalesce(JobRow.started_at, func.now()),
            stage="",
            done=0,
            total=0,
        )
        .returning(JobRow)
    )
    return None if row is None else _job(row)


def report(session: Session, job: Job, step: Step) -> Standing:
    """Write how far a job is, and return what became of it meanwhile."""
    is_cancelling = session.scalar(
        update(JobRow).where(*_own(job)).values(**vars(step)).returning(JobRow.is_cancelling)
    )
    return Standing(is_own=is_cancelling is not None, is_cancelling=bool(is_cancelling))


def look(session: Session, job: Job) -> Standing:
    """Return what became of a job that runs."""
    is_cancelling = session.scalar(select(JobRow.is_cancelling).where(*_own(job)))
    return Standing(is_own=is_cancelling is not None, is_cancelling=bool(is_cancelling))


def finish(
    session: Session,
    job: Job,
    status: str,
    *,
    result: Arguments | None = None,
    error_code: str | None = None,
    last: Step | None = None,
    even_if_cancelling: bool = True,
) -> bool:
    """End a job that this attempt still holds; say whether it did.

    Parameters
    ----------
    last
        How far it came; default: as written.
    even_if_cancelling
        False: leave a job alone that was asked to stop.
    """
    statement = update(JobRow).where(*_own(job))
    if not even_if_cancelling:
        statement = statement.where(JobRow.is_cancelling == false())
    values: dict[str, Any] = {"status": status, "result": result, "error_code": error_code}
    if last is not None:
        values |= vars(last)
    if status == DONE:  # whatever its stages were, nothing of it is left to do
        values["done"] = JobRow.total if last is None else last.total
    ended = session.execute(statement.values(**values, finished_at=func.now()))
    return cast("CursorResult[Any]", ended).rowcount == 1


def release(session: Session, job: Job, *, attempts_spent: int) -> None:
    """Let a job wait again; it has spent so many attempts."""
    session.execute(update(JobRow).where(*_own(job)).values(status=QUEUED, attempt=attempts_spent))


def _key(community_code: int, job_id: UUID) -> tuple[Any, Any]:
    return JobRow.community_code == community_code, JobRow.id == job_id


def _own(job: Job) -> tuple[Any, ...]:
    """Return the condition that a job still runs, in this attempt and no later one."""
    return (
        *_key(job.community_code, job.id),
        JobRow.status == RUNNING,
        JobRow.attempt == job.attempt,
    )


def _job(row: JobRow) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__dataclass_fields__})
