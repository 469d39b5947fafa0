"""What went wrong with a decision on a plan, in the words of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.pages.text import Words
from gridsvc.errors import (
    ConflictError,
    GridsvcError,
    InvalidChoiceError,
    InvalidMemberError,
    PlanAppliedError,
    PlanNotReviewedError,
    PlanOutdatedError,
    StalePlanError,
)

_CHOICES = ("accept", "override", "reject", "propose", "hand-over")


@dataclass(frozen=True)
class Outdated:
    """One thing that has changed since a line was accepted."""

    code: str
    place: str
    what: str


def sentence_of(error: GridsvcError | None, say: Words, *, deed: str) -> str:
    """Return the sentence for an error of a form; empty for none.

    Parameters
    ----------
    deed
        What was tried: what makes no sense depends on it.
    """
    if error is None:
        return ""
    if isinstance(error, PlanAppliedError):
        return say("plan_fault_over", status=say(f"plan_status_{error.status}"))
    if isinstance(error, PlanNotReviewedError):
        return say("plan_fault_not_reviewed", n=error.to_decide)
    if isinstance(error, PlanOutdatedError):
        return say("plan_fault_outdated", n=len(error.changes))
    if isinstance(error, InvalidChoiceError) and deed in _CHOICES:
        return say(f"plan_fault_{deed}".replace("-", "_"))
    kinds: tuple[tuple[type[GridsvcError], str], ...] = (
        (StalePlanError, "plan_fault_stale"),
        (InvalidMemberError, "plan_fault_reason" if deed == "reject" else "plan_fault_days"),
        (ConflictError, "plan_fault_days" if deed == "hand-over" else "plan_fault_other"),
    )
    return next(
        (say(key) for kind, key in kinds if isinstance(error, kind)), say("plan_fault_other")
    )


def changes_of(error: GridsvcError | None) -> Sequence[tuple[str, str]]:
    """Return stairwell and what has changed, where that is why a plan was not applied."""
    if not isinstance(error, PlanOutdatedError):
        return ()
    return [(code, what) for code, what, _ in error.changes]


def outdated(
    changes: Sequence[tuple[str, str]], places: Mapping[str, str], say: Words
) -> list[Outdated]:
    """Return what has changed, each with the words for its stairwell."""
    return [
        Outdated(code, places.get(code, code), say(f"plan_changed_{what}"))
        for code, what in changes
    ]
