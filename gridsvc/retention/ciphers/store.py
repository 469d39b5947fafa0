"""The encrypted columns, read and written in the order of their keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Table, and_, bindparam, select, text, tuple_, update
from sqlalchemy.orm import Session

from gridsvc.access.tables import AccountRow
from gridsvc.db import Base, in_scope
from gridsvc.incidents.reporting.tables import ReportRow
from gridsvc.incidents.tables import PartyRow
from gridsvc.notices.tables import ChannelRow, DeliveryRow
from gridsvc.people.tables import MemberIdentityRow
from gridsvc.territory.tables import StreetRow

COLUMNS: tuple[tuple[type[Base], str], ...] = (
    (MemberIdentityRow, "phone_cipher"),
    (AccountRow, "totp_cipher"),
    (ReportRow, "token_cipher"),
    (ReportRow, "email_cipher"),
    (ChannelRow, "address_cipher"),
    (ChannelRow, "secret_cipher"),
    (DeliveryRow, "address_cipher"),
    (PartyRow, "email_cipher"),
)
"""Whatever a vault encrypted; a test finds columns that are missing here."""

Key = tuple[Any, ...]
Cipher = tuple[Key, bytes]


def name_of(place: tuple[type[Base], str]) -> str:
    """Return ``table.column``."""
    row, column = place
    return f"{row.__tablename__}.{column}"


def _parts(place: tuple[type[Base], str]) -> tuple[Table, list[Column[Any]], Column[Any]]:
    row, column = place
    table = Base.metadata.tables[f"{Base.metadata.schema}.{row.__tablename__}"]
    return table, list(table.primary_key.columns), table.c[column]


def read(
    session: Session,
    place: tuple[type[Base], str],
    *,
    after: Key | None,
    limit: int,
    is_for_update: bool = False,
) -> list[Cipher]:
    """Return keys and ciphers of a column after a key, by key; absent ciphers are left out."""
    table, key, column = _parts(place)
    statement = select(*key, column).where(column.is_not(None)).order_by(*key).limit(limit)
    if "community_code" in table.c:
        statement = statement.where(in_scope(session, table.c.community_code))
    if after is not None:
        statement = statement.where(tuple_(*key) > after)
    if is_for_update:
        statement = statement.with_for_update()
    return [(tuple(row[:-1]), row[-1]) for row in session.execute(statement)]


def write(session: Session, place: tuple[type[Base], str], ciphers: Sequence[Cipher]) -> None:
    """Put ciphers in the place of those under their keys."""
    table, key, column = _parts(place)
    names = [f"key_{number}" for number in range(len(key))]
    same = [part == bindparam(name) for part, name in zip(key, names, strict=True)]
    statement = update(table).where(and_(*same)).values({column: bindparam("cipher")})
    session.connection().execute(
        statement,
        [dict(zip(names, row, strict=True)) | {"cipher": cipher} for row, cipher in ciphers],
    )


def wait_for_writers(session: Session) -> None:
    """Wait for transactions that encrypt, and let new ones wait until this one ends."""
    tables = ", ".join(str(_parts(place)[0]) for place in COLUMNS)
    session.execute(text(f"LOCK TABLE {tables} IN SHARE MODE"))


def list_streets(session: Session) -> list[int]:
    """Return the codes of the sub-districts of the caller's territory."""
    statement = select(StreetRow.code).where(in_scope(session, StreetRow.code))
    return list(session.scalars(statement.order_by(StreetRow.code)))
