"""Queries by member over all tables of contacts and plans."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Table, and_, delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from gridsvc.contacts import tables
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import in_scope

_MEMBER = "gridsvc.member"


def _columns_of_members() -> list[tuple[Table, str]]:
    """Return every column of the feature that names a member."""
    rows = [one for one in vars(tables).values() if hasattr(one, "__table__")]
    return [
        (row.__table__, key.column_keys[-1])
        for row in rows
        if row.__module__ == tables.__name__
        for key in sorted(row.__table__.foreign_key_constraints, key=_name)
        if key.referred_table.fullname == _MEMBER
    ]


def _name(key: ForeignKeyConstraint) -> str:
    return "-".join(key.column_keys)


def list_duties(
    session: Session, *, community_code: int, member_id: UUID, on: date
) -> list[tuple[str, str]]:
    """Return stairwell and kind of the contacts of a member in force on a day, by code."""
    contact = ContactRow
    rows = session.execute(
        select(contact.stairwell_code, contact.kind)
        .where(
            in_scope(session, contact.community_code),
            contact.community_code == community_code,
            contact.member_id == member_id,
            contact.valid.contains(on),
        )
        .order_by(contact.stairwell_code, contact.kind)
    )
    return [(code, kind) for code, kind in rows]


def drop_doubles(session: Session, *, community_code: int, kept_id: UUID, gone_id: UUID) -> int:
    """Delete supporting contacts of either where the other looks after the stairwell as well."""
    one, other = ContactRow, aliased(ContactRow)
    both = (kept_id, gone_id)
    is_double = exists().where(
        other.community_code == one.community_code,
        other.stairwell_code == one.stairwell_code,
        other.member_id.in_(both),
        other.member_id != one.member_id,
        other.valid.overlaps(one.valid),
        # Of two supporting contacts, the kept one's stays.
        (other.kind == "lead") | (one.member_id == gone_id),
    )
    gone = session.execute(
        delete(one)
        .where(
            in_scope(session, one.community_code),
            one.community_code == community_code,
            one.member_id.in_(both),
            one.kind == "supporting",
            is_double,
        )
        .returning(one.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)


def repoint(
    session: Session, *, community_code: int, kept_id: UUID, gone_id: UUID
) -> dict[str, int]:
    """Let every row that names one member name another; return how many of each table."""
    counts: dict[str, int] = {}
    for table, column in _columns_of_members():
        mine = and_(
            in_scope(session, table.c.community_code),
            table.c.community_code == community_code,
            table.c[column] == gone_id,
        )
        if table.c[column].primary_key:
            _drop_taken(session, table, column, mine, kept_id)
        moved = session.execute(
            update(table).where(mine).values({column: kept_id}).returning(table.c.community_code)
        ).all()
        counts[table.name] = counts.get(table.name, 0) + len(moved)
    return {name: count for name, count in counts.items() if count}


def _drop_taken(session: Session, table: Table, column: str, mine: Any, kept_id: UUID) -> None:
    """Delete rows whose key the kept member has already."""
    kept = table.alias()
    same = [
        kept.c[key.name] == (kept_id if key.name == column else table.c[key.name])
        for key in table.primary_key.columns
    ]
    session.execute(delete(table).where(mine, exists().where(*same)))
