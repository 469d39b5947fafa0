"""What people do with an incident, one step at a time; each is noted, none is lost."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.categories import Category, class_of
from gridsvc.audit import service as audit
from gridsvc.db import new_id, scope_of
from gridsvc.errors import NotFoundError, StaleIncidentError, StepNotAllowedError
from gridsvc.incidents import store as incidents
from gridsvc.incidents.life import checking, effects, machine, rights, store
from gridsvc.incidents.life.effects import Making
from gridsvc.incidents.life.model import PRIVATE_STEPS, Event, Step
from gridsvc.incidents.life.rights import Actor
from gridsvc.incidents.model import Incident

Listener: TypeAlias = Callable[[Session, Incident, Event], None]
"""Hears of each event, with the incident as it is after it, inside the same transaction."""

_TRAVELLING = frozenset({"job", "coordinator", "administrator", "contact", "patrol"})


def begin(
    session: Session,
    incident: Incident,
    *,
    by: str | None = None,
    details: dict[str, Any] | None = None,
    on_event: Sequence[Listener] = (),
) -> Incident:
    """Note that an incident was reported just now, and until when somebody is to look at it.

    Parameters
    ----------
    by
        As of `Step`; a resident reports as ``reporter``.
    details
        Ids and codes: where it came from.
    """
    actor = _actor(session, by)
    at = datetime.now(UTC)
    category = _category(session, incident.category_code)
    due = effects.clock(incident.status, category, level=incident.level, at=at)
    store.change(session, incident, **due)
    after = replace(incident, due_at=due["due_at"], due_rule=due["due_rule"])
    event = Event(
        community_code=incident.community_code,
        id=new_id(),
        incident_id=incident.id,
        position=incident.version,
        step="report",
        status_before=None,
        status_after=incident.status,
        at=at,
        actor_account=actor.account,
        actor_kind=actor.kind,
        note="",
        is_public=True,
        details=details or {},
    )
    store.add_event(session, event)
    _tell(session, after, event, on_event)
    return after


def step(
    session: Session,
    incident_id: UUID,
    wanted: Step,
    *,
    version: int | None,
    party_id: UUID | None = None,
    stairwell_codes: Collection[str] | None = None,
    on_event: Sequence[Listener] = (),
) -> Incident:
    """Make a step, and whichever it takes for granted; return the incident as it is then.

    Parameters
    ----------
    version
        That the caller saw; absent: whatever it is now.
    party_id
        Which party makes it, by its link.
    stairwell_codes
        It must be of one of these stairwells, or be handed to the caller; default: any will do.
    on_event
        Told of each event, in the same transaction.

    Raises
    ------
    NotFoundError
        The caller's territory has no such incident.
    StaleIncidentError
        It is no longer in that version.
    InvalidStepError
        The step does not follow from where it stands.
    StepNotAllowedError
        The step is for others to make.
    InvalidStepDetailError, InvalidTextError
        The step lacks something, or says what makes no sense.
    """
    actor = replace(_actor(session, wanted.by), party=party_id)
    before = store.hold(session, incident_id)
    if before is None or not is_seen(before, actor.account, stairwell_codes):
        raise NotFoundError("incident", incident_id)
    if version is not None and version != before.version:
        raise StaleIncidentError(incident_id, version, before.version, before.status)
    rights.require(actor, before, wanted.kind)
    wanted = checking.checked(session, before, wanted, actor)
    after = before
    for kind in machine.steps_to(_standing(session, before), wanted.kind):
        one = wanted if kind == wanted.kind else Step(kind)
        after = _make(session, after, one, actor, on_event)
    if wanted.kind == "mark_duplicate":
        _join(session, after, actor, on_event)
    if scope_of(session).role in _TRAVELLING:
        travel(session, original=after, on_event=on_event)
    return after


def is_seen(
    incident: Incident, account: UUID | None, stairwell_codes: Collection[str] | None
) -> bool:
    """Tell whether somebody bound to stairwells sees an incident: of one, or handed to them."""
    if stairwell_codes is None or incident.stairwell_code in stairwell_codes:
        return True
    return account is not None and incident.handler_account == account


def _actor(session: Session, by: str | None) -> Actor:
    """Return who acts: a resident's scope is that of a reporter or of a party, by its link."""
    scope = scope_of(session)
    known = {"job": "rule", "resident": by if by in ("reporter", "party") else None}
    kind = known.get(scope.role, "account")
    if kind is None or by not in (None, kind):
        raise StepNotAllowedError("Say in whose name the step is made.")
    account = scope.account if kind == "account" else None
    return Actor(kind, role=scope.role, account=account)


def _standing(session: Session, incident: Incident) -> machine.Standing:
    handled = (incident.handler_account or incident.handler_party) is not None
    hung_from = store.find_hung_from(session, incident) if incident.status == "hung" else None
    return machine.Standing(incident.status, handled, hung_from or "assigned")


def _category(session: Session, code: str) -> Category:
    found = incidents.find_category(session, code)
    if found is None:  # a foreign key holds it
        raise NotFoundError("category", code)
    return found[0]


def _make(
    session: Session, before: Incident, wanted: Step, actor: Actor, on_event: Sequence[Listener]
) -> Incident:
    status = machine.next_status(_standing(session, before), wanted.kind)
    at = datetime.now(UTC)
    category = _category(session, wanted.category_code or before.category_code)
    making = Making(wanted, status, actor.account, at)
    values = effects.changes_of(before, category, making) | {"version": before.version + 1}
    after = _write(session, before, values)
    event = _event(before, after, wanted, actor, at)
    store.add_event(session, event)
    audit.record(
        session,
        community_code=after.community_code,
        action=f"incident.{wanted.kind}",
        subject=str(after.id),
        version=after.version,
    )
    _tell(session, after, event, on_event)
    return after


def _write(session: Session, before: Incident, values: dict[str, Any]) -> Incident:
    """Write what changes, and count it where it is counted now."""
    rule_at = {name: value for name, value in values.items() if name == "rule_at"}
    after = replace(before, **{name: values[name] for name in values.keys() - rule_at.keys()})
    is_other_cell = class_of(after.category_code) != class_of(before.category_code)
    if is_counted(before) and (is_other_cell or not is_counted(after)):
        store.take_from_cell(session, before)
    store.change(session, before, **values)
    if is_counted(after) and (is_other_cell or not is_counted(before)):
        store.count_in_cell(session, after)
    return after


def is_counted(incident: Incident) -> bool:
    """Tell whether heat counts an incident: duplicates and what moved away count elsewhere."""
    return incident.status != "duplicate" and incident.moved_to is None


def _event(before: Incident, after: Incident, wanted: Step, actor: Actor, at: datetime) -> Event:
    is_public = wanted.kind not in PRIVATE_STEPS if wanted.is_public is None else wanted.is_public
    return Event(
        community_code=after.community_code,
        id=new_id(),
        incident_id=after.id,
        position=after.version,
        step=wanted.kind,
        status_before=before.status,
        status_after=after.status,
        at=at,
        actor_account=actor.account,
        actor_kind=actor.kind,
        note=wanted.note,
        is_public=is_public,
        details=_details(before, after, wanted, actor),
    )


def _details(before: Incident, after: Incident, wanted: Step, actor: Actor) -> dict[str, Any]:
    told = {
        "account": wanted.account,
        "party": wanted.party,
        "by_party": actor.party,
        "original": wanted.original,
        "to_code": wanted.community_code,
        "level": after.level if wanted.kind == "escalate" else None,
        "category": after.category_code if after.category_code != before.category_code else None,
    }
    codes = ("to_code",)
    return {
        name: value if name in codes else str(value)
        for name, value in told.items()
        if value is not None
    }


def _tell(session: Session, incident: Incident, event: Event, on_event: Sequence[Listener]) -> None:
    for listener in on_event:
        listener(session, incident, event)


def _join(
    session: Session, duplicate: Incident, actor: Actor, on_event: Sequence[Listener]
) -> None:
    """Tell the original of its duplicate, and let duplicates of this one follow it, too."""
    assert duplicate.duplicate_of is not None  # noqa: S101  (the step has set it)
    original = _held(session, duplicate.duplicate_of)
    _note(session, original, {"duplicate": str(duplicate.id)}, actor, on_event)
    for other in store.list_duplicates(session, duplicate):
        held = _held(session, other)
        store.change(session, held, duplicate_of=original.id)
        _follow(session, held, {"original": str(original.id)}, "", on_event)


def _held(session: Session, incident_id: UUID) -> Incident:
    found = store.hold(session, incident_id)
    if found is None:
        raise NotFoundError("incident", incident_id)
    return found


def _note(
    session: Session,
    incident: Incident,
    details: dict[str, Any],
    actor: Actor,
    on_event: Sequence[Listener],
) -> None:
    """Note something of an incident that no one has words for."""
    after = _write(session, incident, {"version": incident.version + 1})
    event = _event(incident, after, Step("note"), actor, datetime.now(UTC))
    noted = replace(event, details=details)
    store.add_event(session, noted)
    _tell(session, after, noted, on_event)


def note(
    session: Session,
    incident_id: UUID,
    details: dict[str, Any],
    *,
    on_event: Sequence[Listener] = (),
) -> None:
    """Note something of an incident in ids and codes, for whoever reads what happened to it.

    Raises
    ------
    NotFoundError
        The caller's territory has no such incident.
    """
    _note(session, _held(session, incident_id), details, _actor(session, None), on_event)


def travel(
    session: Session,
    *,
    original: Incident | None = None,
    on_event: Sequence[Listener] = (),
) -> int:
    """Let what happened to originals be noted with their duplicates; return how many notes.

    Parameters
    ----------
    original
        Of this one; default: of all in the caller's territory.
    """
    news = store.list_unfollowed(session, original=original)
    for duplicate_id, event in news:
        details = {
            "original": str(event.incident_id),
            "event": str(event.id),
            "step": event.step,
            "status": event.status_after,
        }
        _follow(session, _held(session, duplicate_id), details, event.note, on_event)
    return len(news)


def _follow(
    session: Session,
    duplicate: Incident,
    details: dict[str, Any],
    note: str,
    on_event: Sequence[Listener],
) -> None:
    after = _write(session, duplicate, {"version": duplicate.version + 1})
    event = _event(duplicate, after, Step("follow", note=note), Actor("rule"), datetime.now(UTC))
    followed = replace(event, details=details)
    store.add_event(session, followed)
    _tell(session, after, followed, on_event)


def list_events(
    session: Session, incident_id: UUID, *, stairwell_codes: Collection[str] | None = None
) -> list[Event]:
    """Return what happened to an incident, the first thing first, as far as the caller may know.

    Raises
    ------
    NotFoundError
        The caller's territory has no such incident.
    """
    incident = incidents.find_incident(session, incident_id)
    account = scope_of(session).account
    if incident is None or not is_seen(incident, account, stairwell_codes):
        raise NotFoundError("incident", incident_id)
    return store.list_events(session, incident)


def list_duplicates(session: Session, incident: Incident) -> list[UUID]:
    """Return the incidents that tell of the same as this one, the oldest first."""
    return store.list_duplicates(session, incident)


def possible_steps(session: Session, incident: Incident) -> list[str]:
    """Return the steps that the caller may make with an incident as it stands."""
    actor = _actor(session, None)
    steps = machine.possible_steps(_standing(session, incident))
    return [one for one in steps if rights.may(actor, incident, one)]
