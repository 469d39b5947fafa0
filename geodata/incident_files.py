"""The rows of an incident file as text, under the names of the roles that a mapping gives them."""

import gzip
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pandas import DataFrame, Series
from pandas.errors import EmptyDataError, ParserError, ParserWarning
from pyogrio import read_dataframe, read_info
from pyogrio.errors import DataLayerError, DataSourceError

from geodata.errors import MissingColumnError, UnreadableFileError
from geodata.foreign_text import other_kind, ragged_line
from geodata.incident_mapping import IncidentMapping

NO_VALUE_WORDS = ("", "nan", "null", "none", "na", "n/a", "-")
"""What exports write, in any case, where there is no value."""

ROLES = ("id", "lon", "lat", "reported_at", "closed_at", "status", "category")

_GZIP = b"\x1f\x8b"
_LOOKED_AT = 4096


def read_rows(path: Path, mapping: IncidentMapping) -> DataFrame:
    """Read the columns that a mapping names.

    Parameters
    ----------
    path
        A CSV or GeoJSON file, as the mapping says; CSV may be compressed by gzip.
    mapping
        Names the columns. Positions stay in the CRS that it declares.

    Returns
    -------
    DataFrame
        Text columns id, lon, lat, reported_at, closed_at, status, category, without spaces round
        them, empty where the file or the mapping has nothing; one row a row of the file.

    Raises
    ------
    UnreadableFileError
        The file is absent, empty, in another encoding, or of another kind.
    MissingColumnError
        It has not the columns that the mapping names.
    """
    if not path.is_file():
        raise UnreadableFileError(path, "there is no such file.")
    source = _read_csv(path, mapping) if mapping.format == "csv" else _read_geojson(path, mapping)
    return DataFrame({role: _joined(source, _names(mapping, role)) for role in ROLES})


def _names(mapping: IncidentMapping, role: str) -> tuple[str, ...]:
    """Return the source's columns for a role: none, one, or several to be joined."""
    if role in ("lon", "lat") and mapping.columns.lon is None:
        return (f"geometry.{role}",)
    names: str | tuple[str, ...] | None = getattr(mapping.columns, role)
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else names


def _require_columns(path: Path, mapping: IncidentMapping, present: list[str]) -> list[str]:
    """Return the columns to read, each once, or say which of them the file has not."""
    wanted = [name for role in ROLES for name in _names(mapping, role)]
    wanted = [name for name in dict.fromkeys(wanted) if not name.startswith("geometry.")]
    missing = tuple(name for name in wanted if name not in present)
    if missing:
        raise MissingColumnError(mapping.path, path, missing, tuple(present))
    return wanted


def _joined(source: DataFrame, names: tuple[str, ...]) -> Series:
    """Return one text column from several, joined by a space."""
    if not names:
        return Series("", index=source.index, dtype="str")
    parts = source[list(names)].fillna("").apply(lambda column: column.str.strip())
    first: Series = parts[names[0]]
    if len(names) == 1:
        return first
    joined: Series = first.str.cat(parts[list(names[1:])], sep=" ")
    return joined.str.strip()


def _read_csv(path: Path, mapping: IncidentMapping) -> DataFrame:
    """Read a CSV file, all of it as text.

    Columns that nobody asked for are parsed too, then dropped: only so does a row with a comma too
    many show, whose values would else slip into the columns beside.
    """
    start = _first_bytes(path)
    if not start:
        raise UnreadableFileError(path, "is empty.")
    is_gzip = start.startswith(_GZIP)
    has_zeros = not is_gzip and not mapping.encoding.startswith(("utf-16", "utf-32"))
    kind = other_kind(start) or ("not text" if has_zeros and b"\0" in start else None)
    if kind is not None:
        raise UnreadableFileError(path, f"is {kind}: an import needs CSV or GeoJSON.")
    options: dict[str, Any] = {
        "sep": mapping.delimiter,
        "encoding": mapping.encoding,
        "compression": "gzip" if is_gzip else None,
        "dtype": "str",
        "na_filter": False,
        "index_col": False,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            header = list(pd.read_csv(path, nrows=0, **options).columns)
            wanted = _require_columns(path, mapping, header)
            rows: DataFrame = pd.read_csv(path, **options)
    except EmptyDataError as error:
        raise UnreadableFileError(path, "is empty.") from error
    except UnicodeError as error:
        reason = (
            f"is not in {mapping.encoding.removesuffix('-sig')} ({error}): "
            "declare its encoding in the mapping, such as gb18030."
        )
        raise UnreadableFileError(path, reason) from error
    except (ParserError, ParserWarning) as error:
        what = str(error).strip()
        reason = ragged_line(what) or f"is not CSV as the mapping describes it ({what})."
        raise UnreadableFileError(path, reason) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnreadableFileError(path, f"is a damaged gzip file ({error}).") from error
    return rows[wanted]


def _first_bytes(path: Path) -> bytes:
    """Return the beginning of a file."""
    with path.open("rb") as file:
        return file.read(_LOOKED_AT)


def _read_geojson(path: Path, mapping: IncidentMapping) -> DataFrame:
    """Read the properties of a GeoJSON file as text, and its points where they are the position.

    A CRS member in the file is not believed: the mapping declares the CRS.
    """
    # GDAL would guess which texts are dates, and write them anew.
    options = {"DATE_AS_STRING": "YES"}
    try:
        present = [str(name) for name in read_info(path, **options)["fields"]]
        wanted = _require_columns(path, mapping, present)
        features = read_dataframe(path, columns=wanted, **options)
    except (DataSourceError, DataLayerError) as error:
        reason = f"is not GeoJSON that can be read ({str(error).splitlines()[0]})."
        raise UnreadableFileError(path, reason) from error
    source = DataFrame({name: _as_text(features[name]) for name in wanted}, index=features.index)
    if mapping.columns.lon is None and "geometry" in features:
        points = np.asarray(features.geometry.array)
        # Lines and areas have no x: they count as rows without a position.
        source["geometry.lon"] = _as_text(Series(shapely.get_x(points), index=features.index))
        source["geometry.lat"] = _as_text(Series(shapely.get_y(points), index=features.index))
    elif mapping.columns.lon is None:
        source = source.assign(**{"geometry.lon": "", "geometry.lat": ""})
    return source


def _as_text(column: Series) -> Series:
    """Return values as they stand in the file; whole numbers beside missing ones came as floats."""
    if pd.api.types.is_float_dtype(column):
        texts = [
            "" if np.isnan(number) else str(int(number)) if number.is_integer() else repr(number)
            for number in column.astype("float64").tolist()
        ]
        return Series(texts, index=column.index, dtype="str")
    return column.astype("str").where(column.notna(), "")
