"""Moving as a job, asked for by the step that says where an incident belongs; and the round."""

from uuid import UUID

from sqlalchemy.orm import Session

from geodata.progress import Progress
from gridsvc.db import ScopedSession
from gridsvc.incidents.life.model import Event
from gridsvc.incidents.model import Incident
from gridsvc.incidents.moving import service
from gridsvc.jobs import service as jobs
from gridsvc.jobs.kinds import GoOn, Kind
from gridsvc.jobs.model import Arguments

MOVE = "incidents.move"


def defer_move(session: Session, incident: Incident, event: Event) -> None:
    """Ask for a job that opens an incident where it belongs, once a step has said where."""
    if event.step == "move":
        jobs.defer(
            session,
            MOVE,
            community_code=incident.community_code,
            arguments={"incident": str(incident.id)},
        )


def _run(session: ScopedSession, arguments: Arguments, _: Progress, __: GoOn) -> Arguments:
    moved = service.move(session, UUID(str(arguments["incident"])))
    return {"moved_to": str(moved.id) if moved else None}


KINDS = {MOVE: Kind(run=_run, needs_job_role=True)}
"""For the worker's table: the community of the caller is not the one where it is opened."""
