"""Contact plans as resources: proposed by a solve or a job, reviewed, applied."""

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import JSONResponse, Response

from api.deps import SessionDep, SettingsDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.contacts import (
    AcceptIn,
    Change,
    CompoundSavingOut,
    CompoundShortageOut,
    Decision,
    DecisionIn,
    ExplainedOut,
    OfCommunity,
    OfCompound,
    OverrideIn,
    PlanLineOut,
    PlanOut,
    PlanReason,
    ProposeIn,
    RejectIn,
    RunOut,
    ShortagesOut,
)
from api.schemas.jobs import JobOut
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    decode_uuid_cursor,
    page_of,
)
from api.schemas.territory import CompoundCode
from api.versions import IfMatch, IfNoneMatch, etag_of, seen_version
from geodata.writers.formats import FORMATS
from gridsvc.contacts.model import LineFilter, Plan, PlanOptions
from gridsvc.contacts.plans import files, jobs, service
from gridsvc.db import ScopedSession
from gridsvc.jobs import service as job_service
from gridsvc.settings import Settings

router = APIRouter(prefix="/api/v1/contacts/plans", tags=["contacts"])
Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`respond-async` (RFC 7240): make it a job, however short it is.",
    ),
]
Explained = Annotated[
    list[Annotated[str, Path(pattern=r"^[0-9]{20}$")]],
    Query(
        alias="stairwell",
        min_length=1,
        max_length=100,
        description="Codes of 20 digits, the name repeated for each.",
    ),
]
_READ = responses(401, 403, 404, 422, 503)
_DECIDE = responses(401, 403, 404, 409, 412, 422, 428, 503)
_TYPES = {name: FORMATS[name].media_type for name in files.FILE_FORMATS}


def defaults_of(settings: Settings) -> PlanOptions:
    """Return what plans are like where nobody says otherwise."""
    return PlanOptions(
        households_per_contact=settings.contact_households,
        supporting_at_most=settings.contact_supporting,
    )


@router.get("", response_model=Page[PlanOut], responses=responses(401, 403, 422, 503))
def list_plans(
    session: SessionDep,
    community: OfCommunity = None,
    run: Annotated[UUID | None, Query(description="Of this run only.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return plans, the newest first."""
    plans = service.list_plans(
        session,
        community_code=community,
        run_id=run,
        before=decode_uuid_cursor(cursor),
        limit=limit + 1,
    )
    return page_of(plans, limit, names=lambda last: (str(last.id),))


@router.post(
    "",
    response_model=RunOut,
    status_code=201,
    responses={
        200: {
            "model": RunOut | JobOut,
            "description": "Known already: the first answer again.",
        },
        202: {
            "model": JobOut,
            "description": "A job makes them; `Location` leads to it, its result to the plans.",
        },
        **responses(401, 403, 404, 422, 503),
    },
)
def propose_plans(
    session: SessionDep,
    settings: SettingsDep,
    body: ProposeIn,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Propose contacts for every stairwell; nothing changes until a plan is applied.

    Up to 1,000 stairwells and 20 seconds the answer is the plans; beyond that, or where the client
    prefers it, a job that can be followed and stopped.
    """
    request = body.model_dump_json().encode()
    is_long = jobs.is_long(
        session, community_code=body.community_code, time_limit_s=body.time_limit_s
    )
    if is_long or "respond-async" in (prefer or ""):
        return _deferred(session, settings, body, request, idempotency_key)
    return once(
        session,
        idempotency_key,
        request,
        status=201,
        act=lambda: RunOut.model_validate(
            service.propose(
                session,
                community_code=body.community_code,
                time_limit_s=body.time_limit_s,
                seed=body.seed,
                options=body.options(defaults_of(settings)),
            )
        ),
    )


def _deferred(
    session: ScopedSession,
    settings: Settings,
    body: ProposeIn,
    request: bytes,
    idempotency_key: str | None,
) -> JSONResponse:
    def defer() -> JobOut:
        job_id = jobs.defer_proposal(
            session,
            community_code=body.community_code,
            time_limit_s=body.time_limit_s,
            seed=body.seed,
            options=body.options(defaults_of(settings)),
        )
        job = JobOut.of(job_service.get_job(session, job_id))
        made.append(job_id)
        return job

    made: list[UUID] = []
    answer = once(session, idempotency_key, request, status=202, act=defer)
    if made:
        answer.headers["Location"] = f"/api/v1/jobs/{made[0]}"
    return answer


@router.get(
    "/{plan_id}",
    response_model=PlanOut,
    responses={304: {"description": "Unchanged."}, **_READ},
)
def get_plan(
    session: SessionDep, response: Response, plan_id: UUID, if_none_match: IfNoneMatch = None
) -> object:
    """Return one plan; its ETag is its version, which each decision needs."""
    plan = service.get(session, plan_id)
    etag = etag_of(plan.version)
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return plan


@router.get("/{plan_id}/lines", response_model=Page[PlanLineOut], responses=_READ)
def list_plan_lines(
    session: SessionDep,
    plan_id: UUID,
    change: Change | None = None,
    decision: Decision | None = None,
    reason: PlanReason | None = None,
    compound: OfCompound = None,
    to_decide: Annotated[
        bool, Query(description="Only lines that change something and are open.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the lines of a plan, by stairwell code."""
    after = decode_cursor(cursor, parts=1) or ("",)
    wanted = LineFilter(
        change=change,
        decision=decision,
        reason=reason,
        compound_code=compound,
        is_to_decide=to_decide,
    )
    lines = service.list_lines(session, plan_id, wanted, after=after[0], limit=limit + 1)
    return page_of(lines, limit, names=lambda last: (last.stairwell_code,))


class _Changing:
    """A change of one plan: of the version that the client saw, and once for each key."""

    def __init__(
        self,
        session: SessionDep,
        plan_id: UUID,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> None:
        self._session = session
        self._plan_id = plan_id
        self._if_match = if_match
        self._key = idempotency_key

    def answer(self, what: str, act: Callable[..., Plan], content: str = "") -> JSONResponse:
        """Answer with the plan as ``act(session, plan_id, version=…)`` leaves it."""
        version = seen_version(self._if_match)
        return once(
            self._session,
            self._key,
            f"{what} {self._plan_id} {version} {content}".encode(),
            status=200,
            act=lambda: PlanOut.model_validate(act(self._session, self._plan_id, version=version)),
        )


_Change = Annotated[_Changing, Depends()]


@router.post("/{plan_id}/decisions", response_model=PlanOut, responses=_DECIDE)
def decide_on_plan(change: _Change, body: DecisionIn) -> JSONResponse:
    """Accept, override, reject or reopen lines of a plan."""

    def act(session: ScopedSession, plan_id: UUID, *, version: int) -> Plan:
        if isinstance(body, AcceptIn):
            return service.accept(
                session,
                plan_id,
                stairwell_codes=body.stairwell_codes,
                compound_code=body.compound_code,
                version=version,
            )
        if isinstance(body, OverrideIn):
            return service.override(
                session,
                plan_id,
                stairwell_code=body.stairwell_code,
                member_id=body.member_id,
                version=version,
            )
        if isinstance(body, RejectIn):
            return service.reject(
                session,
                plan_id,
                stairwell_codes=body.stairwell_codes,
                reason=body.reason,
                version=version,
            )
        return service.reopen(
            session, plan_id, stairwell_codes=body.stairwell_codes, version=version
        )

    return change.answer("decide", act, body.model_dump_json())


@router.post("/{plan_id}/review", response_model=PlanOut, responses=_DECIDE)
def finish_review(change: _Change) -> JSONResponse:
    """Say that the review is done; lines that are open will be left as they are today."""
    return change.answer("review", service.finish)


@router.post("/{plan_id}/apply", response_model=PlanOut, responses=_DECIDE)
def apply_plan(change: _Change) -> JSONResponse:
    """Bring the contacts in force into line with what was accepted of a plan.

    409 with what has changed, where territory or people are no longer what was accepted.
    """
    return change.answer("apply", service.apply)


@router.post("/{plan_id}/withdraw", response_model=PlanOut, responses=_DECIDE)
def withdraw_plan(change: _Change) -> JSONResponse:
    """Give a plan up; pins and exclusions that its review made stay."""
    return change.answer("withdraw", service.withdraw)


@router.get("/{plan_id}/explanations", response_model=ExplainedOut, responses=_READ)
def explain_plan(session: SessionDep, plan_id: UUID, stairwells: Explained) -> object:
    """Return why stairwells have the contacts that were proposed, and why not others."""
    return service.explain_lines(session, plan_id, stairwell_codes=stairwells)


@router.get("/{plan_id}/shortages", response_model=ShortagesOut, responses=_READ)
def list_shortages(session: SessionDep, plan_id: UUID) -> ShortagesOut:
    """Return the compounds that lack people, with how many, and for how many households."""
    found = service.list_shortages(session, plan_id)
    return ShortagesOut(items=[CompoundShortageOut.model_validate(one) for one in found])


@router.get("/{plan_id}/savings/{code}", response_model=CompoundSavingOut, responses=_READ)
def get_saving(session: SessionDep, plan_id: UUID, code: CompoundCode) -> object:
    """Return what one more member, living in a compound, would save: solved again with one."""
    return service.save_with_one_more(session, plan_id, code)


@router.post(
    "/{plan_id}/files/{format}",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in _TYPES.values()}, "description": "The plan."},
        **_READ,
    },
)
def write_plan_file(
    session: SessionDep,
    plan_id: UUID,
    format_name: Annotated[Literal["csv", "xlsx"], Path(alias="format")],
) -> Response:
    """Return a plan as a table with names, for the coordinator's own use; it is noted.

    There are no phones in it. A POST, because names leave the service and the trail says so.
    """
    content = files.write_file(session, plan_id, format_name)
    headers = {
        "Content-Disposition": f'attachment; filename="contact-plan-{plan_id}.{format_name}"',
        "Content-Type": _TYPES[format_name] + ("; charset=utf-8" if format_name == "csv" else ""),
    }
    return Response(content, headers=headers)
