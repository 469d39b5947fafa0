"""One incident: where it stands, what can be done next, and what happened to it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.incidents.telling import category_names, due_words, is_overdue, sentence_of
from api.pages.incidents.work import handler_step, handlers_of
from api.schemas.incident_life import StepKind
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.errors import GridsvcError, InvalidStepDetailError, NotFoundError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.model import NOTE_LENGTH
from gridsvc.incidents.parties import service as parties
from gridsvc.incidents.parties.model import Link
from gridsvc.overview import incidents as overview_incidents
from gridsvc.overview import service as overview
from gridsvc.territory import service as territory

router = APIRouter(
    prefix="/incidents", include_in_schema=False, default_response_class=HTMLResponse
)


@dataclass(frozen=True)
class Wish:
    """A step as a browser sends it; an empty field says nothing."""

    step: Annotated[StepKind, Form()]
    version: Annotated[int, Form(ge=1)]
    note: Annotated[str, Form(max_length=NOTE_LENGTH)] = ""
    handler: Annotated[str, Form(max_length=60)] = ""
    original: Annotated[str, Form(max_length=60)] = ""
    community: Annotated[str, Form(pattern=r"^([0-9]{12})?$")] = ""
    category: Annotated[str, Form(max_length=60)] = ""

    def wanted(self) -> Step:
        """Return the step that is meant.

        Raises
        ------
        InvalidStepDetailError
            It names nobody to hand to, or no incident.
        """
        handed = handler_step(self.handler) if self.step == "assign" else None
        return Step(
            self.step,
            note=self.note,
            account=handed.account if handed else None,
            party=handed.party if handed else None,
            original=self._original(),
            community_code=int(self.community) if self.community else None,
            category_code=self.category or None if self.step == "triage" else None,
        )

    def _original(self) -> UUID | None:
        if self.step != "mark_duplicate":
            return None
        try:
            # People copy the whole address of the other incident's page.
            return UUID(self.original.strip().rstrip("/").rpartition("/")[2])
        except ValueError:
            raise InvalidStepDetailError("Name the incident that tells of the same.") from None


@router.get("/{incident_id}")
def show_incident(desk: DeskDep, incident_id: UUID) -> HTMLResponse:
    """Show one incident."""
    return _page(desk, incident_id)


@router.post("/{incident_id}")
def make_step(desk: DeskDep, incident_id: UUID, wish: Annotated[Wish, Depends()]) -> Response:
    """Make a step, and show the incident as it is then."""
    try:
        with desk.session.begin_nested():
            overview_incidents.step(
                desk.session,
                incident_id,
                wish.wanted(),
                version=wish.version,
                stairwell_codes=overview.own_stairwells(desk.session),
            )
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _page(desk, incident_id, error=error, wish=wish)
    return go(f"/incidents/{incident_id}")


@router.post("/{incident_id}/link")
def make_link(desk: DeskDep, incident_id: UUID) -> Response:
    """Make a link for the party that it is handed to, and show it once."""
    try:
        link = parties.make_link(desk.session, incident_id)
    except NotFoundError:
        raise
    except GridsvcError as error:
        return _page(desk, incident_id, error=error)
    return _page(desk, incident_id, link=link)


def _page(
    desk: Desk,
    incident_id: UUID,
    *,
    error: GridsvcError | None = None,
    wish: Wish | None = None,
    link: Link | None = None,
) -> HTMLResponse:
    session = desk.session
    own = overview.own_stairwells(session)
    incident = incidents.get(session, incident_id, stairwell_codes=own)
    events = life.list_events(session, incident_id, stairwell_codes=own)
    is_staff = desk.principal.role in STAFF_ROLES
    accounts = {one.actor_account for one in events} | {incident.handler_account}
    handlers = handlers_of(desk, incident.community_code) if is_staff else []
    page = desk.show(
        "incident.html",
        error=error,
        sentence=sentence_of(error, desk.say),
        incident=incident,
        events=events,
        steps=life.possible_steps(session, incident),
        duplicates=life.list_duplicates(session, incident),
        names=category_names(session, desk.language),
        people=access.names_of(session, [one for one in accounts if one is not None]),
        handlers=handlers,
        party_names={value: name for value, name, _ in handlers},
        places=territory.list_community_names(session) if is_staff else [],
        place=desk.places().code_name(incident.community_code),
        due=due_words(incident, desk.language),
        is_overdue=is_overdue(incident),
        is_staff=is_staff,
        wish=wish,
        link=f"{desk.settings.public_origin}/handed#{link.token}" if link else "",
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page
