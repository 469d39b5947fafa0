"""A job, in plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"
Arguments: TypeAlias = Mapping[str, JSON]

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
OPEN = (QUEUED, RUNNING)
STATUSES = (*OPEN, DONE, FAILED, CANCELLED)


@dataclass(frozen=True)
class Job:
    """Long work that somebody asked for.

    Attributes
    ----------
    kind
        What is to be done; a stable word such as ``contacts.propose``.
    status
        queued, running, done, failed or cancelled.
    stage, done, total
        How far it is, in the words and steps of the kind; ``total`` 0: nobody has counted yet.
    arguments, result
        Codes, ids and counts; never words or names of people.
    error_code
        Of the error that ended it, as a problem document names it.
    is_cancelling
        Whether it was asked to stop and still runs.
    attempt
        How often it was begun; more than once after a crash.
    """

    community_code: int
    id: UUID
    kind: str
    status: str
    stage: str
    done: int
    total: int
    arguments: Arguments
    result: Arguments | None
    error_code: str | None
    is_cancelling: bool
    attempt: int
    role: str
    person_id: UUID | None
    account_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status not in OPEN


@dataclass(frozen=True)
class Standing:
    """What became of a job while it ran.

    Attributes
    ----------
    is_own
        Whether the attempt that asks still holds it; no: another one began, or it is gone.
    is_cancelling
        Whether it was asked to stop.
    """

    is_own: bool
    is_cancelling: bool


@dataclass(frozen=True)
class Step:
    """How far a job is: so many steps of a stage are done."""

    stage: str
    done: int
    total: int
