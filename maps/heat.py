"""The map of where incidents gather: classed squares, a smooth surface, significant hot spots."""

from collections.abc import Sequence

import folium
import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from geodata.crs import metric_crs_of
from maps import palette
from maps.base import Ground, base_map
from maps.elements import Counted, FrameLayer, GridMap, HeatSurface
from maps.escape import html_text
from maps.frames import AREAS, feature_collection, require
from maps.legend import Legend, LegendLine, Swatch, headline, search
from maps.words import Language, say

Classes = Sequence[tuple[int, int]]

_WITHHELD_CLASS = -1
_CELL_OPACITY = 0.72


def heat_map(
    cells: GeoDataFrame,
    ground: Ground,
    *,
    total: int,
    withheld: int = 0,
    least_shown: int | None = None,
    title: str = "",
    detail: str = "",
) -> GridMap:
    """Draw the number of incidents a cell; a square kilometre where cells differ in size.

    Parameters
    ----------
    cells
        ``incident_count`` (whole number; missing where withheld; cells with 0 are not drawn),
        ``geometry`` (squares); optionally ``is_hot`` (bool, from Getis-Ord Gi*). CRS: EPSG:4326.
    ground
        What lies below.
    total
        Number of incidents that the map is about, shown or not.
    withheld
        How many of them stay out because their cell has too few.
    least_shown
        The smallest number that a cell may show; None where all are shown.
    title, detail
        Words at the head of a map that stands alone.

    Raises
    ------
    MissingColumnError, WrongCRSError, WrongGeometryError
        A frame cannot be drawn.
    """
    require(cells, "heat cells", columns=("incident_count",), kinds=AREAS)
    drawn = cells[cells["incident_count"].isna() | (cells["incident_count"] > 0)]
    drawn = drawn.assign(shade=_shade(drawn))
    shades = drawn["shade"].dropna().astype("int64")
    classes = palette.count_classes([int(shade) for shade in shades])
    page = base_map(ground, drawn, ground.compounds)
    _squares(drawn, classes, ground.lang).add_to(page)
    if "is_hot" in cells.columns:
        _hot_spots(cells, ground.lang).add_to(page)
    if len(shades):
        _surface(drawn.loc[shades.index], shades, ground.lang).add_to(page)
    if title:
        headline(title, detail).add_to(page)
    search("compounds").add_to(page)
    legend = heat_legend(
        cells, total=total, withheld=withheld, least_shown=least_shown, lang=ground.lang
    )
    legend.panel().add_to(page)
    folium.LayerControl(position="topright").add_to(page)
    return page


def heat_legend(
    cells: GeoDataFrame, *, total: int, withheld: int, least_shown: int | None, lang: Language
) -> Legend:
    """Return the legend: a line a class with its number of cells, and the numbers of incidents.

    Parameters
    ----------
    cells
        As for `heat_map`. CRS: EPSG:4326.
    total, withheld, least_shown, lang
        As for `heat_map`.
    """
    counts = cells["incident_count"].dropna().astype("int64")
    shades = _shade(cells).dropna().astype("int64")
    classes = palette.count_classes([int(shade) for shade in shades])
    lines = [
        LegendLine(
            Swatch("area", _class_colour(place, classes), _class_colour(place, classes)),
            f"{low}" if low == high else f"{low}–{high}",
            int(shades.between(low, high).sum()),
        )
        for place, (low, high) in enumerate(classes)
    ]
    hidden = int(cells["incident_count"].isna().sum())
    if hidden:
        words = "withheld_cell_plain" if least_shown is None else "withheld_cell"
        swatch = Swatch("area", palette.UNKNOWN.colour, palette.PANEL, "stripes")
        lines.append(LegendLine(swatch, say(words, lang, k=least_shown), hidden))
    if "is_hot" in cells.columns:
        hot = int(cells["is_hot"].fillna(value=False).astype("bool").sum())
        lines.append(LegendLine(Swatch("outline", palette.INK), say("hot_spots", lang), hot))
    remarks = [say("heat_shows", lang, total=total, shown=int(counts.sum()))]
    if withheld:
        remarks.append(say("heat_withheld", lang, withheld=withheld))
    if not len(counts):
        remarks.append(say("no_cells", lang))
    title = "incidents_a_cell" if _are_alike(cells) else "incidents_a_km2"
    return Legend(say(title, lang), lines, unit=say("unit_cells", lang), remarks=remarks)


def _are_alike(cells: GeoDataFrame) -> bool:
    """Tell whether all cells have one size; a release merges some into larger ones."""
    bounds = cells.geometry.bounds
    sides = bounds["maxx"] - bounds["minx"]
    return bool(sides.empty or sides.max() < 1.5 * sides.min())


def _shade(cells: GeoDataFrame) -> "pd.Series[float]":
    """Return what the colour stands for: counts, or counts a km² where cells differ in size.

    By count alone the largest cell of a release would look the hottest, however little happens
    there.
    """
    counts = cells["incident_count"].astype("float64")
    if _are_alike(cells):
        return counts
    metric = metric_crs_of(cells.total_bounds)
    area_km2 = cells.geometry.to_crs(metric).area / 1e6
    return (counts / area_km2).round().clip(lower=1)


def _squares(cells: GeoDataFrame, classes: Classes, lang: Language) -> FrameLayer:
    """Return the cells in the colour of their class; a click says the number."""
    place = [
        _WITHHELD_CLASS if pd.isna(shade) else palette.class_of(int(shade), classes)
        for shade in cells["shade"]
    ]
    data = feature_collection(cells.assign(place=place), ["incident_count", "place"])
    styles: dict[int, dict[str, object]] = {
        at: _square_style(_class_colour(at, classes)) for at in range(len(classes))
    }
    styles[_WITHHELD_CLASS] = {
        **_square_style(palette.PANEL),
        "pattern": "stripes",
        "colour": palette.UNKNOWN.colour,
        "tint": palette.PANEL,
    }
    drawing = {
        "key": "cells",
        "data": data,
        "by": "place",
        "styles": styles,
        "card": {
            "title": say("heat_cell", lang),
            "heading": "",
            "rows": [[say("incidents", lang), "incident_count"]],
        },
    }
    return FrameLayer(say("heat_cells", lang), drawing)


def _hot_spots(cells: GeoDataFrame, lang: Language) -> FrameLayer:
    """Return the outlines of cells that are hot beyond chance."""
    hot = cells[cells["is_hot"].fillna(value=False).astype("bool")]
    style = {"color": palette.INK, "weight": 2.5, "opacity": 1, "fill": False}
    drawing = {
        "key": "hot_spots",
        "data": feature_collection(hot, []),
        "pane": "outlines",
        "style": style,
    }
    return FrameLayer(say("hot_spots", lang), drawing)


def _surface(cells: GeoDataFrame, shades: "pd.Series[int]", lang: Language) -> HeatSurface:
    """Return a smooth surface from the middles of the cells, off until it is switched on.

    Roots of shades, scaled to the greatest: raw counts make one red blot of a busy town.
    """
    middles = cells.geometry.representative_point()
    weights = np.sqrt(shades.to_numpy() / shades.max())
    points = np.column_stack([middles.y, middles.x, weights]).round(6)
    steps = np.linspace(0.2, 1, len(palette.YL_OR_RD)).round(2)
    boxes = cells.geometry.bounds
    surface = HeatSurface(  # type: ignore[no-untyped-call]  # folium annotates no __init__ here
        points.tolist(),
        name=html_text(say("heat_surface", lang)),
        min_opacity=0.05,
        max_zoom=None,
        radius=None,
        blur=None,
        gradient=dict(zip(steps.tolist(), palette.YL_OR_RD, strict=True)),
        show=False,
        pane="marks",
        side_degrees=float((boxes["maxx"] - boxes["minx"]).median()),
    )
    surface.add_child(Counted("heat", len(points)))
    return surface


def _class_colour(place: int, classes: Classes) -> str:
    """Return the colour of a class: few classes are spread over the whole sequence."""
    last = len(palette.YL_OR_RD) - 1
    if len(classes) <= 1:
        return palette.YL_OR_RD[last // 2]
    return palette.YL_OR_RD[round(place * last / (len(classes) - 1))]


def _square_style(colour: str) -> dict[str, object]:
    """Return Leaflet's options of a square: thin white edges keep neighbours apart."""
    return {
        "color": palette.PAPER,
        "weight": 0.5,
        "opacity": 0.6,
        "fill": True,
        "fillColor": colour,
        "fillOpacity": _CELL_OPACITY,
    }
