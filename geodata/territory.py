"""The frames of one sub-district, as the sample and the OpenStreetMap reader make them."""

from dataclasses import dataclass

import shapely
from geopandas import GeoDataFrame

from geodata.errors import InvalidGeometryError


@dataclass(frozen=True)
class Territory:
    """A sub-district as frames; every geometry is EPSG:4326, lon-lat.

    Attributes
    ----------
    street_code
        12-digit code of the sub-district, which also marks what lies outside every community.
    street_name
        Its name.
    communities
        ``code`` (int64), ``name``, ``geometry`` (polygon).
    compounds
        ``code`` (15 digits), ``community_code``, ``name``, ``built_year`` (nullable),
        ``is_demonstration``, ``geometry`` (polygon).
    buildings
        ``code`` (18 digits), ``community_code``, ``compound_code``, ``name``, ``kind`` (slab,
        tower, other), ``levels`` (nullable), ``geometry`` (polygon).
    stairwells
        ``code`` (20 digits), ``community_code``, ``compound_code``, ``building_code``, ``name``,
        ``household_count``, ``geometry`` (polygon).
    walkways
        ``id``, ``community_code``, ``kind`` (street, residential, footpath, steps, service),
        ``name`` (nullable), ``geometry`` (line string; lines meet only at their end points).
    attribution
        Whom every map and export of it must name as the source; empty for nobody.
    """

    street_code: int
    street_name: str
    communities: GeoDataFrame
    compounds: GeoDataFrame
    buildings: GeoDataFrame
    stairwells: GeoDataFrame
    walkways: GeoDataFrame
    attribution: str = ""


def require_sound(territory: Territory) -> None:
    """Refuse a territory with a geometry that is missing, empty or invalid.

    Parameters
    ----------
    territory
        Frames in EPSG:4326; all are looked at.

    Raises
    ------
    InvalidGeometryError
        Names layer, code and what is wrong, with the place in degrees.
    """
    layers = {
        "community": territory.communities,
        "compound": territory.compounds,
        "building": territory.buildings,
        "stairwell": territory.stairwells,
        "walkway": territory.walkways,
    }
    for layer, frame in layers.items():
        shapes = frame.geometry.to_numpy()
        faulty = shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)
        if faulty.any():
            row = int(faulty.argmax())
            name = frame.iloc[row].get("code", frame.iloc[row].get("id"))
            shape = shapes[row]
            is_there = shape is not None and not shape.is_empty
            reason = shapely.is_valid_reason(shape) if is_there else "is missing or empty"
            raise InvalidGeometryError(layer, str(name), reason)
