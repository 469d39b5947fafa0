"""Kinds of jobs for tests: they count, and write what they counted where it can be counted."""

import time
from typing import cast

from geodata.progress import Progress
from gridsvc.audit import service as audit
from gridsvc.db import ScopedSession, scope_of
from gridsvc.errors import DatabaseDownError, InvalidEditError
from gridsvc.jobs.kinds import GoOn, Kind, Kinds
from gridsvc.jobs.model import Arguments

COUNT, KEEP, FAIL, BREAK, AWAY, LOAD = (
    *("test.count", "test.keep", "test.fail", "test.break", "test.away", "test.load"),
)


def count(
    session: ScopedSession, arguments: Arguments, progress: Progress, go_on: GoOn
) -> Arguments:
    """Count to ``upto``, waiting ``wait_s`` at each step, and leave one event in the trail."""
    upto, wait_s = cast(int, arguments["upto"]), cast(float, arguments.get("wait_s", 0))
    counted = 0
    while counted < upto and go_on():
        time.sleep(wait_s)
        counted += 1
        progress("count", counted, upto)
    scope = scope_of(session)
    audit.record(
        session,
        community_code=scope.intervals[0].lo,
        action="test.counted",
        subject=scope.role,
        counted=counted,
        mark=arguments.get("mark"),
    )
    return {"counted": counted, "role": scope.role, "lo": scope.intervals[0].lo}


def fail(*_: object) -> Arguments:
    """End by an error of ours."""
    raise InvalidEditError("王小明 must not be told.")


def break_down(*_: object) -> Arguments:
    """End by a fault of ours, whose words hold somebody's name."""
    raise ValueError("王小明")


def away(*_: object) -> Arguments:
    """Find the database gone."""
    raise DatabaseDownError


KINDS: Kinds = {
    COUNT: Kind(count),
    KEEP: Kind(count, keeps_cancelled=True),
    FAIL: Kind(fail),
    BREAK: Kind(break_down),
    AWAY: Kind(away, attempts=2),
    LOAD: Kind(count, needs_job_role=True),
}
