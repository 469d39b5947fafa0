"""A patrol route as GPX 1.1, for hand-held receivers and map applications on phones."""

import re
from collections.abc import Iterable
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from shapely.geometry import LineString, MultiLineString

from geodata.crs import GEOGRAPHIC
from geodata.errors import InvalidParameterError, UndeclaredCRSError

NAMESPACE = "http://www.topografix.com/GPX/1/1"
SCHEMA = "http://www.topografix.com/GPX/1/1/gpx.xsd"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DECIMALS = 7
# What XML 1.0 cannot hold, not even escaped (section 2.2, production 2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def route_gpx(
    *,
    name: str,
    track: LineString | MultiLineString,
    stops: GeoDataFrame,
    created_at: datetime | None = None,
    creator: str = "gridsvc",
) -> bytes:
    """Write a route: its stops as waypoints and as a route, its way as a track.

    Receivers differ in what they follow: simple ones lead from stop to stop of ``rte``, map
    applications draw ``trk``, and both list ``wpt``.

    Parameters
    ----------
    name
        Name of the route.
    track
        The way on the ground, EPSG:4326, lon-lat; one track segment a line, so a route cut at
        community borders is one with a part for each. Empty gives no track.
    stops
        ``order`` (whole number), ``name`` (missing: the order's number), ``time`` (planned
        arrival with zone, nullable), ``geometry`` (points, any CRS). Written by order.
    created_at
        When the route was made, with zone; left out when None.
    creator
        Name of the program, as the standard requires.

    Returns
    -------
    bytes
        A UTF-8 document. Times are UTC, whole seconds. Characters that XML cannot hold are left
        out. No stops give no waypoints and no route.

    Raises
    ------
    UndeclaredCRSError
        ``stops`` has no CRS.
    InvalidParameterError
        A time has no zone, a column is absent, or a stop has no position.

    References
    ----------
    GPX 1.1 Schema Documentation, https://www.topografix.com/GPX/1/1/
    """
    ordered = _ordered_stops(stops)
    root = ElementTree.Element(
        "gpx",
        {
            "version": "1.1",
            "creator": _clean(creator),
            "xmlns": NAMESPACE,
            "xmlns:xsi": _XSI,
            "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}",
        },
    )
    metadata = ElementTree.SubElement(root, "metadata")
    _text(metadata, "name", name)
    if created_at is not None:
        _text(metadata, "time", _utc(created_at))
    _add_stops(root, "wpt", ordered)
    if len(ordered):
        route = ElementTree.SubElement(root, "rte")
        _text(route, "name", name)
        _add_stops(route, "rtept", ordered)
    _add_track(root, name, track)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _ordered_stops(stops: GeoDataFrame) -> GeoDataFrame:
    """Return the stops by order, in degrees, or say what is wrong with them."""
    if missing := {"order", "name", "time"} - set(stops.columns):
        raise InvalidParameterError("stops", sorted(stops.columns), f"with {sorted(missing)} too")
    if stops.crs is None:
        raise UndeclaredCRSError("The stops frame")
    if (shapely.get_type_id(np.asarray(stops.geometry.array)) != shapely.GeometryType.POINT).any():
        raise InvalidParameterError("stops", "a geometry other than a point", "points only")
    if stops.geometry.is_empty.any():
        raise InvalidParameterError("stops", "an empty point", "points with a position")
    return stops.sort_values("order", kind="stable").to_crs(GEOGRAPHIC)


def _add_stops(parent: ElementTree.Element, tag: str, stops: GeoDataFrame) -> None:
    """Append a point for each stop; the schema fixes the order of its elements."""
    positions = shapely.get_coordinates(np.asarray(stops.geometry.array))
    for (lon, lat), order, name, time in zip(
        positions, stops["order"], stops["name"], stops["time"], strict=True
    ):
        point = _add_point(parent, tag, lon, lat)
        if not pd.isna(time):
            _text(point, "time", _utc(time))
        _text(point, "name", str(order) if pd.isna(name) else str(name))


def _add_track(root: ElementTree.Element, name: str, track: LineString | MultiLineString) -> None:
    """Append the way, one segment a line."""
    if track.is_empty:
        return
    element = ElementTree.SubElement(root, "trk")
    _text(element, "name", name)
    for line in _lines(track):
        segment = ElementTree.SubElement(element, "trkseg")
        for lon, lat in shapely.get_coordinates(line):
            _add_point(segment, "trkpt", lon, lat)


def _lines(track: LineString | MultiLineString) -> Iterable[LineString]:
    """Return the lines of a track that have points."""
    parts = track.geoms if isinstance(track, MultiLineString) else [track]
    return [line for line in parts if not line.is_empty]


def _add_point(
    parent: ElementTree.Element, tag: str, lon: float, lat: float
) -> ElementTree.Element:
    """Append a point; the schema's longitudes end before 180, which is -180."""
    degrees = round(lon, _DECIMALS)
    degrees = -180.0 if degrees >= 180 else degrees
    return ElementTree.SubElement(
        parent, tag, {"lat": f"{lat:.{_DECIMALS}f}", "lon": f"{degrees:.{_DECIMALS}f}"}
    )


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    """Append an element that holds a text."""
    ElementTree.SubElement(parent, tag).text = _clean(text)


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _NO_XML.sub("", text)


def _utc(instant: datetime) -> str:
    """Return an instant as the schema's dateTime in UTC, whole seconds."""
    moment = pd.Timestamp(instant)
    if moment.tzinfo is None:
        raise InvalidParameterError("a time", str(instant), "with a time zone")
    return moment.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
