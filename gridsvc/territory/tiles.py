"""Vector tiles, made by PostgreSQL in one statement a layer."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy import literal_column as sql_text
from sqlalchemy.orm import Session

from geodata.tiles import tile_box
from gridsvc.db import in_box, in_scope
from gridsvc.territory.store import told_households
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow, WalkwayRow

# Half of the largest geometry of a layer, in zoom-20 cells: only the tile key needs it.
MARGIN_CELLS = {CompoundRow: 64, BuildingRow: 16, StairwellRow: 8, WalkwayRow: 64}

TILE_MARGIN = 64 / 4096
_TILED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "compounds": (CompoundRow, ("code", "name")),
    "buildings": (BuildingRow, ("code", "name", "kind", "levels")),
    "stairwells": (StairwellRow, ("code", "name", "building_code", "household_count")),
    "walkways": (WalkwayRow, ("id", "kind", "name")),
}
TILE_LAYERS = tuple(_TILED)


def read_tile(session: Session, *, layer: str, zoom: int, x: int, y: int) -> bytes:
    """Return a Mapbox vector tile of one layer, named like the layer; empty where nothing is."""
    row, names = _TILED[layer]
    columns = [
        told_households(session) if name == "household_count" else getattr(row, name)
        for name in names
    ]
    rows = tile_rows(session, row, columns, (zoom, x, y))
    return encode_tile(session, rows, layer=layer)


def tile_rows(
    session: Session,
    row: Any,
    columns: list[Any],
    address: tuple[int, int, int],
) -> Select[*tuple[Any, ...]]:
    """Return the query of a tile's rows: ``geom`` in tile units, and the columns given."""
    zoom, x, y = address
    box = tile_box(zoom=zoom, x=x, y=y, margin=TILE_MARGIN)
    shape = func.ST_AsMVTGeom(
        func.ST_Transform(row.geom, 3857), func.ST_TileEnvelope(zoom, x, y), 4096, 64, True
    )
    return select(shape.label("geom"), *columns).where(
        in_scope(session, row.community_code),
        in_box(session, row, box, margin_cells=MARGIN_CELLS[row]),
        *([row.retired_on.is_(None)] if hasattr(row, "retired_on") else []),
    )


def encode_tile(session: Session, rows: Select[*tuple[Any, ...]], *, layer: str) -> bytes:
    """Return rows of `tile_rows` as a Mapbox vector tile."""
    tile = rows.subquery("tile")
    encoded = session.scalar(
        select(func.ST_AsMVT(sql_text("tile"), layer, 4096, "geom")).select_from(tile)
    )
    return bytes(encoded or b"")
