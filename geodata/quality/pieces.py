"""Pieces that an overlay leaves: taken apart, freed of rounding, measured on the ground."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geodata.crs import to_metres
from geodata.quality.tolerances import NOISE_M

Shapes = NDArray[np.object_]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Positions = NDArray[np.int64]

_POLYGON = shapely.GeometryType.POLYGON


@dataclass(frozen=True)
class Pieces:
    """What is left of some shapes, a row each, in the order of those shapes.

    Attributes
    ----------
    owner
        Place of the shape that it is left of.
    shapes
        Polygon or multipolygon, EPSG:4326.
    area_m2
        Area on the ground.
    is_wide
        Whether a disc of the tolerance's diameter fits into a part.
    """

    owner: Positions
    shapes: Shapes
    area_m2: Numbers
    is_wide: Mask


def thick_pieces(
    shapes: Shapes, *, crs: CRS, tolerance_m: float, least_m: float = NOISE_M
) -> Pieces:
    """Return the areas among some shapes, without parts thinner than matters.

    Parameters
    ----------
    shapes
        Results of an overlay, EPSG:4326; points, lines and empty ones are passed over.
    crs
        Projected, in metres: where width and area are measured.
    tolerance_m
        Width that makes ``is_wide``, metres.
    least_m
        Width of what is returned, metres; by default thinner parts are rounding.
    """
    parts, owner = polygon_parts(shapes)
    grounds = to_metres(parts, crs)
    kept = wider_than(grounds, least_m)
    parts, grounds, owner = parts[kept], grounds[kept], owner[kept]
    at, place = np.unique(owner, return_inverse=True)
    is_wide = np.zeros(len(at), dtype=bool)
    is_wide[place[wider_than(grounds, tolerance_m)]] = True
    return Pieces(at, joined(parts, place), sums(shapely.area(grounds), place), is_wide)


def polygon_parts(shapes: Shapes) -> tuple[Shapes, Positions]:
    """Return the polygons that shapes of any kind are made of, and the place of each one's shape.

    CRS: any; kept.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    # A collection may hold a multipolygon.
    parts, inner = shapely.get_parts(parts, return_index=True)
    owner = owner[inner]
    kept = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
    return parts[kept], owner[kept].astype(np.int64)


def joined(parts: Shapes, place: Positions) -> Shapes:
    """Return a shape for each place, from 0 on: its polygon, or its polygons as one. CRS: kept."""
    if not len(parts):
        return np.empty(0, dtype=object)
    whole: Shapes = np.asarray(shapely.multipolygons(parts, indices=place))
    single = shapely.get_num_geometries(whole) == 1
    whole[single] = shapely.get_geometry(whole[single], 0)
    return whole


def sums(values: Numbers, place: Positions) -> Numbers:
    """Return the sum of the values of each place, from 0 on."""
    made = np.zeros(place.max(initial=-1) + 1)
    np.add.at(made, place, values)
    return made


def only(shapes: Shapes, wanted: Mask) -> Shapes:
    """Return shapes in any CRS with None in the place of those that are not wanted."""
    kept = shapes.copy()
    kept[~wanted] = None
    return kept


def wider_than(grounds: Shapes, width_m: float) -> Mask:
    """Tell into which polygons a disc of this diameter fits.

    The mean width 2 A / P of a polygon without holes is never more than the diameter of the
    largest disc inside, so few polygons need an erosion.

    Parameters
    ----------
    grounds
        Polygons, projected CRS, metres.
    width_m
        Diameter, metres.

    References
    ----------
    Osserman R. (1979). Bonnesen-style isoperimetric inequalities. The American Mathematical
    Monthly 86 (1), 1-29: A <= P r - pi r², r the radius of that disc.
    """
    area, length = shapely.area(grounds), shapely.length(grounds)
    is_whole = shapely.get_num_interior_rings(grounds) == 0
    wide: Mask = is_whole & (2 * area > width_m * length)
    unsure = ~wide & (area > 0)
    eroded = shapely.buffer(grounds[unsure], -width_m / 2, quad_segs=2)
    wide[unsure] = ~shapely.is_empty(eroded)
    return wide
