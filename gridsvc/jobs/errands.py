"""Errands: short work in the background, of which its feature keeps the books, such as a delivery.

A job is a fact that somebody asked for and follows. An errand is not: it names a row that says by
itself what is left to do, and may find nothing. It is put into the queue in the transaction that
writes the row, and run at least once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.orm import Session

from gridsvc.db import Database

TASK = "errand"
QUEUE = "errands"

Errand: TypeAlias = Callable[[Database, int, UUID], None]
"""Called with the database of the job role, a community and the id of a row; it may raise
`gridsvc.jobs.running.TryAgainError`, and is then called again."""
Errands: TypeAlias = Mapping[str, Errand]
"""Every errand that a worker can run, by name: one explicit table, handed to it by its caller."""

# It is never opened: each call brings its own connection.
_DEFERRER = App(connector=SyncPsycopgConnector())


def put(
    session: Session,
    name: str,
    *,
    community_code: int,
    row_id: UUID,
    at: datetime | None = None,
) -> None:
    """Queue an errand: workers hear of it once the transaction is committed, and only then.

    Parameters
    ----------
    at
        Not before; default: at once.
    """
    _DEFERRER.configure_task(
        TASK,
        queue=QUEUE,
        schedule_at=at,
        connection=session.connection().connection.driver_connection,
    ).defer(errand=name, community_code=community_code, row_id=str(row_id))
