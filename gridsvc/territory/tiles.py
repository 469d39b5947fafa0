"""Vector tiles, made by PostgreSQL: any layers of a tile in one statement."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import LargeBinary, Select, cast, func, literal, select
from sqlalchemy import literal_column as sql_text
from sqlalchemy.orm import Session

from geodata.tiles import tile_box
from gridsvc.db import in_box, in_scope
from gridsvc.territory.as_of import as_of, has_history
from gridsvc.territory.store import told_households
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow, WalkwayRow

# Half of the largest geometry of a layer, in zoom-20 cells: only the tile key needs it.
MARGIN_CELLS = {CompoundRow: 64, BuildingRow: 16, StairwellRow: 8, WalkwayRow: 64}

TILE_EXTENT = 4096
# What is drawn beyond a tile's border, and so what is looked for there: an outline is cut outside
# the tile, where nobody sees the cut, and what crosses a border is whole when tiles lie together.
TILE_MARGIN = 64 / TILE_EXTENT
_TILED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "compounds": (CompoundRow, ("code", "name")),
    "buildings": (BuildingRow, ("code", "name", "kind", "levels")),
    "stairwells": (StairwellRow, ("code", "name", "building_code", "household_count")),
    "walkways": (WalkwayRow, ("id", "kind", "name")),
}
TILE_LAYERS = tuple(_TILED)
LAYER_ZOOMS: Mapping[str, int] = {
    "communities": 0,
    "compounds": 8,
    "walkways": 11,
    "buildings": 12,
    "stairwells": 12,
}
"""First zoom that shows a layer. Before, its features are smaller than a pixel, and a tile would
hold a city of them: at zoom 12, a pixel is 35 m, and a tile some ten thousand stairwells."""

Rows = Select[*tuple[Any, ...]]


def is_shown(layer: str, *, zoom: int) -> bool:
    """Tell whether tiles of a zoom hold anything of a layer."""
    return zoom >= LAYER_ZOOMS[layer]


def layer_rows(
    session: Session, layer: str, address: tuple[int, int, int], *, on: date | None = None
) -> Rows:
    """Return the query of one layer's rows, for `encode_tile`.

    Parameters
    ----------
    address
        Zoom, column and row of the tile.
    on
        As grids were at the end of this day; default: as they are now. Walkways have no history.
    """
    table, names = _TILED[layer]
    row = as_of(table, on) if on is not None and has_history(table) else table
    columns = [
        told_households(session, row) if name == "household_count" else getattr(row, name)
        for name in names
    ]
    return tile_rows(session, row, columns, address, margin_cells=MARGIN_CELLS[table])


def tile_rows(
    session: Session,
    row: Any,
    columns: list[Any],
    address: tuple[int, int, int],
    *,
    margin_cells: int,
) -> Rows:
    """Return the query of a tile's rows: ``geom`` in tile units, and the columns given.

    Shapes are simplified to the tile's grid and made valid again by ``ST_AsMVTGeom``; what becomes
    smaller than a unit of it has no shape left, and is left out.

    Parameters
    ----------
    row
        A table class, or the grids of a day (`gridsvc.territory.as_of`).
    margin_cells
        As for `gridsvc.db.in_box`.
    """
    zoom, x, y = address
    box = tile_box(zoom=zoom, x=x, y=y, margin=TILE_MARGIN)
    shape = func.ST_AsMVTGeom(
        func.ST_Transform(row.geom, 3857),
        func.ST_TileEnvelope(zoom, x, y),
        TILE_EXTENT,
        round(TILE_MARGIN * TILE_EXTENT),
        True,
    )
    rows = select(shape.label("geom"), *columns).where(
        in_scope(session, row.community_code),
        in_box(session, row, box, margin_cells=margin_cells),
        *([row.retired_on.is_(None)] if hasattr(row, "retired_on") else []),
    )
    # The same features are the same bytes, whatever the plan: the ETag tells of changes only.
    return rows.order_by(row.code if hasattr(row, "code") else row.id)


def encode_tile(session: Session, layers: Sequence[tuple[str, Rows]]) -> bytes:
    """Return a Mapbox vector tile of the rows of `tile_rows`; empty where nothing is.

    A tile is a list of its layers, so tiles of one layer each, one after the other, are one tile.

    Parameters
    ----------
    layers
        Name and rows of each, in the order of drawing.

    References
    ----------
    Mapbox Vector Tile Specification 2.1, section 4.1; Protocol Buffers encoding: repeated fields
    of concatenated messages add up.
    """
    if not layers:
        return b""
    nothing = literal(b"", LargeBinary)
    parts = [
        func.coalesce(_encoded(rows, name=name, alias=f"tile{number}"), nothing)
        for number, (name, rows) in enumerate(layers)
    ]
    whole: Any = parts[0]
    for part in parts[1:]:
        whole = cast(whole.op("||")(part), LargeBinary)
    return bytes(session.scalar(select(whole)) or b"")


def _encoded(rows: Rows, *, name: str, alias: str) -> Any:
    tile = rows.subquery(alias)
    encoded = func.ST_AsMVT(sql_text(alias), name, TILE_EXTENT, "geom")
    return select(encoded).select_from(tile).scalar_subquery()
