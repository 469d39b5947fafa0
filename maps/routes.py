"""The map of patrol routes: where each team walks, in which order, and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import folium
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geodata.crs import local_metric_crs
from maps import palette
from maps.base import Ground, base_map
from maps.elements import GridMap, RouteLayer
from maps.frames import LINES, POINTS, bounds_of, plain, require
from maps.legend import Legend, LegendLine, Swatch, headline
from maps.words import Language, say

# Every colour once, then again dashed, then dotted.
_DASHES: tuple[tuple[str, list[int]], ...] = (("", []), ("dashed", [10, 8]), ("dotted", [1, 8]))

# Teams that walk the same street are drawn side by side.
_SHIFTS_PX = (0, 6, -6)

_STOP_COLUMNS = ("team_name", "sequence", "name", "arrival_at", "reason")


@dataclass(frozen=True)
class TeamLook:
    """How a team is told from the others: a colour and a dash."""

    colour: str
    dashes: list[int]
    swatch: str


def team_look(place: int) -> TeamLook:
    """Return the look of the team at this place in the list; 21 looks, then the same again."""
    colours = palette.OKABE_ITO
    colour = place % len(colours)
    kind, dashes = _DASHES[place // len(colours) % len(_DASHES)]
    classes = f"gridsvc-team gridsvc-team-{colour}" + (f" gridsvc-team-{kind}" if kind else "")
    return TeamLook(colours[colour], dashes, f'<span class="{classes}"></span>')


def routes_map(
    routes: GeoDataFrame,
    stops: GeoDataFrame,
    ground: Ground,
    *,
    posts: GeoDataFrame | None = None,
    title: str = "",
    detail: str = "",
) -> GridMap:
    """Draw patrol routes, a layer a team.

    Parameters
    ----------
    routes
        ``team_name``, ``geometry`` (line strings in walking direction), a row a leg, legs in
        walking order. CRS: EPSG:4326.
    stops
        ``team_name``, ``sequence`` (1 first), ``name`` (where), ``arrival_at`` (time, in the zone
        to be shown, or missing), ``reason`` (or missing), ``geometry`` (points). CRS: EPSG:4326.
    ground
        What lies below.
    posts
        ``team_name``, ``name``, ``geometry`` (points): where each team starts. A team without one
        starts where its first leg does. CRS: EPSG:4326.
    title, detail
        Words at the head of a map that stands alone.

    Raises
    ------
    MissingColumnError, WrongCRSError, WrongGeometryError
        A frame cannot be drawn.
    """
    require(routes, "routes", columns=("team_name",), kinds=LINES)
    require(stops, "stops", columns=_STOP_COLUMNS, kinds=POINTS)
    if posts is not None:
        require(posts, "start posts", columns=("team_name", "name"), kinds=POINTS)
    page = base_map(ground, routes, stops, posts)
    flags: Counter[tuple[float, float]] = Counter()
    for place, team in enumerate(_teams(routes, stops)):
        look = team_look(place)
        start = _start(team, routes, posts)
        if start is not None:
            spot = (round(start["lat"], 4), round(start["lon"], 4))
            start["slot"] = flags[spot]
            flags[spot] += 1
        drawing = {
            "team": str(team),
            "colour": look.colour,
            "ink": palette.text_on(look.colour),
            "dashes": look.dashes,
            "shift_px": _SHIFTS_PX[place % len(_SHIFTS_PX)],
            "legs": _legs(routes[routes["team_name"] == team]),
            "stops": _stops(stops[stops["team_name"] == team], ground.lang),
            "start": start,
        }
        RouteLayer(str(team), drawing, maker="route", swatch=look.swatch).add_to(page)
    if title:
        headline(title, detail).add_to(page)
    routes_legend(routes, stops, lang=ground.lang).panel().add_to(page)
    folium.LayerControl(position="topright").add_to(page)
    return page


def routes_legend(routes: GeoDataFrame, stops: GeoDataFrame, *, lang: Language) -> Legend:
    """Return the legend: what the marks mean, and how many there are.

    Parameters
    ----------
    routes, stops
        As for `routes_map`. CRS: EPSG:4326.
    lang
        Language of the words.
    """
    teams = _teams(routes, stops)
    colour = team_look(0).colour
    ink = palette.text_on(colour)
    lines = [
        LegendLine(Swatch("line", colour), say("route_line", lang), len(routes)),
        LegendLine(Swatch("dot", colour, ink, text="1"), say("stop", lang), len(stops)),
        LegendLine(Swatch("dot", colour, ink, icon="start"), say("start_post", lang), len(teams)),
    ]
    remark = say(
        "routes_counts",
        lang,
        teams=len(teams),
        stops=len(stops),
        km=f"{_length_m(routes) / 1000:.1f}",
    )
    return Legend(say("routes", lang), lines, remarks=(remark,))


def _teams(routes: GeoDataFrame, stops: GeoDataFrame) -> list[object]:
    """Return the teams in the order of the routes, then those that only have stops."""
    return list(dict.fromkeys([*routes["team_name"], *stops["team_name"]]))


def _legs(routes: GeoDataFrame) -> list[list[list[float]]]:
    """Return each line as ``[lat, lon]`` in walking order."""
    lines: Iterable[shapely.Geometry] = routes.geometry.explode(index_parts=False)
    return [
        [[round(lat, 6), round(lon, 6)] for lon, lat in shapely.get_coordinates(line)]
        for line in lines
    ]


def _stops(stops: GeoDataFrame, lang: Language) -> list[dict[str, Any]]:
    """Return a team's stops in walking order."""
    ordered = stops.sort_values("sequence", kind="stable")
    return [
        {
            "sequence": int(row["sequence"]),
            "title": say("stop_of", lang, n=int(row["sequence"]), count=len(ordered)),
            "name": plain(row["name"]),
            "arrival": None if pd.isna(row["arrival_at"]) else f"{row['arrival_at']:%H:%M}",
            "reason": plain(row["reason"]),
            "lat": round(row["geometry"].y, 6),
            "lon": round(row["geometry"].x, 6),
        }
        for _, row in ordered.iterrows()
    ]


def _start(team: object, routes: GeoDataFrame, posts: GeoDataFrame | None) -> dict[str, Any] | None:
    """Return a team's start post, else the beginning of its first leg, else None."""
    if posts is not None:
        for _, row in posts[posts["team_name"] == team].iterrows():
            point = row["geometry"]
            return {"lat": point.y, "lon": point.x, "name": plain(row["name"])}
    for leg in _legs(routes[routes["team_name"] == team]):
        return {"lat": leg[0][0], "lon": leg[0][1], "name": None}
    return None


def _length_m(routes: GeoDataFrame) -> float:
    """Return the length of all routes in metres."""
    box = bounds_of(routes)
    if box is None:
        return 0.0
    crs = local_metric_crs(lon=box[0][1], lat=box[0][0])
    return float(routes.geometry.to_crs(crs).length.sum())
