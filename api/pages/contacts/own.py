"""The own stairwells of whoever is contact: households, the others who help, since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.contacts.lines import read_long_places
from api.pages.desk import DeskDep
from gridsvc.access.model import STAFF_ROLES
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.duty.model import Duty, DutyFilter, OwnStairwell
from gridsvc.db import ScopedSession, scope_of

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_MOST_OTHERS = 50


@dataclass(frozen=True)
class Home:
    """A stairwell that the caller is contact of, with the others who are."""

    own: OwnStairwell
    place: str
    others: Sequence[Duty]


@router.get("/my-stairwells")
def show_own_stairwells(desk: DeskDep) -> HTMLResponse:
    """Show the stairwells that the caller is contact of today."""
    session = desk.session
    own = duty.list_own(session)
    places = read_long_places(session, [one.stairwell_code for one in own])
    homes = [
        Home(one, places.get(one.stairwell_code, one.stairwell_code), _others(session, one))
        for one in own
    ]
    return desk.show(
        "contacts_own.html",
        homes=homes,
        households=sum(
            one.own.household_count if one.own.kind == "lead" else one.own.households or 0
            for one in homes
        ),
        sees_others=scope_of(session).role in STAFF_ROLES,
        last_day=last_day,
    )


def _others(session: ScopedSession, own: OwnStairwell) -> list[Duty]:
    """Return who else is contact of a stairwell, as far as the database lets the caller see."""
    wanted = DutyFilter(stairwell_code=own.stairwell_code)
    found = duty.list_in_force(session, wanted, limit=_MOST_OTHERS)
    return [one for one in found if one.member_id != scope_of(session).person]


def last_day(end: date) -> date:
    """Return the last day of what ends before a day."""
    return end - timedelta(days=1)
