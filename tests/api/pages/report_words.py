"""Phrases of reporting that are put together from what they are about."""

from typing import get_args

from api.pages.reporting import follow, report
from gridsvc.incidents.model import STATUSES, STEPS
from gridsvc.incidents.reporting.model import ENDED, OWN_STEPS


def report_words() -> set[str]:
    """Return the keys of every phrase that the pages of reporting put together."""
    script = ("photo_remove", "photo_too_many", "sending", "here_none")
    return {
        *(f"report_status_{status}" for status in {*STATUSES, *ENDED, "hung"}),
        *(f"report_step_{step}" for step in STEPS),
        *(f"report_own_{step}" for step in OWN_STEPS),
        *(f"report_deed_{deed}" for deed in get_args(follow.Deed)),
        *(f"report_photo_{word}".replace("-", "_") for word in get_args(follow.Refusal)),
        *(f"report_fault_{field}" for field in (*report.FIELDS.values(), "form")),
        *(f"report_{key}" for key in script),
    }
