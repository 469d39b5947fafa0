"""Long solves as jobs: asked for in one transaction, worked out by a worker."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.progress import Progress
from gridsvc.contacts.model import PlanOptions
from gridsvc.contacts.plans.proposing import propose
from gridsvc.db import Interval, ScopedSession, scope_of
from gridsvc.errors import InvalidChoiceError, NotFoundError
from gridsvc.jobs import service as jobs
from gridsvc.jobs.kinds import GoOn, Kind
from gridsvc.jobs.model import Arguments
from gridsvc.territory import service as territory

PROPOSE = "contacts.propose"
MOST_AT_ONCE = 1_000
"""Stairwells of a plan that is worked out while its caller waits."""

LONGEST_WAIT_S = 20.0


def is_long(session: Session, *, community_code: int | None = None, time_limit_s: float) -> bool:
    """Tell whether a plan takes so long that it should be a job.

    Raises
    ------
    NotFoundError
        The caller's territory has no such community.
    """
    counts = [
        community.stairwell_count
        for community in territory.list_communities(session)
        if community_code in (None, community.code) and community.stairwell_count
    ]
    if not counts:
        raise NotFoundError("community with stairwells", community_code or "in your territory")
    return sum(counts) > MOST_AT_ONCE or time_limit_s > LONGEST_WAIT_S


def defer_proposal(
    session: Session,
    *,
    community_code: int | None,
    time_limit_s: float,
    seed: int,
    options: PlanOptions,
) -> UUID:
    """Ask for plans that a worker makes; return the id of the job.

    Its result, once done, names the ``run_id`` and the ids of the ``plans``.

    Raises
    ------
    InvalidChoiceError
        The caller has several territories and named none.
    """
    return jobs.defer(
        session,
        PROPOSE,
        community_code=community_code or _own_code(session),
        arguments={
            "community_code": community_code,
            "time_limit_s": time_limit_s,
            "seed": seed,
            "change_at_most": options.change_at_most,
            "mode": options.mode,
            "party_first": options.party_first,
            "households_per_contact": options.households_per_contact,
            "supporting_at_most": options.supporting_at_most,
        },
    )


def _own_code(session: Session) -> int:
    """Return the code of the caller's territory, of which there is one."""
    intervals = scope_of(session).intervals
    if len(intervals) != 1 or Interval.of(intervals[0].lo) != intervals[0]:
        raise InvalidChoiceError("Your territory has several parts: name one community to plan.")
    return intervals[0].lo


def _run(
    session: ScopedSession, arguments: Arguments, progress: Progress, go_on: GoOn
) -> Arguments:
    given: dict[str, Any] = dict(arguments)
    community_code = given.pop("community_code", None)
    time_limit_s, seed = given.pop("time_limit_s"), given.pop("seed", 0)
    run = propose(
        session,
        community_code=community_code,
        time_limit_s=time_limit_s,
        seed=seed,
        options=PlanOptions(**given),
        progress=progress,
        go_on=go_on,
    )
    return {
        "run_id": str(run.id),
        "gap": run.gap,
        "plans": [str(plan.id) for plan in run.plans],
    }


KINDS = {PROPOSE: Kind(run=_run, keeps_cancelled=True)}
"""For the worker's table; the best plans so far are kept when one is cancelled."""
