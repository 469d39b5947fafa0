"""Parts of a layer: by community, compound, box, day and class, each held against plain SQL."""

from typing import Any

import pytest
from sqlalchemy import text

from gridsvc.db import Interval, Scope
from gridsvc.overview import export_store
from gridsvc.overview.export_layers import LAYERS, Selection
from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
COMPOUND = town.compound_code(A, 2)
TABLES = {
    "communities": "community",
    "compounds": "compound",
    "buildings": "building",
    "stairwells": "stairwell",
    "walkways": "walkway",
    "incidents": "incident",
    "coverage": "stairwell",
}
WEST, SOUTH = town.place(A, 0, 0)
EAST, NORTH = town.place(A, 22, 22)
BOX = f"{WEST},{SOUTH},{EAST},{NORTH}"


def ids(service: Service, query: str, role: str = "coordinator", code: int = STREET) -> list[Any]:
    layer, _, wanted = query.partition("?")
    answer = service.caller(role, code).get(f"/api/v1/export/{layer}.geojson?{wanted}")
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def expected(service: Service, layer: str, where: str) -> list[Any]:
    name = "id" if layer in {"walkways", "incidents"} else "code"
    community = "code" if layer == "communities" else "community_code"
    query = f"SELECT {name} FROM gridsvc.{TABLES[layer]} WHERE {where} ORDER BY {community}, {name}"  # noqa: S608
    with service.clone.root.connect() as connection:
        found = connection.scalars(text(query.replace(":", r"\:"))).all()
    return [one if layer == "communities" else str(one) for one in found]


@pytest.mark.parametrize("layer", TABLES)
def test_a_community_of_it(service: Service, layer: str) -> None:
    column = "code" if layer == "communities" else "community_code"
    found = ids(service, f"{layer}?community={B}")
    assert found == expected(service, layer, f"{column} = {B}")
    assert found


@pytest.mark.parametrize("layer", ["compounds", "buildings", "stairwells", "incidents", "coverage"])
def test_a_compound_of_it(service: Service, layer: str) -> None:
    column = "code" if layer == "compounds" else "compound_code"
    found = ids(service, f"{layer}?compound={COMPOUND}")
    assert found == expected(service, layer, f"{column} = '{COMPOUND}'")
    assert found


@pytest.mark.parametrize("layer", TABLES)
@pytest.mark.parametrize("role", ["coordinator", "planner"])
def test_a_box_of_it(service: Service, layer: str, role: str) -> None:
    if role == "planner" and layer in {"incidents", "coverage"}:
        return
    box = f"ST_Intersects(geom, ST_MakeEnvelope({BOX}, 4326))"
    found = ids(service, f"{layer}?bbox={BOX}", role)
    assert found == expected(service, layer, box)
    assert 0 < len(found) < service.clone.count(TABLES[layer])


def test_a_box_tells_households_as_the_whole_does(service: Service) -> None:
    caller = service.caller("planner", STREET)
    whole = caller.get("/api/v1/export/stairwells.geojson").json()["features"]
    part = caller.get(f"/api/v1/export/stairwells.geojson?bbox={BOX}").json()["features"]
    assert part
    assert all(one in whole for one in part)


@pytest.mark.parametrize("is_leakproof", [True, False])
def test_a_box_finds_its_rows_by_an_index(service: Service, is_leakproof: bool) -> None:
    database = type(service.clone.api)(service.clone.api.engine, is_leakproof)
    selection = Selection(bbox=(WEST, SOUTH, EAST, NORTH))
    scope = Scope("planner", (Interval.of(STREET),))
    with database.session(scope, read_only=True) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        statement, columns = export_store._rows(session, LAYERS["stairwells"], selection)
        query = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(session.scalars(text(f"EXPLAIN {query}".replace(":", r"\:"))))
    assert set(columns) >= {"code", "geom"}
    assert ("stairwell_geom_idx" if is_leakproof else "stairwell_cell_idx") in plan


def test_only_what_is_the_callers(service: Service) -> None:
    assert ids(service, "stairwells?bbox=113,23,114,24", "planner", B) == expected(
        service, "stairwells", f"community_code = {B}"
    )
    for query, code in (
        (f"stairwells.geojson?community={A}", B),
        (f"stairwells.gpkg?community={A}", B),
        (f"stairwells.csv?compound={COMPOUND}", B),
        (f"heat.geojson?community={A}", B),
        ("stairwells.geojson?community=440605011998", STREET),
        (f"stairwells.fgb?compound={A}999", STREET),
    ):
        answer = service.caller("planner", code).get(f"/api/v1/export/{query}")
        assert is_problem(answer, 404, "not-found"), query


# ---- days


@pytest.fixture
def renamed(own_service: Service) -> Service:
    """The town, of which a stairwell had another name and number of households before 2020."""
    code = town.stairwell_code(A, number=3)
    own_service.clone.run(
        f"UPDATE gridsvc.stairwell SET valid_from = '2015-01-01' WHERE community_code = {A}",  # noqa: S608
        "UPDATE gridsvc.stairwell SET valid_from = '2020-01-01', version = 2"  # noqa: S608
        f" WHERE code = '{code}'",
        "INSERT INTO gridsvc.stairwell_version (community_code, code, version, name, valid_from,"  # noqa: S608
        " valid_to, reason, building_code, compound_code, household_count, told_household_count,"
        " geom) SELECT community_code, code, 1, '旧梯', '2015-01-01', '2020-01-01', 'redraw',"
        " building_code, compound_code, 12, 12, geom FROM gridsvc.stairwell"
        f" WHERE code = '{code}'",
    )
    return own_service


@pytest.mark.parametrize(
    ("day", "name", "households"),
    [("2019-12-31", "旧梯", 12), ("2020-01-01", "3梯", 30), ("9999-12-31", "3梯", 30)],
)
def test_grids_as_they_were_on_a_day(
    renamed: Service, day: str, name: str, households: int
) -> None:
    path = f"/api/v1/export/stairwells.geojson?community={A}&as_of={day}"
    features = renamed.caller("planner", STREET).get(path).json()["features"]
    assert len(features) == 12
    wanted = [one for one in features if one["id"] == town.stairwell_code(A, number=3)]
    told = wanted[0]["properties"]
    assert (told["name"], told["household_count"]) == (name, households)


def test_before_its_first_day_there_was_nothing(renamed: Service) -> None:
    for form in ("geojson", "csv", "fgb", "xlsx"):
        path = f"/api/v1/export/stairwells.{form}?community={A}&as_of=2014-12-31"
        assert renamed.caller("planner", STREET).get(path).status_code == 200
    assert ids(renamed, f"stairwells?community={A}&as_of=2014-12-31") == []
    assert ids(renamed, f"stairwells?community={A}&as_of=2016-01-01&bbox={BOX}") == expected(
        renamed, "stairwells", f"ST_Intersects(geom, ST_MakeEnvelope({BOX}, 4326))"
    )


def test_incidents_by_the_days_of_the_sub_district(service: Service) -> None:
    local = "(reported_at AT TIME ZONE 'Asia/Shanghai')::date"
    for query, where in {
        "from=2020-05-10": f"{local} >= '2020-05-10'",
        "to=2020-05-10": f"{local} <= '2020-05-10'",
        "from=2020-05-10&to=2020-05-10": f"{local} = '2020-05-10'",
        "from=0001-01-01&to=9999-12-31": "true",
        "class=parking": "category_code LIKE 'parking.%'",
        "class=lift&to=2020-05-31": f"category_code LIKE 'lift.%' AND {local} <= '2020-05-31'",
        "class=nothing": "false",
    }.items():
        assert ids(service, f"incidents?{query}") == expected(service, "incidents", where), query
    assert len(ids(service, "incidents?from=2020-05-10&to=2020-05-10")) == 1


# ---- what does not fit


@pytest.mark.parametrize(
    "query",
    [
        "communities?compound=440605011001001",
        "communities?as_of=2020-01-01",
        "walkways?as_of=2020-01-01",
        "stairwells?from=2020-01-01",
        "stairwells?class=lift",
        "incidents?as_of=2020-01-01",
        "heat?bbox=113,23,114,24",
        "heat?from=2020-01-01",
        "heat?class=lift",
        "coverage?as_of=2020-01-01",
    ],
)
def test_a_filter_that_a_layer_does_not_take_is_refused(service: Service, query: str) -> None:
    layer, _, wanted = query.partition("?")
    answer = service.caller("coordinator", STREET).get(f"/api/v1/export/{layer}.csv?{wanted}")
    assert is_problem(answer, 422, "unfit-filter")
    assert layer in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        *("bbox=1,2,3", "bbox=a,b,c,d", "bbox=114,23,113,24", "bbox=113,23,114,95", "bbox=,,,"),
        *("community=1", "compound=1", "as_of=yesterday", "crs=EPSG:999999", "crs=mercator"),
        "bbox=113,23,114,nan",
    ],
)
def test_a_filter_that_is_none_is_refused(service: Service, query: str) -> None:
    answer = service.caller("planner", STREET).get(f"/api/v1/export/stairwells.geojson?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_days_in_the_wrong_order_are_refused(service: Service) -> None:
    query = "from=2020-05-02&to=2020-05-01"
    answer = service.caller("coordinator", STREET).get(f"/api/v1/export/incidents.csv?{query}")
    assert is_problem(answer, 422, "invalid-parameter")


def test_a_format_that_is_none_is_refused(service: Service) -> None:
    for name in ("pdf", "GEOJSON", "shp.zip"):
        answer = service.caller("planner", STREET).get(f"/api/v1/export/stairwells.{name}")
        assert answer.status_code == 422, name
