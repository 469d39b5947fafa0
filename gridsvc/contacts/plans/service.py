"""What a caller can do with contact plans: have them proposed, review them, apply them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.contacts.model import LineFilter, Pin, Plan, PlanLine, Run
from gridsvc.contacts.plans import store
from gridsvc.contacts.plans.applying import apply
from gridsvc.contacts.plans.explanations import explain_lines, list_shortages, save_with_one_more
from gridsvc.contacts.plans.handing_over import hand_over
from gridsvc.contacts.plans.proposing import propose
from gridsvc.contacts.plans.reviewing import (
    accept,
    finish,
    get,
    override,
    reject,
    reopen,
    unpin,
    withdraw,
)
from gridsvc.errors import NotFoundError

__all__ = [
    "accept",
    "adopt",
    "apply",
    "explain_lines",
    "finish",
    "get",
    "get_line",
    "get_run",
    "hand_over",
    "list_lines",
    "list_pins",
    "list_plans",
    "list_shortages",
    "list_uncovered",
    "override",
    "propose",
    "reject",
    "reopen",
    "save_with_one_more",
    "unpin",
    "withdraw",
]


def adopt(session: Session, plan_id: UUID) -> Plan:
    """Accept every open line of a plan, review it and apply it, in one go.

    For whoever decides on a plan as a whole; see `accept`, `finish` and `apply`.
    """
    accept(session, plan_id)
    finish(session, plan_id)
    return apply(session, plan_id)


def get_run(session: Session, run_id: UUID) -> Run:
    """Return the plans of a run, the newest first."""
    return Run(run_id, tuple(store.list_plans(session, run_id=run_id, limit=1000)))


def list_plans(
    session: Session,
    *,
    community_code: int | None = None,
    run_id: UUID | None = None,
    statuses: Sequence[str] | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> list[Plan]:
    """Return at most ``limit`` plans, the newest first, before an id."""
    return store.list_plans(
        session,
        community_code=community_code,
        run_id=run_id,
        statuses=statuses,
        before=before,
        limit=limit,
    )


def list_lines(
    session: Session,
    plan_id: UUID,
    wanted: LineFilter | None = None,
    *,
    after: str = "",
    limit: int | None = 100,
) -> list[PlanLine]:
    """Return at most ``limit`` lines of a plan after a stairwell code, by code.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    plan = get(session, plan_id)
    return store.list_lines(session, plan, wanted or LineFilter(), after=after, limit=limit)


def get_line(session: Session, plan_id: UUID, stairwell_code: str) -> PlanLine:
    """Return one line of a plan.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan, or the plan no such line.
    """
    plan = get(session, plan_id)
    lines = store.list_lines(session, plan, LineFilter(stairwell_code=stairwell_code), limit=1)
    if not lines:
        raise NotFoundError("line of stairwell", stairwell_code)
    return lines[0]


def list_uncovered(session: Session, run_id: UUID) -> list[tuple[str, str]]:
    """Return code and reason of each stairwell that a run leaves without a contact, by code."""
    return store.list_uncovered(session, run_id)


def list_pins(
    session: Session, *, community_code: int | None = None, after: str = "", limit: int = 100
) -> list[Pin]:
    """Return at most ``limit`` pinned choices after a stairwell code, by code."""
    return store.list_pins(session, community_code=community_code, after=after, limit=limit)
