"""The trail is found by what one knows, and can only grow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gridsvc.audit import service
from gridsvc.audit.model import AuditFilter
from gridsvc.db import Interval, Scope
from gridsvc.embedded import Cluster
from tests import town
from tests.databases import Clone, drop, make_clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
WHO, WHOM = town.id_of("who"), town.id_of("whom")
DAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENTS = (
    (A, WHO, "member.reveal", str(WHOM)),
    (A, WHO, "member.search", "members"),
    (A, None, "member.export", str(WHOM)),
    (A, WHO, "membership.change", str(WHOM)),
    (B, WHO, "member.reveal", str(WHOM)),
    (town.STREET, None, "key.rotate", "data-key"),
)


@pytest.fixture(scope="module")
def trail(cluster: Cluster, town_template: str) -> Iterator[Clone]:
    clone = make_clone(cluster, town_template)
    clone.run("DELETE FROM gridsvc.audit_event")
    with clone.root.begin() as root:
        for number, (code, account, action, subject) in enumerate(EVENTS):
            root.execute(
                text(
                    "INSERT INTO gridsvc.audit_event (community_code, id, at, account_id, action,"
                    " subject) VALUES (:code, :id, :at, :account, :action, :subject)"
                ),
                {
                    "code": code,
                    "id": UUID(int=number + 1),
                    "at": DAY + timedelta(hours=number),
                    "account": account,
                    "action": action,
                    "subject": subject,
                },
            )
    yield clone
    drop(clone)


def found(
    clone: Clone, *codes: int, role: str = "coordinator", wanted: AuditFilter | None = None
) -> list[int]:
    scope = Scope(role, tuple(Interval.of(code) for code in codes))
    with clone.api.session(scope, read_only=True) as session:
        events = service.list_events(session, wanted)
    return [event.id.int - 1 for event in events]


def test_events_come_newest_first_and_from_the_own_territory(trail: Clone) -> None:
    assert found(trail, A) == [3, 2, 1, 0]
    assert found(trail, B) == [4]
    assert found(trail, town.STREET) == [5, 4, 3, 2, 1, 0]
    assert found(trail) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AuditFilter(community_code=B), [4]),
        (AuditFilter(account_id=WHO), [4, 3, 1, 0]),
        (AuditFilter(action="member.reveal"), [4, 0]),
        (AuditFilter(action="member"), [4, 2, 1, 0]),
        (AuditFilter(action="memb"), []),
        (AuditFilter(action="%"), []),
        (AuditFilter(subject=str(WHOM)), [4, 3, 2, 0]),
        (AuditFilter(since=DAY + timedelta(hours=4)), [5, 4]),
        (AuditFilter(until=DAY + timedelta(hours=1)), [0]),
        (AuditFilter(account_id=WHO, action="member", until=DAY + timedelta(hours=4)), [1, 0]),
    ],
)
def test_each_filter_narrows_and_they_add_up(
    trail: Clone, wanted: AuditFilter, expected: list[int]
) -> None:
    assert found(trail, town.STREET, wanted=wanted) == expected


def test_a_page_goes_on_where_the_last_one_ended(trail: Clone) -> None:
    scope = Scope("administrator", (Interval.of(town.STREET),))
    seen: list[int] = []
    before = None
    with trail.api.session(scope, read_only=True) as session:
        while page := service.list_events(session, before=before, limit=2):
            seen += [event.id.int - 1 for event in page]
            before = (page[-1].at, page[-1].id)
    assert seen == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("role", ["resident", "contact", "patrol", "planner"])
def test_the_trail_is_not_for_others(trail: Clone, role: str) -> None:
    assert found(trail, A, role=role) == []


@pytest.mark.parametrize("role", ["coordinator", "administrator", "job"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gridsvc.audit_event SET action = 'x'",
        "DELETE FROM gridsvc.audit_event",
        "TRUNCATE gridsvc.audit_event",
        (
            "INSERT INTO gridsvc.audit_event (community_code, id, action, subject)"
            " SELECT community_code, id, 'x', 'x' FROM gridsvc.audit_event"
            " ON CONFLICT (community_code, id) DO UPDATE SET action = 'x'"
        ),
        "ALTER TABLE gridsvc.audit_event DISABLE ROW LEVEL SECURITY",
    ],
)
def test_the_service_can_only_add_to_the_trail(trail: Clone, role: str, statement: str) -> None:
    with (
        trail.api.session(Scope(role, (Interval.of(A),))) as session,
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
    ):
        session.execute(text(statement))


def test_an_event_of_another_territory_cannot_be_added(trail: Clone) -> None:
    with (
        trail.api.session(Scope("coordinator", (Interval.of(A),))) as session,
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        service.record(session, community_code=B, action="member.reveal", subject="x")
