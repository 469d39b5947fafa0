"""What is said is heard exactly if it was committed, by those it is for."""

import pytest
from sqlalchemy.exc import ProgrammingError

from gridsvc.audit import service as audit
from gridsvc.errors import InvalidNoticeError, NotFoundError
from gridsvc.notices import service
from gridsvc.notices.delivering import chosen, places_around
from gridsvc.notices.model import Audience
from tests import town
from tests.databases import Clone
from tests.gridsvc.notices.saying import (
    COMPOUND,
    STAIRWELL,
    STREET,
    A,
    B,
    add_channel,
    clear_queue,
    deliveries,
    message,
    queued,
    rows,
    say,
    scope,
    spread,
)

pytestmark = pytest.mark.db
EAST, WEST, WHOLE = (town.id_of("office", name) for name in ("east", "west", "street"))
URL = "https://robot.example/hook"


@pytest.fixture(autouse=True)
def _nothing_said(office: Clone) -> None:
    clear_queue(office)
    office.run(
        "TRUNCATE gridsvc.notice, gridsvc.notice_delivery, gridsvc.notice_attempt,"
        " gridsvc.inbox_entry, gridsvc.notice_channel"
    )


# ---- one transaction


def test_what_is_committed_waits_for_the_worker(office: Clone) -> None:
    notice_id = say(office, Audience(place_code=str(A), email_cipher=b"x"))
    (delivery,) = deliveries(office, notice_id)
    assert queued(office) == [
        ("notices.deliver", A, delivery.id),
        ("notices.spread", A, notice_id),
    ]
    assert [one.id for one in rows(office, "notice")] == [notice_id]


def test_what_is_rolled_back_was_never_said(office: Clone) -> None:
    audience = Audience(str(A), frozenset({"coordinator"}), frozenset({WEST}), b"cipher")
    with office.api.session(scope("coordinator", A)) as session, session.begin():
        audit.record(session, community_code=A, action="test.case", subject="undone")
        service.enqueue(session, message(audience))
        session.rollback()
    assert queued(office) == []
    for table in ("notice", "notice_delivery", "inbox_entry"):
        assert rows(office, table) == []
    assert office.count("audit_event", "subject = 'undone'") == 0
    say(office, audience)  # and the same, committed, is all of that
    assert len(queued(office)) == 2
    assert len(rows(office, "inbox_entry")) == 2


def test_a_savepoint_that_fails_takes_its_notice_with_it(office: Clone) -> None:
    with office.api.session(scope("coordinator", A)) as session, session.begin():
        service.enqueue(session, message(Audience(str(A)), subject="kept"))
        inner = session.begin_nested()
        service.enqueue(session, message(Audience(str(A)), subject="undone"))
        inner.rollback()
    assert [one.subject for one in rows(office, "notice")] == ["kept"]
    assert len(queued(office)) == 1


def test_whoever_may_change_something_may_say_so(office: Clone) -> None:
    """A resident reports: nothing of the notice can be read back, and it is there."""
    audience = Audience(str(A), frozenset({"coordinator"}), email_cipher=b"x")
    notice_id = say(office, audience, role="resident")
    assert len(deliveries(office, notice_id)) == 1
    assert [one.account_id for one in rows(office, "inbox_entry")] == [EAST]
    with office.api.session(scope("resident", A)) as session:
        assert session.connection().exec_driver_sql("SELECT FROM gridsvc.notice").all() == []


def test_nobody_says_anything_in_another_territory(office: Clone) -> None:
    with (
        office.api.session(scope("coordinator", B)) as session,
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        service.enqueue(session, message(Audience(str(A))))
    assert queued(office) == []


@pytest.mark.parametrize("place", [str(B), f"{B}001", f"{A}1", "", "x", f"{A}001'"])
def test_a_place_lies_in_the_community(office: Clone, place: str) -> None:
    with pytest.raises(InvalidNoticeError):
        say(office, Audience(place))


# ---- inboxes


def test_a_role_is_whoever_looks_after_least_beside_the_community(office: Clone) -> None:
    say(office, Audience(roles=frozenset({"coordinator", "administrator"})))
    assert {one.account_id for one in rows(office, "inbox_entry")} == {EAST, WHOLE}
    office.run(f"UPDATE gridsvc.account SET is_disabled = true WHERE id = '{EAST}'")  # noqa: S608
    try:
        say(office, Audience(roles=frozenset({"coordinator"})), subject="43")
    finally:
        office.run(f"UPDATE gridsvc.account SET is_disabled = false WHERE id = '{EAST}'")  # noqa: S608
    assert rows(office, "inbox_entry", "subject = '43'") == []


def test_an_account_reads_its_own_inbox_only(office: Clone) -> None:
    say(office, Audience(account_ids=frozenset({EAST, WHOLE})))
    say(office, Audience(account_ids=frozenset({WHOLE})), subject="43")
    with office.api.session(scope("coordinator", A)) as session, session.begin():
        (entry,) = service.list_entries(session)
        assert service.render(entry, "en").title == "New: Lights"
        assert service.count_unread(session) == 1
        assert service.mark_read(session, entry.id).read_at is not None
        assert service.mark_read(session, entry.id).read_at is not None
        assert service.count_unread(session) == 0
        assert service.list_entries(session, is_unread=True) == []
    with office.api.session(scope("administrator", STREET)) as session, session.begin():
        first, second = service.list_entries(session)
        assert (first.subject, second.subject) == ("43", "42")
        older = service.list_entries(session, before=(first.created_at, first.id))
        assert older == [second]
        with pytest.raises(NotFoundError):
            service.mark_read(session, entry.id)
        assert service.mark_all_read(session) == 2
    assert len(rows(office, "inbox_entry", "read_at IS NULL")) == 0


def test_below_the_service_the_policy_keeps_inboxes_apart(office: Clone) -> None:
    say(office, Audience(account_ids=frozenset({EAST, WHOLE})))
    with office.api.session(scope("administrator", A, account=EAST)) as session:
        run = session.connection().exec_driver_sql
        assert len(run("SELECT FROM gridsvc.inbox_entry").all()) == 1
        assert run("UPDATE gridsvc.inbox_entry SET read_at = now()").rowcount == 1
        session.rollback()


# ---- whom it reaches


def test_the_smallest_place_with_a_group_is_told_and_every_machine(office: Clone) -> None:
    made = {
        name: add_channel(office, kind, place, URL)[0].id
        for name, kind, place in (
            ("street", "webhook", STREET),
            ("street group", "wecom", STREET),
            ("community", "feishu", A),
            ("machine", "webhook", A),
            ("compound", "dingtalk", COMPOUND),
            ("elsewhere", "webhook", B),
            ("next door", "dingtalk", f"{A}008"),
        )
    }

    def told(place: str, code: int = A) -> set[str]:
        notice_id = say(office, Audience(place), code=code)
        spread(office, notice_id, code=code)
        found = {one.channel_id for one in deliveries(office, notice_id)}
        return {name for name, channel_id in made.items() if channel_id in found}

    assert told(STAIRWELL) == told(COMPOUND) == {"compound", "machine", "street"}
    assert told(f"{A}009") == told(str(A)) == {"community", "machine", "street"}
    assert told(f"{B}001", B) == {"street group", "elsewhere", "street"}


def test_a_channel_that_is_off_tells_nobody(office: Clone) -> None:
    channel, _ = add_channel(office, "wecom", COMPOUND, URL)
    office.run(f"UPDATE gridsvc.notice_channel SET is_on = false WHERE id = '{channel.id}'")  # noqa: S608
    notice_id = say(office, Audience(COMPOUND))
    spread(office, notice_id)
    assert deliveries(office, notice_id) == []


def test_spreading_twice_is_spreading_once(office: Clone) -> None:
    add_channel(office, "wecom", A, URL)
    add_channel(office, "copy", A)
    notice_id = say(office, Audience(str(A)))
    clear_queue(office)
    spread(office, notice_id)
    spread(office, notice_id)
    found = deliveries(office, notice_id)
    assert sorted((one.kind, one.status) for one in found) == [
        ("copy", "to_copy"),
        ("wecom", "waiting"),
    ]
    waiting = next(one.id for one in found if one.kind == "wecom")
    assert queued(office) == [("notices.deliver", A, waiting)]


def test_places_around_a_place_are_the_smallest_first() -> None:
    assert places_around(STAIRWELL) == [STAIRWELL, COMPOUND, str(A), str(STREET)]
    assert places_around(str(STREET)) == [str(STREET)]
    assert chosen([], places_around(STAIRWELL)) == []
