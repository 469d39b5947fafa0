"""Handing over: a member leaves or is away, and one form finds the smallest good change."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from api.pages.contacts.faults import sentence_of
from api.pages.contacts.lines import read_long_places
from api.pages.contacts.own import last_day
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.routes.contact_plans import defaults_of
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.duty.model import DutyFilter
from gridsvc.contacts.plans import service as plans
from gridsvc.errors import GridsvcError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.people.model import ABSENCE_KINDS
from gridsvc.people.register import service as register

router = APIRouter(
    prefix="/contacts/hand-over", include_in_schema=False, default_response_class=HTMLResponse
)

_MOST = 1000
_DAY = timedelta(days=1)
Day = Annotated[date | Literal[""], Form()]


@dataclass(frozen=True)
class HandOver:
    """Who takes over from when to when, as a browser sends it; the last day may be open."""

    first_day: Day = ""
    last_day: Day = ""
    absence: Annotated[Literal["", "leave", "moved", "ill", "other"], Form()] = ""
    at_once: Annotated[bool, Form()] = False

    @property
    def until(self) -> date | None:
        """The day on which the member is back."""
        return self.last_day + _DAY if self.last_day else None


@router.get("/{member_id}")
def show_hand_over(desk: DeskDep, member_id: UUID) -> HTMLResponse:
    """Show what a member looks after, and ask from when to when others shall."""
    back_on = register.get(desk.session, member_id).listed.absent_until
    form = HandOver(first_day=local_today())
    if back_on:
        form = HandOver(first_day=local_today(), last_day=last_day(back_on))
    return _page(desk, member_id, form)


@router.post("/{member_id}")
def hand_over(desk: DeskDep, member_id: UUID, form: Annotated[HandOver, Depends()]) -> Response:
    """Find others for a member's stairwells; the answer is a plan of these."""
    try:
        with desk.session.begin_nested():
            plan = plans.hand_over(
                desk.session,
                member_id,
                from_on=form.first_day or None,
                until=form.until,
                absence=form.absence or None,
                options=defaults_of(desk.settings),
                is_applied=form.at_once,
            )
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _page(desk, member_id, form, error=error)
    return go(f"/contacts/plans/{plan.id}", state="all", done="apply" if form.at_once else "")


def _page(
    desk: Desk, member_id: UUID, form: HandOver, *, error: GridsvcError | None = None
) -> HTMLResponse:
    member = register.get(desk.session, member_id).listed
    wanted = DutyFilter(member_id=member.member_id)
    found = duty.list_in_force(desk.session, wanted, limit=_MOST)
    page = desk.show(
        "contacts_hand_over.html",
        error=error,
        section="coverage",
        sentence=sentence_of(error, desk.say, deed="hand-over"),
        one=member,
        place=desk.places().code_name(member.community_code),
        duties=found,
        places=read_long_places(desk.session, {one.stairwell_code for one in found}),
        form=form,
        today=local_today(),
        absence_kinds=ABSENCE_KINDS,
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page
