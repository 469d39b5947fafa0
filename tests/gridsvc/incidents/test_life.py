"""Steps of incidents in the database: noted, timed, refused where they must be, and never lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from geodata.working_time import Limit, due_after
from gridsvc.db import Interval, Scope
from gridsvc.errors import (
    InvalidStepDetailError,
    InvalidStepError,
    InvalidTextError,
    NotFoundError,
    RetiredCategoryError,
    StaleIncidentError,
    StepNotAllowedError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Event, Step
from gridsvc.incidents.model import Incident
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.incidents.lives import (
    ANNA,
    BERT,
    BIRD,
    CLEO,
    PARTY,
    PAUL,
    A,
    B,
    acting,
    add_workers,
    following,
    make,
    report,
    solve,
)

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def clone(cluster: Any, town_template: str) -> Iterator[Clone]:
    """The town with workers; each test reports incidents of its own."""
    made = make_clone(cluster, town_template)
    add_workers(made)
    yield made
    drop(made)


def reported(clone: Clone, **more: Any) -> Incident:
    with acting(clone, ANNA) as session:
        return report(session, **more)


def events_of(clone: Clone, incident: Incident, account: UUID = ANNA) -> list[Event]:
    with acting(clone, account) as session:
        return life.list_events(session, incident.id)


def told(events: list[Event]) -> list[str]:
    return [one.step for one in events]


# ---- the whole way


def test_a_report_is_the_first_event_and_its_time_begins(clone: Clone) -> None:
    before = datetime.now(UTC)
    incident = reported(clone)
    (event,) = events_of(clone, incident)
    assert (event.step, event.position, event.status_before) == ("report", 1, None)
    assert (event.actor_kind, event.actor_account) == ("account", ANNA)
    assert (incident.status, incident.version, incident.level) == ("reported", 1, "compound")
    assert incident.due_rule == "triage 4h"
    earliest, latest = (due_after(at, Limit(4, "h")).at for at in (before, datetime.now(UTC)))
    assert incident.due_at is not None
    assert earliest <= incident.due_at <= latest


def test_from_the_report_to_the_verified_end_each_step_is_noted(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    assert incident.status == "resolved"
    assert (incident.resolved_by, incident.resolved_level) == (ANNA, "compound")
    assert incident.due_rule == "verify 2d"
    with acting(clone, BERT) as session:
        verified = make(session, incident, "verify")
        assert verified.due_rule == "close 5d"
        closed = make(session, verified, "close")
    assert closed.status == "closed"
    assert closed.closed_at is not None
    assert (closed.due_at, closed.due_rule) == (None, None)
    events = events_of(clone, incident)
    steps = ["report", "triage", "assign", "start", "resolve", "verify", "close"]
    assert told(events) == steps
    assert [one.position for one in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.status_after for one in events[:-1]] == [one.status_before for one in events[1:]]
    assert closed.version == 7
    assert [one.at for one in events] == sorted(one.at for one in events)


def test_each_event_is_told_in_the_same_transaction(clone: Clone) -> None:
    heard: list[tuple[str, str]] = []

    def listen(_: Session, incident: Incident, event: Event) -> None:
        heard.append((event.step, incident.status))

    incident = reported(clone)
    with acting(clone, ANNA) as session:
        step = Step("assign", account=ANNA)
        life.step(session, incident.id, step, version=1, on_event=[listen])
    assert heard == [("triage", "triaged"), ("assign", "assigned")]


def test_whoever_solved_it_does_not_verify_it(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, ANNA) as session, pytest.raises(StepNotAllowedError, match="somebody else"):
        make(session, incident, "verify")
    with acting(clone, CLEO) as session:
        assert make(session, incident, "verify").status == "verified"


def test_whoever_handled_it_does_not_verify_what_another_wrote_down(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        assigned = make(session, report(session), "assign", account=BERT)
        solved = make(session, assigned, "resolve")
    assert (solved.handler_account, solved.resolved_by) == (BERT, ANNA)
    for account in (ANNA, BERT):
        with acting(clone, account) as session, pytest.raises(StepNotAllowedError):
            make(session, solved, "verify")


def test_a_solution_that_is_none_goes_back_to_work_with_its_time_anew(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, BERT) as session:
        refused = make(session, incident, "refuse", note="还是堵的")
    assert (refused.status, refused.due_rule) == ("in_progress", "resolve 2d")
    assert (refused.resolved_at, refused.resolved_by) == (None, None)


def test_what_is_reopened_reaches_its_handler_and_its_time_begins_anew(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, BERT) as session:
        closed = make(session, incident, "verify", "close")
    with acting(clone, CLEO) as session, pytest.raises(StepNotAllowedError):
        make(session, closed, "reopen")
    with acting(clone, BERT) as session:
        again = make(session, closed, "reopen", note="又堵了")
    assert (again.status, again.handler_account) == ("assigned", ANNA)
    assert (again.due_rule, again.reopened_count, again.closed_at) == ("start 4h", 1, None)
    assert again.verified_at is None


def test_what_is_hung_needs_a_reason_and_has_no_time(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        working = make(session, report(session), "assign", account=ANNA)
        working = make(session, working, "start")
        with pytest.raises(InvalidStepDetailError, match="needs a note"):
            make(session, working, "hang", note=" \n ")
        hung = make(session, working, "hang", note="等配件")
        assert (hung.status, hung.due_at, hung.due_rule) == ("hung", None, None)
        back = make(session, hung, "resume")
    assert (back.status, back.due_rule) == ("in_progress", "resolve 2d")


def test_an_escalation_goes_up_and_not_down(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        incident = report(session)
        up = make(session, incident, "escalate")
        assert (up.level, up.status, up.due_at) == ("community", "reported", incident.due_at)
        with pytest.raises(InvalidStepDetailError, match="not above"):
            make(session, up, "escalate", level="compound")
        top = make(session, up, "escalate", level="street")
        with pytest.raises(InvalidStepDetailError, match="joint meeting"):
            make(session, top, "escalate")
    assert events_of(clone, incident)[-1].details == {"level": "street"}


# ---- two at once


def test_a_step_on_what_somebody_else_changed_is_refused(clone: Clone) -> None:
    incident = reported(clone)
    with acting(clone, BERT) as session:
        make(session, incident, "triage")
    with acting(clone, ANNA) as session, pytest.raises(StaleIncidentError) as caught:
        make(session, incident, "triage")
    assert (caught.value.version, caught.value.current) == (1, 2)


def test_an_update_to_what_just_closed_is_told_so(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, BERT) as session:
        make(session, incident, "verify", "close")
    with acting(clone, ANNA) as session, pytest.raises(StaleIncidentError, match="it is closed"):
        make(session, incident, "answer")
    with acting(clone, ANNA) as session:
        with pytest.raises(InvalidStepError, match=r"is closed, .* reopen it first"):
            life.step(session, incident.id, Step("hang", note="x"), version=None)
        kept = life.step(session, incident.id, Step("note", note="补充"), version=None)
    assert kept.status == "closed"
    assert events_of(clone, incident)[-1].note == "补充"


def test_of_many_at_once_with_the_same_version_one_wins(clone: Clone) -> None:
    incident = reported(clone)

    def try_it(number: int) -> bool:
        try:
            with acting(clone, (ANNA, BERT)[number % 2]) as session:
                make(session, incident, "note", note=str(number))
        except StaleIncidentError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        won = list(pool.map(try_it, range(6)))
    assert sum(won) == 1
    assert len(events_of(clone, incident)) == 2


# ---- who may


def test_an_incident_of_another_community_is_absent(clone: Clone) -> None:
    incident = reported(clone)
    with acting(clone, BIRD) as session, pytest.raises(NotFoundError):
        make(session, incident, "note")


def test_a_contact_sees_to_what_is_handed_to_them_and_to_no_more(clone: Clone) -> None:
    incident = reported(clone)
    with acting(clone, CLEO) as session:
        for kind in ("triage", "start", "resolve", "close", "escalate", "not_ours", "answer"):
            with pytest.raises(StepNotAllowedError):
                make(session, incident, kind)
    with acting(clone, ANNA) as session:
        assigned = make(session, incident, "assign", account=CLEO)
    with acting(clone, CLEO) as session:
        bound = frozenset({town.stairwell_code(A)})
        step = Step("resolve", note="疏通了")
        solved = life.step(
            session, incident.id, step, version=assigned.version, stairwell_codes=bound
        )
        assert solved.status == "resolved"
        with pytest.raises(StepNotAllowedError):
            make(session, solved, "verify")


def test_a_contact_does_not_see_what_is_neither_theirs_nor_handed_to_them(clone: Clone) -> None:
    incident = reported(clone)
    bound = frozenset({town.stairwell_code(A)})
    with acting(clone, CLEO) as session:
        with pytest.raises(NotFoundError):
            life.list_events(session, incident.id, stairwell_codes=bound)
        note = Step("note", note="x")
        with pytest.raises(NotFoundError):
            life.step(session, incident.id, note, version=1, stairwell_codes=bound)


@pytest.mark.parametrize("account", [PAUL, BIRD, town.id_of("nobody")])
def test_it_is_handed_only_to_whoever_works_there(clone: Clone, account: UUID) -> None:
    incident = reported(clone)
    with acting(clone, ANNA) as session, pytest.raises(InvalidStepDetailError, match="works in"):
        make(session, incident, "assign", account=account)


def test_it_is_handed_to_one_account_or_one_party(clone: Clone) -> None:
    incident = reported(clone)
    with acting(clone, ANNA) as session:
        for details in ({}, {"account": BERT, "party": PARTY}):
            with pytest.raises(InvalidStepDetailError, match="one account, or to one party"):
                make(session, incident, "assign", **details)
        with pytest.raises(InvalidStepDetailError, match="party is not one"):
            make(session, incident, "assign", party=town.id_of("party", B))
        handed = make(session, incident, "assign", party=PARTY)
    assert (handed.handler_account, handed.handler_party) == (None, PARTY)


def test_a_reporter_hears_what_is_meant_for_them_and_may_confirm(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, ANNA) as session:
        incident = make(session, incident, "note", note="内部")
    with following(clone, incident) as session:
        events = life.list_events(session, incident.id)
        assert told(events) == ["report", "triage", "start", "resolve"]
        with pytest.raises(StepNotAllowedError, match="in whose name"):
            make(session, incident, "verify")
        with pytest.raises(StepNotAllowedError):
            make(session, incident, "resolve", by="reporter")
        confirmed = make(session, incident, "verify", by="reporter", note="好了")
    assert confirmed.status == "verified"
    last = events_of(clone, incident)[-1]
    assert (last.actor_kind, last.actor_account) == ("reporter", None)


def test_whoever_follows_one_report_reaches_no_other(clone: Clone) -> None:
    mine, other = reported(clone), reported(clone)
    with following(clone, mine) as session, pytest.raises(NotFoundError):
        make(session, other, "note", by="reporter")
    with following(clone, mine) as session:
        everything = session.execute(text("SELECT incident_id FROM gridsvc.incident_event"))
        assert set(everything.scalars()) == {mine.id}


def test_events_are_never_changed_nor_deleted(clone: Clone) -> None:
    incident = reported(clone)
    for statement in (
        "UPDATE gridsvc.incident_event SET note = 'x'",
        "DELETE FROM gridsvc.incident_event",
    ):
        with (
            clone.api.session(
                Scope("administrator", (Interval.of(incident.community_code),))
            ) as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(text(statement))


# ---- duplicates


def test_a_duplicate_is_linked_both_ways_and_hears_of_its_original(clone: Clone) -> None:
    original, double = reported(clone), reported(clone)
    with acting(clone, ANNA) as session:
        double = make(session, double, "mark_duplicate", original=original.id)
        assert (double.status, double.duplicate_of) == ("duplicate", original.id)
        assert life.list_duplicates(session, original) == [double.id]
        original = incidents.get(session, original.id)
    assert events_of(clone, original)[-1].details == {"duplicate": str(double.id)}
    solve(clone, original)
    followed = events_of(clone, double)[2:]
    assert told(followed) == ["follow"] * 3
    assert [one.details["step"] for one in followed] == ["triage", "start", "resolve"]
    assert followed[-1].note == "resolve。"
    with acting(clone, ANNA) as session:
        assert life.travel(session) == 0, "nothing is told twice"


def test_what_a_reporter_does_to_the_original_reaches_duplicates_with_the_next_round(
    clone: Clone,
) -> None:
    original, double = reported(clone), reported(clone)
    with acting(clone, ANNA) as session:
        make(session, double, "mark_duplicate", original=original.id)
        original = incidents.get(session, original.id)
    original = solve(clone, original)
    with following(clone, original) as session:
        make(session, original, "verify", by="reporter")
    assert events_of(clone, double)[-1].details["step"] == "resolve"
    with acting(clone, ANNA) as session:
        assert life.travel(session) == 1
    assert events_of(clone, double)[-1].details["step"] == "verify"


def test_duplicates_of_a_duplicate_follow_it(clone: Clone) -> None:
    first, second, third = (reported(clone) for _ in range(3))
    with acting(clone, ANNA) as session:
        make(session, third, "mark_duplicate", original=second.id)
        second = incidents.get(session, second.id)
        make(session, second, "mark_duplicate", original=first.id)
        assert set(life.list_duplicates(session, first)) == {second.id, third.id}
        assert incidents.get(session, third.id).duplicate_of == first.id


def test_nothing_is_joined_to_itself_nor_to_what_is_over(clone: Clone) -> None:
    incident, over = reported(clone), reported(clone)
    with acting(clone, ANNA) as session:
        make(session, over, "not_ours")
        for original, why in ((incident.id, "of itself"), (over.id, "is not_ours")):
            with pytest.raises(InvalidStepDetailError, match=why):
                make(session, incident, "mark_duplicate", original=original)
        elsewhere = town.id_of("incident", B, "parking.blocking", 0)
        with pytest.raises(InvalidStepDetailError, match="no such incident"):
            make(session, incident, "mark_duplicate", original=elsewhere)
        with pytest.raises(InvalidStepDetailError, match="Name the incident"):
            make(session, incident, "mark_duplicate")


# ---- heat


def recount(clone: Clone) -> bool:
    """Tell whether the heat cells are what counting the incidents again gives."""
    query = """
        SELECT count(*) FROM (
            SELECT community_code, cell_x, cell_y, month, class_code, incident_count
            FROM gridsvc.heat_cell
        ) cell FULL JOIN (
            SELECT community_code, cell_x, cell_y,
                   date_trunc('month', reported_at AT TIME ZONE 'Asia/Shanghai')::date AS month,
                   split_part(category_code, '.', 1) AS class_code, count(*) AS n
            FROM gridsvc.incident WHERE status <> 'duplicate' AND moved_to IS NULL
            GROUP BY 1, 2, 3, 4, 5
        ) counted USING (community_code, cell_x, cell_y, month, class_code)
        WHERE incident_count IS DISTINCT FROM n"""
    with clone.root.connect() as connection:
        return bool(connection.scalar(text(query.replace("::", "\\:\\:"))) == 0)


def test_heat_counts_a_matter_once_and_where_it_belongs(clone: Clone) -> None:
    original, double = reported(clone), reported(clone, x=39, y=39)
    assert recount(clone)
    with acting(clone, ANNA) as session:
        joined = make(session, double, "mark_duplicate", original=original.id)
    assert recount(clone), "the only incident of its cell: the cell is gone"
    with acting(clone, ANNA) as session:
        make(session, joined, "reopen", note="是另一件事")
    assert recount(clone)
    with acting(clone, ANNA) as session:
        again = incidents.get(session, original.id)
        sorted_out = make(session, again, "triage", category_code="public_facility.pipes")
    assert sorted_out.category_code == "public_facility.pipes"
    assert sorted_out.due_rule == "assign 4h"
    assert recount(clone)


# ---- bad input


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("灯" * 350_000, "350000 characters, but 4000 at most"),
        ("a\x00b", "control character"),
        ("\x1b[31mred", "control character"),
        ("\ud83d", "control character"),
    ],
)
def test_words_that_are_none_are_refused(clone: Clone, note: str, why: str) -> None:
    incident = reported(clone)
    with acting(clone, ANNA) as session:
        with pytest.raises(InvalidTextError, match=why):
            make(session, incident, "note", note=note)
        with pytest.raises(InvalidTextError):
            report(session, summary=note)
    assert len(events_of(clone, incident)) == 1


def test_emoji_markup_and_line_ends_are_kept_as_they_are(clone: Clone) -> None:
    incident = reported(clone)
    words = "👨‍👩‍👧 <script>alert('1')</script>\r\n'; DROP TABLE incident; --"
    with acting(clone, ANNA) as session:
        make(session, incident, "note", note=words)
    assert events_of(clone, incident)[-1].note == words.replace("\r\n", "\n")


def test_a_retired_category_is_refused_with_a_word(clone: Clone) -> None:
    clone.run("UPDATE gridsvc.category SET is_retired = true WHERE code = 'lift.other'")
    try:
        incident = reported(clone)
        with acting(clone, ANNA) as session:
            with pytest.raises(RetiredCategoryError, match="no longer in use"):
                report(session, category_code="lift.other")
            with pytest.raises(RetiredCategoryError):
                make(session, incident, "triage", category_code="lift.other")
    finally:
        clone.run("UPDATE gridsvc.category SET is_retired = false WHERE code = 'lift.other'")


def test_a_clock_that_is_ahead_does_not_put_a_report_into_the_future(clone: Clone) -> None:
    incident = reported(clone, reported_at=datetime.now(UTC) + timedelta(hours=5))
    assert incident.reported_at <= datetime.now(UTC)


def test_a_report_outdoors_knows_the_nearest_stairwell_of_its_compound(clone: Clone) -> None:
    # Beside the first stairwell of the second building, and beside the last one of the first.
    north = reported(clone, x=4.5, y=24.5)
    south = reported(clone, x=15, y=9.5)
    assert (north.place, north.stairwell_code) == ("compound", None)
    assert north.nearest_stairwell_code == town.stairwell_code(A, building=2, number=1)
    assert south.nearest_stairwell_code == town.stairwell_code(A, number=3)
    indoors, street = reported(clone, x=5, y=6), reported(clone, x=20, y=20)
    assert (indoors.nearest_stairwell_code, street.nearest_stairwell_code) == (None, None)


def test_the_model_and_the_row_agree(clone: Clone) -> None:
    incident = solve(clone, reported(clone))
    with acting(clone, ANNA) as session:
        assert replace(incidents.get(session, incident.id)) == incident
