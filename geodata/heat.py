"""Heat cells: the squares of the Web Mercator quadtree, which nest by bit shift.

A cell is two integers at a zoom: ``x`` grows to the east, ``y`` to the south, each from 0 to
``2**zoom - 1``, numbered as map tiles are. Counts are kept at zoom 20 (35 m at Guicheng); any
coarser cell is its ``x20 >> (20 - zoom), y20 >> (20 - zoom)``.

The definition, word for word what the database computes (double precision, in this order)::

    x20 = least(1048575, floor((lon + 180) / 360 * 1048576))
    y20 = least(1048575, greatest(0,
              floor((1 - asinh(tan(radians(lat))) / pi()) / 2 * 1048576)))

for -180 <= lon <= 180 and -MAX_LAT_DEG <= lat <= MAX_LAT_DEG. The longitude 180 is the east edge
of the last column, not the first one again; the two parallels of the limit belong to the first
and the last row; the poles have no cell. ``x20`` is the same to the bit everywhere. ``y20`` needs
three library functions, whose last digit differs between machines: it agrees except for points
nearer than about 20 nanometres to a cell's edge, which is a ten-thousandth of what seven decimals
of a degree resolve.
"""

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame

from geodata.crs import GEOGRAPHIC
from geodata.errors import InvalidCountError, InvalidParameterError, OutsideMercatorError

BASE_ZOOM = 20
"""Zoom at which cells are stored."""

MAX_LAT_DEG = 85.0511287798066
"""Latitude at which the Web Mercator square ends: atan(sinh(pi)), in degrees."""

Integers = NDArray[np.int64]


def cells_of(*, lon: ArrayLike, lat: ArrayLike, zoom: int = BASE_ZOOM) -> tuple[Integers, Integers]:
    """Find the cell of each point.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, EPSG:4326.
    zoom
        0 to 20; 20 gives ``x20, y20``.

    Returns
    -------
    tuple
        ``x, y``, each shape (n,), int64, in the order of the points; empty for no points.

    Raises
    ------
    OutsideMercatorError
        A point is beyond ±180° or ±85.0511° (the poles are), or is not a number; it names the
        first one.

    References
    ----------
    OGC 17-083r4, Two Dimensional Tile Matrix Set and Tile Set Metadata, annex D.1
    (WebMercatorQuad).

    Examples
    --------
    >>> x, y = cells_of(lon=[113.15, 180.0], lat=[23.03, 0.0])
    >>> x.tolist(), y.tolist()
    ([853861, 1048575], [455325, 524288])
    """
    side = 1 << _checked_zoom(zoom)
    lon_deg = np.atleast_1d(np.asarray(lon, dtype=np.float64))
    lat_deg = np.atleast_1d(np.asarray(lat, dtype=np.float64))
    _require_inside(lon_deg, lat_deg)
    x = np.floor((lon_deg + 180) / 360 * side)
    y = np.floor((1 - np.arcsinh(np.tan(np.radians(lat_deg))) / np.pi) / 2 * side)
    return (
        np.clip(x, 0, side - 1).astype(np.int64),
        np.clip(y, 0, side - 1).astype(np.int64),
    )


def roll_up(cells: DataFrame, *, zoom: int) -> DataFrame:
    """Sum cells of zoom 20 into the coarser cells that hold them.

    Parameters
    ----------
    cells
        ``x20``, ``y20`` and columns of numbers, one row a cell (several rows of one cell add up).
        Cells of the quadtree, so their CRS is that of :func:`cells_of`.
    zoom
        0 to 20.

    Returns
    -------
    DataFrame
        ``x``, ``y`` (int64) and the same columns summed, by x, then y; no cells give no rows.

    Raises
    ------
    InvalidCountError
        ``x20`` or ``y20`` is absent.
    """
    shift = BASE_ZOOM - _checked_zoom(zoom)
    if missing := {"x20", "y20"} - set(cells.columns):
        raise InvalidCountError(f"The heat cells have no column {', '.join(sorted(missing))}.")
    parents = cells.drop(columns=["x20", "y20"]).assign(
        x=cells["x20"].to_numpy(np.int64) >> shift, y=cells["y20"].to_numpy(np.int64) >> shift
    )
    return parents.groupby(["x", "y"], sort=True).sum().reset_index()


def cell_polygons(*, x: ArrayLike, y: ArrayLike, zoom: int) -> GeoSeries:
    """Draw cells as squares.

    Parameters
    ----------
    x, y
        Shape (n,), cell numbers at ``zoom``.
    zoom
        0 to 20.

    Returns
    -------
    GeoSeries
        Shape (n,), polygons, EPSG:4326, counter-clockwise, in the order given; empty for none.
        Neighbours share their corners to the bit. The index is that of ``x`` where it has one.
    """
    column, row = _numbers(x), _numbers(y)
    squares = shapely.box(
        _longitude(column, zoom),
        _latitude(row + 1, zoom),
        _longitude(column + 1, zoom),
        _latitude(row, zoom),
    )
    return GeoSeries(squares, index=_index_of(x), crs=GEOGRAPHIC)


def _checked_zoom(zoom: int) -> int:
    """Return the zoom, or say that there are no such cells."""
    if not 0 <= zoom <= BASE_ZOOM:
        raise InvalidParameterError("zoom", zoom, f"from 0 to {BASE_ZOOM}")
    return zoom


def _require_inside(lon_deg: NDArray[np.float64], lat_deg: NDArray[np.float64]) -> None:
    """Refuse positions without a cell; the comparison is also false for NaN."""
    inside = (np.abs(lon_deg) <= 180) & (np.abs(lat_deg) <= MAX_LAT_DEG)
    if not inside.all():
        first = int(np.argmin(inside))
        raise OutsideMercatorError(first, float(lon_deg[first]), float(lat_deg[first]))


def _numbers(values: ArrayLike) -> Integers:
    """Return cell numbers as an array of whole numbers."""
    return np.atleast_1d(np.asarray(values, dtype=np.int64))


def _index_of(values: ArrayLike) -> Any:
    """Return the index of a series, so that results line up with the frame they came from."""
    return values.index if isinstance(values, pd.Series) else None


def _longitude(column: NDArray[Any], zoom: int) -> NDArray[np.float64]:
    """Return the longitude of a column's west edge, degrees."""
    return np.asarray(column / (1 << _checked_zoom(zoom)) * 360 - 180, dtype=np.float64)


def _latitude(row: NDArray[Any], zoom: int) -> NDArray[np.float64]:
    """Return the latitude of a row's north edge, degrees."""
    mercator = np.pi * (1 - 2 * row / (1 << _checked_zoom(zoom)))
    return np.asarray(np.degrees(np.arctan(np.sinh(mercator))), dtype=np.float64)
