"""The own account: what is signed in, the password, keys."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from gridsvc.access.model import KEY_ROLES, ROLES
from tests import town
from tests.api.pages.people import PASSWORD, Tab, settle, words
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, WEST, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
OTHER = "另一只猫 on the roof 2021"


def enter(service: Service, login: str, password: str = PASSWORD) -> Tab:
    tab = Tab.of(service)
    tab.see("/login")
    assert tab.send("/login", login=login, password=password) == "/"
    return tab


@pytest.mark.parametrize("role", ROLES)
def test_everybody_sees_name_role_and_territory_in_words(service: Service, role: str) -> None:
    page = Tab.of(service, code=service.account(role, (EAST, WEST)).code).see("/account")
    assert words(f"role_{role}") in page.words
    assert "东岸社区、西桥社区" in page.words
    assert (words("keys_title") in page.words) == (role in KEY_ROLES)
    assert "/admin/rules" in page.links()


def test_a_whole_sub_district_is_said_in_words(service: Service) -> None:
    page = Tab.of(service, code=service.account("planner", (STREET,)).code).see("/account")
    assert "整个街道（2 个社区）" in page.words


def test_another_browser_is_listed_and_signed_out(busy_service: Service) -> None:
    person = settle(busy_service, "planner", STREET)
    here, there = enter(busy_service, person.login), enter(busy_service, person.login)
    page = here.see("/account")
    assert [one.get("class") for one in page.all("span")].count("tag") == 1, "this one"
    ends = [form["action"] for form in page.all("form") if form["action"].endswith("/end")]
    assert len(ends) == 2, "the other browser, and the one that took up the invitation"
    for action in ends:
        here.see("/account")
        assert here.send(action) == "/account?done=ended"
    assert there.client.get("/account", follow_redirects=False).status_code == 303
    assert words("done_ended") in here.see("/account?done=ended").words


def test_everything_else_is_signed_out_at_once(busy_service: Service) -> None:
    person = settle(busy_service, "planner", STREET)
    here, there = enter(busy_service, person.login), enter(busy_service, person.login)
    here.see("/account")
    assert here.send("/account/sign-ins/end-others") == "/account?done=ended-others"
    assert there.client.get("/account", follow_redirects=False).status_code == 303
    page = here.see("/account")
    assert "/account/sign-ins/end-others" not in [form["action"] for form in page.all("form")]


def test_somebody_elses_sign_in_is_not_found(busy_service: Service) -> None:
    one, other = settle(busy_service, "planner", STREET), settle(busy_service, "planner", STREET)
    enter(busy_service, other.login)
    with busy_service.clone.root.connect() as connection:
        taken = connection.exec_driver_sql(
            "SELECT id FROM gridsvc.sign_in WHERE account_id = %s", (other.id,)
        ).scalars()
        ids = list(taken)
    tab = enter(busy_service, one.login)
    tab.see("/account")
    token = tab.value("csrf")
    for sign_in_id in ids:
        answer = tab.client.post(f"/account/sign-ins/{sign_in_id}/end", data={"csrf": token})
        assert answer.status_code == 404
    assert busy_service.clone.count("sign_in", f"account_id = '{other.id}'") == len(ids) > 0


def test_a_new_password_counts_from_now_on_and_ends_the_others(busy_service: Service) -> None:
    person = settle(busy_service, "planner", STREET)
    here, there = enter(busy_service, person.login), enter(busy_service, person.login)
    for old, new, again, status, key in (
        ("wrong-wrong-wrong", OTHER, OTHER, 401, "password_old_wrong"),
        (PASSWORD, OTHER, OTHER + "?", 422, "weak_differs"),
        (PASSWORD, PASSWORD, PASSWORD, 422, "weak_same"),
        (PASSWORD, "0123456789", "0123456789", 422, "weak_run"),
    ):
        here.see("/account")
        here.send("/account/password", status=status, old=old, password=new, again=again)
        assert words(key) in here.page.words
    here.see("/account")
    fields: dict[str, Any] = {"old": PASSWORD, "password": OTHER, "again": OTHER}
    assert here.send("/account/password", **fields) == "/account?done=password"
    assert words("done_password") in here.see("/account?done=password").words
    assert there.client.get("/account", follow_redirects=False).status_code == 303
    enter(busy_service, person.login, OTHER)


def test_a_key_is_shown_once_reads_and_is_revoked(busy_service: Service) -> None:
    tab = Tab.of(busy_service, code=busy_service.account("planner", (STREET,)).code)
    tab.see("/account")
    name = "<script>QGIS</script>"
    tab.send("/account/keys", status=200, name=name, territory=str(EAST), days="30")
    key = re.search(r"gk_[0-9a-f]{16}_[\w-]{43}", tab.page.words)
    assert key
    assert name in tab.page.words
    assert words("key_once") in tab.page.words
    script = TestClient(busy_service.witness, headers={"Authorization": f"Bearer {key[0]}"})
    compounds = script.get("/api/v1/compounds").json()["items"]
    assert {one["community_code"] for one in compounds} == {EAST}
    page = tab.see("/account")
    assert key[0] not in page.words
    assert "东岸社区" in page.words
    action = f"/account/keys/{key[0].split('_')[1]}/revoke"
    assert tab.send(action) == "/account?done=revoked"
    assert script.get("/api/v1/compounds").status_code == 401


def test_a_key_cannot_reach_beyond_its_owner(own_service: Service) -> None:
    tab = Tab.of(own_service, code=own_service.account("planner", (EAST,)).code)
    tab.see("/account")
    tab.send("/account/keys", status=422, name="QGIS", territory=str(WEST), days="30")
    assert words("fault_beyond_territory") in tab.page.words
    assert own_service.clone.count("api_key") == 0


def test_a_role_without_keys_cannot_make_one(busy_service: Service) -> None:
    tab = Tab.of(busy_service, code=busy_service.account("contact", (EAST,)).code)
    tab.see("/account")
    fields: dict[str, Any] = {"csrf": tab.value("csrf"), "name": "QGIS", "days": "30"}
    assert tab.client.post("/account/keys", data=fields).status_code == 403


def test_who_was_disabled_is_out_at_the_next_click(own_service: Service) -> None:
    person = settle(own_service, "planner", STREET)
    tab = enter(own_service, person.login)
    tab.see("/account")
    own_service.clone.run("UPDATE gridsvc.account SET is_disabled = true")
    assert tab.send("/account/sign-ins/end-others") == "/login"
    tab.see("/login")
    tab.send("/login", status=401, login=person.login, password=PASSWORD)
