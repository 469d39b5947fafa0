"""The pages of the office: whom they open for, their form, and the table of rules."""

import re

import pytest
from starlette.testclient import TestClient

from api.rules import RULES
from gridsvc.access.model import ROLES, STAFF_ROLES
from tests import town
from tests.api.pages.markup import parse
from tests.api.pages.people import (
    BROWSER,
    office,
    words,
)
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST = town.EAST_SHORE
ADMINISTRATION = ("/admin", "/admin/invite", "/admin/invite-list")
STAFF_PAGES = ("/admin/members", "/admin/audit")
ALL_PAGES = (*ADMINISTRATION, *STAFF_PAGES, "/admin/rules", "/account")


# ---- who may see what


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_the_office_open_for_the_roles_of_their_rules(service: Service, role: str) -> None:
    tab = office(service, role, EAST)
    for path in ALL_PAGES:
        allowed = RULES[f"GET {path}"].roles
        page = tab.see(path, status=200 if role in allowed else 403)
        if role not in allowed:
            assert words("error_403") in page.words
        offered = {link for link in page.links() if link in ALL_PAGES}
        open_to = {link for link in offered if role in RULES[f"GET {link}"].roles}
        assert offered == open_to, "no page leads where its reader may not go"
    assert ("/admin/members" in tab.see("/account").links()) == (role == "coordinator")


@pytest.mark.parametrize("path", ALL_PAGES)
def test_a_visitor_is_led_to_login_and_back(service: Service, path: str) -> None:
    answer = service.visitor().get(path, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ALL_PAGES)
def test_pages_speak_both_languages_and_hold_no_inline_handlers(
    service: Service, path: str, language: str
) -> None:
    tab = office(service)
    answer = tab.client.get(f"{path}?lang={language}")
    page = parse(answer.text)
    assert words("skip", language) in page.words
    other = "en" if language == "zh" else "zh"
    assert words("skip", other) not in page.words
    assert f"{path}?lang={other}" in page.links()
    attributes = {name for _, found in page.elements for name in found}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    assert page.scripts == []
    assert "unsafe" not in answer.headers["content-security-policy"]


# Those of pages: programs get their own kind of refusal.
FORMS = [
    key
    for key in RULES
    if key.startswith("POST /") and not key.startswith(("POST /api/", "POST /open311/"))
]


@pytest.mark.parametrize("rule", FORMS)
def test_no_form_of_a_signed_in_browser_counts_without_the_token_of_a_page(
    service: Service, rule: str
) -> None:
    tab = office(service)
    path = re.sub(r"\{\w+\}", str(town.id_of("nothing")), rule.removeprefix("POST "))
    for token in ({}, {"csrf": "0" * 64}):
        answer = tab.client.post(path, data=token)
        assert answer.status_code == 403
        assert words("error_stale") in parse(answer.text).words
    tab.see("/account")  # and nobody was signed out


# ---- rules


def test_the_page_of_rules_has_a_row_for_every_rule(service: Service) -> None:
    page = office(service, "resident", EAST).see("/admin/rules")
    for key in RULES:
        assert key in page.words
    ticks = [one for one in page.all("span") if one.get("class") == "state-fine"]
    expected = sum(
        len(rule.roles)
        + rule.is_open
        + (rule.is_open or (key.startswith("GET") and rule.is_for_keys and "planner" in rule.roles))
        for key, rule in RULES.items()
    )
    assert len(ticks) == expected
    assert "Return one compound" in page.words, "what the document says of it"


def test_a_browser_without_modern_headers_is_refused_rather_than_trusted(
    service: Service,
) -> None:
    tab = office(service)
    tab.see("/account")
    bare = TestClient(service.witness, headers=BROWSER, cookies=dict(tab.client.cookies))
    answer = bare.post("/logout", data={"csrf": tab.value("csrf")})
    assert answer.status_code == 403


def test_only_staff_find_the_office_in_their_links() -> None:
    for role in ROLES:
        allowed = {key for key, rule in RULES.items() if "/admin" in key and role in rule.roles}
        assert (len(allowed) > 1) == (role in STAFF_ROLES)
