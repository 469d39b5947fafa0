"""What every route that corrects territory promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

from itertools import count

import orjson

from tests.api.matrix import STAFF, Caller, World
from tests.api.matrix_promises import Ask, Changes, Promise

V1 = "/api/v1"
WHY = "居民要求"
_NUMBERS = count(1)
_NONE = {"compound": "9" * 15, "stairwell": "9" * 20}


def _first(world: World, kind: str, place: int, order: str = "code") -> tuple[str, int]:
    """Return code and version of a grid of a place, or of none that could be."""
    found = world.owner(
        f"SELECT code || ' ' || version FROM gridsvc.{kind} WHERE community_code = {place}"
        f" AND retired_on IS NULL ORDER BY {order} LIMIT 1"
    )
    if not found:
        return _NONE[kind], 1
    code, version = found[0].split()
    return code, int(version)


def _if_match(version: int) -> dict[str, str]:
    return {"If-Match": f'"v{version}"'}


def redraw(world: World, _: Caller, place: int) -> Ask:
    code, version = _first(world, "compound", place)
    body = {"name": f"第{next(_NUMBERS)}苑", "reason": WHY}
    return Ask("PATCH", f"{V1}/grids/{code}", {"json": body, "headers": _if_match(version)})


def _halves(world: World, code: str) -> list[dict[str, object]]:
    """Return the western and the eastern half of a stairwell, which is a rectangle."""
    found = world.owner(
        "SELECT ST_AsGeoJSON(ST_MakeEnvelope(w, ST_YMin(geom), e, ST_YMax(geom), 4326), 15)"
        f" FROM gridsvc.stairwell, lateral (SELECT (ST_XMin(geom) + ST_XMax(geom)) / 2 AS m) AS x,"
        " lateral (VALUES (ST_XMin(geom), m), (m, ST_XMax(geom))) AS half (w, e)"
        f" WHERE code = '{code}'"
    )
    return [{"geometry": orjson.loads(half)} for half in found]


def split(world: World, _: Caller, place: int) -> Ask:
    code, version = _first(world, "stairwell", place, "ST_Area(geom) DESC, code")
    triangle = [[[0, 0], [1, 0], [1, 1], [0, 0]]]
    nothing: dict[str, object] = {"geometry": {"type": "Polygon", "coordinates": triangle}}
    pieces = _halves(world, code) or [nothing, nothing]
    send = {"json": {"pieces": pieces, "reason": WHY}, "headers": _if_match(version)}
    return Ask("POST", f"{V1}/grids/{code}/split", send)


def merge(world: World, _: Caller, place: int) -> Ask:
    """Merge two stairwells of one building that touch."""
    found = world.owner(
        "SELECT a.code || ' ' || a.version || ' ' || b.code || ' ' || b.version"
        " FROM gridsvc.stairwell a JOIN gridsvc.stairwell b"
        " ON a.building_code = b.building_code AND a.code < b.code"
        " AND ST_Relate(a.geom, b.geom, 'FF*F1****')"
        f" WHERE a.community_code = {place} AND a.retired_on IS NULL AND b.retired_on IS NULL"
        " ORDER BY 1 LIMIT 1"
    )
    words = found[0].split() if found else [_NONE["stairwell"], "1", "9" * 18 + "10", "1"]
    grids = [
        {"code": words[0], "version": int(words[1])},
        {"code": words[2], "version": int(words[3])},
    ]
    body = {"grids": grids, "name": f"合{next(_NUMBERS)}梯", "reason": WHY}
    return Ask("POST", f"{V1}/grids/merge", {"json": body})


def void(world: World, _: Caller, place: int) -> Ask:
    code, version = _first(world, "stairwell", place, "ST_Area(geom), code")
    send = {"json": {"reason": WHY}, "headers": _if_match(version)}
    return Ask("POST", f"{V1}/grids/{code}/void", send)


_FOLLOW = {"contact", "contact_exclusion", "contact_pin", "member", "compound"}
GRIDS: tuple[tuple[str, Promise], ...] = (
    (
        f"PATCH {V1}/grids/{{code}}",
        Changes(STAFF, redraw, {"compound", "compound_version", "audit_event"}),
    ),
    (
        f"POST {V1}/grids/{{code}}/split",
        Changes(STAFF, split, {"stairwell", "grid_lineage", "audit_event"}, perhaps=_FOLLOW),
    ),
    (
        f"POST {V1}/grids/merge",
        Changes(STAFF, merge, {"stairwell", "grid_lineage", "audit_event"}, perhaps=_FOLLOW),
    ),
    (
        f"POST {V1}/grids/{{code}}/void",
        Changes(STAFF, void, {"stairwell", "audit_event"}, perhaps=_FOLLOW),
    ),
)
