"""Deliveries over real connections: tried again with pauses, given up, sent anew, never twice."""

import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gridsvc.errors import DeliveryStateError, NotFoundError, RoleNotAllowedError
from gridsvc.notices import channels, service
from gridsvc.notices.delivering import MAX_ATTEMPTS, pause_s
from gridsvc.notices.model import Audience
from gridsvc.notices.sending.mail import MailServer
from gridsvc.notices.sending.signing import sign_webhook
from tests import town
from tests.databases import Clone
from tests.gridsvc.notices.saying import (
    COMPOUND,
    STREET,
    A,
    B,
    add_channel,
    clear_queue,
    deliver,
    deliveries,
    office_of,
    queued,
    rows,
    say,
    scope,
    spread,
)
from tests.gridsvc.notices.servers import Told, WebServer, mail_server, web_server

pytestmark = pytest.mark.db
BUSY = Told(503, b"")
SENDER = "notices@grid.example"


@pytest.fixture(autouse=True)
def _nothing_said(office: Clone) -> None:
    clear_queue(office)
    office.run(
        "TRUNCATE gridsvc.notice, gridsvc.notice_delivery, gridsvc.notice_attempt,"
        " gridsvc.notice_channel"
    )


def sent_to(office: Clone, server: WebServer, kind: str = "webhook") -> UUID:
    """Return a delivery on its way to a server."""
    add_channel(office, kind, COMPOUND, server.url("/hook?key=secret-key"))
    notice_id = say(office, Audience(COMPOUND), category="public_facility.stairwell_lights")
    spread(office, notice_id)
    (delivery,) = deliveries(office, notice_id)
    assert isinstance(delivery.id, UUID)
    return delivery.id


def state(office: Clone, delivery_id: UUID) -> tuple[str, int, str | None]:
    (row,) = rows(office, "notice_delivery", f"id = '{delivery_id}'")
    return row.status, row.attempt_count, row.outcome


def tries(office: Clone, delivery_id: UUID) -> list[tuple[int, str, int | None]]:
    with office.api.session(scope("administrator", STREET)) as session:
        found = service.list_attempts(session, delivery_id)
    return [(one.number, one.outcome, one.status) for one in reversed(found)]


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])
def test_a_robot_is_told(office: Clone, kind: str) -> None:
    with web_server() as server:
        delivery_id = sent_to(office, server, kind)
        assert deliver(office, delivery_id) is None
        assert deliver(office, delivery_id) is None  # there is nothing left to do
        (received,) = server.received
    text = received.json["content"] if kind == "feishu" else received.json["text"]
    assert text.popitem()[1].startswith("新事项：楼道照明\n7 栋有新的事项上报")
    assert received.path == "/hook?key=secret-key"
    assert state(office, delivery_id) == ("sent", 1, "sent")
    assert tries(office, delivery_id) == [(1, "sent", None)]


def test_a_machine_can_check_who_wrote_and_tell_a_repetition(office: Clone) -> None:
    with web_server() as server:
        add_channel(office, "webhook", A, server.url())
        ((_, secret),) = [add_channel(office, "webhook", A, server.url(), language="en")]
        assert secret.startswith("whsec_")
        server.answers = [BUSY, Told(204, b"")]
        notice_id = say(office, Audience(str(A)))
        spread(office, notice_id)
        english = next(one.id for one in deliveries(office, notice_id) if one.language == "en")
        assert deliver(office, english) is not None
        assert deliver(office, english) is None
        first, second = server.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(english)
    for received in (first, second):
        told = {name: received.headers[f"webhook-{name}"] for name in ("id", "timestamp")}
        signed = sign_webhook(
            secret,
            message_id=told["id"],
            timestamp_s=int(told["timestamp"]),
            body=received.body,
        )
        assert received.headers["webhook-signature"] == signed["webhook-signature"]
    assert first.json["data"]["title"] == "New: Lights"


def test_pauses_grow_with_full_jitter_up_to_a_bound() -> None:
    assert [pause_s(count, draw=lambda: 1.0) for count in range(1, 13)] == [
        *(10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0, 10240.0),
        10800.0,
    ]
    assert pause_s(9, draw=lambda: 0.0) == 0.0
    assert pause_s(9, draw=lambda: 0.5) == 1280.0


def test_a_busy_receiver_is_asked_again_and_in_the_end_given_up(office: Clone) -> None:
    with web_server() as server:
        server.answers = [BUSY]
        delivery_id = sent_to(office, server)
        pauses = [deliver(office, delivery_id) for _ in range(MAX_ATTEMPTS)]
        assert pauses[:3] == [10, 20, 40]
        assert pauses[-1] is None
        assert None not in pauses[:-1]
        assert state(office, delivery_id) == ("dead", MAX_ATTEMPTS, "status")
        assert len(server.received) == MAX_ATTEMPTS
        assert len({one.headers["webhook-id"] for one in server.received}) == 1
        assert tries(office, delivery_id)[-1] == (MAX_ATTEMPTS, "status", 503)
        assert deliver(office, delivery_id) is None
        assert len(server.received) == MAX_ATTEMPTS


def test_a_waiting_delivery_says_until_when(office: Clone) -> None:
    with web_server() as server:
        server.answers = [Told(429, b"", {"Retry-After": "120"})]
        delivery_id = sent_to(office, server)
        assert deliver(office, delivery_id) == 120
    (row,) = rows(office, "notice_delivery", f"id = '{delivery_id}'")
    assert 110 < (row.next_at - datetime.now(UTC)).total_seconds() <= 120
    assert (row.status, row.ended_at) == ("waiting", None)


@pytest.mark.parametrize(
    ("answer", "outcome", "status"),
    [
        (Told(404, b""), "status", 404),
        (Told(302, b"", {"Location": "http://127.0.0.1:1/"}), "redirect", 302),
        (Told(200, b'{"errcode":93000}'), "refused", 93000),
    ],
)
def test_what_cannot_succeed_is_not_tried_again(
    office: Clone, answer: Told, outcome: str, status: int
) -> None:
    with web_server() as server:
        server.answers = [answer]
        delivery_id = sent_to(office, server, "wecom")
        assert deliver(office, delivery_id) is None
    assert state(office, delivery_id) == ("dead", 1, outcome)
    assert tries(office, delivery_id) == [(1, outcome, status)]


def test_a_private_address_is_refused_where_the_settings_do_not_allow_it(office: Clone) -> None:
    with web_server() as server:
        delivery_id = sent_to(office, server)
        assert deliver(office, delivery_id, office_of(networks=())) is None
        assert server.received == []
    assert state(office, delivery_id) == ("dead", 1, "private-address")


def test_a_dead_letter_is_listed_and_sent_anew_from_the_beginning(office: Clone) -> None:
    with web_server() as server:
        server.answers = [Told(410, b""), BUSY, Told(200, b"")]
        delivery_id = sent_to(office, server)
        deliver(office, delivery_id)
        clear_queue(office)
        with office.api.session(scope("administrator", STREET)) as session, session.begin():
            (dead,) = service.list_letters(session)
            assert (dead.delivery.id, dead.rendered.title) == (delivery_id, "新事项：楼道照明")
            assert service.count_letters(session) == 1
            anew = service.resend(session, delivery_id)
            assert (anew.delivery.status, anew.delivery.attempt_count) == ("waiting", 0)
            with pytest.raises(DeliveryStateError):
                service.resend(session, delivery_id)
        assert queued(office) == [("notices.deliver", A, delivery_id)]
        assert deliver(office, delivery_id) == 10
        assert deliver(office, delivery_id) is None
        assert state(office, delivery_id) == ("sent", 2, "sent")
        assert [one.headers["webhook-id"] for one in server.received] == [str(delivery_id)] * 3
    assert tries(office, delivery_id) == [
        *((1, "status", 410), (1, "status", 503), (2, "sent", None)),
    ]
    assert office.count("audit_event", f"action = 'notice.resend' AND subject = '{delivery_id}'")


def test_dead_letters_are_for_the_administrator_of_the_territory(office: Clone) -> None:
    with web_server() as server:
        server.answers = [Told(410, b"")]
        delivery_id = sent_to(office, server)
        deliver(office, delivery_id)
    with office.api.session(scope("coordinator", A)) as session:
        with pytest.raises(RoleNotAllowedError):
            service.resend(session, delivery_id)
        with pytest.raises(RoleNotAllowedError):
            service.list_attempts(session, delivery_id)
    with office.api.session(scope("administrator", B)) as session:
        assert service.list_letters(session) == []
        assert service.list_attempts(session, delivery_id) == []
        with pytest.raises(NotFoundError):
            service.resend(session, delivery_id)


def test_what_waits_for_a_channel_that_is_gone_is_dead(office: Clone) -> None:
    with web_server() as server:
        delivery_id = sent_to(office, server)
        with office.api.session(scope("administrator", STREET)) as session, session.begin():
            (channel,) = channels.list_channels(session)
            channels.remove(session, channel.id)
        assert deliver(office, delivery_id) is None
        assert server.received == []
    assert state(office, delivery_id) == ("dead", 1, "channel-gone")


def test_a_fault_of_ours_is_a_try_like_any_other(
    office: Clone, caplog: pytest.LogCaptureFixture
) -> None:
    """An address that no key of this machine opens."""
    with web_server() as server:
        delivery_id = sent_to(office, server)
    office.run("UPDATE gridsvc.notice_channel SET address_cipher = 'nonsense'")
    with caplog.at_level(logging.CRITICAL):
        assert deliver(office, delivery_id) == 10
    assert state(office, delivery_id) == ("waiting", 1, "fault")


def test_a_killed_try_is_made_again_and_counts(office: Clone) -> None:
    """As a worker that died between its first note and its second left it."""
    with web_server() as server:
        delivery_id = sent_to(office, server)
        office.run("UPDATE gridsvc.notice_delivery SET attempt_count = 1")
        assert deliver(office, delivery_id) is None
    assert state(office, delivery_id) == ("sent", 2, "sent")


# ---- e-mail, and texts to copy


def by_email(office: Clone, language: str = "zh") -> UUID:
    cipher = town.VAULT.encrypt("reporter@mail.example")
    audience = Audience(email_cipher=cipher, language=language)  # type: ignore[arg-type]
    notice_id = say(office, audience, template="report.received", values=REPORT)
    (delivery,) = deliveries(office, notice_id)
    assert isinstance(delivery.id, UUID)
    return delivery.id


REPORT = {"category": {"zh": "照明", "en": "Lights"}, "number": "42", "link": "https://g.example"}


@pytest.mark.parametrize(
    ("language", "subject"), [("zh", "收到您的上报：照明"), ("en", "We have your report: Lights")]
)
def test_a_reporter_gets_an_e_mail_and_the_address_is_forgotten(
    office: Clone, language: str, subject: str
) -> None:
    with mail_server() as box:
        delivery_id = by_email(office, language)
        mail = MailServer("127.0.0.1", box.port, "none", SENDER)
        box.refusals = ["451 later"]
        assert deliver(office, delivery_id, office_of(mail=mail)) == 10
        (row,) = rows(office, "notice_delivery", f"id = '{delivery_id}'")
        assert row.address_cipher is not None
        assert deliver(office, delivery_id, office_of(mail=mail)) is None
    ((to, received),) = box.mails
    assert to == ["reporter@mail.example"]
    assert received["Subject"] == subject
    (row,) = rows(office, "notice_delivery", f"id = '{delivery_id}'")
    assert (row.status, row.address_cipher) == ("sent", None)


def test_an_e_mail_channel_is_told_too(office: Clone) -> None:
    with mail_server() as box:
        add_channel(office, "email", A, "team@office.example")
        notice_id = say(office, Audience(str(A)))
        spread(office, notice_id)
        (delivery,) = deliveries(office, notice_id)
        mail = MailServer("127.0.0.1", box.port, "none", SENDER)
        assert deliver(office, delivery.id, office_of(mail=mail)) is None
    assert box.mails[0][0] == ["team@office.example"]


def test_without_a_mail_server_an_e_mail_is_a_dead_letter(office: Clone) -> None:
    delivery_id = by_email(office)
    assert deliver(office, delivery_id) is None
    assert state(office, delivery_id) == ("dead", 1, "no-mail-server")


def test_a_group_without_a_robot_has_a_text_to_copy(office: Clone) -> None:
    add_channel(office, "copy", COMPOUND)
    notice_id = say(office, Audience(COMPOUND))
    spread(office, notice_id)
    with office.api.session(scope("coordinator", A)) as session, session.begin():
        (letter,) = service.list_letters(session, status="to_copy")
        assert letter.rendered.text.startswith("7 栋有新的事项上报：楼道照明（编号 42）。")
        now = datetime.now(UTC)
        assert service.mark_copied(session, letter.delivery.id, now=now).delivery.status == "copied"
        with pytest.raises(DeliveryStateError):
            service.mark_copied(session, letter.delivery.id, now=now)
        assert service.list_letters(session, status="to_copy") == []
    with office.api.session(scope("coordinator", B)) as session, pytest.raises(NotFoundError):
        service.mark_copied(session, letter.delivery.id, now=now)


def test_logs_name_no_address_and_no_words(office: Clone, caplog: pytest.LogCaptureFixture) -> None:
    with web_server() as server, caplog.at_level(logging.INFO):
        delivery_id = sent_to(office, server)
        deliver(office, delivery_id)
    (record,) = [one for one in caplog.records if one.message == "delivery tried"]
    assert (record.delivery, record.outcome) == (str(delivery_id), "sent")  # type: ignore[attr-defined]
    told = " ".join(str(vars(one)) for one in caplog.records)
    for word in ("secret-key", "127.0.0.1:", "楼道照明", "7 栋"):
        assert word not in told
