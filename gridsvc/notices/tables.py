"""The outbox, its deliveries and their tries, the channels, and inboxes (facts)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin

_KINDS = "kind IN ('wecom', 'dingtalk', 'feishu', 'webhook', 'email', 'copy')"
_LANGUAGES = "language IN ('zh', 'en')"


class ChannelRow(FactMixin, Base):
    """Where a place or a machine can be told; address and signing secret encrypted."""

    __tablename__ = "notice_channel"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint(_LANGUAGES, name="language"),
        CheckConstraint("(kind = 'copy') = (address_cipher IS NULL)", name="address"),
        CheckConstraint(
            "place_code ~ '^([0-9]{12}|[0-9]{15}|[0-9]{20})$'"
            " AND left(place_code, 12)::bigint = community_code",
            name="place",
        ),
        Index("notice_channel_place_idx", "community_code", "place_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    place_code: Mapped[str]
    language: Mapped[str] = mapped_column(server_default=text("'zh'"))
    address_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    host: Mapped[str] = mapped_column(server_default=text("''"))
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class NoticeRow(FactMixin, Base):
    """The outbox: what was said, written in the transaction of what it tells."""

    __tablename__ = "notice"
    __table_args__ = (Index("notice_newest_idx", "community_code", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[str]
    category: Mapped[str] = mapped_column(server_default=text("''"))
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    subject: Mapped[str]
    place_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class DeliveryRow(FactMixin, Base):
    """One notice on its way to one channel; a single address is forgotten once it has it."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "notice_id"], ["gridsvc.notice.community_code", "gridsvc.notice.id"]
        ),
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint(_LANGUAGES, name="language"),
        CheckConstraint(
            "status IN ('waiting', 'sent', 'dead', 'to_copy', 'copied')", name="status"
        ),
        CheckConstraint("(status IN ('waiting', 'to_copy')) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("attempt_count >= 0", name="count"),
        Index("notice_delivery_newest_idx", "community_code", "status", "created_at", "id"),
        Index("notice_delivery_notice_idx", "community_code", "notice_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    kind: Mapped[str]
    # No foreign key: a channel of the sub-district's own code serves all its communities.
    channel_id: Mapped[UUID | None]
    channel_name: Mapped[str] = mapped_column(server_default=text("''"))
    language: Mapped[str] = mapped_column(server_default=text("'zh'"))
    address_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempt_count: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str | None]
    next_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class AttemptRow(FactMixin, Base):
    """One try to deliver: when, how it ended, how long it took."""

    __tablename__ = "notice_attempt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "delivery_id"],
            ["gridsvc.notice_delivery.community_code", "gridsvc.notice_delivery.id"],
        ),
        Index("notice_attempt_delivery_idx", "community_code", "delivery_id", "number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID]
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))
    outcome: Mapped[str]
    status: Mapped[int | None]
    took_ms: Mapped[int]


class InboxRow(FactMixin, Base):
    """A message to one account; with its own words, because a notice is for staff to see."""

    __tablename__ = "inbox_entry"
    __table_args__ = (
        Index("inbox_entry_newest_idx", "account_id", "created_at", "id"),
        Index("inbox_entry_unread_idx", "account_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    template: Mapped[str]
    category: Mapped[str] = mapped_column(server_default=text("''"))
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    subject: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
    read_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
