"""Coverage: on the map who has a contact, and as a list where nobody can be asked today."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.pages.contacts.lines import read_long_places
from api.pages.desk import Desk, DeskDep
from api.pages.files import with_version
from api.pages.panel import Selection
from api.pages.shell import new_nonce
from api.pages.views import read_view
from api.schemas.paging import Cursor, decode_cursor, encode_cursor
from api.schemas.territory import CommunityCode
from geodata.codes import COMPOUND_DIGITS
from gridsvc.contacts import service as contacts
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.duty.model import DutyFilter
from gridsvc.contacts.model import TIERS
from gridsvc.errors import NotFoundError
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory
from maps.page import parts

router = APIRouter(
    prefix="/contacts/coverage", include_in_schema=False, default_response_class=HTMLResponse
)

PAGE_LENGTH = 50
_ALL = 1_000_000
OfCommunity = Annotated[CommunityCode | Literal[""], Query(alias="community")]


@router.get("")
def show_coverage(desk: DeskDep, chosen: OfCommunity = "", cursor: Cursor = None) -> HTMLResponse:
    """Show the map of contacts, how near they live, and the stairwells that nobody looks after."""
    session = desk.session
    community = chosen or None
    communities = territory.list_communities(session)
    if community is not None and community not in {one.code for one in communities}:
        raise NotFoundError("community", community)
    after = (decode_cursor(cursor, parts=1) or ("",))[0]
    alerts = duty.list_alerts(session, community_code=community, after=after, limit=PAGE_LENGTH + 1)
    shown = alerts[:PAGE_LENGTH]
    nonce = new_nonce()
    view = read_view(session, "coverage", Selection(desk.language, community))
    drawn = parts(view.page, nonce=nonce)
    page = desk.show(
        "contacts_coverage.html",
        nonce=nonce,
        section="coverage",
        map_header=with_version(drawn.header),
        map_body=drawn.body,
        map_script=drawn.script,
        headline=view.headline,
        detail=view.detail,
        box=view.box,
        counts=contacts.count_states(session, community_code=community),
        tiers=_tiers(desk, community),
        alerts=shown,
        alert_count=len(duty.list_alerts(session, community_code=community, limit=_ALL)),
        places=read_long_places(session, [one.stairwell_code for one in shown]),
        compounds=_compounds(desk, community),
        communities=communities,
        community=community,
        following=encode_cursor(shown[-1].stairwell_code) if len(alerts) > PAGE_LENGTH else "",
        is_first=cursor is None,
        today=local_today(),
        digits=COMPOUND_DIGITS,
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page


def _tiers(desk: Desk, community: int | None) -> Mapping[str, int]:
    """Return how many stairwells are led from how near."""
    wanted = DutyFilter(community_code=community, kind="lead")
    found = Counter(one.tier for one in duty.list_in_force(desk.session, wanted, limit=_ALL))
    return {tier: found[tier] for tier in TIERS}


def _compounds(desk: Desk, community: int | None) -> list[tuple[str, str]]:
    """Return code and name of the compounds whose notices can be printed."""
    found = territory.list_compounds(desk.session, community_code=community, limit=_ALL)
    return [(one.code, one.name) for one in found]
