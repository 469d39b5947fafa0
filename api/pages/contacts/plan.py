"""One plan: a table to work through, the reasons of a line, decisions, and the plan as a file."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, Response

from api.pages.contacts.faults import changes_of, outdated, sentence_of
from api.pages.contacts.lines import (
    STATES,
    Sieve,
    read_compounds,
    read_groups,
    read_long_places,
    row_of,
)
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.job import FromScript
from api.routes.contact_plans import write_plan_file
from api.schemas.territory import StairwellCode
from geodata.codes import COMPOUND_DIGITS
from gridsvc.contacts.model import CHANGES, OPEN_STATUSES, TIERS, Plan
from gridsvc.contacts.plans import candidates, service
from gridsvc.db import ScopedSession
from gridsvc.errors import GridsvcError, NotFoundError

router = APIRouter(
    prefix="/contacts/plans/{plan_id}",
    include_in_schema=False,
    default_response_class=HTMLResponse,
)

Deed = Literal[
    "accept",
    "accept-compound",
    "accept-all",
    "override",
    "reject",
    "reopen",
    "review",
    "apply",
    "withdraw",
]
SieveQuery = Annotated[Sieve, Depends()]


@dataclass(frozen=True)
class Decision:
    """What is to be done with a plan: the fields of all its forms, each has some."""

    deed: Annotated[Deed, Form()]
    version: Annotated[int, Form(ge=1, le=10**9)]
    stairwell: Annotated[str, Form(pattern=r"^([0-9]{20})?$")] = ""
    compound: Annotated[str, Form(pattern=r"^([0-9]{15})?$")] = ""
    member: Annotated[UUID | Literal[""], Form()] = ""
    reason: Annotated[str, Form(max_length=300)] = ""
    back: Annotated[str, Form(max_length=300)] = ""

    @property
    def chosen(self) -> UUID:
        """Whom a coordinator chose.

        Raises
        ------
        NotFoundError
            Nobody was named.
        """
        if not self.member:
            raise NotFoundError("member", "that was chosen")
        return self.member


@router.get("")
def show_plan(
    desk: DeskDep, plan_id: UUID, sieve: SieveQuery, done: Deed | Literal[""] = ""
) -> HTMLResponse:
    """Show a plan, its lines narrowed by what the address says."""
    return _page(desk, service.get(desk.session, plan_id), sieve, done=done)


@router.post("")
def decide(desk: DeskDep, plan_id: UUID, decision: Annotated[Decision, Depends()]) -> Response:
    """Decide on lines, or say that the review is done, apply the plan, give it up."""
    sieve = Sieve.parse(decision.back)
    try:
        with desk.session.begin_nested():
            _DEEDS[decision.deed](desk.session, plan_id, decision)
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        plan = service.get(desk.session, plan_id)
        return _page(desk, plan, sieve, error=error, deed=decision.deed)
    answer = go(f"/contacts/plans/{plan_id}?{sieve.query(done=decision.deed)}")
    if decision.stairwell:
        answer.headers["location"] += f"#line-{decision.stairwell}"
    return answer


def _accept_one(session: ScopedSession, plan_id: UUID, decision: Decision) -> object:
    return service.accept(
        session, plan_id, stairwell_codes=[decision.stairwell], version=decision.version
    )


def _accept_compound(session: ScopedSession, plan_id: UUID, decision: Decision) -> object:
    return service.accept(
        session, plan_id, compound_code=decision.compound, version=decision.version
    )


def _reject(session: ScopedSession, plan_id: UUID, decision: Decision) -> object:
    return service.reject(
        session,
        plan_id,
        stairwell_codes=[decision.stairwell],
        reason="".join(letter for letter in decision.reason if letter.isprintable()).strip(),
        version=decision.version,
    )


def _override(session: ScopedSession, plan_id: UUID, decision: Decision) -> object:
    return service.override(
        session,
        plan_id,
        stairwell_code=decision.stairwell,
        member_id=decision.chosen,
        version=decision.version,
    )


_DEEDS: Mapping[Deed, Callable[[ScopedSession, UUID, Decision], object]] = {
    "accept": _accept_one,
    "accept-compound": _accept_compound,
    "accept-all": lambda session, plan_id, one: service.accept(
        session, plan_id, version=one.version
    ),
    "override": _override,
    "reject": _reject,
    "reopen": lambda session, plan_id, one: service.reopen(
        session, plan_id, stairwell_codes=[one.stairwell], version=one.version
    ),
    "review": lambda session, plan_id, one: service.finish(session, plan_id, version=one.version),
    "apply": lambda session, plan_id, one: service.apply(session, plan_id, version=one.version),
    "withdraw": lambda session, plan_id, one: service.withdraw(
        session, plan_id, version=one.version
    ),
}


def _page(
    desk: Desk,
    plan: Plan,
    sieve: Sieve,
    *,
    done: str = "",
    error: GridsvcError | None = None,
    deed: str = "",
) -> HTMLResponse:
    sieve = sieve.settled(plan)
    compounds = read_compounds(desk.session, plan.community_code)
    groups, following = read_groups(desk.session, plan, sieve, compounds)
    changes = changes_of(error)
    places = read_long_places(desk.session, {code for code, _ in changes if len(code) == 20})
    page = desk.show(
        "contacts_plan.html",
        error=error,
        section="plans",
        sentence=sentence_of(error, desk.say, deed=deed),
        outdated=outdated(changes, places, desk.say),
        plan=plan,
        is_open=plan.status in OPEN_STATUSES,
        place=desk.places().code_name(plan.community_code),
        groups=groups,
        following=following,
        sieve=sieve,
        back=sieve.query(),
        compounds=compounds,
        changes=CHANGES,
        tiers=TIERS,
        states=STATES,
        done=done,
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page


@router.get("/stairwells/{code}")
def show_line(
    desk: DeskDep,
    plan_id: UUID,
    code: StairwellCode,
    sieve: SieveQuery,
    from_script: FromScript = False,
) -> HTMLResponse:
    """Show why a stairwell gets whom it gets, and what can be decided instead."""
    session = desk.session
    plan = service.get(session, plan_id)
    line = service.get_line(session, plan_id, code)
    explained = None
    with suppress(NotFoundError):  # of a stairwell that has ended there is nothing to explain
        explained = service.explain_lines(session, plan_id, stairwell_codes=[code])
    offered = []
    if plan.status in OPEN_STATUSES and explained is not None:
        offered = candidates.list_candidates(session, plan_id, code)
    taken = {line.member_id, line.chosen.member_id if line.chosen else None}
    page = desk.show(
        "contacts_line_part.html" if from_script else "contacts_line.html",
        section="plans",
        plan=plan,
        is_open=plan.status in OPEN_STATUSES,
        place=desk.places().code_name(plan.community_code),
        row=row_of(line, read_long_places(session, [code]), {}),
        reason=explained.lines[0] if explained else None,
        has_changed=bool(explained and explained.has_changed),
        offered=[one for one in offered if one.member_id not in taken],
        back=sieve.query(),
        compound_code=code[:COMPOUND_DIGITS],
    )
    page.headers["Vary"] = "Cookie, HX-Request"
    page.headers["Cache-Control"] = "private, no-store"
    return page


@router.get("/shortages")
def show_shortages(
    desk: DeskDep,
    plan_id: UUID,
    one_more: Annotated[str, Query(pattern=r"^([0-9]{15})?$")] = "",
    from_script: FromScript = False,
) -> HTMLResponse:
    """Show which compounds lack people; of one of them, what one more member would save."""
    plan = service.get(desk.session, plan_id)
    saving = service.save_with_one_more(desk.session, plan_id, one_more) if one_more else None
    page = desk.show(
        "contacts_shortages_part.html" if from_script else "contacts_shortages.html",
        section="plans",
        plan=plan,
        place=desk.places().code_name(plan.community_code),
        short=service.list_shortages(desk.session, plan_id),
        compounds=read_compounds(desk.session, plan.community_code),
        saving=saving,
        homes=read_long_places(desk.session, [saving.home_stairwell_code]) if saving else {},
    )
    page.headers["Vary"] = "Cookie, HX-Request"
    return page


@router.post("/files/{format}")
def take_file(desk: DeskDep, plan_id: UUID, format: Literal["csv", "xlsx"]) -> Response:  # noqa: A002 - as the API names it
    """Return the plan as a table; that it was taken is noted."""
    answer = write_plan_file(desk.session, plan_id, format)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
