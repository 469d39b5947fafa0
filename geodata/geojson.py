"""GeoJSON as RFC 7946 wants it, for answers small enough to be written in one piece."""

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from geodata.crs import GEOGRAPHIC
from geodata.errors import InvalidParameterError, UndeclaredCRSError

DECIMALS = 7
"""Digits after the point of a degree: a centimetre."""


def geojson_text(
    frame: GeoDataFrame, *, id_column: str | None = None, with_bbox: bool = False
) -> bytes:
    """Write a frame as a GeoJSON FeatureCollection.

    Parameters
    ----------
    frame
        Any geometries, in a CRS that it names; written in EPSG:4326, lon-lat. Heights are dropped.
        The columns other than the geometry become properties.
    id_column
        Column that becomes each feature's ``id`` instead of a property; text or whole numbers.
    with_bbox
        Add ``bbox`` (west, south, east, north) where there is anything to bound.

    Returns
    -------
    bytes
        UTF-8, features in the order of the rows, coordinates to seven decimals, outer rings
        counter-clockwise, no ``crs`` member. Missing values (NaN, NaT, NA, None) and infinite
        numbers are ``null``, as is a missing or empty geometry; instants are ISO 8601 with the
        zone that they have, dates YYYY-MM-DD. No rows give an empty collection.

    Raises
    ------
    UndeclaredCRSError
        The frame has no CRS.
    InvalidParameterError
        ``id_column`` is no column of the frame.

    References
    ----------
    H. Butler et al., The GeoJSON Format, RFC 7946, 2016, doi:10.17487/RFC7946: sections 3.1.6
    (rings), 4 (CRS), 5 (bbox), 11.2 (precision).
    """
    if frame.crs is None:
        raise UndeclaredCRSError("The frame")
    if id_column is not None and id_column not in frame.columns:
        raise InvalidParameterError("id_column", id_column, "a column of the frame")
    geometries = _rounded(np.asarray(frame.to_crs(GEOGRAPHIC).geometry.array))
    records = frame.drop(columns=frame.geometry.name).to_dict("records")
    collection: dict[str, Any] = {"type": "FeatureCollection"}
    if with_bbox and not (shapely.is_missing(geometries) | shapely.is_empty(geometries)).all():
        collection["bbox"] = shapely.total_bounds(geometries).tolist()
    collection["features"] = [
        _feature(record, geometry, id_column)
        for record, geometry in zip(records, geometry_texts(geometries), strict=True)
    ]
    return orjson.dumps(
        collection, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    )


def geometry_texts(geometries: NDArray[np.object_]) -> list[orjson.Fragment | None]:
    """Return each geometry as a piece of JSON; None where it is missing or empty."""
    nothing = shapely.is_missing(geometries) | shapely.is_empty(geometries)
    texts = shapely.to_geojson(geometries)
    return [
        None if absent else orjson.Fragment(text)
        for absent, text in zip(nothing, texts, strict=True)
    ]


def _feature(
    record: dict[Any, Any], geometry: orjson.Fragment | None, id_column: str | None
) -> dict[str, Any]:
    """Return one feature; its members come in the order in which readers expect them."""
    feature: dict[str, Any] = {"type": "Feature"}
    if id_column is not None:
        feature["id"] = record.pop(id_column)
    feature["geometry"] = geometry
    feature["properties"] = {key: _plain_or_same(value) for key, value in record.items()}
    return feature


def _rounded(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return flat geometries with seven decimals and rings wound as the standard says."""
    flat = shapely.transform(geometries, lambda degrees: np.round(degrees, DECIMALS) + 0.0)
    return np.asarray(shapely.orient_polygons(flat, exterior_cw=False))


def _plain_or_same(value: Any) -> Any:
    """Return None for what pandas calls missing, whatever it calls it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _plain(value: Any) -> Any:
    """Return what orjson can write for a value that it does not know."""
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"A property of type {type(value).__name__} has no form in GeoJSON.")
