"""Make the frames of a territory from the objects of an extract."""

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import Series
from shapely import Polygon

from geodata.codes import BUILDING_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS, child_codes
from geodata.compounds import CompoundPlan, derive_compounds
from geodata.crs import GEOGRAPHIC, metric_crs_of
from geodata.osm.extract import Box, Extract
from geodata.osm.footprints import make_disjoint
from geodata.osm.homes import (
    USED,
    households_per_stairwell,
    kinds_of,
    levels_of,
    names_of,
    reasons_to_leave_out,
)
from geodata.progress import Progress
from geodata.stairwells import along_spine, split_footprints
from geodata.walkways import node_lines, walking_kinds

# Streets that part one block from the next; lanes and paths inside a compound do not.
_BLOCK_STREETS = frozenset(
    ["motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
     "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "road"]
)  # fmt: skip
NOT_FOR_WALKERS = "not for walkers"


def choose_homes(extract: Extract, *, box: Box) -> tuple[GeoDataFrame, Series]:
    """Choose the buildings that people live in and make their footprints disjoint; EPSG:4326.

    Returns
    -------
    tuple
        The rows of ``extract.buildings`` in use, with ``levels``, ``kind`` and ``area_m2``; and why
        each row of ``extract.buildings`` is left out, empty text where it is used.
    """
    buildings = extract.buildings
    metric = buildings.to_crs(metric_crs_of(box))
    residential = extract.areas[extract.areas["kind"] == "residential"]
    reasons = reasons_to_leave_out(buildings, metric.area, residential, box=box)
    chosen = buildings[reasons == USED]
    footprints, overlaps = make_disjoint(chosen.geometry)
    reasons = reasons.where(reasons != USED, overlaps.reindex(reasons.index, fill_value=USED))
    homes = chosen.set_geometry(footprints)[overlaps == USED]
    levels = levels_of(homes)
    ground = metric.loc[homes.index]
    homes = homes.assign(levels=levels, kind=kinds_of(ground, levels), area_m2=ground.area)
    return homes, reasons


def community_frame(code: int, name: str, *, box: Box, footprints: GeoSeries) -> GeoDataFrame:
    """Return the one community, EPSG:4326: the box, with a bulge round what crosses its edge."""
    frame = shapely.box(*box)
    across = footprints.to_numpy()[~shapely.covers(frame, footprints.to_numpy())]
    outline = shapely.union_all([frame, *across])
    if not isinstance(outline, Polygon):  # each footprint has a point in the box
        message = f"The outline is a {outline.geom_type}."
        raise TypeError(message)
    table = pd.DataFrame({"code": np.array([code], dtype="int64"), "name": [name]})
    return GeoDataFrame(table, geometry=[Polygon(outline.exterior)], crs=GEOGRAPHIC)


def plan_compounds(extract: Extract, homes: GeoDataFrame, community: GeoDataFrame) -> CompoundPlan:
    """Derive compounds, EPSG:4326, from named residential areas, places with homes, streets."""
    areas = extract.areas[extract.areas["name"].notna()]
    lived_in = np.zeros(len(areas), dtype=bool)
    points = shapely.point_on_surface(homes.geometry.to_numpy())
    lived_in[shapely.STRtree(areas.geometry.to_numpy()).query(points, predicate="within")[1]] = True
    areas = areas[(areas["kind"] == "residential") | lived_in]
    is_street = extract.ways["highway"].isin(_BLOCK_STREETS)
    streets, lanes = extract.ways[is_street], extract.ways[~is_street]
    return derive_compounds(homes, areas, streets, community=community, lanes=lanes)


def building_frame(homes: GeoDataFrame, plan: CompoundPlan, *, community_code: int) -> GeoDataFrame:
    """Return the buildings of a territory, index of ``homes``; EPSG:4326."""
    codes = child_codes(
        plan.compound_codes, _centres(homes), digits=BUILDING_DIGITS - COMPOUND_DIGITS
    )
    table = pd.DataFrame(
        {
            "code": codes,
            "community_code": np.int64(community_code),
            "compound_code": plan.compound_codes,
            "name": names_of(homes, _numbers(codes, BUILDING_DIGITS - COMPOUND_DIGITS)),
            "kind": homes["kind"],
            "levels": homes["levels"],
        }
    )
    return GeoDataFrame(table, geometry=homes.geometry, crs=GEOGRAPHIC)


def stairwell_frame(
    homes: GeoDataFrame,
    buildings: GeoDataFrame,
    entrances: GeoDataFrame,
    *,
    progress: Progress | None,
) -> GeoDataFrame:
    """Split the buildings; return stairwells by code, EPSG:4326, with ``split_by``."""
    pieces = split_footprints(homes, entrances=entrances, progress=progress)
    parents = buildings["code"].loc[pieces["building"]].set_axis(pieces.index)
    codes = child_codes(parents, along_spine(pieces), digits=STAIRWELL_DIGITS - BUILDING_DIGITS)
    numbers = _numbers(codes, STAIRWELL_DIGITS - BUILDING_DIGITS).astype("str")
    households = households_per_stairwell(homes)
    table = pd.DataFrame(
        {
            "code": codes,
            "community_code": buildings["community_code"].iloc[0],
            "compound_code": parents.str[:COMPOUND_DIGITS],
            "building_code": parents,
            "name": pieces["ref"].astype("str").fillna(numbers) + "梯",
            "household_count": households.loc[pieces["building"]].to_numpy(),
            "split_by": pieces["split_by"],
        }
    )
    stairwells = GeoDataFrame(table, geometry=pieces.geometry, crs=GEOGRAPHIC)
    return stairwells.sort_values("code", ignore_index=True)


def walkway_frame(extract: Extract, community: GeoDataFrame) -> tuple[GeoDataFrame, Series]:
    """Return the walkways inside the community, EPSG:4326, and why each way is left out, or ''."""
    kinds = walking_kinds(extract.ways)
    outline = community.geometry.iloc[0]
    inside = shapely.intersects(outline, extract.ways.geometry.to_numpy())
    reasons = np.select([~inside, kinds.isna()], ["outside the box", NOT_FOR_WALKERS], USED)
    # Ways outside the box stay in until it cuts them: they, too, make a node a meeting node.
    lines = extract.ways.assign(kind=kinds)[kinds.notna()]
    walkways = node_lines(lines, outline=outline)
    walkways.insert(1, "community_code", community["code"].iloc[0])
    return walkways, Series(reasons, index=extract.ways.index, dtype="str")


def _centres(shapes: GeoDataFrame) -> GeoSeries:
    """Return points by which to number siblings."""
    return GeoSeries(
        shapely.centroid(shapes.geometry.to_numpy()), index=shapes.index, crs=GEOGRAPHIC
    )


def _numbers(codes: Series, digits: int) -> Series:
    """Return the sequence numbers at the end of codes."""
    return codes.str[-digits:].astype("int64")
