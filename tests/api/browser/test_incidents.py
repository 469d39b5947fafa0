"""Incidents in a real Chromium: a list by keyboard, kept filters, a party's link on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import OpenTab, Visit

pytestmark = [pytest.mark.db, pytest.mark.browser]

A = town.EAST_SHORE
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address


def reported(service: Service, summary: str) -> dict[str, Any]:
    lon, lat = town.place(A, 10, 15)
    body = {"category_code": "sanitation.drains", "summary": summary, "lon": lon, "lat": lat}
    found: dict[str, Any] = (
        service.caller("coordinator", A).post("/api/v1/incidents", json=body).json()
    )
    return found


def signed_in(open_tab: OpenTab, own_service: Service, base_url: str, size: str) -> Visit:
    return open_tab(base_url, size, code=own_service.account("coordinator", (A,)).code)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_list_is_worked_through_and_an_incident_taken_on(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    incident = reported(own_service, EVIL)
    tab = signed_in(open_tab, own_service, base_url, size)
    tab.open("/incidents?list=unassigned")
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("还没派单")
    tab.shoot("incidents-list")
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.open(f"/incidents/{incident['id']}")
    tab.page.get_by_text("派单", exact=True).first.click()
    tab.page.locator("#handler").select_option(label="安居物业 · 物业公司")
    tab.page.get_by_role("button", name="派单").click()
    expect(tab.page.locator(".lead")).to_contain_text("已派单")
    expect(tab.page.locator(".events li")).to_have_count(3)
    tab.shoot("incident")
    if size == "phone":
        assert small_targets(tab.page) == []
    assert tab.page.locator("main img").count() == 0, "what people write is not executed"
    tab.assert_clean()


def test_a_list_is_gone_through_by_keys_and_its_filter_is_kept(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    reported(own_service, "第一处")
    tab = signed_in(open_tab, own_service, base_url, "desktop")
    tab.open("/incidents?list=unassigned")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    expect(tab.page.locator("tr.here input[type=checkbox]")).to_be_checked()
    tab.page.keyboard.press("j")
    expect(tab.page.locator("#work tbody tr").nth(1)).to_have_class("here")
    tab.page.keyboard.press("k")
    expect(tab.page.locator("#work tbody tr").first).to_have_class("here")
    tab.open("/incidents?list=open&class=sanitation")
    tab.page.locator("#saved input").fill("卫生")
    tab.page.get_by_role("button", name="保存当前筛选").click()
    tab.open("/incidents?list=mine")
    tab.page.get_by_role("link", name="卫生", exact=True).click()
    assert tab.page.url.endswith("/incidents?list=open&class=sanitation")
    tab.page.get_by_role("button", name="删除 卫生").click()
    expect(tab.page.locator("#saved li")).to_have_count(0)
    tab.page.locator("#work tbody a").first.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_text("下一步")).to_be_visible()


def test_a_party_opens_its_link_on_a_phone_and_answers(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    incident = reported(own_service, "三号楼下水道堵了")
    client = own_service.caller("coordinator", A)
    path = f"/api/v1/incidents/{incident['id']}"
    step = {"step": "assign", "party_id": str(town.id_of("party", A))}
    client.post(f"{path}/steps", json=step, headers={"If-Match": '"v1"'})
    token = client.post(f"{path}/links").json()["url"].partition("#")[2]
    tab = open_tab(base_url, "phone")
    tab.open(f"/handed#{token}")
    expect(tab.page.get_by_text("三号楼下水道堵了")).to_be_visible()
    assert token not in tab.page.url
    assert all(token not in url for url in tab.requests)
    assert small_targets(tab.page) == []
    tab.shoot("handed")
    tab.page.get_by_label("说明").fill("已疏通")
    tab.page.get_by_role("button", name="办结").click()
    expect(tab.page.get_by_text("已疏通")).to_be_visible()
    assert client.get(path).json()["status"] == "resolved"
    tab.assert_clean()
