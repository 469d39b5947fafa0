"""The way in as a browser without a script takes it: password, second factor, invitation."""

import re

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import PENDING, SESSION
from gridsvc.errors import WeakPasswordError
from gridsvc.settings import Settings
from tests import town
from tests.api.pages.markup import parse
from tests.api.pages.people import (
    BROWSER,
    OWN_FORM,
    PASSWORD,
    Authenticator,
    Tab,
    invite,
    set_up,
    settle,
    words,
)
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, STREET = town.EAST_SHORE, town.STREET


# ---- password


def test_a_planner_signs_in_by_password_alone(
    busy_service: Service,
) -> None:
    person = settle(busy_service, "planner", STREET, name="周规划")
    tab = Tab.of(busy_service)
    tab.see("/login")
    assert tab.send("/login", login=f" {person.login.upper()} ", password=PASSWORD) == "/"
    assert "周规划" in tab.see("/").words
    assert "您已登录：周规划" in tab.see("/login").words


def test_the_goal_of_the_address_comes_after_password_and_second_factor(
    busy_service: Service,
) -> None:
    person = settle(busy_service, "coordinator", EAST)
    tab = Tab.of(busy_service)
    tab.see("/login?next=/results")
    leads = tab.send("/login", login=person.login, password=PASSWORD, next=tab.value("next"))
    assert leads == "/login/second-factor?next=%2Fresults"
    tab.see(leads)
    secret = re.search(r"[A-Z2-7]{4}( [A-Z2-7]{4}){7}", tab.page.words)
    assert secret
    code = Authenticator(secret[0].replace(" ", "")).code()
    assert tab.send("/login/second-factor", one_time_code=code, next=tab.value("next")) == (
        "/results"
    )


@pytest.mark.parametrize(
    ("login", "password"),
    [("nobody-of-here", PASSWORD), ("", ""), ("' OR 1=1 --", "x' OR 'a'='a"), ("<script>", "x")],
)
def test_what_opens_nothing_is_one_sentence_whatever_was_wrong(
    busy_service: Service, login: str, password: str
) -> None:
    tab = Tab.of(busy_service)
    tab.see("/login")
    tab.send("/login", status=401, login=login, password=password)
    assert words("login_wrong") in tab.page.words
    assert tab.value("login") == login, "the login need not be typed again"
    assert [field for field in tab.page.all("input") if field.get("value") == password != ""] == []
    assert not tab.client.cookies


def test_a_wrong_password_of_somebody_known_is_the_same_sentence(own_service: Service) -> None:
    person = settle(own_service, "planner", STREET)
    known, unknown = Tab.of(own_service), Tab.of(own_service)
    for tab, login in ((known, person.login), (unknown, "x" * len(person.login))):
        tab.see("/login")
        tab.send("/login", status=401, login=login, password="wrong-wrong-wrong")  # noqa: S106
    assert known.page.words == unknown.page.words


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh", "请等 {n} 秒再试"), ("en", r"wait {n} seconds?, then try again")],
)
def test_who_tries_too_often_is_told_how_long_to_wait(
    busy_service: Service, language: str, sentence: str
) -> None:
    person = settle(busy_service, "planner", STREET)
    tab = Tab.of(busy_service)
    form = {"login": person.login, "password": "wrong-wrong-wrong"}
    address = f"/login?lang={language}"
    answers = [tab.client.post(address, data=form) for _ in range(9)]
    late = [answer for answer in answers if answer.status_code == 429]
    for answer in late:
        wait = sentence.format(n=answer.headers["retry-after"])
        assert re.search(wait, parse(answer.text).words)
    assert words("login_password", language) in parse(late[0].text).words, "the form is still there"
    assert len(late) > 1, "and the gate before the form says the same"


def test_login_codes_are_offered_and_taken_in_development_only(busy_service: Service) -> None:
    code = busy_service.account("coordinator", (EAST,)).code
    app = create_app(Settings(development_login=False), busy_service.clone.api, town.VAULT)
    visitor = TestClient(app, headers=OWN_FORM)
    assert words("login_code") not in parse(visitor.get("/login").text).words
    assert visitor.post("/login", data={"code": code}).status_code == 401


def test_single_sign_on_is_offered_where_there_is_a_provider(busy_service: Service) -> None:
    settings = Settings(
        oidc_issuer="https://sso.example", oidc_client_id="grid", oidc_name="桂城通"
    )
    visitor = TestClient(create_app(settings, busy_service.clone.api, town.VAULT), headers=OWN_FORM)
    page = parse(visitor.get("/login?next=/results").text)
    assert "用 桂城通 登录" in page.words
    assert "/sso/start?next=/results" in page.links()
    for fault in ("refused", "unavailable"):
        shown = parse(visitor.get(f"/login?sso={fault}").text).words
        assert words(f"login_sso_{fault}") in shown
    person = invite(busy_service, "planner", STREET)
    asked = parse(visitor.post("/invite", data={"code": person.code}).text)
    assert "/sso/start" in [form["action"] for form in asked.all("form")]
    assert Tab.of(busy_service).see("/login").links().count("/sso/start") == 0


# ---- second factor


def test_a_coordinator_sets_an_authenticator_once_and_is_asked_for_it_from_then_on(
    busy_service: Service,
) -> None:
    person = settle(busy_service, "coordinator", EAST, name="李网格")
    tab = Tab.of(busy_service)
    tab.see("/login")
    assert tab.send("/login", login=person.login, password=PASSWORD) == "/login/second-factor"
    page = tab.see("/login/second-factor")
    assert [one for one in page.all("svg") if "segno" in one.get("class", "")], "a QR code"
    field = next(one for one in page.all("input") if one.get("name") == "one_time_code")
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    phone = set_up(tab)
    assert "李网格" in tab.see("/").words
    assert PENDING not in tab.client.cookies

    again = Tab.of(busy_service)
    again.see("/login")
    again.see(again.send("/login", login=person.login, password=PASSWORD))
    assert phone.secret[:4] not in again.page.words, "the secret is shown once"
    again.send("/login/second-factor", status=401, one_time_code="000000")
    assert words("second_factor_wrong") in again.page.words
    code = phone.code()
    assert again.send("/login/second-factor", one_time_code=f" {code[:3]} {code[3:]}") == "/"


def test_a_password_alone_opens_no_page_of_a_coordinator(busy_service: Service) -> None:
    person = settle(busy_service, "coordinator", EAST)
    tab = Tab.of(busy_service)
    tab.see("/login")
    tab.send("/login", login=person.login, password=PASSWORD)
    assert SESSION not in tab.client.cookies
    for path in ("/", "/map", "/account", "/admin/members"):
        answer = tab.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_the_second_factor_without_a_password_leads_to_login(busy_service: Service) -> None:
    visitor = TestClient(busy_service.app, headers=OWN_FORM)
    for answer in (
        visitor.get("/login/second-factor", follow_redirects=False),
        visitor.post(
            "/login/second-factor", data={"one_time_code": "123456"}, follow_redirects=False
        ),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_a_code_without_the_token_of_its_page_is_refused(busy_service: Service) -> None:
    person = settle(busy_service, "coordinator", EAST)
    tab = Tab.of(busy_service)
    tab.see("/login")
    tab.see(tab.send("/login", login=person.login, password=PASSWORD))
    for token in ({}, {"csrf": "0" * 64}):
        answer = tab.client.post("/login/second-factor", data={"one_time_code": "1", **token})
        assert answer.status_code == 403
        assert words("error_stale") in parse(answer.text).words


def test_who_waited_too_long_starts_again_with_a_sentence(own_service: Service) -> None:
    person = settle(own_service, "coordinator", EAST)
    tab = Tab.of(own_service)
    tab.see("/login")
    tab.see(tab.send("/login", login=person.login, password=PASSWORD, next="/results"))
    own_service.clone.run("UPDATE gridsvc.sign_in SET expires_at = now() - interval '1 s'")
    leads = tab.send("/login/second-factor", one_time_code="123456", next="/results")
    assert words("login_late") in tab.see(leads).words
    assert tab.value("next") == "/results"


# ---- out


def test_signing_out_needs_the_token_of_a_page(busy_service: Service) -> None:
    tab = Tab.of(busy_service, code=busy_service.account("planner", (STREET,)).code)
    tab.see("/account")
    for token in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
        answer = tab.client.post("/logout", data=token, headers=BROWSER)
        assert answer.status_code == 403
        assert words("error_stale") in parse(answer.text).words
    tab.see("/account")
    assert tab.send("/logout") == "/login"
    assert tab.client.get("/account", follow_redirects=False).status_code == 303


def test_every_reason_of_a_weak_password_has_its_own_words() -> None:
    from api.pages.faults import weakness_of

    assert weakness_of(WeakPasswordError("it is the present one")) == "weak_same"
    assert weakness_of(WeakPasswordError("something new")) == "weak_other"
