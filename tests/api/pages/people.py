"""People with accounts, their authenticators, and the browser they use without a script."""

import re
import time
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID

import pyotp
from starlette.testclient import TestClient

from api.pages.text import load_words
from gridsvc.access.accounts import service as accounts
from gridsvc.access.accounts.model import NewAccount
from gridsvc.access.invitations import service as invitations
from gridsvc.access.signing_in import Caller
from tests import town
from tests.api.pages.markup import Page, parse
from tests.api.service import Service

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
# What every browser of today adds to a form that it sends to where it came from.
OWN_FORM = {**BROWSER, "Sec-Fetch-Site": "same-origin"}
PASSWORD = "猫在楼道里睡觉 since 2020"  # noqa: S105 - of people who do not exist
_STEP_S = 30
# Each tab comes from a subnet of its own: wrong tries of one test are no other's.
_ADDRESSES = map("10.{0[0]}.{0[1]}.7".format, product(range(256), repeat=2))


@dataclass
class Person:
    """Somebody with an account.

    Attributes
    ----------
    code
        Of the invitation; used up where there is a password.
    """

    id: UUID
    login: str
    code: str


def invite(
    service: Service, role: str, *codes: int, name: str = "张三", login: str | None = None
) -> Person:
    """Invite somebody, as the job."""
    with town.job_session(service.clone.job) as session, session.begin():
        invited = accounts.invite(session, NewAccount(name, role, codes, login=login))
    return Person(invited.account.id, invited.account.login, invited.code)


def settle(service: Service, role: str, *codes: int, name: str = "张三") -> Person:
    """Invite somebody who has chosen `PASSWORD`."""
    person = invite(service, role, *codes, name=name)
    invitations.redeem(service.clone.api, code=person.code, password=PASSWORD, caller=Caller())
    return person


@dataclass
class Authenticator:
    """The application on somebody's phone: a code a time step, no step twice."""

    secret: str
    last_step: int = 0

    def code(self) -> str:
        """Return a code that was not used: the service takes one step before and after now."""
        step = max(int(time.time()) // _STEP_S - 1, self.last_step + 1)
        self.last_step = step
        return pyotp.TOTP(self.secret).generate_otp(step)


@dataclass
class Tab:
    """A browser without JavaScript: it sees pages, and sends the forms that are on them."""

    client: TestClient
    page: Page = field(default_factory=Page)

    @classmethod
    def of(cls, service: Service, *, code: str | None = None) -> "Tab":
        """Open a tab, signed in where there is a development code."""
        tab = cls(TestClient(service.witness, headers=OWN_FORM, client=(next(_ADDRESSES), 50_000)))
        if code is not None:
            tab.see("/login")
            tab.send("/login", code=code)
        return tab

    def see(self, path: str, *, status: int = 200) -> Page:
        """Open a page."""
        answer = self.client.get(path, follow_redirects=False)
        return self._read(answer, status)

    def send(self, action: str, *, status: int = 303, files: Any = None, **fields: Any) -> str:
        """Send a form of the page that is open, and return where it leads.

        An answer that leads nowhere is the next page.
        """
        offered = {form.get("action", "").partition("#")[0] for form in self.page.all("form")}
        assert action in offered, f"{action} is none of {offered}"
        token = next(one["value"] for one in self.page.all("input") if one.get("name") == "csrf")
        answer = self.client.post(
            action, data={"csrf": token, **fields}, files=files, follow_redirects=False
        )
        if answer.status_code == 303 == status:
            return answer.headers["location"]
        self._read(answer, status)
        return ""

    def _read(self, answer: Any, status: int) -> Page:
        assert answer.status_code == status, f"{answer.status_code}: {parse(answer.text).words}"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.page = parse(answer.text)
        return self.page

    def value(self, name: str) -> str:
        """Return what a field of the page holds."""
        return next(one["value"] for one in self.page.all("input") if one.get("name") == name)


def words(key: str, language: str = "zh") -> str:
    """Return a phrase of the pages."""
    return str(load_words()[key][language])


def office(service: Service, role: str = "administrator", *codes: int) -> Tab:
    """Open a tab of somebody of a role, signed in by a development code."""
    return Tab.of(service, code=service.account(role, codes or (town.STREET,)).code)


def accounts_on(page: Page) -> list[str]:
    """Return the addresses of the accounts that a page leads to."""
    return [link for link in page.links() if link.startswith("/admin/accounts/")]


def set_up(tab: Tab) -> Authenticator:
    """Scan the secret of the page that is open, and send its code."""
    secret = re.search(r"[A-Z2-7]{4}( [A-Z2-7]{4}){7}", tab.page.words)
    assert secret, tab.page.words
    phone = Authenticator(secret[0].replace(" ", ""))
    assert tab.send("/login/second-factor", one_time_code=phone.code()) == "/"
    return phone
