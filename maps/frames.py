"""Checks of the frames that maps are made of, and their way into a page as GeoJSON."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from maps.errors import MissingColumnError, WrongCRSError, WrongGeometryError

# Seven decimals of a degree are a centimetre; six are what a screen can show.
_DECIMALS = 6

AREAS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
POINTS = ("Point",)


def require(
    frame: GeoDataFrame, name: str, *, columns: Sequence[str], kinds: Sequence[str]
) -> None:
    """Check that a frame can be drawn.

    Parameters
    ----------
    frame
        Any rows; may be empty. CRS: EPSG:4326, lon-lat.
    name
        What the rows are, for the message.
    columns
        Columns that must be there, beside the geometry.
    kinds
        Geometry types, as shapely names them.

    Raises
    ------
    MissingColumnError, WrongCRSError, WrongGeometryError
        The first thing that is wrong.
    """
    missing = [column for column in (*columns, "geometry") if column not in frame.columns]
    if missing:
        raise MissingColumnError(name, missing)
    if frame.crs is None or frame.crs.to_epsg() != 4326:
        raise WrongCRSError(name, frame.crs)
    for row, geometry in enumerate(frame.geometry.to_numpy()):
        if geometry is None or geometry.is_empty:
            raise WrongGeometryError(name, row, "without a geometry", " or ".join(kinds))
        if geometry.geom_type not in kinds:
            raise WrongGeometryError(name, row, geometry.geom_type, " or ".join(kinds))


def feature_collection(frame: GeoDataFrame, columns: Sequence[str]) -> dict[str, Any]:
    """Return a frame as a GeoJSON FeatureCollection with these columns, in its order.

    Parameters
    ----------
    frame
        Rows checked by `require`. CRS: EPSG:4326.
    columns
        Columns to take along; missing values become null.
    """
    geometries = shapely.transform(frame.geometry.to_numpy(), _rounded)
    properties = [
        {column: plain(value) for column, value in zip(columns, values, strict=True)}
        for values in zip(*(frame[column] for column in columns), strict=True)
    ] or [{} for _ in range(len(frame))]
    features = [
        {"type": "Feature", "properties": row, "geometry": json.loads(text)}
        for row, text in zip(properties, shapely.to_geojson(geometries), strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def plain(value: Any) -> Any:
    """Return a cell's value as Python writes it to JSON: numpy numbers plain, missing as None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int):
        return value
    # NaN, NaT and pandas' NA are each unequal to themselves, or refuse to say.
    return value if value is not None and (value == value) is True else None


def label_points(frame: GeoDataFrame) -> list[list[float]]:
    """Return a point inside each area as ``[lat, lon]``, for its label. CRS: EPSG:4326."""
    points = frame.geometry.representative_point()
    return [
        [round(lat, _DECIMALS), round(lon, _DECIMALS)]
        for lon, lat in shapely.get_coordinates(points)
    ]


def bounds_of(*frames: GeoDataFrame | None) -> list[list[float]] | None:
    """Return ``[[south, west], [north, east]]`` round all rows, or None when there are none.

    Parameters
    ----------
    frames
        Frames in EPSG:4326, some perhaps empty or None.
    """
    boxes = [frame.total_bounds for frame in frames if frame is not None and len(frame)]
    if not boxes:
        return None
    west, south = np.min([box[:2] for box in boxes], axis=0)
    east, north = np.max([box[2:] for box in boxes], axis=0)
    return [[float(south), float(west)], [float(north), float(east)]]


def _rounded(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to what a screen can show."""
    return np.round(coordinates, _DECIMALS)
