"""The frames of one sub-district, as the sample and the OpenStreetMap reader make them."""

from dataclasses import dataclass

from geopandas import GeoDataFrame


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
    """

    street_code: int
    street_name: str
    communities: GeoDataFrame
    compounds: GeoDataFrame
    buildings: GeoDataFrame
    stairwells: GeoDataFrame
    walkways: GeoDataFrame
