"""Taking up an invitation in a browser without a script."""

from typing import Any

import pytest

from tests import town
from tests.api.pages.people import (
    PASSWORD,
    Tab,
    invite,
    set_up,
    words,
)
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, STREET = town.EAST_SHORE, town.STREET
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"


def test_an_invitation_says_whose_it_is_and_signs_in_by_a_password(busy_service: Service) -> None:
    person = invite(busy_service, "contact", EAST, name=EVIL)
    tab = Tab.of(busy_service)
    tab.see("/invite")
    tab.send("/invite", status=200, code=person.code.lower().replace("-", " "))
    assert EVIL in tab.page.words
    assert person.login in tab.page.words
    assert words("role_contact") in tab.page.words
    assert words("password_rules") in tab.page.words
    assert tab.page.scripts == []
    fields: dict[str, Any] = {"code": tab.value("code"), "password": PASSWORD, "again": PASSWORD}
    assert tab.send("/invite/password", **fields) == "/"
    assert EVIL in tab.see("/account").words
    late = Tab.of(busy_service)
    late.see("/invite")
    late.send("/invite", status=401, code=person.code)
    assert words("invite_wrong") in late.page.words


def test_an_invited_administrator_sets_an_authenticator_next(busy_service: Service) -> None:
    person = invite(busy_service, "administrator", STREET, name="陈主任")
    tab = Tab.of(busy_service)
    tab.see("/invite")
    tab.send("/invite", status=200, code=person.code)
    fields: dict[str, Any] = {"code": person.code, "password": PASSWORD, "again": PASSWORD}
    tab.see(tab.send("/invite/password", **fields))
    set_up(tab)
    assert words("accounts_title") in tab.see("/admin").words


@pytest.mark.parametrize(
    ("password", "again", "key"),
    [
        ("kurz", "kurz", "weak_short"),
        ("x" * 201, "x" * 201, "weak_long"),
        ("abababababab", "abababababab", "weak_repeats"),
        ("0123456789", "0123456789", "weak_run"),
        ("password12", "password12", "weak_common"),
        ("wo shi 张三 123", "wo shi 张三 123", "weak_own"),
        (PASSWORD, f"{PASSWORD}!", "weak_differs"),
    ],
)
def test_a_weak_password_is_answered_by_what_is_weak_about_it(
    busy_service: Service, password: str, again: str, key: str
) -> None:
    person = invite(busy_service, "contact", EAST, name="张三")
    tab = Tab.of(busy_service)
    tab.see("/invite")
    tab.send("/invite", status=200, code=person.code)
    fields: dict[str, Any] = {"code": tab.value("code"), "password": password, "again": again}
    tab.send("/invite/password", status=422, **fields)
    assert words(key) in tab.page.words
    assert tab.send("/invite/password", code=person.code, password=PASSWORD, again=PASSWORD) == "/"


@pytest.mark.parametrize("code", ["", "0000-0000-0000-0000", "' OR 1=1 --", "x" * 99, "<b>"])
def test_a_wrong_invitation_code_is_one_sentence(busy_service: Service, code: str) -> None:
    tab = Tab.of(busy_service)
    tab.see("/invite")
    tab.send("/invite", status=401, code=code)
    assert words("invite_wrong") in tab.page.words
