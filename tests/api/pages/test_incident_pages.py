"""The pages of incidents without a script: lists, steps, what a party is handed."""

import io
import re
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests import town
from tests.api.pages.people import Tab, office, words
from tests.api.service import Service

pytestmark = pytest.mark.db

A = town.EAST_SHORE
PARTY = f"party:{town.id_of('party', A)}"
EVIL = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def tab(busy_service: Service) -> Tab:
    """A coordinator of a community."""
    return office(busy_service, "coordinator", A)


def reported(service: Service, **more: Any) -> str:
    """Report an incident, and return the address of its page."""
    lon, lat = town.place(A, 10, 15)
    body = {"category_code": "sanitation.drains", "summary": "下水道堵了", "lon": lon, "lat": lat}
    answer = service.caller("coordinator", A).post("/api/v1/incidents", json=body | more)
    assert answer.status_code == 201, answer.text
    return f"/incidents/{answer.json()['id']}"


def step(tab: Tab, page: str, kind: str, *, status: int = 303, **fields: str) -> str:
    tab.see(page)
    version = tab.value("version")
    return tab.send(page, status=status, step=kind, version=version, note=f"{kind}。", **fields)


def test_an_incident_is_taken_to_its_verified_end_by_two_people(
    busy_service: Service, tab: Tab
) -> None:
    page = reported(busy_service)
    step(tab, page, "assign", handler=PARTY)
    assert "安居物业" in tab.see(page).words
    step(tab, page, "resolve")
    words_now = tab.see(page).words
    assert words("status_resolved") in words_now
    assert "个工作日" in words_now, "until when, and why"
    other = office(busy_service, "administrator", A)
    step(other, page, "verify")
    step(other, page, "close")
    told = other.see(page).words
    assert words("status_closed") in told
    for did in ("report", "triage", "assign", "start", "resolve", "verify", "close"):
        assert words(f"incident_did_{did}") in told


def test_whoever_solved_it_is_not_offered_to_verify_it(busy_service: Service, tab: Tab) -> None:
    page = reported(busy_service)
    own = str(busy_service.account("coordinator", (A,)).id)
    step(tab, page, "assign", handler=f"account:{own}")
    step(tab, page, "resolve")
    offered = [one.get("value") for one in tab.see(page).all("input") if one.get("name") == "step"]
    assert "verify" not in offered
    assert "refuse" in offered


def test_a_form_of_an_older_version_says_what_is_so_now(busy_service: Service, tab: Tab) -> None:
    page = reported(busy_service)
    tab.see(page)
    late = office(busy_service, "administrator", A)
    late.see(page)
    step(tab, page, "triage")
    late.send(page, status=412, step="note", version="1", note="晚了")
    assert words("status_triaged") in late.page.words
    assert "晚了" in late.page.words, "what was written is still there"


def test_many_are_handed_over_from_the_list(busy_service: Service, tab: Tab) -> None:
    pages = [reported(busy_service, summary=f"第{number}处") for number in (1, 2)]
    tab.see("/incidents?list=unassigned")
    chosen = [
        one["value"]
        for one in tab.page.all("input")
        if one.get("name") == "chosen" and f"/incidents/{one['value'].split()[0]}" in pages
    ]
    assert len(chosen) == 2
    tab.send("/incidents?list=unassigned", status=200, chosen=chosen, handler=PARTY)
    assert words("incidents_assigned").format(n=2) in tab.page.words
    assert not set(pages) & set(tab.page.links())


def test_a_list_keeps_its_filters_in_its_address_and_its_number_before_all(
    busy_service: Service, tab: Tab
) -> None:
    reported(busy_service, category_code="lift.fault", summary="电梯停了")
    seen = tab.see("/incidents?list=open&class=lift&lang=en")
    assert re.search(r"\d+ incidents? (is|are) open", seen.words)
    assert "电梯停了" in seen.words
    assert "下水道堵了" not in seen.words
    assert "/incidents?list=overdue&class=lift" in seen.links()
    tab.see("/incidents?list=open&class=lift&lang=zh")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_as_a_file_holds_codes_and_no_words_of_people(
    busy_service: Service, tab: Tab, kind: str
) -> None:
    page = reported(busy_service, summary="三楼张三说的")
    answer = tab.client.get(f"/incidents/files/{kind}?list=open")
    assert answer.headers["Content-Disposition"].endswith(f'.{kind}"')
    if kind == "csv":
        text = answer.text
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
        text = "\n".join(str(cell) for row in sheet.to_python() for cell in row)
    assert page.rpartition("/")[2] in text
    assert "张三" not in text


def test_what_people_write_is_words_and_nothing_else(busy_service: Service, tab: Tab) -> None:
    page = reported(busy_service, summary=EVIL)
    tab.see(page)
    tab.send(page, step="note", version=tab.value("version"), note=EVIL)
    for address in (page, "/incidents?list=open"):
        seen = tab.see(address)
        assert EVIL in seen.words
        assert not [one for one in seen.all("img") if "onerror" in one]
        assert all("alert" not in script for script in seen.scripts)


def test_a_party_answers_by_its_link_without_an_account(busy_service: Service, tab: Tab) -> None:
    page = reported(busy_service)
    step(tab, page, "assign", handler=PARTY)
    tab.see(page)
    tab.send(f"{page}/link", status=200)
    (token,) = re.findall(r"/handed#(\S+)", tab.page.words)
    visitor = Tab.of(busy_service)
    assert visitor.see("/handed").all("form")
    answer = visitor.client.post("/handed", data={"code": token})
    assert "下水道堵了" in answer.text
    assert token not in answer.url.path + str(answer.url.query)
    done = visitor.client.post("/handed", data={"code": token, "step": "resolve", "note": "已疏通"})
    assert words("status_resolved") in done.text
    again = visitor.client.post("/handed", data={"code": token, "step": "resolve", "note": "x"})
    assert again.status_code == 409
    wrong = visitor.client.post("/handed", data={"code": token[:-2] + "00"})
    assert wrong.status_code == 404
    assert words("handed_invalid") in wrong.text
    assert "已疏通" in tab.see(page).words


@pytest.mark.parametrize("code", ["", "x", "a" * 120])
def test_a_code_that_is_none_is_told_so(busy_service: Service, code: str) -> None:
    answer = Tab.of(busy_service).client.post("/handed", data={"code": code})
    assert answer.status_code == 404
    assert words("handed_invalid") in answer.text


def test_an_incident_that_is_not_there_has_the_page_of_what_is_not_there(tab: Tab) -> None:
    tab.see(f"/incidents/{town.id_of('nothing')}", status=404)
