"""Where the time of ``./grid demo`` goes, from an installed environment to a served page.

Command: ``./grid bench demo``. The clock is the wall's; the last row adds up.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.testclient import TestClient

from api.app import create_app
from api.cli import demo_command as demo
from api.cli.runtime import Runtime
from geodata.progress import silent
from geodata.sample import make_sample
from gridsvc import setup
from gridsvc.contacts import service as contacts
from gridsvc.db import refresh_statistics
from gridsvc.incidents import service as incidents
from gridsvc.local_time import local_today
from gridsvc.patrols import service as patrols
from gridsvc.people import service as people
from gridsvc.settings import Settings
from gridsvc.territory import service as territory
from tests.databases import Clone, throw_away_cluster
from tests.town import VAULT

CONTACT_S = 15.0


def run() -> Iterator[dict[str, object]]:
    """Yield one row a stage."""
    total_s = 0.0
    for name, seconds, count in _stages():
        total_s += seconds
        yield {"name": name, "wall_s": round(seconds, 2), "rows": count}
    yield {"name": "all", "wall_s": round(total_s, 2), "rows": ""}


def _stages() -> Iterator[tuple[str, float, int]]:
    began = time.monotonic()
    with throw_away_cluster() as cluster:
        setup.make_database(cluster.url("postgres"), "bench")
        setup.set_up(cluster.url("bench"))
        clone = Clone.of(cluster, "bench")
        settings = Settings(development_login=True, _env_file=None)
        runtime = Runtime(
            settings, Path("/nonexistent"), served=clone.api, job=clone.job, vault=VAULT
        )
        yield "cluster, roles and schema", time.monotonic() - began, 0
        sample, seconds = _timed(lambda: make_sample(seed=1, scale=1.0))
        yield "make the sample", seconds, len(sample.territory.stairwells)
        for name, step in _steps(sample).items():
            count, seconds = _timed(partial(_in_session, runtime, step))
            yield name, seconds, count
        _, seconds = _timed(lambda: _first_page(runtime))
        yield "first page served", seconds, 1
        clone.close()


def _steps(sample: Any) -> dict[str, Callable[[Any], int]]:
    """Return the steps of the demonstration; each gives the number of its rows."""
    tonight = local_today()

    def load_people(session: Any) -> int:
        people.load(
            session,
            members=sample.members,
            posts=sample.posts,
            organisations=sample.organisations,
            details=sample.details,
            vault=VAULT,
        )
        patrols.add_teams(session, sample.teams)
        return len(sample.members)

    def place_incidents(session: Any) -> int:
        added = incidents.add_many(session, sample.incidents)
        refresh_statistics(session)
        return len(added)

    def assign(session: Any) -> int:
        proposed = contacts.propose(session, time_limit_s=CONTACT_S)
        for plan in proposed.plans:
            contacts.apply(session, plan.id)
        return sum(plan.covered_count for plan in proposed.plans)

    def load_territory(session: Any) -> int:
        incidents.apply_catalogue(session)
        return sum(territory.load(session, sample.territory).values())

    return {
        "load territory": load_territory,
        "load people": load_people,
        "place incidents, count heat": place_incidents,
        f"assign contacts ({CONTACT_S:.0f} s of solver)": assign,
        "release heat": lambda session: incidents.release_heat(session).shown,
        "plan patrols": lambda session: len(
            patrols.plan_evening(session, day=tonight, progress=silent)
        ),
    }


def _in_session(runtime: Runtime, step: Callable[[Any], int]) -> int:
    with runtime.job_session(demo.STREET) as session:
        return step(session)


def _first_page(runtime: Runtime) -> None:
    accounts = demo._make_accounts(runtime)
    with TestClient(create_app(runtime.settings, runtime.served, VAULT)) as client:
        answer = client.post("/api/v1/session", json={"code": accounts[1].code})
        token = answer.json()["token"]
        page = client.get("/map", headers={"Authorization": f"Bearer {token}"})
        page.raise_for_status()


Answer = TypeVar("Answer")


def _timed(act: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = act()
    return answer, time.monotonic() - began
