"""The map's views: each reads through services and answers one question in words, list and map."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import folium
from pandas import Series

from api.pages.evening import route_frames, routes_of
from api.pages.panel import Area, Item, Selection, View
from api.pages.shares import share_among
from api.pages.text import Words, clock
from geodata.privacy import K
from gridsvc.access.model import Principal
from gridsvc.contacts import service as contacts
from gridsvc.db import ScopedSession, scope_of
from gridsvc.errors import RoleNotAllowedError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.model import HeatTotals
from gridsvc.incidents.service import HeatFilter
from gridsvc.local_time import local_today
from gridsvc.overview import service as overview
from gridsvc.patrols.model import Route
from gridsvc.territory import service as territory
from gridsvc.territory.model import Community
from maps.base import base_map
from maps.coverage import coverage_map
from maps.elements import GridMap
from maps.heat import heat_map
from maps.legend import search
from maps.routes import routes_map

ViewName = Literal["coverage", "heat", "routes", "territory"]
# The views of each role that may open the map, the first one first.
VIEWS: Mapping[str, tuple[ViewName, ...]] = {
    "coordinator": ("coverage", "heat", "routes"),
    "administrator": ("coverage", "heat", "routes"),
    "patrol": ("routes", "heat"),
    "planner": ("heat", "territory"),
}

_COMPOUND_DIGITS = 15

# A territory without any plan has nobody anywhere: thousands of marks would say no more than the
# colour of the stairwells does.
_MOST_MARKS = 500
_ALL = 1_000_000


def read_view(session: ScopedSession, view: ViewName, selection: Selection) -> View:
    """Return a view of the caller's territory.

    Raises
    ------
    NotFoundError
        The caller's territory has no such community or compound.
    RoleNotAllowedError
        The view is not for the caller's role.
    """
    role = scope_of(session).role
    if view not in VIEWS.get(role, ()):
        raise RoleNotAllowedError(role)
    area = Area.of(session, selection)
    box = area.box()
    page, headline, detail, list_title, items = _READERS[view](area)
    return View(page, headline, detail, area.say(list_title), items, box)


_Read = tuple[GridMap, str, str, str, Sequence[Item]]


def _coverage(area: Area) -> _Read:
    code = area.selection.community_code
    say = area.say
    counts = contacts.count_states(area.session, community_code=code)
    uncovered = overview.read_uncovered(area.session, limit=_ALL)
    if code is not None:
        uncovered = uncovered[uncovered["code"].str.startswith(str(code))]
    page = coverage_map(
        area.ground,
        counts=counts,
        uncovered=uncovered if len(uncovered) <= _MOST_MARKS else None,
    )
    lacking = uncovered["code"].str[:_COMPOUND_DIGITS].value_counts()
    items = area.items(lacking, partial(_lacking, say))
    detail = say("overloaded_detail", n=counts["overloaded"]) if counts["overloaded"] else ""
    return page, _coverage_headline(counts, say), detail, "compounds_worst_first", items


def _coverage_headline(counts: dict[str, int], say: Words) -> str:
    total = sum(counts.values())
    if total == 0:
        return say("no_stairwells_headline")
    if counts["uncovered"] == 0:
        return say("covered_headline", total=total)
    return say("uncovered_headline", n=counts["uncovered"], total=total)


def _lacking(say: Words, count: int) -> tuple[str, str]:
    if count:
        return say("lacking", n=count), "missing"
    return say("nothing_lacking"), "fine"


def _heat(area: Area) -> _Read:
    say = area.say
    chosen = HeatFilter(community_code=area.selection.community_code)
    cells, totals = incidents.read_heat(area.session, chosen)
    withheld = totals.withheld or 0
    page = heat_map(
        cells,
        area.ground,
        total=totals.shown + withheld,
        withheld=withheld,
        least_shown=K if totals.through else None,
    )
    items = area.items(share_among(cells, area.chosen), partial(_about, say))
    headline = say("heat_empty_headline")
    if len(cells):
        most = int(cells["incident_count"].max())
        headline = say("heat_headline", n=totals.shown, total=totals.shown, most=most)
    detail = release_note(totals, say) if totals.through else say("heat_detail_all")
    return page, headline, detail, "compounds_busiest_first", items


def release_note(totals: HeatTotals, say: Words) -> str:
    """Say up to when a release counts, and how much it holds back."""
    month = f"{totals.through:%Y-%m}" if totals.through else ""
    if totals.withheld is None:
        return say("heat_through_few", month=month)
    if totals.withheld == 0:
        return say("heat_through_all", month=month)
    return say("heat_through", month=month, n=totals.withheld)


def _about(say: Words, count: int) -> tuple[str, str]:
    return (say("incident_count", n=count) if count else "", "")


def _routes(area: Area) -> _Read:
    say = area.say
    today = local_today()
    names = dict(zip(area.communities["code"], area.communities["name"], strict=True))
    routes = routes_of(area.session, today, names, community_code=area.selection.community_code)
    lines, stops, posts = route_frames(routes, say)
    page = routes_map(lines, stops, area.ground, posts=posts)
    search("compounds").add_to(page)
    busy = [route for route in routes if route.stop_count]
    idle = [route for route in routes if not route.stop_count]
    headline = say("routes_none_headline")
    if busy:
        headline = say("routes_headline", n=len(busy), stops=len(stops))
    items = [_team(route, say) for route in (*busy, *idle)]
    return page, headline, _routes_detail(busy, idle, say), "routes_list", items


def _routes_detail(busy: Sequence[Route], idle: Sequence[Route], say: Words) -> str:
    facts = []
    if any(route.network == "straight" for route in busy):
        facts.append(say("routes_straight"))
    if idle:
        facts.append(say("routes_idle", n=len(idle)))
    return " · ".join(facts)


def _team(route: Route, say: Words) -> Item:
    lons, lats = zip(*(route.line or ((route.post_lon, route.post_lat),)), strict=True)
    note = say(
        "route_note" if route.stop_count else "route_idle",
        start=clock(route.starts_at),
        end=clock(route.ends_at),
        stops=route.stop_count,
        km=route.distance_m / 1000,
    )
    return Item(
        label=route.team_name,
        note=note,
        count="",
        box=(min(lons), min(lats), max(lons), max(lats)),
        team=route.team_name,
        download=f"/api/v1/patrols/routes/{route.id}?f=gpx" if route.stop_count else "",
    )


def _territory(area: Area) -> _Read:
    page = base_map(area.ground)
    search("compounds").add_to(page)
    folium.LayerControl(position="topright").add_to(page)
    code = area.selection.community_code
    listed = territory.list_communities(area.session)
    communities = [one for one in listed if code in (None, one.code)]
    headline = territory_headline(communities, area.say)
    households = sum(one.household_count for one in communities)
    detail = area.say("territory_detail", households=households)
    items = area.items(Series(dtype="int64"), lambda _: ("", ""))
    return page, headline, detail, "compounds_by_name", items


def territory_headline(communities: Sequence[Community], say: Words) -> str:
    """Say how much the communities hold."""
    return say(
        "territory_headline",
        n=len(communities),
        compounds=sum(one.compound_count for one in communities),
        stairwells=sum(one.stairwell_count for one in communities),
    )


_READERS: dict[ViewName, Callable[[Area], _Read]] = {
    "coverage": _coverage,
    "heat": _heat,
    "routes": _routes,
    "territory": _territory,
}


def views_of(principal: Principal) -> tuple[ViewName, ...]:
    """Return the views that a role is offered, the first one first."""
    return VIEWS[principal.role]
