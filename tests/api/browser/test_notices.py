"""Notices in a real Chromium: a message appears by itself, and nobody's words are run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from gridsvc.db import Interval, Scope
from gridsvc.notices import service as notices
from gridsvc.notices.model import Audience, Message
from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import SCREENSHOTS, OpenTab

pytestmark = [pytest.mark.db, pytest.mark.browser]
EAST = town.EAST_SHORE
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_SOON_MS = 30_000


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address
        own_service.app.state.live.close()  # or the server would wait for the tab


def say(service: Service, number: str) -> None:
    scope = Scope("coordinator", (Interval.of(EAST),))
    values = {"category": EVIL, "place": "1 栋", "number": number, "link": "https://g.example/"}
    audience = Audience(roles=frozenset({"coordinator"}))
    with service.clone.api.session(scope) as session, session.begin():
        notices.enqueue(session, Message(EAST, "incident.closed", values, audience, number))


@pytest.mark.parametrize("size", ["desktop", "phone", "small"])
def test_a_message_appears_by_itself_and_is_only_words(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    account = own_service.account("coordinator", (EAST,))
    tab = open_tab(base_url, size, code=account.code)
    tab.open("/inbox")
    expect(tab.page.get_by_text("还没有消息")).to_be_visible()
    tab.page.wait_for_timeout(1500)  # until the page listens; nothing of it is seen
    say(own_service, "42")
    expect(tab.page.locator("article")).to_have_count(1, timeout=_SOON_MS)
    expect(tab.page.locator("article h2")).to_contain_text(EVIL)
    expect(tab.page.get_by_text("1 条未读")).to_be_visible()
    if size != "desktop":
        assert small_targets(tab.page) == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=SCREENSHOTS / f"inbox-{size}.png")
    tab.page.get_by_role("button", name="标为已读", exact=True).click()
    expect(tab.page.get_by_text("没有未读消息")).to_be_visible(timeout=_SOON_MS)
    tab.assert_clean()


@pytest.mark.parametrize("size", ["desktop", "small"])
def test_a_text_is_copied_by_its_button(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    account = own_service.account("coordinator", (EAST,))
    tab = open_tab(base_url, size, code=account.code)
    tab.open("/notices")
    tab.page.get_by_role("button", name="复制", exact=True).click()
    expect(tab.page.get_by_role("button", name="已复制")).to_be_visible()
    if size != "desktop":
        assert small_targets(tab.page) == []
    tab.page.screenshot(path=SCREENSHOTS / f"texts-{size}.png")
    tab.page.get_by_role("button", name="已转发").click()
    expect(tab.page.get_by_text("没有待转发的通知")).to_be_visible(timeout=_SOON_MS)
    tab.assert_clean()


@pytest.mark.parametrize("size", ["desktop", "small"])
def test_the_page_of_channels_fits(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    account = own_service.account("administrator", (town.STREET,))
    tab = open_tab(base_url, size, code=account.code)
    tab.open("/admin/notices")
    if size != "desktop":
        assert small_targets(tab.page) == []
    tab.shoot("channels")
    tab.assert_clean()
