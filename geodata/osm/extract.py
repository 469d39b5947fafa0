"""Read the objects of interest from an OpenStreetMap extract, as they are."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from shapely import LineString, Point, Polygon

from geodata.crs import GEOGRAPHIC
from geodata.errors import UnreadableFileError

# A building with one of these tags has that use, whatever building=yes leaves open.
_USES = (
    "aeroway", "amenity", "craft", "emergency", "healthcare", "industrial", "leisure", "man_made",
    "military", "office", "power", "public_transport", "railway", "shop", "tourism",
)  # fmt: skip
# Areas whose name a compound can carry.
_PLACES = {"city_block", "neighbourhood"}
# Doors through which nobody goes home.
_OTHER_DOORS = {"no", "garage", "service", "emergency", "exit", "fire_exit"}

Box = tuple[float, float, float, float]
_BUILDING_TAGS = {
    "building": "building",
    "name": "name",
    "ref": "ref",
    "house_number": "addr:housenumber",
    "street": "addr:street",
    "levels_text": "building:levels",
    "height_text": "height",
}
_BUILDING_COLUMNS = ["osm_id", *_BUILDING_TAGS, "has_use", "hole_count", "geometry"]


@dataclass(frozen=True)
class Extract:
    """What an extract holds; every frame is EPSG:4326, in the order of the file.

    Attributes
    ----------
    box
        The box that the file's header names, if it names one.
    buildings
        ``osm_id`` ('way/7'), ``building``, ``name``, ``ref``, ``house_number``, ``street``,
        ``levels_text``, ``height_text`` (as tagged, nullable), ``has_use`` (tagged with another
        use), ``hole_count``, ``geometry`` (exterior polygon). One row an outline: a relation with
        two outer rings makes two.
    areas
        ``kind`` (residential, city_block, neighbourhood), ``name`` (nullable), polygons.
    entrances
        ``ref`` (nullable), points.
    ways
        ``way_id``, ``nodes``, ``highway``, ``foot``, ``access``, ``name`` (nullable), line
        strings. One row an unbroken part of a highway.
    lost_buildings, lost_ways
        Objects without a usable geometry, by reason.
    repaired_count
        Buildings whose outline crossed itself and was made valid.
    """

    box: Box | None
    buildings: GeoDataFrame
    areas: GeoDataFrame
    entrances: GeoDataFrame
    ways: GeoDataFrame
    lost_buildings: Counter[str]
    lost_ways: Counter[str]
    repaired_count: int


@dataclass
class _Collector:
    """Rows on their way from the file to the frames."""

    buildings: list[dict[str, Any]] = field(default_factory=list)
    areas: list[dict[str, Any]] = field(default_factory=list)
    entrances: list[dict[str, Any]] = field(default_factory=list)
    ways: list[dict[str, Any]] = field(default_factory=list)
    lost_buildings: Counter[str] = field(default_factory=Counter)
    lost_ways: Counter[str] = field(default_factory=Counter)
    # Every object tagged as a building, with its tags and corners; the area of one may come before
    # or after the object itself.
    outlines: dict[str, tuple[dict[str, Any], list[tuple[float, float] | None]]] = field(
        default_factory=dict
    )
    assembled: set[str] = field(default_factory=set)
    wkb: Any = field(default_factory=osmium.geom.WKBFactory)

    def node(self, node: Any) -> None:
        if "building" in node.tags:
            self.lost_buildings["mapped as a point, without an outline"] += 1
        if node.tags.get("entrance", "no") not in _OTHER_DOORS:
            place = Point(node.location.lon, node.location.lat)
            self.entrances.append({"ref": node.tags.get("ref"), "geometry": place})

    def way(self, way: Any) -> None:
        if "building" in way.tags:
            self.outlines[f"way/{way.id}"] = (_building_tags(way.tags), _corners(way))
        if "highway" in way.tags:
            self._highway(way)

    def relation(self, relation: Any) -> None:
        if "building" in relation.tags:
            self.outlines[f"relation/{relation.id}"] = (_building_tags(relation.tags), [])

    def area(self, area: Any) -> None:
        if area.num_rings()[0] == 0:
            return
        key = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
        outlines = shapely.get_parts(shapely.from_wkb(self.wkb.create_multipolygon(area)))
        if "building" in area.tags:
            self.assembled.add(key)
            tags = _building_tags(area.tags)
            for outline in outlines:
                row = {"osm_id": key, "hole_count": len(outline.interiors)}
                self.buildings.append(tags | row | {"geometry": Polygon(outline.exterior)})
        kind = _area_kind(area.tags)
        if kind is not None:
            name = area.tags.get("name")
            self.areas += [{"kind": kind, "name": name, "geometry": part} for part in outlines]

    def finish(self) -> int:
        """Mend the outlines that did not become an area; return how many could be mended."""
        mended = 0
        for key, (tags, corners) in self.outlines.items():
            if key in self.assembled:
                continue
            outline, reason = _mend(key, corners)
            if outline is None:
                self.lost_buildings[reason] += 1
                continue
            mended += 1
            row = {"osm_id": key, "hole_count": 0, "geometry": outline}
            self.buildings.append(tags | row)
        return mended

    def _highway(self, way: Any) -> None:
        tags = {key: way.tags.get(key) for key in ("highway", "foot", "access", "name")}
        nodes = [node.ref for node in way.nodes]
        runs = _unbroken(nodes, _corners(way))
        if not runs:
            self.lost_ways["nodes missing from the extract"] += 1
        for run in runs:
            line = LineString([place for _, place in run])
            row = {"way_id": way.id, "nodes": [node for node, _ in run], "geometry": line}
            self.ways.append(tags | row)


def read_extract(path: Path) -> Extract:
    """Read buildings, residential areas, entrances and highways.

    Raises
    ------
    UnreadableFileError
        The file is absent, or not a whole OpenStreetMap PBF.
    """
    if not path.is_file():
        raise UnreadableFileError(path, "there is no such file.")
    wanted = osmium.filter.KeyFilter("building", "landuse", "place", "highway", "entrance")
    rows = _Collector()
    take = {"n": rows.node, "w": rows.way, "r": rows.relation, "a": rows.area}
    try:
        processor = osmium.FileProcessor(osmium.io.File(str(path), "pbf"))
        box = processor.header.box()
        # The second filter object: one bound to the area pass must not be shared.
        areas = osmium.filter.KeyFilter("building", "landuse", "place")
        for thing in processor.with_areas(areas).with_filter(wanted):
            take[thing.type_str()](thing)
    except RuntimeError as error:
        reason = f"not a whole OpenStreetMap extract in PBF form ({error}); download it again."
        raise UnreadableFileError(path, reason) from error
    mended = rows.finish()
    return Extract(
        box=_header_box(box),
        buildings=_frame(rows.buildings, _BUILDING_COLUMNS),
        areas=_frame(rows.areas, ["kind", "name", "geometry"]),
        entrances=_frame(rows.entrances, ["ref", "geometry"]),
        ways=_frame(
            rows.ways, ["way_id", "nodes", "highway", "foot", "access", "name", "geometry"]
        ),
        lost_buildings=rows.lost_buildings,
        lost_ways=rows.lost_ways,
        repaired_count=mended,
    )


def _building_tags(tags: Any) -> dict[str, Any]:
    """Return the tags of a building that we read."""
    row = {column: tags.get(key) for column, key in _BUILDING_TAGS.items()}
    return row | {"has_use": any(tags.get(key, "no") != "no" for key in _USES)}


def _area_kind(tags: Any) -> str | None:
    """Return what an area can be to us."""
    if tags.get("landuse") == "residential":
        return "residential"
    place = tags.get("place")
    return str(place) if place in _PLACES else None


def _corners(way: Any) -> list[tuple[float, float] | None]:
    """Return the places of a way's nodes, None for a node that the extract lacks."""
    return [
        (node.location.lon, node.location.lat) if node.location.valid() else None
        for node in way.nodes
    ]


def _unbroken(
    nodes: list[int], places: list[tuple[float, float] | None]
) -> list[list[tuple[int, tuple[float, float]]]]:
    """Return the stretches of a way whose nodes are all there and that have a length."""
    runs: list[list[tuple[int, tuple[float, float]]]] = [[]]
    for node, place in zip(nodes, places, strict=True):
        if place is None:
            runs.append([])
        else:
            runs[-1].append((node, place))
    return [run for run in runs if len({place for _, place in run}) > 1]


def _mend(key: str, corners: list[tuple[float, float] | None]) -> tuple[Polygon | None, str]:
    """Return the largest valid polygon of an outline that was refused, else why there is none."""
    if not key.startswith("way/"):
        return None, "a relation that is not a closed outline"
    places = [corner for corner in corners if corner is not None]
    if len(places) < len(corners):
        return None, "a corner is missing from the extract"
    if len(set(places)) < 3 or places[0] != places[-1]:
        return None, "an outline that does not close"
    parts = shapely.get_parts(shapely.make_valid(Polygon(places)))
    polygons = [part for part in parts if isinstance(part, Polygon) and part.area]
    if not polygons:
        return None, "an outline without area"
    return Polygon(max(polygons, key=lambda part: part.area).exterior), ""


def _header_box(box: Any) -> Box | None:
    """Return the box of the file's header, if it has one."""
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return low.lon, low.lat, high.lon, high.lat


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> GeoDataFrame:
    """Frame rows, the columns there even without a row."""
    table = pd.DataFrame(rows, columns=columns)
    return GeoDataFrame(table, geometry="geometry", crs=GEOGRAPHIC)
