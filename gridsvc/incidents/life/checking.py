"""Whether a step says what it needs to say, and nothing that makes no sense."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.categories import LEVELS, Category
from gridsvc.access import service as access
from gridsvc.errors import (
    InvalidStepDetailError,
    RetiredCategoryError,
    UnknownCategoryError,
)
from gridsvc.incidents import store as incidents
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.life.rights import Actor
from gridsvc.incidents.model import ENDS, NOTE_LENGTH, Incident
from gridsvc.incidents.parties import store as parties
from gridsvc.incidents.texts import checked_text
from gridsvc.territory import service as territory

_NEED_WORDS = frozenset(
    {"answer", "note", "resolve", "refuse", "reopen", "hang", "hand_back", "not_ours", "move"}
)


def checked(session: Session, incident: Incident, wanted: Step, actor: Actor) -> Step:
    """Return a step with its words cleaned and its blanks filled.

    Raises
    ------
    InvalidTextError
        The note is too long, or holds control characters.
    InvalidStepDetailError
        The step lacks what it needs, or names what makes no sense.
    UnknownCategoryError, RetiredCategoryError
        There is no such category, or no longer.
    """
    wanted = replace(wanted, note=checked_text(wanted.note, what="note", at_most=NOTE_LENGTH))
    is_by_hand = wanted.kind == "escalate" and actor.kind != "rule"
    if (wanted.kind in _NEED_WORDS or is_by_hand) and not wanted.note:
        raise InvalidStepDetailError(f"Say why: the step {wanted.kind} needs a note.")
    check = _CHECKS.get(wanted.kind)
    return check(session, incident, wanted) if check else wanted


def _assign(session: Session, incident: Incident, wanted: Step) -> Step:
    if (wanted.account is None) == (wanted.party is None):
        raise InvalidStepDetailError("Assign it to one account, or to one party.")
    code = incident.community_code
    if wanted.account is not None and not access.is_field_account(session, wanted.account, code):
        raise InvalidStepDetailError("The account is not one that works in this community.")
    if wanted.party is not None and not _is_party(session, code, wanted.party):
        raise InvalidStepDetailError("The party is not one of this community, or is retired.")
    return wanted


def _is_party(session: Session, community_code: int, party_id: UUID) -> bool:
    found = parties.find(session, community_code, party_id)
    return found is not None and not found.is_retired


def _mark_duplicate(session: Session, incident: Incident, wanted: Step) -> Step:
    """Refuse an original that would lose what is joined to it."""
    if wanted.original is None:
        raise InvalidStepDetailError("Name the incident that tells of the same.")
    original = incidents.find_incident(session, wanted.original)
    if original is None or original.community_code != incident.community_code:
        raise InvalidStepDetailError("There is no such incident in this community.")
    if original.id == incident.id:
        raise InvalidStepDetailError("An incident is no duplicate of itself.")
    if original.status in ENDS:
        raise InvalidStepDetailError(
            f"The original is {original.status}: reopen it, or keep this one."
        )
    return wanted


def _move(session: Session, incident: Incident, wanted: Step) -> Step:
    code = wanted.community_code
    if code is None or code == incident.community_code:
        raise InvalidStepDetailError("Name the community that it belongs to: another one.")
    if not territory.is_community(session, code):
        raise InvalidStepDetailError(f"There is no community {code}.")
    return wanted


def _triage(session: Session, _: Incident, wanted: Step) -> Step:
    if wanted.category_code is not None:
        require_category(session, wanted.category_code)
    return wanted


def require_category(session: Session, code: str) -> Category:
    """Return a category that is in use.

    Raises
    ------
    UnknownCategoryError
        There is none of this code.
    RetiredCategoryError
        It is no longer in use.
    """
    # What the database cannot hold is asked of nobody.
    found = incidents.find_category(session, code) if code.isprintable() else None
    if found is None:
        raise UnknownCategoryError(code)
    category, is_retired = found
    if is_retired:
        raise RetiredCategoryError(code, category.parent)
    return category


def _escalate(_: Session, incident: Incident, wanted: Step) -> Step:
    above = LEVELS[LEVELS.index(incident.level) + 1 :]
    if not above:
        raise InvalidStepDetailError(
            "It is with the joint meeting already: there is no level above."
        )
    level = wanted.level or above[0]
    if level not in above:
        raise InvalidStepDetailError(f"It is at level {incident.level}: {level} is not above that.")
    return replace(wanted, level=level)


def _reopen(_: Session, incident: Incident, wanted: Step) -> Step:
    if incident.moved_to_code is not None:
        raise InvalidStepDetailError(
            f"It belongs to community {incident.moved_to_code}, and goes on there."
        )
    return wanted


_CHECKS: Mapping[str, Callable[[Session, Incident, Step], Step]] = {
    "assign": _assign,
    "mark_duplicate": _mark_duplicate,
    "move": _move,
    "triage": _triage,
    "escalate": _escalate,
    "reopen": _reopen,
}
