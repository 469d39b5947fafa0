"""CSV with well-known text or with longitude and latitude, all of its values kept as text."""

import codecs
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pandas import DataFrame, Series
from pandas.errors import EmptyDataError, ParserError, ParserWarning
from pyproj import CRS

from geodata.columns import normalised_name
from geodata.errors import FileEncodingError, FileLimitError, UnreadableFileError
from geodata.files.coordinates import crs_of
from geodata.files.geometries import flatten, geometries_from_wkt, rows_in_words
from geodata.files.layer_file import Geometries, RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import first_line, known_encoding, unique_names
from geodata.foreign_text import other_kind, ragged_line
from geodata.offsets import Shift

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_WKT_NAMES = frozenset(
    {
        "wkt",
        "geom",
        "geometry",
        "thegeom",
        "wktgeom",
        "geomwkt",
        "shape",
        "polygon",
        "几何",
        "边界",
        "范围",
    }
)
_LON_NAMES = frozenset(
    {"lon", "lng", "long", "longitude", "x", "easting", "经度", "东经", "东坐标", "东距"}
)
_LAT_NAMES = frozenset({"lat", "latitude", "y", "northing", "纬度", "北纬", "北坐标", "北距"})
_SRID = re.compile(r"\s*SRID\s*=\s*(\d{1,6})\s*;", flags=re.IGNORECASE)
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_csv(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a table of text with a geometry in one column, or a position in two.

    Parameters
    ----------
    path
        With a line of headings; delimiter: of comma, semicolon and tab the most frequent there.
    encoding
        None: what a byte order mark says, else UTF-8 if all of it decodes, else GB18030 if all of
        it decodes, which is noted.
    source_layer
        Ignored: there is one.
    limits
        See :class:`FileLimits`.

    Returns
    -------
    RawLayer
        CRS: that of ``SRID=…;`` before each text, else None.

    Raises
    ------
    FileEncodingError
        It is in none of these encodings, or not in the one that was declared.
    UnreadableFileError
        It is no such table, or has no geometry or more than one.
    """
    del source_layer
    notes: list[str] = []
    text = _text(path, encoding, notes)
    table = _table(path, text, limits, notes)
    texts_of_shapes, geometries, crs = _geometries(path, table, limits, notes)
    columns = {name: table[name] for name in table.columns if name not in texts_of_shapes}
    _check_lengths(path, columns, limits)
    return RawLayer(columns, flatten(geometries, notes=notes), crs=crs, notes=notes)


def _text(path: Path, encoding: str | None, notes: list[str]) -> str:
    """Return the text of a file in its encoding, strictly."""
    content = path.read_bytes()
    marked = next(
        (name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), None
    )
    if encoding is not None:
        declared = known_encoding(encoding)
        declared = marked if marked and declared in ("utf-8", "utf-16") else declared
        return _strict(path, content, declared, encoding)
    if marked is not None:
        return _strict(path, content, marked, "what its byte order mark says")
    if b"\0" in content:
        raise _no_text(path, content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise FileEncodingError(
            path, "is neither UTF-8 nor GB18030: declare its encoding with --encoding."
        ) from error
    notes.append("The file is not UTF-8: it was read as GB18030, in which all of it is valid.")
    return text


def _strict(path: Path, content: bytes, encoding: str, called: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise FileEncodingError(path, f"is not {called} ({first_line(error)}).") from error
    if "\0" in text:
        raise _no_text(path, content)
    return text


def _no_text(path: Path, content: bytes) -> UnreadableFileError:
    kind = other_kind(content) or "not text"
    return UnreadableFileError(path, f"is {kind}: a table of text is wanted here.")


def _table(path: Path, text: str, limits: FileLimits, notes: list[str]) -> DataFrame:
    """Return the rows of a table, all text, under names of which each is there once."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", heading)
    delimiter = max(_DELIMITERS, key=bare.count)
    if bare.count(delimiter) and delimiter != ",":
        notes.append(f"Columns are divided by {_DELIMITERS[delimiter]}.")
    limits.check_columns(path, bare.count(delimiter) + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            rows = pd.read_csv(
                io.StringIO(text),
                sep=delimiter,
                header=None,
                dtype="str",
                na_filter=False,
                index_col=False,
                nrows=limits.features + 2,
            )
    except EmptyDataError as error:
        raise UnreadableFileError(path, "is empty.") from error
    except (ParserError, ParserWarning, ValueError) as error:
        reason = ragged_line(str(error)) or f"is not a table of text ({first_line(error)})."
        raise UnreadableFileError(path, reason) from error
    limits.check_features(path, len(rows) - 1)
    names = unique_names(map(str, rows.iloc[0].fillna("")), notes=notes)
    table = rows.iloc[1:].reset_index(drop=True).set_axis(names, axis=1)
    table = table.apply(_without_armour)
    return table.where(table.notna() & (table != ""), None)


def _without_armour(column: Series) -> Series:
    """Return texts without what keeps a spreadsheet from reading them as numbers or formulas.

    That is ``="…"`` round a code, and an apostrophe before a sign that a formula begins with.
    """
    bare = column.str.replace(r'^="([^"]*)"$', r"\1", regex=True)
    return bare.str.replace(r"^'(?=[=+\-@\t])", "", regex=True)


def _geometries(
    path: Path, table: DataFrame, limits: FileLimits, notes: list[str]
) -> tuple[set[str], Geometries, CRS | Shift | None]:
    """Return the columns that make up the geometry, the geometry, and its CRS if it says so."""
    by_name = {name: normalised_name(name) for name in table.columns}
    shapes = [name for name, plain in by_name.items() if plain in _WKT_NAMES]
    lons = [name for name, plain in by_name.items() if plain in _LON_NAMES]
    lats = [name for name, plain in by_name.items() if plain in _LAT_NAMES]
    if len(shapes) > 1 or (not shapes and (len(lons) > 1 or len(lats) > 1)):
        found = ", ".join(map(repr, shapes or [*lons, *lats]))
        raise UnreadableFileError(path, f"has more than one geometry ({found}): remove one.")
    if shapes:
        if lons and lats:
            notes.append(f"The geometry is {shapes[0]!r}; longitude and latitude stay columns.")
        geometries, crs = _from_wkt(path, table[shapes[0]], limits, notes)
        return {shapes[0]}, geometries, crs
    if not (lons and lats):
        raise UnreadableFileError(
            path,
            f"has no geometry: a column WKT, or lon and lat, is wanted; "
            f"it has {', '.join(map(repr, table.columns))}.",
        )
    notes.append(f"{lons[0]!r} was read as longitude or easting, {lats[0]!r} as the other.")
    return {lons[0], lats[0]}, _points(table[lons[0]], table[lats[0]], notes), None


def _from_wkt(
    path: Path, column: Series, limits: FileLimits, notes: list[str]
) -> tuple[Geometries, CRS | Shift | None]:
    """Return geometries from their texts, and the CRS that each of them names, if any."""
    texts = _texts(column)
    matches = [_SRID.match(text) for text in texts if text is not None]
    labels = {found[1] if found else None for found in matches}
    if len(labels) > 1:
        raise UnreadableFileError(path, "has geometries of different SRID: split it.")
    srid = next(iter(labels), None)
    bare = [None if text is None else _SRID.sub("", text, count=1).strip() for text in texts]
    geometries, bad = geometries_from_wkt(bare, path=path, limits=limits)
    if bad:
        notes.append(f"{rows_in_words(bad)}: the geometry cannot be read.")
    crs = None if srid in (None, "0") else crs_of(f"EPSG:{srid}")
    if srid not in (None, "0") and crs is None:
        raise UnreadableFileError(path, f"names the SRID {srid}, which PROJ does not know.")
    return geometries, crs


def _points(lons: Series, lats: Series, notes: list[str]) -> Geometries:
    """Return points, None where a coordinate is missing or no number."""
    x = pd.to_numeric(lons, errors="coerce").to_numpy(dtype=np.float64)
    y = pd.to_numeric(lats, errors="coerce").to_numpy(dtype=np.float64)
    points: Geometries = np.full(len(x), None, dtype=object)
    is_place = np.isfinite(x) & np.isfinite(y)
    points[is_place] = shapely.points(x[is_place], y[is_place])
    is_wrong = (~is_place & (lons.notna() | lats.notna()).to_numpy()).nonzero()[0]
    if len(is_wrong):
        rows = rows_in_words([int(place) + 1 for place in is_wrong])
        notes.append(f"{rows}: the position is no pair of numbers.")
    return points


def _texts(column: Series) -> list[str | None]:
    return [None if pd.isna(text) or not text.strip() else text for text in column]


def _check_lengths(path: Path, columns: dict[str, Series], limits: FileLimits) -> None:
    """Refuse values that are too long."""
    for name, column in columns.items():
        lengths = column.str.len().fillna(0)
        if (lengths > limits.text_characters).any():
            row = int(lengths.to_numpy().argmax()) + 1
            raise FileLimitError(
                path,
                f"row {row} has a text of more than {limits.text_characters:,} characters "
                f"in {name!r}",
            )
