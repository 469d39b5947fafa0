"""Every route for every caller: exactly the own rows, counted against the owner's counts."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests import town
from tests.api.service import Service, is_problem
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
CALLERS = {
    "coordinator A": ("coordinator", A),
    "coordinator B": ("coordinator", B),
    "sub-district": ("coordinator", STREET),
    "planner": ("planner", STREET),
    "planner B": ("planner", B),
}
INTERVALS = {A: (A, A), B: (B, B), STREET: (STREET, STREET + 999)}

Count = Callable[[dict[str, Any]], int]


def items(body: Any) -> int:
    return len(body.get("items", body) if isinstance(body, dict) else body)


def own_items(body: dict[str, Any]) -> int:
    return len(body["features"])


# path: (how many the answer holds, what the owner counts, who is refused)
LISTS: dict[str, tuple[Count, str, tuple[str, ...]]] = {
    "/api/v1/communities": (items, "SELECT count(*) FROM gridsvc.community WHERE code {}", ()),
    "/api/v1/compounds": (items, "SELECT count(*) FROM gridsvc.compound WHERE {}", ()),
    "/api/v1/stairwells": (items, "SELECT count(*) FROM gridsvc.stairwell WHERE {}", ()),
    "/api/v1/contacts/plans": (
        items,
        "SELECT count(*) FROM gridsvc.contact_plan WHERE {}",
        ("planner",),
    ),
    "/api/v1/contacts/coverage": (
        lambda body: sum(body.values()),
        "SELECT count(*) FROM gridsvc.stairwell WHERE {}",
        ("planner",),
    ),
    "/api/v1/incidents": (items, "SELECT count(*) FROM gridsvc.incident WHERE {}", ("planner",)),
    "/api/v1/patrols/routes": (
        items,
        "SELECT count(*) FROM gridsvc.patrol_route WHERE {}",
        ("planner",),
    ),
    "/api/v1/results": (
        lambda body: body["incidents"],
        "SELECT count(*) FROM gridsvc.incident WHERE {}",
        ("planner",),
    ),
    "/api/v1/heat": (
        lambda body: body["shown"] + body["withheld"],
        "SELECT count(*) FROM gridsvc.incident WHERE {}",
        ("planner",),  # not refused: compared below
    ),
    "/api/v1/export/incidents.geojson": (
        own_items,
        "SELECT count(*) FROM gridsvc.incident WHERE {}",
        ("planner",),
    ),
    **{
        f"/api/v1/export/{layer}.geojson": (
            own_items,
            f"SELECT count(*) FROM gridsvc.{table} WHERE {{}}",  # noqa: S608 - our own words
            (),
        )
        for layer, table in (
            ("compounds", "compound"),
            ("buildings", "building"),
            ("stairwells", "stairwell"),
            ("walkways", "walkway"),
        )
    },
    "/api/v1/export/communities.geojson": (
        own_items,
        "SELECT count(*) FROM gridsvc.community WHERE code {}",
        (),
    ),
}


def owner_count(clone: Clone, query: str, code: int) -> int:
    lo, hi = INTERVALS[code]
    between = f"BETWEEN {lo} AND {hi}"
    condition = between if "code {}" in query else f"community_code {between}"
    with clone.root.connect() as connection:
        return int(connection.scalar(text(query.format(condition))) or 0)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("who", CALLERS)
def test_a_list_holds_exactly_the_callers_rows(service: Service, who: str, path: str) -> None:
    role, code = CALLERS[who]
    count, query, refused = LISTS[path]
    answer = service.caller(role, code).get(path, params={"limit": 1000} if "s" in path else {})
    if role in refused and not path.endswith("heat"):
        assert is_problem(answer, 403, "role-not-allowed")
        return
    assert answer.status_code == 200
    if role in refused:
        return
    expected = owner_count(service.clone, query, code)
    assert expected > 0
    assert count(answer.json()) == expected


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_for_those_who_signed_in(service: Service, path: str) -> None:
    answer = service.visitor().get(path)
    assert is_problem(answer, 401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", LISTS)
def test_the_rows_of_two_communities_share_none_and_make_the_whole(
    service: Service, path: str
) -> None:
    count, *_ = LISTS[path]
    counts = [
        count(service.caller("coordinator", code).get(path).json()) for code in (A, B, STREET)
    ]
    outside = {"incident": 2, "heat": 2, "results": 2}
    beside = next((number for word, number in outside.items() if word in path), 0)
    assert counts[0] + counts[1] + beside == counts[2]


def plan_of(clone: Clone, code: int) -> str:
    with clone.root.connect() as connection:
        return str(
            connection.scalar(
                text("SELECT id FROM gridsvc.contact_plan WHERE community_code = :code"),
                {"code": code},
            )
        )


THINGS: dict[str, Callable[[Clone, int], str]] = {
    "/api/v1/compounds/{}": lambda _, code: town.compound_code(code),
    "/api/v1/stairwells/{}": lambda _, code: town.stairwell_code(code),
    "/api/v1/stairwells/{}/card": lambda _, code: town.stairwell_code(code),
    "/api/v1/contacts/plans/{}": plan_of,
    "/api/v1/contacts/plans/{}/lines": plan_of,
    "/api/v1/incidents/{}": lambda _, code: str(
        town.id_of("incident", code, town.BATCHES[code][0].category_code, 0)
    ),
    "/api/v1/patrols/routes/{}": lambda _, code: str(town.id_of("route", code)),
    "/api/v1/patrols/routes/{}/left-out": lambda _, code: str(town.id_of("route", code)),
}
FOR_PLANNERS = ("/api/v1/compounds/{}", "/api/v1/stairwells/{}")


@pytest.mark.parametrize("path", THINGS)
@pytest.mark.parametrize("who", CALLERS)
def test_what_is_not_the_callers_does_not_exist(service: Service, who: str, path: str) -> None:
    role, code = CALLERS[who]
    client = service.caller(role, code)
    for owner in (A, B):
        address = path.format(THINGS[path](service.clone, owner))
        answer = client.get(address)
        if role == "planner" and path not in FOR_PLANNERS:
            is_refused = answer.status_code in {403, 404}
            assert is_refused, answer.text
        elif code in {owner, STREET}:
            assert answer.status_code == 200, answer.text
        else:
            assert is_problem(answer, 404, "not-found")
            absent = address.replace(THINGS[path](service.clone, owner), ABSENT[path])
            assert strip(client.get(absent).json()) == strip(answer.json())


ABSENT = {
    path: "9" * (15 if "compounds" in path else 20)
    if "compounds" in path or "stairwells" in path
    else "00000000-0000-7000-8000-000000000000"
    for path in THINGS
}


def strip(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out the sentence: it names the code that was asked for."""
    return {name: value for name, value in body.items() if name != "detail"}


@pytest.mark.parametrize("path", THINGS)
def test_one_thing_is_for_those_who_signed_in(service: Service, path: str) -> None:
    answer = service.visitor().get(path.format(THINGS[path](service.clone, A)))
    assert is_problem(answer, 401, "not-signed-in")


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


def test_a_foreign_plan_is_not_applied_and_a_foreign_community_not_planned(
    own_service: Service,
) -> None:
    client = own_service.caller("coordinator", A)
    plan_id = plan_of(own_service.clone, B)
    answer = client.post(f"/api/v1/contacts/plans/{plan_id}/apply")
    assert is_problem(answer, 404, "not-found")
    answer = client.post("/api/v1/contacts/plans", json={"community_code": B})
    assert is_problem(answer, 404, "not-found")
    assert own_service.clone.count("contact_plan") == 2


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


# What is the same for everybody, or has no rows; sign-in and tiles have tests of their own.
ELSEWHERE = {
    *("/healthz", "/readyz", "/api/v1/session", "/api/v1/categories"),
    *("/tiles/{layer}/{z}/{x}/{y}.mvt", "/api/v1/export/{layer}.geojson"),
}


def test_every_route_that_reads_is_in_this_matrix(service: Service) -> None:
    readers = {path for path, methods in service.document["paths"].items() if "get" in methods}
    things = {path.replace("{}", "{code}") for path in THINGS} | {
        path.replace("{}", name)
        for path in THINGS
        for name in ("{plan_id}", "{incident_id}", "{route_id}")
    }
    assert readers - set(LISTS) - things == ELSEWHERE
    assert set(LISTS) - readers == {path for path in LISTS if "/export/" in path}


def test_a_planner_is_not_told_of_fewer_than_five_households(service: Service) -> None:
    path = "/api/v1/stairwells"
    told = service.caller("planner", A).get(path).json()["items"]
    assert [one["household_count"] for one in told] == [None, 20, 30] * 4
    known = service.caller("coordinator", A).get(path).json()["items"]
    assert [one["household_count"] for one in known] == list(town.HOUSEHOLDS) * 4
    one = service.caller("planner", A).get(f"{path}/{town.stairwell_code(A)}").json()
    assert one["household_count"] is None
