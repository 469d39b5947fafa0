"""Vector tiles hold the caller's features, all of them, and nobody else's."""

import math
from collections import Counter
from typing import Any

import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest
from shapely import box, from_wkb, union_all
from shapely.affinity import affine_transform, translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import event, text

from geodata.tiles import tile_box
from gridsvc.territory.tiles import LAYER_ZOOMS
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
    # With twenty told, four would follow from the compound's sum.
    assert counts == {None: 8, 30: 4}


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


@pytest.fixture
def changed(own_service: Service) -> Service:
    """A stairwell of another name before 2020; the others have been as they are since 2015."""
    code = town.stairwell_code(A, number=3)
    own_service.clone.run(
        "DELETE FROM gridsvc.stairwell_version",
        f"UPDATE gridsvc.stairwell SET valid_from = '2015-01-01' WHERE community_code = {A}",  # noqa: S608
        "UPDATE gridsvc.stairwell SET valid_from = '2020-01-01', version = 2"  # noqa: S608
        f" WHERE code = '{code}'",
        "INSERT INTO gridsvc.stairwell_version (community_code, code, version, name, valid_from,"  # noqa: S608
        " valid_to, reason, building_code, compound_code, household_count, told_household_count,"
        " geom) SELECT community_code, code, 1, '旧梯', '2015-01-01', '2020-01-01', 'redraw',"
        " building_code, compound_code, 3, NULL, geom FROM gridsvc.stairwell"
        f" WHERE code = '{code}'",
    )
    return own_service


@pytest.mark.parametrize("role", ["coordinator", "planner", "patrol"])
def test_a_tile_of_a_day_holds_what_was_there_then(changed: Service, role: str) -> None:
    z, x, y = WHOLE_TOWN
    client, path = changed.caller(role, A), f"/tiles/{ALL}/{z}/{x}/{y}.mvt"
    told = {}
    for day in ("2014-12-31", "2019-12-31", "2020-01-01", "2999-01-01"):
        answer = client.get(path, params={"as_of": day})
        layers = decode(answer.content)
        stairwells = layers["stairwells"].features if "stairwells" in layers else []
        assert "walkways" in layers, "walkways have no history"
        told[day] = (
            len(stairwells),
            [one.properties.get("household_count") for one in stairwells
             if one.properties["name"] == "旧梯"],
        )  # fmt: skip
        assert not any("state" in one.properties for one in stairwells)
    assert told == {
        "2014-12-31": (0, []),
        "2019-12-31": (12, [None if role == "planner" else 3]),
        "2020-01-01": (12, []),
        "2999-01-01": (12, []),
    }


def test_tiles_of_two_days_have_two_etags_also_where_they_look_the_same(service: Service) -> None:
    z, x, y = WHOLE_TOWN
    client, path = service.caller("planner", A), f"/tiles/walkways/{z}/{x}/{y}.mvt"
    answers = [
        client.get(path, params={"as_of": day} if day else {})
        for day in (None, "2021-01-01", "2022-01-01")
    ]
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["ETag"] for answer in answers}) == 3
    again = {"If-None-Match": answers[1].headers["ETag"]}
    assert client.get(path, params={"as_of": "2021-01-01"}, headers=again).status_code == 304
    assert client.get(path, params={"as_of": "2022-01-01"}, headers=again).status_code == 200


@pytest.mark.parametrize("day", ["yesterday", "2020-02-30", "2020-01-01' --"])
def test_a_day_that_is_none_is_refused_as_on_every_other_read(service: Service, day: str) -> None:
    z, x, y = WHOLE_TOWN
    client = service.caller("planner", A)
    for path in (f"/tiles/stairwells/{z}/{x}/{y}.mvt", "/api/v1/communities"):
        assert is_problem(client.get(path, params={"as_of": day}), 422, "invalid-request")


ALL = "compounds,buildings,stairwells,walkways"


def test_layers_of_one_tile_are_what_each_is_alone(service: Service) -> None:
    z, x, y = WHOLE_TOWN
    for role in ("coordinator", "planner", "patrol"):
        client = service.caller(role, A)
        whole = client.get(f"/tiles/{ALL}/{z}/{x}/{y}.mvt")
        alone = [client.get(f"/tiles/{layer}/{z}/{x}/{y}.mvt").content for layer in ALL.split(",")]
        assert whole.content == b"".join(alone)
        assert list(decode(whole.content)) == ALL.split(",")
        read_by_others = mapbox_vector_tile.decode(whole.content)
        assert {name: len(layer["features"]) for name, layer in read_by_others.items()} == {
            "compounds": 2,
            "buildings": 4,
            "stairwells": 12,
            "walkways": 4,
        }


def test_layers_are_read_in_one_statement(service: Service) -> None:
    statements: list[str] = []

    @event.listens_for(service.clone.api.engine, "before_cursor_execute")
    def note(*told: Any) -> None:
        statements.append(told[2])

    try:
        z, x, y = WHOLE_TOWN
        service.caller("planner", A).get(f"/tiles/{ALL}/{z}/{x}/{y}.mvt")
    finally:
        event.remove(service.clone.api.engine, "before_cursor_execute", note)
    made = [statement for statement in statements if "ST_AsMVT(" in statement]
    assert [statement.count("ST_AsMVT(") for statement in made] == [4]


@pytest.mark.parametrize(
    "layers", ["compounds,compounds", "compounds,members", "compounds,incidents"]
)
def test_a_list_with_what_is_no_layer_is_absent(service: Service, layers: str) -> None:
    z, x, y = WHOLE_TOWN
    answer = service.caller("coordinator", STREET).get(f"/tiles/{layers}/{z}/{x}/{y}.mvt")
    assert is_problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    "layers", ["compounds,", ",", "compounds;buildings", "a b", ",".join("a" * 9)]
)
def test_a_list_that_is_none_is_refused(service: Service, layers: str) -> None:
    answer = service.caller("coordinator", STREET).get(f"/tiles/{layers}/0/0/0.mvt")
    assert is_problem(answer, 422, "invalid-request")


def test_each_layer_begins_where_it_can_be_seen(service: Service) -> None:
    lon, lat = town.place(A, 20, 20)
    for zoom in range(6, 16):
        x, y = tile_at(lon, lat, zoom)
        found = decode(service.caller("planner", A).get(f"/tiles/{ALL}/{zoom}/{x}/{y}.mvt").content)
        assert set(found) <= {layer for layer, first in LAYER_ZOOMS.items() if zoom >= first}, zoom
        if zoom >= 12:
            assert set(found) == set(ALL.split(",")), zoom


def shapes_in(tile: bytes, address: tuple[int, int, int], layer: str) -> dict[str, BaseGeometry]:
    """Return the shapes of a layer by code, in tile units counted over the whole zoom."""
    _, x, y = address
    options = {"y_coord_down": True, "transformer": None}
    found = mapbox_vector_tile.decode(tile, default_options=options)
    features = found[layer]["features"] if layer in found else []
    return {
        feature["properties"]["code"]: translate(
            shape(feature["geometry"]), xoff=x * 4096, yoff=y * 4096
        )
        for feature in features
    }


@pytest.mark.parametrize("zoom", [16, 17, 18, 19])
@pytest.mark.parametrize("layer", ["compounds", "buildings", "stairwells"])
@pytest.mark.parametrize(
    "source", ["/tiles/{layer}", "/ogc/collections/{layer}/tiles/WebMercatorQuad"]
)
def test_tiles_laid_together_show_every_feature_whole(
    service: Service, source: str, layer: str, zoom: int
) -> None:
    """Each tile is cut to its own square; the pieces of a feature add up to its outline."""
    west, north = tile_at(town.WEST, town.SOUTH + 40 * town.UNIT, zoom)
    east, south = tile_at(town.WEST + 40 * town.UNIT, town.SOUTH, zoom)
    pieces: dict[str, list[BaseGeometry]] = {}
    for x in range(west, east + 1):
        for y in range(north, south + 1):
            path = f"{source.format(layer=layer)}/{zoom}/{x}/{y}"
            path += ".mvt" if path.startswith("/tiles") else ""
            tile = service.caller("planner", A).get(path).content
            square = box(x * 4096, y * 4096, (x + 1) * 4096, (y + 1) * 4096)
            for code, found in shapes_in(tile, (zoom, x, y), layer).items():
                assert found.is_valid, (zoom, x, y, code)
                pieces.setdefault(code, []).append(found.intersection(square))
    with service.clone.root.connect() as connection:
        outlines = connection.execute(
            text(
                "SELECT code, ST_AsBinary(ST_Transform(geom, 3857)) FROM"  # noqa: S608 (a layer)
                f" gridsvc.{layer.removesuffix('s')} WHERE community_code = :own"
                " AND retired_on IS NULL"
            ),
            {"own": A},
        ).all()
    assert {code for code, _ in outlines} == set(pieces)
    unit_m = 2 * 20037508.342789244 / 2**zoom / 4096
    crossing = 0
    for code, outline in outlines:
        metric = from_wkb(outline)
        whole = affine_transform(
            metric,
            [1 / unit_m, 0, 0, -1 / unit_m, 2**zoom * 2048, 2**zoom * 2048],
        )
        drawn = union_all(pieces[code])
        crossing += len([piece for piece in pieces[code] if not piece.is_empty]) > 1
        # Corners move to the grid, by half a unit at most; a seam would be a gap of many.
        assert whole.symmetric_difference(drawn).area <= 1.5 * whole.length
        assert drawn.buffer(2).geom_type in {"Polygon", "MultiPolygon"}
        assert len(getattr(drawn.buffer(2), "geoms", [1])) == len(getattr(metric, "geoms", [1]))
    if zoom >= 18:
        assert crossing, "no feature crosses a border"


@pytest.mark.parametrize(
    "sent",
    ['"none", {etag}', "W/{etag}", "*", '{etag} , "none"'],
    ids=["list", "weak", "any", "first"],
)
def test_a_tag_is_known_in_every_way_that_it_may_be_sent(service: Service, sent: str) -> None:
    z, x, y = WHOLE_TOWN
    path = f"/tiles/{ALL}/{z}/{x}/{y}.mvt"
    client = service.caller("coordinator", A)
    etag = client.get(path).headers["ETag"]
    answer = client.get(path, headers={"If-None-Match": sent.format(etag=etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"none"'}).status_code == 200


def test_a_route_is_not_sent_again_either(service: Service) -> None:
    path = f"/api/v1/patrols/routes/{town.id_of('route', A)}"
    client = service.caller("coordinator", A)
    first = client.get(path)
    answer = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (answer.status_code, answer.content) == (304, b"")
