"""Which buildings people live in, and what their tags say of levels, kind, name and households."""

import re

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series

from geodata.osm.extract import Box

# https://wiki.openstreetmap.org/wiki/Key:building, "Accommodation" without hotels, and farmhouses.
HOME_TAGS = frozenset(
    ["apartments", "bungalow", "cabin", "detached", "dormitory", "farm", "house", "residential",
     "semidetached_house", "terrace"]
)  # fmt: skip
# Homes in one stairwell of buildings that are not flats.
_HOMES_OF = {"bungalow": 1, "cabin": 1, "detached": 1, "farm": 1, "house": 1,
             "semidetached_house": 2, "terrace": 2}  # fmt: skip
_HOMES_PER_LEVEL = 2
_LEVELS_IF_UNKNOWN = 6
_LEVEL_HEIGHT_M = 3.0
_METRES_PER_FOOT = 0.3048
_MOST_LEVELS = 200
# Smaller than this and not tagged as a home: a shed or a garage.
SMALLEST_UNTAGGED_M2 = 40.0
_HOUSE_BELOW_M2 = 200.0
_SLAB_LENGTH_TO_WIDTH = 2.0
_SLAB_FILL = 0.75
_TOWER_LEVELS = 8

USED = ""


def reasons_to_leave_out(
    buildings: GeoDataFrame, areas_m2: Series, residential: GeoDataFrame, *, box: Box
) -> Series:
    """Say why each building is left out; empty text where people live in it.

    A home is tagged so (``HOME_TAGS``), or is ``building=yes`` with no other use, at least 40 m²,
    inside a residential area.

    Parameters
    ----------
    buildings
        Shape (n,), as ``Extract.buildings``; EPSG:4326.
    areas_m2
        Shape (n,), ground area, same index.
    residential
        Residential areas, polygons; EPSG:4326.
    box
        West, south, east, north; a building belongs to it by a point inside the building.
    """
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    in_box = shapely.intersects(shapely.box(*box), points)
    inside = np.zeros(len(buildings), dtype=bool)
    inside[
        shapely.STRtree(points).query(residential.geometry.to_numpy(), predicate="contains")[1]
    ] = True
    untagged = buildings["building"] == "yes"
    tagged = buildings["building"].isin(HOME_TAGS)
    rules: list[tuple[NDArray[np.bool_], str]] = [
        (~in_box, "outside the box"),
        (tagged.to_numpy(), USED),
        ((~untagged | buildings["has_use"]).to_numpy(), "tagged as something other than a home"),
        (~inside, "without a use in its tags, outside every residential area"),
        (
            (areas_m2 < SMALLEST_UNTAGGED_M2).to_numpy(),
            "without a use in its tags, smaller than 40 m²",
        ),
    ]
    reason = np.select([rule for rule, _ in rules], [text for _, text in rules], USED)
    return Series(reason, index=buildings.index, dtype="str")


def levels_of(buildings: pd.DataFrame) -> Series:
    """Return the levels above ground: ``building:levels`` rounded down, else height / 3 m.

    Returns
    -------
    Series
        Int64, missing where neither tag is there or makes sense (1 to 200 levels).
    """
    counted = buildings["levels_text"].map(_leading_number, na_action="ignore")
    height_m = buildings["height_text"].map(_metres, na_action="ignore")
    counted = counted.astype("float64")
    by_height = (height_m.astype("float64") / _LEVEL_HEIGHT_M).round().clip(lower=1)
    levels = counted.fillna(by_height) // 1
    return levels.where(levels.between(1, _MOST_LEVELS)).astype("Int64").rename("levels")


def kinds_of(footprints: GeoDataFrame, levels: Series) -> Series:
    """Return ``slab``, ``tower`` or ``other`` by shape and levels.

    A slab is at least twice as long as wide and fills three quarters of the rectangle round it; a
    tower is not, and has 8 levels or more.

    Parameters
    ----------
    footprints
        Shape (n,), polygons; projected CRS, metres.
    levels
        Shape (n,), nullable, same index.
    """
    rectangles = shapely.oriented_envelope(footprints.geometry.to_numpy())
    corners = shapely.get_coordinates(rectangles).reshape(-1, 5, 2)
    sides = np.linalg.norm(np.diff(corners[:, :3], axis=1), axis=2)
    is_long = sides.max(axis=1) >= _SLAB_LENGTH_TO_WIDTH * sides.min(axis=1)
    fill = shapely.area(footprints.geometry.to_numpy()) / shapely.area(rectangles)
    is_high = (levels >= _TOWER_LEVELS).fillna(value=False).to_numpy(dtype=bool)
    kind = np.select(
        [is_long & (fill >= _SLAB_FILL), is_high & ~is_long], ["slab", "tower"], "other"
    )
    return Series(kind, index=footprints.index, dtype="str")


def names_of(buildings: pd.DataFrame, numbers: Series) -> Series:
    """Name each building: its name, its address, its reference, else its number ('3栋').

    Parameters
    ----------
    buildings
        ``name``, ``house_number``, ``street``, ``ref``, nullable.
    numbers
        Number of the building in its compound, same index.
    """
    street = (buildings["street"].astype("str") + " ").fillna("")
    address = street + buildings["house_number"].astype("str")
    own = numbers.astype("str") + "栋"
    named = buildings["name"].astype("str").str.strip()
    named = named.mask(named == "")
    names: Series = named.fillna(address).fillna(buildings["ref"].astype("str")).fillna(own)
    return names.rename("name")


def households_per_stairwell(buildings: pd.DataFrame) -> Series:
    """Estimate the households of one stairwell of each building.

    Two homes a level, with six levels where nobody says. But a detached house or farm has one home,
    a semi-detached or terraced slice two; and a building of unknown levels under 200 m² (the ground
    of one stairwell, 16 m by 12 m) is taken for a house too.

    Parameters
    ----------
    buildings
        ``building`` (tag), ``levels`` (nullable), ``area_m2``.
    """
    flats = buildings["levels"].fillna(_LEVELS_IF_UNKNOWN) * _HOMES_PER_LEVEL
    houses = buildings["building"].map(_HOMES_OF).astype("Int64")
    is_small = buildings["levels"].isna() & (buildings["area_m2"] < _HOUSE_BELOW_M2)
    houses = houses.fillna(Series(1, index=buildings.index, dtype="Int64").where(is_small))
    return houses.fillna(flats).astype("int64").rename("household_count")


def _leading_number(text: str) -> float:
    """Return the number that a text begins with, else not-a-number."""
    found = re.match(r"\s*\+?(\d+(?:[.,]\d+)?)", text)
    return float(found[1].replace(",", ".")) if found else float("nan")


def _metres(text: str) -> float:
    """Return a height in metres: metres unless the text says feet."""
    value = _leading_number(text)
    return value * _METRES_PER_FOOT if re.search(r"'|ft|feet", text) else value
