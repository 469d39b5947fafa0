"""A plan explains itself, and says when it was made from something else than there is now."""

import pytest
from sqlalchemy import text

from gridsvc.contacts.plans import service as plans
from gridsvc.db import ScopedSession
from gridsvc.errors import InvalidChoiceError, NotFoundError
from gridsvc.people import service as people
from tests import town
from tests.gridsvc.contacts.steps import A, leads, propose, shuffle, somebody_else

pytestmark = pytest.mark.db
CODE = town.stairwell_code(A)


def test_each_line_tells_who_how_near_how_loaded_and_who_is_next(
    town_session: ScopedSession,
) -> None:
    plan = propose(town_session)
    lines = {line.stairwell_code: line for line in plans.list_lines(town_session, plan.id)}
    explained = plans.explain_lines(town_session, plan.id, stairwell_codes=sorted(lines))
    assert explained.has_changed is False
    assert [one.stairwell_code for one in explained.lines] == sorted(lines)
    for one in explained.lines:
        line = lines[one.stairwell_code]
        assert one.member is not None
        assert (one.member.member_id, one.member.name) == (line.member_id, line.name)
        assert (one.tier, one.distance_m) == (line.reason, line.distance_m)
        own = [other for other in lines.values() if other.member_id == line.member_id]
        assert one.load_stairwells == len(own)
        assert one.load_households == sum(other.household_count for other in own)
        assert one.next_best is None or one.next_best.member_id != line.member_id
        assert (one.why_not == "none") == (one.saved_without == 0)


def test_decisions_on_the_plan_do_not_change_what_it_was_made_from(
    town_session: ScopedSession,
) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    first, second, third = (
        line.stairwell_code for line in plans.list_lines(town_session, plan.id, limit=3)
    )
    plans.reject(town_session, plan.id, stairwell_codes=[first], reason="居民要求")
    chosen = somebody_else(
        town_session, second, plans.get_line(town_session, plan.id, second).member_id
    )
    plans.override(town_session, plan.id, stairwell_code=second, member_id=chosen)
    plans.accept(town_session, plan.id)
    plans.finish(town_session, plan.id)
    plans.apply(town_session, plan.id)
    explained = plans.explain_lines(town_session, plan.id, stairwell_codes=[first, second, third])
    assert explained.has_changed is False


def test_it_says_when_people_have_changed_since(town_session: ScopedSession) -> None:
    plan = propose(town_session)
    town_session.execute(
        text("UPDATE gridsvc.member SET capacity_households = 5 WHERE id = :id"),
        {"id": town.id_of("member", A, 1)},
    )
    explained = plans.explain_lines(town_session, plan.id, stairwell_codes=[CODE])
    assert explained.has_changed is True


def test_an_exclusion_is_given_as_the_reason(town_session: ScopedSession) -> None:
    """Whoever lives in the stairwell and is in the Party would have it, were it not excluded."""
    code = town.stairwell_code(A, number=3)
    resident = town.id_of("member", A, 2)
    people.add_exclusion(
        town_session, community_code=A, member_id=resident, stairwell_code=code, reason="旧怨"
    )
    plan = propose(town_session)
    (one,) = plans.explain_lines(town_session, plan.id, stairwell_codes=[code]).lines
    assert one.member is not None
    assert one.member.member_id != resident
    if one.why_not == "excluded":
        assert one.next_best is not None
        assert one.next_best.member_id == resident
    assert one.why_not in {"excluded", "full", "would_change"}


def test_a_hand_over_is_explained_too(town_session: ScopedSession) -> None:
    plan = plans.hand_over(town_session, leads(town_session)[CODE])
    explained = plans.explain_lines(town_session, plan.id, stairwell_codes=[CODE])
    assert explained.has_changed is None
    assert explained.lines[0].member is not None


def test_shortages_and_the_saving_of_one_more_member_are_told_by_compound(
    town_session: ScopedSession,
) -> None:
    calm = propose(town_session)
    assert plans.list_shortages(town_session, calm.id) == []
    town_session.execute(text("UPDATE gridsvc.member SET capacity_households = 10"))
    plan = propose(town_session)
    assert plan.overload_households > 0
    short = plans.list_shortages(town_session, plan.id)
    assert {one.compound_code for one in short} <= {town.compound_code(A, n) for n in (1, 2)}
    assert sum(one.households_short for one in short) == plan.overload_households
    assert all(one.people_short > 0 for one in short)
    saving = plans.save_with_one_more(town_session, plan.id, short[0].compound_code)
    assert saving.cost > 0
    assert saving.home_stairwell_code.startswith(saving.compound_code)


def test_what_is_not_in_the_plan_is_not_explained(town_session: ScopedSession) -> None:
    plan = propose(town_session)
    with pytest.raises(NotFoundError, match="line of stairwell"):
        plans.explain_lines(town_session, plan.id, stairwell_codes=["9" * 20])
    with pytest.raises(InvalidChoiceError, match="At most 100"):
        plans.explain_lines(town_session, plan.id, stairwell_codes=[CODE] * 101)
    with pytest.raises(NotFoundError, match="compound of the plan"):
        plans.save_with_one_more(town_session, plan.id, "9" * 15)
