"""A file as rows to be staged: read, its columns named, its values understood."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series

from geodata.collecting import collecting_later
from geodata.columns import ColumnMapping, apply_columns, guess_columns, typed_values
from geodata.crs import GEOGRAPHIC
from geodata.entrances import read_entrances
from geodata.errors import InvalidParameterError
from geodata.files import read_layer
from geodata.files.recognising import recognise
from geodata.reasons import NOTHING, Reason, joined, reason, reason_columns, reasons_in
from geodata.register import read_register
from geodata.stairwells import MOST_STAIRWELLS
from gridsvc.territory.importing.layers import GRID_LAYERS, GridLayer
from gridsvc.territory.importing.model import FileWish

# What people write of a building; all else is of another kind.
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("slab", "板楼", "板式", "板式楼", "条式", "条式楼", "多层板楼"), "slab"),
    **dict.fromkeys(("tower", "塔楼", "塔式", "塔式楼", "点式", "点式楼", "高层塔楼"), "tower"),
}
# What can be: a lift of 200 floors is a mistake of the pen.
_RANGES: Mapping[str, tuple[int, int]] = {
    "built_year": (1800, 2100),
    "levels": (1, 200),
    "stairwell_count": (1, MOST_STAIRWELLS),
}
_SIDECARS = frozenset({".shp", ".dbf", ".shx", ".prj", ".cpg"})
_SEVERAL_KINDS = frozenset({".shp"})


@dataclass(frozen=True)
class Source:
    """A file ready to be staged.

    Attributes
    ----------
    rows
        ``row`` (number in the file), ``code``, ``parent_code``, ``fields`` (JSON text of what the
        file says beside these; nothing where it says nothing), ``reason`` (why a value cannot be
        used), ``reason_zh`` (the same in Chinese), ``geometry`` (anything, perhaps missing;
        EPSG:4326); by row.
    columns
        Our field to the file's column.
    digest
        Of the content and of how it was read: another one is another file.
    entrances
        As `geodata.entrances.read_entrances` gives them, EPSG:4326; nothing where none were sent.
    """

    rows: GeoDataFrame
    columns: Mapping[str, str]
    format: str
    crs_name: str
    notes: tuple[str, ...]
    digest: bytes
    entrances: GeoDataFrame | None = None


def read_source(wish: FileWish) -> Source:
    """Read a file as its sender declares it.

    Returns
    -------
    Source
        Geometries in EPSG:4326.

    Raises
    ------
    GeodataError
        The file cannot be read, does not say what it is in, or lacks a name.
    """
    with collecting_later():
        return _read(wish)


def _read(wish: FileWish) -> Source:
    given = None if wish.columns is None else ColumnMapping(wish.layer, wish.columns)
    if wish.entrances is not None and wish.layer != "buildings":
        raise InvalidParameterError("entrances", wish.entrances.name, "sent with buildings only")
    if wish.layer == "households":
        return _read_households(wish, given)
    found = read_layer(
        wish.path, crs=wish.crs, encoding=wish.encoding, source_layer=wish.source_layer
    )
    names = [str(name) for name in found.frame.columns if name not in {"row", "geometry"}]
    mapping = given or guess_columns(names, layer=wish.layer)
    typed, faults = _within_ranges(*typed_values(apply_columns(found.frame, mapping)))
    layer = GRID_LAYERS[wish.layer]
    rows = _rows(typed, faults, parent=layer.parent_column)
    return Source(
        rows.set_geometry(as_stored(typed.geometry, layer)),
        dict(mapping.columns),
        found.format,
        found.crs_name,
        found.notes,
        _digest(wish),
        _entrances_of(wish),
    )


def _entrances_of(wish: FileWish) -> GeoDataFrame | None:
    if wish.entrances is None:
        return None
    return read_entrances(wish.entrances, crs=wish.entrances_crs, encoding=wish.encoding)


def _read_households(wish: FileWish, given: ColumnMapping | None) -> Source:
    found = read_register(wish.path, columns=given)
    faulty = found.rejects[["row"]].drop_duplicates()
    records = pd.concat([found.records, faulty], ignore_index=True)
    rows = _rows(records.sort_values("row", ignore_index=True), found.rejects, parent=None)
    nowhere = GeoSeries(np.full(len(rows), None, dtype=object), index=rows.index, crs=GEOGRAPHIC)
    content = recognise(wish.path)
    kind = "XLSX" if content is not None and content.suffix == ".xlsx" else "CSV"
    return Source(
        rows.set_geometry(nowhere),
        dict(found.mapping.columns),
        kind,
        "",
        found.notes,
        _digest(wish),
    )


def _within_ranges(typed: GeoDataFrame, faults: DataFrame) -> tuple[GeoDataFrame, DataFrame]:
    """Take out numbers that cannot be, and note them as faults."""
    noted = [faults]
    for field, (least, most) in _RANGES.items():
        if field not in typed.columns:
            continue
        wrong = (typed[field].notna() & ~typed[field].between(least, most)).astype(bool)
        reasons = [
            reason("beyond-range", field=field, value=value, least=least, most=most)
            for value in typed[field][wrong]
        ]
        noted.append(DataFrame({"row": typed["row"][wrong], **reason_columns(reasons)}))
        typed[field] = typed[field].mask(wrong)
    return typed, pd.concat(noted, ignore_index=True)


def _rows(typed: DataFrame, faults: DataFrame, *, parent: str | None) -> GeoDataFrame:
    """Return the rows to stage, without their geometry."""
    reasons: dict[int, Reason] = {}
    for row, why in zip(faults["row"], reasons_in(faults), strict=True):
        reasons[int(row)] = joined([reasons.get(int(row), NOTHING), why])
    own = [name for name in typed.columns if name not in {"row", "code", parent, "geometry"}]
    plain = pd.DataFrame(typed[own]).astype(object)
    if "kind" in plain:
        plain["kind"] = plain["kind"].map(_kind_of, na_action="ignore").astype(object)
    values = [map(_clean, plain[name].where(plain[name].notna(), None)) for name in own]
    fields = [
        orjson.dumps(
            {name: value for name, value in zip(own, one, strict=True) if value is not None}
        )
        for one in zip(*values, strict=True)
    ]
    nobody = Series(None, index=typed.index, dtype="object")
    rows = DataFrame(
        {
            "row": typed["row"].astype("int64"),
            "code": typed["code"].map(_clean, na_action="ignore"),
            "parent_code": typed[parent].map(_clean, na_action="ignore") if parent else nobody,
            "fields": [text.decode() for text in fields],
            **_told(typed["row"], reasons),
        }
    )
    order = np.argsort(rows["row"].to_numpy(), kind="stable")
    return GeoDataFrame(rows.iloc[order])


def _told(rows: Series, reasons: Mapping[int, Reason]) -> dict[str, Series]:
    """Return the reasons of rows as columns, nothing where a row has none."""
    told = reason_columns(list(reasons.values()))
    return {
        name: rows.map(dict(zip(reasons, texts, strict=True))).astype(object)
        for name, texts in told.items()
    }


def _clean(value: object) -> object:
    """Return a text without what a database does not take: zeros, halves of characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    return value


def _kind_of(text: str) -> str:
    return _KINDS.get(text.strip().casefold(), "other")


def as_stored(shapes: GeoSeries, layer: GridLayer) -> GeoSeries:
    """Return areas in the form of the layer's table, all else as it is; EPSG:4326."""
    found = np.asarray(shapes.array, dtype=object).copy()
    kinds = shapely.get_type_id(found)
    if layer.is_multi:
        single = kinds == shapely.GeometryType.POLYGON
        found[single] = [shapely.MultiPolygon([shape]) for shape in found[single]]
    else:
        lone = (kinds == shapely.GeometryType.MULTIPOLYGON) & (
            shapely.get_num_geometries(found) == 1
        )
        found[lone] = shapely.get_geometry(found[lone], 0)
    return GeoSeries(found, index=shapes.index, crs=GEOGRAPHIC)


def _digest(wish: FileWish) -> bytes:
    """Return a hash of a file, of the files that belong to it, and of how it is read."""
    digest = hashlib.sha256()
    paths = [wish.path, *([] if wish.entrances is None else [wish.entrances])]
    if wish.path.suffix.lower() in _SEVERAL_KINDS:
        paths += [
            path
            for path in sorted(wish.path.parent.glob(f"{wish.path.stem}.*"))
            if path.suffix.lower() in _SIDECARS
        ]
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    read_as = (wish.crs, wish.encoding, wish.source_layer, wish.entrances_crs)
    digest.update(repr(read_as).encode())
    return digest.digest()


def fields_of_rows(rows: DataFrame) -> DataFrame:
    """Return what a file says in some rows beside code and parent, a column each.

    Parameters
    ----------
    rows
        ``fields`` (JSON text, or the mapping that a database makes of it).

    Returns
    -------
    DataFrame
        Index of ``rows``; objects, missing where the file says nothing.
    """
    found = [orjson.loads(one) if isinstance(one, str) else one for one in rows["fields"]]
    return DataFrame(found, index=rows.index, dtype="object")
