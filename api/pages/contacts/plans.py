"""Plans of household contacts: have some proposed, and see which there are."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from api.pages.contacts.faults import sentence_of
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.routes.contact_plans import defaults_of
from api.schemas.paging import Cursor, decode_uuid_cursor, encode_cursor
from api.schemas.territory import CommunityCode
from gridsvc.contacts import service as contacts
from gridsvc.contacts.model import PlanOptions
from gridsvc.contacts.plans import jobs, service
from gridsvc.db import scope_of
from gridsvc.errors import GridsvcError, NotFoundError
from gridsvc.settings import Settings

router = APIRouter(prefix="/contacts", include_in_schema=False, default_response_class=HTMLResponse)

PAGE_LENGTH = 20
SECONDS = (10, 60, 180)
"""How long a solve may look for something better: what the form offers."""

Empty = Literal[""]


@dataclass(frozen=True)
class Wish:
    """What a plan is to be like, as a browser sends it; an empty field says nothing."""

    community: Annotated[CommunityCode | Empty, Form()] = ""
    change_at_most: Annotated[Annotated[int, Form(ge=0, le=100_000)] | Empty, Form()] = ""
    mode: Annotated[Literal["balanced", "strict"], Form()] = "balanced"
    party_first: Annotated[bool, Form()] = False
    seconds: Annotated[int, Form(ge=1, le=300)] = SECONDS[1]

    def options(self, settings: Settings) -> PlanOptions:
        """Return it as the service takes it."""
        most = None if self.change_at_most == "" else self.change_at_most
        defaults = vars(defaults_of(settings))
        given = {"change_at_most": most, "mode": self.mode, "party_first": self.party_first}
        return PlanOptions(**(defaults | given))


@router.get("")
def show_plans(
    desk: DeskDep,
    community: CommunityCode | Empty = "",
    job: UUID | Empty = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Show the plans of the caller's territory, the newest first, and the form for a new one."""
    return _page(desk, Wish(party_first=True), community=community, job=job, cursor=cursor)


@router.post("")
def propose(desk: DeskDep, wish: Annotated[Wish, Depends()]) -> Response:
    """Ask for plans; a worker makes them, and the page shows how far it is."""
    try:
        with desk.session.begin_nested():
            jobs.is_long(
                desk.session,
                community_code=wish.community or None,
                time_limit_s=float(wish.seconds),
            )
            job_id = jobs.defer_proposal(
                desk.session,
                community_code=wish.community or None,
                time_limit_s=float(wish.seconds),
                seed=0,
                options=wish.options(desk.settings),
            )
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _page(desk, wish, error=error)
    return go("/contacts", job=str(job_id))


def _page(
    desk: Desk,
    wish: Wish,
    *,
    community: int | Empty = "",
    job: UUID | Empty = "",
    cursor: str | None = None,
    error: GridsvcError | None = None,
) -> HTMLResponse:
    plans = service.list_plans(
        desk.session,
        community_code=community or None,
        before=decode_uuid_cursor(cursor),
        limit=PAGE_LENGTH + 1,
    )
    shown = plans[:PAGE_LENGTH]
    places = desk.places()
    communities = [one for one in places.choices() if not one.is_whole]
    following = encode_cursor(str(shown[-1].id)) if len(plans) > PAGE_LENGTH else ""
    return desk.show(
        "contacts.html",
        error=error,
        section="plans",
        sentence=sentence_of(error, desk.say, deed="propose"),
        wish=wish,
        seconds=SECONDS,
        plans=shown,
        places={one.community_code: places.code_name(one.community_code) for one in shown},
        communities=communities,
        has_whole=len(scope_of(desk.session).intervals) == 1 and len(communities) > 1,
        community=community,
        job=job,
        following=following,
        is_first=cursor is None,
        states=contacts.count_states(desk.session),
    )
