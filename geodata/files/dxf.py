"""Polygons of a CAD drawing: closed polylines, with the text that is written in them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas import Series

from geodata.errors import UnreadableFileError
from geodata.files.archives import linked
from geodata.files.gdal import Source, read_source, require_driver
from geodata.files.layer_file import Geometries, RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import refuse_encoding, text_series

_ROUND = ("AcDbCircle", "AcDbEllipse", "AcDbSpline", "AcDbArc")
_LINE, _POLYGONS, _POINT = 1, (3, 6), 0
_LOOKED_AT = 4096
_KEPT = ("Layer", "EntityHandle", "Text")

Mask = NDArray[np.bool_]


def read_dxf(
    path: Path, *, encoding: str | None, source_layer: str | None, limits: FileLimits
) -> RawLayer:
    """Read the closed polylines of a drawing as polygons.

    Parameters
    ----------
    path
        DXF in its text form.
    encoding
        None or UTF-8: a drawing says its code page itself.
    source_layer
        Only what is drawn on this layer of the drawing; None: on all.
    limits
        See :class:`FileLimits`; every entity of the drawing counts as a feature.

    Returns
    -------
    RawLayer
        ``Layer``, ``EntityHandle``, ``Text`` (what is written inside a polygon, if one text is).
        No CRS: a drawing has none. Where no polyline is closed, hatches are taken. What else is
        drawn, and was left out, is in the notes.

    Raises
    ------
    UnreadableFileError
        It is no DXF, or nothing in it is closed.
    """
    refuse_encoding(path, encoding, "a drawing names its code page itself ($DWGCODEPAGE)")
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    if start.startswith(b"AutoCAD Binary DXF") or b"\0" in start:
        raise UnreadableFileError(path, "is a binary drawing: save it as DXF in text (ASCII).")
    if b"SECTION" not in start:
        raise UnreadableFileError(path, "is not DXF: it has no section.")
    # Blocks are symbols, and may nest without end: they stay where they are defined.
    with linked(path, suffix=".dxf") as address:
        source = Source(path, address, "DXF", layer="entities", options={"INLINE_BLOCKS": "NO"})
        require_driver(source, layer="entities")
        raw = read_source(source, limits=limits)
    return _polygons(path, raw, source_layer)


def _polygons(path: Path, raw: RawLayer, layer: str | None) -> RawLayer:
    """Return what of a drawing's entities is a polygon; note the rest."""
    columns = {name: _column(raw, name) for name in _KEPT}
    wanted = np.full(len(raw.geometries), fill_value=True)
    if layer is not None:
        wanted = (columns["Layer"] == layer).to_numpy(dtype=bool, na_value=False)
    types = shapely.get_type_id(raw.geometries)
    classes = _column(raw, "SubClasses").fillna("")
    is_round = classes.str.contains("|".join(_ROUND), regex=True).to_numpy(dtype=bool)
    is_line = (types == _LINE) & wanted
    is_ring = is_line & shapely.is_closed(raw.geometries) & ~is_round
    is_ring &= shapely.get_num_coordinates(raw.geometries) > 3
    is_hatch = np.isin(types, _POLYGONS) & wanted
    chosen = is_ring if is_ring.any() else is_hatch
    if not chosen.any():
        where = "" if layer is None else f" on the layer {layer!r}"
        raise UnreadableFileError(
            path, f"has no closed polyline{where}: close what is drawn, and explode blocks."
        )
    is_insert = _column(raw, "BlockName").notna().to_numpy(dtype=bool)
    raw.notes += _left_out(
        {
            "lines that are not closed": is_line & ~is_ring & ~is_round,
            "circles, ellipses, arcs or splines": is_line & is_round,
            "inserted blocks (explode them in the drawing if they are wanted)": is_insert,
            "hatches": is_hatch & ~chosen,
        }
    )
    polygons = raw.geometries[chosen].copy()
    if is_ring.any():
        vertices, owners = shapely.get_coordinates(polygons, return_index=True)
        rings = shapely.linearrings(vertices, indices=owners)
        polygons = np.asarray(shapely.polygons(rings), dtype=object)
    texts = _texts_inside(polygons, raw.geometries, columns["Text"], is_insert)
    kept = {
        name: columns[name][chosen].reset_index(drop=True) for name in ("Layer", "EntityHandle")
    }
    return RawLayer({**kept, "Text": texts}, polygons, notes=raw.notes)


def _column(raw: RawLayer, name: str) -> Series:
    """Return a column of the drawing; GDAL leaves out those that no entity needs."""
    if name in raw.columns:
        return raw.columns[name]
    return text_series([None] * len(raw.geometries))


def _left_out(kinds: dict[str, Mask]) -> list[str]:
    """Return a note of each kind of entity that is not read."""
    return [f"{mask.sum()} {kind} are not read." for kind, mask in kinds.items() if mask.any()]


def _texts_inside(
    polygons: Geometries, geometries: Geometries, texts: Series, is_insert: Mask
) -> Series:
    """Return the text inside each polygon; none where there are several, or none."""
    is_text = (shapely.get_type_id(geometries) == _POINT) & texts.notna().to_numpy() & ~is_insert
    found: list[str | None] = [None] * len(polygons)
    if not is_text.any():
        return text_series(found)
    words = texts[is_text].tolist()
    tree = shapely.STRtree(geometries[is_text])
    owners, written = tree.query(polygons, predicate="intersects")
    alone = {owner for owner, count in Counter(owners.tolist()).items() if count == 1}
    for owner, place in zip(owners.tolist(), written.tolist(), strict=True):
        if owner in alone and not pd.isna(words[place]):
            found[owner] = words[place]
    return text_series(found)
