"""Whatever stands in a field or an address, it is never a fault of ours."""

from urllib.parse import quote
from uuid import UUID

import pytest

from tests import town
from tests.api.pages.people import Tab, invite, office
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, STREET = town.EAST_SHORE, town.STREET
PASSWORD = "long enough for anybody"  # noqa: S105 - of nobody
# Percent-encoded: a NUL, which PostgreSQL has no place for; half a surrogate; no UTF-8 at all; SQL.
HOSTILE = ("%00", "a%00b", "%ED%A0%80", "%FF%FE", "%27%20OR%201=1--", "%F3%A0%80%81" * 60, "9" * 40)
FORMS = {
    "/login": {"login": "li.wei", "password": PASSWORD, "next": "/"},
    "/invite": {"code": "0000-0000-0000-0000"},
    "/invite/password": {"code": "0", "password": PASSWORD, "again": PASSWORD},
    "/account/password": {"old": PASSWORD, "password": "x", "again": "x"},
    "/account/keys": {"name": "QGIS", "days": "30", "territory": str(EAST)},
    "/account/keys/{id}/revoke": {},
    "/account/sign-ins/{id}/end": {},
    "/admin": {"words": "x", "after_login": "a", "after_id": str(UUID(int=1))},
    "/admin/accounts/{id}": {"name": "x", "role": "contact", "territory": str(EAST)},
    "/admin/invite": {"name": "x", "role": "contact", "login": "", "territory": str(EAST)},
    "/admin/members": {"words": "x"},
    "/admin/members/{id}/reveal": {"purpose": "incident", "words": "x"},
}
PAGES = (
    *("/login", "/login/second-factor", "/invite", "/account", "/admin", "/admin/invite"),
    *("/admin/invite-list", "/admin/members", "/admin/audit", "/admin/rules"),
)
NAMES = (
    *("next", "role", "community", "first", "last", "action", "account", "subject", "cursor"),
    *("done", "lang", "late", "sso"),
)


def send(tab: Tab, path: str, fields: dict[str, str]) -> int:
    """Send fields as they are, percent-encoded already."""
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    answer = tab.client.post(
        path,
        content=f"{body}&csrf={tab.value('csrf')}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
    )
    return int(answer.status_code)


@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_field_is_never_a_fault_of_ours(busy_service: Service, form: str) -> None:
    account_id = str(invite(busy_service, "contact", EAST).id)
    plausible = {name: quote(text, safe="") for name, text in FORMS[form].items()}
    tab = office(busy_service)
    for value in HOSTILE:
        for name in plausible:
            tab.see("/account")
            fields = plausible | {name: value}
            assert send(tab, form.replace("{id}", account_id), fields) < 500, (name, value)
        if "{id}" in form:
            tab.see("/account")
            assert 400 <= send(tab, form.replace("{id}", value), plausible) < 500, value


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_address_is_never_a_fault_of_ours(busy_service: Service, page: str) -> None:
    tab = office(busy_service)
    for value in HOSTILE:
        for name in NAMES:
            answer = tab.client.get(f"{page}?{name}={value}", follow_redirects=False)
            assert answer.status_code < 500, (name, value)
