"""How far long work is: a part of other pages, which asks anew by itself, and a page of its own."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, Response

from api.jobs_table import PROPOSE_CONTACTS
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from gridsvc.errors import JobOverError
from gridsvc.jobs import service
from gridsvc.jobs.model import Job

router = APIRouter(prefix="/jobs", include_in_schema=False, default_response_class=HTMLResponse)
FromScript = Annotated[bool, Header(alias="HX-Request")]
"""Whether the script asks for the part alone."""

_KINDS = {PROPOSE_CONTACTS: "job_kind_contacts_propose"}
_STAGES = {"contacts": "job_stage_contacts"}


@router.get("/{job_id}")
def show_job(desk: DeskDep, job_id: UUID, from_script: FromScript = False) -> HTMLResponse:
    """Show how far a job is."""
    return _show(desk, service.get_job(desk.session, job_id), from_script=from_script)


@router.post("/{job_id}/cancel")
def cancel_job(desk: DeskDep, job_id: UUID, from_script: FromScript = False) -> Response:
    """Stop a job; one that ended meanwhile is shown as it is."""
    try:
        job = service.cancel(desk.session, job_id)
    except JobOverError:
        job = service.get_job(desk.session, job_id)
    return _show(desk, job, from_script=True) if from_script else go(f"/jobs/{job_id}")


def _show(desk: Desk, job: Job, *, from_script: bool) -> HTMLResponse:
    page = desk.show(
        "job_part.html" if from_script else "job.html",
        job=job,
        kind=_named(desk, _KINDS, job.kind),
        stage=_named(desk, _STAGES, job.stage),
    )
    page.headers["Vary"] = "Cookie, HX-Request"
    page.headers["Cache-Control"] = "private, no-store"
    if job.is_over:  # what stands around the part may want to show what came of it
        page.headers["HX-Trigger"] = "job-over"
    return page


def _named(desk: Desk, names: Mapping[str, str], word: str) -> str:
    """Return what a kind or stage is called; one without a phrase by its own word."""
    return desk.say(names[word]) if word in names else word
