"""One job from its beginning to its end; it takes databases, not a session."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from geodata.errors import GeodataError
from gridsvc.db import Database, Interval, Scope, ScopedSession, clear_connection_errors
from gridsvc.errors import (
    DatabaseDownError,
    DatabaseFullError,
    GridsvcError,
    JobCrashedError,
    JobFailedError,
    QueryTooSlowError,
    UnknownJobKindError,
)
from gridsvc.jobs import store
from gridsvc.jobs.errands import Errands
from gridsvc.jobs.kinds import Kind, Kinds, Round
from gridsvc.jobs.model import CANCELLED, DONE, FAILED, Job
from gridsvc.jobs.reporting import Reporter, scope_of_job

_PASSING = (DatabaseDownError, DatabaseFullError, QueryTooSlowError)
_RETRY_AFTER_S = 5
_UNKNOWN_S = 600

log = logging.getLogger(__name__)


class TryAgainError(Exception):
    """The job is to be begun again: the worker stops, or the database was away."""

    def __init__(self, after_s: int) -> None:
        super().__init__(f"again after {after_s} s")
        self.after_s = after_s


class _NotOursError(Exception):
    """The job was cancelled, taken over or deleted while it ran: what it wrote must not stay."""


@dataclass(frozen=True)
class Workplace:
    """What a worker has to work with.

    Attributes
    ----------
    served
        As the API role: row-level security holds.
    job
        As the job role: keeps the books, and does what kinds need that role for.
    errands
        What it runs besides jobs, as the job role.
    rounds
        What is done again and again.
    """

    served: Database
    job: Database
    kinds: Kinds
    errands: Errands = field(default_factory=dict)
    rounds: Sequence[Round] = ()


def run(
    place: Workplace, community_code: int, job_id: UUID, *, is_stopping: Callable[[], bool]
) -> None:
    """Do a job, unless it is over; what it writes stays exactly if it ends as done.

    Raises
    ------
    TryAgainError
        It is to be begun again later.
    """
    try:
        with clear_connection_errors():
            job = _begin(place, community_code, job_id)
            if job is not None:
                _do(place, job, is_stopping)
    except DatabaseDownError as error:  # the books are closed: it stays running until then
        raise TryAgainError(_RETRY_AFTER_S) from error


def run_errand(place: Workplace, name: str, community_code: int, row_id: UUID) -> None:
    """Run an errand; its books are its own.

    Raises
    ------
    TryAgainError
        It is to be run again later.
    """
    facts = {"errand": name, "row": str(row_id)}
    errand = place.errands.get(name)
    if errand is None:  # of a newer version, whose worker is on its way
        log.warning("an errand that this worker does not know", extra=facts)
        raise TryAgainError(_UNKNOWN_S)
    try:
        with clear_connection_errors():
            errand(place.job, community_code, row_id)
    except _PASSING as error:
        raise TryAgainError(_RETRY_AFTER_S) from error
    except TryAgainError:
        raise
    except Exception as error:
        # A fault of ours: it is kept, and tried again when that may have been mended.
        log.exception("unexpected error in an errand", exc_info=error, extra=facts)
        raise TryAgainError(_UNKNOWN_S) from error


def _begin(place: Workplace, community_code: int, job_id: UUID) -> Job | None:
    """Begin a job; nothing where there is nothing left to do."""
    scope = Scope("job", (Interval.of(community_code),))
    with place.job.session(scope) as session, session.begin():
        job = store.begin(session, community_code, job_id)
    if job is None:
        return None
    log.info("job begun", extra=_facts(job))
    if job.is_cancelling:
        _end(place, job, CANCELLED)
        return None
    return job


def _do(place: Workplace, job: Job, is_stopping: Callable[[], bool]) -> None:
    """Run a job that was begun, and close its books whatever happens."""
    try:
        kind = _kind_of(place, job)
        _work(place, job, kind, Reporter(place.job, job, is_stopping=is_stopping))
    except _NotOursError:
        _end(place, job, CANCELLED)
    except TryAgainError:
        _release(place, job, attempts_spent=job.attempt - 1)
        raise
    except _PASSING as error:
        _release_or_fail(place, job, error)
    except (GridsvcError, GeodataError) as error:
        _fail(place, job, error)
    except Exception as error:
        # Of the kind, whatever it is: the worker goes on with the next job.
        log.exception("unexpected error in a job", exc_info=error, extra=_facts(job))
        _fail(place, job, JobFailedError())


def _release_or_fail(place: Workplace, job: Job, error: GridsvcError) -> None:
    """Let a job wait for the database, unless it has done so as often as it may.

    Raises
    ------
    TryAgainError
        It is to be begun again.
    """
    if job.attempt >= place.kinds[job.kind].attempts:
        _fail(place, job, error)
        return
    _release(place, job, attempts_spent=job.attempt)
    raise TryAgainError(_RETRY_AFTER_S * job.attempt) from error


def _kind_of(place: Workplace, job: Job) -> Kind:
    """Return what to do for a job.

    Raises
    ------
    UnknownJobKindError
        The worker's table does not have the kind.
    JobCrashedError
        It was begun too often.
    """
    kind = place.kinds.get(job.kind)
    if kind is None:
        raise UnknownJobKindError(job.kind)
    if job.attempt > kind.attempts:
        raise JobCrashedError(kind.attempts)
    return kind


def _work(place: Workplace, job: Job, kind: Kind, reporter: Reporter) -> None:
    """Do the work and end the job in one transaction, so that it has its effect once or never.

    Raises
    ------
    TryAgainError
        It was interrupted because the worker stops.
    _NotOursError
        It was cancelled or taken over: nothing of it stays.
    """
    with clear_connection_errors(), _session(place, job, kind) as session, session.begin():
        result = kind.run(session, job.arguments, reporter.progress, reporter.go_on)
        if reporter.was_stopped_by_worker:
            raise TryAgainError(0)
        finish = partial(store.finish, session, job, result=result, last=reporter.last)
        if finish(status=DONE, even_if_cancelling=False):
            return
        if not (kind.keeps_cancelled and finish(status=CANCELLED)):
            raise _NotOursError


def _session(place: Workplace, job: Job, kind: Kind) -> ScopedSession:
    """Open the session of the work: as whoever asked, in the territory of the job."""
    territory = (Interval.of(job.community_code),)
    if kind.needs_job_role or job.role == "job":
        return place.job.session(Scope("job", territory, account=job.account_id))
    return place.served.session(
        Scope(job.role, territory, person=job.person_id, account=job.account_id)
    )


def _fail(place: Workplace, job: Job, error: GridsvcError | GeodataError) -> None:
    _end(place, job, FAILED, error_code=error.code)


def _end(place: Workplace, job: Job, status: str, *, error_code: str | None = None) -> None:
    with place.job.session(scope_of_job(job)) as session, session.begin():
        is_ended = store.finish(session, job, status, error_code=error_code)
    if is_ended:
        log.info("job ended", extra={**_facts(job), "status": status, "error": error_code})


def _release(place: Workplace, job: Job, *, attempts_spent: int) -> None:
    with place.job.session(scope_of_job(job)) as session, session.begin():
        store.release(session, job, attempts_spent=attempts_spent)


def _facts(job: Job) -> dict[str, str | int]:
    return {"job": str(job.id), "kind": job.kind, "attempt": job.attempt}
