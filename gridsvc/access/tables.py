"""Accounts and sessions (reference tables), idempotency keys and audit (facts)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.db import Base, FactMixin

ROLES = ("resident", "contact", "patrol", "coordinator", "planner", "administrator")


class AccountRow(Base):
    """Somebody who can sign in; the login is a development code for now."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint(f"role IN {ROLES}", name="role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    person_id: Mapped[UUID | None]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    is_disabled: Mapped[bool] = mapped_column(server_default=text("false"))


class AccountScopeRow(Base):
    """One territory interval of an account; at most four."""

    __tablename__ = "account_scope"
    __table_args__ = (
        CheckConstraint("slot BETWEEN 1 AND 4", name="slot"),
        CheckConstraint("lo <= hi", name="order"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    lo: Mapped[int] = mapped_column(BigInteger)
    hi: Mapped[int] = mapped_column(BigInteger)


class SignInRow(Base):
    """A browser or client that signed in; only the hash of its token is kept."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class IdempotencyRow(FactMixin, Base):
    """The answer that a POST with this key got, given again when the client repeats it."""

    __tablename__ = "idempotency_key"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=text("now()")
    )


class AuditRow(FactMixin, Base):
    """Who changed or revealed what, and when; append-only for the API role."""

    __tablename__ = "audit_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))
    account_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
