"""Live updates: what commits is told to every process, and by it to the pages that listen.

A process has one connection that listens, while anybody does. When the database goes away, it is
connected anew, and everybody is told to read again: nobody knows what was missed.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import URL
from sqlalchemy.orm import Session

from gridsvc.db import Interval
from gridsvc.errors import LiveCrowdedError
from gridsvc.notices import store

CHANNEL = "gridsvc_live"
MAX_BACKLOG = 100
"""What a slow reader may be behind before it is told to read again."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
# Lost without a farewell, a connection is noticed within half a minute.
_KEEPALIVES: Mapping[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """Something happened, in a community; who may see what it was, reads it.

    Attributes
    ----------
    kind
        Such as ``incident.resolved``.
    subject
        Id of what it happened to.
    """

    community_code: int
    kind: str
    subject: str


def tell(session: Session, *, community_code: int, kind: str, subject: str) -> None:
    """Tell listening pages of something, once the transaction is committed; ids only, no words."""
    told = {"community": community_code, "kind": kind, "id": subject}
    store.notify(session, CHANNEL, json.dumps(told))


def parse(payload: str) -> Update | None:
    """Return what a notification says; of one that is not ours, nothing."""
    try:
        told = json.loads(payload)
        return Update(int(told["community"]), str(told["kind"]), str(told["id"]))
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Heard:
    """What a page is to be told; neither: that it still listens.

    Attributes
    ----------
    is_again
        Everything is to be read again: listening has begun, or something was missed.
    """

    is_again: bool
    updates: Sequence[Update]


class Listener:
    """A page that listens, and what waits for it."""

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self._intervals = intervals
        self._updates: list[Update] = []
        self._has_missed = False
        self.is_over = False
        self._news = asyncio.Event()

    def hear(self, update: Update) -> None:
        """Take an update of the own territory; too many at once are one missed."""
        if not any(one.lo <= update.community_code <= one.hi for one in self._intervals):
            return
        if len(self._updates) >= MAX_BACKLOG:
            self.miss()
        elif not self._has_missed:
            self._updates.append(update)
        self._news.set()

    def miss(self) -> None:
        """Forget what waits: everything is to be read again."""
        self._updates.clear()
        self._has_missed = True
        self._news.set()

    def end(self) -> None:
        """Let the page go: the process stops."""
        self.is_over = True
        self._news.set()

    async def next(self, *, wait_s: float) -> Heard:
        """Return what happened, as soon as anything has."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), wait_s)
        heard = Heard(self._has_missed, self._updates)
        self._updates, self._has_missed = [], False
        self._news.clear()
        return heard


class Hub:
    """The listeners of one event loop, and the one connection that hears for them.

    Parameters
    ----------
    url
        Of the database, as the API role.
    at_most
        How many may listen at a time.
    """

    def __init__(self, url: URL, *, at_most: int) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._at_most = at_most
        self._listeners: set[Listener] = set()
        self._hearing: asyncio.Task[None] | None = None
        self._is_connected = False
        self._is_closed = False

    @property
    def listener_count(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def require_place(self) -> None:
        """Refuse one more listener where there are as many as may be.

        Raises
        ------
        LiveCrowdedError
            There are.
        """
        if self._is_closed or len(self._listeners) >= self._at_most:
            raise LiveCrowdedError(self._at_most)

    def close(self) -> None:
        """Let every listener go, and take no new ones."""
        self._is_closed = True
        for listener in self._listeners:
            listener.end()

    @asynccontextmanager
    async def listen(self, intervals: Sequence[Interval]) -> AsyncIterator[Listener]:
        """Give what happens in a territory, beginning with the word to read everything now.

        Raises
        ------
        LiveCrowdedError
            Too many listen already.
        """
        self.require_place()
        listener = Listener(intervals)
        self._listeners.add(listener)
        if self._is_connected:
            listener.miss()
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._hearing is not None:
                self._hearing.cancel()
                self._hearing = None
                self._is_connected = False

    async def _hear(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True, connect_timeout=5, **_KEEPALIVES
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    pause_s = _FIRST_PAUSE_S
                    self._is_connected = True
                    for listener in self._listeners:
                        listener.miss()
                    async for one in connection.notifies():
                        self._pass_on(one.payload)
            except psycopg.Error as error:
                log.warning("live updates have lost the database", exc_info=error)
            self._is_connected = False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _pass_on(self, payload: str) -> None:
        update = parse(payload)
        if update is not None:
            for listener in self._listeners:
                listener.hear(update)


class Live:
    """The hubs of a process, one for each event loop."""

    def __init__(self, url: URL, *, at_most: int) -> None:
        self._url = url
        self._at_most = at_most
        self._hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()

    def hub(self) -> Hub:
        """Return the hub of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._hubs:
            self._hubs[loop] = Hub(self._url, at_most=self._at_most)
        return self._hubs[loop]

    def close(self) -> None:
        """Let every page go, and take no new ones; from any thread."""
        for loop, hub in list(self._hubs.items()):
            with suppress(RuntimeError):  # the loop has ended, and its pages with it
                loop.call_soon_threadsafe(hub.close)
