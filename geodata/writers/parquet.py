"""GeoParquet 1.1, row group by row group."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import ArrowException
from pyarrow.parquet import ParquetWriter

from geodata.errors import UnwritableFileError
from geodata.writers.layers import GEOMETRY, Batches, Layer, moved, shapes_of
from geodata.writers.target import TargetCRS

_ROWS_A_GROUP = 20_000


def write_geoparquet(path: Path, layer: Layer, batches: Batches, *, target: TargetCRS) -> None:
    """Write GeoParquet; the note on its coordinates stands under the key ``crs_note``.

    Parameters
    ----------
    batches
        Rows of ``layer.schema``; geometry in EPSG:4326, written as ``target`` says.

    References
    ----------
    OGC GeoParquet 1.1.0: https://geoparquet.org/releases/v1.1.0/ (metadata; x before y whatever
    the CRS says).
    """
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    try:
        with ParquetWriter(path, layer.schema, compression="zstd") as file:
            for rows in _by_row_group(moved(batches, target)):
                for batch in rows.to_batches():
                    xmin, ymin, xmax, ymax = shapely.total_bounds(shapes_of(batch))
                    bounds[:2] = np.fmin(bounds[:2], (xmin, ymin))
                    bounds[2:] = np.fmax(bounds[2:], (xmax, ymax))
                file.write_table(rows)
            column = _column(layer, target, bounds.tolist())
            metadata = {
                "version": "1.1.0",
                "primary_column": GEOMETRY,
                "columns": {GEOMETRY: column},
            }
            file.add_key_value_metadata({"geo": json.dumps(metadata), "crs_note": target.note})
    except (ArrowException, OSError) as error:
        raise UnwritableFileError(path, str(error)) from error


def _by_row_group(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches together: many small groups would make a file large and slow to read."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= _ROWS_A_GROUP:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _column(layer: Layer, target: TargetCRS, bounds: list[float]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [layer.geometry_type],
        "crs": target.crs.to_json_dict(),
    }
    # Of no rows there are no bounds, and JSON has no infinity.
    return described | ({"bbox": bounds} if np.isfinite(bounds).all() else {})
