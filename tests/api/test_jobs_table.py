"""The kinds of long work that our workers know, each done once on the town."""

from typing import cast

import pytest

from api.jobs_table import KINDS, PROPOSE_CONTACTS
from gridsvc.contacts import service as contacts
from gridsvc.db import Interval, Scope
from gridsvc.jobs import running, service
from gridsvc.jobs.model import CANCELLED, DONE
from gridsvc.jobs.running import Workplace
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET


@pytest.mark.parametrize(("code", "plans"), [(A, 1), (STREET, 2)])
def test_contacts_are_proposed_for_the_territory_of_the_job(
    own_town: Clone, code: int, plans: int
) -> None:
    scope = Scope("coordinator", (Interval.of(STREET),), account=town.ACCOUNT)
    with own_town.api.session(scope) as session, session.begin():
        before = {plan.id for plan in contacts.list_plans(session, limit=1000)}
        job_id = service.defer(
            session,
            PROPOSE_CONTACTS,
            community_code=code,
            arguments={"time_limit_s": 0.2, "seed": 1},
        )
    place = Workplace(own_town.api, own_town.job, KINDS)
    running.run(place, code, job_id, is_stopping=lambda: False)
    with own_town.api.session(scope) as session:
        job = service.get_job(session, job_id)
        made = {str(plan.id) for plan in contacts.list_plans(session, limit=1000)} - {
            str(one) for one in before
        }
    assert (job.status, job.error_code) == (DONE, None)
    assert job.result is not None
    assert set(cast("list[str]", job.result["plans"])) == made
    assert len(made) == plans
    assert job.done == job.total == plans


def test_a_plan_whose_job_was_stopped_is_not_there(own_town: Clone) -> None:
    scope = Scope("coordinator", (Interval.of(A),), account=town.ACCOUNT)
    with own_town.api.session(scope) as session, session.begin():
        before = contacts.list_plans(session, limit=1000)
        arguments = {"time_limit_s": 0.2, "seed": 1}
        job_id = service.defer(session, PROPOSE_CONTACTS, community_code=A, arguments=arguments)
    with town.job_session(own_town.job) as session, session.begin():
        service.cancel(session, job_id)
    place = Workplace(own_town.api, own_town.job, KINDS)
    running.run(place, A, job_id, is_stopping=lambda: False)
    with own_town.api.session(scope) as session:
        assert service.get_job(session, job_id).status == CANCELLED
        assert contacts.list_plans(session, limit=1000) == before
