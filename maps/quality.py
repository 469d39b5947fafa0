"""The map of a quality report: the layer in pale, on it each fault by severity and kind."""

from collections.abc import Hashable, Mapping
from typing import Any

import folium
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geodata.crs import GEOGRAPHIC
from geodata.quality import load_kinds
from geodata.reasons import reason_column
from maps import palette
from maps.base import Ground, base_map
from maps.elements import FrameLayer, GridMap, ScriptedLayer
from maps.errors import MissingColumnError, WrongCRSError
from maps.frames import AREAS, feature_collection, require
from maps.legend import Legend, LegendLine, Swatch, headline
from maps.words import Language, say

MOST_DRAWN = 3_000
"""Faults drawn, errors first: a page with more is too heavy for a phone. The legend counts all."""

_COLUMNS = (
    "fault",
    "severity",
    "row",
    "code",
    "other_row",
    "other_code",
    "measure",
    "unit",
    "reason",
    "reason_zh",
)
_SEVERITIES = ("error", "warning")
_LOOKS = {"error": palette.MISSING, "warning": palette.ATTENTION}
_TINTS = {"error": "#fbe3e0", "warning": "#f9e6c4"}
_PATTERNS = {"shape": "stripes", "place": "cross", "siblings": "dots", "codes": "solid"}
_UNITS = {"m2": "{:,.1f} m²", "m": "{:,.0f} m", "share": "{:.1%}", "": "{:g}"}

# These lie anywhere on Earth: a view that holds them shows nothing of the others.
_ELSEWHERE = ("far-away", "antimeridian", "not-a-polygon")

_PALE = {
    "color": palette.BUILDING_EDGE,
    "weight": 1,
    "opacity": 1,
    "fill": True,
    "fillColor": palette.BUILDING_FILL,
    "fillOpacity": 0.6,
}
# Some 50 m.
_ROUND_DEGREES = 0.0005
# Web Mercator ends here.
_WORLD = shapely.box(-180, -85.05, 180, 85.05)


class FaultLayer(ScriptedLayer):
    """The faults of one kind and severity, drawn by faults.js."""

    # Name and address, in folium's form.
    default_js = [("gridsvc/faults.js", "/assets/gridsvc/faults.js")]  # noqa: RUF012  # as folium


def quality_map(
    layer: str,
    features: GeoDataFrame,
    faults: GeoDataFrame,
    ground: Ground,
    *,
    kind_names: Mapping[str, str] | None = None,
    title: str = "",
    detail: str = "",
) -> GridMap:
    """Draw what a quality report says of a layer.

    Parameters
    ----------
    layer
        ``communities``, ``compounds``, ``buildings`` or ``stairwells``.
    features
        ``geometry`` (anything): what was inspected; areas on the map of the world are drawn, in
        pale. CRS: EPSG:4326.
    faults
        The report's faults, of any number, also none; those without a place are only counted.
        CRS: EPSG:4326.
    ground
        What lies below, and the language.
    kind_names
        Names of kinds that `geodata.quality` does not know, in the language of the ground.
    title, detail
        Words at the head; without a title the numbers of errors and warnings.

    Raises
    ------
    MissingColumnError, WrongCRSError
        A frame cannot be drawn.
    """
    _require(faults)
    drawn = _drawable(features)
    require(drawn, layer, columns=(), kinds=AREAS)
    shown = _shown(faults)
    names = _names(ground.lang, kind_names)
    page = base_map(ground, _view(shown, drawn))
    _pale(drawn, layer, ground.lang).add_to(page)
    for severity in reversed(_SEVERITIES):
        of_severity = shown[shown["severity"] == severity]
        for kind in _in_order(of_severity):
            own = of_severity[of_severity["fault"] == kind]
            _fault_layer(own, kind, severity, names, ground.lang).add_to(page)
    words = title or _headline(layer, len(features), faults, ground.lang)
    headline(words, detail).add_to(page)
    quality_legend(faults, lang=ground.lang, kind_names=kind_names).panel().add_to(page)
    folium.LayerControl(position="topright").add_to(page)
    return page


def quality_legend(
    faults: GeoDataFrame, *, lang: Language, kind_names: Mapping[str, str] | None = None
) -> Legend:
    """Return the legend: a line a kind, errors first, each with its number.

    Parameters
    ----------
    faults
        As for `quality_map`. CRS: EPSG:4326.
    lang, kind_names
        As for `quality_map`.
    """
    names = _names(lang, kind_names)
    lines = []
    for severity in _SEVERITIES:
        of_severity = faults[faults["severity"] == severity]
        for kind in _in_order(of_severity):
            count = int((of_severity["fault"] == kind).sum())
            lines.append(LegendLine(_swatch(kind, severity), names.get(kind, kind), count))
    remarks = [] if lines else [say("no_faults", lang)]
    shown = len(_shown(faults))
    if shown < len(faults):
        remarks.append(say("faults_shown", lang, shown=shown, total=len(faults)))
    unit = say("unit_faults", lang) if lines else ""
    return Legend(say("quality", lang), lines, unit=unit, remarks=remarks)


def _require(faults: GeoDataFrame) -> None:
    """Refuse a frame that is none of faults."""
    if missing := [name for name in (*_COLUMNS, "geometry") if name not in faults.columns]:
        raise MissingColumnError("faults", missing)
    if faults.crs is None or faults.crs.to_epsg() != 4326:
        raise WrongCRSError("faults", faults.crs)


def _names(lang: Language, others: Mapping[str, str] | None) -> dict[str, str]:
    """Return the name of each kind."""
    return {kind: facts.name(lang) for kind, facts in load_kinds().items()} | dict(others or {})


def _in_order(faults: GeoDataFrame) -> list[str]:
    """Return the kinds that occur: in the catalogue's order, then those that it does not know."""
    present = [str(kind) for kind in faults["fault"].unique()]
    known = [kind for kind in load_kinds() if kind in present]
    return known + sorted(set(present) - set(known))


def _drawable(features: GeoDataFrame) -> GeoDataFrame:
    """Return the features that are areas on the map of the world; EPSG:4326."""
    shapes = features.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    there &= np.isin(shapely.get_type_id(shapes), [3, 6])
    there &= shapely.covers(_WORLD, shapely.envelope(shapes))
    return GeoDataFrame(features[there])


def _shown(faults: GeoDataFrame) -> GeoDataFrame:
    """Return the faults that have a place on the map, the first of them, errors before warnings."""
    shapes = faults.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    there &= shapely.covers(_WORLD, shapely.envelope(shapes))
    ordered = faults[there].sort_values("severity", kind="stable")
    return GeoDataFrame(ordered.iloc[:MOST_DRAWN])


def _view(shown: GeoDataFrame, drawn: GeoDataFrame) -> GeoDataFrame:
    """Return what the first view holds: the faults near by, else any, else the layer; EPSG:4326.

    With some ground round them, or a single point would fill the screen.
    """
    near = shown[~shown["fault"].isin(_ELSEWHERE)]
    seen = next((frame for frame in (near, shown) if len(frame)), drawn)
    boxes = shapely.buffer(shapely.envelope(seen.geometry.to_numpy()), _ROUND_DEGREES)
    return GeoDataFrame(geometry=boxes, crs=GEOGRAPHIC)


def _pale(features: GeoDataFrame, layer: str, lang: Language) -> FrameLayer:
    """Return the layer itself, in the background."""
    drawing = {
        "key": "inspected",
        "data": feature_collection(features, []),
        "pane": "areas",
        "style": _PALE,
    }
    return FrameLayer(say(layer, lang), drawing)


def _fault_layer(
    faults: GeoDataFrame, kind: str, severity: str, names: Mapping[str, str], lang: Language
) -> FaultLayer:
    """Return the faults of one kind and severity, EPSG:4326, to be switched on and off."""
    look = _LOOKS[severity]
    name = names.get(kind, kind)
    style = {
        "colour": look.colour,
        "tint": _TINTS[severity],
        "pattern": _pattern(kind),
        "color": look.colour,
        "weight": 2,
        "opacity": 1,
        "fill": True,
        "fillOpacity": 0.8,
    }
    mark = {
        "color": palette.PAPER,
        "weight": 1.5,
        "opacity": 1,
        "fill": True,
        "fillColor": look.colour,
        "fillOpacity": 1,
        "icon": look.icon,
        "ink": palette.text_on(look.colour),
    }
    records = faults.to_dict("records")
    cards = [
        {"geometry": piece, **_card(record, name, severity, lang)}
        for record, piece in zip(records, _pieces(faults), strict=True)
    ]
    drawing = {"faults": cards, "style": style, "mark": mark}
    return FaultLayer(f"{say(severity, lang)} · {name}", drawing, maker="faults")


def _card(
    fault: Mapping[Hashable, Any], name: str, severity: str, lang: Language
) -> dict[str, Any]:
    """Return one fault as faults.js draws it; every text in it is put in as text."""
    spot = shapely.point_on_surface(fault["geometry"])
    facts = load_kinds().get(fault["fault"])
    rows = [
        [say("severity", lang), say(severity, lang)],
        [say("source_row", lang), _whole(fault["row"])],
        [say("concerns", lang), _other(fault, lang)],
        [say("measure", lang), _measure(fault)],
        [say("reason", lang), fault[reason_column(lang)]],
        [say("advice", lang), None if facts is None else facts.advice(lang)],
    ]
    return {
        "lat": round(spot.y, 6),
        "lon": round(spot.x, 6),
        "heading": name,
        "rows": rows,
        "code": None if pd.isna(fault["code"]) else str(fault["code"]),
    }


def _pieces(faults: GeoDataFrame) -> list[dict[str, Any] | None]:
    """Return areas and lines as GeoJSON; a point is drawn by its disc alone."""
    drawn = feature_collection(faults, [])["features"]
    extents = shapely.get_dimensions(faults.geometry.to_numpy())
    return [
        None if extent == 0 else feature["geometry"]
        for feature, extent in zip(drawn, extents, strict=True)
    ]


def _other(fault: Mapping[Hashable, Any], lang: Language) -> str | None:
    """Return whom a fault concerns besides: a row, a code, or both."""
    row = _whole(fault["other_row"])
    code = None if pd.isna(fault["other_code"]) else str(fault["other_code"])
    named = None if row is None else say("row_n", lang, n=row)
    return " · ".join(part for part in (named, code) if part) or None


def _measure(fault: Mapping[Hashable, Any]) -> str | None:
    """Return the size of a fault with its unit, None where it has none."""
    if pd.isna(fault["measure"]):
        return None
    return _UNITS[fault["unit"]].format(fault["measure"])


def _whole(number: object) -> int | None:
    """Return a whole number, or None where it is missing."""
    return None if pd.isna(number) else int(number)  # type: ignore[call-overload]  # a cell


def _pattern(kind: str) -> str:
    """Return the pattern of what a kind is about; values of other fields count as codes."""
    facts = load_kinds().get(kind)
    return _PATTERNS["codes" if facts is None else facts.group]


def _swatch(kind: str, severity: str) -> Swatch:
    """Return the picture of a kind in the legend."""
    look = _LOOKS[severity]
    return Swatch("area", look.colour, _TINTS[severity], _pattern(kind), look.icon)


def _headline(layer: str, count: int, faults: GeoDataFrame, lang: Language) -> str:
    """Return the numbers in words."""
    errors, warnings = (int((faults["severity"] == kind).sum()) for kind in _SEVERITIES)
    if not errors and not warnings:
        return say("quality_clean", lang, layer=say(layer, lang), count=count)
    return say(
        "quality_counts",
        lang,
        layer=say(layer, lang),
        count=count,
        errors=errors,
        warnings=warnings,
    )
