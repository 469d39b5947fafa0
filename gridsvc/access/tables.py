"""Accounts and how they sign in (reference tables), and idempotency keys (a fact)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from gridsvc.access.model import ROLES
from gridsvc.db import Base, FactMixin

NOW = text("now()")
FALSE = text("false")


def moment(**options: Any) -> Mapped[Any]:
    """Return a column of a point in time."""
    return mapped_column(TIMESTAMP(timezone=True), **options)


class AccountRow(Base):
    """Somebody who can sign in.

    ``office_code`` is the territory whose administrators look after the account.
    ``password_hash`` and ``totp_cipher`` are absent until they are set.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(f"role IN {ROLES}", name="role"),
        CheckConstraint("login = lower(login)", name="login"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    office_code: Mapped[int] = mapped_column(BigInteger, index=True)
    person_id: Mapped[UUID | None] = mapped_column(index=True)
    is_disabled: Mapped[bool] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime] = moment(server_default=NOW)
    password_hash: Mapped[str | None]
    totp_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_is_confirmed: Mapped[bool] = mapped_column(server_default=FALSE)
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)


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


class DevelopmentCodeRow(Base):
    """The login code of an account that ``./grid demo`` made."""

    __tablename__ = "development_code"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)


class DeviceRow(Base):
    """A phone that stays signed in; its tokens are one family."""

    __tablename__ = "device"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = moment(server_default=NOW)
    revoked_at: Mapped[datetime | None] = moment()


class DeviceTokenRow(Base):
    """A refresh token of a device; used ones stay, so that a second use is noticed.

    ``repeat_hash`` is that of the idempotency key it was used with: a phone that lost the answer
    repeats its request with the same key.
    """

    __tablename__ = "device_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), index=True)
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment()
    repeat_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class SignInRow(Base):
    """A browser or phone that signed in; only the hash of its token is kept.

    ``stage`` is ``second_factor`` between the password and the authenticator's code.
    """

    __tablename__ = "sign_in"
    __table_args__ = (CheckConstraint("stage IN ('full', 'second_factor')", name="stage"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"), index=True)
    stage: Mapped[str] = mapped_column(server_default=text("'full'"))
    client: Mapped[str | None]
    created_at: Mapped[datetime] = moment(server_default=NOW)
    used_at: Mapped[datetime] = moment(server_default=NOW)
    expires_at: Mapped[datetime] = moment()


class InvitationRow(Base):
    """A one-time code with which somebody chooses a password, first or anew."""

    __tablename__ = "invitation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = moment(server_default=NOW)
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment()


class ApiKeyRow(Base):
    """A key for QGIS and scripts: it reads what a planner may, in one territory."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("lo <= hi", name="order"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    lo: Mapped[int] = mapped_column(BigInteger)
    hi: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = moment(server_default=NOW)
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment()
    revoked_at: Mapped[datetime | None] = moment()


class SsoIdentityRow(Base):
    """Who an account is at a provider of single sign-on."""

    __tablename__ = "sso_identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)


class SsoAttemptRow(Base):
    """A browser that we sent to the provider and expect back."""

    __tablename__ = "sso_attempt"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    goal: Mapped[str]
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = moment()


class IdempotencyRow(FactMixin, Base):
    """The answer that a POST with this key got, given again when the client repeats it."""

    __tablename__ = "idempotency_key"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = moment(server_default=NOW)
