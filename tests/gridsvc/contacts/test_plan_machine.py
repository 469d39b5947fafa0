"""Whatever coordinators do with plans, in any order, contacts stay whole and decisions hold."""

from collections.abc import Iterator
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from gridsvc.contacts.model import OPEN_STATUSES, Plan
from gridsvc.contacts.plans import service as plans
from gridsvc.db import ScopedSession
from gridsvc.errors import (
    InvalidChoiceError,
    PlanAppliedError,
    PlanNotReviewedError,
    PlanOutdatedError,
    StalePlanError,
)
from gridsvc.people.register import service as register
from tests import town
from tests.databases import Clone
from tests.gridsvc.contacts.steps import A, coordinator, leads, propose

pytestmark = pytest.mark.db
CODES = st.sampled_from(
    [
        town.stairwell_code(A, compound=compound, building=building, number=number)
        for compound in (1, 2)
        for building in (1, 2)
        for number in (1, 2, 3)
    ]
)
MEMBERS = st.integers(0, 8).map(lambda number: town.id_of("member", A, number))
TWO_LEADS = (
    "SELECT count(*) FROM gridsvc.contact a JOIN gridsvc.contact b"
    " ON a.stairwell_code = b.stairwell_code AND a.id < b.id AND a.valid && b.valid"
    " AND a.kind = 'lead' AND b.kind = 'lead'"
)


class PlanMachine(RuleBasedStateMachine):
    """Propose, decide, review, withdraw, apply, let members leave; on the real database.

    The model beside it knows of each plan its status and version, and what was decided on a line.
    """

    clone: ClassVar[Clone]
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.session: ScopedSession = coordinator(self.clone)
        self.status: dict[UUID, str] = {}
        self.version: dict[UUID, int] = {}
        self.decided: dict[tuple[UUID, str], str] = {}

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()

    @initialize(target=made)
    def begin(self) -> UUID:
        return self._proposed()

    @rule(target=made)
    def propose(self) -> UUID:
        return self._proposed()

    def _proposed(self) -> UUID:
        plan = propose(self.session)
        self.status[plan.id], self.version[plan.id] = plan.status, plan.version
        return plan.id

    def _took(self, plan: Plan, status: str) -> None:
        assert plan.status == status
        assert plan.version == self.version[plan.id] + 1
        self.status[plan.id], self.version[plan.id] = status, plan.version

    def _is_open(self, plan_id: UUID) -> bool:
        return self.status[plan_id] in OPEN_STATUSES

    @rule(plan_id=made, code=CODES)
    def accept_one(self, plan_id: UUID, code: str) -> None:
        if not self._is_open(plan_id):
            with pytest.raises(PlanAppliedError):
                plans.accept(self.session, plan_id, stairwell_codes=[code])
            return
        self._took(plans.accept(self.session, plan_id, stairwell_codes=[code]), "proposed")
        self.decided[plan_id, code] = "accepted"

    @rule(plan_id=made)
    def accept_all(self, plan_id: UUID) -> None:
        if self._is_open(plan_id):
            self._took(plans.accept(self.session, plan_id), "proposed")
            for line in plans.list_lines(self.session, plan_id, limit=None):
                self.decided.setdefault((plan_id, line.stairwell_code), "accepted")
                assert line.decision != "open"

    @rule(plan_id=made, code=CODES, member_id=MEMBERS)
    def override(self, plan_id: UUID, code: str, member_id: UUID) -> None:
        if not self._is_open(plan_id):
            return
        was = plans.get_line(self.session, plan_id, code)
        savepoint = self.session.begin_nested()
        try:
            plan = plans.override(self.session, plan_id, stairwell_code=code, member_id=member_id)
        except InvalidChoiceError:
            savepoint.rollback()
            assert plans.get_line(self.session, plan_id, code) == was
            return
        self._took(plan, "proposed")
        self.decided[plan_id, code] = "overridden"
        assert plans.get_line(self.session, plan_id, code).final_member_id == member_id

    @rule(plan_id=made, code=CODES)
    def reject(self, plan_id: UUID, code: str) -> None:
        if not self._is_open(plan_id):
            return
        line = plans.get_line(self.session, plan_id, code)
        if line.member_id is None:
            return
        plan = plans.reject(self.session, plan_id, stairwell_codes=[code], reason="居民要求")
        self._took(plan, "proposed")
        self.decided[plan_id, code] = "rejected"

    @rule(plan_id=made, code=CODES)
    def reopen(self, plan_id: UUID, code: str) -> None:
        if self._is_open(plan_id):
            self._took(plans.reopen(self.session, plan_id, stairwell_codes=[code]), "proposed")
            self.decided.pop((plan_id, code), None)

    @rule(plan_id=made)
    def finish(self, plan_id: UUID) -> None:
        if self.status[plan_id] == "proposed":
            self._took(plans.finish(self.session, plan_id), "reviewed")

    @rule(plan_id=made)
    def withdraw(self, plan_id: UUID) -> None:
        if self._is_open(plan_id):
            self._took(plans.withdraw(self.session, plan_id), "withdrawn")

    @rule(member_id=MEMBERS)
    def go_away(self, member_id: UUID) -> None:
        """One member leaves for good; half of the town stays at least."""
        free = self.session.scalar(
            text("SELECT count(*) FROM gridsvc.member WHERE community_code = :c AND is_available"),
            {"c": A},
        )
        if free > 4:
            register.add_absence(self.session, member_id, kind="moved", since=town.RELEASE_DAY)
            self.session.execute(
                text("UPDATE gridsvc.member SET is_available = false WHERE id = :id"),
                {"id": member_id},
            )

    @rule(plan_id=made)
    def apply(self, plan_id: UUID) -> None:
        before = leads(self.session)
        lines = plans.list_lines(self.session, plan_id, limit=None)
        savepoint = self.session.begin_nested()
        try:
            plan = plans.apply(self.session, plan_id)
        except (PlanAppliedError, PlanNotReviewedError, PlanOutdatedError) as error:
            savepoint.rollback()
            assert leads(self.session) == before, "nothing was written"
            if isinstance(error, PlanNotReviewedError):
                assert self.status[plan_id] == "proposed"
            if isinstance(error, PlanAppliedError):
                assert not self._is_open(plan_id)
            return
        assert self.status[plan_id] == "reviewed"
        after = leads(self.session)
        for line in lines:
            if line.decision in ("accepted", "overridden"):
                assert after.get(line.stairwell_code) == line.final_member_id
            else:
                assert after.get(line.stairwell_code) == before.get(line.stairwell_code)
        for other in self.status:
            if other != plan_id and self.status[other] in (*OPEN_STATUSES, "applied"):
                self.status[other], self.version[other] = "superseded", self.version[other] + 1
        self._took(plan, "applied")

    @rule(plan_id=made)
    def decide_on_what_was_not_seen(self, plan_id: UUID) -> None:
        if self._is_open(plan_id):
            with pytest.raises(StalePlanError):
                plans.finish(self.session, plan_id, version=self.version[plan_id] + 1)

    @invariant()
    def no_day_has_two_leads(self) -> None:
        assert self.session.scalar(text(TWO_LEADS)) == 0

    @invariant()
    def plans_are_what_the_model_says(self) -> None:
        for plan_id, status in self.status.items():
            plan = plans.get(self.session, plan_id)
            assert (plan.status, plan.version) == (status, self.version[plan_id])
            assert sum(plan.decisions.values()) == plan.stairwell_count == 12
            told = [what for (of, _), what in self.decided.items() if of == plan_id]
            for decision in ("accepted", "overridden", "rejected"):
                assert plan.decisions[decision] == told.count(decision)

    @invariant()
    def an_open_plan_pins_whom_it_chose(self) -> None:
        pins = {pin.stairwell_code: pin for pin in plans.list_pins(self.session, limit=1000)}
        for pin in pins.values():
            if pin.plan_id in self.status and self._is_open(pin.plan_id):
                assert self.decided[pin.plan_id, pin.stairwell_code] == "overridden"


@pytest.fixture
def machine(own_town: Clone) -> Iterator[type[PlanMachine]]:
    PlanMachine.clone = own_town
    yield PlanMachine
    del PlanMachine.clone


def test_plans_keep_to_their_states(machine: type[PlanMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
