"""Queries of notices, deliveries, channels and inboxes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    delete,
    false,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridsvc.access.tables import AccountRow, AccountScopeRow
from gridsvc.db import in_scope, same_thing, scope_of
from gridsvc.notices.model import (
    WAITING,
    Attempt,
    Channel,
    Delivery,
    InboxEntry,
    Notice,
    Target,
)
from gridsvc.notices.tables import AttemptRow, ChannelRow, DeliveryRow, InboxRow, NoticeRow

Before = tuple[datetime, UUID] | None


# ---- the outbox


def add_notice(session: Session, **values: object) -> None:
    """Write into the outbox."""
    session.execute(insert(NoticeRow).values(**values))


def add_inbox_entries(session: Session, entries: Sequence[dict[str, object]]) -> None:
    """Write into inboxes."""
    if entries:
        session.execute(insert(InboxRow), list(entries))


def add_delivery(session: Session, **values: object) -> None:
    """Write a delivery to a single address."""
    session.execute(insert(DeliveryRow).values(**values))


def add_deliveries(session: Session, deliveries: Sequence[dict[str, object]]) -> set[UUID]:
    """Write deliveries as the job; return the ids of those that were not there yet."""
    if not deliveries:
        return set()
    statement = insert(DeliveryRow).values(list(deliveries)).on_conflict_do_nothing()
    return set(session.scalars(statement.returning(DeliveryRow.id)))


def list_accounts(session: Session, community_code: int, roles: Iterable[str]) -> list[UUID]:
    """Return the accounts of some roles that look after a community, and after the least beside it.

    Where it has people of its own, those of the whole sub-district are not told of each matter.
    """
    account, own = AccountRow, AccountScopeRow
    width = func.min(own.hi - own.lo).label("width")
    found = session.execute(
        select(account.id, account.role, width)
        .join(own, own.account_id == account.id)
        .where(
            account.role.in_(list(roles)),
            ~account.is_disabled,
            own.lo <= community_code,
            own.hi >= community_code,
        )
        .group_by(account.id, account.role)
    ).all()
    least: dict[str, int] = {}
    for row in found:
        least[row.role] = min(row.width, least.get(row.role, row.width))
    return [row.id for row in found if row.width == least[row.role]]


def find_notice(session: Session, community_code: int, notice_id: UUID) -> Notice | None:
    """Return a notice of the caller's territory."""
    row = session.scalar(
        select(NoticeRow).where(
            in_scope(session, NoticeRow.community_code),
            NoticeRow.community_code == community_code,
            NoticeRow.id == notice_id,
        )
    )
    return None if row is None else _notice(row)


# ---- deliveries


def _letters(session: Session) -> Select[*tuple[Any, ...]]:
    row = DeliveryRow
    return (
        select(row, NoticeRow)
        .join(NoticeRow, same_thing(NoticeRow.id, row.notice_id))
        .where(in_scope(session, row.community_code))
        .execution_options(populate_existing=True)
    )


def list_deliveries(
    session: Session, *, status: str, before: Before, limit: int
) -> list[tuple[Delivery, Notice]]:
    """Return at most ``limit`` deliveries of a status, the newest first."""
    row = DeliveryRow
    statement = _letters(session).where(row.status == status)
    if before is not None:
        statement = statement.where(tuple_(row.created_at, row.id) < before)
    ordered = statement.order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    return [(_delivery(one), _notice(other)) for one, other in session.execute(ordered)]


def count_deliveries(session: Session, *, status: str) -> int:
    """Count the deliveries of a status."""
    row = DeliveryRow
    found = select(func.count()).where(in_scope(session, row.community_code), row.status == status)
    return session.scalar(found) or 0


def find_delivery(session: Session, delivery_id: UUID) -> tuple[Delivery, Notice] | None:
    """Return a delivery of the caller's territory, and what it brings."""
    found = session.execute(_letters(session).where(DeliveryRow.id == delivery_id)).first()
    return None if found is None else (_delivery(found[0]), _notice(found[1]))


def list_attempts(session: Session, delivery_id: UUID) -> list[Attempt]:
    """Return how often a delivery was tried, the last one first."""
    row = AttemptRow
    rows = session.scalars(
        select(row)
        .where(in_scope(session, row.community_code), row.delivery_id == delivery_id)
        .order_by(row.at.desc(), row.number.desc())
    )
    return [Attempt(one.number, one.at, one.outcome, one.status, one.took_ms) for one in rows]


def move(session: Session, delivery_id: UUID, *, from_status: str, **values: object) -> bool:
    """Change a delivery that has a status; say whether it had."""
    row = DeliveryRow
    changed = session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.id == delivery_id,
            row.status == from_status,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", changed).rowcount == 1


def begin(session: Session, community_code: int, delivery_id: UUID) -> Delivery | None:
    """Begin a try of a delivery that waits; nothing where there is nothing left to do."""
    row = session.scalar(
        update(DeliveryRow)
        .where(
            DeliveryRow.community_code == community_code,
            DeliveryRow.id == delivery_id,
            DeliveryRow.status == WAITING,
        )
        .values(attempt_count=DeliveryRow.attempt_count + 1, next_at=None)
        .returning(DeliveryRow)
    )
    return None if row is None else _delivery(row)


def finish(session: Session, tried: Delivery, **values: object) -> None:
    """Write what became of a try, unless a later one has begun."""
    row = DeliveryRow
    session.execute(
        update(row)
        .where(
            row.community_code == tried.community_code,
            row.id == tried.id,
            row.status == WAITING,
            row.attempt_count == tried.attempt_count,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def add_attempt(session: Session, **values: object) -> None:
    """Write a try, as the job."""
    session.execute(insert(AttemptRow).values(**values))


def find_target(session: Session, delivery: Delivery) -> Target | None:
    """Return what it takes to reach where a delivery goes; nothing where its channel is gone."""
    own, channel = DeliveryRow, ChannelRow
    if delivery.channel_id is None:
        cipher = session.scalar(
            select(own.address_cipher).where(
                own.community_code == delivery.community_code, own.id == delivery.id
            )
        )
        return Target(delivery.kind, cipher, None, delivery.language)
    street_code = delivery.community_code // 1000 * 1000
    row = session.scalar(
        select(channel).where(
            channel.community_code.in_({delivery.community_code, street_code}),
            channel.id == delivery.channel_id,
            channel.is_on,
        )
    )
    if row is None:
        return None
    return Target(row.kind, row.address_cipher, row.secret_cipher, cast(Any, row.language))


# ---- channels


def list_channels(session: Session) -> list[Channel]:
    """Return the channels of the caller's territory, by place, name and id."""
    row = ChannelRow
    rows = session.scalars(
        select(row)
        .where(in_scope(session, row.community_code))
        .order_by(row.place_code, row.name, row.id)
        .execution_options(populate_existing=True)
    )
    return [_channel(one) for one in rows]


def channels_of(session: Session, place_codes: Sequence[str]) -> list[Channel]:
    """Return the channels of these very places that are on, as the job."""
    row = ChannelRow
    communities = {int(code[:12]) for code in place_codes}
    rows = session.scalars(
        select(row)
        .where(row.community_code.in_(communities), row.place_code.in_(place_codes), row.is_on)
        .order_by(row.id)
    )
    return [_channel(one) for one in rows]


def find_channel(session: Session, channel_id: UUID) -> Channel | None:
    """Return a channel of the caller's territory."""
    row = session.scalar(
        select(ChannelRow)
        .where(in_scope(session, ChannelRow.community_code), ChannelRow.id == channel_id)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _channel(row)


def add_channel(session: Session, **values: object) -> None:
    """Write a channel."""
    session.execute(insert(ChannelRow).values(**values))


def change_channel(session: Session, channel_id: UUID, **values: object) -> None:
    """Change a channel of the caller's territory."""
    row = ChannelRow
    session.execute(
        update(row)
        .where(in_scope(session, row.community_code), row.id == channel_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def delete_channel(session: Session, channel_id: UUID) -> None:
    """Delete a channel of the caller's territory."""
    row = ChannelRow
    session.execute(
        delete(row)
        .where(in_scope(session, row.community_code), row.id == channel_id)
        .execution_options(synchronize_session=False)
    )


# ---- inboxes


def _own(session: Session) -> ColumnElement[bool]:
    """Return the condition that an entry is the caller's; of nobody in particular: none."""
    account_id = scope_of(session).account
    if account_id is None:
        return false()
    return in_scope(session, InboxRow.community_code) & (InboxRow.account_id == account_id)


def list_entries(
    session: Session, *, is_unread: bool, before: Before, limit: int
) -> list[InboxEntry]:
    """Return at most ``limit`` entries of the caller's inbox, the newest first."""
    row = InboxRow
    statement = select(row).where(_own(session)).execution_options(populate_existing=True)
    if is_unread:
        statement = statement.where(row.read_at.is_(None))
    if before is not None:
        statement = statement.where(tuple_(row.created_at, row.id) < before)
    ordered = statement.order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    return [_entry(one) for one in session.scalars(ordered)]


def find_entry(session: Session, entry_id: UUID) -> InboxEntry | None:
    """Return an entry of the caller's inbox."""
    row = session.scalar(
        select(InboxRow)
        .where(_own(session), InboxRow.id == entry_id)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _entry(row)


def count_unread(session: Session) -> int:
    """Count what the caller has not read."""
    found = select(func.count()).where(_own(session), InboxRow.read_at.is_(None))
    return session.scalar(found) or 0


def mark_read(session: Session, entry_id: UUID | None) -> int:
    """Note that an entry, or every one, was read; return how many had not been."""
    row = InboxRow
    statement = update(row).where(_own(session), row.read_at.is_(None))
    if entry_id is not None:
        statement = statement.where(row.id == entry_id)
    changed = session.execute(
        statement.values(read_at=func.now()).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", changed).rowcount


# ---- live updates


def notify(session: Session, channel: str, payload: str) -> None:
    """Tell whoever listens, once the transaction is committed, and only then."""
    session.execute(select(func.pg_notify(channel, payload)))


# ---- rows


def _notice(row: NoticeRow) -> Notice:
    return Notice(**{name: getattr(row, name) for name in Notice.__dataclass_fields__})


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__dataclass_fields__})


def _channel(row: ChannelRow) -> Channel:
    told = {
        name: getattr(row, name) for name in Channel.__dataclass_fields__ if name != "has_secret"
    }
    return Channel(**told, has_secret=row.secret_cipher is not None)


def _entry(row: InboxRow) -> InboxEntry:
    return InboxEntry(**{name: getattr(row, name) for name in InboxEntry.__dataclass_fields__})
