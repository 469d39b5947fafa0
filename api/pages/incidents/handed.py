"""What a party without an account is handed: one incident, by its link, on any phone."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from api.deps import DatabaseDep, Language, LanguageDep
from api.errors import status_of
from api.pages.incidents.telling import due_words, sentence_of
from api.pages.shell import render
from api.pages.text import words_of
from api.schemas.incident_life import PartyStepKind
from geodata.categories import load_categories
from gridsvc.db import Database
from gridsvc.errors import GridsvcError, InvalidLinkError
from gridsvc.incidents.life.model import Event, Step
from gridsvc.incidents.model import NOTE_LENGTH, Incident
from gridsvc.overview import incidents as overview_incidents

router = APIRouter(prefix="/handed", include_in_schema=False, default_response_class=HTMLResponse)

_STEPS: dict[str, tuple[str, ...]] = {
    "assigned": ("start", "resolve", "answer", "hang", "hand_back"),
    "in_progress": ("resolve", "answer", "hang", "hand_back"),
}
_ALWAYS = ("answer",)


@router.get("")
def show_entrance(request: Request, language: LanguageDep) -> HTMLResponse:
    """Take the token from behind the # of the address, which never reaches us by itself."""
    return _show(request, language, token="")


@router.post("")
def show_handed(
    request: Request,
    database: DatabaseDep,
    language: LanguageDep,
    code: Annotated[str, Form(max_length=120)] = "",
    step: Annotated[PartyStepKind | Literal[""], Form()] = "",
    note: Annotated[str, Form(max_length=NOTE_LENGTH)] = "",
) -> HTMLResponse:
    """Show the incident of a link, after the step that was asked for, if any."""
    error: GridsvcError | None = None
    try:
        if step:
            wanted = Step(step, note=note, by="party")
            overview_incidents.make_handed_step(database, code, wanted)
    except InvalidLinkError as invalid:
        return _show(request, language, token="", error=invalid)
    except GridsvcError as refused:
        error = refused
    return _show(request, language, token=code, database=database, error=error, note=note)


def _show(
    request: Request,
    language: Language,
    *,
    token: str,
    database: Database | None = None,
    error: GridsvcError | None = None,
    note: str = "",
) -> HTMLResponse:
    say = words_of(language)
    incident: Incident | None = None
    events: list[Event] = []
    if database is not None:
        try:
            incident, events = overview_incidents.read_handed(database, token)
        except InvalidLinkError as invalid:
            error = invalid
    is_invalid = isinstance(error, InvalidLinkError)
    names = {
        one.code: one.name_zh if language == "zh" else one.name_en for one in load_categories()
    }
    page = render(
        request,
        "handed.html",
        language,
        None,
        status=status_of(error) if error else HTTPStatus.OK,
        sentence=say("handed_invalid") if is_invalid else sentence_of(error, say),
        token=token if incident else "",
        incident=incident,
        events=events,
        names=names,
        steps=_STEPS.get(incident.status, _ALWAYS) if incident else (),
        due=due_words(incident, language) if incident else "",
        note=note if error else "",
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page
