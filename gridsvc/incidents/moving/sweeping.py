"""The round in which rules act: what is overdue goes up, what was verified closes, all is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.errors import GridsvcError
from gridsvc.incidents import store as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life import store
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.moving import service as moving

BATCH = 500


@dataclass(frozen=True)
class Swept:
    """What one round did.

    Attributes
    ----------
    followed
        Notes with duplicates about their originals.
    """

    escalated: int
    closed: int
    moved: int
    followed: int

    @property
    def is_full(self) -> bool:
        """Whether there may be more to do."""
        return self.escalated + self.closed >= BATCH


def sweep(
    session: Session, *, now: datetime | None = None, on_event: Sequence[Listener] = ()
) -> Swept:
    """Let rules act whose time has come, as the job; at most `BATCH` incidents a round."""
    access.require_role(session, "job")
    made = [
        _act(session, one, on_event)
        for one in store.list_ruled(session, now=now or datetime.now(UTC), limit=BATCH)
    ]
    # Asked for by a job of their own; here, if that was lost.
    moved = [moving.move(session, one, on_event=on_event) for one in moving.list_waiting(session)]
    return Swept(
        escalated=made.count("escalate"),
        closed=made.count("close"),
        moved=sum(one is not None for one in moved),
        followed=life.travel(session, on_event=on_event),
    )


def _act(session: Session, incident_id: UUID, on_event: Sequence[Listener]) -> str | None:
    """Make the step that the rule says; nothing where somebody was faster."""
    incident = incidents.find_incident(session, incident_id)
    if incident is None:
        return None
    kind = "close" if incident.status == "verified" else "escalate"
    try:
        with session.begin_nested():
            life.step(session, incident_id, Step(kind), version=incident.version, on_event=on_event)
    except GridsvcError:
        return None
    return kind
