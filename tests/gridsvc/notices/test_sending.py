"""Formats, signatures and answers, over real connections to servers on loopback."""

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from gridsvc import notices
from gridsvc.notices import channels
from gridsvc.notices.model import Delivery, Letter, Notice, Rendered
from gridsvc.notices.sending import robots
from gridsvc.notices.sending.addresses import is_allowed, is_public, literal, place_of, resolve
from gridsvc.notices.sending.mail import MailServer, is_address, message_of, send
from gridsvc.notices.sending.outcome import OUTCOMES, Answer, RefusedError
from gridsvc.notices.sending.posting import MAX_ANSWER_BYTES, post
from gridsvc.notices.sending.robots import judge, post_of, text_of
from gridsvc.notices.sending.signing import (
    new_webhook_secret,
    sign_dingtalk,
    sign_feishu,
    sign_webhook,
    webhook_key,
)
from tests.gridsvc.notices.servers import Told, mail_server, web_server

A = 440605011001
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification
URL = "https://robot.example/send?access_token=abc"


def letter(kind: str, title: str = "题", text: str = "楼道灯坏了") -> Letter:
    delivery = Delivery(
        *(A, UUID(int=1), UUID(int=2), kind, UUID(int=3), "群", "zh", "waiting", 1),
        *(None, None, NOW, None),
    )
    notice = Notice(A, UUID(int=2), "incident.reported", "lift.fault", {}, "s", str(A), NOW)
    return Letter(delivery, notice, Rendered(title, text))


# ---- signatures: the examples that the specifications and receivers' own pages give


def test_a_webhook_is_signed_as_standard_webhooks_says() -> None:
    """The vector of the specification's reference libraries."""
    signed = sign_webhook(
        SECRET,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_dingtalk_and_feishu_are_signed_each_its_own_way() -> None:
    """Their pages give programs, not vectors: here is the same once more, spelled out."""
    stamp, secret = "1577262236757", "SECthis is secret"
    wanted = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    assert sign_dingtalk(secret, timestamp_ms=int(stamp)) == base64.b64encode(wanted).decode()
    wanted = hmac.new(f"1599360473\n{secret}".encode(), b"", hashlib.sha256).digest()
    assert sign_feishu(secret, timestamp_s=1599360473) == base64.b64encode(wanted).decode()


def test_a_new_secret_is_one_and_no_two_are_alike() -> None:
    assert len({new_webhook_secret() for _ in range(20)}) == 20
    assert len(webhook_key(new_webhook_secret())) == 32


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!" * 9]
)
def test_what_is_no_secret_of_a_webhook_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        webhook_key(secret)


# ---- formats


def test_wecom_gets_its_text() -> None:
    made = post_of(letter("wecom"), URL, None, now=NOW)
    assert made.url == URL
    assert json.loads(made.body) == {"msgtype": "text", "text": {"content": "题\n楼道灯坏了"}}
    assert made.headers["Content-Type"].startswith("application/json")


def test_dingtalk_gets_its_text_and_the_signature_in_the_address() -> None:
    made = post_of(letter("dingtalk"), URL, "SECx", now=NOW)
    query = {name: values[0] for name, values in parse_qs(urlsplit(made.url).query).items()}
    stamp = int(NOW.timestamp() * 1000)
    assert query == {
        "access_token": "abc",
        "timestamp": str(stamp),
        "sign": sign_dingtalk("SECx", timestamp_ms=stamp),
    }
    assert json.loads(made.body) == {"msgtype": "text", "text": {"content": "题\n楼道灯坏了"}}
    assert post_of(letter("dingtalk"), URL, None, now=NOW).url == URL


def test_feishu_gets_its_text_and_the_signature_in_the_body() -> None:
    made = json.loads(post_of(letter("feishu"), URL, "x", now=NOW).body)
    stamp = int(NOW.timestamp())
    assert made == {
        "timestamp": str(stamp),
        "sign": sign_feishu("x", timestamp_s=stamp),
        "msg_type": "text",
        "content": {"text": "题\n楼道灯坏了"},
    }
    assert set(json.loads(post_of(letter("feishu"), URL, None, now=NOW).body)) == {
        *("msg_type", "content")
    }


def test_a_webhook_gets_ids_and_words_with_a_signature_over_the_very_bytes() -> None:
    made = post_of(letter("webhook"), URL, SECRET, now=NOW)
    body = json.loads(made.body)
    assert body["type"] == "incident.reported"
    assert body["data"]["community"] == str(A)
    assert body["data"]["text"] == "楼道灯坏了"
    assert made.headers["webhook-id"] == str(UUID(int=1))
    signed = f"{UUID(int=1)}.{int(NOW.timestamp())}.".encode() + made.body
    mac = hmac.new(webhook_key(SECRET), signed, hashlib.sha256).digest()
    assert made.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    again = post_of(letter("webhook"), URL, SECRET, now=NOW.replace(hour=9))
    assert again.headers["webhook-id"] == made.headers["webhook-id"]
    assert again.body == made.body


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])
def test_a_text_fits_its_robot_and_calls_nobody(kind: str) -> None:
    long = text_of(letter(kind, text="楼" * 20_000))
    assert len(long.encode()) <= robots.MAX_TEXT_BYTES[kind]
    assert len(long.encode()) > robots.MAX_TEXT_BYTES[kind] - 4
    assert long.endswith("楼…")
    assert "<at" not in text_of(letter(kind, text='<at user_id="all">所有人</at>'))


# ---- answers


@pytest.mark.parametrize(
    ("kind", "status", "body", "outcome", "is_final"),
    [
        ("wecom", 200, '{"errcode":0,"errmsg":"ok"}', None, None),
        ("wecom", 200, '{"errcode":93000,"errmsg":"invalid webhook url"}', "refused", True),
        ("wecom", 200, '{"errcode":45009,"errmsg":"freq out of limit"}', "too-often", False),
        ("dingtalk", 200, '{"errcode":0,"errmsg":"ok"}', None, None),
        ("dingtalk", 200, '{"errcode":310000,"errmsg":"sign not match"}', "refused", True),
        ("dingtalk", 200, '{"errcode":130101,"errmsg":"send too fast"}', "too-often", False),
        ("feishu", 200, '{"code":0,"msg":"success","data":{}}', None, None),
        ("feishu", 200, '{"StatusCode":0,"StatusMessage":"success"}', None, None),
        ("feishu", 200, '{"code":19021,"msg":"sign match fail"}', "refused", True),
        ("feishu", 200, '{"code":11232,"msg":"frequency limited"}', "too-often", False),
        ("feishu", 200, "<html>", "garbage", False),
        ("wecom", 200, "[]", "garbage", False),
        ("wecom", 200, '{"errcode":true}', "garbage", False),
        ("wecom", 200, "[" * 50_000, "garbage", False),
        ("webhook", 204, "", None, None),
        ("webhook", 302, "", "redirect", True),
        ("webhook", 400, "", "status", True),
        ("webhook", 410, "", "status", True),
        ("webhook", 408, "", "status", False),
        ("webhook", 429, "", "status", False),
        ("webhook", 500, "", "status", False),
        ("webhook", 503, "", "status", False),
    ],
)
def test_an_answer_means_sent_again_or_never(
    kind: str, status: int, body: str, outcome: str | None, is_final: bool | None
) -> None:
    answer = Answer(status, body.encode(), 7.0)
    if outcome is None:
        judge(kind, answer)
        return
    with pytest.raises(RefusedError) as refused:
        judge(kind, answer)
    assert (refused.value.outcome, refused.value.is_final) == (outcome, is_final)
    if status in (429, 503):
        assert refused.value.after_s == 7.0
    if outcome == "too-often":
        assert refused.value.after_s == 60.0


# ---- where notices may go


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001"),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "::ffff:127.0.0.1"),
        *("::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::"),
        *("2001:0:0:0:0:0:80ff:fffe", "224.0.0.1", "ff02::1", "255.255.255.255", "192.0.2.1"),
    ],
)
def test_an_address_of_a_private_network_is_known_however_it_is_written(host: str) -> None:
    address = literal(host)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "134744072"])
def test_a_public_address_is_public(host: str) -> None:
    address = literal(host)
    assert address is not None
    assert is_public(address)


def test_the_settings_may_allow_a_private_network_and_no_more() -> None:
    assert is_allowed(ip_address("10.1.2.3"), [ip_network("10.1.0.0/16")])
    assert is_allowed(ip_address("::ffff:10.1.2.3"), [ip_network("10.1.0.0/16")])
    assert is_allowed(ip_address("::1"), LOOPBACK)
    assert not is_allowed(ip_address("10.2.2.3"), [ip_network("10.1.0.0/16")])


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example/", "https:///x", "https://a@b.example/", "https://a:b@c.example/"),
        *("https://a.example/#x", "https://a.example\\@b/", "https://a.example/ x", "//a.example"),
        *("https://a.example:99999/", "https://楼.example/", "file:///etc/passwd", "x" * 3000, ""),
        *("https://[::1", "https://a.example/\n"),
    ],
)
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        place_of(url)


def refusal(url: str, networks: tuple[object, ...] = (), wait_s: float = 2.0) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        post(place_of(url), b"{}", {}, networks=networks, wait_s=wait_s)  # type: ignore[arg-type]
    return refused.value


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0177.1", "[::ffff:127.0.0.1]"]
)
def test_no_private_address_is_connected_to_unless_allowed(host: str) -> None:
    with web_server() as server:
        refused = refusal(server.url(host=host))
        assert (refused.outcome, refused.is_final) == ("private-address", True)
        assert server.received == []
        answer = post(place_of(server.url(host=host)), b"{}", {}, networks=LOOPBACK, wait_s=2)
        assert answer.status == 200
        assert len(server.received) == 1


def test_one_private_address_among_others_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system's resolver is told what to answer: no name of the world would."""
    found = [(0, 0, 0, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedError, match="private-address"):
        resolve(place_of("https://two.example/"), (), wait_s=1)


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that resolves to something else the second time is not asked a second time."""
    with web_server() as server:
        asked: list[str] = []
        real = socket.getaddrinfo

        def once(host: str, *more: object, **options: object) -> object:
            asked.append(host)
            return real("127.0.0.1" if host == "rebind.example" else host, *more, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", once)
        url = f"http://rebind.example:{server.port}/x"
        assert post(place_of(url), b"{}", {}, networks=LOOPBACK, wait_s=2).status == 200
        assert asked.count("rebind.example") == 1
        assert server.received[0].headers["host"] == f"rebind.example:{server.port}"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with web_server() as server, web_server() as other:
        server.answers = [Told(302, headers={"Location": other.url("/stolen")})]
        answer = post(place_of(server.url()), b"{}", {}, networks=LOOPBACK, wait_s=2)
        assert answer.status == 302
        assert other.received == []


def test_what_is_not_encrypted_goes_to_no_public_address() -> None:
    with pytest.raises(RefusedError) as refused:
        resolve(place_of("http://8.8.8.8/"), LOOPBACK, wait_s=1)
    assert (refused.value.outcome, refused.value.is_final) == ("not-encrypted", True)


def test_a_host_that_is_not_there_is_no_fault_of_ours() -> None:
    assert refusal("https://nothing.invalid/").outcome in {"unknown-host", "no-name-in-time"}
    assert refusal(f"https://{'a' * 70}.example/").outcome == "unknown-host"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    refused = refusal(f"http://127.0.0.1:{port}/", LOOPBACK)
    assert (refused.outcome, refused.is_final) == ("connection", False)


@pytest.mark.parametrize("bytes_sent", [0, 20])
def test_a_receiver_that_drips_is_not_waited_for(bytes_sent: int) -> None:
    with web_server() as server:
        server.answers = [Told(body=b"x" * 200, drip_s=0.05 if bytes_sent else 5)]
        began = time.monotonic()
        assert refusal(server.url(), LOOPBACK, wait_s=0.4).outcome == "timeout"
        assert time.monotonic() - began < 1.5


def test_headers_that_drip_are_not_waited_for_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    for letter_ in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100:
                        connection.send(bytes([letter_]))
                        time.sleep(0.05)
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()
        assert refusal(url, LOOPBACK, wait_s=0.4).outcome == "timeout"
        assert time.monotonic() - began < 1.5
        thread.join(10)


def test_no_more_of_an_answer_is_read_than_anybody_needs() -> None:
    with web_server() as server:
        server.answers = [Told(body=b"x" * (MAX_ANSWER_BYTES + 1))]
        assert refusal(server.url(), LOOPBACK).outcome == "answer-too-large"
        server.answers = [Told(body=b"x" * MAX_ANSWER_BYTES)]
        answer = post(place_of(server.url()), b"{}", {}, networks=LOOPBACK, wait_s=2)
        assert len(answer.body) == MAX_ANSWER_BYTES


def test_a_receiver_that_speaks_no_tls_is_a_connection_that_failed() -> None:
    with web_server() as server:
        url = server.url().replace("http://", "https://")
        assert refusal(url, LOOPBACK).outcome == "connection"


# ---- e-mail

SENDER = "notices@grid.example"


def mail(text: str = "楼道灯坏了") -> Letter:
    return letter("email", "题 <at>", text)


def test_an_e_mail_arrives_with_its_words_and_the_same_id_each_time() -> None:
    with mail_server() as box:
        server = MailServer("127.0.0.1", box.port, "none", SENDER)
        for _ in range(2):
            send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=5)
    (to, first), (_, second) = box.mails
    assert to == ["a@b.example"]
    assert first["Subject"] == "题 <at>"
    assert first["From"] == SENDER
    assert first["To"] == "a@b.example"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_content().strip() == "楼道灯坏了"
    assert first["Message-ID"] == second["Message-ID"] == f"<{UUID(int=1)}@grid.example>"
    assert first.as_bytes() == second.as_bytes()


@pytest.mark.parametrize(("code", "is_final"), [(550, True), (450, False)])
def test_a_refused_recipient_is_final_or_not(code: int, is_final: bool) -> None:
    with mail_server() as box:
        box.refusals = [f"{code} no"]
        server = MailServer("127.0.0.1", box.port, "none", SENDER)
        with pytest.raises(RefusedError) as refused:
            send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=5)
    assert (refused.value.outcome, refused.value.status) == ("recipient", code)
    assert refused.value.is_final == is_final


def test_a_server_that_offers_no_encryption_gets_nothing_where_it_is_wanted() -> None:
    with mail_server() as box:
        server = MailServer("127.0.0.1", box.port, "starttls", SENDER)
        with pytest.raises(RefusedError) as refused:
            send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=5)
        assert refused.value.outcome == "mail-refused"
        server = replace(server, security="none", user="u", password="p")  # noqa: S106
        with pytest.raises(RefusedError) as refused:
            send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=5)
        assert not refused.value.is_final
    assert box.mails == []


def test_a_mail_server_that_is_away_is_tried_again() -> None:
    with mail_server() as box:
        pass
    server = MailServer("127.0.0.1", box.port, "none", SENDER)
    with pytest.raises(RefusedError) as refused:
        send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=2)
    assert (refused.value.outcome, refused.value.is_final) == ("connection", False)


def test_a_silent_mail_server_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer("127.0.0.1", listener.getsockname()[1], "none", SENDER)
        began = time.monotonic()
        with pytest.raises(RefusedError, match="timeout"):
            send(message_of(mail(), SENDER, "a@b.example"), server, wait_s=0.3)
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "text",
    [
        *("a", "a@b", "a b@c.org", "a@c.org\nBcc: d@e.org", "a@c.org,d@e.org", "<a@c.org>"),
        *("a@-c.org", "a@c..org", ".a@c.org", "a@c.o", "@c.org", "a@c.org ", "楼@c.org", ""),
        "a" * 250 + "@c.org",
    ],
)
def test_what_is_no_address_is_not_written_to(text: str) -> None:
    assert not is_address(text)


def test_every_refusal_is_one_of_those_that_have_words() -> None:
    folder = Path(notices.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    said = {word for text in sources for word in re.findall(r'RefusedError\(\s*"([a-z-]+)"', text)}
    assert {"timeout", "status", "channel-gone", "recipient"} <= said
    assert said <= set(OUTCOMES)
    assert set(OUTCOMES) - said == {"too-often", "refused"}  # either, by the code of the answer


def test_every_fault_of_a_channel_is_one_of_those_that_have_words() -> None:
    text = Path(channels.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'InvalidChannelError\(\s*"([a-z-]+)"', text)) == set(channels.FAULTS)
