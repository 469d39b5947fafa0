"""What some answers hold, to the last figure, and what a foreign code in a question opens."""

import pytest

from tests import town
from tests.api.service import Service

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/compounds",
        "/api/v1/incidents",
        "/api/v1/contacts/plans",
        "/api/v1/patrols/routes",
    ],
)
def test_naming_a_foreign_community_opens_nothing(service: Service, path: str) -> None:
    client = service.caller("coordinator", A)
    own = client.get(path, params={"community": A}).json()["items"]
    assert own
    assert own == client.get(path).json()["items"]
    assert client.get(path, params={"community": B}).json()["items"] == []


def test_heat_and_coverage_of_a_foreign_community_are_empty(service: Service) -> None:
    client = service.caller("coordinator", A)
    heat = client.get("/api/v1/heat", params={"community": B}).json()
    assert (heat["features"], heat["shown"]) == ([], 0)
    coverage = client.get("/api/v1/contacts/coverage", params={"community": B}).json()
    assert set(coverage.values()) == {0}


def test_the_results_are_the_owners_counts(service: Service) -> None:
    results = service.caller("coordinator", A).get("/api/v1/results").json()
    assert results == {
        "communities": 1,
        "compounds": 2,
        "demonstration_compounds": 1,
        "buildings": 4,
        "stairwells": 12,
        "households": 4 * sum(town.HOUSEHOLDS),
        "building_chiefs": 3,
        "party_building_chiefs": 2,
        "party_members_reported_in": 5,
        "organisations": {"party_branch": 1, "society": 1},
        "people_in_organisations": 10 + 11,
        "incidents": 24,
        "incidents_by_class": {
            "neighbour_dispute": 0,
            "sanitation": 12,
            "security": 0,
            "public_facility": 0,
            "safety": 0,
            "parking": 11,
            "lift": 1,
        },
        "incidents_by_place": {"stairwell": 21, "compound": 2, "community": 1},
    }


def test_the_card_of_a_stairwell_names_contact_and_incidents(service: Service) -> None:
    code = town.stairwell_code(A)
    card = service.caller("coordinator", A).get(f"/api/v1/stairwells/{code}/card").json()
    assert card["stairwell"]["code"] == code
    assert card["stairwell"]["building_name"] == "1栋"
    assert card["stairwell"]["area_m2"] == pytest.approx(40.98 * 44.30, rel=0.005)
    assert card["incident_count"] == 12
    assert card["contact"]["phone_masked"].startswith("154****000")
    assert card["contact"]["tier"] in {"own_stairwell", "own_building", "own_compound", "near"}


def test_a_planner_is_not_told_of_fewer_than_five_households(service: Service) -> None:
    path = "/api/v1/stairwells"
    told = service.caller("planner", A).get(path).json()["items"]
    assert [one["household_count"] for one in told] == [None, None, 30] * 4
    known = service.caller("coordinator", A).get(path).json()["items"]
    assert [one["household_count"] for one in known] == list(town.HOUSEHOLDS) * 4
    one = service.caller("planner", A).get(f"{path}/{town.stairwell_code(A)}").json()
    assert one["household_count"] is None
