"""What a kind of job is, for whoever writes one and for the worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from geodata.progress import Progress
from gridsvc.db import Database, ScopedSession
from gridsvc.jobs.model import Arguments

GoOn: TypeAlias = Callable[[], bool]
Run: TypeAlias = Callable[[ScopedSession, Arguments, Progress, GoOn], Arguments | None]


@dataclass(frozen=True)
class Kind:
    """What a worker does for jobs of one kind.

    Attributes
    ----------
    run
        Called with a session, the arguments of the job, a listener for progress, and ``go_on``,
        which says False once the work should stop: it then returns as soon as it can. It does not
        commit: what it wrote and its result become visible together, or not at all.
    needs_job_role
        Whether it runs as the job, past the policies; otherwise as whoever asked, in the territory
        of the job.
    keeps_cancelled
        Whether what it has when it is cancelled is kept, such as the best plan so far.
    attempts
        How often it may be begun: a crash or a lost connection does not end it before.
    """

    run: Run
    needs_job_role: bool = False
    keeps_cancelled: bool = False
    attempts: int = 3


@dataclass(frozen=True)
class Round:
    """What is done again and again, by one worker each time, whether anybody asks or not.

    Attributes
    ----------
    cron
        When: minute, hour, day of month, month, day of week; a sixth field is seconds.
    run
        Called with a database of the job role; it opens its own transactions.
    """

    name: str
    cron: str
    run: Callable[[Database], None]


Kinds: TypeAlias = Mapping[str, Kind]
"""Every kind that a worker knows, by name: one explicit table, handed to it by its caller."""
