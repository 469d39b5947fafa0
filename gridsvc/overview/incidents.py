"""Incidents as the faces use them: what a step sets off in other features is told from here."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.db import Database, clear_connection_errors
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Event, Step
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.model import Incident
from gridsvc.incidents.moving import jobs as moving
from gridsvc.incidents.parties import service as parties

LISTENERS: Sequence[Listener] = (moving.defer_move,)
"""What hears of each event, in the transaction that makes it."""


def step(
    session: Session,
    incident_id: UUID,
    wanted: Step,
    *,
    version: int | None,
    stairwell_codes: Collection[str] | None = None,
) -> Incident:
    """Make a step, as `gridsvc.incidents.life.service.step`, and tell whoever listens."""
    return life.step(
        session,
        incident_id,
        wanted,
        version=version,
        stairwell_codes=stairwell_codes,
        on_event=LISTENERS,
    )


def list_events(
    session: Session, incident_id: UUID, *, stairwell_codes: Collection[str] | None = None
) -> list[Event]:
    """Return what happened to an incident, as `gridsvc.incidents.life.service.list_events`."""
    return life.list_events(session, incident_id, stairwell_codes=stairwell_codes)


def read_handed(database: Database, token: str) -> tuple[Incident, list[Event]]:
    """Return the incident of a party's link, and what its reporter may read of it.

    Raises
    ------
    InvalidLinkError
        The link is not ours, or no longer valid.
    """
    scope = parties.scope_of_token(token)
    with clear_connection_errors(), database.session(scope) as session, session.begin():
        holder = parties.open_link(session, token)
        incident = incidents.get(session, holder.incident_id)
        return incident, life.list_events(session, holder.incident_id)


def make_handed_step(database: Database, token: str, wanted: Step) -> Incident:
    """Make a step as the party of a link.

    Raises
    ------
    InvalidLinkError
        The link is not ours, or no longer valid.
    InvalidStepError, StepNotAllowedError, InvalidStepDetailError, InvalidTextError
        As `gridsvc.incidents.life.service.step`.
    """
    scope = parties.scope_of_token(token)
    with clear_connection_errors(), database.session(scope) as session, session.begin():
        holder = parties.open_link(session, token)
        return life.step(
            session,
            holder.incident_id,
            wanted,
            version=None,
            party_id=holder.party_id,
            on_event=LISTENERS,
        )
