"""Single sign-on through browser, service and provider, each behind a port of its own."""

import html
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from api.app import create_app
from api.credentials import SESSION
from api.pages.sso import COOKIE
from gridsvc.access import passwords
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.sso.client import client_of
from gridsvc.access.tables import AccountRow, InvitationRow, SignInRow, SsoIdentityRow
from gridsvc.access.tokens import hashed_code, new_code
from gridsvc.embedded import Cluster
from gridsvc.settings import Settings
from tests import town
from tests.api.log_lines import Lines, recorded
from tests.api.service import Service, Witness, document, is_problem
from tests.databases import Clone, drop, make_clone
from tests.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    listening,
    running_provider,
)

pytest.register_assert_rewrite("tests.browser")

from tests.browser import OpenTab, browser, open_tab  # noqa: E402 - after its registration

__all__ = ["browser", "open_tab"]

pytestmark = pytest.mark.db

A = town.EAST_SHORE
HTML = {"Accept": "text/html"}
PERSON = "person-of-the-provider"
PASSWORD = "seven wide rivers"  # noqa: S105
REFUSED = "单点登录没有对应的账户"
UNAVAILABLE = "单点登录现在没有响应"


@dataclass
class Office:
    """The service behind a port, and the provider behind another."""

    service: Service
    base_url: str
    there: OpenIdProvider

    def browser(self, **headers: str) -> httpx2.Client:
        """Return somebody's browser: it keeps cookies and follows redirects."""
        sent = HTML | {"Origin": self.base_url} | headers
        return httpx2.Client(base_url=self.base_url, headers=sent, follow_redirects=True)

    def account(self, role: str = "coordinator", *, subject: str | None = None) -> Any:
        made = self.service.account(role, (A,))
        if subject:
            link = {"issuer": self.there.issuer, "subject": subject, "account_id": made.id}
            self.write(insert(SsoIdentityRow).values(link))
        return made

    def invitation(self, account: DevelopmentAccount) -> str:
        code = new_code()
        expires_at = datetime.now(UTC) + timedelta(days=7)
        row = {"id": uuid4(), "account_id": account.id, "expires_at": expires_at}
        self.write(insert(InvitationRow).values(row | {"code_hash": hashed_code(code)}))
        return code

    def write(self, statement: Any) -> None:
        with self.service.clone.root.begin() as connection:
            connection.execute(statement)

    def linked(self) -> list[tuple[str, Any]]:
        with self.service.clone.root.connect() as connection:
            columns = SsoIdentityRow.subject, SsoIdentityRow.account_id
            return [(row[0], row[1]) for row in connection.execute(select(*columns))]

    def who(self, client: httpx2.Client) -> str | None:
        """Return whom a browser is signed in as."""
        answer = client.get("/api/v1/session", headers={"Accept": "application/json"})
        return str(answer.json()["name"]) if answer.status_code == 200 else None


@contextmanager
def serving_office(clone: Clone) -> Iterator[Office]:
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with running_provider(f"{base_url}/sso/callback") as there:
        settings = Settings(
            development_login=True,
            public_url=base_url,
            oidc_issuer=there.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret=CLIENT_SECRET,
            oidc_name="街道通行证",
        )
        app = create_app(settings, clone.api, town.VAULT)
        service = Service(clone, app, Witness(app, document()))
        with listening(service.witness, listener):
            yield Office(service, base_url, there)


@pytest.fixture(scope="module")
def standing_office(cluster: Cluster, town_template: str) -> Iterator[Office]:
    clone = make_clone(cluster, town_template)
    with serving_office(clone) as office:
        yield office
    drop(clone)


@pytest.fixture
def office(standing_office: Office) -> Iterator[Office]:
    """The office as it was at first."""
    client_of.cache_clear()
    standing_office.there.behave()
    standing_office.there.subject = PERSON
    standing_office.service.clone.run(
        "DELETE FROM gridsvc.sso_identity",
        "DELETE FROM gridsvc.sso_attempt",
        "TRUNCATE gridsvc.throttle",
    )
    yield standing_office
    faults, standing_office.service.witness.faults = standing_office.service.witness.faults, []
    assert faults == []


@pytest.fixture
def lines() -> Iterator[Lines]:
    with recorded() as written:
        yield written


def next_address(page: httpx2.Response) -> str:
    """Return where a page that leads on at once leads to."""
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    assert found, page.text
    address = html.unescape(found[1])
    assert f'href="{found[1]}"' in page.text, "also for those whose browser does not go by itself"
    return address


def csrf_of(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf" type="hidden" value="([0-9a-f]+)"', page.text)
    assert found, page.text
    return found[1]


# ---- signing in


def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(office: Office) -> None:
    account = office.account(subject=PERSON)
    with office.browser() as client:
        page = client.get("/sso/start?next=/account")
        hops = [urlsplit(str(one.url)) for one in (*page.history, page)]
        assert [hop.path for hop in hops] == [
            "/sso/start",
            "/authorize",
            "/sso/callback",
            "/account",
        ]
        assert f"{hops[1].scheme}://{hops[1].netloc}" == office.there.issuer
        assert page.status_code == 200
        assert account.name in page.text
        assert office.who(client) == account.name
        assert set(client.cookies) == {SESSION}, "that of the attempt is gone"


@pytest.mark.parametrize("goal", ["//elsewhere.example", "https://elsewhere.example", "/\\x", ""])
def test_the_way_on_lies_on_this_site(office: Office, goal: str) -> None:
    office.account(subject=PERSON)
    with office.browser() as client:
        page = client.get("/sso/start", params={"next": goal})
        assert str(page.url) == f"{office.base_url}/"


def test_the_cookie_of_an_attempt_is_for_this_host_this_browser_and_ten_minutes(
    office: Office,
) -> None:
    for scheme, name in (("https", f"__Host-{COOKIE}"), ("http", COOKIE)):
        client = TestClient(office.service.app, base_url=f"{scheme}://testserver")
        answer = client.get("/sso/start", follow_redirects=False)
        assert answer.status_code == 303
        cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
        assert cookie.partition("=")[0] == name
        assert len(cookie.partition("=")[2]) >= 43
        wanted = {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax"}
        assert set(attributes) == wanted | ({"Secure"} if scheme == "https" else set())


def test_an_invitation_is_taken_up_at_the_provider(office: Office) -> None:
    account = office.account("patrol")
    code = office.invitation(account)
    with office.browser() as client:
        page = client.post("/sso/start", data={"code": code, "next": "/account"})
        assert page.status_code == 200, "no redirect: the form's policy would hold it up"
        assert code not in next_address(page)
        back = client.get(next_address(page))
        assert (back.status_code, back.url.path) == (200, "/account")
        assert office.who(client) == account.name
    assert office.linked() == [(PERSON, account.id)]


# ---- linking from the account page


def test_a_signed_in_browser_links_its_account_and_stays_signed_in(office: Office) -> None:
    account = office.account()
    with office.browser() as client:
        client.post("/login", data={"code": account.code})
        token = client.cookies[SESSION]
        page = client.post("/account/sso", data={"csrf": csrf_of(client.get("/account"))})
        back = client.get(next_address(page))
        assert (back.status_code, back.url.path) == (200, "/account")
        assert client.cookies[SESSION] == token
    assert office.linked() == [(PERSON, account.id)]
    with office.browser() as another:
        another.get("/sso/start")
        assert office.who(another) == account.name


def test_linking_needs_a_token_of_our_page_and_a_sign_in(office: Office) -> None:
    account = office.account()
    with office.browser(Accept="application/json") as client:
        assert is_problem(client.post("/account/sso"), 401, "not-signed-in")
        client.post("/login", data={"code": account.code})
        assert is_problem(client.post("/account/sso"), 403, "csrf")
        forged = client.post("/account/sso", headers={"Origin": "http://elsewhere.example"})
        assert is_problem(forged, 403, "foreign-origin")
    assert office.service.clone.count("sso_attempt") == 0


def test_linking_after_a_while_asks_to_sign_in_again(office: Office, lines: Lines) -> None:
    account = office.account()
    with office.browser() as client:
        client.post("/login", data={"code": account.code})
        form = {"csrf": csrf_of(client.get("/account"))}
        old = datetime.now(UTC) - timedelta(minutes=16)
        office.write(update(SignInRow).values(created_at=old))
        page = client.post("/account/sso", data=form)
        assert str(page.url) == f"{office.base_url}/login?next=%2Faccount"
        answer = client.post("/account/sso", data=form, headers={"Accept": "application/json"})
        assert is_problem(answer, 401, "recent-sign-in-required")
    assert [line["event"] for line in lines.security] == ["recent-sign-in-required"] * 2


# ---- refused


def test_a_stranger_is_told_in_one_sentence_and_the_log_says_why(
    office: Office, lines: Lines
) -> None:
    with office.browser() as client:
        page = client.get("/sso/start?next=/account")
        assert str(page.url) == f"{office.base_url}/login?sso=refused"
        assert REFUSED in page.text
        assert "Single sign-on opened no account here" in client.get(f"{page.url}&lang=en").text
        assert SESSION not in client.cookies
        passed = "".join(str(one.url) for one in page.history)
    (line,) = lines.security
    facts = {name: line[name] for name in ("event", "reason", "route", "method")}
    assert facts == {
        "event": "sso-refused",
        "reason": "unlinked",
        "route": "/sso/callback",
        "method": "GET",
    }
    query = parse_qs(urlsplit(passed).query)
    for words in (PERSON, "甲某", *query["state"], *query["nonce"]):
        assert words not in lines.text


def returned_to(client: httpx2.Client) -> str:
    """Go to the provider, and return the address that it sends the browser back to."""
    leaving = client.get("/sso/start", follow_redirects=False)
    return str(httpx2.get(leaving.headers["Location"]).headers["Location"])


def test_a_program_gets_a_problem_that_gives_no_reason(office: Office, lines: Lines) -> None:
    with office.browser(Accept="application/json") as client:
        answer = client.get(returned_to(client))
        assert is_problem(answer, 401, "sso-refused")
        assert "unlinked" not in answer.text
    assert [line["reason"] for line in lines.security] == ["unlinked"], "one line, not two"


def test_an_answer_brought_by_another_browser_is_refused(office: Office, lines: Lines) -> None:
    """Somebody sends a victim the link that would sign them in as the sender."""
    office.account(subject=PERSON)
    with office.browser() as attacker, office.browser() as victim:
        address = returned_to(attacker)
        victim.get("/sso/start", follow_redirects=False)
        page = victim.get(address)
        assert page.url.query == b"sso=refused"
        assert SESSION not in victim.cookies
        attacker.get(address)
        assert SESSION not in attacker.cookies, "it is used up"
    assert [line["reason"] for line in lines.security] == ["browser", "state"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("state=", "state=x"), "state"),
        (("code=", "code=x"), "grant"),
        (("code=", "other="), "code"),
        (("code=", "error=access_denied&code="), "declined"),
        (("code=", "iss=https://elsewhere.example&code="), "issuer"),
    ],
)
def test_an_answer_that_was_changed_on_its_way_is_refused(
    office: Office, lines: Lines, change: tuple[str, str], reason: str
) -> None:
    office.account(subject=PERSON)
    with office.browser() as client:
        page = client.get(returned_to(client).replace(*change))
        assert page.url.query == b"sso=refused"
        assert SESSION not in client.cookies
    assert [line["reason"] for line in lines.security] == [reason]


def test_who_cancels_at_the_provider_comes_back_to_the_login_page(office: Office) -> None:
    office.account(subject=PERSON)
    office.there.declines = True
    with office.browser() as client:
        page = client.get("/sso/start")
        assert page.url.path == "/login"
        assert REFUSED in page.text


def test_a_disabled_account_stays_out(office: Office) -> None:
    account = office.account(subject=PERSON)
    office.write(update(AccountRow).where(AccountRow.id == account.id).values(is_disabled=True))
    with office.browser() as client:
        assert REFUSED in client.get("/sso/start").text
        assert office.who(client) is None


@pytest.mark.parametrize(
    "query", ["", "?state=%00&code=%00", "?state=é&code=' OR 1=1 --", "?error=access_denied"]
)
def test_an_answer_that_nobody_asked_for_is_refused(office: Office, query: str) -> None:
    with office.browser(Accept="application/json") as client:
        assert is_problem(client.get(f"/sso/callback{query}"), 401, "sso-refused")
        too_long = client.get("/sso/callback?state=" + "x" * 2001)
        assert is_problem(too_long, 422, "invalid-request")


# ---- out of order


def test_while_the_provider_is_out_of_order_passwords_go_on_working(
    office: Office, lines: Lines
) -> None:
    account = office.account("patrol")
    login, password_hash = f"login-{account.id}", passwords.hash_password(PASSWORD)
    office.write(
        update(AccountRow)
        .where(AccountRow.id == account.id)
        .values(login=login, password_hash=password_hash)
    )
    office.there.answers = {"/.well-known/openid-configuration": "error"}
    with office.browser() as client:
        for page in (client.get("/sso/start"), client.post("/sso/start", data={"code": ""})):
            assert str(page.url) == f"{office.base_url}/login?sso=unavailable"
            assert UNAVAILABLE in page.text
        answer = client.get("/sso/start", headers={"Accept": "application/json"})
        assert is_problem(answer, 503, "sso-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert office.who(client) is None
        client.post("/login", data={"login": login, "password": PASSWORD})
        assert office.who(client) == account.name
    told = [(line["event"], line["reason"]) for line in lines.security]
    assert told == [("sso-unavailable", "status")] * 3


def test_a_provider_that_goes_down_on_the_way_is_out_of_order(office: Office) -> None:
    office.account(subject=PERSON)
    office.there.answers = {"/token": "error"}
    with office.browser() as client:
        assert UNAVAILABLE in client.get("/sso/start").text


def test_too_many_answers_that_nobody_asked_for_are_throttled(office: Office) -> None:
    with office.browser(Accept="application/json") as client:
        statuses = [client.get("/sso/callback?state=x").status_code for _ in range(21)]
        assert statuses == [401] * 20 + [429]


def test_without_a_provider_the_pages_do_not_exist(service: Service) -> None:
    account = service.sign_in(service.account("coordinator", (A,)))
    for method, path in (("GET", "start"), ("POST", "start"), ("GET", "callback")):
        answer = service.visitor().request(method, f"/sso/{path}")
        assert is_problem(answer, 404, "not-found")
    assert is_problem(account.post("/account/sso"), 404, "not-found")


# ---- in a real browser


@pytest.mark.browser
def test_a_real_browser_follows_every_step(office: Office, open_tab: OpenTab) -> None:
    account = office.account("patrol")
    code = office.invitation(account)
    tab = open_tab(office.base_url, "phone")
    tab.open("/invite")
    tab.page.get_by_label("邀请码").fill(code)
    tab.page.get_by_role("button", name="下一步").click()
    tab.page.get_by_role("button", name="用 街道通行证 登录").click()
    tab.page.wait_for_url(f"{office.base_url}/")
    assert office.linked() == [(PERSON, account.id)]
    tab.open("/account")
    assert account.name in tab.page.content()
    tab.page.get_by_role("button", name="退出").last.click()
    tab.page.wait_for_url(f"{office.base_url}/login")
    tab.page.get_by_role("link", name="用 街道通行证 登录").click()
    tab.page.wait_for_url(f"{office.base_url}/")
    assert {urlsplit(url).netloc for url in tab.outside()} == {urlsplit(office.there.issuer).netloc}
    assert tab.complaints == []
