"""Tonight's routes as the frames that a map draws."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from geopandas import GeoDataFrame
from shapely import LineString, Point

from api.pages.text import Words
from geodata.crs import GEOGRAPHIC
from gridsvc.db import ScopedSession
from gridsvc.local_time import LOCAL_TIME
from gridsvc.patrols import service as patrols
from gridsvc.patrols.model import Route


def routes_of(
    session: ScopedSession,
    day: date,
    names: Mapping[int, str],
    *,
    community_code: int | None = None,
) -> list[Route]:
    """Return the routes of a day with their lines and stops, by community and team.

    Parameters
    ----------
    names
        Name of each community by its code: put before a team's name that others have too.
    """
    routes = [
        patrols.get_route(session, route.id)
        for route in patrols.list_day(session, day)
        if community_code in (None, route.community_code)
    ]
    times = Counter(route.team_name for route in routes)
    return [
        replace(route, team_name=f"{names.get(route.community_code, '')} {route.team_name}".strip())
        if times[route.team_name] > 1
        else route
        for route in routes
    ]


def route_frames(
    routes: Sequence[Route], say: Words
) -> tuple[GeoDataFrame, GeoDataFrame, GeoDataFrame]:
    """Return lines, stops and start posts as `maps.routes.routes_map` takes them; EPSG:4326."""
    lines = [(route.team_name, LineString(route.line)) for route in routes if route.line]
    stops = [
        (
            route.team_name,
            stop.position,
            stop.name,
            stop.arrives_at.astimezone(LOCAL_TIME),
            _reason(stop.facts, say),
            Point(stop.lon, stop.lat),
        )
        for route in routes
        for stop in route.stops
    ]
    posts = [(route.team_name, None, Point(route.post_lon, route.post_lat)) for route in routes]
    return (
        _frame(lines, ["team_name"]),
        _frame(stops, ["team_name", "sequence", "name", "arrival_at", "reason"]),
        _frame(posts, ["team_name", "name"]),
    )


def _reason(facts: dict[str, Any], say: Words) -> str:
    """Say what made a stop worth a visit."""
    reasons = []
    if facts.get("incident_count"):
        reasons.append(say("stop_incidents", n=facts["incident_count"]))
    if facts.get("hot_spot_z"):
        reasons.append(say("stop_hot"))
    return " · ".join(reasons) or say("stop_quiet")


def _frame(rows: list[Any], columns: list[str]) -> GeoDataFrame:
    return GeoDataFrame(rows, columns=[*columns, "geometry"], geometry="geometry", crs=GEOGRAPHIC)
