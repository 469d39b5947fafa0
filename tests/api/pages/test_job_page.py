"""How far long work is, on a page and as the part of another page that asks anew by itself."""

from uuid import UUID

import pytest
from starlette.testclient import TestClient

from gridsvc.db import Interval, Scope, new_id
from gridsvc.jobs import service, store
from gridsvc.jobs.model import Step
from tests import town
from tests.api.pages.markup import Page, parse
from tests.api.pages.test_pages import BROWSER
from tests.api.service import Service

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
SCRIPT = {**BROWSER, "HX-Request": "true"}


def ask(own_service: Service, kind: str = "contacts.propose") -> UUID:
    scope = Scope("coordinator", (Interval.of(A),))
    with own_service.clone.api.session(scope) as session, session.begin():
        return service.defer(session, kind, community_code=A)


def begin(own_service: Service, job_id: UUID, step: Step) -> None:
    with town.job_session(own_service.clone.job) as session, session.begin():
        job = store.begin(session, A, job_id)
        assert job is not None
        store.report(session, job, step)


def see(client: TestClient, path: str, headers: dict[str, str]) -> Page:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return parse(answer.text)


def test_the_part_asks_for_itself_until_the_job_is_over(own_service: Service) -> None:
    job_id = ask(own_service)
    caller = own_service.caller("coordinator", A)
    path = f"/jobs/{job_id}"
    waiting = caller.get(path, headers=SCRIPT)
    (section,) = parse(waiting.text).all("section")
    assert section["hx-get"] == path
    assert section["hx-trigger"] == "every 2s"
    assert "<html" not in waiting.text
    assert "HX-Trigger" not in waiting.headers
    assert "编排户联系人" in parse(waiting.text).words
    caller.post(f"{path}/cancel", headers=SCRIPT)
    over = caller.get(path, headers=SCRIPT)
    (section,) = parse(over.text).all("section")
    assert "hx-get" not in section
    assert over.headers["HX-Trigger"] == "job-over"
    assert parse(over.text).all("button") == []


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "paint：1,200 / 7,500"), ("en", "paint: 1,200 of 7,500")]
)
def test_a_running_job_has_a_bar_and_says_its_step(
    own_service: Service, language: str, words: str
) -> None:
    job_id = ask(own_service)
    begin(own_service, job_id, Step("paint", 1200, 7500))
    caller = own_service.caller("coordinator", A)
    page = see(caller, f"/jobs/{job_id}?lang={language}", SCRIPT)
    (bar,) = page.all("progress")
    assert (bar["value"], bar["max"]) == ("1200", "7500")
    assert words in page.words


def test_a_job_nobody_has_counted_yet_has_a_bar_without_an_end(own_service: Service) -> None:
    job_id = ask(own_service)
    (bar,) = see(own_service.caller("coordinator", A), f"/jobs/{job_id}", SCRIPT).all("progress")
    assert "value" not in bar


def test_a_browser_without_scripts_sees_the_page_and_stops_the_job(own_service: Service) -> None:
    job_id = ask(own_service)
    browser = own_service.sign_in(own_service.account("coordinator", (A,)))
    page = see(browser, f"/jobs/{job_id}", BROWSER)
    (form,) = [one for one in page.all("form") if "cancel" in str(one["action"])]
    answer = browser.post(str(form["action"]), headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{job_id}")
    assert "已停止" in see(browser, f"/jobs/{job_id}", BROWSER).words


def test_stopping_what_has_ended_shows_how_it_ended(own_service: Service) -> None:
    browser = own_service.caller("coordinator", A)
    answer = browser.post(f"/jobs/{town.id_of('job', A)}/cancel", headers=SCRIPT)
    assert answer.status_code == 200
    assert "已完成" in parse(answer.text).words


def test_a_kind_without_a_name_has_its_own_word_and_no_markup(own_service: Service) -> None:
    job_id = new_id()
    own_service.clone.run(
        "INSERT INTO gridsvc.job (community_code, id, kind, role)"  # noqa: S608 - our own words
        f" VALUES ({A}, '{job_id}', '<b>new</b>', 'coordinator')"
    )
    answer = own_service.caller("coordinator", A).get(f"/jobs/{job_id}", headers=SCRIPT)
    assert "&lt;b&gt;new&lt;/b&gt;" in answer.text
