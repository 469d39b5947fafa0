"""GeoPackage, FlatGeobuf and Shapefile, written by GDAL from a stream of batches."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
from pyarrow import compute
from pyogrio.errors import DataSourceError

from geodata.errors import UnwritableFileError
from geodata.writers.layers import CHINA_TIME, GEOMETRY, Batches, Field, Layer, layer_name, moved
from geodata.writers.target import TargetCRS

_DBF_TEXT_BYTES = 254


def write_geopackage(path: Path, layer: Layer, batches: Batches, *, target: TargetCRS) -> None:
    """Write a GeoPackage of one layer; its description says what the coordinates are.

    Parameters
    ----------
    batches
        Rows of ``layer.schema``; geometry in EPSG:4326, written as ``target`` says.
    """
    name = layer_name(layer, target)
    _write(
        path,
        layer,
        moved(batches, target),
        target,
        driver="GPKG",
        schema=layer.schema,
        dataset_options={"VERSION": "1.3"},  # what readers of 2022 know already
        layer_options={"IDENTIFIER": name, "DESCRIPTION": target.note, "GEOMETRY_NAME": "geom"},
    )


def write_flatgeobuf(path: Path, layer: Layer, batches: Batches, *, target: TargetCRS) -> None:
    """Write FlatGeobuf with its spatial index, so that a part can be read over HTTP; EPSG:4326 in.

    The index orders the features by place, not by code.
    """
    _write(
        path,
        layer,
        moved(batches, target),
        target,
        driver="FlatGeobuf",
        schema=layer.schema,
        layer_options={
            "TITLE": layer_name(layer, target),
            "DESCRIPTION": target.note,
            "TEMPORARY_DIR": str(path.parent),
        },
    )


def write_shapefile(path: Path, layer: Layer, batches: Batches, *, target: TargetCRS) -> None:
    """Write a zip of a Shapefile in UTF-8, with a note on its coordinates; EPSG:4326 in.

    Fields have their short names. DBF has no instants: of each there is the day in China as a
    date, and the text in ISO 8601. Text is cut at 254 bytes.
    """
    name = layer_name(layer, target)
    parts = path.with_name("parts")
    parts.mkdir()
    _write(
        parts / f"{name}.shp",
        layer,
        (_for_dbf(layer, batch) for batch in moved(batches, target)),
        target,
        driver="ESRI Shapefile",
        schema=_dbf_schema(layer),
        encoding="UTF-8",
    )
    (parts / f"{name}.txt").write_text(f"{target.note}\n", encoding="utf-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for part in sorted(parts.iterdir()):
            file.write(part, part.name)
            part.unlink()
    parts.rmdir()


def _dbf_schema(layer: Layer) -> pa.Schema:
    """Return the short names with types that DBF has."""
    fields: list[pa.Field] = []
    for field in layer.fields:
        if field.kind == "instant":
            fields.append(pa.field(f"{field.short}_on", pa.date32()))
            fields.append(pa.field(f"{field.short}_at", pa.string()))
        else:
            fields.append(pa.field(field.short, layer.schema.field(field.name).type))
    return pa.schema([*fields, layer.schema.field(GEOMETRY)])


def _for_dbf(layer: Layer, batch: pa.RecordBatch) -> pa.RecordBatch:
    columns: list[pa.Array] = []
    for field in layer.fields:
        column = batch.column(field.name)
        columns += _dbf_instants(column) if field.kind == "instant" else [_cut(field, column)]
    return pa.RecordBatch.from_arrays([*columns, batch.column(GEOMETRY)], schema=_dbf_schema(layer))


def _dbf_instants(column: pa.Array) -> list[pa.Array]:
    local = [at and at.astimezone(CHINA_TIME) for at in column.to_pylist()]
    return [
        pa.array([at and at.date() for at in local], type=pa.date32()),
        pa.array([at and at.isoformat(timespec="seconds") for at in local], type=pa.string()),
    ]


def _cut(field: Field, column: pa.Array) -> pa.Array:
    """Cut text to what DBF holds, between letters."""
    if field.kind != "text" or not len(column):
        return column
    longest = compute.max(compute.binary_length(column)).as_py() or 0
    if longest <= _DBF_TEXT_BYTES:
        return column
    cut = [
        text and text.encode()[:_DBF_TEXT_BYTES].decode(errors="ignore")
        for text in column.to_pylist()
    ]
    return pa.array(cut, type=pa.string())


def _write(
    path: Path,
    layer: Layer,
    batches: Iterator[pa.RecordBatch],
    target: TargetCRS,
    *,
    driver: str,
    schema: pa.Schema,
    **options: Any,
) -> None:
    source = _Source(batches)
    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, source),
            path,
            layer=layer_name(layer, target),
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type=layer.geometry_type,
            crs=target.name if target.shift is None else target.crs.to_wkt("WKT1_GDAL"),
            **options,
        )
    except (DataSourceError, pa.ArrowException, RuntimeError, OSError) as error:
        # GDAL tells of a fault of the rows in words of its own: whoever asked wants the fault.
        if source.fault is not None:
            raise source.fault from None
        raise UnwritableFileError(path, str(error)) from error


class _Source:
    """An iterator that remembers what it failed with."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.fault: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            return next(self._batches)
        except StopIteration:
            raise
        except Exception as error:
            self.fault = error
            raise
