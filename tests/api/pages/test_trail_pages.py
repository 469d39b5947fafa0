"""Members' phones, and the trail of who looked at which."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from api.pages.trail import ACTIONS
from tests import town
from tests.api.pages.people import (
    accounts_on,
    invite,
    office,
    words,
)
from tests.api.service import Service

pytestmark = pytest.mark.db

EAST, WEST = town.EAST_SHORE, town.WEST_BRIDGE
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"


# ---- members


def test_a_phone_is_masked_until_it_is_shown_for_a_purpose(busy_service: Service) -> None:
    tab = office(busy_service, "coordinator", EAST)
    tab.see("/admin/members")
    tab.send("/admin/members", status=200, words="甲1")
    assert "154****0001" in tab.page.words
    assert "15400000001" not in tab.page.words
    (action,) = {
        form["action"].partition("#")[0]
        for form in tab.page.all("form")
        if "/reveal" in form["action"]
    }
    answer = tab.client.post(action, data={"csrf": tab.value("csrf"), "purpose": "curiosity"})
    assert answer.status_code == 422
    tab.send(action, status=200, words="甲1", purpose="emergency")
    assert "15400000001" in tab.page.words
    trail = tab.see("/admin/audit?action=member.reveal")
    assert words("action_member__reveal") in trail.words
    assert words("purpose_emergency") in trail.words
    assert "154" not in re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{12,}", "", trail.words)


def test_a_member_of_a_neighbour_is_not_found(busy_service: Service) -> None:
    tab = office(busy_service, "coordinator", EAST)
    tab.see("/admin/members")
    member_id = town.id_of("member", WEST, 1)
    fields: dict[str, Any] = {"csrf": tab.value("csrf"), "purpose": "incident"}
    answer = tab.client.post(f"/admin/members/{member_id}/reveal", data=fields)
    assert answer.status_code == 404


def test_the_name_of_a_member_never_becomes_markup(own_service: Service) -> None:
    with own_service.clone.root.begin() as connection:
        connection.execute(text("UPDATE gridsvc.member_identity SET name = :name"), {"name": EVIL})
    tab = office(own_service, "coordinator", EAST)
    tab.see("/admin/members")
    tab.send("/admin/members", status=200, words="onerror")
    assert EVIL in tab.page.words
    assert tab.page.all("img") == [tab.page.all("img")[0]], "the brand's"
    assert "onerror" not in {name for _, attributes in tab.page.elements for name in attributes}


# ---- the trail


def test_the_trail_says_who_did_what_and_is_narrowed_by_its_links(busy_service: Service) -> None:
    tab = office(busy_service)
    tab.see("/admin/invite")
    fields: dict[str, Any] = {"name": "张三", "role": "contact", "territory": [str(EAST)]}
    tab.send("/admin/invite", status=200, **fields)
    (account,) = accounts_on(tab.page)
    subject = account.rpartition("/")[2]
    page = tab.see(f"/admin/audit?subject={subject}")
    assert words("action_account__invite") in page.words
    assert "张三" in page.words
    by = next(link for link in page.links() if "account=" in link)
    assert f"subject={subject}" in by, "the other choices stay"
    assert words("action_account__invite") in tab.see(by).words
    for query in ("first=2999-01-01", "last=2001-01-01", "action=incident.report", "subject=x"):
        assert words("audit_none") in tab.see(f"/admin/audit?{query}").words
    assert words("audit_none") not in tab.see("/admin/audit?first=2020-13-77&action=account").words


def test_the_trail_goes_back_page_by_page(own_service: Service) -> None:
    for _ in range(52):
        invite(own_service, "contact", EAST)
    tab = office(own_service)
    seen: list[str] = []
    path = "/admin/audit?action=account.invite"
    while path:
        page = tab.see(path)
        seen += [one for one in page.links() if "subject=" in one]
        path = next(
            (link for link in page.links() if "cursor=" in link and "lang=" not in link), ""
        )
    assert len(seen) == len(set(seen)) == 52
    tab.see("/admin/audit?cursor=nonsense", status=422)


def test_a_coordinator_sees_the_trail_of_the_own_territory_only(own_service: Service) -> None:
    for code in (EAST, WEST):
        tab = office(own_service, "coordinator", code)
        tab.see("/admin/members")
        tab.send("/admin/members", status=200, words="甲")
    shown = office(own_service, "coordinator", EAST).see("/admin/audit").words
    assert "东岸社区" in shown
    assert "西桥社区" not in shown


def test_every_action_that_is_noted_has_words(own_service: Service) -> None:
    with own_service.clone.root.connect() as connection:
        noted = set(
            connection.exec_driver_sql("SELECT DISTINCT action FROM gridsvc.audit_event").scalars()
        )
    assert noted
    assert noted <= set(ACTIONS)
