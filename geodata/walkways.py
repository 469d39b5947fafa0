"""The walking network: which ways can be walked, and where one line ends and the next begins."""

from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import NAMESPACE_URL, uuid5

import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import Series
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC

# https://wiki.openstreetmap.org/wiki/Key:highway, by what a patrol meets there.
_KIND_OF = {
    **dict.fromkeys(
        ["primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"],
        "street",
    ),
    **dict.fromkeys(["unclassified", "road"], "street"),
    **dict.fromkeys(["residential", "living_street"], "residential"),
    **dict.fromkeys(["footway", "path", "pedestrian", "track"], "footpath"),
    "steps": "steps",
    "service": "service",
}
# To be walked only where a sign or a mapper says so.
_KIND_IF_FOOT = {
    **dict.fromkeys(["motorway", "motorway_link", "trunk", "trunk_link"], "street"),
    **dict.fromkeys(["cycleway", "bridleway"], "footpath"),
}
_YES = {"yes", "designated", "permissive", "official"}
_NO = {"no", "private"}
# Names the parts of OpenStreetMap ways; a part keeps its id as long as its way keeps its number.
_NAMESPACE = uuid5(NAMESPACE_URL, "https://www.openstreetmap.org/way")

Run = tuple[Sequence[int], Sequence[tuple[float, ...]]]


def walking_kinds(ways: pd.DataFrame) -> Series:
    """Return what kind of walkway each way is.

    Parameters
    ----------
    ways
        ``highway``, ``foot``, ``access``: OpenStreetMap values, nullable.

    Returns
    -------
    Series
        ``street``, ``residential``, ``footpath``, ``steps`` or ``service``; missing where nobody
        may walk: no highway for walkers, ``foot`` no or private, or ``access`` no or private
        without a ``foot`` that overrides it. Index of ``ways``.
    """
    may = ways["foot"].isin(_YES)
    must_not = ways["foot"].isin(_NO) | (ways["access"].isin(_NO) & ~may)
    kinds = ways["highway"].map(_KIND_OF)
    kinds = kinds.fillna(ways["highway"].map(_KIND_IF_FOOT).where(may))
    return kinds.mask(must_not).astype("str").rename("kind")


def node_lines(lines: GeoDataFrame, *, outline: BaseGeometry) -> GeoDataFrame:
    """Split ways where they meet, and cut them at an outline.

    Ways meet at nodes, not where lines cross: a bridge does not meet the street below it. So a way
    is split at every node that is an end of a way or that a way visits again or another way uses.

    Parameters
    ----------
    lines
        ``way_id`` (int64), ``nodes`` (node numbers, one a vertex), ``kind``, ``name`` (nullable),
        line strings; EPSG:4326. Ways that may be walked, one row a way or an unbroken part of one.
    outline
        Polygon, EPSG:4326; what lies outside is cut away.

    Returns
    -------
    GeoDataFrame
        ``id`` (UUID text, the same for the same way and part), ``kind``, ``name``, ``geometry``
        (line string, EPSG:4326), in the order of ``lines``; empty for no lines.
    """
    meeting = _meeting_nodes(lines["nodes"])
    shapely.prepare(outline)
    rows: list[tuple[str, str, str | None, LineString]] = []
    parts_of: Counter[int] = Counter()
    for way_id, nodes, kind, name, line in zip(
        lines["way_id"], lines["nodes"], lines["kind"], lines["name"], lines.geometry, strict=True
    ):
        for run in _runs(nodes, list(line.coords), meeting):
            for piece in _inside(LineString(run), outline):
                part = parts_of[way_id]
                parts_of[way_id] += 1
                rows.append((str(uuid5(_NAMESPACE, f"{way_id}/{part}")), kind, name, piece))
    table = pd.DataFrame(rows, columns=["id", "kind", "name", "geometry"])
    return GeoDataFrame(table, geometry="geometry", crs=GEOGRAPHIC)


def _meeting_nodes(node_lists: Series) -> set[int]:
    """Return the nodes at which lines end, cross or touch."""
    uses: Counter[int] = Counter()
    for nodes in node_lists:
        uses.update(nodes)
        uses.update((nodes[0], nodes[-1]))  # an end counts twice, so that it always splits
    return {node for node, count in uses.items() if count > 1}


def _runs(
    nodes: Sequence[int], places: Sequence[tuple[float, ...]], meeting: set[int]
) -> Iterator[list[tuple[float, ...]]]:
    """Yield the stretches of a way between meeting nodes."""
    run = [places[0]]
    for node, place in zip(nodes[1:], places[1:], strict=True):
        if place != run[-1]:  # a node listed twice in a row, or two nodes in one place
            run.append(place)
        if node in meeting:
            if len(run) > 1:
                yield run
            run = [place]


def _inside(line: LineString, outline: BaseGeometry) -> list[LineString]:
    """Return the parts of a line inside an outline, in the direction of the line."""
    if shapely.contains_properly(outline, line):
        return [line]
    if not shapely.intersects(outline, line):
        return []
    inside: BaseGeometry = shapely.line_merge(line.intersection(outline), directed=True)
    parts = [part for part in shapely.get_parts(inside) if isinstance(part, LineString)]
    return sorted(parts, key=lambda part: line.project(part.interpolate(0.5, normalized=True)))
