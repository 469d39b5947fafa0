"""What every route about files of territory promises: one line a route."""

import json
from itertools import count
from typing import Any

from shapely.geometry import mapping

from tests import town
from tests.api.matrix import ADMINISTRATORS, NOWHERE, STREET, A, Caller, World
from tests.api.matrix_found import by_pattern, each
from tests.api.matrix_promises import Ask, Changes, Lists, One, Promise, Request, Rows

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
IMPORTS = Rows("territory_import")
APPLIED = Rows("territory_import", where="status = 'applied'")
WAITING = Rows("territory_import", where="status = 'staged'")
ROWS = "SELECT row FROM gridsvc.imported_feature WHERE import_id = '{id}'"
_NUMBERS = count(1)


def unchanged(note: object) -> bytes:
    """Return a file of one building of community A as it is; each note makes another file."""
    building = town.make_territory().buildings.iloc[0]
    feature = {
        "type": "Feature",
        "properties": {"code": building["code"], "name": building["name"], "note": str(note)},
        "geometry": mapping(building["geometry"]),
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def upload(note: object, street_code: int = STREET) -> dict[str, Any]:
    """Return what sends such a file."""
    return {
        "files": {"file": ("buildings.geojson", unchanged(note), "application/geo+json")},
        "data": {"layer": "buildings", "street": str(street_code)},
    }


def send(path: str) -> Request:
    return lambda _, __, place: Ask("POST", path, upload(next(_NUMBERS), place))


def to_import(method: str, path: str, **body: Any) -> Request:
    """Return a request about a file that the sub-district's administrator has just sent."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        found = NOTHING
        if place != NOWHERE:
            client = world.client(Caller("administrator", STREET))
            answer = client.post(f"{V1}/imports", **upload(next(_NUMBERS)))
            found = answer.json()["id"]
        return Ask(method, path.format(found), body)

    return ask


def changes(
    route: str, ask: Request, foreign: int = 404, *, of_rows: bool = True
) -> tuple[str, Promise]:
    """Return the line of a route that changes imports, which lie in the sub-district itself.

    Rows that go in stay as the file had them, so applying changes none.
    """
    tables = {"territory_import", "audit_event", *(["imported_feature"] if of_rows else [])}
    return route, Changes(ADMINISTRATORS, ask, tables, foreign=foreign, places=(STREET,))


IN_LIST = by_pattern(r'"/admin/territory/([0-9a-f-]{36})"')
OF_REPORT = by_pattern(r'"row":\s*(\d+)')
OF_REJECTS = by_pattern(r"(?m)^(\d+),")
IMPORT_READS: tuple[tuple[str, Promise], ...] = (
    (f"GET {V1}/imports", Lists(ADMINISTRATORS, IMPORTS, each("id"))),
    (f"GET {V1}/imports/{{import_id}}", One(ADMINISTRATORS, APPLIED)),
    (
        f"GET {V1}/imports/{{import_id}}/faults.geojson",
        One(ADMINISTRATORS, WAITING, OF_REPORT, ROWS),
    ),
    (
        f"GET {V1}/imports/{{import_id}}/rejects.csv",
        One(ADMINISTRATORS, WAITING, OF_REJECTS, ROWS),
    ),
    ("GET /admin/territory", Lists(ADMINISTRATORS, IMPORTS, IN_LIST)),
    (
        "GET /admin/territory/{import_id}",
        One(ADMINISTRATORS, WAITING, by_pattern(r"/imports/([0-9a-f-]{36})/faults"), ""),
    ),
)
IMPORT_CHANGES: tuple[tuple[str, Promise], ...] = (
    changes(f"POST {V1}/imports", send(f"{V1}/imports"), foreign=403),
    changes("POST /admin/territory", send("/admin/territory"), foreign=403),
    changes(
        f"POST {V1}/imports/{{import_id}}/apply",
        to_import("POST", f"{V1}/imports/{{}}/apply", json={}),
        of_rows=False,
    ),
    changes(
        "POST /admin/territory/{import_id}/apply",
        to_import("POST", "/admin/territory/{}/apply", data={}),
        of_rows=False,
    ),
    changes(f"DELETE {V1}/imports/{{import_id}}", to_import("DELETE", f"{V1}/imports/{{}}")),
    changes(
        "POST /admin/territory/{import_id}/discard",
        to_import("POST", "/admin/territory/{}/discard"),
    ),
)


def add_waiting(world: World) -> None:
    """Let a file wait at each place: a row of it has no shape, so there is something to tell."""
    for place, file_hash in ((A, "a"), (STREET, "b"), (town.STREET + 1001, "c")):
        import_id = town.id_of("waiting", place)
        world.clone.run(
            "INSERT INTO gridsvc.territory_import (community_code, id, layer, file_name,"  # noqa: S608 - our own words
            " file_hash, format, crs_name, columns, notes, row_count, valid_from, status) VALUES"
            f" ({place}, '{import_id}', 'compounds', 'w.geojson', '{file_hash}', 'GeoJSON',"
            " 'EPSG:4326', '{}', '[]', 1, '2030-01-01', 'staged')",
            "INSERT INTO gridsvc.imported_feature (community_code, import_id, row, fields)"  # noqa: S608 - our own words
            f" VALUES ({place}, '{import_id}', {place % 10 + 1}, '{{\"name\": \"x\"}}')",
        )
