"""The query of figures."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, select
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.incidents.numbers.model import Figures
from gridsvc.incidents.tables import IncidentRow
from gridsvc.local_time import LOCAL_TIME

_ROW = IncidentRow
_SOLVED_AT = func.coalesce(_ROW.resolved_at, _ROW.closed_at)
_IS_SOLVED = _ROW.status.in_(("resolved", "verified", "closed"))
_KEYS: Mapping[str, ColumnElement[Any]] = {
    "class": func.split_part(_ROW.category_code, ".", 1),
    "compound": func.coalesce(_ROW.compound_code, ""),
    "community": cast(_ROW.community_code, String),
    "month": func.to_char(func.timezone(str(LOCAL_TIME), _ROW.reported_at), "YYYY-MM"),
}


def _middle_h(ended: Any, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return the median of hours from the report to a moment, of rows with a condition."""
    hours = func.extract("epoch", ended - _ROW.reported_at) / 3600
    return func.percentile_cont(0.5).within_group(case((condition, hours)))


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.count().filter(condition)


def read_figures(
    session: Session, *, by: str, community_code: int | None, first_day: date, last_day: date
) -> list[Figures]:
    """Return the figures of what was reported from one day to another, by key."""
    key = _KEYS[by].label("key")
    began = datetime.combine(first_day, time(), LOCAL_TIME)
    ended = datetime.combine(last_day + timedelta(days=1), time(), LOCAL_TIME)
    is_answered = _ROW.first_answer_at.is_not(None)
    in_compound = and_(_IS_SOLVED, func.coalesce(_ROW.resolved_level, _ROW.level) == "compound")
    statement = select(
        key,
        func.count().label("incidents"),
        _count(is_answered).label("answered"),
        _middle_h(_ROW.first_answer_at, is_answered).label("answer_h"),
        _count(_IS_SOLVED).label("solved"),
        _middle_h(_SOLVED_AT, _IS_SOLVED).label("solution_h"),
        _count(in_compound).label("solved_in_compound"),
        _count(_ROW.reopened_count > 0).label("reopened"),
    ).where(
        in_scope(session, _ROW.community_code),
        _ROW.status != "duplicate",
        _ROW.moved_to.is_(None),
        _ROW.reported_at >= began,
        _ROW.reported_at < ended,
    )
    if community_code is not None:
        statement = statement.where(_ROW.community_code == community_code)
    rows = session.execute(statement.group_by(key).order_by(key)).mappings()
    return [Figures(**row) for row in rows]
