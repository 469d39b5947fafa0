"""Vector tiles hold the caller's features, all of them, and nobody else's."""

import math
from collections import Counter

import pytest

from geodata.tiles import tile_box
from tests import town
from tests.api.mvt import Layer, decode
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
MVT = "application/vnd.mapbox-vector-tile"


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Return column and row of the tile that holds a place."""
    side = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * side), int(y * side)


WHOLE_TOWN = (12, *tile_at(113.154, 23.032, 12))


def read(
    service: Service, role: str, code: int, layer: str, tile: tuple[int, int, int]
) -> Layer | None:
    z, x, y = tile
    answer = service.caller(role, code).get(f"/tiles/{layer}/{z}/{x}/{y}.mvt")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MVT
    return decode(answer.content).get(layer)


@pytest.mark.parametrize(
    ("layer", "each"), [("compounds", 2), ("buildings", 4), ("stairwells", 12), ("walkways", 4)]
)
@pytest.mark.parametrize("role", ["coordinator", "planner", "patrol"])
def test_a_tile_holds_exactly_the_callers_features(
    service: Service, role: str, layer: str, each: int
) -> None:
    for code, count in ((A, each), (B, each), (STREET, 2 * each)):
        found = read(service, role, code, layer, WHOLE_TOWN)
        assert found is not None
        assert (found.version, found.extent, len(found.features)) == (2, 4096, count)
        codes = {feature.properties.get("code", str(code))[:12] for feature in found.features}
        assert codes == (
            {str(A), str(B)} if code == STREET and layer != "walkways" else {str(code)}
        )


def test_staff_see_the_state_of_contacts_and_others_do_not(service: Service) -> None:
    staff = read(service, "coordinator", A, "stairwells", WHOLE_TOWN)
    assert staff is not None
    states = Counter(feature.properties["state"] for feature in staff.features)
    coverage = service.caller("coordinator", A).get("/api/v1/contacts/coverage").json()
    assert states == {state: count for state, count in coverage.items() if count}
    for role in ("planner", "patrol"):
        other = read(service, role, A, "stairwells", WHOLE_TOWN)
        assert other is not None
        assert not any("state" in feature.properties for feature in other.features)


def test_no_tile_tells_a_planner_of_fewer_than_five_households(service: Service) -> None:
    found = read(service, "planner", A, "stairwells", WHOLE_TOWN)
    assert found is not None
    counts = Counter(feature.properties.get("household_count") for feature in found.features)
    assert counts == {None: 4, 20: 4, 30: 4}


def test_features_lie_where_they_are(service: Service) -> None:
    zoom = 17
    lon, lat = town.place(A, 4, 9)
    x, y = tile_at(lon, lat, zoom)
    found = read(service, "coordinator", A, "buildings", (zoom, x, y))
    assert found is not None
    west, south, east, north = tile_box(zoom=zoom, x=x, y=y)
    (house,) = [f for f in found.features if f.properties["code"].endswith("001001")]
    assert house.kind == 3
    column = (lon - west) / (east - west) * 4096
    width = 12 * town.UNIT / (east - west) * 4096
    assert house.start[0] == pytest.approx(column, abs=1.5) or house.start[0] == pytest.approx(
        column + width, abs=1.5
    )
    assert south < lat < north


def test_neighbouring_tiles_share_what_crosses_their_border(service: Service) -> None:
    zoom = 18
    x, y = tile_at(*town.place(A, 1, 20), zoom)
    codes = []
    for column in (x, x + 1):
        found = read(service, "coordinator", A, "compounds", (zoom, column, y))
        assert found is not None
        codes.append({feature.properties["code"] for feature in found.features})
    assert codes[0] & codes[1] == {town.compound_code(A)}


@pytest.mark.parametrize("tile", [(0, 0, 0), (1, 1, 0), (22, 0, 0), (14, 0, 16383)])
def test_tiles_at_the_edges_of_the_world_are_tiles(
    service: Service, tile: tuple[int, int, int]
) -> None:
    answer = service.caller("coordinator", STREET).get("/tiles/walkways/{}/{}/{}.mvt".format(*tile))
    assert (answer.status_code, answer.content) == (200, b""), "nothing, or too small to draw"


@pytest.mark.parametrize(
    "path", ["incidents/12/3334/1778", "members/0/0/0", "compounds/1/2/0", "compounds/0/0/1"]
)
def test_a_layer_or_tile_that_is_none_is_absent(service: Service, path: str) -> None:
    for role in ("coordinator", "planner"):
        answer = service.caller(role, STREET).get(f"/tiles/{path}.mvt")
        assert is_problem(answer, 404, "not-found")


def test_an_unchanged_tile_is_not_sent_again_to_the_same_caller(service: Service) -> None:
    z, x, y = WHOLE_TOWN
    path = f"/tiles/compounds/{z}/{x}/{y}.mvt"
    first = service.caller("coordinator", A).get(path)
    again = {"If-None-Match": first.headers["ETag"]}
    answer = service.caller("coordinator", A).get(path, headers=again)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == first.headers["ETag"]
    other = service.caller("coordinator", B).get(path, headers=again)
    assert other.status_code == 200
    assert other.headers["ETag"] != first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"]


def test_a_route_is_not_sent_again_either(service: Service) -> None:
    path = f"/api/v1/patrols/routes/{town.id_of('route', A)}"
    client = service.caller("coordinator", A)
    first = client.get(path)
    answer = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (answer.status_code, answer.content) == (304, b"")
