"""A plan is applied while what was accepted is still true, in one transaction or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from gridsvc.contacts import service
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.model import Plan
from gridsvc.contacts.plans import service as plans
from gridsvc.db import ScopedSession
from gridsvc.errors import PlanAppliedError, PlanOutdatedError
from gridsvc.local_time import local_today
from gridsvc.overview import editing
from gridsvc.people import service as people
from gridsvc.people.register import service as register
from tests import town
from tests.databases import Clone
from tests.gridsvc.contacts.steps import (
    A,
    changed_lines,
    coordinator,
    leads,
    propose,
    shuffle,
    snapshot,
    somebody_else,
)

pytestmark = pytest.mark.db
CODE = town.stairwell_code(A)


def reviewed(session: ScopedSession, codes: list[str] | None = None) -> Plan:
    """Return a plan that changes lines, accepted as a whole or in part, and reviewed."""
    shuffle(session)
    plan = propose(session)
    plans.accept(session, plan.id, stairwell_codes=codes)
    return plans.finish(session, plan.id)


def refused(session: ScopedSession, plan: Plan) -> set[tuple[str, str]]:
    """Try to apply a plan that no longer fits; return what it names, having written nothing."""
    before = snapshot(session)
    with pytest.raises(PlanOutdatedError, match="nothing was written") as caught:
        plans.apply(session, plan.id)
    assert snapshot(session) == before
    assert plans.get(session, plan.id).status == "reviewed"
    assert len(caught.value.faults) == len(caught.value.changes)
    return {(code, what) for code, what, _ in caught.value.changes}


def void_stairwell(session: ScopedSession, _: Plan) -> None:
    editing.void(session, CODE, version=2, reason="已经拆除")


def move_outline(session: ScopedSession, _: Plan) -> None:
    session.execute(
        text(
            "UPDATE gridsvc.stairwell SET geom = ST_Translate(geom, 0.00001, 0) WHERE code = :code"
        ),
        {"code": CODE},
    )


def count_again(session: ScopedSession, _: Plan) -> None:
    session.execute(
        text("UPDATE gridsvc.stairwell SET household_count = 9 WHERE code = :code"), {"code": CODE}
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [(void_stairwell, "ended"), (move_outline, "redrawn"), (count_again, "households")],
)
def test_territory_that_changed_since_is_named(
    town_session: ScopedSession, change: Callable[[ScopedSession, Plan], None], what: str
) -> None:
    plan = reviewed(town_session)
    change(town_session, plan)
    assert (CODE, what) in refused(town_session, plan)


def leave(session: ScopedSession, member_id: UUID, _: str) -> None:
    session.execute(
        text("UPDATE gridsvc.member SET erased_at = now() WHERE id = :id"), {"id": member_id}
    )


def go_away(session: ScopedSession, member_id: UUID, _: str) -> None:
    register.add_absence(session, member_id, kind="leave", since=local_today())


def withdraw_consent(session: ScopedSession, member_id: UUID, _: str) -> None:
    register.withdraw_consent(session, member_id)


def move_house(session: ScopedSession, member_id: UUID, _: str) -> None:
    session.execute(
        text(
            "UPDATE gridsvc.member SET home_stairwell_code = NULL,"
            " geom = ST_Translate(geom, 0.001, 0) WHERE id = :id"
        ),
        {"id": member_id},
    )


def fall_out(session: ScopedSession, member_id: UUID, code: str) -> None:
    people.add_exclusion(
        session, community_code=A, member_id=member_id, stairwell_code=code, reason="吵过架"
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (leave, "left"),
        (go_away, "unavailable"),
        (withdraw_consent, "unavailable"),
        (move_house, "moved"),
        (fall_out, "excluded"),
    ],
)
def test_people_who_changed_since_are_named(
    town_session: ScopedSession,
    change: Callable[[ScopedSession, UUID, str], None],
    what: str,
) -> None:
    plan = reviewed(town_session)
    code = changed_lines(town_session, plan)[0]
    member_id = plans.get_line(town_session, plan.id, code).member_id
    assert member_id is not None
    change(town_session, member_id, code)
    assert (code, what) in refused(town_session, plan)


def test_another_contact_since_is_named(town_session: ScopedSession) -> None:
    plan = reviewed(town_session)
    code = changed_lines(town_session, plan)[0]
    chosen = somebody_else(
        town_session, code, plans.get_line(town_session, plan.id, code).member_id
    )
    town_session.execute(
        text(
            "UPDATE gridsvc.contact SET member_id = :member WHERE stairwell_code = :code"
            " AND kind = 'lead'"
        ),
        {"member": chosen, "code": code},
    )
    assert refused(town_session, plan) == {(code, "contact")}
    plans.accept(town_session, plan.id, stairwell_codes=[code])
    plans.finish(town_session, plan.id)
    assert plans.apply(town_session, plan.id).status == "applied", "seen again, it is as accepted"


def test_what_changed_elsewhere_does_not_matter(town_session: ScopedSession) -> None:
    shuffle(town_session)
    plan = propose(town_session)
    code, other, *_ = changed_lines(town_session, plan)
    plans.accept(town_session, plan.id, stairwell_codes=[code])
    plans.finish(town_session, plan.id)
    town_session.execute(
        text("UPDATE gridsvc.stairwell SET household_count = 9 WHERE code = :code"), {"code": other}
    )
    town_session.execute(
        text("UPDATE gridsvc.stairwell SET name = '新名', version = 9 WHERE code = :code"),
        {"code": code},
    )
    assert plans.apply(town_session, plan.id).status == "applied"


def test_two_plans_applied_by_two_connections_leave_one_lead_a_day(own_town: Clone) -> None:
    with town.job_session(own_town.job) as session, session.begin():
        shuffle(session)
    made = []
    for _ in range(2):
        with coordinator(own_town) as session, session.begin():
            plan = propose(session)
            plans.accept(session, plan.id)
            made.append(plans.finish(session, plan.id).id)

    def apply(plan_id: UUID) -> str:
        with coordinator(own_town) as session, session.begin():
            try:
                return plans.apply(session, plan_id).status
            except PlanAppliedError as error:
                return f"refused: {error.status}"

    with ThreadPoolExecutor(max_workers=2) as threads:
        outcomes = sorted(threads.map(apply, made))
    assert outcomes == ["applied", "refused: superseded"]
    twice = (
        "EXISTS (SELECT FROM gridsvc.contact o WHERE o.id <> contact.id AND o.kind = 'lead'"
        " AND o.stairwell_code = contact.stairwell_code AND o.valid && contact.valid)"
    )
    assert own_town.count("contact", f"kind = 'lead' AND {twice}") == 0


def test_a_plan_that_fails_half_way_leaves_nothing(own_town: Clone) -> None:
    with town.job_session(own_town.job) as session, session.begin():
        shuffle(session)
    with coordinator(own_town) as session, session.begin():
        plan = propose(session)
        plans.accept(session, plan.id)
        plans.finish(session, plan.id)
        before = snapshot(session)
    with coordinator(own_town) as session, session.begin() as transaction:
        plans.apply(session, plan.id)
        assert snapshot(session) != before
        transaction.rollback()
    with coordinator(own_town) as session:
        assert snapshot(session) == before
        assert plans.get(session, plan.id).status == "reviewed"


def test_history_tells_who_was_contact_on_a_day(town_session: ScopedSession) -> None:
    plan = reviewed(town_session)
    code = changed_lines(town_session, plan)[0]
    former = leads(town_session)[code]
    plans.apply(town_session, plan.id)
    today = local_today()
    new = leads(town_session)[code]
    history = [one for one in duty.list_history(town_session, code) if one.kind == "lead"]
    assert [(one.member_id, one.since, one.end) for one in history[:2]] == [
        (new, today, None),
        (former, history[1].since, today),
    ]
    for day, member_id in ((today, new), (today - timedelta(days=1), former)):
        found = [
            one.member_id
            for one in duty.list_in_force(town_session, on=day, limit=1000)
            if one.stairwell_code == code and one.kind == "lead"
        ]
        assert found == [member_id]


def test_small_changes_of_people_change_few_contacts(town_session: ScopedSession) -> None:
    """Churn over the database: one member leaves, and who can stay mostly does."""
    service.adopt(town_session, propose(town_session).id)
    before = leads(town_session)
    gone = before[CODE]
    forced = {code for code, member_id in before.items() if member_id == gone}
    register.add_absence(town_session, gone, kind="moved", since=local_today())
    plan = propose(town_session)
    service.adopt(town_session, plan.id)
    after = leads(town_session)
    changed = {code for code in before if after[code] != before[code]}
    assert forced <= changed
    assert len(changed - forced) <= 2, "of twelve stairwells"
