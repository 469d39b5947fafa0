"""What every route about long work promises: one line a route."""

from uuid import uuid4

from tests.api.matrix import PLACES, STAFF, Caller, World
from tests.api.matrix_found import by_pattern, each
from tests.api.matrix_promises import Ask, Changes, Lists, One, Promise, Request, Rows

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
JOBS = Rows("job")


def to_job(path: str) -> Request:
    """Return a request about a job that waits at a place."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        found = NOTHING
        if place in PLACES:
            found = str(uuid4())
            world.clone.run(
                "INSERT INTO gridsvc.job (community_code, id, kind, role)"  # noqa: S608 - our own words
                f" VALUES ({place}, '{found}', 'matrix.wait', 'coordinator')"
            )
        return Ask("POST", path.format(found))

    return ask


JOB_READS: tuple[tuple[str, Promise], ...] = (
    (f"GET {V1}/jobs", Lists(STAFF, JOBS, each("id"))),
    (f"GET {V1}/jobs/{{job_id}}", One(STAFF, JOBS)),
    (
        "GET /jobs/{job_id}",
        One(STAFF, JOBS, by_pattern(r'id="job-([0-9a-f-]{36})"'), "SELECT '{id}'"),
    ),
)
JOB_CHANGES: tuple[tuple[str, Promise], ...] = (
    (
        f"POST {V1}/jobs/{{job_id}}/cancel",
        Changes(STAFF, to_job(f"{V1}/jobs/{{}}/cancel"), {"job", "audit_event"}),
    ),
    (
        "POST /jobs/{job_id}/cancel",
        Changes(STAFF, to_job("/jobs/{}/cancel"), {"job", "audit_event"}),
    ),
)
