"""Geometries out of the bytes and texts of a file, within bounds of memory."""

import re
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geodata.files.layer_file import Geometries
from geodata.files.limits import FileLimits

# A vertex has at most four numbers of eight bytes.
_LONGEST_VERTEX_BYTES = 32
# Beyond this the recursion of GEOS would overflow the stack; GDAL itself stops at 32.
DEEPEST = 32
# Kinds of ISO 19125 that GEOS reads, and then refuses to work with.
_CURVES = range(8, 13)
_CURVED_WORDS = re.compile("CURVE|CIRCULARSTRING|MULTISURFACE", flags=re.IGNORECASE)
_COLLECTION_WORD = re.compile("COLLECTION", flags=re.IGNORECASE)
_COLLECTION_HEADS = tuple(
    code.to_bytes(4, order)
    for code in (7, 1007, 2007, 3007, 0x80000007, 0x40000007, 0xC0000007, 0x20000007, 0xA0000007)
    for order in ("little", "big")
)


def geometries_from_wkb(
    values: pa.Array, *, first_row: int, path: Path, limits: FileLimits
) -> tuple[Geometries, list[int]]:
    """Return geometries, and the rows whose bytes are no geometry.

    Parameters
    ----------
    values
        Shape (n,), binary, WKB of ISO or of PostGIS; any CRS.
    first_row, path
        For the sentences of errors.
    limits
        Vertices of one feature.

    Returns
    -------
    tuple
        Geometries, shape (n,), None where missing or unreadable, and the unreadable rows.

    Raises
    ------
    FileLimitError
        A feature has too many vertices. Told by its length before it is parsed, if it can be.
    """
    lengths = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False)
    beyond = np.flatnonzero(lengths // _LONGEST_VERTEX_BYTES > limits.vertices)
    if len(beyond):
        raise limits.vertices_error(path, first_row + int(beyond[0]))
    contents = values.to_pylist()
    readable = [
        None if not content or _is_curved(content) or _is_deep(content) else content
        for content in contents
    ]
    geometries = np.asarray(shapely.from_wkb(readable, on_invalid="ignore"), dtype=object)
    geometries = geometries.reshape(len(contents))
    check_vertices(geometries, first_row=first_row, path=path, limits=limits)
    absent = shapely.is_missing(geometries)
    bad = [
        first_row + place
        for place, content in enumerate(contents)
        if content is not None and absent[place]
    ]
    return geometries, bad


def geometries_from_wkt(
    texts: list[str | None], *, path: Path, limits: FileLimits
) -> tuple[Geometries, list[int]]:
    """Return geometries from well-known text, and the rows (from 1) where it cannot be read.

    Raises
    ------
    FileLimitError
        A feature has too many vertices. Told by its commas before it is parsed.
    """
    readable: list[str | None] = []
    for row, text in enumerate(texts, start=1):
        if text is not None and text.count(",") > limits.vertices:
            raise limits.vertices_error(path, row)
        is_readable = text is not None and not _CURVED_WORDS.search(text)
        is_readable &= text is None or len(_COLLECTION_WORD.findall(text)) <= DEEPEST
        readable.append(text if is_readable else None)
    geometries = np.asarray(shapely.from_wkt(readable, on_invalid="ignore"), dtype=object)
    geometries = geometries.reshape(len(texts))
    check_vertices(geometries, first_row=1, path=path, limits=limits)
    absent = shapely.is_missing(geometries)
    bad = [
        row
        for row, (text, missing) in enumerate(zip(texts, absent, strict=True), start=1)
        if missing and text is not None
    ]
    return geometries, bad


def check_vertices(
    geometries: Geometries, *, first_row: int, path: Path, limits: FileLimits
) -> None:
    """Refuse geometries with too many vertices.

    Raises
    ------
    FileLimitError
        Names the first such row.
    """
    beyond = np.flatnonzero(shapely.get_num_coordinates(geometries) > limits.vertices)
    if len(beyond):
        raise limits.vertices_error(path, first_row + int(beyond[0]))


def flatten(geometries: Geometries, *, notes: list[str]) -> Geometries:
    """Return geometries without heights, measures or curves, in the CRS that they have; noted."""
    has_z, has_m = shapely.has_z(geometries), shapely.has_m(geometries)
    flat: Geometries = np.asarray(shapely.force_2d(geometries), dtype=object)
    raised = int(np.count_nonzero(has_z | has_m))
    if raised:
        notes.append(f"{raised} features have heights or measures: these are dropped.")
    return flat


def are_curved(values: pa.Array) -> bool:
    """Say whether any geometry, as WKB of any CRS, is of a curved kind."""
    heads = {content[:5] for content in values.to_pylist() if content}
    return any(map(_is_curved, heads))


def rows_in_words(rows: list[int]) -> str:
    """Return row numbers for a sentence: all of a few, the first ten of many.

    Examples
    --------
    >>> rows_in_words([3])
    'row 3'
    >>> rows_in_words(list(range(1, 15)))
    'rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4 more'
    """
    shown = ", ".join(map(str, rows[:10]))
    more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"


def _order(content: bytes) -> Literal["little", "big"]:
    """Return the byte order that a geometry begins with."""
    return "little" if content[:1] == b"\1" else "big"


def _is_curved(content: bytes) -> bool:
    """Say whether a geometry is of a curved kind."""
    return int.from_bytes(content[1:5], _order(content)) % 1000 in _CURVES


def _is_deep(content: bytes) -> bool:
    """Say whether a geometry may hold collections in collections deeper than a stack allows."""
    if content[1:5] not in _COLLECTION_HEADS:
        return False
    # Coordinates may hold these bytes by chance, hardly a thousand times.
    return sum(content.count(head) for head in _COLLECTION_HEADS) > 1000
