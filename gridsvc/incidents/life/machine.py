"""The states of an incident and the steps between them: pure, and the only place that decides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gridsvc.errors import InvalidStepError
from gridsvc.incidents.model import ENDS, STATUSES

_OPEN = tuple(status for status in STATUSES if status not in ENDS)
_BEFORE_SOLUTION = ("reported", "triaged", "assigned", "in_progress", "hung")

# Step: from which statuses, and to which; None leaves the status as it is.
_STEPS: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "triage": (("reported",), "triaged"),
    "assign": (("triaged", "assigned", "in_progress", "hung"), "assigned"),
    "start": (("assigned",), "in_progress"),
    "hand_back": (("assigned", "in_progress"), "triaged"),
    "hang": (("assigned", "in_progress"), "hung"),
    "resolve": (("in_progress",), "resolved"),
    "refuse": (("resolved",), "in_progress"),
    "verify": (("resolved",), "verified"),
    "close": (("verified",), "closed"),
    "mark_duplicate": (_BEFORE_SOLUTION, "duplicate"),
    "not_ours": (_BEFORE_SOLUTION, "not_ours"),
    "move": (_BEFORE_SOLUTION, "not_ours"),
    "escalate": (_BEFORE_SOLUTION, None),
    "follow": (("duplicate",), None),
    "answer": (STATUSES, None),
    "note": (STATUSES, None),
}
# What a step takes for granted, made before it where it is missing.
_LEADING_IN = {("reported", "assign"): "triage", ("assigned", "resolve"): "start"}
_AFTER_A_SOLUTION = ("verified", "closed")


@dataclass(frozen=True)
class Standing:
    """Where an incident stands, as far as it matters for what comes next.

    Attributes
    ----------
    has_handler
        Whether somebody sees to it: a reopened incident goes back to them.
    hung_from
        What it was before it was hung: there it goes back to.
    """

    status: str
    has_handler: bool = False
    hung_from: str = "assigned"


def next_status(standing: Standing, step: str) -> str:
    """Return what an incident is after a step.

    Raises
    ------
    InvalidStepError
        The step does not follow from where it stands.
    """
    status = standing.status
    if step == "resume" and status == "hung":
        return standing.hung_from
    if step == "reopen" and status in (*ENDS, "verified"):
        is_known = status in _AFTER_A_SOLUTION and standing.has_handler
        return "assigned" if is_known else "triaged"
    sources, target = _STEPS.get(step, ((), None))
    if status not in sources:
        raise InvalidStepError(status, step)
    return target or status


def steps_to(standing: Standing, step: str) -> Iterator[str]:
    """Yield the step, and before it whichever it takes for granted."""
    leading = _LEADING_IN.get((standing.status, step))
    if leading:
        yield leading
    yield step


def possible_steps(standing: Standing) -> list[str]:
    """Return the steps that follow from where an incident stands, in the order of its life."""
    return [
        step
        for step in (*_STEPS, "resume", "reopen")
        if step != "follow" and _is_possible(standing, step)
    ]


def _is_possible(standing: Standing, step: str) -> bool:
    try:
        next_status(standing, next(steps_to(standing, step)))
    except InvalidStepError:
        return False
    return True
