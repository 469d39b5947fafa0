"""Queries of work lists; each has an index of its own, see the table of incidents."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.incidents.lists.model import WorkFilter
from gridsvc.incidents.model import Incident
from gridsvc.incidents.store import select_incidents
from gridsvc.incidents.tables import WORK_INDEXES, IncidentRow

Condition = ColumnElement[bool]
_ROW = IncidentRow


def _where(index: str) -> Condition:
    """Return the very words of a partial index: the planner must see that it serves."""
    return literal_column(str(WORK_INDEXES[index][1]))


def _mine(account: UUID | None, _: datetime) -> Condition:
    own = _ROW.handler_account == account if account else false()
    return and_(_where("handler"), own)


_CONDITIONS: Mapping[str, Callable[[UUID | None, datetime], Condition]] = {
    "mine": _mine,
    "overdue": lambda _, now: and_(_where("due"), _ROW.due_at < now),
    "unassigned": lambda *_: _where("unassigned"),
    "unverified": lambda *_: _where("unverified"),
    "hung": lambda *_: _where("hung"),
    "open": lambda *_: _where("open"),
}
ORDER: Mapping[str, str] = {
    "mine": "reported_at",
    "overdue": "due_at",
    "unassigned": "reported_at",
    "unverified": "resolved_at",
    "hung": "reported_at",
    "open": "reported_at",
}
"""By what a list is ordered, the oldest first."""


def list_work(
    session: Session,
    wanted: WorkFilter,
    *,
    account: UUID | None,
    stairwell_codes: Collection[str] | None,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Incident]:
    """Return at most ``limit`` incidents of a list, the oldest first, after a time and id."""
    moment = getattr(_ROW, ORDER[wanted.name])
    statement = select_incidents(session).where(
        *_conditions(wanted, account=account, stairwell_codes=stairwell_codes, now=now)
    )
    if after is not None:
        statement = statement.where(tuple_(moment, _ROW.id) > after)
    rows = session.execute(statement.order_by(moment, _ROW.id).limit(limit))
    return [Incident(**row) for row in rows.mappings()]


def count_work(
    session: Session,
    wanted: WorkFilter,
    *,
    account: UUID | None,
    stairwell_codes: Collection[str] | None,
    now: datetime,
    at_most: int,
) -> int:
    """Count the incidents of a list, but no further than ``at_most``."""
    some = (
        select(_ROW.id)
        .where(
            in_scope(session, _ROW.community_code),
            *_conditions(wanted, account=account, stairwell_codes=stairwell_codes, now=now),
        )
        .limit(at_most)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def _conditions(
    wanted: WorkFilter,
    *,
    account: UUID | None,
    stairwell_codes: Collection[str] | None,
    now: datetime,
) -> list[Condition]:
    found = [_CONDITIONS[wanted.name](account, now)]
    given: tuple[tuple[Any, Any], ...] = (
        (_ROW.community_code, wanted.community_code),
        (_ROW.compound_code, wanted.compound_code),
        (_ROW.level, wanted.level),
        (func.split_part(_ROW.category_code, ".", 1), wanted.class_code),
    )
    found += [column == value for column, value in given if value is not None]
    if wanted.handler is not None:
        is_with = (_ROW.handler_account == wanted.handler, _ROW.handler_party == wanted.handler)
        found.append(or_(*is_with))
    if stairwell_codes is not None:
        is_handed = _ROW.handler_account == account if account else false()
        found.append(or_(_ROW.stairwell_code.in_(stairwell_codes), is_handed))
    return found
