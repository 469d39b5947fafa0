"""Pages of a list are complete, without repetition, and their cursors are ours."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.schemas.paging import decode_cursor, encode_cursor
from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
KEYS = {
    "/api/v1/compounds": "code",
    "/api/v1/stairwells": "code",
    "/api/v1/incidents": "id",
    "/api/v1/contacts/plans": "id",
    "/api/v1/patrols/routes": "id",
}


def walk(
    client: TestClient, path: str, *, limit: int, **params: object
) -> list[list[dict[str, Any]]]:
    """Return the pages of a list, following cursors to the end."""
    pages = []
    asked: dict[str, Any] = {"limit": limit, **params}
    while True:
        body = client.get(path, params=asked).json()
        pages.append(body["items"])
        if body["next"] is None:
            return pages
        asked["cursor"] = body["next"]
        assert len(pages) < 1000


@pytest.mark.parametrize("path", KEYS)
@pytest.mark.parametrize("limit", [1, 2, 7, 12, 1000])
def test_pages_hold_everything_once_and_in_order(service: Service, path: str, limit: int) -> None:
    client = service.caller("coordinator", STREET)
    whole = client.get(path, params={"limit": 1000}).json()
    assert whole["next"] is None
    pages = walk(client, path, limit=limit)
    assert [item for page in pages for item in page] == whole["items"]
    assert len({item[KEYS[path]] for item in whole["items"]}) == len(whole["items"]) > 1
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1], "no empty page at the end"


def test_the_lines_of_a_plan_are_paged(service: Service) -> None:
    client = service.caller("coordinator", A)
    plan = client.get("/api/v1/contacts/plans").json()["items"][0]
    path = f"/api/v1/contacts/plans/{plan['id']}/lines"
    lines = [line for page in walk(client, path, limit=5) for line in page]
    codes = [line["stairwell_code"] for line in lines]
    assert codes == sorted(codes)
    assert len(set(codes)) == 12 == plan["stairwell_count"]
    assert sum(line["member_id"] is not None for line in lines) == plan["covered_count"]
    assert all(line["name"].startswith("甲") for line in lines if line["member_id"])


def test_incidents_at_the_same_moment_are_not_lost_between_pages(own_service: Service) -> None:
    own_service.clone.run("UPDATE gridsvc.incident SET reported_at = '2026-01-01T00:00:00Z'")
    client = own_service.caller("coordinator", STREET)
    seen = [one["id"] for page in walk(client, "/api/v1/incidents", limit=5) for one in page]
    assert len(seen) == len(set(seen)) == 36


def test_what_arrives_while_somebody_pages_does_not_shift_the_pages(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    first = client.get("/api/v1/incidents", params={"limit": 10}).json()
    lon, lat = town.place(A, *town.IN_COMPOUND)
    body = {"category_code": "lift.fault", "summary": "新的", "lon": lon, "lat": lat}
    assert client.post("/api/v1/incidents", json=body).status_code == 201
    rest = client.get("/api/v1/incidents", params={"cursor": first["next"]}).json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert len(ids) == len(set(ids)) == 24


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"class": "parking"}, 11),
        ({"class": "lift"}, 1),
        ({"class": "weather"}, 0),
        ({"place": "compound"}, 2),
        ({"place": "stairwell", "class": "parking"}, 9),
        ({"place": "outside"}, 0),
        ({"community": A, "class": "sanitation"}, 12),
    ],
)
def test_a_filter_holds_on_every_page(service: Service, params: dict[str, Any], count: int) -> None:
    pages = walk(service.caller("coordinator", A), "/api/v1/incidents", limit=4, **params)
    assert sum(map(len, pages)) == count


@pytest.mark.parametrize(
    ("name", "count"),
    [("苑", 2), ("东苑", 1), ("%", 2), ("_", 2), ("1%", 1), ("没有", 0), ("东%", 0)],
)
def test_part_of_a_name_is_looked_for_as_it_is(service: Service, name: str, count: int) -> None:
    answer = service.caller("coordinator", A).get("/api/v1/compounds", params={"name": name})
    assert len(answer.json()["items"]) == count


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "!", "a b", "x" * 201, "\x00", "日本", "YWJj=YQ", encode_cursor("a", "b", "c")),
        *(encode_cursor("nul\x00"), encode_cursor("2026-01-01", "no-id"), encode_cursor("")),
    ],
)
@pytest.mark.parametrize("path", KEYS)
def test_a_cursor_that_is_not_ours_is_a_422(service: Service, path: str, cursor: str) -> None:
    answer = service.caller("coordinator", A).get(path, params={"cursor": cursor})
    assert is_problem(answer, 422, "invalid-request")


@pytest.mark.parametrize("limit", [0, -1, 1001, "many"])
@pytest.mark.parametrize("path", KEYS)
def test_a_page_has_1_to_1000_items(service: Service, path: str, limit: int | str) -> None:
    answer = service.caller("coordinator", A).get(path, params={"limit": limit})
    assert is_problem(answer, 422, "invalid-request")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/compounds", {"name": "a\x00b"}),
        ("/api/v1/compounds", {"name": "长" * 61}),
        ("/api/v1/compounds", {"community": 12}),
        ("/api/v1/compounds", {"community": 10**12}),
        ("/api/v1/stairwells", {"compound": "44060501100100"}),
        ("/api/v1/stairwells", {"compound": "４４０６０５０１１００１００１"}),
        ("/api/v1/incidents", {"place": "moon"}),
        ("/api/v1/incidents", {"class": "a\x00b"}),
        ("/api/v1/heat", {"class": "a\x00b"}),
        ("/api/v1/heat", {"zoom": 21}),
        ("/api/v1/heat", {"from": "2020-13-01"}),
    ],
)
def test_a_filter_that_means_nothing_is_a_422(
    service: Service, path: str, params: dict[str, Any]
) -> None:
    answer = service.caller("coordinator", A).get(path, params=params)
    assert is_problem(answer, 422, "invalid-request")


def test_a_cursor_comes_back_as_it_went() -> None:
    assert decode_cursor(encode_cursor("2026-01-01T00:00:00+00:00", "7"), parts=2) == (
        "2026-01-01T00:00:00+00:00",
        "7",
    )
    assert decode_cursor(None, parts=2) is None
