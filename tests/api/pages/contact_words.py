"""The phrases of the pages of household contacts whose keys are made from words of the models."""

from typing import get_args

from api.pages.contacts.lines import STATES
from api.pages.contacts.plan import Deed
from gridsvc.contacts.duty.model import ALERT_STATES
from gridsvc.contacts.explaining import WhyNot
from gridsvc.contacts.model import (
    CHANGES,
    DECISIONS,
    PLAN_KINDS,
    PLAN_STATUSES,
    UNCOVERED_REASONS,
)

OUTDATED = (
    *("ended", "redrawn", "households", "contact", "over"),
    *("left", "unavailable", "moved", "excluded"),
)
NOTES = ("members_without_home", "members_who_take_none", "stairwells_without_households")
COVERAGE = ("covered_party", "covered_other", "overloaded", "absent", "uncovered")
TRIED = ("accept", "override", "reject", "propose", "hand_over")


def contact_words() -> set[str]:
    """Return the keys."""
    return {
        *(f"plan_status_{one}" for one in PLAN_STATUSES),
        *(f"plan_kind_{one}" for one in PLAN_KINDS),
        *(f"plan_change_{one}" for one in CHANGES),
        *(f"plan_decision_{one}" for one in DECISIONS),
        *(f"plan_state_{one}" for one in STATES),
        *(f"plan_mode_{one}" for one in ("balanced", "strict")),
        *(f"plan_reason_{one}" for one in UNCOVERED_REASONS),
        *(f"plan_done_{one}".replace("-", "_") for one in get_args(Deed)),
        *(f"plan_changed_{one}" for one in OUTDATED),
        *(f"plan_fault_{one}" for one in TRIED),
        *(f"plan_{note}" for note in NOTES),
        *(f"why_not_{one}" for one in get_args(WhyNot)),
        *(f"coverage_{one}" for one in COVERAGE),
        *(f"alert_{one}" for one in ALERT_STATES),
        *(f"duty_{one}" for one in ("lead", "supporting")),
    }
