"""Household contacts in a real Chromium: a plan worked through, coverage, the own stairwells."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import OpenTab, Visit
from tests.gridsvc.contacts.steps import coordinator, leads, propose, shuffle

pytestmark = [pytest.mark.db, pytest.mark.browser]

A = town.EAST_SHORE


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with town.job_session(own_service.clone.job) as session, session.begin():
        shuffle(session)
    with served(own_service) as address:
        yield address


@pytest.fixture
def plan(own_service: Service, base_url: str) -> str:
    """The address of a plan that waits for a review."""
    assert base_url
    with coordinator(own_service.clone) as session, session.begin():
        return f"/contacts/plans/{propose(session).id}"


def signed_in(open_tab: OpenTab, own_service: Service, base_url: str, size: str) -> Visit:
    return open_tab(base_url, size, code=own_service.account("coordinator", (A,)).code)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_line_is_explained_in_place_and_overridden(
    open_tab: OpenTab, own_service: Service, base_url: str, plan: str, size: str
) -> None:
    tab = signed_in(open_tab, own_service, base_url, size)
    tab.open("/contacts")
    tab.shoot("contacts-plans")
    tab.open(plan)
    tab.shoot("contacts-plan")
    tab.page.get_by_role("link", name="原因与改选").first.click()
    detail = tab.page.locator(".detail")
    expect(detail).to_have_count(1)
    expect(detail.get_by_text("为什么是这位")).to_be_visible()
    tab.shoot("contacts-line")
    assert tab.page.url == f"{base_url}{plan}", "the page stays where it was"
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.page.get_by_text("缺多少人").click()
    expect(tab.page.get_by_text("每个小区的人手都够。")).to_be_visible()
    detail.get_by_role("button", name="改选").first.click()
    expect(tab.page.get_by_text("已改选，以后的方案也照此办理。")).to_be_visible()
    tab.assert_clean()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_coverage_has_a_map_and_the_list_leads_to_a_hand_over(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    with coordinator(own_service.clone) as session:
        lead = leads(session)[town.stairwell_code(A, compound=2)]
    own_service.clone.run(
        "INSERT INTO gridsvc.member_absence (community_code, id, member_id, kind, valid) VALUES"  # noqa: S608 - ids
        f" ({A}, gen_random_uuid(), '{lead}', 'ill', daterange(CURRENT_DATE, CURRENT_DATE + 9))"
    )
    tab = signed_in(open_tab, own_service, base_url, size)
    tab.open("/contacts/coverage")
    tab.page.wait_for_function("window.gridsvc && window.gridsvc.map")
    tab.shoot("contacts-coverage")
    tab.page.get_by_role("link", name="交接").first.click()
    expect(tab.page.get_by_label("到哪天为止")).not_to_have_value("")
    tab.shoot("contacts-hand-over")
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.assert_clean()


def test_the_own_stairwells_fit_a_phone(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    account = own_service.account("contact", (A,))
    with coordinator(own_service.clone) as session:
        lead = leads(session)[town.stairwell_code(A, compound=2)]
    own_service.clone.run(
        f"UPDATE gridsvc.account SET person_id = '{lead}' WHERE id = '{account.id}'"  # noqa: S608 - ids
    )
    tab = open_tab(base_url, "phone", code=account.code)
    tab.open("/my-stairwells")
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("联系人")
    assert small_targets(tab.page) == []
    tab.shoot("contacts-own")
    tab.assert_clean()
