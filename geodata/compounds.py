"""Derive compounds: named residential areas first, elsewhere the blocks between streets.

Everything but a measured length is topology, done in longitude and latitude, so that a border that
is straight in EPSG:4326 (the edge of an extract) stays exactly on itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geodata.codes import child_codes
from geodata.crs import GEOGRAPHIC, metric_crs_of

COMPOUND_SEQUENCE_DIGITS = 3
# Open ground further than this from every home of a block (fields, woods, water) is no compound.
REACH_M = 100.0
# About a metre: a street this near to a block's border runs along it.
_ALONG_DEGREES = 1e-5
# A building whose ground lies outside a compound by less than this share is inside.
_INSIDE_SHARE = 1e-9

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class CompoundPlan:
    """Compounds, and the one each building belongs to.

    Attributes
    ----------
    compounds
        ``code`` (15 digits), ``community_code``, ``name``, ``built_year`` (all missing),
        ``is_demonstration`` (all False), ``geometry`` (polygon, EPSG:4326), by code; ``source``
        says ``area`` or ``block``.
    compound_codes
        Shape (n,), the compound of each building, index of the buildings.
    """

    compounds: GeoDataFrame
    compound_codes: Series


def derive_compounds(
    buildings: GeoDataFrame,
    residential_areas: GeoDataFrame,
    streets: GeoDataFrame,
    *,
    community: GeoDataFrame,
    lanes: GeoDataFrame,
) -> CompoundPlan:
    """Divide a community into compounds, each building in exactly one.

    A named residential area is a compound, with or without buildings; where two overlap, the
    smaller keeps the ground. The rest of the community is cut by the middle lines of the streets
    into blocks, and a block with at least one building is a compound (a unit grid reaches to the
    middle of the street, as grids of the trade do). Of a block that reaches further than 100 m from
    its homes (a campus, a park, fields), only the faces between lanes that hold homes or lie all
    within that reach count, and no ground beyond it; what falls apart by that becomes several
    compounds. A building belongs where most of its ground lies; the border bends round a building
    that stands across it.

    Parameters
    ----------
    buildings
        Shape (n,), residential footprints, disjoint, inside the community; EPSG:4326.
    residential_areas
        ``name`` (nullable: unnamed areas are passed over), polygons; EPSG:4326.
    streets
        ``name`` (nullable), lines that bound blocks; EPSG:4326.
    community
        One row: ``code`` (int64, 12 digits), polygon; EPSG:4326.
    lanes
        Lines inside blocks (lanes, footpaths) along which open ground is cut away; EPSG:4326.

    Returns
    -------
    CompoundPlan
        Disjoint compounds inside the community; blocks are named by their number and the named
        street with the longest stretch of their border ('街区7（成府路）').

    Raises
    ------
    SequenceOverflowError
        More than 999 compounds. An office splits such a community first, since its people know
        where; joining blocks on our own would hide streets inside a compound.
    """
    outline = community.geometry.iloc[0]
    named = _named_areas(residential_areas, outline)
    blocks = _blocks(streets, outline, shapely.union_all(named.geometry.to_numpy()))
    candidates = pd.concat([named, blocks], ignore_index=True)
    owner = _largest_overlap(buildings.geometry, candidates.geometry)
    parts = _bend_round_buildings(candidates, buildings.geometry, owner, lanes)
    centres = GeoSeries(shapely.point_on_surface(parts.geometry.to_numpy()), crs=GEOGRAPHIC)
    code = int(community["code"].iloc[0])
    parents = Series(str(code), index=parts.index)
    parts["code"] = child_codes(parents, centres, digits=COMPOUND_SEQUENCE_DIGITS)
    parts["name"] = parts["name"].where(parts["source"] == "area", _block_names(parts, streets))
    home = _largest_overlap(buildings.geometry, parts.geometry)
    compound_codes = Series(
        parts["code"].to_numpy()[home], index=buildings.index, name="compound_code", dtype="str"
    )
    return CompoundPlan(_compound_frame(parts, code), compound_codes)


def _named_areas(areas: GeoDataFrame, outline: BaseGeometry) -> GeoDataFrame:
    """Return the named areas inside the outline, disjoint, smaller ones first."""
    named = areas[areas["name"].notna()]
    size = Series(shapely.area(named.geometry.to_numpy()), index=named.index)
    named = named.loc[size.sort_values(kind="stable").index]
    taken: BaseGeometry = Polygon()
    rows: list[tuple[str, BaseGeometry]] = []
    for name, shape in zip(named["name"], named.geometry, strict=True):
        ground = shape.intersection(outline).difference(taken)
        taken = taken.union(shape)
        # A corner that the edge of the extract cuts off is not the compound of that name.
        kept = ground.area * 2 >= shape.area
        rows += [(name, part) for part in _polygons(ground) if kept or part.area * 2 >= shape.area]
    return _candidates(rows, source="area")


def _blocks(streets: GeoDataFrame, outline: BaseGeometry, taken: BaseGeometry) -> GeoDataFrame:
    """Return the faces between the streets inside the outline, less the ground already taken."""
    inside = shapely.intersection(streets.geometry.to_numpy(), outline)
    linework = shapely.union_all([outline.boundary, *inside])
    faces = shapely.get_parts(shapely.polygonize([linework]))
    faces = faces[shapely.covers(outline, shapely.point_on_surface(faces))]
    rows = [("", part) for face in faces for part in _polygons(face.difference(taken))]
    return _candidates(rows, source="block")


def _candidates(rows: Sequence[tuple[str, BaseGeometry]], *, source: str) -> GeoDataFrame:
    """Frame named polygons."""
    names = [name for name, _ in rows]
    table = pd.DataFrame({"name": Series(names, dtype="str"), "source": source})
    return GeoDataFrame(table, geometry=[shape for _, shape in rows], crs=GEOGRAPHIC)


def _largest_overlap(shapes: GeoSeries, holders: GeoSeries) -> NDArray[np.int64]:
    """Return the position of the holder with which each shape shares most ground."""
    tree = shapely.STRtree(holders.to_numpy())
    shape, holder = tree.query(shapes.to_numpy(), predicate="intersects")
    # Only a shape that meets several holders needs its shares measured.
    meets = np.bincount(shape, minlength=len(shapes))
    shared = np.ones(len(shape))
    torn = meets[shape] > 1
    shared[torn] = shapely.area(
        shapely.intersection(shapes.to_numpy()[shape[torn]], holders.to_numpy()[holder[torn]])
    )
    order = np.lexsort((holder, -shared, shape))
    _, first = np.unique(shape[order], return_index=True)
    if len(first) != len(shapes):
        message = f"{len(shapes) - len(first)} buildings lie outside the community."
        raise ValueError(message)
    largest: NDArray[np.int64] = holder[order][first]
    return largest


def _bend_round_buildings(
    candidates: GeoDataFrame, shapes: GeoSeries, owner: NDArray[np.int64], lanes: GeoDataFrame
) -> GeoDataFrame:
    """Keep the candidates in use, their borders bent round buildings that stand across.

    A part that another compound's building cuts off is a compound of its own if it has buildings,
    and otherwise falls away.
    """
    tree = shapely.STRtree(shapes.to_numpy())
    reach = _reach(shapes)
    paths = shapely.STRtree(lanes.geometry.to_numpy())
    grounds: list[tuple[str, str, BaseGeometry]] = []
    for position, (name, source, shape) in enumerate(
        zip(candidates["name"], candidates["source"], candidates.geometry, strict=True)
    ):
        near = tree.query(shape, predicate="intersects")
        own = near[owner[near] == position]
        if not len(own) and source == "block":
            continue
        if source == "block":
            shape = _lived_in(shape, shapes.to_numpy()[own], shapely.union_all(reach[own]), paths)
        ground = _bend(
            shape, shapes.to_numpy()[own], shapes.to_numpy()[near[owner[near] != position]]
        )
        parts = _polygons(ground)
        points = shapely.point_on_surface(shapes.to_numpy()[own])
        used = [part for part in parts if shapely.intersects(part, points).any()]
        kept = used or sorted(parts, key=lambda part: part.area)[-1:]
        grounds += [(name, source, part) for part in kept]
    table = pd.DataFrame(grounds, columns=["name", "source", "geometry"])
    return GeoDataFrame(table, geometry="geometry", crs=GEOGRAPHIC)


def _reach(shapes: GeoSeries) -> Shapes:
    """Return the ground within reach of each building."""
    crs = metric_crs_of(shapes.total_bounds)
    # Straight sides with corners, as a border is drawn by hand; arcs are no border.
    around = shapely.buffer(
        shapely.oriented_envelope(shapes.to_crs(crs).to_numpy()), REACH_M, join_style="mitre"
    )
    return GeoSeries(around, crs=crs).to_crs(GEOGRAPHIC).to_numpy()


def _lived_in(
    block: BaseGeometry, homes: Shapes, reach: BaseGeometry, lanes: shapely.STRtree
) -> BaseGeometry:
    """Cut the ground away from a block that is open and far from its homes."""
    if shapely.covers(reach, block):
        return block
    inside = shapely.intersection(lanes.geometries[lanes.query(block, "intersects")], block)
    linework = shapely.union_all([block.boundary, *inside])
    faces = shapely.get_parts(shapely.polygonize([linework]))
    faces = faces[shapely.covers(block, shapely.point_on_surface(faces))]
    lived_in = shapely.covers(reach, faces)
    lived_in[shapely.STRtree(faces).query(homes, predicate="intersects")[1]] = True
    return shapely.union_all(faces[lived_in]).intersection(reach)


def _bend(shape: BaseGeometry, own: Shapes, foreign: Shapes) -> BaseGeometry:
    """Add the own buildings that stick out, and take away the foreign ones that reach in."""
    outside = shapely.area(shapely.difference(own, shape)) > _INSIDE_SHARE * shapely.area(own)
    if outside.any():
        shape = shapely.union_all([shape, *own[outside]])
    overlaps = foreign[shapely.area(shapely.intersection(foreign, shape)) > 0]
    return shape.difference(shapely.union_all(overlaps)) if len(overlaps) else shape


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    """Return the polygons of a geometry, without points and lines that an overlay left."""
    return [part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and part.area]


def _block_names(parts: GeoDataFrame, streets: GeoDataFrame) -> Series:
    """Name each block by its number and the street along most of its border."""
    known = streets[streets["name"].notna()]
    borders = shapely.buffer(shapely.boundary(parts.geometry.to_numpy()), _ALONG_DEGREES)
    block, street = shapely.STRtree(known.geometry.to_numpy()).query(
        borders, predicate="intersects"
    )
    length = shapely.length(shapely.intersection(borders[block], known.geometry.to_numpy()[street]))
    along = pd.DataFrame(
        {"block": block, "name": known["name"].to_numpy()[street], "length": length}
    )
    total = along.groupby(["block", "name"])[["length"]].sum().reset_index()
    total = total.sort_values(["block", "length", "name"], ascending=[True, False, True])
    streets_of = total.drop_duplicates("block").set_index("block")["name"]
    numbers = parts["code"].str[-COMPOUND_SEQUENCE_DIGITS:].astype("int64").astype("str")
    beside = ("（" + streets_of.reindex(range(len(parts))).astype("str") + "）").fillna("")
    return Series("街区" + numbers.to_numpy() + beside.to_numpy(), index=parts.index)


def _compound_frame(parts: GeoDataFrame, community_code: int) -> GeoDataFrame:
    """Give the compounds the columns of a territory, by code."""
    table = pd.DataFrame(
        {
            "code": parts["code"],
            "community_code": np.int64(community_code),
            "name": parts["name"],
            "built_year": Series(pd.NA, index=parts.index, dtype="Int64"),
            "is_demonstration": False,
            "source": parts["source"],
        }
    )
    compounds = GeoDataFrame(table, geometry=parts.geometry, crs=GEOGRAPHIC)
    return compounds.sort_values("code", ignore_index=True)
