"""Putting a job into the library's queue, inside the transaction of whoever asks for it."""

from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.orm import Session

TASK = "run"
QUEUE = "jobs"

# It is never opened: each call brings its own connection.
_DEFERRER = App(connector=SyncPsycopgConnector())


def put(session: Session, *, community_code: int, job_id: UUID, lock: str) -> None:
    """Queue a job: workers hear of it once the transaction is committed, and only then.

    Parameters
    ----------
    lock
        Jobs with the same lock run one after the other.
    """
    _DEFERRER.configure_task(
        TASK,
        queue=QUEUE,
        lock=lock,
        connection=session.connection().connection.driver_connection,
    ).defer(community_code=community_code, job_id=str(job_id))
