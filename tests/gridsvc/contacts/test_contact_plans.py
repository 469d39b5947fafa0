"""A plan is a proposal with reasons; applying it gives each stairwell one lead a day."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from gridsvc.contacts import service
from gridsvc.contacts.model import REASONS, TIERS
from gridsvc.contacts.plans import service as plans
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import NotFoundError, PlanAppliedError
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def test_a_run_holds_a_plan_for_each_community(town_session: ScopedSession) -> None:
    run = service.propose(town_session, time_limit_s=0.2, seed=3)
    assert {plan.community_code for plan in run.plans} == {A, B}
    for plan in run.plans:
        assert plan.status == "proposed"
        assert plan.stairwell_count == 12
        assert plan.bound <= plan.objective
        assert 0 <= plan.gap <= run.gap + 1
    assert service.get_run(town_session, run.id) == run


def test_every_line_says_who_and_why(town_session: ScopedSession) -> None:
    (plan,) = service.propose(town_session, time_limit_s=0.2, community_code=A).plans
    lines = service.list_lines(town_session, plan.id)
    assert [line.stairwell_code for line in lines] == sorted(
        town.stairwell_code(A, compound=c, building=b, number=n)
        for c in (1, 2)
        for b in (1, 2)
        for n in (1, 2, 3)
    )
    for line in lines:
        assert line.reason in (TIERS if line.member_id else REASONS)
        assert (line.member_id is None) == (line.distance_m is None)
    assert plan.covered_count == sum(line.member_id is not None for line in lines)
    unavailable = town.id_of("member", A, 8)
    assert unavailable not in {line.member_id for line in lines}


def test_a_community_without_members_is_uncovered_and_says_so(empty_session: ScopedSession) -> None:
    territory.load(empty_session, town.make_territory())
    run = service.propose(empty_session, time_limit_s=0.2)
    assert [plan.covered_count for plan in run.plans] == [0, 0]
    uncovered = service.list_uncovered(empty_session, run.id)
    assert len(uncovered) == 24
    assert {reason for _, reason in uncovered} == {"no_candidate"}
    for plan in run.plans:
        service.adopt(empty_session, plan.id)
    assert service.count_states(empty_session)["uncovered"] == 24


@pytest.mark.parametrize("code", [440605011009, 440605012001])
def test_a_community_that_is_not_there_cannot_be_planned(
    town_session: ScopedSession, code: int
) -> None:
    with pytest.raises(NotFoundError, match=str(code)):
        service.propose(town_session, time_limit_s=0.1, community_code=code)


def test_a_plan_is_applied_once(town_session: ScopedSession) -> None:
    (plan,) = service.propose(town_session, time_limit_s=0.2, community_code=A).plans
    applied = service.adopt(town_session, plan.id)
    assert applied.status == "applied"
    assert applied.applied_at is not None
    with pytest.raises(PlanAppliedError, match="is applied: propose a new one"):
        service.apply(town_session, plan.id)
    earlier = [one for one in service.list_plans(town_session, community_code=A) if one != applied]
    assert {one.status for one in earlier} == {"superseded"}


def test_one_plan_applied_by_two_at_once_is_applied_once(own_town: Clone) -> None:
    scope = Scope("coordinator", (Interval.of(A),))
    with own_town.api.session(scope) as session, session.begin():
        (plan,) = service.propose(session, time_limit_s=0.2, community_code=A).plans

    def apply(_: int) -> str:
        with own_town.api.session(scope) as session, session.begin():
            try:
                return service.adopt(session, plan.id).status
            except PlanAppliedError as error:
                return f"refused: {error.status}"

    with ThreadPoolExecutor(max_workers=3) as threads:
        outcomes = sorted(threads.map(apply, range(3)))
    assert outcomes == ["applied", "refused: applied", "refused: applied"]
    assert (
        own_town.count("contact", f"community_code = {A} AND kind = 'lead' AND upper_inf(valid)")
        == 12
    )


def leads(session: ScopedSession) -> dict[str, UUID]:
    rows = session.execute(
        select(ContactRow.stairwell_code, ContactRow.member_id).where(
            ContactRow.community_code == A,
            ContactRow.kind == "lead",
            text("upper_inf(valid)"),
        )
    )
    return dict(rows.all())


def plan_with(session: ScopedSession, member_id: UUID, code: str) -> UUID:
    """Propose a plan, accept it, and give one stairwell to somebody else in it."""
    (plan,) = service.propose(session, time_limit_s=0.2, community_code=A).plans
    plans.accept(session, plan.id)
    plans.override(session, plan.id, stairwell_code=code, member_id=member_id)
    plans.finish(session, plan.id)
    return plan.id


def another_member(session: ScopedSession, code: str) -> UUID:
    current = leads(session)[code]
    return next(
        member for number in range(8) if (member := town.id_of("member", A, number)) != current
    )


def test_a_lead_of_today_is_corrected_in_place(town_session: ScopedSession) -> None:
    code = town.stairwell_code(A)
    chosen = another_member(town_session, code)
    before = leads(town_session)
    service.apply(town_session, plan_with(town_session, chosen, code))
    after = leads(town_session)
    assert after[code] == chosen
    assert len(after) == len(before) == 12
    rows = town_session.scalars(
        select(ContactRow).where(ContactRow.stairwell_code == code, ContactRow.kind == "lead")
    ).all()
    assert len(rows) == 1, "one day, one lead, one row"
    contact = service.find_contact(town_session, code)
    assert contact is not None
    assert contact.member_id == chosen
    assert contact.distance_m > 0


def test_an_older_lead_ends_today_and_the_new_one_begins(town_session: ScopedSession) -> None:
    town_session.execute(text("UPDATE gridsvc.contact SET valid = daterange('2020-01-01', NULL)"))
    code = town.stairwell_code(A)
    chosen = another_member(town_session, code)
    service.apply(town_session, plan_with(town_session, chosen, code))
    today = local_today()
    rows = town_session.execute(
        text(
            "SELECT member_id, lower(valid), upper(valid) FROM gridsvc.contact"
            " WHERE stairwell_code = :code AND kind = 'lead' ORDER BY 2"
        ),
        {"code": code},
    ).all()
    assert [(start, end) for _, start, end in rows][1:] == [(today, None)]
    assert rows[0][2] == today
    assert rows[1][0] == chosen
    contact = service.find_contact(town_session, code)
    assert contact is not None
    assert contact.since == today


def test_what_a_plan_leaves_as_it_is_keeps_its_history(town_session: ScopedSession) -> None:
    town_session.execute(text("UPDATE gridsvc.contact SET valid = daterange('2020-01-01', NULL)"))
    (plan,) = service.propose(town_session, time_limit_s=0.3, community_code=A).plans
    before = leads(town_session)
    service.adopt(town_session, plan.id)
    kept = {code for code, member in leads(town_session).items() if before[code] == member}
    assert len(kept) > 6, "few changes against today"
    contact = service.find_contact(town_session, min(kept))
    assert contact is not None
    assert str(contact.since) == "2020-01-01"


def test_two_leads_on_one_day_are_impossible(own_town: Clone) -> None:
    with pytest.raises(IntegrityError, match="contact_lead_excl"):
        own_town.run(
            "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind,"
            " valid, tier, distance_m) SELECT community_code, gen_random_uuid(), stairwell_code,"
            " member_id, 'lead', daterange('2000-01-01', NULL), 0, 0 FROM gridsvc.contact LIMIT 1"
        )


def test_states_of_coverage_add_up_to_the_stairwells(town_session: ScopedSession) -> None:
    whole = service.count_states(town_session)
    parts = [service.count_states(town_session, community_code=code) for code in (A, B)]
    assert sum(whole.values()) == 24
    assert {state: parts[0][state] + parts[1][state] for state in whole} == whole


def test_a_lead_who_carries_too_much_is_overloaded_everywhere(town_session: ScopedSession) -> None:
    town_session.execute(text("UPDATE gridsvc.member SET capacity_households = 1"))
    states = service.count_states(town_session)
    assert states["overloaded"] == 24 - states["uncovered"]


LEAVE = (
    "INSERT INTO gridsvc.member_absence (community_code, id, member_id, kind, valid)"
    " SELECT community_code, gen_random_uuid(), id, 'leave', '[2020-01-01,)'"
    " FROM gridsvc.member WHERE id = :lead"
)


@pytest.mark.parametrize(
    "away",
    [
        LEAVE,
        "UPDATE gridsvc.member_consent SET withdrawn_on = given_on WHERE member_id = :lead",
        "UPDATE gridsvc.member SET is_available = false WHERE id = :lead",
    ],
)
def test_a_stairwell_whose_lead_is_away_is_absent(town_session: ScopedSession, away: str) -> None:
    before = service.count_states(town_session)
    lead, stairwells = _lead_of_most(town_session)
    assert before["absent"] == 0
    town_session.execute(text(away), {"lead": lead})
    after = service.count_states(town_session)
    assert after["absent"] == stairwells
    assert sum(after.values()) == sum(before.values())


def test_who_gave_consent_again_is_not_away(town_session: ScopedSession) -> None:
    lead, _ = _lead_of_most(town_session)
    withdrawn = "UPDATE gridsvc.member_consent SET withdrawn_on = given_on WHERE member_id = :lead"
    again = (
        "INSERT INTO gridsvc.member_consent (community_code, id, member_id, given_on, basis)"
        " SELECT community_code, gen_random_uuid(), id, CURRENT_DATE - 1, 'given'"
        " FROM gridsvc.member WHERE id = :lead"
    )
    for statement in (withdrawn, again):
        town_session.execute(text(statement), {"lead": lead})
    assert service.count_states(town_session)["absent"] == 0


def test_what_supporting_contacts_take_over_is_theirs_to_carry(town_session: ScopedSession) -> None:
    """A lead of n households at capacity n - 1 is overloaded until one of them is another's."""
    town_session.execute(text("DELETE FROM gridsvc.contact WHERE kind = 'supporting'"))
    lead, stairwells = _lead_of_most(town_session)
    town_session.execute(
        text(
            "UPDATE gridsvc.member SET capacity_stairwells = 50, capacity_households = CASE id"
            " WHEN :lead THEN (SELECT sum(household_count) - 1 FROM gridsvc.contact c"
            " JOIN gridsvc.stairwell s ON s.code = c.stairwell_code WHERE c.member_id = :lead)"
            " ELSE 10000 END"
        ),
        {"lead": lead},
    )
    assert service.count_states(town_session)["overloaded"] == stairwells
    helper = town_session.scalars(
        text(
            "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind,"
            " valid, tier, distance_m, households)"
            " SELECT c.community_code, gen_random_uuid(), c.stairwell_code, m.id, 'supporting',"
            " c.valid, 4, 0, 1 FROM gridsvc.contact c JOIN gridsvc.member m"
            " ON m.community_code = c.community_code AND m.id <> c.member_id"
            " WHERE c.member_id = :lead LIMIT 1 RETURNING member_id"
        ),
        {"lead": lead},
    ).one()
    assert service.count_states(town_session)["overloaded"] == 0
    narrow = "UPDATE gridsvc.member SET capacity_households = 0 WHERE id = :helper"
    town_session.execute(text(narrow), {"helper": helper})
    led = "SELECT count(*) FROM gridsvc.contact WHERE member_id = :helper AND kind = 'lead'"
    own = town_session.scalars(text(led), {"helper": helper}).one()
    assert service.count_states(town_session)["overloaded"] == own


def _lead_of_most(session: ScopedSession) -> tuple[UUID, int]:
    """Return the lead of the most stairwells today, and of how many."""
    row = session.execute(
        text(
            "SELECT member_id, count(*) FROM gridsvc.contact"
            " WHERE kind = 'lead' AND valid @> CURRENT_DATE GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
        )
    ).one()
    return row[0], row[1]


def test_a_stairwell_without_contact_is_uncovered(town_session: ScopedSession) -> None:
    code = town.stairwell_code(A)
    town_session.execute(text("DELETE FROM gridsvc.contact WHERE stairwell_code = :c"), {"c": code})
    assert service.find_contact(town_session, code) is None
    assert service.count_states(town_session, community_code=A)["uncovered"] == 1


@pytest.mark.parametrize("role", ["planner", "patrol", "contact", "resident"])
def test_plans_and_contacts_are_for_staff(town_database: Clone, role: str) -> None:
    scope = Scope(role, (Interval.of(A),))
    with town_database.api.session(scope) as session:
        assert service.list_plans(session) == []
        assert service.find_contact(session, town.stairwell_code(A)) is None
        with pytest.raises(NotFoundError):
            service.apply(session, _plan_of(town_database))


def _plan_of(clone: Clone) -> UUID:
    with clone.root.connect() as connection:
        query = text("SELECT id FROM gridsvc.contact_plan WHERE community_code = :code")
        found: UUID = connection.scalars(query, {"code": A}).one()
    return found
