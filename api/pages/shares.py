"""How many incidents of heat cells fall to each compound."""

import geopandas
from geopandas import GeoDataFrame
from pandas import Series

from geodata.crs import metric_crs_of


def share_among(cells: GeoDataFrame, compounds: GeoDataFrame) -> "Series[int]":
    """Divide the count of every cell among the compounds under it, by area.

    A cell is all that a release says about a place, and may be larger than a compound: so these
    numbers are estimates, and the page says "about".

    Parameters
    ----------
    cells
        ``incident_count``, ``geometry`` (squares of any size). CRS: EPSG:4326.
    compounds
        ``code``, ``geometry`` (areas). CRS: EPSG:4326.

    Returns
    -------
    Series
        Estimated count by compound code, rounded. Cells with no compound under them are left out;
        empty where there are no cells or no compounds.

    Examples
    --------
    >>> from shapely import box
    >>> square = GeoDataFrame({"incident_count": [8]}, geometry=[box(0, 0, 2, 1)], crs=4326)
    >>> areas = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    >>> halves = GeoDataFrame({"code": ["a", "b"]}, geometry=areas, crs=4326)
    >>> share_among(square, halves).to_dict()
    {'a': 4, 'b': 4}
    """
    if cells.empty or compounds.empty:
        return Series(dtype="int64")
    metric = metric_crs_of(compounds.total_bounds)
    numbered = cells[["incident_count", "geometry"]].reset_index(names="cell").to_crs(metric)
    pieces = geopandas.overlay(numbered, compounds[["code", "geometry"]].to_crs(metric))
    area_m2 = pieces.area
    share = area_m2 / area_m2.groupby(pieces["cell"]).transform("sum")
    counts = (share * pieces["incident_count"]).groupby(pieces["code"]).sum()
    return counts.round().astype("int64")
