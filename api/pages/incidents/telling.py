"""What pages say of incidents: names, due times with their reason, faults in words."""

from collections.abc import Mapping
from datetime import UTC, datetime

from api.deps import Language
from api.pages.text import Words
from geodata.categories import Category
from geodata.working_time import Due, unannounced_between
from gridsvc.db import ScopedSession
from gridsvc.errors import (
    GridsvcError,
    InvalidStepError,
    InvalidTextError,
    StaleIncidentError,
    StepNotAllowedError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life.effects import limit_of
from gridsvc.incidents.model import Incident


def category_names(session: ScopedSession, language: Language) -> Mapping[str, str]:
    """Return what the categories in use are called; one that is retired keeps its code."""
    return {
        one.code: one.name_zh if language == "zh" else one.name_en
        for one in incidents.list_categories(session)
    }


def classes_of(session: ScopedSession) -> list[Category]:
    """Return the seven classes."""
    return [one for one in incidents.list_categories(session) if one.parent is None]


def due_words(incident: Incident, language: Language) -> str:
    """Return until when the next step is due, and why then; empty for nothing."""
    if incident.due_at is None or not incident.due_rule:
        return ""
    _, limit = limit_of(incident.due_rule)
    years = unannounced_between(datetime.now(UTC), incident.due_at)
    return Due(incident.due_at, limit, years).words(language)


def is_overdue(incident: Incident) -> bool:
    """Tell whether the time of the next step is up."""
    return incident.due_at is not None and incident.due_at < datetime.now(UTC)


def sentence_of(error: GridsvcError | None, say: Words) -> str:
    """Return the sentence for an error of a form; empty for none."""
    if error is None:
        return ""
    if isinstance(error, StaleIncidentError):
        return say("incident_fault_stale", status=say(f"status_{error.status}"))
    if isinstance(error, InvalidStepError):
        return say("incident_fault_step", status=say(f"status_{error.status}"))
    kinds: tuple[tuple[type[GridsvcError], str], ...] = (
        (StepNotAllowedError, "incident_fault_not_allowed"),
        (InvalidTextError, "incident_fault_text"),
    )
    for kind, key in kinds:
        if isinstance(error, kind):
            return say(key)
    return say("incident_fault_detail")
