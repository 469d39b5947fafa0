"""Notices from end to end: a channel made over HTTP, a worker, a receiver, the answer read back."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.jobs_table import KINDS, errands
from gridsvc.db import Interval, Scope
from gridsvc.jobs.running import Workplace
from gridsvc.jobs.worker import Worker
from gridsvc.notices import service as notices
from gridsvc.notices.model import Audience, Message
from gridsvc.notices.sending.signing import sign_webhook
from gridsvc.settings import Settings
from tests import town
from tests.api.service import Service, is_problem
from tests.databases import Clone
from tests.gridsvc.notices.servers import mail_server, wait_until, web_server

pytestmark = pytest.mark.db
A, STREET = town.EAST_SHORE, town.STREET
V1 = "/api/v1/notices"
LOOPBACK: dict[str, Any] = {"notice_networks": "127.0.0.0/8"}


@contextmanager
def working(clone: Clone, **settings: Any) -> Iterator[None]:
    """Run a worker as the command makes it, in a thread."""
    chosen = Settings(notice_wait_s=2, **LOOPBACK, **settings)
    place = Workplace(clone.api, clone.job, KINDS, errands(chosen, town.VAULT))
    worker = Worker(place, at_once=1, stalled_s=60)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def allow_loopback(service: Service) -> None:
    """Serve from now on as an operator does whose robots are on this machine."""
    service.app.state.settings = Settings(development_login=True, **LOOPBACK)


def test_a_test_notice_reaches_its_receiver_and_the_answer_says_so(own_service: Service) -> None:
    allow_loopback(own_service)
    office = own_service.caller("administrator", STREET)
    with web_server() as server, working(own_service.clone):
        body = {"kind": "webhook", "name": "调度台", "place_code": str(A), "address": server.url()}
        made = office.post(f"{V1}/channels", json=body)
        assert made.status_code == 201, made.text
        channel = made.json()
        assert channel["secret"].startswith("whsec_")
        assert (channel["host"], channel["has_secret"]) == ("127.0.0.1", True)
        sent = office.post(f"{V1}/channels/{channel['id']}/test").json()
        wait_until(lambda: server.received)

        def delivery() -> Any:
            return office.get(f"{V1}/deliveries/{sent['delivery_id']}").json()

        wait_until(lambda: delivery()["status"] == "sent")
    (received,) = server.received
    stamp = int(received.headers["webhook-timestamp"])
    signed = sign_webhook(
        channel["secret"],
        message_id=sent["delivery_id"],
        timestamp_s=stamp,
        body=received.body,
    )
    assert received.headers["webhook-signature"] == signed["webhook-signature"]
    (tried,) = delivery()["attempts"]
    assert (tried["number"], tried["outcome"], tried["status"]) == (1, "sent", None)


def test_what_is_said_spreads_to_a_robot_a_mailbox_and_inboxes(own_service: Service) -> None:
    allow_loopback(own_service)
    office = own_service.caller("administrator", STREET)
    coordinator = own_service.caller("coordinator", A)
    with (
        web_server() as server,
        mail_server() as box,
        working(
            own_service.clone,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_security="none",
            smtp_from="notices@grid.example",
        ),
    ):
        robot = {"kind": "feishu", "name": "群", "address": server.url(), "secret": "s"}
        place = f"{A}001"
        assert office.post(f"{V1}/channels", json=robot | {"place_code": place}).is_success
        values = {"category": "照明", "place": "1 栋", "number": "7", "link": "https://g.example/7"}
        audience = Audience(
            f"{place}00101",
            frozenset({"coordinator"}),
            email_cipher=town.VAULT.encrypt("reporter@mail.example"),
        )
        with (
            own_service.clone.api.session(Scope("resident", (Interval.of(A),))) as session,
            session.begin(),
        ):
            message = Message(A, "incident.closed", values, audience, "7")
            notices.enqueue(session, message)
        wait_until(lambda: server.received and box.mails)
    assert server.received[0].json["content"]["text"].startswith("已结案：照明")
    assert box.mails[0][0] == ["reporter@mail.example"]
    inbox = coordinator.get("/api/v1/inbox?lang=en").json()
    assert inbox["unread_count"] == 1
    (entry,) = inbox["items"]
    assert (entry["title"], entry["subject"]) == ("Closed: 照明", "7")
    assert coordinator.post(f"/api/v1/inbox/{entry['id']}/read").json()["read_at"]
    assert coordinator.get("/api/v1/inbox?unread=true").json()["items"] == []
    assert office.get("/api/v1/inbox").json()["items"] == []  # the community has its own people


def test_no_answer_holds_an_address_or_a_secret(own_service: Service) -> None:
    office = own_service.caller("administrator", STREET)
    body = {
        "kind": "dingtalk",
        "name": "群",
        "place_code": str(A),
        "address": "https://robot.example/send?token=hidden-1",
        "secret": "hidden-2",
    }
    made = office.post(f"{V1}/channels", json=body)
    channel_id = made.json()["id"]
    answers = [
        made,
        office.get(f"{V1}/channels"),
        office.patch(f"{V1}/channels/{channel_id}", json={"secret": "hidden-3"}),
        office.get("/admin/notices"),
        office.get("/api/v1/audit"),
    ]
    for answer in answers:
        assert answer.is_success
        assert "hidden-" not in answer.text
    assert made.json()["secret"] is None


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://robot.example/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "javascript:alert(1)",
        ),
        *("https://[::ffff:10.0.0.1]/", "https://a@b.example/", "", "https://robot.example/ x"),
    ],
)
def test_an_address_that_cannot_be_is_refused_at_once(service: Service, address: str) -> None:
    office = service.caller("administrator", STREET)
    body = {"kind": "wecom", "name": "群", "place_code": str(A), "address": address}
    answer = office.post(f"{V1}/channels", json=body)
    assert is_problem(answer, 422, "invalid-channel"), answer.text


def test_a_repeated_test_is_sent_once(own_service: Service) -> None:
    office = own_service.caller("administrator", STREET)
    path = f"{V1}/channels/{town.id_of('channel', A)}/test"
    key = {"Idempotency-Key": "once-and-only"}
    first, second = (office.post(path, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert own_service.clone.count("notice", "template = 'channel.test' AND subject <> 'town'") == 1


def test_what_a_receiver_answers_is_kept_as_a_code_only(own_service: Service) -> None:
    allow_loopback(own_service)
    office = own_service.caller("administrator", STREET)
    with web_server() as server, working(own_service.clone):
        server.answers[0].status = 410
        server.answers[0].body = b"<script>alert('somebody')</script>"
        body = {"kind": "webhook", "name": "x", "place_code": str(A), "address": server.url()}
        channel_id = office.post(f"{V1}/channels", json=body).json()["id"]
        sent = office.post(f"{V1}/channels/{channel_id}/test").json()["delivery_id"]
        path = f"{V1}/deliveries/{sent}"
        wait_until(lambda: office.get(path).json()["status"] == "dead")
        told = office.get(path)
        assert told.json()["attempts"][0]["status"] == 410
        assert "somebody" not in told.text
        dead = [one["id"] for one in office.get(f"{V1}/deliveries").json()["items"]]
        assert sent in dead
        server.answers[0].status = 200
        assert office.post(f"{path}/resend").json()["status"] == "waiting"
        wait_until(lambda: office.get(path).json()["status"] == "sent")
        assert json.loads(server.received[0].body) == json.loads(server.received[1].body)
