"""The pages of household contacts: propose, work through, apply, hand over, print."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

import io
import re
from uuid import UUID

import pytest
from pypdf import PdfReader

from api.jobs_table import KINDS
from api.pages.contacts.lines import Sieve
from gridsvc.contacts.plans import service as plans
from gridsvc.jobs import running
from gridsvc.jobs.running import Workplace
from gridsvc.local_time import local_today
from tests import town
from tests.api.pages.markup import Page
from tests.api.pages.people import Tab, office, words
from tests.api.service import Service
from tests.gridsvc.contacts.steps import coordinator, leads, propose, shuffle, snapshot

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
EVIL = "</script><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def tab(own_service: Service) -> Tab:
    """A coordinator of a community, a plan of which will change many lines."""
    with town.job_session(own_service.clone.job) as session, session.begin():
        shuffle(session)
    return office(own_service, "coordinator", A)


@pytest.fixture
def plan(own_service: Service, tab: Tab) -> str:
    """The address of a plan that waits for a review."""
    assert tab.page.elements  # signed in, and the leads are shuffled
    with coordinator(own_service.clone) as session, session.begin():
        return f"/contacts/plans/{propose(session).id}"


def shown(tab: Tab) -> list[str]:
    """Return the stairwells whose lines are on the page."""
    ids = [row.get("id", "") for row in tab.page.all("tr")]
    return [one.removeprefix("line-") for one in ids if one.startswith("line-")]


def plans_on(page: Page) -> set[str]:
    """Return the addresses of the plans that a page leads to."""
    return {one for one in page.links() if one.startswith("/contacts/plans/")}


def decide(tab: Tab, plan: str, deed: str, *, status: int = 303, **fields: str) -> str:
    """Send a decision as the forms of the page do."""
    version = tab.value("version")
    return tab.send(plan, status=status, deed=deed, version=version, **fields)


def test_a_plan_is_proposed_by_a_job_whose_progress_the_page_shows(
    own_service: Service, tab: Tab
) -> None:
    before = plans_on(tab.see("/contacts"))
    address = tab.send("/contacts", community=str(A), change_at_most="0", seconds="1")
    job_id = address.removeprefix("/contacts?job=")
    page = tab.see(address)
    assert {f"/jobs/{job_id}"} == {
        one["hx-get"] for one in page.all("div") if one.get("hx-trigger") == "load"
    }
    place = Workplace(own_service.clone.api, own_service.clone.job, KINDS)
    running.run(place, A, UUID(job_id), is_stopping=lambda: False)
    page = tab.see("/contacts")
    (link,) = plans_on(page) - before
    assert words("plan_budget_of").format(n=0) in page.words
    assert words("plan_status_proposed") in page.words
    assert words("plan_change_kept") in tab.see(link).words


def test_lines_are_accepted_rejected_and_overridden_then_applied(
    own_service: Service, tab: Tab, plan: str
) -> None:
    tab.see(plan)
    first, second, third, *_ = shown(tab)
    back = decide(tab, plan, "accept", stairwell=first)
    assert back.endswith(f"#line-{first}")
    assert words("plan_done_accept") in tab.see(back).words
    decide(tab, plan, "reject", stairwell=second, reason="居民要求换人")
    tab.see(plan)
    line = f"{plan}/stairwells/{third}"
    tab.see(line)
    chosen = next(one["value"] for one in tab.page.all("input") if one.get("name") == "member")
    decide(tab, plan, "override", stairwell=third, member=chosen)
    tab.see(plan)
    assert words("plan_fault_not_reviewed").split("：")[0] == "还没有审核完毕"
    decide(tab, plan, "review")
    assert words("plan_status_reviewed") in tab.see(plan).words
    decide(tab, plan, "apply")
    page = tab.see(f"{plan}?state=all&done=apply")
    assert words("plan_done_apply") in page.words
    assert words("plan_status_applied") in page.words
    with coordinator(own_service.clone) as session:
        now = leads(session)
        lines = {
            one.stairwell_code: one
            for one in plans.list_lines(session, UUID(plan.rpartition("/")[2]), limit=None)
        }
    assert now[first] == lines[first].member_id
    assert str(now[third]) == chosen
    former = lines[second].former
    assert former is not None
    assert now[second] == former.member_id


def test_a_compound_and_all_lines_are_accepted_at_once(tab: Tab, plan: str) -> None:
    compound = town.compound_code(A)
    tab.see(plan)
    decide(tab, plan, "accept-compound", compound=compound)
    tab.see(f"{plan}?state=accepted")
    assert {code[:15] for code in shown(tab)} == {compound}
    decide(tab, plan, "accept-all")
    tab.see(f"{plan}?state=open")
    assert shown(tab) == []
    tab.see(f"{plan}?state=accepted")
    assert len(shown(tab)) == 12
    assert words("plan_all_decided") in tab.page.words


def test_filters_narrow_the_lines_and_stay_after_a_decision(tab: Tab, plan: str) -> None:
    tab.see(f"{plan}?state=all")
    every = shown(tab)
    assert len(every) == 12
    tab.see(plan)
    assert 3 <= len(shown(tab)) < 12, "what is to be decided comes first"
    compound = town.compound_code(A, 2)
    tab.see(f"{plan}?state=all&compound={compound}")
    assert shown(tab) == [code for code in every if code.startswith(compound)]
    code = shown(tab)[0]
    back = tab.value("back")
    assert f"compound={compound}" in decide(tab, plan, "accept", stairwell=code, back=back)
    tab.see(f"{plan}?state=all&after={every[5]}")
    assert shown(tab) == every[6:]


def test_what_somebody_else_decided_meanwhile_is_said(tab: Tab, plan: str) -> None:
    tab.see(plan)
    code = shown(tab)[0]
    decide(tab, plan, "accept", stairwell=code)
    decide(tab, plan, "accept-all", status=412)
    assert words("plan_fault_stale") in tab.page.words


def test_a_plan_that_no_longer_fits_says_what_has_changed_and_where(
    own_service: Service, tab: Tab, plan: str
) -> None:
    tab.see(plan)
    code = shown(tab)[0]
    decide(tab, plan, "apply", status=409)
    assert "还没有审核完毕" in tab.page.words
    for deed in ("accept-all", "review"):
        tab.see(plan)
        decide(tab, plan, deed)
    own_service.clone.run(
        f"UPDATE gridsvc.stairwell SET geom = ST_Translate(geom, 0.00001, 0) WHERE code = '{code}'"
    )
    with coordinator(own_service.clone) as session:
        before = snapshot(session)
    tab.see(plan)
    decide(tab, plan, "apply", status=409)
    assert words("plan_fault_outdated").format(n=1) in tab.page.words
    assert f"{words('plan_changed_redrawn')} {code}" in tab.page.words
    with coordinator(own_service.clone) as session:
        assert snapshot(session) == before


def test_a_plan_that_was_withdrawn_takes_no_decision(tab: Tab, plan: str) -> None:
    tab.see(plan)
    version = tab.value("version")
    decide(tab, plan, "withdraw")
    token = tab.value("csrf")
    form = {"csrf": token, "deed": "accept-all", "version": version}
    answer = tab.client.post(plan, data=form)
    assert answer.status_code == 409
    assert words("plan_status_withdrawn") in answer.text


def test_a_line_tells_why_and_offers_others_to_a_script_and_without_one(
    tab: Tab, plan: str
) -> None:
    tab.see(plan)
    code = shown(tab)[0]
    (asking,) = [
        one["hx-get"] for one in tab.page.all("a") if one.get("hx-target") == f"#detail-{code}"
    ]
    whole = tab.see(asking)
    assert words("line_why") in whole.words
    assert whole.all("html")
    answer = tab.client.get(asking, headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert words("line_override_title") in answer.text
    assert "HX-Request" in answer.headers["Vary"]
    assert 'name="member"' in answer.text


def test_a_reason_of_a_rejection_is_needed_and_never_becomes_markup(tab: Tab, plan: str) -> None:
    tab.see(plan)
    code = shown(tab)[0]
    decide(tab, plan, "reject", status=422, stairwell=code, reason="  ")
    assert words("plan_fault_reason") in tab.page.words
    decide(tab, plan, "reject", stairwell=code, reason=EVIL)
    answer = tab.client.get(f"{plan}/stairwells/{code}")
    assert EVIL not in answer.text


def test_names_and_places_never_become_markup(own_service: Service, tab: Tab, plan: str) -> None:
    own_service.clone.run(
        f"UPDATE gridsvc.member_identity SET name = '{EVIL}'",
        f"UPDATE gridsvc.compound SET name = '{EVIL}'",
        f"UPDATE gridsvc.stairwell SET name = '{EVIL}'",
    )
    code = town.stairwell_code(A)
    own_service.clone.run(f"DELETE FROM gridsvc.contact WHERE stairwell_code = '{code}'")
    for path in (
        *("/contacts", f"{plan}?state=all", f"{plan}/stairwells/{code}", f"{plan}/shortages"),
        *("/contacts/coverage", f"/contacts/hand-over/{town.id_of('member', A, 0)}"),
    ):
        answer = tab.client.get(path)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path


def test_a_plan_is_taken_as_a_file_and_that_is_noted(
    own_service: Service, tab: Tab, plan: str
) -> None:
    page = tab.see(plan)
    for name, beginning in (("csv", "stairwell_code,".encode("utf-8-sig")), ("xlsx", b"PK")):
        path = f"{plan}/files/{name}"
        assert path in {form["action"] for form in page.all("form")}
        answer = tab.client.post(path, data={"csrf": tab.value("csrf")})
        assert answer.status_code == 200
        assert answer.content.lstrip(b"\xef\xbb\xbf").startswith(beginning.lstrip(b"\xef\xbb\xbf"))
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert own_service.clone.count("audit_event", "action = 'contacts.export'") == 2


def test_shortages_are_told_and_one_more_member_is_tried(own_service: Service, tab: Tab) -> None:
    own_service.clone.run(
        "UPDATE gridsvc.member SET capacity_households = 5, capacity_stairwells = 1"
    )
    with coordinator(own_service.clone) as session, session.begin():
        plan = f"/contacts/plans/{propose(session).id}"
    page = tab.see(f"{plan}/shortages")
    asking = [link for link in page.links() if "one_more=" in link]
    assert asking
    assert "还差" in page.words
    assert "已重新求解验证" in tab.see(asking[0]).words


def test_coverage_lists_who_cannot_be_asked_and_hands_over(own_service: Service, tab: Tab) -> None:
    code = town.stairwell_code(A, compound=2)
    with coordinator(own_service.clone) as session:
        lead = leads(session)[code]
    own_service.clone.run(
        "INSERT INTO gridsvc.member_absence (community_code, id, member_id, kind, valid) VALUES"
        f" ({A}, gen_random_uuid(), '{lead}', 'leave',"
        " daterange(CURRENT_DATE - 1, CURRENT_DATE + 20))"
    )
    page = tab.see("/contacts/coverage?community=")
    assert f"alert-{code}" in {one.get("id") for one in page.all("code")}
    assert words("alert_absent") in page.words
    address = f"/contacts/hand-over/{lead}"
    assert address in page.links()
    tab.see(address)
    assert tab.value("first_day") == str(local_today())
    assert tab.value("last_day")
    goal = tab.send(
        address, first_day=tab.value("first_day"), last_day=tab.value("last_day"), at_once="true"
    )
    assert words("plan_done_apply") in tab.see(goal).words
    assert words("plan_kind_hand_over") in tab.page.words
    with coordinator(own_service.clone) as session:
        assert leads(session)[code] != lead
    page = tab.see("/contacts/coverage")
    assert f"alert-{code}" not in {one.get("id") for one in page.all("code")}


def test_a_hand_over_into_the_past_is_refused_in_words(tab: Tab) -> None:
    address = f"/contacts/hand-over/{town.id_of('member', A, 0)}"
    tab.see(address)
    tab.send(address, status=422, first_day="2020-01-01")
    assert words("plan_fault_hand_over") in tab.page.words


def test_a_contact_sees_the_own_stairwells_and_who_else_helps(own_service: Service) -> None:
    code = town.stairwell_code(A)
    with coordinator(own_service.clone) as session:
        lead = leads(session)[code]
    account = own_service.account("contact", (A,))
    own_service.clone.run(
        f"UPDATE gridsvc.account SET person_id = '{lead}' WHERE id = '{account.id}'",
        f"UPDATE gridsvc.contact SET is_cover = true, valid = daterange('2020-01-01', '2999-01-01')"
        f" WHERE stairwell_code = '{code}' AND kind = 'lead'",
    )
    tab = Tab.of(own_service, code=account.code)
    page = tab.see("/my-stairwells")
    assert "/my-stairwells" in page.links()
    assert code in page.words
    assert "到 2998-12-31" in page.words
    assert words("duty_cover") in page.words
    assert words("own_alone") not in page.words, "the database does not show whether that is so"
    assert town.stairwell_code(B) not in page.words
    own_service.clone.run(
        f"UPDATE gridsvc.account SET person_id = '{town.id_of('member', A, 8)}'"
        f" WHERE id = '{account.id}'",
        f"DELETE FROM gridsvc.contact WHERE member_id = '{town.id_of('member', A, 8)}'",
    )
    assert words("own_none") in tab.see("/my-stairwells").words


def test_notices_are_printed_for_a_compound_and_for_a_stairwell(
    own_service: Service, tab: Tab
) -> None:
    compound, code = town.compound_code(A), town.stairwell_code(A)
    whole = tab.client.get(f"/contacts/notices/{compound}.pdf")
    assert whole.status_code == 200, whole.text
    assert whole.headers["Content-Type"] == "application/pdf"
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert len(PdfReader(io.BytesIO(whole.content)).pages) == 6
    one = tab.client.get(f"/contacts/notices/{code}.pdf?paper=A5&lang=en")
    (page,) = PdfReader(io.BytesIO(one.content)).pages
    text = re.sub(r"\s", "", page.extract_text())
    assert code in text
    assert "Stairwellnotice" in text
    assert not re.search(r"1[3-9]\d{9}", text), "no phone in clear"
    for path in (town.compound_code(B), town.stairwell_code(B), f"{compound}"):
        query = "?part=2" if path == compound else ""
        assert tab.client.get(f"/contacts/notices/{path}.pdf{query}").status_code == 404
    events = own_service.clone.count(
        "audit_event", "action = 'contacts.notices' AND detail ? 'notices'"
    )
    assert events == 2


def test_a_sieve_reads_what_it_wrote_and_nothing_else() -> None:
    sieve = Sieve("all", "new", "near", "4" * 15, "4" * 20)
    assert Sieve.parse(sieve.query()) == sieve
    hostile = "state=<b>&change=no&tier=9&compound=１２３&after=%00&next=//evil.example"
    assert Sieve.parse(hostile) == Sieve()
