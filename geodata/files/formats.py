"""Formats that GDAL reads without further ado: FlatGeobuf, GeoPackage, KML."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from geodata.crs import GEOGRAPHIC
from geodata.errors import FileLimitError, UnreadableFileError
from geodata.files.archives import linked
from geodata.files.gdal import Source, choose_layer, read_source, require_driver
from geodata.files.layer_file import RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import read_utf8, refuse_encoding, unreadable

_SQLITE = b"SQLite format 3\0"
_FLATGEOBUF = b"fgb"
_DEEPEST_ELEMENT = 100
_ALWAYS_THERE = frozenset(
    {"id", "Name", "description", "timestamp", "begin", "end", "altitudeMode", "tessellate"}
    | {"extrude", "visibility", "drawOrder", "icon"}
)
"""Columns that GDAL gives to every KML, filled or not."""
_NOT_READ = {
    "NetworkLink": "links to other files",
    "GroundOverlay": "pictures laid over the ground",
    "Track": "tracks",
}


def read_flatgeobuf(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a FlatGeobuf file; its CRS is the one that its header names, if any.

    Raises
    ------
    UnreadableFileError
        It is none, or is damaged.
    """
    refuse_encoding(path, encoding, "FlatGeobuf is UTF-8")
    with path.open("rb") as file:
        if file.read(len(_FLATGEOBUF)) != _FLATGEOBUF:
            raise UnreadableFileError(path, "is not FlatGeobuf: it begins otherwise.")
    with linked(path, suffix=".fgb") as address:
        source = Source(path, address, "FlatGeobuf", encoding="UTF-8")
        require_driver(source)
        layer = choose_layer(source, source_layer)
        if '"' in layer or "\\" in layer:
            raise UnreadableFileError(path, f"has a layer of the name {layer!r}: rename it.")
        # Rows without a shape come out broken when GDAL reads FlatGeobuf into Arrow by itself;
        # a computed column makes it go feature by feature.
        statement = f'SELECT *, 0 FROM "{layer}"'  # noqa: S608 - GDAL's SQL, and quoted
        return read_source(replace(source, sql=statement), limits=limits)


def read_geopackage(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a layer of a GeoPackage; its CRS is the one that the layer names, if any.

    Raises
    ------
    UnreadableFileError
        It is none, is damaged, or holds SQL that would run on reading (views, virtual tables).
    LayerChoiceError
        It has several layers and none is named.
    """
    refuse_encoding(path, encoding, "GeoPackage is UTF-8")
    _refuse_living_sql(path)
    with linked(path, suffix=".gpkg") as address:
        source = Source(path, address, "GPKG")
        require_driver(source)
        layer = choose_layer(source, source_layer)
        return read_source(replace(source, layer=layer), limits=limits)


def read_kml(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a folder of a KML file; KML is EPSG:4326 by its standard.

    Raises
    ------
    UnreadableFileError
        It is no KML, declares entities, or is nested beyond reason.
    LayerChoiceError
        Several folders have features and none is named.
    """
    refuse_encoding(path, encoding, "KML names its own encoding, and is UTF-8 here")
    not_read = _look_through_kml(path, read_utf8(path, what="KML"))
    with linked(path, suffix=".kml") as address:
        source = Source(path, address, "KML")
        require_driver(source)
        layer = choose_layer(source, source_layer)
        raw = read_source(replace(source, layer=layer), limits=limits)
    raw.columns = {
        name: texts
        for name, texts in raw.columns.items()
        if name not in _ALWAYS_THERE or texts.notna().any()
    }
    raw.crs, raw.crs_from, raw.crs_is_fixed = GEOGRAPHIC, "format", True
    raw.notes += [f"{count} {_NOT_READ[name]} are not followed." for name, count in not_read]
    return raw


def _refuse_living_sql(path: Path) -> None:
    """Refuse a GeoPackage that would compute on reading: a view may never end."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            raise UnreadableFileError(path, "is not a GeoPackage: it begins otherwise.")
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.text_factory = lambda content: content.decode("utf-8", "replace")
            rows = database.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise unreadable(path, "GeoPackage", error) from error
    tables = {str(name).casefold() for kind, name, _ in rows if kind == "table"}
    if not {"gpkg_contents", "gpkg_spatial_ref_sys"} <= tables:
        raise UnreadableFileError(path, "is an SQLite database, but not a GeoPackage.")
    for kind, name, sql in rows:
        words = str(sql or "").casefold().split()
        is_virtual = words[:3] == ["create", "virtual", "table"] and not any(
            word.startswith("rtree") for word in words
        )
        if kind == "view" or is_virtual:
            thing = "view" if kind == "view" else "virtual table"
            raise UnreadableFileError(
                path, f"holds the {thing} {name!r}: save the layer into a GeoPackage of its own."
            )


def _look_through_kml(path: Path, content: bytes) -> list[tuple[str, int]]:
    """Refuse what is no plain KML; return what will not be read, and how often it is there."""
    counts: Counter[str] = Counter()
    depth = 0
    parser = expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        plain = name.rpartition(":")[2]
        if depth == 1 and plain != "kml":
            raise UnreadableFileError(path, f"is not KML: its root is {plain!r}.")
        if depth > _DEEPEST_ELEMENT:
            raise FileLimitError(path, f"has elements nested deeper than {_DEEPEST_ELEMENT}")
        if plain in _NOT_READ:
            counts[plain] += 1

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise UnreadableFileError(path, "declares a document type or entities, which KML has not.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise unreadable(path, "KML", error) from error
    return sorted(counts.items())
