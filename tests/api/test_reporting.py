"""Reporting an incident: where it falls, what is refused, and that a wish is granted once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
OUTSIDE = (113.151, 23.036)
PLACES = {
    "stairwell": town.place(A, *town.IN_STAIRWELL),
    "compound": town.place(A, *town.IN_COMPOUND),
    "community": town.place(A, *town.IN_COMMUNITY),
    "outside": OUTSIDE,
}
HOME = town.stairwell_code(A)


def report(lon: float, lat: float, **more: object) -> dict[str, Any]:
    return {"category_code": "lift.fault", "summary": "电梯停了", "lon": lon, "lat": lat} | more


def post(client: TestClient, body: object, **headers: str) -> Any:
    return client.post("/api/v1/incidents", json=body, headers=headers)


@pytest.mark.parametrize("place", PLACES)
def test_an_incident_is_placed_where_it_fell(own_service: Service, place: str) -> None:
    client = own_service.caller("coordinator", A)
    answer = post(client, report(*PLACES[place], reported_at="2026-06-01T08:00:00+08:00"))
    assert answer.status_code == 201
    found = answer.json()
    assert found.pop("id")
    assert (found["version"], found["due_rule"], found["handler_account"]) == (1, "triage 4h", None)
    told = {
        "community_code": STREET if place == "outside" else A,
        "category_code": "lift.fault",
        "status": "reported",
        "reported_at": "2026-06-01T00:00:00Z",
        "closed_at": None,
        "summary": "电梯停了",
        "place": place,
        "stairwell_code": HOME if place == "stairwell" else None,
        "compound_code": town.compound_code(A) if place in {"stairwell", "compound"} else None,
        "is_flagged": place == "outside",
        "lon": PLACES[place][0],
        "lat": PLACES[place][1],
    }
    assert {name: found[name] for name in told} == told
    assert own_service.clone.count("incident", f"place = '{place}' AND status = 'reported'")
    own = client.get(f"/api/v1/incidents/{answer.json()['id']}")
    assert own.status_code == (404 if place == "outside" else 200), "outside is not A's own"
    whole = own_service.caller("coordinator", STREET)
    assert whole.get(f"/api/v1/incidents/{answer.json()['id']}").status_code == 200
    assert own_service.clone.count("audit_event", "action = 'incident.report'") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lon": town.place(B, 5, 6)[0]}, "outside-territory"),
        ({"category_code": "weather"}, "unknown-category"),
        ({"category_code": "lift.fault\x00"}, "unknown-category"),
        ({"category_code": ""}, "unknown-category"),
        ({"lon": 181}, "invalid-request"),
        ({"lat": 86}, "invalid-request"),
        ({"lat": "north"}, "invalid-request"),
        ({"lat": None}, "invalid-request"),
        ({"summary": "  "}, "invalid-request"),
        ({"summary": "长" * 501}, "invalid-request"),
        ({"summary": "null \x00 byte"}, "invalid-request"),
        ({"id": "7"}, "invalid-request"),
        ({"reported_at": "2026-06-01T08:00:00"}, "invalid-request"),
        ({"reported_at": "0001-01-01T00:00:00+12:00"}, "invalid-request"),
        ({"reported_at": "9999-12-31T23:59:59-12:00"}, "invalid-request"),
        ({"reported_at": "2099-01-01T00:00:00Z"}, "invalid-request"),
        ({"status": "closed"}, "invalid-request"),
    ],
)
def test_a_report_that_cannot_be_right_is_refused_and_leaves_nothing(
    service: Service, change: dict[str, object], code: str
) -> None:
    before = service.clone.count("incident")
    answer = post(service.caller("coordinator", A), report(*PLACES["stairwell"]) | change)
    assert is_problem(answer, 422, code)
    assert service.clone.count("incident") == before


@pytest.mark.parametrize(
    ("summary", "lon"),
    [*(("x", lon) for lon in ("NaN", "Infinity", "-Infinity", "1e999")), ("\\ud800", "113.1")],
)
def test_what_json_can_write_and_nobody_can_store_is_refused(
    service: Service, summary: str, lon: str
) -> None:
    body = f'{{"category_code": "lift.fault", "summary": "{summary}", "lon": {lon}, "lat": 23.03}}'
    answer = service.caller("coordinator", A).post(
        "/api/v1/incidents", content=body, headers={"content-type": "application/json"}
    )
    assert is_problem(answer, 422, "invalid-request")
    assert "where" in answer.json()["errors"][0]


def test_what_a_client_sent_is_not_sent_back(service: Service) -> None:
    answer = post(service.caller("coordinator", A), {"summary": "甲某 13800001234", "lon": 999})
    assert answer.status_code == 422
    assert "13800001234" not in answer.text


def test_a_caller_of_four_territories_may_report_outside(own_service: Service) -> None:
    client = own_service.caller("coordinator", A, B, STREET + 3, STREET + 4)
    answer = post(client, report(*OUTSIDE))
    assert answer.status_code == 201
    assert answer.json()["place"] == "outside"


# ---- a wish is granted once


def test_a_repeated_key_gets_the_first_answer_and_makes_no_second_row(
    own_service: Service,
) -> None:
    client = own_service.caller("coordinator", A)
    body = report(*PLACES["stairwell"])
    key = {"Idempotency-Key": "a-wish-of-ours"}
    first, second = post(client, body, **key), post(client, body, **key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert own_service.clone.count("incident", f"community_code = {A}") == 25
    other = post(client, body | {"summary": "另一件"}, **key)
    assert is_problem(other, 422, "idempotency-mismatch")
    assert own_service.clone.count("incident", f"community_code = {A}") == 25


def test_a_key_belongs_to_the_account_that_used_it(own_service: Service) -> None:
    body = report(*PLACES["stairwell"])
    key = {"Idempotency-Key": "a-wish-of-ours"}
    ours = post(own_service.caller("coordinator", A), body, **key)
    theirs = post(own_service.caller("administrator", A), body, **key)
    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json()["id"] != theirs.json()["id"]


def test_a_refused_report_leaves_its_key_free(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    key = {"Idempotency-Key": "a-wish-of-ours"}
    assert post(client, report(*town.place(B, 5, 6)), **key).status_code == 422
    assert post(client, report(*PLACES["compound"]), **key).status_code == 201


@pytest.mark.parametrize("key", ["short", "x" * 101, "nul\\u0000inside"])
def test_a_key_has_8_to_100_characters(service: Service, key: str) -> None:
    key = key.replace("\\u0000", "\x00")
    answer = post(
        service.caller("coordinator", A),
        report(*PLACES["stairwell"]),
        **{"Idempotency-Key": key},
    )
    assert is_problem(answer, 422, "invalid-request")


def test_one_wish_sent_many_times_at_once_is_granted_once(own_service: Service) -> None:
    account = own_service.account("coordinator", (A,))
    clients = [own_service.sign_in(account) for _ in range(6)]
    body = report(*PLACES["stairwell"])

    def send(client: TestClient) -> Any:
        return post(client, body, **{"Idempotency-Key": "pressed-six-times"})

    with ThreadPoolExecutor(max_workers=6) as threads:
        answers = list(threads.map(send, clients))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert own_service.clone.count("incident", f"community_code = {A}") == 25


def test_the_same_id_is_the_same_incident(own_service: Service) -> None:
    client = own_service.caller("coordinator", STREET)
    body = report(*PLACES["stairwell"], id=str(uuid4()))
    first, second = post(client, body), post(client, body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert is_problem(post(client, body | {"summary": "另一件"}), 409, "id-taken")
    elsewhere = body | {"lon": town.place(B, 5, 6)[0]}
    assert is_problem(post(client, elsewhere), 409, "id-taken")
    assert own_service.clone.count("incident") == 37


def test_two_communities_may_have_chosen_the_same_id(own_service: Service) -> None:
    chosen = str(UUID(int=5))
    for code in (A, B):
        body = report(*town.place(code, 5, 6), id=chosen)
        client = own_service.caller("coordinator", code)
        assert post(client, body).status_code == 201
        assert client.get(f"/api/v1/incidents/{chosen}").json()["community_code"] == code
    whole = own_service.caller("coordinator", STREET).get(f"/api/v1/incidents/{chosen}")
    assert whole.json()["community_code"] == A


# ---- what follows from a report


@pytest.mark.parametrize("place", PLACES)
def test_one_more_incident_is_one_more_everywhere(own_service: Service, place: str) -> None:
    client = own_service.caller("coordinator", STREET)

    def figures() -> dict[str, Any]:
        results = client.get("/api/v1/results").json()
        heat = client.get("/api/v1/heat", params={"class": "lift"}).json()
        export = client.get("/api/v1/export/incidents.geojson").json()
        return {
            "all": results["incidents"],
            "lift": results["incidents_by_class"]["lift"],
            "place": results["incidents_by_place"][place],
            "heat": heat["shown"],
            "cells": sum(cell["properties"]["incident_count"] for cell in heat["features"]),
            "export": len(export["features"]),
            "stairwell": client.get(f"/api/v1/stairwells/{HOME}/card").json()["incident_count"],
        }

    before = figures()
    assert post(client, report(*PLACES[place])).status_code == 201
    more = {name: count - before[name] for name, count in figures().items()}
    assert more == dict.fromkeys(before, 1) | {"stairwell": int(place == "stairwell")}


def test_heat_cells_add_up_to_the_incidents_of_each_class(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    for lon, lat in PLACES.values():
        post(client, report(lon, lat))
    by_class = client.get("/api/v1/results").json()["incidents_by_class"]
    for class_code, count in by_class.items():
        heat = client.get("/api/v1/heat", params={"class": class_code}).json()
        counts = [cell["properties"]["incident_count"] for cell in heat["features"]]
        assert sum(counts) == heat["shown"] == count
    assert by_class["lift"] == 4


def test_heat_of_months_counts_local_months(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    at = "2019-12-31T16:30:00Z"  # half past midnight of the new year in Guicheng
    assert post(client, report(*PLACES["stairwell"], reported_at=at)).status_code == 201
    for months, count in (
        ({"from": "2020-01-01", "to": "2020-01-31"}, 1),
        ({"to": "2019-12-31"}, 0),
    ):
        assert client.get("/api/v1/heat", params=months).json()["shown"] == count


def test_a_planner_gets_released_cells_only_and_reports_do_not_change_them(
    own_service: Service,
) -> None:
    planner = own_service.caller("planner", STREET)
    before = planner.get("/api/v1/heat").json()
    assert before["through"] == "2020-06-01"
    assert [cell["properties"]["incident_count"] >= 5 for cell in before["features"]] == [True] * 2
    assert before["shown"] == sum(
        cell["properties"]["incident_count"] for cell in before["features"]
    )
    assert before["withheld"] is None, "the two incidents outside are too few to state"
    assert post(own_service.caller("coordinator", A), report(*PLACES["stairwell"])).is_success
    assert planner.get("/api/v1/heat").json() == before


@pytest.mark.parametrize(
    "params", [{"class": "lift"}, {"from": "2020-05-01"}, {"to": "2020-05-01"}]
)
def test_a_planner_cannot_subtract_filtered_heat(service: Service, params: dict[str, str]) -> None:
    answer = service.caller("planner", STREET).get("/api/v1/heat", params=params)
    assert is_problem(answer, 403, "role-not-allowed")


def test_the_released_sample_shows_no_cell_under_five(sample_service: Service) -> None:
    heat = sample_service.caller("planner", STREET).get("/api/v1/heat").json()
    counts = [cell["properties"]["incident_count"] for cell in heat["features"]]
    assert len(counts) > 5
    assert min(counts) >= 5
    assert heat["shown"] == sum(counts)


def test_the_sample_results_are_what_the_sample_made(sample_service: Service) -> None:
    from geodata.categories import class_of
    from geodata.sample import make_sample
    from tests.sample import SCALE, SEED

    sample = make_sample(seed=SEED, scale=SCALE)
    results = sample_service.caller("coordinator", STREET).get("/api/v1/results").json()
    assert results["communities"] == 23
    assert results["compounds"] == len(sample.territory.compounds)
    assert results["stairwells"] == len(sample.territory.stairwells)
    assert results["households"] == sample.territory.stairwells["household_count"].sum()
    assert results["building_chiefs"] == len(sample.posts)
    classes = sample.incidents["category_code"].map(class_of).value_counts()
    assert results["incidents_by_class"] == classes.to_dict()
    assert results["organisations"] == sample.organisations["kind"].value_counts().to_dict()
