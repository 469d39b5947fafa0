"""What a layer of a file holds: its fields with their kinds, and its rows as Arrow batches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any, Literal

import pyarrow as pa
import shapely

from geodata.writers.target import Geometries, TargetCRS

Kind = Literal["area_code", "code", "text", "integer", "flag", "date", "instant"]
GeometryType = Literal["Point", "LineString", "Polygon", "MultiPolygon"]
Batches = Iterable[pa.RecordBatch]

GEOMETRY = "geometry"
# Arrow's own keeps what it was given: a few batches became 14 MiB.
_POOL = pa.system_memory_pool()
_TYPES: dict[Kind, pa.DataType] = {
    "area_code": pa.int64(),
    "code": pa.string(),
    "text": pa.string(),
    "integer": pa.int32(),
    "flag": pa.bool_(),
    "date": pa.date32(),
    "instant": pa.timestamp("us", tz="UTC"),
}
CHINA_TIME = timezone(timedelta(hours=8))
"""Spreadsheets and DBF know no zones: their times are those of China."""


@dataclass(frozen=True)
class Field:
    """A column.

    Attributes
    ----------
    kind
        ``area_code`` is a 12-digit administrative code, a number; ``code`` any other code or id.
        Spreadsheets get both as text.
    short
        At most ten ASCII characters, for formats that have no room for more.
    """

    name: str
    kind: Kind
    short: str


@dataclass(frozen=True)
class Layer:
    """The columns of a layer; the first one names its rows."""

    name: str
    fields: tuple[Field, ...]
    geometry_type: GeometryType

    @property
    def schema(self) -> pa.Schema:
        """The fields, then ``geometry`` as well-known binary."""
        fields = [pa.field(field.name, _TYPES[field.kind]) for field in self.fields]
        return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])


def batch_of(layer: Layer, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Return rows, each of the layer's fields and WKB in EPSG:4326, as a batch."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in layer.schema)
    arrays = [
        pa.array(column, type=field.type, memory_pool=_POOL)
        for column, field in zip(columns, layer.schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=layer.schema)


def shapes_of(batch: pa.RecordBatch) -> Geometries:
    """Return the geometries of a batch."""
    shapes: Geometries = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False))
    return shapes


def put_shapes(batch: pa.RecordBatch, shapes: Geometries) -> pa.RecordBatch:
    """Return a batch with other geometries."""
    wkb = pa.array(shapely.to_wkb(shapes), type=pa.binary())
    return batch.set_column(batch.schema.get_field_index(GEOMETRY), GEOMETRY, wkb)


def moved(batches: Batches, target: TargetCRS) -> Iterator[pa.RecordBatch]:
    """Yield batches of EPSG:4326 in the coordinates of a file."""
    for batch in batches:
        yield batch if target.is_stored else put_shapes(batch, target.apply(shapes_of(batch)))


def layer_name(layer: Layer, target: TargetCRS) -> str:
    """Return the name of the layer in a file: it tells every CRS but the usual one.

    Examples
    --------
    >>> from geodata.writers.target import STORED, parse_target
    >>> towns = Layer("towns", (), "Point")
    >>> layer_name(towns, STORED), layer_name(towns, parse_target("gcj02"))
    ('towns', 'towns_gcj02')
    """
    return layer.name if target.is_stored else f"{layer.name}_{target.word}"
