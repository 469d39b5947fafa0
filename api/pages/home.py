"""What the first page of each role shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pandas import Series

from api.deps import Language
from api.pages.text import ago, words_of
from api.pages.views import release_note
from geodata.categories import class_of
from gridsvc.access.model import STAFF_ROLES, Principal
from gridsvc.contacts import service as contacts
from gridsvc.db import ScopedSession
from gridsvc.incidents import service as incidents
from gridsvc.incidents.model import Incident
from gridsvc.incidents.service import HeatFilter
from gridsvc.local_time import local_today
from gridsvc.overview import service as overview
from gridsvc.overview.export_layers import PLANNER_LAYERS
from gridsvc.patrols import service as patrols
from gridsvc.territory import service as territory
from gridsvc.territory.model import Community, Compound

_LATEST = 6
_LONGEST_TABLE = 23
_ALL = 1_000_000
# The one for most people first.
FORMATS = ("gpkg", "geojson", "shp", "xlsx", "csv", "fgb", "parquet", "geojsons")


@dataclass(frozen=True)
class Place:
    """A row of the table of communities or compounds."""

    name: str
    href: str
    stairwell_count: int
    household_count: int | None
    uncovered_count: int


@dataclass(frozen=True)
class Latest:
    """An incident in the list of the newest."""

    category: str
    class_code: str
    summary: str
    status: str
    reported_at: datetime
    ago: str
    href: str


def read_home(session: ScopedSession, principal: Principal, language: Language) -> dict[str, Any]:
    """Return what the template of a role's first page needs; other roles need nothing yet."""
    if principal.role in STAFF_ROLES:
        return _staff(session, language)
    return _planner(session, language) if principal.role == "planner" else {}


def _staff(session: ScopedSession, language: Language) -> dict[str, Any]:
    tonight = patrols.list_day(session, local_today())
    routes = [route for route in tonight if route.stop_count]
    communities = territory.list_communities(session)
    uncovered = overview.read_uncovered(session, limit=_ALL)["code"]
    are_communities = len(communities) > 1
    return {
        "states": contacts.count_states(session),
        "incident_count": sum(incidents.count_by_class(session).values()),
        "routes": routes,
        "stop_count": sum(route.stop_count for route in routes),
        "walk_km": sum(route.distance_m for route in routes) / 1000,
        "are_communities": are_communities,
        "places": _worst_first(
            [_place(one, "community", uncovered) for one in communities]
            if are_communities
            else [
                _place(one, "compound", uncovered)
                for one in territory.list_compounds(session, limit=_ALL)
            ]
        ),
        "latest": _latest(session, language),
    }


def _worst_first(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda place: -place.uncovered_count)[:_LONGEST_TABLE]


def _place(area: Community | Compound, kind: str, uncovered: "Series[str]") -> Place:
    """Return an area with the number of uncovered stairwells whose code begins with its own."""
    return Place(
        name=area.name,
        href="/map?" + urlencode({"view": "coverage", kind: area.code}),
        stairwell_count=area.stairwell_count,
        household_count=area.household_count,
        uncovered_count=int(uncovered.str.startswith(str(area.code)).sum()),
    )


def _latest(session: ScopedSession, language: Language) -> list[Latest]:
    say = words_of(language)
    now = datetime.now(UTC)
    names = category_names(session, language)
    return [
        Latest(
            category=names[one.category_code],
            class_code=class_of(one.category_code),
            summary=one.summary,
            status=say(f"status_{one.status}"),
            reported_at=one.reported_at,
            ago=ago(one.reported_at, now, say),
            href=_map_of(one),
        )
        for one in incidents.list_incidents(session, limit=_LATEST)
    ]


def _map_of(incident: Incident) -> str:
    """Return the map at the stairwell or compound of an incident, else the whole map."""
    where = {"stairwell": incident.stairwell_code, "compound": incident.compound_code}
    known = {kind: code for kind, code in where.items() if code}
    return "/map?" + urlencode({"view": "coverage", **known})


def category_names(session: ScopedSession, language: Language) -> dict[str, str]:
    """Return the name of each category by its code, classes before their sub-categories."""
    return {
        one.code: one.name_zh if language == "zh" else one.name_en
        for one in incidents.list_categories(session)
    }


def _planner(session: ScopedSession, language: Language) -> dict[str, Any]:
    say = words_of(language)
    _, totals = incidents.read_heat(session, HeatFilter())
    communities = territory.list_communities(session)
    return {
        "totals": totals,
        "release_note": release_note(totals, say),
        "community_count": len(communities),
        "compound_count": sum(one.compound_count for one in communities),
        "stairwell_count": sum(one.stairwell_count for one in communities),
        "layers": [one for one in PLANNER_LAYERS if one != "heat" or totals.through],
        "formats": FORMATS,
    }
