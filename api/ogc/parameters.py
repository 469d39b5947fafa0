"""What requests may ask for, where the library would let through what it cannot answer.

Each function stands in for one of the library's; see `overrides`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from cql2 import Expr
from fastapi import Path, Query, Request
from morecantile import Tile
from tipg import dependencies as library
from tipg.resources.enums import MediaType

from api.errors import RequestRefusedError
from api.ogc.catalogue import CollectionDep
from api.ogc.collections import wants_table
from api.ogc.filters import FilterLanguage, FilterText, read_filter
from api.ogc.times import pass_no_time
from geodata.tiles import MAX_ZOOM, is_tile
from gridsvc.errors import NotFoundError

MOST_SKIPPED = 1_000_000
_TABLES = {MediaType.csv}
_ITEM_FORMATS = ("geojson", "json", "csv", "geojsonseq", "ndjson")
Format = Annotated[str | None, Query(description="Format of the answer.")]


def refusal(code: str, words: str) -> RequestRefusedError:
    """Return the refusal of a parameter."""
    return RequestRefusedError(400, code, words)


def bound_parameters(request: Request) -> None:
    """Refuse what no statement can hold or should be asked: NUL, endless skipping, odd numbers."""
    for values in (request.path_params.values(), request.query_params.values()):
        if any("\x00" in str(value) for value in values):
            raise refusal("invalid-query", "A parameter holds a character that no text has.")
    skipped = request.query_params.get("offset", "")
    if skipped.isascii() and skipped.isdigit() and int(skipped) > MOST_SKIPPED:
        words = f"offset: at most {MOST_SKIPPED}; use bbox or filter, or an export."
        raise refusal("invalid-query", words)
    simplify = request.query_params.get("simplify")
    if simplify is not None and not _is_tolerance(simplify):
        raise refusal("invalid-query", "simplify: degrees from 0 to 1.")


def _is_tolerance(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def read_format(f: Format = None) -> MediaType:
    """Return JSON, whatever a browser would like better: see `_named`."""
    return _named(f, ("json",), MediaType.json)


def read_schema_format(f: Format = None) -> MediaType:
    """Return JSON schema."""
    return _named(f, ("schemajson", "json"), MediaType.schemajson)


async def read_item_format(request: Request, f: Format = None) -> MediaType:
    """Return the format of features: asked for, else acceptable, else GeoJSON.

    Asynchronous, or what it notes would be noted in a thread and lost there.
    """
    found = _named(f, _ITEM_FORMATS, MediaType.geojson)
    if f is None:
        offered = [MediaType[name] for name in _ITEM_FORMATS]
        found = library.accept_media_type(request.headers.get("accept", ""), offered) or found
    wants_table.set(found in _TABLES)
    return found


def _named(name: str | None, offered: tuple[str, ...], default: MediaType) -> MediaType:
    """Return the format of a name.

    The library's pages load scripts and styles from other hosts, which neither our policy nor
    this service's users allow, so there are none.
    """
    if name is None:
        return default
    if name == "html":
        words = f"f: there are no pages here, only {', '.join(offered)}; the map is at /map."
        raise refusal("no-such-format", words)
    if name not in offered:
        raise refusal("no-such-format", f"f: one of {', '.join(offered)}.")
    return default if name == "json" and len(offered) < 3 else MediaType[name]


def read_box(
    bbox: Annotated[
        str | None, Query(description="xmin,ymin,xmax,ymax in degrees, or with heights.")
    ] = None,
) -> list[float] | None:
    """Return the box asked for, longitude before latitude."""
    if not bbox:
        return None
    try:
        sides = [float(side) for side in bbox.split(",")]
    except ValueError:
        sides = []
    if len(sides) not in {4, 6} or not all(map(math.isfinite, sides)):
        raise refusal("invalid-query", "bbox: four numbers, xmin,ymin,xmax,ymax, or six.")
    half = len(sides) // 2
    lon, lat = (sides[0], sides[half]), (sides[1], sides[half + 1])
    if max(map(abs, lon)) > 180 or max(map(abs, lat)) > 90 or lat[0] > lat[1]:
        raise refusal("invalid-query", "bbox: longitudes to 180, latitudes to 90, south first.")
    return sides


def read_order(
    collection: CollectionDep,
    sortby: Annotated[
        str | None, Query(description="Columns, each with + or - before it; default: the id.")
    ] = None,
) -> str | None:
    """Return the columns to sort by, the id last: pages must not overlap."""
    if not sortby:
        return None
    names = [word.strip() for word in sortby.split(",")]
    if any(name.lstrip("+-") not in collection.columns() for name in names):
        raise refusal("invalid-query", "sortby: no such column.")
    assert collection.id_column is not None  # noqa: S101 (each published view names one)
    return ",".join([*names, collection.id_column.name])


def read_condition(
    collection: CollectionDep, query: FilterText = None, filter_lang: FilterLanguage = None
) -> Expr | None:
    """Return the filter, of listed operators and the layer's columns."""
    if query is None or not query.strip():
        return None
    is_json = filter_lang == "cql2-json" or query.lstrip().startswith("{")
    columns = [column.name for column in collection.properties]
    geometries = [column.name for column in collection.geometry_columns]
    return read_filter(query, is_json=is_json, columns=columns, geometries=geometries)


def read_tile_address(
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM, description="Zoom.")],
    x: Annotated[int, Path(ge=0, description="Column of the tile.")],
    y: Annotated[int, Path(ge=0, description="Row of the tile.")],
) -> Tile:
    """Return the address of a tile.

    Raises
    ------
    NotFoundError
        There is no such tile.
    """
    if not is_tile(zoom=z, x=x, y=y):
        raise NotFoundError("tile", f"{z}/{x}/{y}")
    return Tile(x, y, z)


def overrides() -> Mapping[Callable[..., Any], Callable[..., Any]]:
    """Return what stands in for which function of the library."""
    return {
        library.OutputType: read_format,
        library.QueryablesOutputType: read_schema_format,
        library.ItemsOutputType: read_item_format,
        library.bbox_query: read_box,
        library.datetime_query: pass_no_time,
        library.sortby_query: read_order,
        library.filter_query: read_condition,
        library.TileParams: read_tile_address,
    }
