"""Make the footprints of an extract disjoint, and find the box that they fill."""

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series
from shapely import Polygon

from geodata.osm.extract import Box
from geodata.osm.homes import USED

# Outlines that share this much of their union are the same building mapped twice.
_SAME_BUILDING_SHARE = 0.8
# What is left of an outline after the buildings inside it must be more than this.
_REMAINING_SHARE = 0.5
# An overlap below this share of the smaller outline is rounding.
_NEGLIGIBLE_SHARE = 1e-9
# "Far out" values lie this many quartile ranges beyond the quartiles: J. W. Tukey, Exploratory
# Data Analysis (1977), chapter 2.
_FAR_OUT = 3.0
_LEAST_FENCE_DEGREES = 0.02
_MARGIN_M = 100.0
_METRES_PER_DEGREE = 111_195.0

Shapes = NDArray[np.object_]


def make_disjoint(footprints: GeoSeries) -> tuple[GeoSeries, Series]:
    """Take overlaps out of footprints.

    Ground that two outlines share goes to the smaller one, so that a tower drawn on its podium, or
    a house in a courtyard, keeps its own. Two outlines that agree in four fifths are one building.

    Parameters
    ----------
    footprints
        Shape (n,), valid polygons; any one CRS.

    Returns
    -------
    tuple
        Footprints, same index, polygons (holes are possible); and the reason why one is left out,
        else empty text.
    """
    shapes: Shapes = footprints.to_numpy().copy()
    areas = shapely.area(shapes)
    reasons = np.full(len(shapes), USED, dtype=object)
    smaller, larger = _pairs_by_size(shapes, areas)
    for small, large in zip(smaller, larger, strict=True):
        if reasons[small] or reasons[large]:
            continue
        shared = shapely.area(shapely.intersection(shapes[small], shapes[large]))
        if shared <= _NEGLIGIBLE_SHARE * areas[small]:
            continue
        union = shapely.area(shapes[small]) + shapely.area(shapes[large]) - shared
        if shared >= _SAME_BUILDING_SHARE * union:
            reasons[small] = "the same building mapped twice"
            continue
        rest = _largest_polygon(shapely.difference(shapes[large], shapes[small]))
        if rest is None or rest.area < _REMAINING_SHARE * areas[large]:
            reasons[large] = "an outline drawn round other buildings"
        else:
            shapes[large] = rest
    return (
        GeoSeries(shapes, index=footprints.index, crs=footprints.crs),
        Series(reasons, index=footprints.index, dtype="str"),
    )


def robust_box(buildings: GeoDataFrame) -> Box:
    """Return a box round the buildings, 100 m wider, that a few far ones do not stretch.

    Far buildings are those whose middle lies more than three quartile ranges (at least 0.02°)
    beyond the quartiles of all.

    Parameters
    ----------
    buildings
        At least one polygon; EPSG:4326.
    """
    bounds = buildings.geometry.bounds.to_numpy()
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    low, high = np.percentile(middle, [25, 75], axis=0)
    fence = np.maximum(_FAR_OUT * (high - low), _LEAST_FENCE_DEGREES)
    near = ((middle >= low - fence) & (middle <= high + fence)).all(axis=1)
    xmin, ymin = bounds[near, :2].min(axis=0)
    xmax, ymax = bounds[near, 2:].max(axis=0)
    margin_lat = _MARGIN_M / _METRES_PER_DEGREE
    margin_lon = margin_lat / float(np.cos(np.radians((ymin + ymax) / 2)))
    return (
        float(xmin - margin_lon), float(ymin - margin_lat),
        float(xmax + margin_lon), float(ymax + margin_lat),
    )  # fmt: skip


def _pairs_by_size(
    shapes: Shapes, areas: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs whose interiors may meet, the smaller first, by size of the smaller."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    apart = shapely.touches(shapes[left], shapes[right])
    left, right = left[~apart], right[~apart]
    swap = areas[left] > areas[right]
    smaller, larger = np.where(swap, right, left), np.where(swap, left, right)
    order = np.lexsort((larger, smaller, areas[smaller]))
    return smaller[order], larger[order]


def _largest_polygon(shape: shapely.Geometry) -> Polygon | None:
    """Return the largest polygon of an overlay's result."""
    polygons = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return max(polygons, key=lambda part: part.area, default=None)
