"""Channels: what may be one, for which place, and that no address ever comes out again."""

import pytest
from sqlalchemy import text

from gridsvc.errors import InvalidChannelError, NotFoundError, RoleNotAllowedError
from gridsvc.notices import channels, service
from gridsvc.notices.channels import NewChannel
from gridsvc.notices.model import CHANNEL_KINDS
from tests import town
from tests.databases import Clone
from tests.gridsvc.notices.saying import (
    COMPOUND,
    LOOPBACK,
    STAIRWELL,
    STREET,
    A,
    B,
    add_channel,
    clear_queue,
    deliver,
    queued,
    rows,
    scope,
)
from tests.gridsvc.notices.servers import web_server

pytestmark = pytest.mark.db
URL = "https://robot.example/hook?key=very-secret"
ADDRESSES = {"email": "team@office.example", "copy": ""}


@pytest.fixture(autouse=True)
def _no_channels(office: Clone) -> None:
    clear_queue(office)
    office.run("TRUNCATE gridsvc.notice_channel")


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_a_channel_shows_all_but_its_address_and_secret(office: Clone, kind: str) -> None:
    address = ADDRESSES.get(kind, URL)
    channel, secret = add_channel(office, kind, STAIRWELL, address)
    assert (channel.kind, channel.place_code, channel.is_on) == (kind, STAIRWELL, True)
    hosts = {"copy": "", "email": "office.example"}
    assert channel.host == hosts.get(kind, "robot.example")
    assert (bool(secret), channel.has_secret) == (kind == "webhook", kind == "webhook")
    assert "very-secret" not in repr(channel)
    assert "team@" not in repr(channel)
    (row,) = rows(office, "notice_channel")
    if kind == "copy":
        assert row.address_cipher is None
    else:
        assert town.VAULT.decrypt(row.address_cipher) == address
    details = f"action = 'notice-channel.add' AND subject = '{channel.id}'"
    assert office.count("audit_event", details) == 1
    assert office.count("audit_event", "detail::text LIKE '%secret%'") == 0


@pytest.mark.parametrize(
    ("kind", "address", "secret"),
    [
        ("wecom", "", ""),
        ("wecom", "not an address", ""),
        ("wecom", "http://robot.example/", ""),
        ("wecom", "https://10.0.0.1/", ""),
        ("wecom", "https://2130706433/", ""),
        ("wecom", "https://0177.0.0.1/", ""),
        ("wecom", "https://[::ffff:192.168.0.1]/", ""),
        ("wecom", "https://user:word@robot.example/", ""),
        ("wecom", URL, "signed"),
        ("webhook", URL, "short"),
        ("email", "nobody", ""),
        ("email", "a@b.example\nBcc: c@d.example", ""),
        ("email", "a@b.example", "signed"),
        ("copy", URL, ""),
    ],
)
def test_what_cannot_be_a_channel_is_refused(
    office: Clone, kind: str, address: str, secret: str
) -> None:
    wanted = NewChannel(kind, "群", str(A), address, secret)
    with (
        office.api.session(scope("administrator", STREET)) as session,
        pytest.raises(InvalidChannelError) as refused,
    ):
        channels.add(session, town.VAULT, wanted)
    assert str(refused.value).endswith(".")
    assert "word" not in str(refused.value)


def test_the_settings_may_allow_a_network(office: Clone) -> None:
    channel, _ = add_channel(office, "wecom", A, "http://127.0.0.1:9/")
    assert channel.host == "127.0.0.1"


@pytest.mark.parametrize("place", [str(B), str(STREET), f"{A}12", "x", "", "9" * 12, f"{A}001' --"])
def test_a_channel_is_of_the_own_territory(office: Clone, place: str) -> None:
    wanted = NewChannel("copy", "群", place)
    with (
        office.api.session(scope("administrator", A)) as session,
        pytest.raises(NotFoundError),
    ):
        channels.add(session, town.VAULT, wanted)


def test_coordinators_do_not_see_channels(office: Clone) -> None:
    channel, _ = add_channel(office, "wecom", A, URL)
    with office.api.session(scope("coordinator", A)) as session:
        for act in (
            lambda: channels.list_channels(session),
            lambda: channels.get_channel(session, channel.id),
            lambda: channels.remove(session, channel.id),
            lambda: channels.send_test(session, channel.id),
        ):
            with pytest.raises(RoleNotAllowedError):
                act()
        assert (
            session.connection().exec_driver_sql("SELECT FROM gridsvc.notice_channel").all() == []
        )
    with office.api.session(scope("administrator", B)) as session:
        assert channels.list_channels(session) == []
        with pytest.raises(NotFoundError):
            channels.change(session, town.VAULT, channel.id, is_on=False)


def test_a_channel_changes_in_what_is_given(office: Clone) -> None:
    channel, _ = add_channel(office, "dingtalk", COMPOUND, URL, secret="SECx")  # noqa: S106
    with office.api.session(scope("administrator", STREET)) as session, session.begin():
        same = channels.change(session, town.VAULT, channel.id)
        assert same == channel
        off = channels.change(session, town.VAULT, channel.id, is_on=False, name=" 新群\x00 ")
        assert (off.is_on, off.name, off.host) == (False, "新群", "robot.example")
        moved = channels.change(session, town.VAULT, channel.id, address="https://b.example/")
        assert (moved.host, moved.has_secret, moved.is_on) == ("b.example", True, False)
        with pytest.raises(InvalidChannelError):
            channels.change(session, town.VAULT, channel.id, name=" ")
        channels.remove(session, channel.id)
        with pytest.raises(NotFoundError):
            channels.get_channel(session, channel.id)
    assert _trail(office, str(channel.id)) == ["add", "change", "change", "delete"]


def _trail(office: Clone, subject: str) -> list[str]:
    query = (
        "SELECT split_part(action, '.', 2) AS action FROM gridsvc.audit_event"
        " WHERE subject = :subject ORDER BY at, id"
    )
    with office.root.connect() as connection:
        return list(connection.scalars(text(query), {"subject": subject}))


def test_a_test_notice_goes_to_one_channel_and_says_how_it_went(office: Clone) -> None:
    with web_server() as server:
        channel, _ = add_channel(office, "wecom", STREET, server.url())
        add_channel(office, "wecom", STREET, server.url())
        clear_queue(office)
        with office.api.session(scope("administrator", STREET)) as session, session.begin():
            delivery_id = channels.send_test(session, channel.id)
        assert queued(office) == [("notices.deliver", STREET, delivery_id)]
        assert deliver(office, delivery_id, code=STREET) is None
        (received,) = server.received
    assert received.json["text"]["content"].startswith("测试通知")
    with office.api.session(scope("administrator", STREET)) as session:
        assert service.get_letter(session, delivery_id).delivery.status == "sent"


def test_a_network_that_is_allowed_is_no_other(office: Clone) -> None:
    wanted = NewChannel("wecom", "群", str(A), "https://10.0.0.1/")
    with (
        office.api.session(scope("administrator", A)) as session,
        pytest.raises(InvalidChannelError, match="private"),
    ):
        channels.add(session, town.VAULT, wanted, networks=LOOPBACK)
