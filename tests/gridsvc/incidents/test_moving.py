"""What belongs elsewhere goes on there; what is overdue goes up; what was verified closes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gridsvc.errors import InvalidStepDetailError, RoleNotAllowedError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life import store
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.model import Incident, NewIncident
from gridsvc.incidents.moving import jobs, service, sweeping
from gridsvc.incidents.moving.sweeping import Swept
from gridsvc.jobs import running
from gridsvc.jobs.running import Workplace
from gridsvc.overview import rounds
from tests import town
from tests.databases import Clone
from tests.gridsvc.incidents.lives import (
    ANNA,
    BERT,
    BIRD,
    STREET,
    A,
    B,
    acting,
    add_workers,
    following,
    make,
    report,
    solve,
)
from tests.gridsvc.incidents.test_life import recount

pytestmark = pytest.mark.db
LATER = timedelta(days=400)


@pytest.fixture
def clone(own_town: Clone) -> Clone:
    """A town of the test's own with workers, in which nothing is open."""
    add_workers(own_town)
    own_town.run("UPDATE gridsvc.incident SET status = 'closed', closed_at = reported_at")
    return own_town


def sent_on(clone: Clone) -> Incident:
    """Report in the east what belongs to the west, and say so."""
    with acting(clone, ANNA) as session:
        incident = report(session, x=39, y=20)
        return life.step(
            session,
            incident.id,
            Step("move", note="属于西桥", community_code=B),
            version=1,
            on_event=[jobs.defer_move],
        )


def swept(clone: Clone, *, now: datetime | None = None) -> Swept:
    with town.job_session(clone.job) as session, session.begin():
        return sweeping.sweep(session, now=now)


def steps(clone: Clone, incident: Incident) -> list[str]:
    with acting(clone, ANNA) as session:
        return [one.step for one in life.list_events(session, incident.id)]


# ---- moving


def test_what_belongs_elsewhere_ends_here_and_goes_on_there_by_its_job(clone: Clone) -> None:
    here = sent_on(clone)
    assert (here.status, here.moved_to_code, here.moved_to) == ("not_ours", B, None)
    with acting(clone, ANNA) as session:
        (job_id,) = session.scalars(
            text("SELECT id FROM gridsvc.job WHERE kind = 'incidents.move'")
        ).all()
    place = Workplace(clone.api, clone.job, jobs.KINDS)
    running.run(place, A, job_id, is_stopping=lambda: False)
    with acting(clone, BIRD) as session:
        (there,) = (one for one in incidents.list_incidents(session) if one.moved_from == here.id)
        (first,) = life.list_events(session, there.id)
    assert (there.status, there.community_code, there.place) == ("reported", B, "community")
    assert (there.summary, there.reported_at) == (here.summary, here.reported_at)
    assert there.due_rule == "triage 4h"
    assert first.details == {"moved_from": str(here.id), "from_code": A}
    with acting(clone, ANNA) as session:
        here = incidents.get(session, here.id)
        assert here.moved_to == there.id
        last = life.list_events(session, here.id)[-1]
    assert last.details == {"moved_to": str(there.id), "to_code": B}
    assert recount(clone), "it counts there, and no longer here"


def test_a_move_whose_job_was_lost_is_made_by_the_next_round_and_only_once(clone: Clone) -> None:
    here = sent_on(clone)
    assert swept(clone).moved == 1
    assert swept(clone).moved == 0
    with town.job_session(clone.job) as session, session.begin():
        assert service.move(session, here.id) is None
    assert clone.count("incident", f"moved_from = '{here.id}'") == 1
    assert recount(clone)


def test_what_went_elsewhere_is_not_reopened_here(clone: Clone) -> None:
    here = sent_on(clone)
    with (
        acting(clone, ANNA) as session,
        pytest.raises(InvalidStepDetailError, match="goes on there"),
    ):
        make(session, here, "reopen")


@pytest.mark.parametrize("code", [None, A, 440605011999])
def test_it_moves_to_another_community_that_exists(clone: Clone, code: int | None) -> None:
    with acting(clone, ANNA) as session:
        incident = report(session)
        with pytest.raises(InvalidStepDetailError):
            make(session, incident, "move", community_code=code)


def test_what_was_flagged_outside_can_be_given_to_a_community(clone: Clone) -> None:
    lon, lat = town.place(STREET, 10, 60)
    with acting(clone, ANNA) as session:
        outside = incidents.add(
            session,
            NewIncident(
                town.id_of("outside"), "sanitation.rubbish", datetime.now(UTC), "堆物", lon, lat
            ),
        )
    assert (outside.community_code, outside.is_flagged) == (STREET, True)
    with town.job_session(clone.job) as session, session.begin():
        held = store.hold(session, outside.id)
        assert held is not None
        store.change(session, held, moved_to_code=A, status="not_ours")
    assert swept(clone).moved == 1
    with acting(clone, ANNA) as session:
        (there,) = (one for one in incidents.list_incidents(session) if one.moved_from)
    assert (there.community_code, there.place, there.is_flagged) == (A, "community", False)


# ---- rules


def test_what_is_overdue_goes_up_to_the_joint_meeting_and_no_further(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        incident = report(session)
    assert swept(clone) == Swept(0, 0, 0, 0)
    for level in ("community", "street"):
        assert swept(clone, now=datetime.now(UTC) + LATER).escalated == 1
        with acting(clone, ANNA) as session:
            incident = incidents.get(session, incident.id)
            last = life.list_events(session, incident.id)[-1]
        assert (incident.level, incident.status) == (level, "reported")
        assert (last.actor_kind, last.actor_account) == ("rule", None)
    assert swept(clone, now=datetime.now(UTC) + LATER).escalated == 0


def test_what_is_due_is_not_escalated_before_the_rules_time(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        incident = report(session)
        rule_at = session.scalar(
            text("SELECT rule_at FROM gridsvc.incident WHERE id = :id"), {"id": incident.id}
        )
    assert rule_at is not None
    assert incident.due_at is not None
    assert rule_at > incident.due_at
    assert swept(clone, now=rule_at - timedelta(minutes=1)).escalated == 0
    assert swept(clone, now=rule_at).escalated == 1


def test_what_was_verified_closes_by_itself_when_nobody_objects(clone: Clone) -> None:
    incident = solve(clone, report_of(clone))
    with acting(clone, BERT) as session:
        make(session, incident, "verify")
    assert swept(clone).closed == 0
    assert swept(clone, now=datetime.now(UTC) + LATER).closed == 1
    assert steps(clone, incident)[-1] == "close"


@pytest.mark.parametrize("kind", ["hang", "resolve"])
def test_what_is_hung_or_waits_for_a_look_does_not_go_up_by_itself(clone: Clone, kind: str) -> None:
    with acting(clone, ANNA) as session:
        make(session, make(session, report(session), "assign", account=ANNA), kind)
    assert swept(clone, now=datetime.now(UTC) + LATER) == Swept(0, 0, 0, 0)


def test_a_round_tells_duplicates_what_a_reporter_did_to_their_original(clone: Clone) -> None:
    original, double = report_of(clone), report_of(clone)
    with acting(clone, ANNA) as session:
        make(session, double, "mark_duplicate", original=original.id)
        original = incidents.get(session, original.id)
    original = solve(clone, original)
    with following(clone, original) as session:
        make(session, original, "refuse", by="reporter")
    assert swept(clone).followed == 1
    assert steps(clone, double)[-1] == "follow"


def test_rounds_and_moves_are_for_the_job(clone: Clone) -> None:
    incident = report_of(clone)
    with acting(clone, ANNA) as session:
        with pytest.raises(RoleNotAllowedError):
            sweeping.sweep(session)
        with pytest.raises(RoleNotAllowedError):
            service.move(session, incident.id)


def report_of(clone: Clone, **more: Any) -> Incident:
    with acting(clone, ANNA) as session:
        return report(session, **more)


def test_the_round_of_a_worker_reaches_every_sub_district(clone: Clone) -> None:
    incident = report_of(clone)
    clone.run("UPDATE gridsvc.incident SET rule_at = now() WHERE rule_at IS NOT NULL")
    rounds.sweep_incidents(clone.job)
    with acting(clone, ANNA) as session:
        assert incidents.get(session, incident.id).level == "community"
