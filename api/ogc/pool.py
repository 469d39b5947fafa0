"""The pool that the library reads through: a connection is a transaction in the caller's scope.

The library awaits ``fetch`` and ``fetchval`` of whatever ``acquire`` gives. It is given our own
connections, in threads: a second pool would have to be opened, closed and bounded for every event
loop, and could forget what `gridsvc.db` says to each transaction.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from anyio import CancelScope, CapacityLimiter, move_on_after, to_thread
from anyio.lowlevel import RunVar

from api.deps import PrincipalDep
from gridsvc.access.model import Principal
from gridsvc.db import Database
from gridsvc.errors import CrowdedError, NotSignedInError
from gridsvc.territory.planner import PlannerReader

LONGEST_STATEMENT_S = 15
_LONGEST_WAIT_S = 10.0
_principal: ContextVar[Principal | None] = ContextVar("ogc_principal", default=None)


async def carry_principal(principal: PrincipalDep) -> AsyncIterator[None]:
    """Let the pool know for whom it reads; `api.deps.enforce` has decided that the caller may.

    Asynchronous, or it would be set in a thread and lost there.
    """
    reset = _principal.set(principal)
    try:
        yield
    finally:
        _principal.reset(reset)


class ReadConnection:
    """What the library asks of a connection."""

    def __init__(self, reader: PlannerReader, limiter: CapacityLimiter) -> None:
        self._reader = reader
        self._limiter = limiter

    async def fetch(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        return await to_thread.run_sync(
            self._reader.fetch, statement, parameters, limiter=self._limiter
        )

    async def fetchval(self, statement: str, *parameters: Any) -> Any:
        """Return the first column of the first row."""
        (row,) = await self.fetch(statement, *parameters)
        return next(iter(row.values()))


class ScopedPool:
    """Connections in the scope of whoever asks; nobody asks: none.

    Parameters
    ----------
    most_at_once
        How many of the database's connections map clients may hold together; others wait.
    statement_timeout_s
        Longest time of one statement; counting and skipping rows cost at most that.
    """

    def __init__(self, database: Database, *, most_at_once: int, statement_timeout_s: int) -> None:
        self._database = database
        self._most_at_once = most_at_once
        self._timeout_s = min(statement_timeout_s, LONGEST_STATEMENT_S)
        self._places: RunVar[CapacityLimiter] = RunVar("ogc_places")

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[ReadConnection]:
        """Give a connection that sees what the caller may see, until the caller is answered.

        Raises
        ------
        NotSignedInError
            The request carries no principal.
        CrowdedError
            No place became free in time.
        """
        principal = _principal.get()
        if principal is None:
            raise NotSignedInError
        reader = PlannerReader(self._database, principal.scope, timeout_s=self._timeout_s)
        # A thread of its own: whoever holds a connection must never wait for those who want one.
        limiter = CapacityLimiter(1)
        async with self._place():
            try:
                await to_thread.run_sync(reader.open, limiter=limiter)
                yield ReadConnection(reader, limiter)
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(reader.close, limiter=limiter)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Hold one of the places of this event loop."""
        places = self._places.get(None)
        if places is None:
            places = CapacityLimiter(self._most_at_once)
            self._places.set(places)
        has_place = False
        with move_on_after(_LONGEST_WAIT_S):
            await places.acquire()
            has_place = True
        if not has_place:
            raise CrowdedError
        try:
            yield
        finally:
            places.release()
