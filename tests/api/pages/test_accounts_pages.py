"""Accounts for administrators: found, invited, changed, shut out; one by one or by a list."""

import re
from typing import Any

import pytest

from tests import town
from tests.api.pages.markup import parse
from tests.api.pages.people import (
    PASSWORD,
    Tab,
    accounts_on,
    invite,
    office,
    settle,
    words,
)
from tests.api.pages.workbook import workbook
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, WEST, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"


# ---- accounts


def test_accounts_are_found_by_words_role_and_community_page_by_page(own_service: Service) -> None:
    for number in range(53):
        invite(own_service, "contact", EAST if number % 2 else WEST, name=f"楼长{number}号")
    invite(own_service, "patrol", WEST, name=EVIL)
    tab = office(own_service)
    page = tab.see("/admin?role=contact")
    assert len(accounts_on(page)) == 50
    last = {name: tab.value(name) for name in ("after_login", "after_id")}
    tab.send("/admin?role=contact&community=", status=200, words="", **last)
    assert len(accounts_on(tab.page)) == 3
    assert words("to_first") in tab.page.words
    assert len(accounts_on(tab.see(f"/admin?community={EAST}"))) == 26 + 1, "and the administrator"
    tab.see("/admin")
    tab.send("/admin?role=&community=", status=200, words="onerror")
    assert EVIL in tab.page.words
    assert len(accounts_on(tab.page)) == 1
    tab.send("/admin?role=&community=", status=200, words="没有这个人")
    assert words("accounts_none") in tab.page.words


def test_somebody_is_invited_changed_disabled_and_let_in_again(busy_service: Service) -> None:
    tab = office(busy_service)
    tab.see("/admin/invite")
    fields: dict[str, Any] = {
        "name": EVIL,
        "role": "contact",
        "login": "zhang.san",
        "territory": [str(EAST)],
    }
    tab.send("/admin/invite", status=200, **fields)
    assert EVIL in tab.page.words
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", tab.page.words)
    assert code
    assert f"/invite#{code[0]}" in tab.page.words
    assert words("key_once") in tab.page.words
    (account,) = accounts_on(tab.page)
    page = tab.see(account)
    assert EVIL in page.words
    assert code[0] not in page.words, "it is shown once"
    assert words("state_invited") in page.words

    fields = {"name": "张三", "role": "planner", "territory": [str(EAST), str(WEST)]}
    assert tab.send(account, **fields) == f"{account}?done=changed"
    page = tab.see(f"{account}?done=changed")
    assert "东岸社区、西桥社区" in page.words
    assert words("role_planner") in page.words

    for deed, done, state in (
        ("disable", "disabled", "state_disabled"),
        ("enable", "enabled", "state_invited"),
    ):
        assert tab.send(f"{account}/{deed}") == f"{account}?done={done}"
        assert words(state) in tab.see(f"{account}?done={done}").words


def test_an_account_disabled_here_is_out_at_its_next_click(busy_service: Service) -> None:
    person = settle(busy_service, "planner", STREET)
    theirs = Tab.of(busy_service)
    theirs.see("/login")
    theirs.send("/login", login=person.login, password=PASSWORD)
    theirs.see("/map")
    tab = office(busy_service)
    tab.see(f"/admin/accounts/{person.id}")
    tab.send(f"/admin/accounts/{person.id}/disable")
    assert theirs.client.get("/map", follow_redirects=False).status_code == 303
    theirs.see("/login")
    theirs.send("/login", status=401, login=person.login, password=PASSWORD)


def test_a_forgotten_password_gives_a_new_code_and_a_lost_phone_a_new_secret(
    own_service: Service,
) -> None:
    person = settle(own_service, "planner", STREET)
    own_service.clone.run("UPDATE gridsvc.account SET totp_is_confirmed = true")
    tab = office(own_service)
    address = f"/admin/accounts/{person.id}"
    tab.see(address)
    assert tab.send(f"{address}/reset-second-factor") == f"{address}?done=reset"
    page = tab.see(f"{address}?done=reset")
    assert words("account_reset") in page.words
    assert f"{address}/reset-second-factor" not in [form["action"] for form in page.all("form")]
    tab.send(f"{address}/invite", status=200)
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", tab.page.words)
    assert code
    theirs = Tab.of(own_service)
    theirs.see("/login")
    theirs.send("/login", status=401, login=person.login, password=PASSWORD)
    theirs.see("/invite")
    theirs.send("/invite", status=200, code=code[0])
    assert person.login in theirs.page.words


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"name": " "}, "list_fault_missing"),
        ({"territory": []}, "list_fault_missing"),
        ({"territory": [str(STREET - 1000)]}, "fault_beyond_territory"),
        ({"login": "x y"}, "list_fault_login_form"),
        ({"role": "emperor"}, "list_fault_unknown_role"),
        ({"login": "taken"}, "fault_login_taken"),
    ],
)
def test_what_cannot_be_is_answered_by_the_form_and_nobody_is_made(
    busy_service: Service, changed: dict[str, str | list[str]], key: str
) -> None:
    taken = invite(busy_service, "planner", STREET).login
    tab = office(busy_service)
    before = busy_service.clone.count("account")
    tab.see("/admin/invite")
    fields: dict[str, Any] = {"name": "张三", "role": "contact", "territory": [str(EAST)]}
    fields |= changed
    if key == "fault_login_taken":
        fields["login"] = taken
    tab.send("/admin/invite", status=409 if "taken" in key else 422, **fields)
    assert words(key) in tab.page.words
    assert tab.value("name") == fields["name"], "what was typed stays"
    assert busy_service.clone.count("account") == before


def test_the_own_account_offers_no_change(busy_service: Service) -> None:
    account = busy_service.account("administrator", (STREET,))
    tab = Tab.of(busy_service, code=account.code)
    page = tab.see(f"/admin/accounts/{account.id}")
    assert words("account_own") in page.words
    assert [form["action"] for form in page.all("form")] == ["/logout"]
    answer = tab.client.post(
        f"/admin/accounts/{account.id}/disable", data={"csrf": tab.value("csrf")}
    )
    assert answer.status_code == 409
    assert words("error_409") in parse(answer.text).words


def test_an_account_of_another_office_is_as_absent_as_one_that_is_not(
    busy_service: Service,
) -> None:
    person = invite(busy_service, "planner", WEST)
    tab = office(busy_service, "administrator", EAST)
    pages = [
        tab.see(f"/admin/accounts/{account_id}", status=404).words
        for account_id in (person.id, town.id_of("nobody"))
    ]
    assert pages[0] == pages[1]
    assert f"/admin/accounts/{person.id}" not in tab.see("/admin").links()


# ---- lists


def sheet(*lines: tuple[object, ...]) -> bytes:
    return workbook([("姓名", "角色", "管辖", "登录名"), *lines])


def test_a_list_becomes_a_sheet_of_cards(busy_service: Service) -> None:
    tab = office(busy_service)
    tab.see("/admin/invite-list")
    content = sheet(("甲", "楼长", EAST, ""), (EVIL, "巡查队", WEST, "patrol.1"))
    tab.send("/admin/invite-list", status=200, files={"file": ("名单.xlsx", content)})
    assert EVIL in tab.page.words
    assert "patrol.1" in tab.page.words
    assert len(re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", tab.page.words)) >= 2
    assert busy_service.clone.count("account", "name = '甲'") == 1


def test_a_faulty_list_names_every_fault_and_invites_nobody(busy_service: Service) -> None:
    tab = office(busy_service)
    before = busy_service.clone.count("account")
    tab.see("/admin/invite-list")
    content = sheet(
        *(("甲", "楼长", EAST, ""), ("", "楼长", EAST, "")),
        *(("丙", "皇帝", 123, ""), ("乙", "楼长", WEST, "x y")),
    )
    tab.send("/admin/invite-list", status=422, files={"file": ("名单.xlsx", content)})
    for key in ("missing", "unknown_role", "no_territory_code", "login_form"):
        assert words(f"list_fault_{key}") in tab.page.words
    assert "4 处问题" in tab.page.words
    assert busy_service.clone.count("account") == before


@pytest.mark.parametrize("content", [b"", b"not a list", b"PK\x03\x04" + b"\x00" * 100])
def test_what_is_no_list_is_said_so(service: Service, content: bytes) -> None:
    tab = office(service)
    tab.see("/admin/invite-list")
    tab.send("/admin/invite-list", status=422, files={"file": ("x.xlsx", content)})
    assert [one["class"] for one in tab.page.all("p") if one.get("role") == "alert"] == ["fault"]
