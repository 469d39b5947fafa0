"""A plan is decided on by a person, line by line, and decisions outlive it."""

import pytest
from sqlalchemy import text

from gridsvc.contacts import service
from gridsvc.contacts.model import LineFilter
from gridsvc.contacts.plans import service as plans
from gridsvc.db import ScopedSession
from gridsvc.errors import (
    InvalidChoiceError,
    NotFoundError,
    PlanAppliedError,
    PlanNotReviewedError,
    StalePlanError,
)
from gridsvc.people import service as people
from gridsvc.retention.persons import service as persons
from tests import town
from tests.gridsvc.contacts.steps import (
    A,
    changed_lines,
    leads,
    propose,
    shuffle,
    snapshot,
    somebody_else,
    supporting,
)

pytestmark = pytest.mark.db
CODE = town.stairwell_code(A)


def test_a_plan_tells_its_difference_to_today_by_line_and_in_sum(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    gone = town.stairwell_code(A, compound=2)
    town_session.execute(text("DELETE FROM gridsvc.contact WHERE stairwell_code = :c"), {"c": gone})
    before = leads(town_session)
    plan = propose(town_session)
    lines = plans.list_lines(town_session, plan.id)
    for line in lines:
        former = before.get(line.stairwell_code)
        assert (line.former and line.former.member_id) == former
        expected = "kept" if former == line.member_id else "handed_over" if former else "new"
        assert line.change == expected
        assert line.final_member_id == former, "nothing is decided yet"
    assert plan.changes["new"] == 1
    assert plan.changes["handed_over"] > 0
    assert sum(plan.changes.values()) == 12 == sum(plan.decisions.values())
    to_decide = plans.list_lines(town_session, plan.id, LineFilter(is_to_decide=True))
    assert plan.to_decide == len(to_decide)
    assert {line.stairwell_code for line in to_decide} >= set(changed_lines(town_session, plan))


def test_apply_half_reject_some_and_plan_again(town_session: ScopedSession) -> None:
    shuffle(town_session)
    before = leads(town_session)
    plan = propose(town_session)
    proposed = {
        line.stairwell_code: line.member_id for line in plans.list_lines(town_session, plan.id)
    }
    changed = changed_lines(town_session, plan)
    assert len(changed) >= 4
    half = len(changed) // 2
    accepted, refused, ignored = changed[:half], changed[half], changed[half + 1 :]
    plans.accept(town_session, plan.id, stairwell_codes=accepted)
    plans.reject(town_session, plan.id, stairwell_codes=[refused], reason="两家不和")
    plans.finish(town_session, plan.id)
    applied = plans.apply(town_session, plan.id)
    assert applied.status == "applied"
    after = leads(town_session)
    assert {code: after[code] for code in accepted} == {code: proposed[code] for code in accepted}
    for code in (refused, *ignored):
        assert after[code] == before[code], "what was not accepted keeps its contact"

    again = propose(town_session)
    lines = {line.stairwell_code: line for line in plans.list_lines(town_session, again.id)}
    assert lines[refused].member_id not in (None, proposed[refused]), "whom one rejected stays out"
    service.adopt(town_session, again.id)
    final = leads(town_session)
    assert final[refused] not in (None, proposed[refused])
    assert plans.get(town_session, plan.id).status == "superseded"


def test_whom_a_coordinator_chose_stays_in_later_plans_until_let_go(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    line = plans.get_line(town_session, plan.id, CODE)
    chosen = somebody_else(town_session, CODE, line.member_id)
    decided = plans.override(town_session, plan.id, stairwell_code=CODE, member_id=chosen)
    assert decided.decisions["overridden"] == 1
    line = plans.get_line(town_session, plan.id, CODE)
    assert line.final_member_id == chosen
    assert [pin.stairwell_code for pin in plans.list_pins(town_session)] == [CODE]

    again = propose(town_session)
    assert plans.get_line(town_session, again.id, CODE).member_id == chosen
    plans.unpin(town_session, CODE)
    freed = propose(town_session)
    assert plans.get_line(town_session, freed.id, CODE).member_id != chosen
    with pytest.raises(NotFoundError, match=CODE):
        plans.unpin(town_session, CODE)


def test_a_compound_or_everything_can_be_accepted_at_once(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    refused = changed_lines(town_session, plan)[0]
    plans.reject(town_session, plan.id, stairwell_codes=[refused], reason="不合适")
    first = plans.accept(town_session, plan.id, compound_code=town.compound_code(A))
    assert first.decisions == {"open": 6, "accepted": 5, "overridden": 0, "rejected": 1}
    whole = plans.accept(town_session, plan.id)
    assert whole.decisions == {"open": 0, "accepted": 11, "overridden": 0, "rejected": 1}
    assert whole.to_decide == 0


def test_deciding_anew_takes_back_what_the_earlier_decision_brought(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    code = changed_lines(town_session, plan)[0]
    exclusions = len(people.read_exclusions(town_session, community_code=A))
    plans.reject(town_session, plan.id, stairwell_codes=[code], reason="不合适")
    assert len(people.read_exclusions(town_session, community_code=A)) == exclusions + 1
    chosen = somebody_else(
        town_session, code, plans.get_line(town_session, plan.id, code).member_id
    )
    plans.override(town_session, plan.id, stairwell_code=code, member_id=chosen)
    assert len(people.read_exclusions(town_session, community_code=A)) == exclusions
    assert len(plans.list_pins(town_session)) == 1
    plans.accept(town_session, plan.id, stairwell_codes=[code])
    assert plans.list_pins(town_session) == []
    plans.reopen(town_session, plan.id, stairwell_codes=[code])
    line = plans.get_line(town_session, plan.id, code)
    assert (line.decision, line.chosen) == ("open", None)


def test_a_plan_that_nobody_reviewed_is_not_applied(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    before = snapshot(town_session)
    with pytest.raises(PlanNotReviewedError, match=f"{plan.to_decide} change something"):
        plans.apply(town_session, plan.id)
    plans.finish(town_session, plan.id)
    reopened = plans.accept(town_session, plan.id, compound_code=town.compound_code(A))
    assert reopened.status == "proposed", "a decision opens the review again"
    with pytest.raises(PlanNotReviewedError):
        plans.apply(town_session, plan.id)
    assert snapshot(town_session) == before


def test_a_review_without_decisions_changes_nothing(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    before = snapshot(town_session)
    plans.finish(town_session, plan.id)
    plans.apply(town_session, plan.id)
    assert snapshot(town_session) == before


def test_a_withdrawn_plan_is_over(town_session: ScopedSession) -> None:
    plan = propose(town_session)
    assert plans.withdraw(town_session, plan.id).status == "withdrawn"
    for act in (plans.accept, plans.finish, plans.withdraw, plans.apply):
        with pytest.raises(PlanAppliedError, match="is withdrawn"):
            act(town_session, plan.id)


def test_a_decision_on_a_version_that_is_gone_is_refused(town_session: ScopedSession) -> None:
    plan = propose(town_session)
    plans.accept(town_session, plan.id, version=plan.version)
    for act in (plans.accept, plans.finish, plans.withdraw, plans.apply):
        with pytest.raises(StalePlanError, match="in version 1, but in version 2"):
            act(town_session, plan.id, version=plan.version)


def test_choices_that_make_no_sense_are_named(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    away, nobody = town.id_of("member", A, 8), town.id_of("member", A, 99)
    with pytest.raises(InvalidChoiceError, match="cannot be asked"):
        plans.override(town_session, plan.id, stairwell_code=CODE, member_id=away)
    with pytest.raises(NotFoundError, match=str(nobody)):
        plans.override(town_session, plan.id, stairwell_code=CODE, member_id=nobody)
    with pytest.raises(NotFoundError, match="line of stairwell 9"):
        plans.accept(town_session, plan.id, stairwell_codes=["9" * 20])
    chosen = somebody_else(town_session, CODE)
    people.add_exclusion(
        town_session, community_code=A, member_id=chosen, stairwell_code=CODE, reason="旧怨"
    )
    with pytest.raises(InvalidChoiceError, match="an exclusion is in force"):
        plans.override(town_session, plan.id, stairwell_code=CODE, member_id=chosen)


def test_an_exclusion_that_leaves_nobody_is_a_shortage_in_words(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    for number in range(9):
        people.add_exclusion(
            town_session,
            community_code=A,
            member_id=town.id_of("member", A, number),
            stairwell_code=CODE,
            reason="居民要求",
        )
    plan = propose(town_session)
    line = plans.get_line(town_session, plan.id, CODE)
    assert (line.member_id, line.reason, line.change) == (None, "excluded", "ended")
    with pytest.raises(InvalidChoiceError, match="proposes nobody to reject"):
        plans.reject(town_session, plan.id, stairwell_codes=[CODE], reason="没有人")
    service.adopt(town_session, plan.id)
    assert CODE not in leads(town_session)


def test_members_without_home_or_capacity_and_empty_stairwells_are_told_not_fatal(
    town_session: ScopedSession,
) -> None:
    town_session.execute(text("UPDATE gridsvc.stairwell SET household_count = 0"))
    town_session.execute(
        text("UPDATE gridsvc.member SET home_stairwell_code = NULL, capacity_stairwells = 0")
    )
    plan = propose(town_session)
    assert plan.notes["members_without_home"] == 9
    assert plan.notes["members_who_take_none"] == 9
    assert plan.notes["stairwells_without_households"] == 12
    assert plan.covered_count < 12
    reasons = {line.reason for line in plans.list_lines(town_session, plan.id)}
    assert "full" in reasons


def test_supporting_contacts_are_proposed_and_applied_with_the_plan(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    plan = propose(town_session, households_per_contact=10, supporting_at_most=2)
    lines = plans.list_lines(town_session, plan.id)
    wanted = {
        (line.stairwell_code, one.member_id, one.households)
        for line in lines
        for one in line.supporting
    }
    assert wanted
    assert all(len(line.supporting) <= 2 for line in lines)
    for line in lines:
        assert line.member_id not in {one.member_id for one in line.supporting}
    service.adopt(town_session, plan.id)
    assert supporting(town_session) == wanted
    again = propose(town_session, households_per_contact=1000)
    service.adopt(town_session, again.id)
    assert supporting(town_session) == set()


def test_a_budget_of_changes_is_kept(town_session: ScopedSession) -> None:
    shuffle(town_session)
    free = propose(town_session)
    assert free.changes["handed_over"] > 2
    for budget in (0, 2):
        plan = propose(town_session, change_at_most=budget)
        assert plan.change_at_most == budget
        assert plan.changes["handed_over"] <= budget


def test_an_erased_person_leaves_open_plans_and_pins(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    chosen = somebody_else(
        town_session, CODE, plans.get_line(town_session, plan.id, CODE).member_id
    )
    plans.override(town_session, plan.id, stairwell_code=CODE, member_id=chosen)
    former = leads(town_session)[CODE]
    persons.erase(town_session, chosen)
    persons.erase(town_session, former)
    line = plans.get_line(town_session, plan.id, CODE)
    assert (line.decision, line.chosen, line.former, line.change) == ("open", None, None, "new")
    assert plans.list_pins(town_session) == []
    gone = {chosen, former}
    for one in plans.list_lines(town_session, plan.id):
        assert one.member_id not in gone
        assert not gone & {support.member_id for support in one.supporting}
    plans.accept(town_session, plan.id)
    plans.finish(town_session, plan.id)
    assert plans.apply(town_session, plan.id).status == "applied"
