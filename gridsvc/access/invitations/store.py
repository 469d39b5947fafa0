"""Queries of invitations and passwords, on the side of whoever was invited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from gridsvc.access.store import IS_ENABLED
from gridsvc.access.tables import AccountRow, InvitationRow


def find_account_id(session: Session, code_hash: bytes, now: datetime) -> UUID | None:
    """Return whose open invitation has this code, unless the account is disabled."""
    return session.scalar(
        select(InvitationRow.account_id)
        .join(AccountRow, AccountRow.id == InvitationRow.account_id)
        .where(_is_open(code_hash, now), IS_ENABLED)
    )


def use(session: Session, code_hash: bytes, now: datetime) -> UUID | None:
    """Use up an open invitation and return whose it was; of two at once, one gets it."""
    return session.scalar(
        update(InvitationRow)
        .where(AccountRow.id == InvitationRow.account_id, _is_open(code_hash, now), IS_ENABLED)
        .values(used_at=now)
        .returning(InvitationRow.account_id)
    )


def _is_open(code_hash: bytes, now: datetime) -> ColumnElement[bool]:
    return and_(
        InvitationRow.code_hash == code_hash,
        InvitationRow.used_at.is_(None),
        InvitationRow.expires_at > now,
    )


def replace_password(session: Session, account_id: UUID, *, old_hash: str, new_hash: str) -> bool:
    """Write a password over the one that was checked; false where that is gone."""
    statement = (
        update(AccountRow)
        .where(AccountRow.id == account_id, AccountRow.password_hash == old_hash)
        .values(password_hash=new_hash)
        .returning(AccountRow.id)
    )
    return session.scalar(statement) is not None
