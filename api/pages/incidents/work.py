"""Work lists: what waits for whom, the oldest first; and handing over many at once."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query
from fastapi.responses import HTMLResponse, Response

from api.pages.desk import Desk, DeskDep
from api.pages.incidents.telling import (
    category_names,
    classes_of,
    due_words,
    is_overdue,
    sentence_of,
)
from api.schemas.incident_life import Level, WorkList
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from api.schemas.territory import CommunityCode
from geodata.writers.formats import FORMATS
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.errors import GridsvcError, InvalidStepDetailError
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.lists import files
from gridsvc.incidents.lists import service as lists
from gridsvc.incidents.lists.model import LISTS, Assigned, Chosen, WorkFilter
from gridsvc.incidents.parties import service as parties
from gridsvc.overview import incidents as overview_incidents
from gridsvc.overview import service as overview

router = APIRouter(
    prefix="/incidents", include_in_schema=False, default_response_class=HTMLResponse
)

PAGE_LENGTH = 50
Empty = Literal[""]
OfClass = Annotated[str, Query(alias="class", pattern="^[a-z_]{0,40}$")]
OfCompound = Annotated[str, Query(pattern=r"^([0-9]{15})?$")]


@dataclass(frozen=True)
class Wanted:
    """The filters of a work list, as an address holds them; an empty one says nothing."""

    list: Annotated[WorkList, Query()] = "unassigned"
    community: Annotated[CommunityCode | Empty, Query()] = ""
    compound: OfCompound = ""
    class_code: OfClass = ""
    level: Annotated[Level | Empty, Query()] = ""

    def filter(self) -> WorkFilter:
        """Return it as the service takes it."""
        return WorkFilter(
            self.list,
            community_code=self.community or None,
            compound_code=self.compound or None,
            class_code=self.class_code or None,
            level=self.level or None,
        )

    def query(self) -> dict[str, str]:
        """Return it as an address says it, but for the list."""
        told = {
            "community": str(self.community),
            "compound": self.compound,
            "class": self.class_code,
            "level": self.level,
        }
        return {name: value for name, value in told.items() if value}


WantedDep = Annotated[Wanted, Depends()]


@router.get("")
def show_work(desk: DeskDep, wanted: WantedDep, cursor: Cursor = None) -> HTMLResponse:
    """Show one work list, its number before all."""
    return _page(desk, wanted, cursor=cursor)


@router.get("/files/{format}")
def write_list(
    desk: DeskDep,
    wanted: WantedDep,
    format_name: Annotated[Literal["csv", "xlsx"], Path(alias="format")],
) -> Response:
    """Return the list as a file, in which no words and no names of people are."""
    made = files.write_file(desk.session, wanted.filter(), format_name)
    name = f"incidents-{wanted.list}.{format_name}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Response(made, media_type=FORMATS[format_name].media_type, headers=headers)


@router.post("")
def assign_chosen(
    desk: DeskDep,
    wanted: WantedDep,
    chosen: Annotated[list[str], Form(max_length=lists.MOST_AT_ONCE)] = [],  # noqa: B006 - a form
    handler: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Hand over the chosen incidents; the page says of each that was not handed over why."""
    try:
        step = handler_step(handler)
        picked = [_chosen(one) for one in chosen]
    except GridsvcError as error:
        return _page(desk, wanted, error=error)
    done = lists.assign_many(desk.session, picked, step, on_event=overview_incidents.LISTENERS)
    return _page(desk, wanted, done=done)


def handler_step(handler: str) -> Step:
    """Return the step that hands over, by what a form's list of handlers says.

    Raises
    ------
    InvalidStepDetailError
        It names nobody.
    """
    kind, _, value = handler.partition(":")
    try:
        handler_id = UUID(value)
    except ValueError:
        raise InvalidStepDetailError("Choose somebody to hand it to.") from None
    if kind == "party":
        return Step("assign", party=handler_id)
    return Step("assign", account=handler_id)


def _chosen(text: str) -> Chosen:
    incident_id, _, version = text.partition(" ")
    try:
        return Chosen(UUID(incident_id), int(version))
    except ValueError:
        raise InvalidStepDetailError("Choose incidents of the list.") from None


def handlers_of(desk: Desk, community_code: int) -> list[tuple[str, str, str]]:
    """Return value, name and kind of whoever an incident of a community can be handed to."""
    accounts = [
        (f"account:{account_id}", name, f"role_{role}")
        for account_id, name, role in access.list_field_accounts(desk.session, community_code)
    ]
    known = parties.list_parties(desk.session, community_code=community_code)
    return accounts + [(f"party:{one.id}", one.name, f"party_{one.kind}") for one in known]


def _page(
    desk: Desk,
    wanted: Wanted,
    *,
    cursor: str | None = None,
    error: GridsvcError | None = None,
    done: list[Assigned] | None = None,
) -> HTMLResponse:
    session = desk.session
    own = overview.own_stairwells(session)
    found = lists.list_work(
        session,
        wanted.filter(),
        stairwell_codes=own,
        after=decode_time_cursor(cursor),
        limit=PAGE_LENGTH + 1,
    )
    shown = found[:PAGE_LENGTH]
    communities = {one.community_code for one in shown}
    # Handlers are of one community: many can be handed over where the list shows one.
    can_assign = desk.principal.role in STAFF_ROLES and len(communities) == 1
    places = desk.places()
    values: dict[str, Any] = {
        "counts": lists.count_lists(
            session, community_code=wanted.community or None, stairwell_codes=own
        ),
        "following": _following(wanted, shown) if len(found) > PAGE_LENGTH else "",
        "handlers": handlers_of(desk, communities.pop()) if can_assign else [],
        "refused": [one for one in done or [] if one.error_code],
        "assigned": None if done is None else sum(one.error_code is None for one in done),
    }
    page = desk.show(
        "incidents.html",
        error=error,
        sentence=sentence_of(error, desk.say),
        wanted=wanted,
        query=wanted.query(),
        lists=LISTS,
        counted_to=lists.COUNTED_TO,
        incidents=shown,
        names=category_names(session, desk.language),
        classes=classes_of(session),
        communities=[one for one in places.choices() if not one.is_whole],
        place_names={one.community_code: places.code_name(one.community_code) for one in shown},
        due={one.id: due_words(one, desk.language) for one in shown},
        overdue={one.id for one in shown if is_overdue(one)},
        is_staff=desk.principal.role in STAFF_ROLES,
        is_first=cursor is None,
        **values,
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page


def _following(wanted: Wanted, shown: list[Any]) -> str:
    last = shown[-1]
    return encode_cursor(lists.order_of(wanted.list, last).isoformat(), str(last.id))
