"""How a report without an account is followed, what was said of it later, its photos (facts)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin
from gridsvc.incidents.reporting.model import ENTRIES


def of_incident() -> ForeignKeyConstraint:
    """Return the key of a fact that belongs to an incident."""
    return ForeignKeyConstraint(
        ["community_code", "incident_id"], ["incident.community_code", "incident.id"]
    )


class ReportRow(FactMixin, Base):
    """How an incident is followed by whoever reported it; nobody's name is in it.

    The secret of the link is kept as a hash, to be checked, and encrypted, to be sent again: to
    the e-mail address, and to a phone that lost the first answer.
    """

    __tablename__ = "report"
    __table_args__: tuple[Any, ...] = (
        of_incident(),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint(f"entry IN {ENTRIES}", name="entry"),
    )

    incident_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    token_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    email_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str]
    entry: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class PhotoRow(FactMixin, Base):
    """A photo as it was sent, made small and bare; for field roles and the reporter only."""

    __tablename__ = "photo"
    __table_args__: tuple[Any, ...] = (
        of_incident(),
        UniqueConstraint("community_code", "incident_id", "position"),
        CheckConstraint("position BETWEEN 1 AND 5", name="position"),
        CheckConstraint("octet_length(image) <= 4000000", name="image"),
        # Of one only the id is known.
        Index("photo_id_idx", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    image: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    width_px: Mapped[int] = mapped_column(Integer)
    height_px: Mapped[int] = mapped_column(Integer)
    source_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class PublishedPhotoRow(FactMixin, Base):
    """A photo as everybody may see it: a coordinator has blurred what must not be seen.

    That it is a table of its own is what keeps the others from the public: a policy hides rows,
    not columns.
    """

    __tablename__ = "published_photo"
    __table_args__: tuple[Any, ...] = (
        ForeignKeyConstraint(
            ["community_code", "photo_id"],
            ["photo.community_code", "photo.id"],
            ondelete="CASCADE",
        ),
        Index("published_photo_incident_idx", "community_code", "incident_id"),
    )

    photo_id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID]
    image: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    blurred_count: Mapped[int] = mapped_column(SmallInteger)
    published_by: Mapped[UUID]
    published_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )
