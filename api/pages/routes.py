"""The pages: what to do today, the map, the results, and the way in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.deps import (
    DatabaseDep,
    LanguageDep,
    PrincipalDep,
    SessionDep,
    TokenDep,
    VisitorDep,
    allow_development_login,
)
from api.pages import home
from api.pages.files import with_version
from api.pages.panel import Selection
from api.pages.shell import new_nonce, own_path, render
from api.pages.views import ViewName, read_view, views_of
from api.routes import access
from api.routes.access import SignInIn
from api.schemas.territory import CommunityCode
from gridsvc.errors import NotSignedInError
from gridsvc.overview import service as overview
from gridsvc.territory import service as territory
from maps.page import parts

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

NextPath = Annotated[str | None, Query(alias="next", max_length=500)]
CompoundQuery = Annotated[str | None, Query(pattern=r"^[0-9]{15}$")]
_AFTER_LOGIN = "/map"
_HOMES: Mapping[str, str] = {
    "coordinator": "home.html",
    "administrator": "home.html",
    "planner": "planner.html",
}


@router.get("/login")
def show_login(
    request: Request, visitor: VisitorDep, language: LanguageDep, next_path: NextPath = None
) -> HTMLResponse:
    """Show the field for the login code; a code behind # is taken by the page's script."""
    goal = own_path(next_path, default=_AFTER_LOGIN)
    return render(request, "login.html", language, visitor, goal=goal, is_wrong=False)


@router.post("/login", dependencies=[Depends(allow_development_login)])
def submit_login(
    request: Request,
    database: DatabaseDep,
    language: LanguageDep,
    code: Annotated[str, Form(max_length=100)] = "",
    next_path: Annotated[str | None, Form(alias="next", max_length=500)] = None,
) -> Response:
    """Sign in from the form itself, for browsers without scripts."""
    goal = own_path(next_path, default=_AFTER_LOGIN)
    answer = RedirectResponse(goal, status_code=HTTPStatus.SEE_OTHER)
    try:
        access.sign_in(database, SignInIn(code=code.strip()), answer)
    except (NotSignedInError, ValidationError):
        return render(
            request,
            "login.html",
            language,
            None,
            status=HTTPStatus.UNAUTHORIZED,
            goal=goal,
            is_wrong=True,
        )
    return answer


@router.post("/logout")
def submit_logout(database: DatabaseDep, token: TokenDep) -> Response:
    """Sign out, and show the login page."""
    answer = RedirectResponse("/login", status_code=HTTPStatus.SEE_OTHER)
    if token is not None:
        access.sign_out(database, token, answer)
    return answer


@router.get("/")
def show_home(
    request: Request, session: SessionDep, principal: PrincipalDep, language: LanguageDep
) -> HTMLResponse:
    """Show what to do today: for coordinators what is missing, for planners what to take."""
    values = home.read_home(session, principal, language)
    template = _HOMES.get(principal.role, "other.html")
    return render(request, template, language, principal, **values)


@router.get("/map")
def show_map(
    request: Request,
    session: SessionDep,
    principal: PrincipalDep,
    language: LanguageDep,
    view: ViewName | None = None,
    community: CommunityCode | None = None,
    compound: CompoundQuery = None,
) -> HTMLResponse:
    """Show the map with the answer to one question beside it."""
    offered = views_of(principal)
    chosen = view or offered[0]
    shown = read_view(session, chosen, Selection(language, community, compound))
    nonce = new_nonce()
    made = parts(shown.page, nonce=nonce)
    return render(
        request,
        "map.html",
        language,
        principal,
        nonce=nonce,
        map_header=with_version(made.header),
        map_body=made.body,
        map_script=made.script,
        view=shown,
        view_name=chosen,
        views=offered,
        community=community,
        communities=territory.list_communities(session),
    )


@router.get("/results")
def show_results(
    request: Request, session: SessionDep, principal: PrincipalDep, language: LanguageDep
) -> HTMLResponse:
    """Show what has been reached, counted at this moment."""
    return render(
        request,
        "results.html",
        language,
        principal,
        results=overview.read_results(session),
        names=home.category_names(session, language),
        now=datetime.now(UTC),
    )
