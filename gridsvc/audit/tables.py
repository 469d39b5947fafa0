"""The audit trail (a fact)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin


class AuditRow(FactMixin, Base):
    """Who changed or revealed what, and when; append-only for the API role."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_at_idx", "community_code", "at", "id"),
        Index("audit_event_subject_idx", "community_code", "subject"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))
    account_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
