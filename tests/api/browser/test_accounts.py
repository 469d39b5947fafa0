"""Accounts in a real Chromium: invited, signed in, disabled; a key, a lost session, thumbs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.pages.people import PASSWORD, Authenticator, invite, settle
from tests.api.service import Service
from tests.browser import OpenTab, Visit

pytestmark = [pytest.mark.db, pytest.mark.browser]

EAST, STREET = town.EAST_SHORE, town.STREET


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address


def sign_in(tab: Visit, login: str, password: str = PASSWORD) -> None:
    tab.open("/login")
    tab.page.get_by_label("登录名").fill(login)
    tab.page.get_by_label("密码").fill(password)
    tab.page.get_by_role("button", name="登录", exact=True).click()


def choose_password(page: Page) -> None:
    page.get_by_label("新密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输一次新密码").fill(PASSWORD)
    page.get_by_role("button", name="保存并继续").click()


def set_up(tab: Visit) -> Authenticator:
    """Read the secret off the page, and type its code."""
    secret = tab.page.locator(".secret code").inner_text()
    phone = Authenticator(secret.replace(" ", ""))
    tab.page.get_by_label("6 位验证码").fill(phone.code())
    tab.page.get_by_role("button", name="登录").click()
    return phone


@pytest.mark.parametrize("size", ["phone", "small"])
def test_from_the_card_to_the_first_page_on_a_phone(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    person = invite(own_service, "coordinator", EAST, name="李网格")
    tab = open_tab(base_url, size)
    tab.open(f"/invite#{person.code}")
    expect(tab.page.get_by_text(person.login)).to_be_visible()
    assert not [url for url in tab.requests if person.code in url.partition("#")[0]]
    assert person.code not in tab.page.url
    assert small_targets(tab.page) == []
    tab.shoot("invite-password")
    choose_password(tab.page)
    tab.page.wait_for_url(f"{base_url}/login/second-factor")
    assert small_targets(tab.page) == []
    tab.assert_clean()
    tab.shoot("second-factor")
    set_up(tab)
    tab.page.wait_for_url(f"{base_url}/")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("今天先看什么")
    tab.assert_clean()
    tab.open("/account")
    expect(tab.page.get_by_text("东岸社区")).to_have_count(2)  # the territory, and a key's choice
    assert small_targets(tab.page) == []
    tab.assert_clean()
    tab.page.get_by_role("button", name="在本机退出").click()
    tab.page.wait_for_url(f"{base_url}/login")
    tab.open("/account")
    assert tab.page.url == f"{base_url}/login?next=%2Faccount"
    tab.assert_clean()


def test_a_code_typed_without_a_link_is_taken_as_well(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    person = invite(own_service, "contact", EAST)
    tab = open_tab(base_url, "phone")
    tab.open("/login")
    tab.page.get_by_role("link", name="我收到了邀请码").click()
    tab.page.get_by_label("邀请码").fill(person.code.lower())
    tab.page.get_by_role("button", name="下一步").click()
    choose_password(tab.page)
    tab.page.wait_for_url(f"{base_url}/")
    tab.assert_clean()


def test_a_wrong_password_and_then_too_many_of_them_are_said_beside_the_form(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    person = settle(own_service, "planner", STREET)
    tab = open_tab(base_url, "phone")
    sign_in(tab, person.login, "wrong-wrong-wrong")
    alert = tab.page.get_by_role("alert")
    expect(alert).to_have_text("登录名或密码不对，请核对后再输一次。")
    expect(tab.page.get_by_label("登录名")).to_have_value(person.login)
    expect(tab.page.get_by_label("密码")).to_have_value("")
    for _ in range(8):
        tab.page.get_by_label("密码").fill("wrong-wrong-wrong")
        tab.page.get_by_role("button", name="登录", exact=True).click()
        if "秒" in alert.inner_text():
            break
    expect(alert).to_have_text(re.compile(r"试的次数太多，请等 \d+ 秒再试。"))
    assert tab.page.evaluate("window.violations") == []
    assert tab.outside() == []


def test_an_administrator_invites_and_disables_and_the_other_is_out_at_the_next_click(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    code = own_service.account("administrator", (STREET,)).code
    tab = open_tab(base_url, code=code)
    tab.open("/admin")
    tab.page.get_by_role("link", name="邀请一位").click()
    tab.page.get_by_label("姓名").fill("周规划")
    tab.page.get_by_label("角色").select_option(label="规划员")
    tab.page.get_by_label("西桥社区").check()
    tab.page.get_by_role("button", name="建立账户").click()
    login, invitation = (tab.page.locator(".once .code").nth(at).inner_text() for at in (0, 1))
    expect(tab.page.locator(".once .qr svg")).to_be_visible()
    tab.assert_clean()

    theirs = open_tab(base_url, "phone")
    theirs.open(f"/invite#{invitation}")
    choose_password(theirs.page)
    theirs.page.wait_for_url(f"{base_url}/")
    expect(theirs.page.get_by_role("heading", level=1)).to_have_text("数据与热力")

    tab.page.get_by_role("link", name="查看账户").click()
    tab.page.get_by_role("button", name="停用账户").click()
    expect(tab.page.get_by_role("status")).to_have_text("账户已停用。")
    tab.assert_clean()
    theirs.page.get_by_role("link", name="地图").click()
    theirs.page.wait_for_url(f"{base_url}/login?next=%2Fmap")
    theirs.assert_clean()
    sign_in(theirs, login)
    expect(theirs.page.get_by_role("alert")).to_be_visible()


def test_a_key_is_made_once_and_gone_after_a_reload(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    code = own_service.account("planner", (STREET,)).code
    tab = open_tab(base_url, "small", code=code)
    tab.open("/account")
    tab.page.get_by_label("用在哪里").fill("<script>QGIS</script>")
    tab.page.get_by_role("button", name="新建密钥").click()
    secret = tab.page.locator(".once .code").inner_text()
    assert re.fullmatch(r"gk_[0-9a-f]{16}_[\w-]{43}", secret)
    tab.assert_clean()
    tab.open("/account")
    expect(tab.page.get_by_text(secret[:19])).to_be_visible()
    assert secret not in tab.page.content()
    tab.page.get_by_role("button", name="作废").click()
    expect(tab.page.get_by_role("status")).to_have_text("密钥已作废。")
    expect(tab.page.get_by_text(secret[:19])).to_have_count(0)
    tab.assert_clean()


def test_a_phone_is_shown_after_a_purpose_was_chosen(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    code = own_service.account("coordinator", (EAST,)).code
    tab = open_tab(base_url, code=code)
    tab.open("/admin/members")
    tab.page.get_by_label("姓名，或打码的电话").fill("甲1")
    tab.page.get_by_role("button", name="搜索").click()
    expect(tab.page.get_by_text("154****0001")).to_be_visible()
    tab.page.get_by_role("button", name="显示电话").click()
    expect(tab.page.get_by_text("15400000001")).to_have_count(0)  # the browser asks for a purpose
    tab.page.get_by_label("用途").select_option(label="处理事项")
    tab.page.get_by_role("button", name="显示电话").click()
    expect(tab.page.get_by_text("15400000001")).to_be_visible()
    tab.assert_clean()


@pytest.mark.parametrize("size", ["desktop", "phone", "small"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_of_the_office_is_wider_than_its_screen_or_complains(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str, language: str
) -> None:
    for _ in range(3):
        invite(own_service, "contact", EAST, name="一位名字很长很长很长很长的楼长" * 3)
    code = own_service.account("administrator", (STREET,)).code
    tab = open_tab(base_url, size, code=code)
    for path in (
        *("/admin", "/admin/invite", "/admin/invite-list", "/admin/members"),
        *("/admin/audit", "/admin/rules", "/account", "/login", "/invite"),
    ):
        tab.open(f"{path}?lang={language}")
        tab.assert_clean()
        if size != "desktop":
            assert small_targets(tab.page) == [], path
        if language == "zh":
            tab.shoot(path.strip("/").replace("/", "-"))
