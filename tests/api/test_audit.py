"""The trail over HTTP; and every change leaves an event in it."""

from typing import Any
from uuid import UUID

import pytest

from tests import town
from tests.api.matrix_lines import MATRIX
from tests.api.matrix_promises import Changes
from tests.api.service import Service, Witness, is_problem
from tests.api.test_statuses import PROVOKED, ask, documented

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
AUDIT = "/api/v1/audit"
MEMBER = town.id_of("member", A, 1)


@pytest.fixture
def told(own_service: Service) -> Service:
    """A service whose trail has three more events in A and one more in B."""
    client = own_service.caller("coordinator", A)
    client.post(f"/api/v1/members/{MEMBER}/reveal", json={"purpose": "emergency"})
    client.post("/api/v1/members/search", json={"words": "甲"})
    client.post(f"/api/v1/members/{MEMBER}/reveal", json={"purpose": "correction"})
    other = town.id_of("member", B, 1)
    own_service.caller("administrator", B).post(
        f"/api/v1/members/{other}/reveal", json={"purpose": "incident"}
    )
    return own_service


def actions(service: Service, role: str, code: int, **wanted: object) -> list[str]:
    answer = service.caller(role, code).get(AUDIT, params={k: str(v) for k, v in wanted.items()})
    assert answer.status_code == 200, answer.text
    return [event["action"] for event in answer.json()["items"]]


def test_the_newest_event_comes_first_with_all_it_holds(told: Service) -> None:
    wanted: dict[str, str | int] = {"limit": 1, "action": "member"}
    page = told.caller("administrator", A).get(AUDIT, params=wanted).json()
    event = page["items"][0]
    assert (event["action"], event["subject"]) == ("member.reveal", str(MEMBER))
    assert event["detail"] == {"purpose": "correction"}
    assert event["community_code"] == A
    assert event["account_id"] != str(town.ACCOUNT)
    assert UUID(event["account_id"]).version == 4, "an account of this service"
    assert page["next"]


def test_each_filter_narrows(told: Service) -> None:
    reveal, search = "member.reveal", "member.search"
    assert actions(told, "coordinator", A, action="member") == [reveal, search, reveal]
    assert actions(told, "coordinator", A, action=search) == [search]
    assert actions(told, "coordinator", A, subject=MEMBER) == [reveal, reveal]
    assert actions(told, "coordinator", A, community=B) == []
    assert actions(told, "coordinator", STREET, community=B, action="member") == [reveal]
    newest: dict[str, str | int] = {"action": "member", "limit": 1}
    event = told.caller("coordinator", A).get(AUDIT, params=newest).json()["items"][0]
    by_one = {"account": event["account_id"], "action": "member"}
    assert actions(told, "coordinator", STREET, **by_one) == [reveal, search, reveal]
    assert actions(told, "coordinator", A, account=MEMBER) == []


def test_days_are_those_of_the_sub_district_both_included(told: Service) -> None:
    with told.clone.root.begin() as root:
        root.exec_driver_sql(
            "UPDATE gridsvc.audit_event SET at = '2026-03-01 23:59:59+08'"
            " WHERE action = 'member.search'"
        )
    for first, last, expected in (
        ("2026-03-01", "2026-03-01", 1),
        ("2026-02-28", "2026-03-02", 1),
        ("2026-03-02", "2026-03-03", 0),
        ("2026-02-27", "2026-02-28", 0),
    ):
        period = {"from": first, "to": last}
        assert len(actions(told, "coordinator", A, **period)) == expected


def test_pages_follow_each_other_without_gap_or_repetition(told: Service) -> None:
    client = told.caller("coordinator", STREET)
    whole = [event["id"] for event in client.get(AUDIT).json()["items"]]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(AUDIT, params={"limit": "2", **cursor}).json()
        seen += [event["id"] for event in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == whole
    assert len(set(seen)) == len(seen) == told.clone.count("audit_event")


@pytest.mark.parametrize(
    "query",
    [
        *("from=yesterday", "from=0001-01-01", "to=9999-12-31", "account=x", "community=1"),
        *("action=%25", "action=Member", "subject=a%20b", "subject=%00", "cursor=!", "limit=0"),
        "cursor=MDAwMS0wMS0wMVQwMDowMDowMCswODowMAow",
    ],
)
def test_what_cannot_be_meant_is_refused(service: Service, query: str) -> None:
    answer = service.caller("coordinator", A).get(f"{AUDIT}?{query}")
    assert is_problem(answer, 422, "invalid-request")


# ---- every change leaves an event


class Counting(Witness):
    """A witness that counts the trail before each request."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.app, service.document)
        self.service = service
        self.before = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.before = self.service.clone.count("audit_event")
        await super().__call__(scope, receive, send)


# Changes of nothing that the trail is for.
WITHOUT_EVENT = {
    "DELETE /api/v1/session": "a sign-in ends, by its owner; its beginning is noted",
    "POST /api/v1/session/refresh": "the same sign-in goes on with a new token",
    "POST /api/v1/accounts/search": "it changes nothing and shows no phone; a POST for the name",
    "POST /login": "where a second factor comes next: that one is noted",
    "POST /logout": "as DELETE /api/v1/session",
    "POST /api/v1/reports/nearby": "it changes nothing; a POST for the place",
    "POST /api/v1/handed": "it looks at what a link opens; steps by the link are noted",
    "POST /api/v1/inbox/{entry_id}/read": "as of the whole inbox",
    "POST /inbox": "as of the whole inbox",
    "POST /api/v1/inbox/read": "the own inbox, and nothing else",
    "POST /contacts": "it asks for a job, which notes the plans that it makes",
    "POST /invite": "it looks at an invitation; taking it up is noted",
}
# Its request here assigns nothing; tests of work lists try it where it does.
UNTRIED = {"POST /api/v1/incidents/assign"}
SUCCEEDING = {
    operation: requests[max(successes)]  # 201 rather than 200, which is the first answer again
    for operation, requests in PROVOKED.items()
    if operation[0] != "GET" and (successes := [status for status in requests if status < 300])
}


def test_every_change_of_the_document_is_noted(service: Service) -> None:
    """Hold the document against the matrix, whose tests prove which tables a request changes."""
    noted = {route for route, promise in MATRIX if "audit_event" in getattr(promise, "tables", ())}
    changes = {
        " ".join(operation)
        for operation in documented(service.document)
        if operation[0] not in {"GET", "HEAD"}
    }
    assert changes - noted == changes & set(WITHOUT_EVENT)


def test_every_line_of_the_matrix_that_changes_anything_is_noted() -> None:
    silent = {
        route
        for route, promise in MATRIX
        if isinstance(promise, Changes)
        and not route.startswith("GET ")
        and "audit_event" not in promise.tables
    }
    assert silent <= set(WITHOUT_EVENT)


@pytest.mark.parametrize(
    "operation",
    [key for key in SUCCEEDING if " ".join(key) not in {*WITHOUT_EVENT, *UNTRIED}],
    ids=" ".join,
)
def test_a_change_that_succeeds_leaves_an_event(
    own_service: Service, operation: tuple[str, str]
) -> None:
    counting = own_service.witness = Counting(own_service)
    answer = ask(own_service, SUCCEEDING[operation])
    assert answer.status_code < 300, answer.text
    assert own_service.clone.count("audit_event") > counting.before
