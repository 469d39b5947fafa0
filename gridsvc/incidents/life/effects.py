"""What a step changes of an incident, beside its status: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from geodata.categories import LEVELS, Category
from geodata.working_time import Limit, due_after
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.model import ENDS, Incident

LIMITED_BY = {
    "reported": "triage",
    "triaged": "assign",
    "assigned": "start",
    "in_progress": "resolve",
    "resolved": "verify",
    "verified": "close",
}
"""The step that is due next, by status; of what is hung or over, none."""

_ESCALATING = ("reported", "triaged", "assigned", "in_progress")
_ANSWERS = frozenset(
    {"answer", "start", "hang", "resolve", "mark_duplicate", "not_ours", "move", "close"}
)
"""Steps by which a reporter hears something for the first time."""

_UNSOLVED: Mapping[str, Any] = {
    "resolved_at": None,
    "resolved_by": None,
    "resolved_level": None,
    "verified_at": None,
}


@dataclass(frozen=True)
class Making:
    """A step as it is made: who, when, and to what it leads."""

    step: Step
    status: str
    account: UUID | None
    at: datetime


def changes_of(incident: Incident, category: Category, making: Making) -> dict[str, Any]:
    """Return the columns that a step changes, with their new values.

    Parameters
    ----------
    category
        Of the incident after the step.
    """
    kind, status = making.step.kind, making.status
    values: dict[str, Any] = {"status": status, **_own(incident, making)}
    if status in ENDS and incident.status not in ENDS:
        values["closed_at"] = making.at
    if kind in _ANSWERS and incident.first_answer_at is None:
        values["first_answer_at"] = making.at
    level = values.get("level", incident.level)
    if status != incident.status or kind == "assign":
        values |= clock(status, category, level=level, at=making.at)
    elif kind == "escalate" and incident.due_at is not None:
        values["rule_at"] = rule_time(status, category, level=level, due_at=incident.due_at)
    return values


def _own(incident: Incident, making: Making) -> Mapping[str, Any]:
    """Return what is particular to a kind of step."""
    step, account, at = making.step, making.account, making.at
    effects: Mapping[str, Mapping[str, Any]] = {
        "triage": {"category_code": step.category_code or incident.category_code},
        "assign": {"handler_account": step.account, "handler_party": step.party},
        "hand_back": {"handler_account": None, "handler_party": None},
        "resolve": {
            "resolved_at": at,
            "resolved_by": account,
            "resolved_level": incident.level,
        },
        "refuse": _UNSOLVED,
        "verify": {"verified_at": at},
        "escalate": {"level": step.level or next_level(incident.level)},
        "mark_duplicate": {"duplicate_of": step.original},
        "move": {"moved_to_code": step.community_code},
        "reopen": {
            **_UNSOLVED,
            "closed_at": None,
            "duplicate_of": None,
            "reopened_count": incident.reopened_count + 1,
            **({} if making.status == "assigned" else {"handler_account": None}),
            **({} if making.status == "assigned" else {"handler_party": None}),
        },
    }
    return effects.get(step.kind, {})


def next_level(level: str) -> str | None:
    """Return the level above, if there is one."""
    above = LEVELS[LEVELS.index(level) + 1 :]
    return above[0] if above else None


def clock(status: str, category: Category, *, level: str, at: datetime) -> dict[str, Any]:
    """Return until when the next step is due, why, and when a rule acts by itself."""
    step = LIMITED_BY.get(status)
    limit = category.limits.get(step) if step else None
    if limit is None:
        return {"due_at": None, "due_rule": None, "rule_at": None}
    due_at = due_after(at, limit).at.astimezone(UTC)
    return {
        "due_at": due_at,
        "due_rule": f"{step} {limit}",
        "rule_at": rule_time(status, category, level=level, due_at=due_at),
    }


def rule_time(status: str, category: Category, *, level: str, due_at: datetime) -> datetime | None:
    """Return when a rule acts: it escalates what is overdue, and closes what was verified."""
    if status == "verified":
        return due_at
    above = next_level(level)
    limit = category.escalation.get(above) if above else None
    if status not in _ESCALATING or limit is None:
        return None
    return due_after(due_at, limit).at.astimezone(UTC)


def limit_of(due_rule: str) -> tuple[str, Limit]:
    """Return the step that is due, and its limit, as ``due_rule`` holds them.

    Examples
    --------
    >>> limit_of("resolve 2d")
    ('resolve', Limit(count=2, unit='d'))
    """
    step, _, limit = due_rule.partition(" ")
    return step, Limit.of(limit)
