"""Queries of attempts and identities of single sign-on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.sso.model import Attempt, Identity
from gridsvc.access.tables import SignInRow, SsoAttemptRow, SsoIdentityRow


def add_attempt(session: Session, **values: object) -> None:
    """Remember a browser that leaves for the provider."""
    session.execute(insert(SsoAttemptRow).values(**values))


def take_attempt(session: Session, state_hash: bytes, now: datetime) -> Attempt | None:
    """Return an attempt and forget it: whoever comes second finds nothing."""
    row = session.execute(
        delete(SsoAttemptRow)
        .where(SsoAttemptRow.state_hash == state_hash)
        .returning(
            SsoAttemptRow.browser_hash,
            SsoAttemptRow.nonce,
            SsoAttemptRow.code_verifier,
            SsoAttemptRow.goal,
            SsoAttemptRow.invitation_hash,
            SsoAttemptRow.expires_at <= now,
        )
    ).one_or_none()
    return Attempt(*row) if row else None


def forget_attempts(session: Session, before: datetime) -> None:
    """Forget attempts that expired."""
    session.execute(delete(SsoAttemptRow).where(SsoAttemptRow.expires_at < before))


def find_account_id(session: Session, issuer: str, subject: str) -> UUID | None:
    """Return the account that an identity is linked to."""
    return session.scalar(
        select(SsoIdentityRow.account_id).where(
            SsoIdentityRow.issuer == issuer, SsoIdentityRow.subject == subject
        )
    )


def put_identity(session: Session, identity: Identity) -> bool:
    """Link an identity instead of the account's earlier one; false where it is another's."""
    session.execute(
        delete(SsoIdentityRow).where(
            SsoIdentityRow.issuer == identity.issuer,
            SsoIdentityRow.account_id == identity.account_id,
            SsoIdentityRow.subject != identity.subject,
        )
    )
    session.execute(
        insert(SsoIdentityRow)
        .values(issuer=identity.issuer, subject=identity.subject, account_id=identity.account_id)
        .on_conflict_do_nothing()
    )
    owner = find_account_id(session, identity.issuer, identity.subject)
    return owner == identity.account_id


def find_sign_in_time(session: Session, sign_in_id: UUID) -> datetime | None:
    """Return when a sign-in began."""
    return session.scalar(select(SignInRow.created_at).where(SignInRow.id == sign_in_id))
