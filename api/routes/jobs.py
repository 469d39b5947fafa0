"""Long work: how far it is, what came of it, and stopping it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.jobs import JobOut
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_time_cursor,
    page_of,
)
from gridsvc.jobs import service

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
Kind = Annotated[
    str | None,
    Query(pattern=r"^[a-z_]+(\.[a-z_]+)*$", max_length=60, description="As `contacts.propose`."),
]


@router.get("", response_model=Page[JobOut], responses=responses(401, 403, 422, 503))
def list_jobs(
    session: SessionDep,
    kind: Kind = None,
    is_open: Annotated[
        bool, Query(alias="open", description="Only those that wait or run.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the jobs of the caller's territory, the newest first."""
    found = service.list_jobs(
        session,
        kind=kind,
        is_open=is_open,
        before=decode_time_cursor(cursor),
        limit=limit + 1,
    )
    shown = [JobOut.of(job) for job in found]
    return page_of(shown, limit, names=lambda last: (last.created_at.isoformat(), str(last.id)))


@router.get("/{job_id}", response_model=JobOut, responses=responses(401, 403, 404, 422, 503))
def get_job(session: SessionDep, job_id: UUID) -> JobOut:
    """Return how far a job is; ask again after a second or two."""
    return JobOut.of(service.get_job(session, job_id))


@router.post(
    "/{job_id}/cancel", response_model=JobOut, responses=responses(401, 403, 404, 409, 422, 503)
)
def cancel_job(
    session: SessionDep, job_id: UUID, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Stop a job: at once where it waits, within seconds where it runs. Twice is once."""
    return once(
        session,
        idempotency_key,
        f"cancel {job_id}".encode(),
        status=200,
        act=lambda: JobOut.of(service.cancel(session, job_id)),
    )
