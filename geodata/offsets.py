"""The shifted coordinates of Chinese map services: GCJ-02 and BD-09, to WGS 84 and back.

GCJ-02 moves every place in China by some hundreds of metres, differently from place to place;
BD-09 adds a second shift on top. Neither is a projection that PROJ knows, and neither can be seen
in the numbers: that a file is shifted must be declared. The official algorithm is unpublished;
these are the formulas that became known in 2013 and that map software uses, good to about a metre.

China is the rectangle 72.004° E - 137.8347° E, 0.8293° N - 55.8271° N of the same source; outside
it nothing is moved. The rectangle holds parts of the neighbours too: do not declare their data as
shifted. Along its edges the inverse is undefined within the width of the shift.

References
----------
eviltransform, transform between Earth (WGS-84) and Mars (GCJ-02) coordinates,
https://github.com/googollee/eviltransform (constants and polynomials); its ellipsoid is that of
Krassowsky, 1940, EPSG:7024. BD-09: gcoord, https://github.com/hujiulong/gcoord. (The BD-09 of
eviltransform has sin(pi y) for sin(3000 pi y / 180), and is some tens of metres off.)
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike, NDArray

from geodata.crs import GEOGRAPHIC
from geodata.errors import InvalidParameterError, UnknownCRSError

Degrees = NDArray[np.float64]
Positions = tuple[Degrees, Degrees]
Shapes = NDArray[np.object_]
Shift = Literal["gcj02", "bd09"]

SHIFTS: tuple[Shift, ...] = ("gcj02", "bd09")
"""Names under which a file may declare that it is shifted."""

_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
# The polynomials are round this point.
_ORIGIN_LON, _ORIGIN_LAT = 105.0, 35.0
_BD09_RATE = np.pi * 3000 / 180
_BD09_LON, _BD09_LAT = 0.0065, 0.006
# Over a distance the shifts change by under 3 % of it, so a step leaves 3 % of the error: eight
# steps take 1e-2 degree to 1e-14. The number is fixed so that a point's result does not depend on
# the others in its array.
_STEPS = 8


def gcj02_from_wgs84(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Shift WGS 84 to GCJ-02.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, EPSG:4326.

    Returns
    -------
    tuple
        ``lon, lat``, each shape (n,), degrees, GCJ-02; unchanged outside China; empty for none.
    """
    wgs_lon, wgs_lat = _arrays(lon, lat)
    east_m, north_m = _gcj02_polynomials(wgs_lon - _ORIGIN_LON, wgs_lat - _ORIGIN_LAT)
    sine = np.sin(np.radians(wgs_lat))
    curvature = 1 - _ECCENTRICITY_SQUARED * sine * sine
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / curvature**1.5
    parallel_m = _SEMI_MAJOR_M / np.sqrt(curvature) * np.cos(np.radians(wgs_lat))
    inside = _in_china(wgs_lon, wgs_lat)
    return (
        wgs_lon + np.where(inside, np.degrees(east_m / parallel_m), 0),
        wgs_lat + np.where(inside, np.degrees(north_m / meridian_m), 0),
    )


def wgs84_from_gcj02(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Undo the GCJ-02 shift by iteration, to under 1e-9 degree.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, GCJ-02.

    Returns
    -------
    tuple
        ``lon, lat``, each shape (n,), degrees, EPSG:4326; unchanged outside China.
    """
    return _invert(gcj02_from_wgs84, *_arrays(lon, lat))


def bd09_from_gcj02(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Shift GCJ-02 to BD-09.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, GCJ-02.

    Returns
    -------
    tuple
        ``lon, lat``, each shape (n,), degrees, BD-09; unchanged outside China.
    """
    gcj_lon, gcj_lat = _arrays(lon, lat)
    radius = np.hypot(gcj_lon, gcj_lat) + 0.00002 * np.sin(gcj_lat * _BD09_RATE)
    angle = np.arctan2(gcj_lat, gcj_lon) + 0.000003 * np.cos(gcj_lon * _BD09_RATE)
    inside = _in_china(gcj_lon, gcj_lat)
    return (
        np.where(inside, radius * np.cos(angle) + _BD09_LON, gcj_lon),
        np.where(inside, radius * np.sin(angle) + _BD09_LAT, gcj_lat),
    )


def gcj02_from_bd09(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Undo the second shift of BD-09 by iteration, to under 1e-9 degree.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, BD-09.

    Returns
    -------
    tuple
        ``lon, lat``, each shape (n,), degrees, GCJ-02; unchanged outside China.
    """
    return _invert(bd09_from_gcj02, *_arrays(lon, lat))


def bd09_from_wgs84(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Shift WGS 84 to BD-09; see :func:`gcj02_from_wgs84` and :func:`bd09_from_gcj02`."""
    gcj_lon, gcj_lat = gcj02_from_wgs84(lon=lon, lat=lat)
    return bd09_from_gcj02(lon=gcj_lon, lat=gcj_lat)


def wgs84_from_bd09(*, lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Undo both shifts of BD-09; see :func:`gcj02_from_bd09` and :func:`wgs84_from_gcj02`."""
    gcj_lon, gcj_lat = gcj02_from_bd09(lon=lon, lat=lat)
    return wgs84_from_gcj02(lon=gcj_lon, lat=gcj_lat)


def unshift(*, lon: ArrayLike, lat: ArrayLike, source: Shift) -> Positions:
    """Undo the shift that a source declares.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, as the source has them.
    source
        ``gcj02`` or ``bd09``.

    Returns
    -------
    tuple
        ``lon, lat``, each shape (n,), degrees, EPSG:4326; unchanged outside China.

    Raises
    ------
    InvalidParameterError
        ``source`` is neither.
    """
    if source == "gcj02":
        return wgs84_from_gcj02(lon=lon, lat=lat)
    if source == "bd09":
        return wgs84_from_bd09(lon=lon, lat=lat)
    raise InvalidParameterError("source", source, "gcj02 or bd09")


def unshift_shapes(shapes: Shapes, *, source: Shift) -> Shapes:
    """Undo the shift of every vertex of some shapes.

    Parameters
    ----------
    shapes
        Shape (n,), geometries of any kind, degrees, shifted as ``source`` says.
    source
        ``gcj02`` or ``bd09``.

    Returns
    -------
    Shapes
        Shape (n,), EPSG:4326, in the order given; missing ones stay missing, heights are dropped.

    Raises
    ------
    InvalidParameterError
        ``source`` is neither.
    """

    def unshifted(vertices: Degrees) -> Degrees:
        return np.column_stack(unshift(lon=vertices[:, 0], lat=vertices[:, 1], source=source))

    return np.asarray(shapely.transform(shapes, unshifted), dtype=object)


def to_wgs84(frame: GeoDataFrame, *, source: Shift) -> GeoDataFrame:
    """Undo the shift of every vertex of a frame.

    Parameters
    ----------
    frame
        Any geometries, degrees, shifted as ``source`` says. Files label such coordinates EPSG:4326
        or 4490, or not at all; any geographic label is taken for that mistake.
    source
        ``gcj02`` or ``bd09``.

    Returns
    -------
    GeoDataFrame
        A copy with its geometry in EPSG:4326, rows and order unchanged; heights are dropped.
        Lines stay as straight as they were: a shift bends a kilometre by centimetres.

    Raises
    ------
    UnknownCRSError
        The frame is labelled as projected: its numbers are no degrees.
    InvalidParameterError
        ``source`` is neither.
    """
    if frame.crs is not None and not frame.crs.is_geographic:
        raise UnknownCRSError(f"{source} in {frame.crs.to_string()}")
    moved = unshift_shapes(np.asarray(frame.geometry.array), source=source)
    return frame.set_geometry(GeoSeries(moved, index=frame.index, crs=GEOGRAPHIC))


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Positions:
    """Return positions as two arrays of one dimension."""
    return (
        np.atleast_1d(np.asarray(lon, dtype=np.float64)),
        np.atleast_1d(np.asarray(lat, dtype=np.float64)),
    )


def _in_china(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    """Mark the positions that are shifted."""
    west, south, east, north = _CHINA
    return np.asarray((west <= lon) & (lon <= east) & (south <= lat) & (lat <= north))


def _gcj02_polynomials(x: Degrees, y: Degrees) -> Positions:
    """Return the shift to the east and to the north, metres, x and y degrees from the origin."""
    root = np.sqrt(np.abs(x))
    ripple = 20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (ripple + 20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east = east + (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (ripple + 20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north = north + (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y / 30 * np.pi)) * 2 / 3
    return east, north


def _invert(forward: Callable[..., Positions], lon: Degrees, lat: Degrees) -> Positions:
    """Find what the forward shift moves to the given positions, by fixed-point iteration."""
    from_lon, from_lat = lon.copy(), lat.copy()
    for _ in range(_STEPS):
        to_lon, to_lat = forward(lon=from_lon, lat=from_lat)
        from_lon, from_lat = from_lon + (lon - to_lon), from_lat + (lat - to_lat)
    outside = ~_in_china(lon, lat)
    return np.where(outside, lon, from_lon), np.where(outside, lat, from_lat)
