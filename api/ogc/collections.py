"""A collection: a view of the schema ``planner``, bound to whoever asks."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from cql2 import Expr
from morecantile import Tile
from tipg.collections import ItemList, PgCollection
from tipg.errors import InvalidPropertyName

from geodata.tiles import tile_box
from gridsvc.db import Box, Interval
from gridsvc.territory.planner import DATED_VIEWS, Days, dated_query
from gridsvc.territory.tiles import LAYER_ZOOMS, TILE_MARGIN


class Condition:
    """A condition in SQL, where the library wants one of its filters."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts

    def to_sql(self) -> str:
        """Return the condition; every part has to hold."""
        return " AND ".join(f"({part})" for part in self._parts)


class NoRowsError(Exception):
    """A table without rows was asked for as CSV, which the library cannot write."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("no rows")
        self.names = names


# Set by the parameter `f`, asked when the rows are there: both run in the request's own task.
wants_table: ContextVar[bool] = ContextVar("ogc_wants_table", default=False)


class PlannerCollection(PgCollection):
    """A view, as one caller may see it.

    Attributes
    ----------
    days
        Days on which its grids are told as they were; absent: as they are now.
    """

    intervals: tuple[Interval, ...]
    territory: str
    days: Days | None = None

    def _from(self, function_parameters: dict[str, str] | None, params: list[Any]) -> str:
        if self.days is None or self.id not in DATED_VIEWS:
            source: str = super()._from(function_parameters, params)
            return source
        names = [column.name for column in self.table_columns]
        # Under its own name, by which nothing of the library's statement asks.
        return f'FROM ({dated_query(self.id, names, self.days)}) AS "{self.id}"'

    def cql_where(  # type: ignore[override] # the library renders whatever has to_sql
        self,
        *,
        ids: list[str] | None = None,
        bbox: list[float] | None = None,
        properties: list[tuple[str, Any]] | None = None,
        cql: Expr | None = None,
        geom: str | None = None,
        tile: Tile | None = None,
        **_: Any,
    ) -> Condition:
        """Return the condition of a request: the caller's territory first, boxes by the index.

        The policies are the second wall. The library's own box would be ``ST_Intersects`` alone,
        which uses no index under row-level security, and would leave out at a tile's border what
        lies within the margin that is drawn.
        """
        parts = [self._own()]
        if tile is not None:
            box = tile_box(zoom=tile.z, x=tile.x, y=tile.y, margin=TILE_MARGIN)
            parts.append(self._in_box(box))
        if bbox is not None:
            boxes = _boxes(bbox)
            parts.append(" OR ".join(self._in_box(box) for box in boxes))
        if ids:
            parts.append(" OR ".join(self._is_called(value) for value in ids))
        geometries = {column.name for column in self.geometry_columns}
        if any(name in geometries for name, _ in properties or ()):
            raise InvalidPropertyName
        rest = super().cql_where(properties=properties, cql=cql, geom=geom)
        if rest is not None:
            parts.append(rest.to_sql())
        return Condition(parts)

    async def features(self, *args: Any, **options: Any) -> ItemList:
        """Return the items; none at all are told by an error where a table was asked for."""
        found = await super().features(*args, **options)
        # A single item that is not there is a 404, whatever it was asked for as.
        if not found["items"] and "limit" in options and wants_table.get():
            raise NoRowsError(self.columns(options.get("properties")))
        return found

    async def get_tile(self, *args: Any, tile: Tile, **options: Any) -> bytes:
        """Return a vector tile; from zooms where the layer would be a blur, an empty one."""
        if tile.z < LAYER_ZOOMS.get(self.id, 0):
            return b""
        found: bytes = await super().get_tile(*args, tile=tile, **options)
        return found

    def _is_called(self, name: str) -> str:
        """Return the condition that a feature has an id, in the type of its column."""
        assert self.id_column is not None  # noqa: S101 (each published view names one)
        column = f'"{self.id_column.name}"'
        match self.id_column.type:
            case "bigint":
                is_number = name.isascii() and name.isdigit() and len(name) < 19
                return f"{column} = {name}" if is_number else "false"
            case "uuid":
                try:
                    return f"{column} = '{UUID(name)}'"
                except ValueError:
                    return "false"
            case _:
                return f"{column} = {_literal(name)}"

    def _own(self) -> str:
        column = f'"{self.territory}"'
        own = (f"{column} BETWEEN {one.lo:d} AND {one.hi:d}" for one in self.intervals)
        return " OR ".join(own) or "false"

    def _in_box(self, box: Box) -> str:
        sides = ", ".join(repr(float(side)) for side in box)
        shape = f"ST_MakeEnvelope({sides}, 4326)"
        return f'"geom" && {shape} AND ST_Intersects("geom", {shape})'


def _literal(value: str) -> str:
    """Return a text as SQL writes it; no filter of ours leaves a NUL in."""
    return "'" + value.replace("'", "''") + "'"


def _boxes(bbox: Sequence[float]) -> list[Box]:
    """Return the boxes of a ``bbox``: two where it crosses 180°, its height left out."""
    west, south, east, north = bbox if len(bbox) == 4 else (bbox[0], bbox[1], bbox[3], bbox[4])
    if west > east:
        return [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [(west, south, east, north)]
