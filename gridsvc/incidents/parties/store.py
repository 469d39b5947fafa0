"""Queries of parties and links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.incidents.parties.model import Party
from gridsvc.incidents.tables import PartyLinkRow, PartyRow


def _parties(session: Session) -> Select[*tuple[Any, ...]]:
    row = PartyRow
    return select(
        *(row.community_code, row.id, row.name, row.kind, row.is_retired),
        row.email_cipher.is_not(None).label("has_email"),
    ).where(in_scope(session, row.community_code))


def list_parties(session: Session, *, community_code: int | None, has_retired: bool) -> list[Party]:
    """Return the parties of the caller's territory, by name."""
    statement = _parties(session)
    if community_code is not None:
        statement = statement.where(PartyRow.community_code == community_code)
    if not has_retired:
        statement = statement.where(PartyRow.is_retired.is_(False))
    ordered = statement.order_by(PartyRow.name, PartyRow.community_code, PartyRow.id)
    return [Party(**row) for row in session.execute(ordered).mappings()]


def find(session: Session, community_code: int, party_id: UUID) -> Party | None:
    """Return one party of a community."""
    row = PartyRow
    statement = _parties(session).where(row.community_code == community_code, row.id == party_id)
    found = session.execute(statement).mappings().one_or_none()
    return Party(**found) if found else None


def find_anywhere(session: Session, party_id: UUID) -> Party | None:
    """Return one party of the caller's territory."""
    statement = _parties(session).where(PartyRow.id == party_id).limit(1)
    found = session.execute(statement).mappings().one_or_none()
    return Party(**found) if found else None


def find_cipher(session: Session, community_code: int, party_id: UUID) -> bytes | None:
    """Return the encrypted address of a party."""
    row = PartyRow
    return session.scalar(
        select(row.email_cipher).where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.id == party_id,
        )
    )


def add(session: Session, **values: object) -> None:
    """Add a party."""
    session.execute(insert(PartyRow).values(**values))


def change(session: Session, party: Party, **values: Any) -> None:
    """Change columns of a party."""
    row = PartyRow
    session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == party.community_code,
            row.id == party.id,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def add_link(session: Session, **values: object) -> None:
    """Add a link."""
    session.execute(insert(PartyLinkRow).values(**values))


def revoke_links(session: Session, *, community_code: int, incident_id: UUID, at: datetime) -> None:
    """Take back the links of an incident that are still open."""
    row = PartyLinkRow
    session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.incident_id == incident_id,
            row.revoked_at.is_(None),
        )
        .values(revoked_at=at)
        .execution_options(synchronize_session=False)
    )


def find_link(
    session: Session, *, community_code: int, token_hash: bytes, now: datetime
) -> Sequence[Any] | None:
    """Return incident and party of a link that still holds."""
    row = PartyLinkRow
    return session.execute(
        select(row.incident_id, row.party_id).where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.token_hash == token_hash,
            row.expires_at > now,
            row.revoked_at.is_(None),
        )
    ).one_or_none()


def note_use(session: Session, *, community_code: int, token_hash: bytes, at: datetime) -> None:
    """Note when a link was last used."""
    row = PartyLinkRow
    session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.token_hash == token_hash,
        )
        .values(used_at=at)
        .execution_options(synchronize_session=False)
    )
