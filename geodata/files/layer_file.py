"""What a reader hands on: a layer as it stands in the file, and the same in EPSG:4326."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series
from pyproj import CRS

from geodata.offsets import Shift

CRSOrigin = Literal["option", "file", "format"]
Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class LayerFile:
    """A layer of a file, ready for its columns to be named.

    Attributes
    ----------
    frame
        ``row`` (int64, 1 is the first feature or record), the file's own columns as text (None
        where there is nothing), ``geometry`` in EPSG:4326: of any type, flat, perhaps invalid,
        empty or missing. Index 0 to n - 1, order of the file.
    crs_name
        What the coordinates were in: ``EPSG:4526``, ``gcj02``, or a name without a code.
    crs_from
        Who said so: the ``option``, the ``file`` itself, or its ``format``, which allows no other.
    format
        Name of the format, as GDAL spells it; CSV and Parquet are read without it.
    notes
        Sentences for whoever imports: what was taken for what, and what was left out.
    """

    frame: GeoDataFrame
    crs_name: str
    crs_from: CRSOrigin
    format: str
    notes: tuple[str, ...]


@dataclass
class RawLayer:
    """A layer as the reader of one format found it.

    Attributes
    ----------
    columns
        The file's columns, shape (n,) each, text.
    geometries
        Shape (n,), in the CRS of the file; None where a row has none.
    crs
        What the file says it is in, a CRS or a shift; None if nothing.
    crs_from
        Whether the file says so or its format does.
    crs_is_fixed
        The format allows no other projection, whatever an option says.
    notes
        As in :class:`LayerFile`.
    """

    columns: Mapping[str, Series]
    geometries: Geometries
    crs: CRS | Shift | None = None
    crs_from: Literal["file", "format"] = "file"
    crs_is_fixed: bool = False
    notes: list[str] = field(default_factory=list)
