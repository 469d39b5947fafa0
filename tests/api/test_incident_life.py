"""An incident over HTTP, from its report to its verified end, with a party without an account."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests import town
from tests.api.service import Service, is_problem, serving
from tests.databases import drop, make_clone

pytestmark = pytest.mark.db

A = town.EAST_SHORE
V1 = "/api/v1"
PARTY = str(town.id_of("party", A))


@pytest.fixture(scope="module")
def office(cluster: Any, town_template: str) -> Iterator[Service]:
    """The service over a town of this module's own."""
    clone = make_clone(cluster, town_template)
    try:
        with serving(clone) as service:
            yield service
    finally:
        drop(clone)


def reported(client: TestClient, **more: Any) -> dict[str, Any]:
    lon, lat = town.place(A, 10, 15)
    body = {"category_code": "sanitation.drains", "summary": "下水道堵了", "lon": lon, "lat": lat}
    answer = client.post(f"{V1}/incidents", json=body | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def step(client: TestClient, incident: dict[str, Any], kind: str, **more: Any) -> Any:
    body = {"step": kind, "note": f"{kind}。", **more}
    headers = {"If-Match": f'"v{incident["version"]}"'}
    return client.post(f"{V1}/incidents/{incident['id']}/steps", json=body, headers=headers)


def test_from_the_report_by_a_partys_link_to_the_verified_end(office: Service) -> None:
    anna, bert = (office.caller(role, A) for role in ("coordinator", "administrator"))
    incident = reported(anna)
    assert (incident["status"], incident["due_rule"]) == ("reported", "triage 4h")
    seen = anna.get(f"{V1}/incidents/{incident['id']}")
    assert seen.headers["ETag"] == '"v1"'
    handed = step(anna, incident, "assign", party_id=PARTY).json()
    link = anna.post(f"{V1}/incidents/{incident['id']}/links").json()
    path, _, token = link["url"].partition("#")
    assert path.endswith("/handed")
    visitor = office.visitor()
    shown = visitor.post(f"{V1}/handed", json={"token": token}).json()
    assert shown["incident"]["id"] == incident["id"]
    assert [one["step"] for one in shown["events"]] == ["report", "triage"]
    done = {"token": token, "step": "resolve", "note": "已疏通"}
    answer = visitor.post(f"{V1}/handed/steps", json=done)
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"v5"')
    again = visitor.post(f"{V1}/handed/steps", json=done)
    assert is_problem(again, 409, "invalid-step"), again.text
    assert is_problem(step(bert, handed, "verify"), 412, "stale-incident")
    verified = step(bert, answer.json(), "verify")
    assert verified.status_code == 201, verified.text
    assert step(bert, verified.json(), "close").json()["status"] == "closed"
    events = anna.get(f"{V1}/incidents/{incident['id']}/events").json()["items"]
    assert [one["position"] for one in events] == list(range(1, 8))
    assert events[4]["actor_kind"] == "party"


def test_a_work_list_is_paged_oldest_first_and_counted(office: Service) -> None:
    client = office.caller("coordinator", A)
    made = [reported(client)["id"] for _ in range(3)]
    found, cursor = [], None
    while True:
        query: dict[str, str] = {"list": "unassigned", "limit": "2"}
        query |= {"cursor": cursor} if cursor else {}
        page = client.get(f"{V1}/incidents", params=query).json()
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found[-3:] == made
    assert len(found) == client.get(f"{V1}/incidents/counts").json()["unassigned"]
    classed = client.get(f"{V1}/incidents", params={"list": "open", "class": "lift"}).json()
    assert {one["category_code"] for one in classed["items"]} <= {"lift.fault", "lift"}


def test_many_are_handed_over_and_each_is_answered(office: Service) -> None:
    client = office.caller("coordinator", A)
    first, second = reported(client), reported(client)
    chosen = [{"id": first["id"], "version": 1}, {"id": second["id"], "version": 9}]
    body = {"incidents": chosen, "party_id": PARTY}
    headers = {"Idempotency-Key": "assign-many-1"}
    answer = client.post(f"{V1}/incidents/assign", json=body, headers=headers)
    items = answer.json()["items"]
    assert [(one["version"], one["error_code"]) for one in items] == [
        (3, None),
        (None, "stale-incident"),
    ]
    assert client.post(f"{V1}/incidents/assign", json=body, headers=headers).json() == answer.json()


def test_a_step_sent_again_with_its_key_is_made_once(office: Service) -> None:
    client = office.caller("coordinator", A)
    incident = reported(client)
    path = f"{V1}/incidents/{incident['id']}/steps"
    headers = {"If-Match": '"v1"', "Idempotency-Key": "step-once-1"}
    body = {"step": "note", "note": "补充"}
    first = client.post(path, json=body, headers=headers)
    again = client.post(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert client.get(f"{V1}/incidents/{incident['id']}").json()["version"] == 2


def test_the_address_of_a_party_is_shown_to_nobody(office: Service) -> None:
    client = office.caller("coordinator", A)
    made = client.post(
        f"{V1}/parties",
        json={"community_code": A, "name": "供电", "kind": "utility", "email": "desk@example.org"},
    )
    assert made.json()["has_email"] is True
    told = client.get(f"{V1}/parties").text + client.get(f"{V1}/audit").text + made.text
    assert "example.org" not in told
    retired = client.patch(f"{V1}/parties/{made.json()['id']}", json={"is_retired": True})
    assert retired.json()["has_email"] is False
    assert made.json()["id"] not in client.get(f"{V1}/parties").text
    assert made.json()["id"] in client.get(f"{V1}/parties?retired=true").text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"note": "灯" * 100_000}, "invalid-request"),
        ({"note": "a\x1b[31m"}, "invalid-text"),
        ({"note": "a\x00"}, "invalid-request"),
        ({"category_code": "no.such"}, "unknown-category"),
        ({"colour": "red"}, "invalid-request"),
    ],
)
def test_bad_input_of_a_step_has_a_clear_answer(
    office: Service, more: dict[str, Any], code: str
) -> None:
    client = office.caller("coordinator", A)
    answer = step(client, reported(client), "triage", **more)
    assert is_problem(answer, 422, code), answer.text
