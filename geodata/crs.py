"""Coordinate reference systems: the metric zone of a place, and the names people give."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geodata.errors import UnknownCRSError

GEOGRAPHIC = CRS.from_epsg(4326)

# CGCS2000 three-degree Gauss-Krüger, without zone prefix: EPSG:4534 on 75°E to 4554 on 135°E.
_FIRST_ZONE_EPSG = 4534
_FIRST_MERIDIAN = 75
_LAST_MERIDIAN = 135


def local_metric_crs(*, lon: float, lat: float) -> CRS:
    """Return the projected CRS, in metres, in which to measure round a place.

    In China's longitudes and north of the equator this is the CGCS2000 three-degree Gauss-Krüger
    zone whose central meridian is nearest (EPSG:4547 for Guicheng); elsewhere the WGS 84 UTM zone.

    Parameters
    ----------
    lon, lat
        Degrees, EPSG:4326.

    Examples
    --------
    >>> local_metric_crs(lon=113.15, lat=23.03).to_epsg()
    4547
    >>> local_metric_crs(lon=-76.6, lat=39.3).to_epsg()
    32618
    """
    meridian = round(lon / 3) * 3
    if lat > 0 and _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN:
        return CRS.from_epsg(_FIRST_ZONE_EPSG + (meridian - _FIRST_MERIDIAN) // 3)
    zone = min(int((lon + 180) // 6) + 1, 60)
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def metric_crs_of(bounds: Iterable[float]) -> CRS:
    """Return the projected CRS, in metres, in which to measure inside a box.

    Parameters
    ----------
    bounds
        ``xmin, ymin, xmax, ymax``, degrees, EPSG:4326; none of them missing.

    Examples
    --------
    >>> metric_crs_of((113.1, 23.0, 113.2, 23.1)).to_epsg()
    4547
    """
    xmin, ymin, xmax, ymax = bounds
    return local_metric_crs(lon=(xmin + xmax) / 2, lat=(ymin + ymax) / 2)


@cache
def transformer(source: CRS, target: CRS) -> Transformer:
    """Return the transformer between two CRS, x (or longitude) first; made once, which is dear."""
    return Transformer.from_crs(source, target, always_xy=True)


def to_metres(shapes: NDArray[np.object_], crs: CRS) -> NDArray[np.object_]:
    """Project shapes, vertex by vertex.

    Parameters
    ----------
    shapes
        Shape (n,), geometries of any kind, EPSG:4326; heights are dropped.
    crs
        Projected, in metres.

    Returns
    -------
    NDArray
        Shape (n,), in the order given; missing ones stay missing, none give none.
    """
    project = transformer(GEOGRAPHIC, crs)

    def projected(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(project.transform(degrees[:, 0], degrees[:, 1]))

    return np.asarray(shapely.transform(shapes, projected), dtype=object)


def parse_crs(text: str) -> CRS:
    """Return the CRS that a user named.

    Raises
    ------
    UnknownCRSError
        PROJ does not know the name.

    Examples
    --------
    >>> parse_crs("EPSG:4490").to_epsg()
    4490
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise UnknownCRSError(text) from error
