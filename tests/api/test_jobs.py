"""Long work over HTTP: following it and stopping it."""

from uuid import UUID

import pytest

from gridsvc.db import Interval, Scope
from gridsvc.jobs import running, service
from gridsvc.jobs.running import Workplace
from tests import town
from tests.api.service import Service, is_problem
from tests.gridsvc.jobs.kinds import COUNT, FAIL, KINDS

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
PATH = "/api/v1/jobs"


def ask(own_service: Service, kind: str = COUNT, code: int = A) -> UUID:
    scope = Scope("coordinator", (Interval.of(STREET),))
    with own_service.clone.api.session(scope) as session, session.begin():
        return service.defer(session, kind, community_code=code, arguments={"upto": 2})


def work(own_service: Service, job_id: UUID) -> None:
    place = Workplace(own_service.clone.api, own_service.clone.job, KINDS)
    running.run(place, A, job_id, is_stopping=lambda: False)


def test_a_job_is_followed_from_the_queue_to_its_result(own_service: Service) -> None:
    job_id = ask(own_service)
    caller = own_service.caller("coordinator", A)
    waiting = caller.get(f"{PATH}/{job_id}").json()
    assert waiting == {
        "id": str(job_id),
        "community_code": A,
        "kind": COUNT,
        "status": "queued",
        "stage": "",
        "done": 0,
        "total": 0,
        "arguments": {"upto": 2},
        "result": None,
        "error_code": None,
        "is_cancelling": False,
        "created_at": waiting["created_at"],
        "started_at": None,
        "finished_at": None,
    }
    work(own_service, job_id)
    done = caller.get(f"{PATH}/{job_id}").json()
    assert (done["status"], done["done"], done["total"]) == ("done", 2, 2)
    assert done["result"] == {"counted": 2, "role": "coordinator", "lo": A}


def test_a_job_that_failed_names_the_kind_of_problem(own_service: Service) -> None:
    job_id = ask(own_service, FAIL)
    work(own_service, job_id)
    answer = own_service.caller("coordinator", A).get(f"{PATH}/{job_id}")
    assert (answer.json()["status"], answer.json()["error_code"]) == ("failed", "invalid-edit")
    assert "王" not in answer.text


def test_jobs_are_listed_by_kind_and_by_what_is_open(own_service: Service) -> None:
    first, second, foreign = ask(own_service), ask(own_service, FAIL), ask(own_service, COUNT, B)
    caller = own_service.caller("coordinator", A)

    def listed(query: str = "") -> list[str]:
        return [one["id"] for one in caller.get(f"{PATH}{query}").json()["items"]]

    old = str(town.id_of("job", A))
    assert listed() == [str(second), str(first), old]
    assert listed(f"?kind={COUNT}&open=true") == [str(first)]
    caller.post(f"{PATH}/{first}/cancel")
    assert listed("?open=true") == [str(second)]
    page = caller.get(f"{PATH}?limit=2").json()
    rest = caller.get(f"{PATH}?limit=2&cursor={page['next']}").json()
    assert [one["id"] for one in page["items"] + rest["items"]] == [str(second), str(first), old]
    assert rest["next"] is None
    assert is_problem(caller.get(f"{PATH}/{foreign}"), 404, "not-found")


def test_stopping_twice_is_stopping_once_and_what_is_over_stays(own_service: Service) -> None:
    job_id, done = ask(own_service), ask(own_service)
    work(own_service, done)
    caller = own_service.caller("coordinator", A)
    for _ in range(2):
        answer = caller.post(f"{PATH}/{job_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    refused = caller.post(f"{PATH}/{done}/cancel")
    assert is_problem(refused, 409, "job-over")
