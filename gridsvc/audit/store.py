"""Queries of the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.audit.model import AuditEvent, AuditFilter
from gridsvc.audit.tables import AuditRow
from gridsvc.db import in_scope


def add(session: Session, **values: object) -> None:
    """Append to the trail."""
    session.execute(insert(AuditRow).values(**values))


def list_events(
    session: Session,
    wanted: AuditFilter,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AuditEvent]:
    """Return at most ``limit`` events, the newest first, before a time and id."""
    statement = select(AuditRow).where(in_scope(session, AuditRow.community_code))
    if wanted.community_code is not None:
        statement = statement.where(AuditRow.community_code == wanted.community_code)
    if wanted.account_id is not None:
        statement = statement.where(AuditRow.account_id == wanted.account_id)
    if wanted.action is not None:
        # An action or all of a kind: "account" finds "account.invite".
        statement = statement.where(
            (AuditRow.action == wanted.action)
            | AuditRow.action.startswith(f"{wanted.action}.", autoescape=True)
        )
    if wanted.subject is not None:
        statement = statement.where(AuditRow.subject == wanted.subject)
    if wanted.since is not None:
        statement = statement.where(AuditRow.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditRow.at < wanted.until)
    if before is not None:
        statement = statement.where(tuple_(AuditRow.at, AuditRow.id) < before)
    rows: Sequence[AuditRow] = session.scalars(
        statement.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
    ).all()
    return [
        AuditEvent(
            row.community_code, row.id, row.at, row.account_id, row.action, row.subject, row.detail
        )
        for row in rows
    ]
