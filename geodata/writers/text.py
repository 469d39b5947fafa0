"""CSV, and GeoJSON of rows that the database cannot write by itself: yielded piece by piece."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely

from geodata.geojson import geometry_texts
from geodata.writers.layers import Batches, Kind, Layer, moved, shapes_of
from geodata.writers.target import TargetCRS

_BOM = "\ufeff"
# A cell that begins so is taken for a formula by spreadsheets (CWE-1236).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_FEATURES_A_PIECE = 500
_RECORD_SEPARATOR = "\x1e"


def csv_text(layer: Layer, batches: Batches, *, target: TargetCRS) -> Iterator[str]:
    """Yield CSV (RFC 4180) that Excel opens as it is meant.

    Parameters
    ----------
    batches
        Rows of ``layer.schema``; geometry in EPSG:4326, written as ``target`` says.

    Yields
    ------
    str
        First a byte order mark, by which Excel knows UTF-8, and the header; then rows. Codes are
        ``="440605011016"``, which spreadsheets show as text with every digit; other text that
        would be a formula follows an apostrophe. The last column is WKT, and its name tells every
        CRS but EPSG:4326: ``wkt``, ``wkt_epsg4547``, ``wkt_gcj02``. Instants are ISO 8601 in UTC.
    """
    wkt = "wkt" if target.is_stored else f"wkt_{target.word}"
    yield _BOM + _lines([[*(field.name for field in layer.fields), wkt]])
    for batch in moved(batches, target):
        columns: list[list[Any]] = [
            [_CELLS[field.kind](value) for value in batch.column(field.name).to_pylist()]
            for field in layer.fields
        ]
        columns.append(_wkt(batch, target))
        yield _lines(zip(*columns, strict=True))


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _wkt(batch: pa.RecordBatch, target: TargetCRS) -> list[str]:
    texts = shapely.to_wkt(shapes_of(batch), rounding_precision=target.decimals, trim=True)
    return list(texts)


def _code_cell(code: object) -> str | None:
    """Return a code as the formula of a text: it holds letters, digits and dashes only."""
    if code is None:
        return None
    text = str(code)
    return f'="{text}"' if text.isdigit() else text_cell(text)


def text_cell(text: str | None) -> str | None:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text.startswith(_FORMULA_STARTS) else text


_CELLS: dict[Kind, Callable[[Any], object]] = {
    "area_code": _code_cell,
    "code": _code_cell,
    "text": text_cell,
    "integer": lambda value: value,
    "flag": lambda value: None if value is None else str(value).lower(),
    "date": lambda value: value and value.isoformat(),
    "instant": lambda value: value and value.isoformat(),
}


def geojson_features(layer: Layer, batches: Batches, *, target: TargetCRS) -> Iterator[str]:
    """Yield features in degrees, one a row; a shifted one says so in a foreign member.

    Parameters
    ----------
    batches
        Rows of ``layer.schema``; geometry in EPSG:4326, written as ``target`` says.
    """
    extra = {} if target.is_stored else {"coordinates_are": target.name}
    for batch in moved(batches, target):
        geometries = geometry_texts(_rounded(shapes_of(batch), target))
        names = [field.name for field in layer.fields]
        for record, geometry in zip(batch.select(names).to_pylist(), geometries, strict=True):
            feature = {
                "type": "Feature",
                "id": record[names[0]],
                "geometry": geometry,
                "properties": record,
            }
            yield orjson.dumps(feature | extra).decode()


def _rounded(shapes: Any, target: TargetCRS) -> Any:
    flat = shapely.transform(shapes, lambda degrees: np.round(degrees, target.decimals) + 0.0)
    return shapely.orient_polygons(flat, exterior_cw=False)


def feature_collection(features: Iterator[str], *, target: TargetCRS) -> Iterator[str]:
    """Yield a FeatureCollection (RFC 7946) around features that come as text.

    In EPSG:4326 it has no member of our own; shifted, the foreign members ``coordinates_are`` and
    ``crs_note`` say so before the first feature.
    """
    note = ""
    if not target.is_stored:
        words = {"coordinates_are": target.name, "crs_note": target.note}
        note = orjson.dumps(words).decode()[1:-1] + ","
    yield f'{{"type":"FeatureCollection",{note}"features":['
    separator = ""
    while piece := ",".join(islice(features, _FEATURES_A_PIECE)):
        yield separator + piece
        separator = ","
    yield "]}"


def feature_sequence(features: Iterator[str]) -> Iterator[str]:
    """Yield a GeoJSON text sequence (RFC 8142) of features that come as text."""
    while piece := list(islice(features, _FEATURES_A_PIECE)):
        yield "".join(f"{_RECORD_SEPARATOR}{feature}\n" for feature in piece)
