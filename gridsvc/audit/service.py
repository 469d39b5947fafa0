"""Noting changes, and looking them up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.audit import store
from gridsvc.audit.model import AuditEvent, AuditFilter
from gridsvc.db import new_id, scope_of


def record(
    session: Session, *, community_code: int, action: str, subject: str, **detail: object
) -> None:
    """Note a change in the audit trail; details are codes and counts, never words or names."""
    store.add(
        session,
        community_code=community_code,
        id=new_id(),
        account_id=scope_of(session).account,
        action=action,
        subject=subject,
        detail=detail,
    )


def list_events(
    session: Session,
    wanted: AuditFilter | None = None,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[AuditEvent]:
    """Return at most ``limit`` events of the caller's territory, the newest first."""
    return store.list_events(session, wanted or AuditFilter(), before=before, limit=limit)
