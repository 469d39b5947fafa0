"""Exports are RFC 7946, whole, streamed from a session of their own, and read by GDAL."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
import shapely
from sqlalchemy import text

from tests import town
from tests.api.conftest import served
from tests.api.service import Service, is_problem
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
TABLES = {
    "communities": "community",
    "compounds": "compound",
    "buildings": "building",
    "stairwells": "stairwell",
    "walkways": "walkway",
    "incidents": "incident",
}
SAMPLE_COMMUNITY = 440605011016


def export(service: Service, role: str, code: int, layer: str) -> dict[str, Any]:
    answer = service.caller(role, code).get(f"/api/v1/export/{layer}.geojson")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{layer}.geojson"'
    found: dict[str, Any] = json.loads(answer.content, parse_float=str)
    return found


def positions(geometry: dict[str, Any]) -> list[list[str]]:
    """Return every position of a geometry, numbers as they were written."""
    found: list[list[str]] = []

    def walk(part: Any) -> None:
        if isinstance(part[0], list):
            for inner in part:
                walk(inner)
        else:
            found.append([str(number) for number in part])

    walk(geometry["coordinates"])
    return found


@pytest.mark.parametrize("layer", TABLES)
def test_an_export_follows_the_standard(sample_service: Service, layer: str) -> None:
    found = export(sample_service, "coordinator", STREET, layer)
    assert set(found) == {"type", "features"}, "no crs member (RFC 7946, section 4)"
    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) == sample_service.clone.count(TABLES[layer]) > 20
    for feature in found["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        for position in positions(feature["geometry"]):
            assert len(position) == 2
            lon, lat = map(float, position)
            assert 113 < lon < 113.4, "longitude comes first"
            assert 22.9 < lat < 23.2
            assert max(len(number.partition(".")[2]) for number in position) <= 7
        plain = json.loads(json.dumps(feature["geometry"]), parse_float=float)
        shape = shapely.from_geojson(json.dumps(_with_numbers(plain)))
        assert shape.is_valid
        for polygon in getattr(shape, "geoms", [shape]):
            if polygon.geom_type == "Polygon":
                assert shapely.is_ccw(polygon.exterior), "outer rings turn left (section 3.1.6)"
                assert not any(shapely.is_ccw(ring) for ring in polygon.interiors)
    ids = [feature["id"] for feature in found["features"]]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids, key=lambda one: (_community(found, ids, one), one))


def _community(found: dict[str, Any], ids: list[Any], one: Any) -> int:
    properties = found["features"][ids.index(one)]["properties"]
    return int(properties.get("community_code", properties.get("code")))


def _with_numbers(geometry: dict[str, Any]) -> dict[str, Any]:
    def walk(part: Any) -> Any:
        return [walk(inner) for inner in part] if isinstance(part, list) else float(part)

    return geometry | {"coordinates": walk(geometry["coordinates"])}


def test_what_people_wrote_and_small_counts_stay_in_the_house(service: Service) -> None:
    whole = service.caller("coordinator", STREET).get("/api/v1/export/incidents.geojson").text
    assert "第0件" not in whole
    assert service.clone.count("incident", "summary = '第0件'") == 1
    stairwells = export(service, "planner", A, "stairwells")
    counts = [one["properties"]["household_count"] for one in stairwells["features"]]
    assert sorted(counts, key=str) == [30] * 4 + [None] * 8


def test_a_layer_that_is_none_is_absent(service: Service) -> None:
    for layer in ("members", "people", "heat_cell", "account"):
        answer = service.caller("administrator", STREET).get(f"/api/v1/export/{layer}.geojson")
        assert is_problem(answer, 404, "not-found")


def test_a_caller_without_rows_gets_an_empty_collection(service: Service) -> None:
    client = service.caller("coordinator", STREET + 99)
    for layer in TABLES:
        answer = client.get(f"/api/v1/export/{layer}.geojson")
        assert answer.content == b'{"type":"FeatureCollection","features":[]}'


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's programs are not installed")
@pytest.mark.parametrize("layer", TABLES)
def test_gdal_reads_every_layer_for_every_caller(
    service: Service, tmp_path: Path, layer: str
) -> None:
    for role, code in (("coordinator", A), ("coordinator", STREET), ("planner", B)):
        if (role, layer) == ("planner", "incidents"):
            continue
        path = tmp_path / f"{layer}-{role}-{code}.geojson"
        answer = service.caller(role, code).get(f"/api/v1/export/{layer}.geojson")
        path.write_bytes(answer.content)
        said = subprocess.run(  # noqa: S603
            ["ogrinfo", "-al", "-so", path],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stderr == ""
        hi = code + 999 if code == STREET else code
        column = "code" if layer == "communities" else "community_code"
        expected = service.clone.count(TABLES[layer], f"{column} BETWEEN {code} AND {hi}")
        assert f"Feature Count: {expected}\n" in said.stdout
        assert 'ID["EPSG",4326]' in said.stdout


# ---- streaming


def sessions(clone: Clone) -> int:
    """Count the connections of the API role that are at work or inside a transaction."""
    with clone.root.connect() as connection:
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = :name"
                    " AND usename = 'gridsvc_api' AND state <> 'idle'"
                ),
                {"name": clone.name},
            )
            or 0
        )


def wait_until_free(clone: Clone) -> None:
    deadline = time.monotonic() + 10
    while sessions(clone):
        assert time.monotonic() < deadline, "a connection is still held"
        time.sleep(0.02)


@pytest.fixture
def long_service(own_service: Service) -> Service:
    """The town with so many walkways that no buffer on the way holds their export."""
    own_service.clone.run(
        "INSERT INTO gridsvc.walkway (community_code, id, kind, name, geom)"
        " SELECT 440605011001, gen_random_uuid(), 'footpath', repeat('长路', 40),"
        "  ST_SetSRID(ST_MakeLine(ST_MakePoint(113.15, 23.03 + n / 1e7),"
        "  ST_MakePoint(113.151, 23.03 + n / 1e7)), 4326) FROM generate_series(1, 60000) AS n"
    )
    return own_service


def test_a_reader_who_stops_midway_frees_the_connection(long_service: Service) -> None:
    token = long_service.caller("coordinator", A).headers["Authorization"]
    headers = {"Authorization": token, "Accept-Encoding": "identity"}
    with served(long_service) as base_url, httpx2.Client(base_url=base_url) as client:
        path = "/api/v1/export/walkways.geojson"
        for _ in range(5):  # more often than the pool has connections
            with client.stream("GET", path, headers=headers) as answer:
                assert answer.status_code == 200
                chunks = answer.iter_bytes(1000)  # collected, it would end the reading
                start = next(chunks)
                assert start.startswith(
                    b'{"type":"FeatureCollection","features":[{"type":"Feature"'
                )
                assert sessions(long_service.clone) == 1, "the answer has a session of its own"
                del chunks
            wait_until_free(long_service.clone)
        whole = client.get(path, headers=headers, timeout=60)
        assert len(whole.json()["features"]) == 60004
    wait_until_free(long_service.clone)


def test_the_first_bytes_come_long_before_the_last(long_service: Service) -> None:
    token = long_service.caller("coordinator", A).headers["Authorization"]
    with served(long_service) as base_url, httpx2.Client(base_url=base_url) as client:
        chunks = 0
        with client.stream(
            "GET", "/api/v1/export/walkways.geojson", headers={"Authorization": token}
        ) as answer:
            for _ in answer.iter_raw():
                chunks += 1
    assert chunks > 20


def test_an_export_is_read_in_a_read_only_transaction_of_one_statement(
    service: Service,
) -> None:
    from sqlalchemy import event

    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    service.caller("coordinator", A)  # whose signing in is another transaction
    engine = service.clone.api.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        export(service, "coordinator", A, "compounds")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    reads = [statement for statement in statements if "planner.compounds" in statement]
    assert len(reads) == 1
    settings = [statement for statement in statements if "app.lo1" in statement]
    assert len(settings) == 2, "the other notes the download, and nothing else"
    assert settings[0].startswith("SET TRANSACTION READ ONLY; ")
    assert [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))] == [
        one for one in statements if "gridsvc.audit_event" in one
    ]
