"""A town with accounts in it, and short ways to report an incident and to make steps."""

# ruff: noqa: S608 - codes and ids of our own

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.db import Interval, Scope, ScopedSession, new_id
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.model import Incident, NewIncident
from tests import town
from tests.databases import Clone

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
ANNA, BERT, CLEO, PAUL, BIRD = (
    town.id_of("worker", name) for name in ("anna", "bert", "cleo", "paul", "bird")
)
WORKERS: dict[UUID, tuple[str, str, int]] = {
    ANNA: ("安娜", "coordinator", A),
    BERT: ("伯特", "coordinator", A),
    CLEO: ("可丽", "contact", A),
    PAUL: ("保罗", "planner", A),
    BIRD: ("贝德", "coordinator", B),
}
PARTY = town.id_of("party", A)
"""The property company of the east shore."""


def add_workers(clone: Clone) -> None:
    """Add the accounts of `WORKERS` to a town of the test's own."""
    for account_id, (name, role, code) in WORKERS.items():
        clone.run(
            "INSERT INTO gridsvc.account (id, login, name, role, office_code)"
            f" VALUES ('{account_id}', '{account_id}', '{name}', '{role}', {code})",
            "INSERT INTO gridsvc.account_scope (account_id, slot, lo, hi)"
            f" VALUES ('{account_id}', 1, {code}, {code})",
        )


def scope_of(account: UUID) -> Scope:
    _, role, code = WORKERS[account]
    return Scope(role, (Interval.of(code),), account=account)


@contextmanager
def acting(clone: Clone, account: UUID) -> Iterator[ScopedSession]:
    """Open a transaction of somebody, as the role that serves; it is committed."""
    with clone.api.session(scope_of(account)) as session, session.begin():
        yield session


@contextmanager
def following(clone: Clone, incident: Incident) -> Iterator[ScopedSession]:
    """Open a transaction of whoever has the link of a report, or of a party."""
    code = incident.community_code
    scope = Scope("resident", (Interval(code, code),), report=incident.id)
    with clone.api.session(scope) as session, session.begin():
        yield session


def report(
    session: Session, *, code: int = A, x: float = 10, y: float = 15, **more: Any
) -> Incident:
    """Report a blocked drain in the yard of the first compound."""
    lon, lat = town.place(code, x, y)
    values: dict[str, Any] = {
        "category_code": "sanitation.drains",
        "reported_at": datetime.now(UTC),
        "summary": "下水道堵了",
    }
    return incidents.add(session, NewIncident(id=new_id(), lon=lon, lat=lat, **(values | more)))


def make(session: Session, incident: Incident, *kinds: str, **details: Any) -> Incident:
    """Make steps one after the other, each with a note; details are those of the last."""
    for kind in kinds:
        more = details if kind == kinds[-1] else {}
        step = Step(kind, **({"note": f"{kind}。"} | more))
        incident = life.step(session, incident.id, step, version=incident.version)
    return incident


def solve(clone: Clone, incident: Incident, *, by: UUID = ANNA) -> Incident:
    """Let somebody assign an incident to themselves and solve it."""
    with acting(clone, by) as session:
        assigned = make(session, incident, "assign", account=by)
        return make(session, assigned, "resolve")
