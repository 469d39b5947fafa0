"""What a caller can take out of the house: whole layers or parts of them, in any format."""

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
from sqlalchemy.orm import Session

from geodata.codes import community_of
from geodata.errors import UnwritableFileError
from geodata.writers.formats import Format
from geodata.writers.layers import Layer, batch_of
from geodata.writers.target import STORED, TargetCRS
from geodata.writers.text import (
    csv_text,
    feature_collection,
    feature_sequence,
    geojson_features,
)
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import scope_of
from gridsvc.errors import NotFoundError
from gridsvc.incidents import service as incidents
from gridsvc.overview import export_store as store
from gridsvc.overview.export_layers import EVERYTHING, LAYERS, STAFF_LAYERS, Selection

Way = Literal["download", "write"]


@dataclass(frozen=True)
class Export:
    """What is wanted: a layer, of it a part, in a format and coordinates."""

    layer: str
    format: Format
    selection: Selection = EVERYTHING
    target: TargetCRS = STORED

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return self.format.file_name(self.layer, self.target)


def check(session: Session, export: Export) -> None:
    """Refuse what cannot be exported to the caller.

    Raises
    ------
    NotFoundError
        There is no such layer, or no such community or compound in the caller's territory.
    RoleNotAllowedError
        The layer is for staff.
    UnfitFilterError
        The layer does not take a filter.
    FormatCRSError
        The format does not have the coordinates.
    """
    if export.layer not in LAYERS:
        raise NotFoundError("layer", export.layer)
    if export.layer in STAFF_LAYERS:
        # The table of routes knows one route for every layer.
        access.require_role(session, *STAFF_ROLES)
    export.format.check(export.target)
    selection = export.selection
    selection.check(export.layer)
    community, compound = selection.community_code, selection.compound_code
    if community is not None and not store.has_community(session, community):
        raise NotFoundError("community", community)
    if compound is not None and not store.has_compound(session, compound):
        raise NotFoundError("compound", compound)


def stream_text(session: Session, export: Export) -> Generator[str, None, None]:
    """Yield an export in a format of text, row by row from one statement; EPSG:4326 by default."""
    layer = LAYERS[export.layer]
    if export.format.name == "csv":
        with closing(_batches(session, layer, export.selection)) as batches:
            yield from csv_text(layer, batches, target=export.target)
    elif export.format.name == "geojsons":
        yield from feature_sequence(_features(session, layer, export))
    else:
        yield from feature_collection(_features(session, layer, export), target=export.target)


def _features(session: Session, layer: Layer, export: Export) -> Iterator[str]:
    if export.target.is_stored and layer.name != "heat":
        yield from store.stream_features(session, layer, export.selection)
        return
    yield from geojson_features(
        layer, _batches(session, layer, export.selection), target=export.target
    )


def write_file(session: Session, export: Export, path: Path) -> int | None:
    """Write an export to a file; of its rows, only some thousands are held at a time.

    Returns
    -------
    int or None
        Rows written; not known where PostgreSQL made the text.

    Raises
    ------
    UnwritableFileError
        The file cannot be written.
    TooManyRowsError
        The format has no room for them.
    CRSOutOfReachError
        The coordinates do not reach the territory.
    """
    if export.format.write is not None:
        layer = LAYERS[export.layer]
        with closing(_batches(session, layer, export.selection)) as batches:
            counted = _Counted(batches)
            export.format.write(path, layer, iter(counted), target=export.target)
        return counted.rows
    pieces = stream_text(session, export)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except OSError as error:
        raise UnwritableFileError(path, error.strerror or str(error)) from error
    return None


class _Counted:
    """Batches, and how many rows they had so far."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def note(session: Session, export: Export, *, way: Way, rows: int | None) -> None:
    """Note in the audit trail that a layer leaves the house: which, of where, how filtered.

    What a filter was set to is not noted, but for the community that the entry belongs to.

    Parameters
    ----------
    way
        ``download`` over HTTP, ``write`` by the command.
    rows
        How many, where that is known.
    """
    selection, scope = export.selection, scope_of(session)
    community = selection.community_code
    if community is None and selection.compound_code is not None:
        community = community_of(selection.compound_code)
    audit.record(
        session,
        community_code=scope.intervals[0].lo if community is None else community,
        action=f"export.{way}",
        subject=f"{export.layer}.{export.format.name}",
        layer=export.layer,
        format=export.format.name,
        crs=export.target.word,
        territory=[f"{one.lo}-{one.hi}" for one in scope.intervals],
        filters=selection.names(),
        **({} if rows is None else {"rows": rows}),
    )


def _batches(
    session: Session, layer: Layer, selection: Selection
) -> Generator[pa.RecordBatch, None, None]:
    if layer.name == "heat":
        yield _heat(session, layer, selection)
        return
    for rows in store.stream_rows(session, layer, selection):
        yield batch_of(layer, rows)


def _heat(session: Session, layer: Layer, selection: Selection) -> pa.RecordBatch:
    """Return the released cells: whoever exports, it leaves the house."""
    cells, totals = incidents.read_release(session, community_code=selection.community_code)
    numbers = cells[["zoom", "x", "y", "incident_count"]].itertuples(index=False, name=None)
    rows = [
        (f"{zoom}/{x}/{y}", zoom, x, y, count, totals.through, wkb)
        for (zoom, x, y, count), wkb in zip(numbers, cells.geometry.to_wkb(), strict=True)
    ]
    return batch_of(layer, rows)


def key_of(session: Session, export: Export) -> str:
    """Return the name under which the file of an export is kept.

    It is the same as long as the caller's role and territory, what is wanted and the rows of the
    territory are the same.
    """
    scope = scope_of(session)
    facts = {
        "role": scope.role,
        "territory": sorted((interval.lo, interval.hi) for interval in scope.intervals),
        "layer": export.layer,
        "format": export.format.name,
        "crs": export.target.name,
        "selection": asdict(export.selection),
        "stamp": store.stamp(session, export.layer),
    }
    text = json.dumps(facts, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
