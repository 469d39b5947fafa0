"""What the job does with rules of retention: count what is over, and let it go."""

from datetime import datetime

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.retention import store
from gridsvc.retention.model import Applied, Rule
from gridsvc.retention.persons import service as persons
from gridsvc.retention.rules import RULES

BATCH = 5_000


def list_limits() -> list[Rule]:
    """Return the rules with a limit, in the order in which they are applied."""
    return [rule for rule in RULES.values() if rule.days is not None]


def count(session: Session, *, now: datetime) -> list[Applied]:
    """Count the rows of each table that are over, as the job."""
    access.require_role(session, "job")
    return [Applied(rule, store.count(session, rule, now)) for rule in list_limits()]


def apply_batch(session: Session, rule: Rule, *, now: datetime, limit: int = BATCH) -> int:
    """Let at most so many rows of one table go, as the job, and note how many.

    Returns
    -------
    int
        How many went; fewer than ``limit``: none is left.
    """
    access.require_role(session, "job")
    if rule.table == "member_consent":
        return _erase_withdrawn(session, rule, now=now, limit=limit)
    gone = store.apply_batch(session, rule, now, limit=limit)
    for street_code, rows in gone.items():
        if street_code:
            audit.record(
                session,
                community_code=street_code,
                action="retention.apply",
                subject=rule.table,
                rows=rows,
            )
    return gone.total()


def _erase_withdrawn(session: Session, rule: Rule, *, now: datetime, limit: int) -> int:
    """Erase whoever withdrew consent long enough ago; each erasure is noted as one."""
    members = store.list_withdrawn(session, rule, now, limit=limit)
    for member_id in members:
        persons.erase(session, member_id)
    return len(members)
