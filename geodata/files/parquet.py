"""GeoParquet, read by Arrow in batches; geometries in columns of numbers by geopandas."""

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.crs import GEOGRAPHIC
from geodata.errors import FileLimitError, UnreadableFileError
from geodata.files.geometries import (
    check_vertices,
    flatten,
    geometries_from_wkb,
    rows_in_words,
)
from geodata.files.layer_file import Geometries, RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import (
    lost_utf8,
    refuse_encoding,
    text_column,
    text_series,
    unique_names,
    unreadable,
)

_MAGIC = b"PAR1"
_BATCH_ROWS = 4096
_WKB = "WKB"


def read_geoparquet(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a GeoParquet file.

    Parameters
    ----------
    path
        With the metadata of GeoParquet 1: a plain table of Parquet has no geometry.
    encoding
        None or UTF-8: the format allows no other.
    source_layer
        Ignored: there is one.
    limits
        See :class:`FileLimits`.

    Returns
    -------
    RawLayer
        CRS: that of the metadata; EPSG:4326 where they name none, as the format says; None where
        they name null. Columns of bytes, such as a second geometry, are left out, and noted.

    Raises
    ------
    UnreadableFileError
        It is no GeoParquet, or damaged.

    References
    ----------
    GeoParquet Specification, version 1.1.0, Open Geospatial Consortium, 2024.
    """
    del source_layer
    refuse_encoding(path, encoding, "Parquet is UTF-8")
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise UnreadableFileError(path, "is not Parquet: it begins otherwise.")
    try:
        return _read(path, limits)
    except UnicodeDecodeError as error:
        raise lost_utf8(path, error) from error
    except (pa.ArrowException, shapely.errors.ShapelyError, OSError, ValueError, KeyError,
            TypeError, OverflowError) as error:  # fmt: skip
        raise unreadable(path, "GeoParquet", error) from error


def _read(path: Path, limits: FileLimits) -> RawLayer:
    notes: list[str] = []
    # Texts that repeat are written once: read as such, they cannot swell in memory.
    schema = pq.read_schema(path)
    limits.check_columns(path, len(schema.names) - 1)
    swelling = [field.name for field in schema if _is_bytes_or_text(field.type)]
    with pq.ParquetFile(path, read_dictionary=swelling) as file:
        _check_sizes(path, file.metadata, limits)
        geometry_name, described = _described(path, file.metadata, schema)
        crs, crs_from = _crs(path, described)
        by_geopandas = described.get("encoding") != _WKB
        kept = [field.name for field in schema if _is_kept(field, geometry_name, notes)]
        names = unique_names(kept, notes=notes)
        texts: dict[str, list[str | None]] = {name: [] for name in names}
        batches: list[Geometries] = []
        bad: list[int] = []
        row, text_bytes = 1, 0
        wanted = kept if by_geopandas else [*kept, geometry_name]
        for batch in file.iter_batches(_BATCH_ROWS, columns=wanted):
            limits.check_features(path, row + batch.num_rows - 1)
            for column, name in zip(kept, names, strict=True):
                values = batch.column(column)
                text_bytes = _counted(path, values, text_bytes, limits)
                texts[name] += text_column(
                    values, name=name, first_row=row, path=path, limits=limits
                )
            if not by_geopandas:
                values = batch.column(geometry_name)
                text_bytes = _counted(path, values, text_bytes, limits)
                geometries, unread = geometries_from_wkb(
                    _plain_bytes(values), first_row=row, path=path, limits=limits
                )
                batches.append(geometries)
                bad += unread
            row += batch.num_rows
    if by_geopandas:
        batches = [_geometries_in_numbers(path, limits)]
    if bad:
        notes.append(f"{rows_in_words(bad)}: the geometry cannot be read.")
    geometries = np.concatenate(batches) if batches else np.empty(0, dtype=object)
    return RawLayer(
        columns={name: text_series(values) for name, values in texts.items()},
        geometries=flatten(geometries, notes=notes),
        crs=crs,
        crs_from=crs_from,
        crs_is_fixed=True,
        notes=notes,
    )


def _check_sizes(path: Path, metadata: pq.FileMetaData, limits: FileLimits) -> None:
    """Refuse a file that says of itself that it is too large."""
    limits.check_features(path, metadata.num_rows)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > limits.unpacked_bytes:
        raise _too_much(path, limits)


def _described(
    path: Path, metadata: pq.FileMetaData, schema: pa.Schema
) -> tuple[str, dict[str, Any]]:
    """Return the name of the geometry, and what the metadata say of it."""
    # Of the file, as the standard says: a schema that Arrow keeps beside it need not hold them.
    text = (metadata.metadata or {}).get(b"geo")
    if text is None:
        raise UnreadableFileError(path, "is Parquet without geometry: it lacks the 'geo' metadata.")
    described = json.loads(text)
    name = described["primary_column"]
    column = described["columns"][name]
    if name not in schema.names or not isinstance(column, dict):
        raise UnreadableFileError(path, f"has no column {name!r}, which its metadata name.")
    return name, column


def _crs(path: Path, column: dict[str, Any]) -> "tuple[CRS | None, Any]":
    """Return the CRS of the geometry, and whether the file names it or its format."""
    if "crs" not in column:
        return GEOGRAPHIC, "format"
    if column["crs"] is None:
        return None, "file"
    try:
        return CRS.from_user_input(column["crs"]), "file"
    except CRSError as error:
        raise UnreadableFileError(path, "names a CRS that PROJ does not know.") from error


def _is_bytes_or_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _is_kept(field: pa.Field, geometry_name: str, notes: list[str]) -> bool:
    """Say whether a column is a value to keep; note it if not."""
    if field.name == geometry_name:
        return False
    kind = field.type
    is_value = not (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_nested(kind)
    )
    if not is_value:
        notes.append(f"The column {field.name!r} holds {kind}, no value: it is left out.")
    return is_value


def _counted(path: Path, values: pa.Array, before: int, limits: FileLimits) -> int:
    """Return how many bytes of text and geometry there were so far; refuse too many."""
    if isinstance(values, pa.DictionaryArray):
        lengths = pc.take(pc.binary_length(values.dictionary), values.indices)
        before += pc.sum(lengths).as_py() or 0
    elif _is_bytes_or_text(values.type):
        before += pc.sum(pc.binary_length(values)).as_py() or 0
    if before > limits.unpacked_bytes:
        raise _too_much(path, limits)
    return before


def _plain_bytes(values: pa.Array) -> pa.Array:
    """Return bytes as an array of bytes, whatever Arrow made of them."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    return values


def _geometries_in_numbers(path: Path, limits: FileLimits) -> Geometries:
    """Return geometries that are stored as lists of coordinates (GeoArrow)."""
    frame = geopandas.read_parquet(path.resolve())
    geometries: Geometries = np.asarray(frame.geometry.array, dtype=object)
    check_vertices(geometries, first_row=1, path=path, limits=limits)
    return geometries


def _too_much(path: Path, limits: FileLimits) -> FileLimitError:
    return FileLimitError(
        path, f"unpacks to more than {limits.unpacked_bytes // 2**20:,} MiB, which is refused"
    )
