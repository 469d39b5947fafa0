"""What a reader does with the pages: signs in, looks for a stairwell, goes back."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import COMMUNITY, Server, served
from tests.api.service import serving
from tests.browser import SIZES, OpenTab, Visit
from tests.databases import Clone

pytestmark = [pytest.mark.db, pytest.mark.browser]

EVIL = "</script><img src=x onerror=alert(1)>"

# Where a place is on the screen.
_ON_SCREEN = """place => {
    const point = gridsvc.map.latLngToContainerPoint([place[1], place[0]]);
    const box = gridsvc.map.getContainer().getBoundingClientRect();
    return [box.left + point.x, box.top + point.y];
}"""
_SHOWS = """place => gridsvc.map.getBounds().contains([place[1], place[0]])"""


def one(clone: Clone, question: str) -> tuple[object, ...]:
    """Ask as superuser for one row; ``:own`` is the community of the first coordinator."""
    with clone.root.connect() as connection:
        return tuple(connection.execute(text(question), {"own": COMMUNITY}).one())


def click_on_map(tab: Visit, lon: float, lat: float) -> None:
    tab.page.wait_for_load_state("networkidle")
    x, y = tab.page.evaluate(_ON_SCREEN, [lon, lat])
    tab.page.mouse.click(x, y)


# ---- the way in


def test_a_link_with_a_code_behind_the_hash_signs_in_and_tells_nobody_the_code(
    open_tab: OpenTab, server: Server
) -> None:
    tab = open_tab(server.base_url)
    code = server.codes["street"]
    tab.open(f"/login?next=/results#{code}")
    tab.page.wait_for_url(f"{server.base_url}/results")
    assert not [url for url in tab.requests if code in url.partition("#")[0]]
    # The login page has left the history to the blank page that the tab began with.
    assert tab.page.evaluate("history.length") == 2
    assert code not in tab.page.evaluate("document.referrer")
    tab.page.wait_for_load_state()
    tab.assert_clean()


def test_a_code_typed_in_leads_to_the_map(open_tab: OpenTab, server: Server) -> None:
    tab = open_tab(server.base_url, "phone")
    tab.open("/login")
    tab.page.get_by_label("登录码").fill(server.codes["community"])
    tab.page.get_by_role("button", name="用登录码登录").click()
    tab.page.wait_for_url(f"{server.base_url}/map")
    tab.assert_clean()


@pytest.mark.parametrize("code", ["short", "wrong-but-long-enough"])
def test_a_wrong_code_is_answered_in_a_plain_sentence(
    open_tab: OpenTab, server: Server, code: str
) -> None:
    tab = open_tab(server.base_url)
    tab.open("/login")
    tab.page.get_by_label("登录码").fill(code)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("alert")).to_have_text("登录码不对，或已失效。请核对后再输一次。")
    tab.page.wait_for_timeout(200)
    assert tab.page.url == f"{server.base_url}/login"
    tab.shoot("login-wrong")


def test_who_has_signed_out_is_led_to_login(open_tab: OpenTab, server: Server) -> None:
    tab = open_tab(server.base_url)
    tab.open(f"/login#{server.codes['planner']}")
    tab.page.wait_for_url(f"{server.base_url}/map")
    tab.page.get_by_role("button", name="退出").click()
    tab.page.wait_for_url(f"{server.base_url}/login")
    tab.open("/map?view=heat")
    assert tab.page.url == f"{server.base_url}/login?next=%2Fmap%3Fview%3Dheat"


# ---- the map


@pytest.mark.parametrize("size", SIZES)
def test_a_click_on_a_stairwell_opens_its_card_and_back_closes_it(
    open_tab: OpenTab, server: Server, size: str
) -> None:
    code, lon, lat, name, phone = one(
        server.service.clone,
        "SELECT stairwell.code, ST_X(spot), ST_Y(spot), identity.name, identity.phone_masked"
        " FROM gridsvc.stairwell"
        " CROSS JOIN LATERAL (SELECT ST_PointOnSurface(geom) AS spot) AS inside"
        " JOIN gridsvc.contact ON contact.stairwell_code = stairwell.code"
        " JOIN gridsvc.member_identity AS identity USING (member_id)"
        " WHERE stairwell.community_code = :own ORDER BY stairwell.code LIMIT 1",
    )
    tab = open_tab(server.base_url, size, code=server.codes["community"])
    tab.open("/map?view=coverage")
    stairwells = server.service.clone.count("stairwell", f"community_code = {COMMUNITY}")
    tab.wait_for({"stairwells": stairwells})
    click_on_map(tab, float(str(lon)), float(str(lat)))
    card = tab.page.locator("#stairwell-card")
    expect(card).to_be_visible()
    expect(card).to_contain_text(str(code))
    expect(card).to_contain_text(str(name))
    expect(card).to_contain_text(str(phone))
    assert "****" in str(phone)
    assert f"stairwell={code}" in tab.page.url
    expect(tab.page.locator(".leaflet-popup")).to_have_count(0)
    tab.shoot("stairwell")
    tab.page.go_back()
    expect(card).to_be_hidden()
    expect(tab.page.locator("#list")).to_be_attached()
    tab.page.go_forward()
    expect(card).to_contain_text(str(name))
    tab.assert_clean()


@pytest.mark.parametrize("size", SIZES)
def test_the_address_of_a_stairwell_opens_its_card_and_shows_it(
    open_tab: OpenTab, server: Server, size: str
) -> None:
    code, lon, lat = one(
        server.service.clone,
        "SELECT code, ST_X(ST_Centroid(geom)), ST_Y(ST_Centroid(geom)) FROM gridsvc.stairwell"
        " ORDER BY code DESC LIMIT 1",
    )
    tab = open_tab(server.base_url, size, code=server.codes["street"])
    tab.open(f"/map?stairwell={code}&lang=en")
    expect(tab.page.locator("#stairwell-card")).to_contain_text(str(code))
    tab.page.wait_for_function(_SHOWS, arg=[lon, lat])
    x, y = tab.page.evaluate(_ON_SCREEN, [lon, lat])
    uncovered = "([x, y]) => !document.elementFromPoint(x, y).closest('.panel')"
    tab.page.wait_for_function(uncovered, arg=[x, y])
    tab.page.get_by_role("button", name="Back to the list").click()
    assert "stairwell=" not in tab.page.url
    tab.assert_clean()


def test_a_stairwell_of_a_neighbour_is_not_shown(open_tab: OpenTab, server: Server) -> None:
    (code,) = one(
        server.service.clone,
        "SELECT code FROM gridsvc.stairwell WHERE community_code <> :own LIMIT 1",
    )
    tab = open_tab(server.base_url, code=server.codes["community"])
    tab.open(f"/map?stairwell={code}")
    expect(tab.page.locator("#stairwell-state")).to_have_text("没有读到这个楼道，请再试一次。")
    expect(tab.page.locator("#stairwell-card")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_a_compound_of_the_list_is_shown_on_the_map(
    open_tab: OpenTab, server: Server, size: str
) -> None:
    tab = open_tab(server.base_url, size, code=server.codes["street"])
    tab.open("/map")
    zoom = tab.page.evaluate("gridsvc.map.getZoom()")
    if size == "phone":
        tab.page.get_by_role("button", name="列表").click()
    row = tab.page.locator("#list .item").nth(3)
    box = [float(edge) for edge in str(row.get_attribute("data-box")).split()]
    row.click()
    tab.page.wait_for_function("from => gridsvc.map.getZoom() > from", arg=zoom)
    assert tab.page.evaluate(_SHOWS, [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    assert f"compound={row.get_attribute('data-compound')}" in tab.page.url
    tab.page.go_back()
    assert tab.page.url == f"{server.base_url}/map"
    tab.assert_clean()


def test_a_community_is_chosen_and_the_choice_is_in_the_address(
    open_tab: OpenTab, server: Server
) -> None:
    tab = open_tab(server.base_url, code=server.codes["street"])
    tab.open("/map?view=coverage")
    tab.page.locator("#community").select_option("翠颐")
    tab.page.wait_for_url(f"{server.base_url}/map?view=coverage&community={COMMUNITY}")
    stairwells = server.service.clone.count("stairwell", f"community_code = {COMMUNITY}")
    expect(tab.page.locator("h1")).to_contain_text(str(stairwells))
    tab.page.get_by_role("link", name="热力").click()
    tab.page.wait_for_url(f"{server.base_url}/map?view=heat&community={COMMUNITY}")
    expect(tab.page.locator("#community")).to_have_value(str(COMMUNITY))
    tab.page.locator("#community").select_option("全部社区")
    tab.page.wait_for_url(f"{server.base_url}/map?view=heat")
    tab.assert_clean()


@pytest.mark.usefixtures("tonight")
def test_a_team_of_the_list_comes_to_the_front(open_tab: OpenTab, server: Server) -> None:
    tab = open_tab(server.base_url, code=server.codes["street"])
    tab.open("/map?view=routes")
    row = tab.page.locator(".item[data-team]").first
    tab.page.evaluate(
        "void document.addEventListener('gridsvc:team', event => window.told = event.detail.team)"
    )
    row.click()
    assert tab.page.evaluate("window.told") == row.get_attribute("data-team")
    expect(row).to_have_attribute("aria-current", "true")
    tab.shoot("team")
    tab.assert_clean()


def test_every_target_on_a_phone_is_large_enough_for_a_thumb(
    open_tab: OpenTab, server: Server
) -> None:
    for path in ("/", "/map", "/map?view=routes", "/results"):
        tab = open_tab(server.base_url, "phone", code=server.codes["street"])
        tab.open(path)
        if path.startswith("/map"):
            tab.page.get_by_role("button", name="列表").click()
        assert small_targets(tab.page) == [], path


# ---- words of users


@pytest.fixture
def evil_town(own_town: Clone) -> Clone:
    """A town where every name tries to be markup."""
    own_town.run("DELETE FROM gridsvc.contact WHERE right(stairwell_code, 2) = '03'")
    with own_town.root.begin() as connection:
        for table in ("community", "compound", "building", "member_identity", "patrol_team"):
            connection.execute(
                text(f"UPDATE gridsvc.{table} SET name = :name || name"),  # noqa: S608 - words of the test
                {"name": EVIL},
            )
    return own_town


@pytest.mark.parametrize("path", ["/", "/map?view=coverage", "/map?view=heat", "/map?view=routes"])
def test_a_name_never_becomes_markup(open_tab: OpenTab, evil_town: Clone, path: str) -> None:
    with serving(evil_town) as service, served(service) as base_url:
        code = service.account("coordinator", (town.STREET,)).code
        tab = open_tab(base_url, code=code)
        tab.open(path)
        tab.page.wait_for_load_state("networkidle")
        assert EVIL in str(tab.page.text_content("body"))
        assert tab.page.locator("img[src='x']").count() == 0
        if "coverage" in path:
            search_and_open(tab)
        tab.assert_clean()


def search_and_open(tab: Visit) -> None:
    """Find a compound by its name, then look at the card of a stairwell in it."""
    tab.page.get_by_role("combobox", name="搜索小区").fill("东苑")
    option = tab.page.locator("#gridsvc-found [role=option]").first
    expect(option).to_contain_text(EVIL)
    option.click()
    assert f"compound={town.EAST_SHORE}" in tab.page.url
    stairwell = town.stairwell_code(town.EAST_SHORE)
    tab.open(f"/map?stairwell={stairwell}")
    card = tab.page.locator("#stairwell-card")
    expect(card).to_contain_text(stairwell)
    expect(card.locator("h2")).to_contain_text(EVIL)
    assert tab.page.locator("img[src='x']").count() == 0
