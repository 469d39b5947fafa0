"""Who may read the OGC API, what it answers to others, and where its links lead."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from gridsvc.settings import Settings
from tests import town
from tests.api.holders import bearer, hold, make_key
from tests.api.service import Service, is_problem
from tests.api.test_tiles import WHOLE_TOWN
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
COLLECTIONS = "/ogc/collections"
ITEMS = f"{COLLECTIONS}/stairwells/items"
PATHS = (
    *("/ogc", "/ogc/", "/ogc/api", "/ogc/conformance", COLLECTIONS, ITEMS),
    f"{COLLECTIONS}/stairwells/queryables",
    f"{COLLECTIONS}/nothing/items",
    f"{COLLECTIONS}/stairwells/tiles/WebMercatorQuad/14/0/0",
    "/ogc/tileMatrixSets",
)


def planner(service: Service) -> TestClient:
    return service.caller("planner", A)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_told_without_signing_in(service: Service, path: str) -> None:
    for client in (service.visitor(), bearer(service, "nonsense"), bearer(service, "gk_a_b")):
        answer = client.get(path, headers={"Accept": "text/html, application/json"})
        assert is_problem(answer, 401, "not-signed-in")


@pytest.mark.parametrize("role", ["contact", "patrol", "resident"])
def test_it_is_for_those_who_plan(service: Service, role: str) -> None:
    for path in PATHS:
        assert is_problem(service.caller(role, A).get(path), 403, "role-not-allowed")


def test_a_key_reads_until_it_is_revoked_or_expires(own_service: Service) -> None:
    owner = own_service.caller("planner", A)
    revoked, expired = make_key(owner), make_key(owner)
    for made in (revoked, expired):
        client = bearer(own_service, made["secret"])
        assert client.get(ITEMS).json()["numberMatched"] == 12
    assert owner.delete(f"/api/v1/keys/{revoked['id']}").status_code == 204
    own_service.clone.run(
        "UPDATE gridsvc.api_key SET created_at = now() - interval '2 days',"  # noqa: S608 (an id)
        f" expires_at = now() - interval '1 day' WHERE id = '{expired['id']}'"
    )
    for made in (revoked, expired):
        answer = bearer(own_service, made["secret"]).get(ITEMS)
        assert is_problem(answer, 401, "not-signed-in")


def test_every_kind_of_credential_reads_the_own_rows(own_service: Service) -> None:
    holder = hold(own_service, A)
    for client in holder.clients.values():
        assert client.get(ITEMS).json()["numberMatched"] == 12


@pytest.mark.parametrize(
    "path",
    [
        f"{COLLECTIONS}/members",
        f"{COLLECTIONS}/gridsvc.member/items",
        f"{COLLECTIONS}/planner.stairwells/items",
        f"{COLLECTIONS}/incidents/items",
        f"{COLLECTIONS}/pg_catalog.pg_roles/items",
        f"{COLLECTIONS}/stairwells/tiles/WebMercatorQuad/3/9/0",
        f"{ITEMS}/{town.stairwell_code(B)}",
        f"{ITEMS}/none",
        f"{COLLECTIONS}/walkways/items/none",
        f"{COLLECTIONS}/communities/items/99999999999999999999",
        f"{COLLECTIONS}/communities/items/{B}",
        f"{COLLECTIONS}/stairwells/tiles/WebMercatorQuad/map.html",
    ],
)
def test_what_is_not_there_is_a_404(service: Service, path: str) -> None:
    assert is_problem(planner(service).get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"f": "html"}, 400),
        ({"f": "gml"}, 400),
        ({"bbox": "1,2,3"}, 400),
        ({"bbox": "a,b,c,d"}, 400),
        ({"bbox": "nan,2,3,4"}, 400),
        ({"bbox": "113,24,114,22"}, 400),
        ({"bbox": "200,24,214,22"}, 400),
        ({"datetime": "yesterday"}, 400),
        ({"datetime": "../.."}, 400),
        ({"datetime": "2020-02-30"}, 400),
        ({"datetime": "2020-01-02/2020-01-01"}, 400),
        ({"datetime": "9999-12-31T23:00:00Z"}, 400),
        ({"datetime": "2020-01-01T00:00:00Z/2021-01-01T00:00:00Z/2022-01-01T00:00:00Z"}, 400),
        ({"sortby": "-secret"}, 400),
        ({"sortby": "name\nx"}, 400),
        ({"sortby": "geom"}, 400),
        ({"geom-column": "name"}, 400),
        ({"simplify": "nan"}, 400),
        ({"simplify": "-1"}, 400),
        ({"simplify": "many"}, 400),
        ({"ids": "a\x00b"}, 400),
        ({"name": "a\x00b"}, 400),
        ({"geom": "POINT(1 2)"}, 400),
        ({"household_count": "many"}, 400),
        ({"Code": "1"}, 400),
        ({"offset": "1000001"}, 400),
        ({"offset": "-1"}, 422),
        ({"offset": "9" * 30}, 400),
        ({"limit": "10001"}, 422),
        ({"limit": "many"}, 422),
        ({"filter": "a" * 4001}, 422),
        ({"filter": "name = 'a'", "filter-lang": "sql"}, 422),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    service: Service, parameters: dict[str, str], status: int
) -> None:
    answer = planner(service).get(ITEMS, params=parameters)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({}, 12),
        ({"bbox": "113,22,114,24"}, 12),
        ({"bbox": "113,22,-3,114,24,9"}, 12),
        ({"bbox": "170,22,-170,24"}, 0),
        ({"bbox": "100,22,-170,24"}, 12),
        ({"ids": f"{town.stairwell_code(A)},{town.stairwell_code(B)}"}, 1),
        ({"name": "1梯"}, 4),
        ({"community_code": str(B)}, 0),
        ({"ids": "a' OR 'a' = 'a"}, 0),
        ({"name": "a' OR 'a' = 'a"}, 0),
        ({"simplify": "0.0001"}, 12),
        ({"geom-column": "none"}, 12),
    ],
)
def test_parameters_choose_among_the_own_rows(
    service: Service, parameters: dict[str, str], count: int
) -> None:
    answer = planner(service).get(ITEMS, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.json()["numberMatched"] == count


def test_several_ids_are_found_whatever_their_type(service: Service) -> None:
    for collection in ("communities", "walkways", "compounds"):
        client = service.caller("planner", STREET)
        items = client.get(f"{COLLECTIONS}/{collection}/items").json()["features"]
        wanted = [str(item["id"]) for item in items[:2]]
        assert len(wanted) == 2
        found = client.get(
            f"{COLLECTIONS}/{collection}/items", params={"ids": ",".join([*wanted, "none"])}
        ).json()["features"]
        assert [str(item["id"]) for item in found] == sorted(wanted)


def test_pages_follow_each_other_without_gap_or_overlap(service: Service) -> None:
    client, seen = planner(service), []
    address: str | None = f"{ITEMS}?limit=5&sortby=name"
    while address:
        page = client.get(address).json()
        seen += [feature["id"] for feature in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        address = following[0] if following else None
    assert len(seen) == len(set(seen)) == 12


def test_the_default_is_a_thousand_and_the_most_ten_thousand(service: Service) -> None:
    document = planner(service).get("/ogc/api").json()
    parameters = document["paths"]["/collections/{collectionId}/items"]["get"]["parameters"]
    (limit,) = [one["schema"] for one in parameters if one["name"] == "limit"]
    assert (limit["default"], limit["maximum"]) == (1000, 10_000)


@pytest.mark.parametrize(
    ("form", "kind", "lines"),
    [
        ("csv", "text/csv; charset=utf-8", 13),
        ("geojsonseq", "application/geo+json-seq", 12),
        ("ndjson", "application/ndjson", 12),
    ],
)
def test_features_come_in_other_formats_too(
    service: Service, form: str, kind: str, lines: int
) -> None:
    answer = planner(service).get(ITEMS, params={"f": form})
    assert answer.headers["content-type"] == kind
    assert len(answer.text.splitlines()) == lines


def test_a_table_without_rows_has_its_heading(service: Service) -> None:
    none = {"filter": "name = 'none'", "properties": "name,code"}
    for parameters, accepted in ((none | {"f": "csv"}, "*/*"), (none, "text/csv")):
        answer = planner(service).get(ITEMS, params=parameters, headers={"Accept": accepted})
        assert (answer.status_code, answer.text) == (200, "collectionId,itemId,code,name\r\n")
    assert planner(service).get(f"{ITEMS}/none?f=csv").status_code == 404


def test_browsers_get_json_and_are_told_that_there_are_no_pages(service: Service) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/ogc", COLLECTIONS, ITEMS):
        answer = planner(service).get(path, headers=html)
        assert answer.status_code == 200
        assert "json" in answer.headers["content-type"]
        assert b"<" not in answer.content[:100]
    answer = planner(service).get(f"{COLLECTIONS}?f=html", headers=html)
    assert is_problem(answer, 400, "no-such-format")


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_kept_by_a_cache(service: Service, path: str) -> None:
    for client in (planner(service), service.visitor()):
        answer = client.get(path)
        assert answer.headers["Cache-Control"].endswith("no-store")
        kept_by = {word.strip() for word in answer.headers["Vary"].split(",")}
        assert {"Cookie", "Authorization"} <= kept_by


def links_in(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [value for name, value in node.items() if name == "href"]
        return [*own, *(link for value in node.values() for link in links_in(value))]
    return [link for one in node for link in links_in(one)] if isinstance(node, list) else []


@pytest.mark.parametrize(
    ("public_url", "root_path", "base"),
    [
        (None, "", "http://testserver"),
        ("https://grid.example", "", "https://grid.example"),
        ("https://grid.example", "/maps", "https://grid.example/maps"),
        (None, "/maps", "http://testserver/maps"),
    ],
)
def test_links_lead_to_where_people_reach_the_service(
    town_database: Clone, service: Service, public_url: str | None, root_path: str, base: str
) -> None:
    app = create_app(Settings(public_url=public_url), town_database.api, town.VAULT)
    key = make_key(planner(service))["secret"]
    client = TestClient(app, root_path=root_path, headers={"Authorization": f"Bearer {key}"})
    followed = 0
    for path in ("/ogc", COLLECTIONS, f"{ITEMS}?limit=2", f"{COLLECTIONS}/stairwells"):
        for link in links_in(client.get(path).json()):
            assert link.startswith(f"{base}/ogc"), link
            if "{" not in link:
                answer = client.get(link.removeprefix(base))
                assert answer.status_code == 200, link
                followed += 1
    assert followed > 30
    document = client.get("/ogc/api").json()
    assert document["servers"] == [{"url": f"{base}/ogc"}]


def test_the_definition_names_every_route_and_no_page(service: Service) -> None:
    answer = planner(service).get("/ogc/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"] == "3.0.3"
    assert '"text/html":' not in answer.text
    assert not re.search(r'"enum":\[[^]]*"html"', answer.text)
    assert '"type":"null"' not in answer.text
    for path, operations in document["paths"].items():
        assert {"200", "400", "401", "403", "404"} <= operations["get"]["responses"].keys(), path
    assert not any(path.startswith("/ogc") for path in service.document["paths"])


def test_a_tile_has_one_layer_of_its_collections_name_and_the_margin_of_ours(
    service: Service,
) -> None:
    z, x, y = WHOLE_TOWN
    for layer in ("compounds", "buildings", "stairwells", "walkways"):
        theirs = planner(service).get(f"{COLLECTIONS}/{layer}/tiles/WebMercatorQuad/{z}/{x}/{y}")
        ours = planner(service).get(f"/tiles/{layer}/{z}/{x}/{y}.mvt")
        assert theirs.content
        assert layer.encode() in theirs.content[:40]
        assert ours.content
    low = planner(service).get(f"{COLLECTIONS}/stairwells/tiles/WebMercatorQuad/3/6/3")
    assert (low.status_code, low.content) == (200, b"")


def test_the_catalogue_is_read_once_and_sees_no_row(town_database: Clone, service: Service) -> None:
    app = create_app(Settings(), town_database.api, town.VAULT)
    key = make_key(planner(service))["secret"]
    client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    states = [app.state.catalogue._columns]
    for path in (COLLECTIONS, ITEMS):
        client.get(path)
        states.append(app.state.catalogue._columns)
    before, read, read_again = states
    assert before is None, "nothing is opened before the first request"
    assert read_again is read
    with town_database.api.engine.connect() as connection:
        for view in read.keys() - {"communities"}:  # outlines: a reference table
            counted = connection.exec_driver_sql(f"SELECT count(*) FROM planner.{view}")  # noqa: S608
            assert counted.scalar_one() == 0
