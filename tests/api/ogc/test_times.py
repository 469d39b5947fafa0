"""Grids as they were: ``datetime`` of the OGC API, beside ``as_of`` of our own reads."""

from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
ITEMS = "/ogc/collections/stairwells/items"
CODE, GONE = town.stairwell_code(A, number=3), town.stairwell_code(A, number=2)


@pytest.fixture
def changed(own_service: Service) -> Service:
    """A stairwell that had another name before 2020, and one that ended in 2018."""
    own_service.clone.run(
        "DELETE FROM gridsvc.stairwell_version",
        f"UPDATE gridsvc.stairwell SET valid_from = '2015-01-01' WHERE community_code = {A}",  # noqa: S608
        "UPDATE gridsvc.stairwell SET valid_from = '2020-01-01', version = 2"  # noqa: S608
        f" WHERE code = '{CODE}'",
        "INSERT INTO gridsvc.stairwell_version (community_code, code, version, name, valid_from,"  # noqa: S608
        " valid_to, reason, building_code, compound_code, household_count, told_household_count,"
        " geom) SELECT community_code, code, 1, '旧梯', '2015-01-01', '2020-01-01', 'redraw',"
        " building_code, compound_code, 12, NULL, geom FROM gridsvc.stairwell"
        f" WHERE code = '{CODE}'",
        "UPDATE gridsvc.stairwell SET retired_on = '2018-06-01', retired_reason = 'gone'"  # noqa: S608
        f" WHERE code = '{GONE}'",
    )
    return own_service


def names(caller: TestClient, when: str | None, **options: str) -> dict[str, str]:
    """Return the stairwells of a time, by code."""
    parameters = {"limit": "1000", **({"datetime": when} if when else {}), **options}
    answer = caller.get(ITEMS, params=parameters)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["numberMatched"] == len(document["features"])
    return {one["id"]: one["properties"]["name"] for one in document["features"]}


@pytest.mark.parametrize(
    ("when", "name", "has_gone"),
    [
        (None, "3梯", False),
        ("2018-05-31", "旧梯", True),
        ("2018-06-01", "旧梯", False),
        ("2019-12-31", "旧梯", False),
        ("2020-01-01", "3梯", False),
        ("9999-12-31", "3梯", False),
        # The day turns where the sub-district is, eight hours before Greenwich.
        ("2019-12-31T15:59:59Z", "旧梯", False),
        ("2019-12-31T16:00:00Z", "3梯", False),
        ("2019-12-31T23:59:59+08:00", "旧梯", False),
        ("2018-01-01/2018-12-31", "旧梯", True),
        ("2018-06-01/2019-01-01", "旧梯", False),
        ("../2018-01-01", "旧梯", True),
        ("/2020-01-01", "3梯", True),
        ("2016-01-01/..", "3梯", True),
        ("2020-01-01/", "3梯", False),
    ],
)
def test_stairwells_are_as_they_were_then(
    changed: Service, when: str | None, name: str, has_gone: bool
) -> None:
    found = names(changed.caller("planner", A), when)
    assert found[CODE] == name
    assert (GONE in found) == has_gone
    assert len(found) == 11 + has_gone


def test_before_the_first_day_there_was_nothing_and_of_others_nothing_ever(
    changed: Service,
) -> None:
    assert names(changed.caller("planner", A), "2014-12-31") == {}
    assert not {CODE, GONE} & names(changed.caller("planner", B), "2018-01-01").keys()


def test_a_day_is_the_same_by_datetime_and_by_as_of(changed: Service) -> None:
    client = changed.caller("planner", STREET)
    for day in ("2014-12-31", "2018-05-31", "2019-12-31", "2030-01-01"):
        path = f"/api/v1/export/stairwells.geojson?as_of={day}"
        export = {one["id"]: one for one in client.get(path).json()["features"]}
        answer = client.get(ITEMS, params={"datetime": day, "limit": "1000"}).json()
        items = {one["id"]: one for one in answer["features"]}
        assert items.keys() == export.keys()
        for code, one in items.items():
            assert one["properties"] == export[code]["properties"]
            assert one["geometry"] == export[code]["geometry"]


def test_a_past_count_is_told_as_it_was_told_then(changed: Service) -> None:
    answer = changed.caller("coordinator", A).get(ITEMS, params={"datetime": "2019-01-01"}).json()
    (one,) = [one for one in answer["features"] if one["id"] == CODE]
    assert one["properties"]["household_count"] is None


def test_filters_boxes_items_and_tiles_are_of_that_day_too(changed: Service) -> None:
    client = changed.caller("planner", A)
    assert names(client, "2019-01-01", name="旧梯").keys() == {CODE}
    assert names(client, "2019-01-01", filter="name = '旧梯'").keys() == {CODE}
    assert names(client, "2019-01-01", bbox="100,20,120,25", sortby="-name").keys() >= {CODE}
    assert names(client, "2019-01-01", bbox="1,2,3,4") == {}
    assert names(client, "2018-01-01/2019-01-01", filter="name = '旧梯'").keys() == {CODE}
    path = f"{ITEMS}/{GONE}"
    assert client.get(path).status_code == 404
    assert client.get(path, params={"datetime": "2018-01-01"}).json()["id"] == GONE
    tile = "/ogc/collections/stairwells/tiles/WebMercatorQuad/12/3335/1778"
    assert len(client.get(tile, params={"datetime": "2018-01-01"}).content) > len(
        client.get(tile, params={"datetime": "2014-01-01"}).content
    )


def test_the_next_page_is_of_the_same_day(changed: Service) -> None:
    client = changed.caller("planner", A)
    page = client.get(ITEMS, params={"datetime": "2018-01-01", "limit": "7"}).json()
    (following,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
    assert "datetime=2018-01-01" in following
    rest = client.get(following).json()
    assert rest["numberMatched"] == 12
    assert {one["id"] for one in page["features"] + rest["features"]} >= {CODE, GONE}
    assert len(rest["features"]) == 5


@pytest.mark.parametrize("collection", ["communities", "walkways"])
def test_what_has_no_history_matches_every_time(service: Service, collection: str) -> None:
    client = service.caller("planner", A)
    path = f"/ogc/collections/{collection}/items"
    assert (
        client.get(path, params={"datetime": "1999-01-01"}).json()["numberMatched"]
        == (client.get(path).json()["numberMatched"])
        > 0
    )


def test_no_date_reaches_the_statement_but_as_a_date(service: Service) -> None:
    statements: list[str] = []

    @event.listens_for(service.clone.api.engine, "before_cursor_execute")
    def note(*told: Any) -> None:
        statements.append(told[2])

    try:
        for when in ("2020-01-01'--", "2020-01-01T00:00:00Z'", "' OR true--", "２０２０-01-01"):
            answer = service.caller("planner", A).get(ITEMS, params={"datetime": when})
            assert is_problem(answer, 400, "invalid-query")
    finally:
        event.remove(service.clone.api.engine, "before_cursor_execute", note)
    assert not any("OR true" in one for one in statements)
