"""Applying every rule, a transaction for each batch: it takes a database, not a session."""

from datetime import datetime

from geodata.progress import Progress, silent
from gridsvc.db import Database, Scope
from gridsvc.retention import service
from gridsvc.retention.model import Applied, Rule


def apply(
    database: Database,
    scope: Scope,
    *,
    now: datetime,
    limit: int = service.BATCH,
    progress: Progress | None = None,
) -> list[Applied]:
    """Let everything go that is over, as the job; interrupted, it can be repeated.

    Parameters
    ----------
    scope
        Of the job; facts of other territories stay.
    now
        The same for all tables, so that what refers to a row goes with it.
    limit
        Rows a transaction.
    """
    report = progress or silent
    applied = []
    rules = service.list_limits()
    for done, rule in enumerate(rules):
        report("retention", done, len(rules))
        applied.append(Applied(rule, _apply_rule(database, scope, rule, now=now, limit=limit)))
    report("retention", len(rules), len(rules))
    return applied


def _apply_rule(database: Database, scope: Scope, rule: Rule, *, now: datetime, limit: int) -> int:
    total = 0
    while True:
        with database.session(scope) as session, session.begin():
            gone = service.apply_batch(session, rule, now=now, limit=limit)
        total += gone
        if gone < limit:
            return total
