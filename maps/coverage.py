"""The map of contacts: which stairwell has one, and which has none."""

from collections.abc import Mapping

import folium
from geopandas import GeoDataFrame

from maps import palette
from maps.base import Ground, base_map, tile_layer
from maps.elements import FrameLayer, GridMap, TileFrameLayer
from maps.errors import UnknownStateError
from maps.frames import AREAS, POINTS, feature_collection, require
from maps.legend import Legend, LegendLine, Swatch, headline, search
from maps.words import Language, say

_STATES = {mark.key: mark for mark in palette.COVERAGE}

# A stairwell is some 12 m wide: 20 px at zoom 18, 3 px at zoom 15, where patterns would be mud.
_PATTERNS_FROM_ZOOM = 17
_STAIRWELLS_FROM_ZOOM = 13.5

_CARD_COLUMNS = ("name", "building_name", "compound_name", "household_count")


def coverage_map(
    ground: Ground,
    *,
    counts: Mapping[str, int],
    uncovered: GeoDataFrame | None = None,
    title: str = "",
    detail: str = "",
) -> GridMap:
    """Draw which stairwells have a contact.

    A click on a stairwell opens its card and fires ``gridsvc:stairwell`` with its ``code`` on the
    document.

    Parameters
    ----------
    ground
        What lies below. Its tiles must have a layer ``stairwells`` with the properties ``code``
        and ``state`` (``covered_party``, ``covered_other``, ``overloaded``, ``absent``,
        ``uncovered``), and may have ``name``, ``building_name``, ``compound_name``,
        ``household_count``.
    counts
        Number of stairwells in each state; a state left out is 0.
    uncovered
        ``code``, ``geometry`` (points, or areas, marked at a point inside), and any of the other
        properties: marked so that they are found from afar. CRS: EPSG:4326.
    title, detail
        Words at the head of a map that stands alone: "12 of 352 stairwells have no contact".

    Raises
    ------
    UnknownStateError
        ``counts`` names a state that the map does not know.
    MissingColumnError, WrongCRSError, WrongGeometryError
        A frame cannot be drawn.
    """
    for state in counts:
        if state not in _STATES:
            raise UnknownStateError(state, sorted(_STATES))
    page = base_map(ground)
    _stairwells(ground).add_to(page)
    if uncovered is not None:
        _marks(uncovered, ground.lang).add_to(page)
    if title:
        headline(title, detail).add_to(page)
    search("compounds").add_to(page)
    coverage_legend(counts, lang=ground.lang).panel().add_to(page)
    folium.LayerControl(position="topright").add_to(page)
    return page


def coverage_legend(counts: Mapping[str, int], *, lang: Language) -> Legend:
    """Return the legend: the five states, what needs doing first, each with its number."""
    lines = [
        LegendLine(
            Swatch("area", mark.colour, mark.tint, mark.pattern, mark.icon),
            say(mark.key, lang),
            counts.get(mark.key, 0),
        )
        for mark in palette.COVERAGE
    ]
    return Legend(say("coverage", lang), lines, unit=say("unit_stairwells", lang))


def _stairwells(ground: Ground) -> TileFrameLayer:
    """Return the stairwells as clickable tiles, patterned near by, plain from afar."""
    near = {
        mark.key: {
            "colour": mark.colour,
            "tint": mark.tint,
            "pattern": mark.pattern,
            "color": mark.colour,
            "weight": 2 if mark.key == "uncovered" else 1,
            "opacity": 1,
            "fill": True,
            "fillOpacity": 1,
        }
        for mark in palette.COVERAGE
    }
    far = {
        mark.key: {
            "color": mark.plain,
            "weight": 0.5,
            "opacity": 1,
            "fill": True,
            "fillColor": mark.plain,
            "fillOpacity": 1,
        }
        for mark in palette.COVERAGE
    }
    unknown = {
        "color": palette.UNKNOWN.colour,
        "weight": 1,
        "fill": True,
        "fillColor": palette.LINE,
        "fillOpacity": 1,
    }
    drawing = {
        "by": "state",
        "styles": near,
        "farStyles": far,
        "style": unknown,
        "nearZoom": _PATTERNS_FROM_ZOOM,
        "minZoom": _STAIRWELLS_FROM_ZOOM,
        "clickable": True,
        "order": 1,
    }
    return tile_layer("stairwells", ground, drawing, name=say("stairwells", ground.lang))


def _marks(uncovered: GeoDataFrame, lang: Language) -> FrameLayer:
    """Return a disc with the icon of "nobody" on each stairwell without a contact."""
    require(uncovered, "uncovered stairwells", columns=("code",), kinds=(*POINTS, *AREAS))
    present = [column for column in _CARD_COLUMNS if column in uncovered.columns]
    points = uncovered.set_geometry(uncovered.geometry.representative_point())
    data = feature_collection(points.assign(state="uncovered"), ["code", "state", *present])
    mark = _STATES["uncovered"]
    disc = {
        "color": palette.PAPER,
        "weight": 1.5,
        "opacity": 1,
        "fill": True,
        "fillColor": mark.colour,
        "fillOpacity": 1,
        "icon": mark.icon,
        "ink": palette.text_on(mark.colour),
    }
    drawing = {"key": "uncovered", "data": data, "mark": disc}
    return FrameLayer(say("uncovered_marks", lang), drawing)
