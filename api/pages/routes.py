"""The pages: what to do today, the map, the results; and all others, gathered."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.deps import LanguageDep, PrincipalDep, SessionDep
from api.ogc.endpoints import PREFIX, base_url
from api.pages import (
    account,
    home,
    invited,
    inviting,
    job,
    member,
    members,
    members_import,
    office_accounts,
    rules_page,
    second_step,
    signing_in,
    territory_office,
    trail,
)
from api.pages.contacts import ROUTERS as CONTACT_ROUTERS
from api.pages.files import with_version
from api.pages.incidents import ROUTERS as INCIDENT_ROUTERS
from api.pages.notices import ROUTERS as NOTICE_ROUTERS
from api.pages.panel import Selection
from api.pages.reporting import ROUTERS as REPORTING_ROUTERS
from api.pages.shell import new_nonce, render
from api.pages.views import ViewName, read_view, views_of
from api.schemas.territory import CommunityCode
from gridsvc.overview import service as overview
from gridsvc.territory import service as territory
from maps.page import parts

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
for part in (
    *(signing_in, second_step, invited, account),
    *(office_accounts, inviting, territory_office, trail, rules_page, job),
    *(members, members_import, member),  # the last one takes every id
):
    router.include_router(part.router)
# Incidents come last: one of their pages takes every id.
for own_router in (*CONTACT_ROUTERS, *NOTICE_ROUTERS, *REPORTING_ROUTERS, *INCIDENT_ROUTERS):
    router.include_router(own_router)

CompoundQuery = Annotated[str | None, Query(pattern=r"^[0-9]{15}$")]
_HOMES: Mapping[str, str] = {
    "coordinator": "home.html",
    "administrator": "home.html",
    "planner": "planner.html",
}


@router.get("/")
def show_home(
    request: Request, session: SessionDep, principal: PrincipalDep, language: LanguageDep
) -> HTMLResponse:
    """Show what to do today: for coordinators what is missing, for planners what to take."""
    values = home.read_home(session, principal, language)
    template = _HOMES.get(principal.role, "other.html")
    ogc_url = f"{base_url(request)}{PREFIX}"
    return render(request, template, language, principal, ogc_url=ogc_url, **values)


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
