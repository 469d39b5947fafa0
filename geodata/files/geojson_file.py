"""GeoJSON, in one piece or as a text sequence, with the CRS that the file itself declares.

GDAL takes any ``crs`` member that it does not understand for EPSG:4326, and fetches those of the
types "link" and "url" over the network. So they are read here, and such files go no further.
"""

import codecs
import json
import mmap
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from geodata.crs import GEOGRAPHIC
from geodata.errors import (
    FileEncodingError,
    UnknownCRSError,
    UnreadableFileError,
)
from geodata.files.archives import linked
from geodata.files.coordinates import crs_of, name_of
from geodata.files.gdal import Source, read_source
from geodata.files.layer_file import RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import first_line, refuse_encoding

_CHUNK_BYTES = 2**22
_SPACES = b" \t\r\n"
_SEPARATOR = b"\x1e"
_SEQUENCE_SUFFIXES = (".geojsonl", ".geojsons", ".geojsonseq", ".jsonl", ".ndjson")
_NO_CRS = "null"
# GDAL finds the member in any case, and JSON may spell each letter as an escape.
_CRS_MEMBER = re.compile(
    rb'"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)"\s*:\s*', flags=re.IGNORECASE
)
_LONGEST_CRS_BYTES = 16_384
_FEATURE = re.compile(rb'"Feature"')
_GEOMETRY = re.compile(rb'"geometry"')
_COORDINATES = re.compile(rb'"coordinates"')
_SHORTEST_VERTEX_BYTES = 6  # [0,0],


def read_geojson(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read a GeoJSON file or text sequence.

    Parameters
    ----------
    path
        A FeatureCollection, a Feature or a geometry; or features one after another, each on its
        line, or after a record separator.
    encoding
        None or UTF-8: the standard allows no other.
    source_layer
        Ignored: there is one.
    limits
        See :class:`FileLimits`.

    Returns
    -------
    RawLayer
        CRS: that of the ``crs`` member, else EPSG:4326 by the format.

    Raises
    ------
    FileEncodingError
        It is not UTF-8.
    UnknownCRSError
        Its ``crs`` member names what nobody knows.
    UnreadableFileError
        It is not JSON, or not GeoJSON, or refers to a CRS elsewhere.
    """
    del source_layer
    refuse_encoding(path, encoding, "GeoJSON is UTF-8")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _require_utf8(path, content)
        is_sequence = _is_sequence(path, content)
        label = _declared_crs(path, content)
        if is_sequence:
            _require_records(path, content)
        elif len(content) > limits.vertices * _SHORTEST_VERTEX_BYTES:
            _check_vertices(path, content, limits)
    driver = "GeoJSONSeq" if is_sequence else "GeoJSON"
    # GDAL would guess which texts are dates, and write them anew.
    options = {} if is_sequence else {"DATE_AS_STRING": "YES"}
    with linked(path, suffix=".geojson") as address:
        source = Source(path, f"{driver}:{address}", driver, options=options)
        raw = read_source(source, limits=limits)
    if label is None:
        raw.crs, raw.crs_from = GEOGRAPHIC, "format"
        return raw
    raw.crs = crs_of(None if label == _NO_CRS else label)
    if raw.crs is None and label != _NO_CRS:
        raise UnknownCRSError(label)
    said = "none" if raw.crs is None else name_of(raw.crs)
    raw.notes.append(f"The crs member of the file is honoured: {said}.")
    return raw


def _require_utf8(path: Path, content: mmap.mmap) -> None:
    """Refuse a file in another encoding, piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or content.find(b"\0") >= 0:
        raise FileEncodingError(path, "is no text in UTF-8, but GeoJSON is: save it as UTF-8.")
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            decoder.decode(content[start : start + _CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileEncodingError(
            path, f"is not in UTF-8, but GeoJSON is ({error.reason}): save it as UTF-8."
        ) from error


def _is_sequence(path: Path, content: mmap.mmap) -> bool:
    """Say whether a file is a text sequence: by its separator, or by an object on each line."""
    start = content[:_CHUNK_BYTES].removeprefix(codecs.BOM_UTF8).lstrip(_SPACES)
    if start.startswith(_SEPARATOR) or path.suffix.casefold() in _SEQUENCE_SUFFIXES:
        return True
    if not start.startswith(b"{"):
        raise UnreadableFileError(path, "is not GeoJSON: it does not begin with '{'.")
    lines = [line for line in start.splitlines() if line.strip()]
    return len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip()[:1] == b"{"


def _records(content: mmap.mmap) -> Iterator[bytes]:
    """Yield the records of a sequence."""
    is_separated = content.find(_SEPARATOR, 0, _CHUNK_BYTES) >= 0
    mark = _SEPARATOR if is_separated else b"\n"
    start = 0
    while start < len(content):
        end = content.find(mark, start)
        end = len(content) if end < 0 else end
        record = content[start:end].removeprefix(codecs.BOM_UTF8).strip(_SPACES)
        if record:
            yield record
        start = end + 1


def _require_records(path: Path, content: mmap.mmap) -> None:
    """Refuse a sequence with a broken record, which GDAL would pass over."""
    row = 0
    for row, record in enumerate(_records(content), start=1):
        try:
            feature = orjson.loads(record)
        except orjson.JSONDecodeError as error:
            reason = f"row {row} is not JSON ({first_line(error)})."
            raise UnreadableFileError(path, reason) from error
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise UnreadableFileError(path, f"row {row} is not a feature of GeoJSON.")
    if row == 0:
        raise UnreadableFileError(path, "has no features: nothing to import.")


def _declared_crs(path: Path, content: mmap.mmap) -> str | None:
    """Return the name of the CRS that the file declares, if any; refuse what points elsewhere."""
    names = []
    for found in _CRS_MEMBER.finditer(content):
        text = content[found.end() : found.end() + _LONGEST_CRS_BYTES].decode("utf-8", "ignore")
        try:
            member, _ = json.JSONDecoder().raw_decode(text)
        except (json.JSONDecodeError, RecursionError):
            member = text[:20]
        if member is None:
            names.append(_NO_CRS)
        elif isinstance(member, dict):
            names.append(_crs_name(path, member))
    distinct = list(dict.fromkeys(names))
    if len(distinct) > 1:
        listed = ", ".join(distinct[:5])
        raise UnreadableFileError(path, f"declares more than one CRS ({listed}): split it.")
    return distinct[0] if distinct else None


def _crs_name(path: Path, member: dict[str, Any]) -> str:
    """Return the name in a crs member of the old GeoJSON, or refuse the file."""
    plain = {str(key).casefold(): value for key, value in member.items()}
    properties = plain.get("properties")
    known = properties if isinstance(properties, dict) else {}
    kind = str(plain.get("type", "")).casefold()
    if kind == "name" and isinstance(known.get("name"), str):
        return str(known["name"])
    if kind == "epsg" and "code" in known:
        return f"EPSG:{known['code']}"
    raise UnreadableFileError(
        path, f"has a crs member of type {kind!r}: only a name is read, never an address."
    )


def _check_vertices(path: Path, content: mmap.mmap, limits: FileLimits) -> None:
    """Refuse a feature with far too many vertices before GDAL holds it in memory.

    A vertex has one opening bracket. Where the members of features come in different orders, two
    features may be counted as one, so only twice the limit is sure.
    """
    bounds = [0, *(found.start() for found in _FEATURE.finditer(content)), len(content)]
    for start, end in pairwise(bounds):
        if end - start <= 2 * limits.vertices * _SHORTEST_VERTEX_BYTES:
            continue
        count = sum(
            content[begin : min(begin + _CHUNK_BYTES, end)].count(b"[")
            for begin in range(start, end, _CHUNK_BYTES)
        )
        if count > 2 * limits.vertices:
            raise limits.vertices_error(path, _row_of_longest(content, start, end))


def _row_of_longest(content: mmap.mmap, start: int, end: int) -> int:
    """Return the row of the longest coordinates in a part: geometries up to there are counted."""
    places = [found.start() for found in _COORDINATES.finditer(content, start, end)]
    _, longest = (
        max((after - before, before) for before, after in pairwise([*places, end]))
        if places
        else (0, end)
    )
    return max(1, sum(1 for _ in _GEOMETRY.finditer(content, 0, longest)))
