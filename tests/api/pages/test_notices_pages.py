"""The pages of notices without a script: the inbox, texts to copy, channels, dead letters."""

from typing import Any

import pytest

from api.pages.text import load_words
from gridsvc.db import Interval, Scope
from gridsvc.errors import InvalidChannelError
from gridsvc.notices import service as notices
from gridsvc.notices.channels import NewChannel, add
from gridsvc.notices.model import CHANNEL_KINDS, Audience, Message
from tests import town
from tests.api.pages.people import office, words
from tests.api.service import Service

pytestmark = pytest.mark.db
A, STREET = town.EAST_SHORE, town.STREET
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"
VALUES = {"category": EVIL, "place": "1 栋", "number": "7"}


def say(service: Service, audience: Audience, link: str = "") -> None:
    scope = Scope("coordinator", (Interval.of(A),))
    values = VALUES | {"link": link or f"{origin(service)}/map?view=heat"}
    with service.clone.api.session(scope) as session, session.begin():
        notices.enqueue(session, Message(A, "incident.closed", values, audience, "7"))


def origin(service: Service) -> str:
    return str(service.app.state.settings.public_origin)


def test_the_inbox_shows_counts_and_marks(own_service: Service) -> None:
    tab = office(own_service, "coordinator", A)
    page = tab.see("/inbox")
    assert words("inbox_empty") in page.words
    for link in ("", "https://elsewhere.example/", "javascript:alert(1)"):
        say(own_service, Audience(roles=frozenset({"coordinator"})), link)
    page = tab.see("/inbox")
    assert words("inbox_unread").format(n=3) in page.words
    assert EVIL in page.words, "as letters"
    assert "/map?view=heat" in page.links()
    assert not [link for link in page.links() if "elsewhere" in link or "javascript" in link]
    assert not [one for one in page.all("img") if one.get("src") == "x"]
    entry = tab.value("entry")
    assert tab.send("/inbox", entry=entry) == "/inbox"
    assert words("inbox_unread").format(n=2) in tab.see("/inbox").words
    assert tab.send("/inbox") == "/inbox"
    page = tab.see("/inbox?lang=en")
    assert words("inbox_nothing_new", "en") in page.words
    assert f"Closed: {EVIL}" in page.words


def test_a_long_inbox_has_pages(own_service: Service) -> None:
    for _ in range(31):
        say(own_service, Audience(account_ids=frozenset({town.ACCOUNT})))
    tab = office(own_service, "patrol", A)
    own_service.clone.run(
        "UPDATE gridsvc.inbox_entry SET account_id = (SELECT id FROM gridsvc.account"
        " WHERE role = 'patrol' LIMIT 1) WHERE subject = '7'"
    )
    page = tab.see("/inbox")
    assert len(page.all("article")) == 30
    (following,) = [link for link in page.links() if link.startswith("/inbox?cursor=")]
    assert len(tab.see(following).all("article")) == 1
    assert "/notices" not in page.links(), "patrols do not copy texts"


def test_a_text_is_copied_and_done(own_service: Service) -> None:
    tab = office(own_service, "coordinator", A)
    page = tab.see("/notices")
    path = f"/notices/{town.id_of('copy', A)}"
    assert "三号楼群" in page.words
    assert tab.send(path) == "/notices?done=copied"
    page = tab.see("/notices?done=copied")
    assert words("texts_copied") in page.words
    assert words("texts_none") in page.words
    token = tab.client.post(path, data={"csrf": "0" * 64}, follow_redirects=False)
    assert token.status_code == 403
    assert own_service.clone.count("notice_delivery", "status = 'copied'") == 1


def test_an_administrator_makes_tests_and_deletes_a_channel(own_service: Service) -> None:
    tab = office(own_service)
    tab.see("/admin/notices")
    form: dict[str, Any] = {"kind": "copy", "name": EVIL, "place": str(A)}
    assert tab.send("/admin/notices", **form) == "/admin/notices?done=added"
    page = tab.see("/admin/notices?done=added")
    assert EVIL in page.words
    assert not [one for one in page.all("img") if one.get("src") == "x"]
    path = f"/admin/notices/channels/{town.id_of('channel', A)}"
    for deed, done in (("off", "off"), ("on", "on"), ("test", "tested"), ("delete", "deleted")):
        assert tab.send(path, deed=deed) == f"/admin/notices?done={done}"
        assert words(f"channel_done_{done}") in tab.see(f"/admin/notices?done={done}").words
    assert own_service.clone.count("notice_channel", f"id = '{town.id_of('channel', A)}'") == 0


def test_the_secret_of_a_webhook_is_shown_once(own_service: Service) -> None:
    tab = office(own_service)
    tab.see("/admin/notices")
    form: dict[str, Any] = {
        "kind": "webhook",
        "name": "台",
        "place": str(A),
        "address": "https://a.example/x",
    }
    assert tab.send("/admin/notices", status=200, **form) == ""
    assert "whsec_" in tab.page.words
    assert "whsec_" not in tab.see("/admin/notices").words


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("fault", "form"),
    [
        ("place", {"place": "9" * 12}),
        ("place", {"place": "x"}),
        ("address", {"address": "http://a.example/"}),
        ("private", {"address": "https://10.0.0.1/"}),
        ("email", {"kind": "email", "address": "x"}),
        ("name", {"name": " "}),
        ("no_address", {"kind": "copy", "address": "https://a.example/"}),
        ("not_signed", {"secret": "x"}),
        ("secret", {"kind": "webhook", "secret": "x"}),
    ],
)
def test_what_is_wrong_is_said_in_words_and_what_was_typed_stays(
    service: Service, fault: str, form: dict[str, str], language: str
) -> None:
    tab = office(service)
    tab.see(f"/admin/notices?lang={language}")
    given = {
        "kind": "wecom",
        "name": "三号群",
        "place": str(A),
        "address": "https://a.example/?k=s",
    }
    tab.send("/admin/notices", status=422, **(given | form))
    assert words(f"channel_fault_{fault}", language) in tab.page.words
    if "name" not in form:
        assert tab.value("name") == "三号群"
    assert not [one for one in tab.page.all("input") if "k=s" in one.get("value", "")]


def test_a_dead_letter_is_sent_again(own_service: Service) -> None:
    tab = office(own_service)
    page = tab.see("/admin/notices")
    assert words("dead_headline").format(n=2) in page.words
    assert words("try_recipient") in page.words
    path = f"/admin/notices/deliveries/{town.id_of('delivery', A)}"
    assert tab.send(path) == "/admin/notices?done=resent"
    assert words("dead_headline").format(n=1) in tab.see("/admin/notices?done=resent").words


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/inbox", "/notices", "/admin/notices"])
def test_pages_speak_both_languages_and_fit_their_policy(
    service: Service, path: str, language: str
) -> None:
    tab = office(service)
    page = tab.see(f"{path}?lang={language}")
    assert words("skip", language) in page.words
    attributes = {name for _, found in page.elements for name in found}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    assert page.scripts == []


def test_everything_a_page_may_say_has_words() -> None:
    keys = {f"channel_kind_{kind}" for kind in CHANNEL_KINDS}
    assert keys <= set(load_words())


def test_every_fault_of_a_channel_has_words(own_service: Service) -> None:
    """Found by asking for what is wrong, as the service says it."""
    wrong = (
        *(("wecom", "x", ""), ("wecom", "https://10.0.0.1/", ""), ("email", "x", "")),
        *(("copy", "https://a.example/", ""), ("copy", "", "s")),
        *(("webhook", "https://a.example/", "s"),),
    )
    scope = Scope("administrator", (Interval.of(STREET),))
    for kind, address, secret in wrong:
        with (
            own_service.clone.api.session(scope) as session,
            pytest.raises(InvalidChannelError) as refused,
        ):
            add(session, town.VAULT, NewChannel(kind, "n", str(A), address, secret))
        assert f"channel_fault_{refused.value.fault}".replace("-", "_") in load_words()
