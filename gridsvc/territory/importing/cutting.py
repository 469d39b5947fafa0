"""Buildings of an import that have no stairwells yet, cut into some."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import Series
from sqlalchemy.orm import Session

from geodata.codes import BUILDING_DIGITS, STAIRWELL_DIGITS, next_codes
from geodata.crs import GEOGRAPHIC, metric_crs_of, to_metres
from geodata.stairwells import along_spine, split_footprints
from gridsvc.territory import store as territory
from gridsvc.territory.importing import applying_store
from gridsvc.territory.importing.model import TerritoryImport
from gridsvc.territory.tables import StairwellRow

# A door this near to two outlines could be taken for that of either.
_SHARED_WALL_M = 1.5


@dataclass(frozen=True)
class Cut:
    """How many stairwells were cut, and of these how many by the entrances of their building."""

    stairwells: int = 0
    by_entrances: int = 0


def cut_stairwells(
    session: Session,
    found: TerritoryImport,
    counts: Series,
    doors: GeoDataFrame | None,
    *,
    stated: int | None,
) -> Cut:
    """Cut every building of an applied import that has no stairwell.

    The count that the file states for a building stands; two entrances and more come next, then the
    count that was stated for all; elsewhere a stairwell is as long as people build them. Households
    are unknown, and so 0, until a register says how many there are.

    Parameters
    ----------
    counts
        How many the file says there are, by the codes of its buildings, nullable.
    doors
        ``code`` (of the building), ``ref``, ``geometry`` (on its outline, EPSG:4326); absent: none
        are known.
    stated
        How many stairwells a building has of which nothing else says it; absent: by its length.
    """
    buildings = applying_store.read_uncut(session, found.street_code, list(counts.index))
    if buildings.empty:
        return Cut()
    own = _doors_of(buildings, doors)
    known = Series(counts[buildings["code"]].array, index=buildings.index)
    pieces = _split(buildings, own, _with_stated(known, own, stated))
    parents = Series(
        buildings["code"].loc[pieces["building"]].to_numpy(), index=pieces.index, dtype="str"
    )
    taken = territory.list_codes_ever(session, StairwellRow, list(buildings["code"]))
    digits = STAIRWELL_DIGITS - BUILDING_DIGITS
    codes = next_codes(parents, along_spine(pieces), digits=digits, taken=taken)
    names = codes.str[-digits:].astype("int64").astype("str") + "梯"
    stairwells = pieces[["geometry"]].assign(code=codes, name=names)
    added = applying_store.add_stairwells(session, stairwells, valid_from=found.valid_from)
    return Cut(added, int((pieces["split_by"] == "entrances").sum()))


def _doors_of(buildings: GeoDataFrame, doors: GeoDataFrame | None) -> GeoDataFrame:
    """Return the doors of some buildings: ``building`` (index label), ``ref``, EPSG:4326."""
    if doors is None:
        return GeoDataFrame({"building": [], "ref": []}, geometry=[], crs=GEOGRAPHIC)
    labels = dict(zip(buildings["code"], buildings.index, strict=True))
    own = doors[doors["code"].isin(labels)].reset_index(drop=True)
    return GeoDataFrame(own.assign(building=own["code"].map(labels)), crs=GEOGRAPHIC)


def _with_stated(counts: Series, doors: GeoDataFrame, stated: int | None) -> Series:
    """Return how many stairwells each building is said to have, nullable."""
    if stated is None:
        return counts
    has_doors = counts.index.isin(doors["building"][doors["building"].duplicated()])
    return counts.mask(counts.isna() & ~has_doors, stated)


def _split(buildings: GeoDataFrame, doors: GeoDataFrame, counts: Series) -> GeoDataFrame:
    """Cut buildings; one whose door could be a neighbour's, too, is cut by itself. EPSG:4326."""
    apart = _contested(buildings, doors)
    together = buildings[~buildings.index.isin(apart)]
    groups = [together, *(buildings.loc[[label]] for label in sorted(apart))]
    pieces = [
        split_footprints(
            group, entrances=doors[doors["building"].isin(group.index)], counts=counts[group.index]
        )
        for group in groups
    ]
    joined = pd.concat([one for one in pieces if len(one)], ignore_index=True)
    return GeoDataFrame(
        joined.sort_values(["building", "number"], kind="stable", ignore_index=True), crs=GEOGRAPHIC
    )


def _contested(buildings: GeoDataFrame, doors: GeoDataFrame) -> set[int]:
    """Return the buildings with a door in a wall that another one has, too."""
    if doors.empty:
        return set()
    shapes = np.asarray(buildings.geometry.array, dtype=object)
    crs = metric_crs_of(shapely.total_bounds(shapes))
    tree = shapely.STRtree(shapely.boundary(to_metres(shapes, crs)))
    points = to_metres(np.asarray(doors.geometry.array, dtype=object), crs)
    at, near = tree.query(points, predicate="dwithin", distance=_SHARED_WALL_M)
    owners = doors["building"].to_numpy()[at]
    return {int(owner) for owner in owners[buildings.index.to_numpy()[near] != owners]}
