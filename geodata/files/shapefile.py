"""Shapefiles: polygons in one file, columns in a table of bytes whose encoding is written beside.

GDAL takes text whose encoding nobody wrote down for Latin-1. So the bytes are asked for as they
are, as Latin-1 gives them back, and decoded here, strictly.
"""

import codecs
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pandas import Series

from geodata.errors import FileEncodingError, InvalidParameterError, UnreadableFileError
from geodata.files.archives import PARTS, linked, unpacked_shapefile
from geodata.files.gdal import Source, read_source, require_driver
from geodata.files.layer_file import RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import known_encoding, text_series, unique_names

_MAGIC = b"\0\0\x27\x0a"
_LANGUAGE_BYTE = 29
_GBK_LANGUAGES = (0x4D, 0x7A)  # code page 936, as dBASE and FoxPro number it
_LONGEST_CPG_BYTES = 100


def read_shapefile(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a shapefile, or the one in a ZIP archive.

    Parameters
    ----------
    path
        The ``.shp``, with its other parts beside it, or a ``.zip``.
    encoding
        Of its text. None: what the ``.cpg`` or the table says, else UTF-8 if it decodes.
    source_layer
        Ignored: there is one.
    limits
        See :class:`FileLimits`.

    Returns
    -------
    RawLayer
        CRS: that of the ``.prj``, None without.

    Raises
    ------
    FileEncodingError
        The text is not in the encoding that was declared, or nobody declared one and it is not
        UTF-8.
    UnreadableFileError
        It is no shapefile, or damaged, or more than one.
    """
    del source_layer
    # Told apart by content: a name may end in nothing.
    if zipfile.is_zipfile(path) or path.suffix.casefold() == ".zip":
        with unpacked_shapefile(path, limits) as unpacked:
            return _read(unpacked, path, encoding, limits)
    with linked(path, suffix=".shp", parts=PARTS) as address:
        return _read(Path(address), path, encoding, limits)


def _read(shape_path: Path, path: Path, encoding: str | None, limits: FileLimits) -> RawLayer:
    """Read a shapefile from where it is; sentences name the file that the user gave."""
    with shape_path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise UnreadableFileError(path, "is not a shapefile: it begins otherwise.")
    source = Source(path, str(shape_path), "ESRI Shapefile", encoding="ISO-8859-1")
    require_driver(source)
    raw = read_source(source, limits=limits)
    if (table := _beside(shape_path, ".dbf")) is None:
        raw.notes.append("There is no .dbf beside it, so there are no columns.")
    declared, by_whom = _declared_encoding(path, shape_path, table, encoding)
    raw.columns, used = _decoded(path, raw.columns, declared, by_whom, raw.notes)
    if used is not None and encoding is None:
        raw.notes.append(f"Text was read as {used}, {by_whom or 'in which all of it is valid'}.")
    return raw


def _declared_encoding(
    path: Path, shape_path: Path, table: Path | None, option: str | None
) -> tuple[str | None, str | None]:
    """Return the encoding that was declared, and by whom."""
    if option is not None:
        return known_encoding(option), "as was declared"
    if (cpg := _beside(shape_path, ".cpg")) is not None:
        with cpg.open("rb") as file:
            text = file.read(_LONGEST_CPG_BYTES).decode("ascii", "replace").strip()
        if text:
            try:
                return known_encoding(text), "as its .cpg says"
            except InvalidParameterError as error:
                raise FileEncodingError(
                    path, f"its .cpg names {text!r}, which is no encoding: use --encoding."
                ) from error
    if table is not None:
        with table.open("rb") as file:
            head = file.read(_LANGUAGE_BYTE + 1)
        if len(head) > _LANGUAGE_BYTE and head[_LANGUAGE_BYTE] in _GBK_LANGUAGES:
            return "gbk", "as its .dbf says"
    return None, None


def _decoded(
    path: Path,
    columns: Mapping[str, Series],
    declared: str | None,
    by_whom: str | None,
    notes: list[str],
) -> tuple[Mapping[str, Series], str | None]:
    """Return columns with names and values decoded, and the encoding if it made a difference."""
    is_plain = all(name.isascii() for name in columns) and all(
        texts.dropna().str.isascii().all() for texts in columns.values()
    )
    if is_plain:
        return columns, None
    used = declared or "utf-8"
    try:
        names = unique_names([_text(name, used) for name in columns], notes=notes)
        decoded = {
            name: text_series([None if pd.isna(text) else _text(text, used) for text in texts])
            for name, texts in zip(names, columns.values(), strict=True)
        }
    except UnicodeError as error:
        if declared is None:
            reason = (
                "does not say the encoding of its text, and it is not UTF-8: "
                "declare it with --encoding, such as GB18030."
            )
        else:
            reason = f"holds text that is not {used}, {by_whom}: use --encoding, such as GB18030."
        raise FileEncodingError(path, reason) from error
    return decoded, used


def _text(latin: str, encoding: str) -> str:
    """Return a text whose bytes GDAL gave as Latin-1; a character cut off at its end is dropped.

    Writers cut names at ten bytes and texts at the width of the column, through a character.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    return decoder.decode(latin.encode("latin-1"))


def _beside(shape_path: Path, suffix: str) -> Path | None:
    """Return another part of a shapefile, if it is there."""
    part = shape_path.with_suffix(suffix)
    return part if part.is_file() else None
