"""Grids are read with their version, and changed only by whoever has seen the last one."""

from typing import Any

import pytest
from shapely.geometry import mapping

from gridsvc.local_time import local_today
from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A = town.EAST_SHORE
STAIRWELL = town.stairwell_code(A, building=2, number=2)
GRID = f"/api/v1/grids/{STAIRWELL}"
WHY = "居民要求"


def seen(version: int) -> dict[str, str]:
    return {"If-Match": f'"v{version}"'}


def halves() -> list[dict[str, Any]]:
    pieces = [town.rectangle(A, (8 + side, 25), (2, 4)) for side in (0, 2)]
    return [{"geometry": mapping(piece)} for piece in pieces]


def test_a_change_needs_the_version_that_was_seen(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    etag = client.get(GRID).headers["etag"]
    body = {"name": "甲梯", "reason": WHY}
    assert is_problem(client.patch(GRID, json=body), 428, "version-required")
    for wrong in ("*", "v1", 'W/"v1"', '"v1", "v2"', '"v0"'):
        answer = client.patch(GRID, json=body, headers={"If-Match": wrong})
        assert is_problem(answer, 428, "version-required")
    changed = client.patch(GRID, json=body, headers={"If-Match": etag})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"v2"')
    assert client.get(GRID, headers={"If-None-Match": '"v2"'}).status_code == 304
    late = client.patch(GRID, json=body | {"name": "乙梯"}, headers={"If-Match": etag})
    assert is_problem(late, 412, "stale-version")
    yours, current = (one["grid"] for one in late.json()["errors"])
    assert (yours["name"], current["name"]) == ("2梯", "甲梯")


def test_every_read_of_territory_knows_the_past(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    answer = client.post(f"{GRID}/split", json={"pieces": halves(), "reason": WHY}, headers=seen(1))
    assert answer.status_code == 201
    today, before = str(local_today()), str(town.FIRST_DAY)
    new = {grid["code"] for grid in answer.json()["grids"]}
    for day, expected in ((before, {STAIRWELL}), (today, new), (None, new)):
        when = {"as_of": day} if day else {}
        compound = {"compound": STAIRWELL[:15], "limit": "999"} | when
        found = client.get("/api/v1/stairwells", params=compound).json()["items"]
        assert {one["code"] for one in found} & (new | {STAIRWELL}) == expected
        for code in new | {STAIRWELL}:
            status = 200 if code in expected else 404
            assert client.get(f"/api/v1/stairwells/{code}", params=when).status_code == status
        (community,) = client.get("/api/v1/communities", params=when).json()
        assert community["stairwell_count"] == 11 + len(expected)
        own = client.get(f"/api/v1/compounds/{STAIRWELL[:15]}", params=when).json()
        assert own["stairwell_count"] == 5 + len(expected)
    assert client.get(GRID, params={"as_of": before}).json()["retired_on"] is None
    assert client.get(GRID).json()["retired_on"] == today
    history = client.get(f"{GRID}/history").json()
    assert {one["successor_code"] for one in history["successors"]} == new


def test_counts_of_two_periods_compare_where_the_map_was_redrawn(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    first = town.stairwell_code(A)  # twelve incidents, from 4 May 2020 on, one a day
    pieces = [town.rectangle(A, (4 + side, 5), (2, 4)) for side in (0, 2)]
    split = {"pieces": [{"geometry": mapping(piece)} for piece in pieces], "reason": WHY}
    answer = client.post(f"/api/v1/grids/{first}/split", json=split, headers=seen(2))
    new = [grid["code"] for grid in answer.json()["grids"]]
    lon, lat = town.place(A, *town.IN_STAIRWELL)
    for _ in range(3):
        report = {"category_code": "lift.fault", "summary": "电梯停了", "lon": lon, "lat": lat}
        assert client.post("/api/v1/incidents", json=report).status_code == 201
    today = str(local_today())
    periods = {
        "before_from": "2020-05-01",
        "before_to": "2020-12-31",
        "after_from": today,
        "after_to": today,
    }
    grounds = client.get("/api/v1/comparison", params=periods).json()
    assert {"codes": sorted([first, *new]), "before": 12, "after": 3} in grounds
    assert sum(one["before"] for one in grounds) == 21
    by_compound = client.get("/api/v1/comparison", params=periods | {"by": "compound"}).json()
    assert sum(one["before"] for one in by_compound) == 23
    assert sum(one["after"] for one in by_compound) == 3


def test_a_planner_reads_grids_but_no_small_count(service: Service) -> None:
    client = service.caller("planner", A)
    told = {
        number: client.get(f"/api/v1/grids/{town.stairwell_code(A, number=number)}").json()
        for number in (1, 2, 3)
    }
    # Four are too few; twenty could be told, but would give the four away.
    assert [told[number]["household_count"] for number in (1, 2, 3)] == [None, None, 30]


@pytest.mark.parametrize(
    "outline",
    [
        {"type": "Point", "coordinates": [113.15, 23.03]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon"},
        {"kind": "Polygon"},
        {"type": "Polygon", "coordinates": [[["a", "b"], [1, 1], [1, 0], ["a", "b"]]]},
        {"type": "Polygon", "coordinates": []},
        {
            "type": "Polygon",
            "coordinates": [[[0, 0], *([n / 1e5, 1] for n in range(20_001)), [0, 0]]],
        },
    ],
)
def test_what_is_no_outline_is_refused(own_service: Service, outline: dict[str, Any]) -> None:
    client = own_service.caller("coordinator", A)
    body = {"geometry": outline, "reason": WHY}
    answer = client.patch(GRID, json=body, headers=seen(1))
    assert answer.status_code == 422
    assert client.get(GRID).json()["version"] == 1


def test_heights_are_dropped(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    outline = client.get(GRID).json()["geometry"]
    flat = outline["coordinates"][0]
    west = min(x for x, _ in flat)
    raised = [[[x + 1e-6 if x == west else x, y, 12.5] for x, y in flat]]
    body = {"geometry": {"type": "Polygon", "coordinates": raised}, "reason": WHY}
    answer = client.patch(GRID, json=body, headers=seen(1))
    assert answer.status_code == 200, answer.text
    assert {len(point) for point in answer.json()["geometry"]["coordinates"][0]} == {2}
