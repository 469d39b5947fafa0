"""Somebody leaves or is away: the smallest good change, covers that end, and alerts."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gridsvc.contacts import service
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.plans import service as plans
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import InvalidChoiceError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.overview import editing
from gridsvc.people.register import service as register
from tests import town
from tests.databases import Clone
from tests.gridsvc.contacts.steps import A, leads, propose, shuffle, snapshot, supporting

pytestmark = pytest.mark.db
CODE = town.stairwell_code(A)
TODAY = local_today()


def settle(session: ScopedSession) -> None:
    """Let a plan be in force since some years, with nobody pinned."""
    shuffle(session)
    service.adopt(session, propose(session).id)
    session.execute(
        text(
            "UPDATE gridsvc.contact SET valid = daterange('2020-01-01', NULL)"
            " WHERE upper_inf(valid)"
            " AND NOT EXISTS (SELECT FROM gridsvc.contact o WHERE o.id <> contact.id"
            " AND o.stairwell_code = contact.stairwell_code)"
        )
    )


def test_a_leave_is_covered_and_the_former_lead_returns(town_session: ScopedSession) -> None:
    settle(town_session)
    before = leads(town_session)
    away = before[CODE]
    first, back = TODAY + timedelta(days=3), TODAY + timedelta(days=10)
    plan = plans.hand_over(
        town_session, away, from_on=first, until=back, absence="leave", is_applied=True
    )
    assert (plan.kind, plan.status, plan.day, plan.until) == ("hand_over", "applied", first, back)
    led = {code for code, member_id in before.items() if member_id == away}
    during = leads(town_session, first)
    assert led <= {code for code in before if during[code] != before[code]}
    assert away not in during.values()
    assert leads(town_session, first - timedelta(days=1)) == before
    assert leads(town_session, back - timedelta(days=1)) == during
    assert leads(town_session, back) == before, "the cover ends by itself"
    history = [one for one in duty.list_history(town_session, CODE) if one.kind == "lead"]
    assert [one.is_cover for one in history[:3]] == [False, True, False]
    assert [one.since for one in history[:2]] == [back, first]


def test_whoever_leaves_for_good_is_replaced_for_good(town_session: ScopedSession) -> None:
    settle(town_session)
    before = leads(town_session)
    gone = before[CODE]
    plan = plans.hand_over(town_session, gone, absence="moved", is_applied=True)
    after = leads(town_session)
    assert gone not in after.values()
    assert gone not in {member_id for _, member_id, _ in supporting(town_session)}
    changed = {code for code in before if after.get(code) != before[code]}
    forced = {code for code, member_id in before.items() if member_id == gone}
    assert forced <= changed
    assert len(changed - forced) <= 2, "few others"
    assert plan.stairwell_count >= len(changed)
    assert leads(town_session, TODAY + timedelta(days=400)) == after


def test_a_hand_over_can_wait_for_a_review(town_session: ScopedSession) -> None:
    settle(town_session)
    before = snapshot(town_session)
    plan = plans.hand_over(town_session, leads(town_session)[CODE])
    assert plan.status == "proposed"
    assert snapshot(town_session) == before
    plans.accept(town_session, plan.id)
    plans.finish(town_session, plan.id)
    assert plans.apply(town_session, plan.id).status == "applied"
    assert snapshot(town_session) != before


def test_a_hand_over_does_not_supersede_the_plan_in_force(town_session: ScopedSession) -> None:
    settle(town_session)
    (full,) = [
        one for one in plans.list_plans(town_session, community_code=A) if one.status == "applied"
    ]
    plans.hand_over(town_session, leads(town_session)[CODE], absence="ill", is_applied=True)
    assert plans.get(town_session, full.id).status == "applied"


def test_a_plan_during_a_cover_leaves_it_to_end_by_itself(town_session: ScopedSession) -> None:
    settle(town_session)
    before = leads(town_session)
    away, back = before[CODE], TODAY + timedelta(days=10)
    plans.hand_over(town_session, away, until=back, absence="leave", is_applied=True)
    during = leads(town_session)
    service.adopt(town_session, propose(town_session).id)
    assert leads(town_session)[CODE] == during[CODE]
    assert leads(town_session, back)[CODE] == away


def test_a_cover_who_falls_ill_is_covered_until_the_lead_returns(
    town_session: ScopedSession,
) -> None:
    settle(town_session)
    away, back = leads(town_session)[CODE], TODAY + timedelta(days=10)
    plans.hand_over(town_session, away, until=back, absence="leave", is_applied=True)
    cover = leads(town_session)[CODE]
    plans.hand_over(town_session, cover, absence="moved", is_applied=True)
    assert leads(town_session)[CODE] not in (away, cover)
    assert leads(town_session, back)[CODE] == away


def test_where_nobody_can_take_over_a_lead_on_leave_stays_and_is_alerted(
    town_session: ScopedSession,
) -> None:
    settle(town_session)
    away = leads(town_session)[CODE]
    town_session.execute(
        text("UPDATE gridsvc.member SET is_available = false WHERE id <> :id"), {"id": away}
    )
    back = TODAY + timedelta(days=5)
    plans.hand_over(town_session, away, until=back, absence="leave", is_applied=True)
    assert leads(town_session)[CODE] == away
    alert = next(one for one in duty.list_alerts(town_session) if one.stairwell_code == CODE)
    assert (alert.state, alert.member_id, alert.back_on) == ("absent", away, back)


def test_covers_and_pins_follow_grids_that_are_merged(town_session: ScopedSession) -> None:
    settle(town_session)
    first, second = (town.stairwell_code(A, building=2, number=number) for number in (2, 3))
    (plan,) = service.propose(town_session, time_limit_s=0.2, community_code=A).plans
    before = leads(town_session)
    for code in (first, second):
        plans.override(town_session, plan.id, stairwell_code=code, member_id=before[code])
    back = TODAY + timedelta(days=10)
    for away in sorted({before[first], before[second]}):
        plans.hand_over(town_session, away, until=back, absence="leave", is_applied=True)
    during = leads(town_session)
    assert {during[first], during[second]}.isdisjoint({before[first], before[second]})
    edit = editing.merge(town_session, {first: 1, second: 1}, name="大梯", reason="居民要求")
    (merged,) = edit.grids
    heir = edit.descents[0].predecessor_code
    assert leads(town_session, TODAY + timedelta(days=1))[merged.code] == during[heir]
    assert leads(town_session, back)[merged.code] == before[heir]
    pins = [pin.stairwell_code for pin in plans.list_pins(town_session)]
    assert pins == [merged.code]


def test_hand_overs_that_make_no_sense_are_refused(town_session: ScopedSession) -> None:
    member = town.id_of("member", A, 1)
    with pytest.raises(InvalidChoiceError, match="lies in the past"):
        plans.hand_over(town_session, member, from_on=TODAY - timedelta(days=1))
    with pytest.raises(InvalidChoiceError, match="not after"):
        plans.hand_over(town_session, member, from_on=TODAY, until=TODAY)
    with pytest.raises(NotFoundError, match="member"):
        plans.hand_over(town_session, town.id_of("member", A, 99))


def test_alerts_say_why_nobody_can_be_asked(town_session: ScopedSession) -> None:
    assert duty.list_alerts(town_session, community_code=A) == []
    before = leads(town_session)
    first, *others = sorted(set(before.values()))
    register.add_absence(
        town_session, first, kind="ill", since=TODAY, until=TODAY + timedelta(days=2)
    )
    register.withdraw_consent(town_session, others[0])
    town_session.execute(
        text("UPDATE gridsvc.member SET is_available = false WHERE id = :id"), {"id": others[1]}
    )
    bare = next(code for code, lead in sorted(before.items()) if lead == others[2])
    town_session.execute(text("DELETE FROM gridsvc.contact WHERE stairwell_code = :c"), {"c": bare})
    states = {
        one.stairwell_code: one.state for one in duty.list_alerts(town_session, community_code=A)
    }
    expected = {first: "absent", others[0]: "no_consent", others[1]: "switched_off"}
    assert states == {code: expected[lead] for code, lead in before.items() if lead in expected} | {
        bare: "none"
    }
    later = duty.list_alerts(town_session, on=TODAY + timedelta(days=2), community_code=A)
    assert "absent" not in {one.state for one in later}


def test_alerts_count_supporting_contacts_who_can_be_asked(town_session: ScopedSession) -> None:
    settle(town_session)
    code, member_id, _ = min(supporting(town_session))
    lead = leads(town_session)[code]
    register.add_absence(town_session, lead, kind="leave", since=TODAY)
    counted = {one.stairwell_code: one for one in duty.list_alerts(town_session)}[code]
    helpers = {who for where, who, _ in supporting(town_session) if where == code}
    assert counted.supporting_count == len(helpers)
    assert counted.back_on is None
    register.add_absence(town_session, member_id, kind="leave", since=TODAY)
    counted = {one.stairwell_code: one for one in duty.list_alerts(town_session)}[code]
    assert counted.supporting_count == len(helpers) - 1


def test_contacts_see_their_own_stairwells_only(town_database: Clone) -> None:
    with town.job_session(town_database.job) as session:
        mine = leads(session)
    person = mine[CODE]
    scope = Scope("contact", (Interval.of(A),), person=person)
    with town_database.api.session(scope) as session:
        own = duty.list_own(session)
        assert {one.stairwell_code for one in own if one.kind == "lead"} == {
            code for code, lead in mine.items() if lead == person
        }
        assert {one.member_id for one in duty.list_in_force(session, limit=1000)} == {person}
    stranger = Scope("contact", (Interval.of(A),))
    with town_database.api.session(stranger) as session:
        assert duty.list_own(session) == []
