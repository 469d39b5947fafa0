"""Queries of devices, their tokens, and sign-ins as their owners see them.

Whoever changes a device locks its row first, so that its tokens change hands one at a time.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from gridsvc.access.devices.model import RefreshToken, SignIn
from gridsvc.access.tables import DeviceRow, DeviceTokenRow, SignInRow

# The clock, not the transaction's start: two uses of one device must never have the same time.
_NOW = func.clock_timestamp()


def add_device(session: Session, **values: object) -> None:
    """Remember a phone."""
    session.execute(insert(DeviceRow).values(**values))


def add_token(session: Session, **values: object) -> None:
    """Remember a refresh token by its hash."""
    session.execute(insert(DeviceTokenRow).values(**values))


def find_owner(session: Session, token_hash: bytes) -> UUID | None:
    """Return the account whose phone a refresh token was given to."""
    return session.scalar(
        select(DeviceRow.account_id)
        .join(DeviceTokenRow, DeviceTokenRow.device_id == DeviceRow.id)
        .where(DeviceTokenRow.token_hash == token_hash)
    )


def lock_token(session: Session, token_hash: bytes) -> RefreshToken | None:
    """Return a refresh token, whose device nobody else changes until this transaction ends."""
    family = select(DeviceTokenRow.device_id).where(DeviceTokenRow.token_hash == token_hash)
    device = session.execute(
        select(DeviceRow.id, DeviceRow.revoked_at)
        .where(DeviceRow.id == family.scalar_subquery())
        .with_for_update()
    ).one_or_none()
    if device is None:
        return None
    # A statement of its own: the one that waited for the lock still sees what was before it.
    later = aliased(DeviceTokenRow)
    has_later = exists().where(
        later.device_id == DeviceTokenRow.device_id, later.used_at > DeviceTokenRow.used_at
    )
    token = session.execute(
        select(
            DeviceTokenRow.expires_at,
            DeviceTokenRow.used_at,
            DeviceTokenRow.repeat_hash,
            DeviceTokenRow.used_at.is_not(None) & ~has_later,
        ).where(DeviceTokenRow.token_hash == token_hash)
    ).one_or_none()
    return token and RefreshToken(device.id, device.revoked_at is not None, *token)


def use_token(
    session: Session, device_id: UUID, token_hash: bytes, repeat_hash: bytes | None
) -> None:
    """Use up a refresh token, and whatever of its device was not used; end the access token."""
    of_device = update(DeviceTokenRow).where(DeviceTokenRow.device_id == device_id)
    session.execute(of_device.where(DeviceTokenRow.used_at.is_(None)).values(used_at=_NOW))
    session.execute(
        update(DeviceTokenRow)
        .where(DeviceTokenRow.token_hash == token_hash)
        .values(used_at=_NOW, repeat_hash=repeat_hash)
    )
    session.execute(delete(SignInRow).where(SignInRow.device_id == device_id))


def revoke(
    session: Session,
    account_id: UUID,
    *,
    device_id: UUID | None = None,
    except_id: UUID | None = None,
) -> list[UUID]:
    """End one device of an account, or all but perhaps one, and return their ids."""
    chosen: list[ColumnElement[bool]] = []
    if device_id is not None:
        chosen.append(DeviceRow.id == device_id)
    if except_id is not None:
        chosen.append(DeviceRow.id != except_id)
    revoked = session.scalars(
        update(DeviceRow)
        .where(DeviceRow.account_id == account_id, DeviceRow.revoked_at.is_(None), *chosen)
        .values(revoked_at=_NOW)
        .returning(DeviceRow.id)
    ).all()
    session.execute(delete(SignInRow).where(SignInRow.device_id.in_(revoked)))
    return list(revoked)


def find_device_of(session: Session, sign_in_id: UUID | None) -> UUID | None:
    """Return the device of a sign-in; none where it has no device."""
    return session.scalar(select(SignInRow.device_id).where(SignInRow.id == sign_in_id))


def find_device_by_token(session: Session, token_hash: bytes) -> tuple[UUID, UUID] | None:
    """Return account and device of an access token; none where it has no device."""
    row = session.execute(
        select(DeviceRow.account_id, DeviceRow.id)
        .join(SignInRow, SignInRow.device_id == DeviceRow.id)
        .where(SignInRow.token_hash == token_hash)
    ).one_or_none()
    return row and (row[0], row[1])


def end_browser(session: Session, account_id: UUID, sign_in_id: UUID) -> bool:
    """End one sign-in without a device; false where the account has none of this id."""
    ended = session.scalar(
        delete(SignInRow)
        .where(
            SignInRow.id == sign_in_id,
            SignInRow.account_id == account_id,
            SignInRow.device_id.is_(None),
        )
        .returning(SignInRow.id)
    )
    return ended is not None


def list_sign_ins(
    session: Session, account_id: UUID, *, current_id: UUID | None, now: datetime, limit: int
) -> list[SignIn]:
    """Return at most ``limit`` sign-ins of an account: the present one, then by last use."""
    found = _browsers(account_id, current_id, now).union_all(_devices(account_id, current_id, now))
    rows = found.subquery()
    ordered = select(rows).order_by(rows.c.is_current.desc(), rows.c.used_at.desc(), rows.c.id)
    return [SignIn(*row) for row in session.execute(ordered.limit(limit))]


def _browsers(
    account_id: UUID, current_id: UUID | None, now: datetime
) -> Select[tuple[UUID, str, str, datetime, datetime, bool]]:
    return select(
        SignInRow.id.label("id"),
        literal("browser").label("kind"),
        func.coalesce(SignInRow.client, "").label("name"),
        SignInRow.created_at.label("created_at"),
        SignInRow.used_at.label("used_at"),
        case((SignInRow.id == current_id, True), else_=False).label("is_current"),
    ).where(
        SignInRow.account_id == account_id,
        SignInRow.device_id.is_(None),
        SignInRow.stage == "full",
        SignInRow.expires_at > now,
    )


def _devices(
    account_id: UUID, current_id: UUID | None, now: datetime
) -> Select[tuple[UUID, str, str, datetime, datetime, bool]]:
    access = select(func.max(SignInRow.used_at)).where(SignInRow.device_id == DeviceRow.id)
    refresh = select(func.max(DeviceTokenRow.used_at)).where(
        DeviceTokenRow.device_id == DeviceRow.id
    )
    is_current = exists().where(SignInRow.device_id == DeviceRow.id, SignInRow.id == current_id)
    return select(
        DeviceRow.id,
        literal("device"),
        DeviceRow.name,
        DeviceRow.created_at,
        func.greatest(DeviceRow.created_at, access.scalar_subquery(), refresh.scalar_subquery()),
        is_current,
    ).where(
        DeviceRow.account_id == account_id,
        DeviceRow.revoked_at.is_(None),
        exists().where(
            DeviceTokenRow.device_id == DeviceRow.id,
            DeviceTokenRow.used_at.is_(None),
            DeviceTokenRow.expires_at > now,
        ),
    )
