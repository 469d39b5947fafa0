"""Long work in a real Chromium: the bar moves by itself, and the button stops it."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import expect

from gridsvc.db import Interval, Scope
from gridsvc.jobs import service
from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import OpenTab, Visit
from tests.gridsvc.jobs.kinds import COUNT
from tests.gridsvc.jobs.test_worker import working

pytestmark = [pytest.mark.db, pytest.mark.browser]

EAST = town.EAST_SHORE
_SOON_MS = 30_000


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address


def ask(own_service: Service, upto: int) -> UUID:
    scope = Scope("coordinator", (Interval.of(EAST),))
    wanted = {"upto": upto, "wait_s": 0.02}
    with own_service.clone.api.session(scope) as session, session.begin():
        return service.defer(session, COUNT, community_code=EAST, arguments=wanted)


def signed_in(open_tab: OpenTab, own_service: Service, base_url: str, size: str) -> Visit:
    tab = open_tab(base_url, size)
    tab.open(f"/login#{own_service.account('coordinator', (EAST,)).code}")
    tab.page.wait_for_url(f"{base_url}/map")
    return tab


def test_the_bar_moves_and_the_page_says_when_it_is_done(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    job_id = ask(own_service, upto=200)
    tab = signed_in(open_tab, own_service, base_url, "desktop")
    tab.open(f"/jobs/{job_id}")
    expect(tab.page.get_by_text("排队中")).to_be_visible()
    with working(own_service.clone):
        bar = tab.page.locator("progress[value]")
        expect(bar).to_have_attribute("max", "200", timeout=_SOON_MS)
        tab.shoot("job-running")
        expect(tab.page.get_by_text("已完成")).to_be_visible(timeout=_SOON_MS)
    expect(tab.page.locator("progress")).to_have_count(0)
    tab.shoot("job-done")
    tab.assert_clean()
    asked = len(tab.requests)
    tab.page.wait_for_timeout(2500)
    assert len(tab.requests) == asked, "what is over is not asked for again"


@pytest.mark.parametrize("size", ["phone", "small"])
def test_the_button_stops_a_job_on_a_phone(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    job_id = ask(own_service, upto=100_000)
    tab = signed_in(open_tab, own_service, base_url, size)
    with working(own_service.clone):
        tab.open(f"/jobs/{job_id}?lang=en")
        expect(tab.page.locator("progress[value]")).to_be_visible(timeout=_SOON_MS)
        assert small_targets(tab.page) == []
        tab.shoot("job")
        tab.page.get_by_role("button", name="Stop").click()
        expect(tab.page.get_by_text("stopped")).to_be_visible(timeout=_SOON_MS)
    assert tab.page.url == f"{base_url}/jobs/{job_id}?lang=en"
    tab.assert_clean()
