"""Contact plans over HTTP: made at once or as a job, reviewed by version, taken as a file."""

import io
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient

from api.jobs_table import KINDS
from gridsvc.jobs import running
from gridsvc.jobs.running import Workplace
from gridsvc.local_time import local_today
from tests import town
from tests.api.service import Service, is_problem
from tests.gridsvc.contacts.steps import shuffle

pytestmark = pytest.mark.db
A, STREET = town.EAST_SHORE, town.STREET
PLANS, CONTACTS = "/api/v1/contacts/plans", "/api/v1/contacts"


@pytest.fixture
def client(own_service: Service) -> TestClient:
    """A coordinator of a community, a plan of which will change many lines."""
    with town.job_session(own_service.clone.job) as session, session.begin():
        shuffle(session)
    return own_service.caller("coordinator", A)


def made(client: TestClient, **options: object) -> dict[str, Any]:
    answer = client.post(PLANS, json={"time_limit_s": 0.2} | options)
    assert answer.status_code == 201, answer.text
    plan: dict[str, Any] = answer.json()["plans"][0]
    return plan


def lines_of(
    client: TestClient, plan: dict[str, Any], **wanted: str | bool
) -> list[dict[str, Any]]:
    page = client.get(f"{PLANS}/{plan['id']}/lines", params=wanted).json()
    assert page["next"] is None
    found: list[dict[str, Any]] = page["items"]
    return found


def act(client: TestClient, plan: dict[str, Any], what: str, **body: object) -> Any:
    """Do something to a plan in the version that was last seen of it."""
    seen = client.get(f"{PLANS}/{plan['id']}").headers["ETag"]
    headers = {"If-Match": seen}
    return client.post(f"{PLANS}/{plan['id']}/{what}", json=body or None, headers=headers)


def test_a_plan_is_reviewed_in_part_and_applied(client: TestClient) -> None:
    plan = made(client)
    changed = lines_of(client, plan, to_decide=True)
    assert len(changed) >= 3
    first, second, *_ = changed
    accepted = act(
        client, plan, "decisions", decision="accept", stairwell_codes=[first["stairwell_code"]]
    )
    assert accepted.status_code == 200
    rejected = act(
        client,
        plan,
        "decisions",
        decision="reject",
        stairwell_codes=[second["stairwell_code"]],
        reason="居民要求换人",
    ).json()
    assert (rejected["decisions"]["accepted"], rejected["decisions"]["rejected"]) == (1, 1)
    assert "居民要求换人" not in str(rejected), "why is in the register of exclusions only"
    assert is_problem(act(client, plan, "apply"), 409, "plan-not-reviewed")
    assert act(client, plan, "review").json()["status"] == "reviewed"
    assert act(client, plan, "apply").json()["status"] == "applied"
    leads = {
        one["stairwell_code"]: one["member_id"]
        for one in client.get(CONTACTS).json()["items"]
        if one["kind"] == "lead"
    }
    assert leads[first["stairwell_code"]] == first["member_id"]
    assert leads[second["stairwell_code"]] == second["former"]["member_id"]


def test_a_decision_needs_the_version_that_was_seen(client: TestClient) -> None:
    plan = made(client)
    path = f"{PLANS}/{plan['id']}"
    read = client.get(path)
    seen = {"If-Match": read.headers["ETag"]}
    assert client.get(path, headers={"If-None-Match": seen["If-Match"]}).status_code == 304
    body = {"decision": "accept"}
    assert is_problem(client.post(f"{path}/decisions", json=body), 428, "version-required")
    key = {"Idempotency-Key": "accept-all-of-it"}
    once = client.post(f"{path}/decisions", json=body, headers=seen | key)
    assert once.status_code == 200
    assert is_problem(client.post(f"{path}/decisions", json=body, headers=seen), 412, "stale-plan")
    again = client.post(f"{path}/decisions", json=body, headers=seen | key)
    assert again.json() == once.json(), "a repetition gets the first answer"


def test_a_plan_that_no_longer_fits_says_what_changed(
    client: TestClient, own_service: Service
) -> None:
    plan = made(client)
    act(client, plan, "decisions", decision="accept")
    act(client, plan, "review")
    code = lines_of(client, plan)[0]["stairwell_code"]
    own_service.clone.run(
        "UPDATE gridsvc.stairwell SET geom = ST_Translate(geom, 0.00001, 0)"  # noqa: S608 - a code
        f" WHERE code = '{code}'"
    )
    answer = act(client, plan, "apply")
    assert is_problem(answer, 409, "plan-outdated")
    assert answer.json()["errors"] == [{"where": [code], "what": "redrawn"}]


def test_lines_are_paged_and_filtered(client: TestClient) -> None:
    plan = made(client)
    whole = lines_of(client, plan)
    assert len(whole) == 12
    path = f"{PLANS}/{plan['id']}/lines"
    page = client.get(path, params={"limit": 5}).json()
    rest = client.get(path, params={"limit": 100, "cursor": page["next"]}).json()
    assert page["items"] + rest["items"] == whole
    for name, key in (("change", "change"), ("decision", "decision"), ("reason", "reason")):
        value = whole[0][key]
        assert lines_of(client, plan, **{name: value}) == [
            line for line in whole if line[key] == value
        ]
    compound = town.compound_code(A)
    assert len(lines_of(client, plan, compound=compound)) == 6


def test_a_long_solve_is_a_job_that_leads_to_its_plans(
    client: TestClient, own_service: Service
) -> None:
    key = {"Idempotency-Key": "plan-the-community"}
    headers = {"Prefer": "respond-async"} | key
    body = {"time_limit_s": 0.2, "change_at_most": 0}
    answer = client.post(PLANS, json=body, headers=headers)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert client.post(PLANS, json=body, headers=headers).json() == job
    place = Workplace(own_service.clone.api, own_service.clone.job, KINDS)
    running.run(place, A, UUID(job["id"]), is_stopping=lambda: False)
    done = client.get(answer.headers["Location"]).json()
    assert done["status"] == "done", done
    (plan_id,) = done["result"]["plans"]
    plan = client.get(f"{PLANS}/{plan_id}").json()
    assert (plan["run_id"], plan["change_at_most"]) == (done["result"]["run_id"], 0)
    assert [one["id"] for one in client.get(PLANS, params={"run": plan["run_id"]}).json()["items"]]
    long = client.post(PLANS, json={"time_limit_s": 60})
    assert long.status_code == 202, "nobody waits that long for an answer"


def test_a_file_has_names_and_no_phones_and_is_noted(
    client: TestClient, own_service: Service
) -> None:
    plan = made(client)
    path = f"{PLANS}/{plan['id']}/files"
    text = client.post(f"{path}/csv").content.decode("utf-8-sig")
    header, *rows = text.splitlines()
    assert header.startswith("stairwell_code,place,household_count,change,decision,lead,")
    assert len(rows) == 12
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(client.post(f"{path}/xlsx").content))
    sheet = workbook.get_sheet_by_index(0).to_python()
    assert len(sheet) == 13
    names = {line["name"] for line in lines_of(client, plan)}
    assert {row[5] for row in sheet[1:]} == names
    assert "154****" not in text
    assert "1540000" not in text
    assert own_service.clone.count("audit_event", "action = 'contacts.export'") == 2


def test_who_is_contact_is_told_for_any_day(client: TestClient) -> None:
    now = client.get(CONTACTS, params={"stairwell": town.stairwell_code(A)}).json()["items"]
    assert now[0]["kind"] == "lead"
    assert now[0]["since"] == "2020-01-01"
    before = client.get(CONTACTS, params={"as_of": "2019-12-31"}).json()["items"]
    assert before == []
    code = town.stairwell_code(A)
    history = client.get(f"{CONTACTS}/stairwells/{code}").json()["items"]
    assert {one["member_id"] for one in now} == {one["member_id"] for one in history}
    alerts = client.get(f"{CONTACTS}/alerts", params={"on": "2019-12-31"}).json()["items"]
    assert {one["state"] for one in alerts} == {"none"}
    assert len(alerts) == 12


def test_a_hand_over_covers_a_leave(client: TestClient) -> None:
    code = town.stairwell_code(A)
    lead = client.get(CONTACTS, params={"stairwell": code}).json()["items"][0]["member_id"]
    body = {"member_id": lead, "until": "2999-01-01", "absence": "leave", "apply": True}
    answer = client.post(f"{CONTACTS}/hand-overs", json=body)
    assert answer.status_code == 201, answer.text
    plan = answer.json()
    assert (plan["kind"], plan["status"], plan["day"]) == (
        "hand_over",
        "applied",
        str(local_today()),
    )
    cover = client.get(CONTACTS, params={"stairwell": code}).json()["items"][0]
    assert cover["member_id"] != lead
    assert (cover["is_cover"], cover["end"]) == (True, "2999-01-01")
    past = client.post(f"{CONTACTS}/hand-overs", json={"member_id": lead, "from_on": "2020-01-01"})
    assert is_problem(past, 422, "invalid-choice")


def test_explanations_shortages_and_savings_are_told(client: TestClient) -> None:
    plan = made(client)
    codes = [line["stairwell_code"] for line in lines_of(client, plan)]
    path = f"{PLANS}/{plan['id']}"
    told = client.get(f"{path}/explanations", params={"stairwell": codes}).json()
    assert [one["stairwell_code"] for one in told["lines"]] == codes
    assert told["has_changed"] is False
    assert client.get(f"{path}/shortages").json() == {"items": []}
    saving = client.get(f"{path}/savings/{town.compound_code(A)}").json()
    assert saving["compound_code"] == town.compound_code(A)
    assert saving["cost"] >= 0
