"""Phones and Party membership over HTTP: masked, revealed one by one, and nowhere else."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from gridsvc.access.model import ROLES, STAFF_ROLES
from gridsvc.db import Interval, Scope, scope_statement
from gridsvc.overview.export_layers import LAYERS, STAFF_LAYERS
from gridsvc.people import revealing
from gridsvc.people.model import PURPOSES
from tests import town
from tests.api.reads import NOTHING, addresses
from tests.api.service import Service, is_problem
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
MEMBER, FOREIGN = town.id_of("member", A, 1), town.id_of("member", B, 1)
PHONES = [phone.encode() for phone in town.make_members()["phone"]]
SEARCH = "/api/v1/members/search"
PURPOSE = {"purpose": "contact_duty"}


def reveal_path(member_id: object) -> str:
    return f"/api/v1/members/{member_id}/reveal"


# ---- reveal


@pytest.mark.parametrize("role", STAFF_ROLES)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_staff_reveal_a_phone_for_a_purpose(own_service: Service, role: str, purpose: str) -> None:
    answer = own_service.caller(role, A).post(reveal_path(MEMBER), json={"purpose": purpose})
    assert answer.json() == {"member_id": str(MEMBER), "name": "甲1", "phone": "15400000001"}
    assert "no-store" in answer.headers["Cache-Control"]
    noted = f"action = 'member.reveal' AND detail = '{{\"purpose\": \"{purpose}\"}}'"
    assert own_service.clone.count("audit_event", noted.replace(":", "\\:")) == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(STAFF_ROLES)))
def test_others_reveal_nothing(own_service: Service, role: str) -> None:
    client = own_service.caller(role, A)
    assert is_problem(client.post(reveal_path(MEMBER), json=PURPOSE), 403, "role-not-allowed")
    assert is_problem(client.post(SEARCH, json={"words": "甲"}), 403, "role-not-allowed")
    assert own_service.clone.count("audit_event", "action LIKE 'member.re%'") == 0


def test_a_member_of_another_territory_is_answered_like_an_absent_one(
    own_service: Service,
) -> None:
    client = own_service.caller("coordinator", A)
    foreign = client.post(reveal_path(FOREIGN), json=PURPOSE)
    absent = client.post(reveal_path(NOTHING), json=PURPOSE)
    assert is_problem(foreign, 404, "not-found")
    assert foreign.text.replace(str(FOREIGN), NOTHING) == absent.text
    assert own_service.clone.count("audit_event", "action = 'member.reveal'") == 0


@pytest.mark.parametrize(
    "body", [{}, {"purpose": "curiosity"}, {"purpose": ""}, PURPOSE | {"x": 1}]
)
def test_a_reveal_without_a_purpose_of_the_list_is_refused(
    service: Service, body: dict[str, object]
) -> None:
    answer = service.caller("coordinator", A).post(reveal_path(MEMBER), json=body)
    assert is_problem(answer, 422, "invalid-request")
    assert b"15400000001" not in answer.content


def test_after_thirty_reveals_one_has_to_wait(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    for number in range(revealing.BY_ACCOUNT.count):
        # Tries that come to nothing count as well.
        who, status = (MEMBER, 200) if number % 2 else (FOREIGN, 404)
        assert client.post(reveal_path(who), json=PURPOSE).status_code == status
    answer = client.post(reveal_path(MEMBER), json=PURPOSE)
    assert is_problem(answer, 429, "too-many-tries")
    assert 100 < int(answer.headers["Retry-After"]) <= 120
    assert ("POST", "/api/v1/members/{member_id}/reveal", 429) in own_service.witness.seen
    assert client.get("/api/v1/stairwells").status_code == 200
    colleague = own_service.caller("administrator", A)
    assert colleague.post(reveal_path(MEMBER), json=PURPOSE).status_code == 200


def test_an_answer_with_a_phone_is_not_kept_for_repetitions(own_service: Service) -> None:
    client = own_service.caller("coordinator", A)
    before = own_service.clone.count("idempotency_key")
    headers = {"Idempotency-Key": "reveal-test-key"}
    for _ in range(2):
        client.post(reveal_path(MEMBER), json=PURPOSE, headers=headers)
        client.post(SEARCH, json={"words": "甲"}, headers=headers)
    assert own_service.clone.count("idempotency_key") == before
    assert own_service.clone.count("audit_event", "action = 'member.reveal'") == 2


# ---- search


def test_a_search_shows_the_own_territory_with_masked_phones(own_service: Service) -> None:
    answer = own_service.caller("coordinator", A).post(SEARCH, json={"words": " 甲 "})
    found = answer.json()
    assert len(found["items"]) == 9
    assert not found["is_cut"]
    assert {one["community_code"] for one in found["items"]} == {A}
    assert all(one["phone_masked"].startswith("154****000") for one in found["items"])
    assert not [phone for phone in PHONES if phone in answer.content]
    assert {one["name"] for one in found["items"] if one["is_party_member"]} == {
        *("甲0", "甲2", "甲4", "甲6", "甲8")
    }


@pytest.mark.parametrize("words", ["", "  ", "甲\x00", "a\nb", "甲" * 51, None, 7, "\ud800"])
def test_words_that_cannot_be_a_name_are_refused(service: Service, words: object) -> None:
    answer = service.caller("coordinator", A).post(
        SEARCH,
        content=json.dumps({"words": words}),  # pure ASCII, whatever the words
        headers={"content-type": "application/json"},
    )
    assert is_problem(answer, 422, "invalid-request")


# ---- nowhere else


@pytest.fixture(scope="module")
def answers(shared_service: Service) -> dict[tuple[str, str], Any]:
    """What every role gets from every GET that there is, over the whole sub-district."""
    plans = shared_service.caller("coordinator", A).get("/api/v1/contacts/plans").json()["items"]
    account = str(shared_service.account("contact", (A,)).id)
    known = {"plan": plans[-1]["id"], "account_id": account, "proposed": account}
    found = {}
    for role in ROLES:
        client = shared_service.caller(role, STREET)
        for address in addresses(known):
            found[role, address] = client.get(address, follow_redirects=False)
    return found


# Read by who sent it, in tests of their own: an import, and a report by its link.
ELSEWHERE = ("/api/v1/imports/", "/api/v1/reports/")


def test_the_answers_are_those_of_a_service_at_work(answers: dict[tuple[str, str], Any]) -> None:
    served = {path for (role, path), one in answers.items() if one.status_code == 200}
    api = {path for _, path in answers if path.startswith(("/api/", "/tiles/"))}
    own = {path for path in api if not path.startswith(ELSEWHERE)}
    missing = {path for path in own - served if NOTHING not in path}
    assert missing == set()
    assert len(served) > 25
    masked = [one for one in answers.values() if "154****" in one.text]
    assert masked, "at least the card of a stairwell shows a contact"


def test_no_get_ever_answers_with_a_phone(answers: dict[tuple[str, str], Any]) -> None:
    leaks = {
        asked: phone for asked, one in answers.items() for phone in PHONES if phone in one.content
    }
    assert leaks == {}


def party_facts(body: Any) -> list[object]:
    """Return what of a JSON answer tells who is in the Party."""
    if isinstance(body, list):
        return [fact for one in body for fact in party_facts(one)]
    if not isinstance(body, dict):
        return [body] if body in {"party_member", "covered_party"} else []
    told = body.get("is_party_member")
    inside = [fact for one in body.values() for fact in party_facts(one)]
    return inside + ([] if told is None else [told])


def test_only_staff_are_told_who_is_in_the_party(answers: dict[tuple[str, str], Any]) -> None:
    told = set()
    for (role, path), one in answers.items():
        is_json = "json" in one.headers.get("content-type", "") and one.status_code == 200
        is_tile = path.endswith(".mvt")
        if (is_json and party_facts(one.json())) or (is_tile and b"covered_party" in one.content):
            told.add(role)
    assert told == set(STAFF_ROLES)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("role", ["coordinator", "planner"])
def test_no_export_holds_people(service: Service, layer: str, role: str) -> None:
    answer = service.caller(role, STREET).get(f"/api/v1/export/{layer}.geojson")
    if answer.status_code == 403:
        assert role == "planner"
        assert layer in STAFF_LAYERS
        return
    features = answer.json()["features"]
    assert features
    told = {name for feature in features for name in feature["properties"]}
    assert not {"affiliation", "is_party_member", "member_id", "phone", "phone_masked"} & told
    assert "party" not in answer.text
    assert "154****" not in answer.text
    assert "甲" not in answer.text


def test_no_planner_view_holds_people(town_database: Clone) -> None:
    scope = Scope("planner", (Interval.of(STREET),))
    with town_database.root.connect() as connection:
        connection.exec_driver_sql(scope_statement(scope, read_only=True))
        views = connection.scalars(
            text("SELECT table_name FROM information_schema.views WHERE table_schema = 'planner'")
        ).all()
        assert views
        for view in views:
            rows = connection.scalars(text(f"SELECT to_jsonb(v)::text FROM planner.{view} v")).all()  # noqa: S608
            assert rows
            joined = "".join(rows)
            for word in ("party_member", "affiliation", "154****", "甲", "member_id"):
                assert word not in joined
