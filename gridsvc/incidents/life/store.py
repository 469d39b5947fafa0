"""Queries of steps and events, and the rows that a step changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from geodata.categories import class_of
from gridsvc.db import in_scope
from gridsvc.incidents.life.model import Event
from gridsvc.incidents.model import Incident
from gridsvc.incidents.store import select_incidents
from gridsvc.incidents.tables import HeatCellRow, IncidentEventRow, IncidentRow
from gridsvc.local_time import LOCAL_TIME


def hold(session: Session, incident_id: UUID) -> Incident | None:
    """Return one incident, which nobody else changes until the transaction ends."""
    statement = (
        select_incidents(session)
        .where(IncidentRow.id == incident_id)
        .order_by(IncidentRow.community_code)
        .limit(1)
        .with_for_update()
    )
    found = session.execute(statement).mappings().one_or_none()
    return Incident(**found) if found else None


def change(session: Session, incident: Incident, **values: Any) -> None:
    """Change columns of one incident."""
    row = IncidentRow
    session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == incident.community_code,
            row.id == incident.id,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def add_event(session: Session, event: Event) -> None:
    """Append an event; nothing is read back, which a reporter might not be allowed to."""
    row = IncidentEventRow
    session.execute(insert(row.__table__), [event.__dict__])  # type: ignore[arg-type]


def list_events(session: Session, incident: Incident) -> list[Event]:
    """Return the events of one incident that the caller may see, the first one first."""
    row = IncidentEventRow
    rows = session.scalars(
        select(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == incident.community_code,
            row.incident_id == incident.id,
        )
        .order_by(row.position)
    )
    return [_event(one) for one in rows]


def _event(row: IncidentEventRow) -> Event:
    return Event(**{name: getattr(row, name) for name in Event.__dataclass_fields__})


def find_hung_from(session: Session, incident: Incident) -> str | None:
    """Return what an incident was before it was hung the last time."""
    row = IncidentEventRow
    return session.scalar(
        select(row.status_before)
        .where(
            in_scope(session, row.community_code),
            row.community_code == incident.community_code,
            row.incident_id == incident.id,
            row.step == "hang",
        )
        .order_by(row.position.desc())
        .limit(1)
    )


def list_duplicates(session: Session, incident: Incident) -> list[UUID]:
    """Return the incidents that tell of the same, the oldest first."""
    row = IncidentRow
    return list(
        session.scalars(
            select(row.id)
            .where(
                in_scope(session, row.community_code),
                row.community_code == incident.community_code,
                row.duplicate_of == incident.id,
            )
            .order_by(row.reported_at, row.id)
        )
    )


def list_unfollowed(
    session: Session, *, original: Incident | None = None, limit: int = 1_000
) -> list[tuple[UUID, Event]]:
    """Return duplicates with what happened to their original and is not noted with them yet.

    Parameters
    ----------
    original
        Of this one only; default: of all in the caller's territory.
    """
    duplicate, event, noted = IncidentRow, IncidentEventRow, aliased(IncidentEventRow)
    marked = aliased(IncidentEventRow)
    since = (
        select(func.max(marked.at))
        .where(
            marked.community_code == duplicate.community_code,
            marked.incident_id == duplicate.id,
            marked.step == "mark_duplicate",
        )
        .scalar_subquery()
    )
    statement = (
        select(duplicate.id, event)
        .join(
            event,
            and_(
                event.community_code == duplicate.community_code,
                event.incident_id == duplicate.duplicate_of,
            ),
        )
        .where(
            in_scope(session, duplicate.community_code),
            duplicate.duplicate_of.is_not(None),
            event.is_public,
            event.at > since,
            ~select(noted.id)
            .where(
                noted.community_code == duplicate.community_code,
                noted.incident_id == duplicate.id,
                noted.step == "follow",
                noted.details["event"].as_string() == cast(event.id, Text),
            )
            .exists(),
        )
    )
    if original is not None:
        statement = statement.where(
            duplicate.community_code == original.community_code,
            duplicate.duplicate_of == original.id,
        )
    rows = session.execute(statement.order_by(event.at, event.position, duplicate.id).limit(limit))
    return [(duplicate_id, _event(one)) for duplicate_id, one in rows]


def list_ruled(session: Session, *, now: datetime, limit: int) -> Sequence[UUID]:
    """Return incidents for which a rule's time has come, the longest overdue first."""
    row = IncidentRow
    return session.scalars(
        select(row.id)
        .where(in_scope(session, row.community_code), row.rule_at <= now)
        .order_by(row.rule_at, row.id)
        .limit(limit)
    ).all()


def list_moving(session: Session, *, limit: int) -> Sequence[UUID]:
    """Return incidents that belong elsewhere and are not there yet."""
    row = IncidentRow
    return session.scalars(
        select(row.id)
        .where(
            in_scope(session, row.community_code),
            row.moved_to_code.is_not(None),
            row.moved_to.is_(None),
        )
        .order_by(row.id)
        .limit(limit)
    ).all()


def count_in_cell(session: Session, incident: Incident) -> None:
    """Count an incident in the heat cell where it lies."""
    row = HeatCellRow
    key = _cell_of(session, incident)
    statement = upsert(row).values(**key, incident_count=1)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={"incident_count": row.incident_count + 1}
        )
    )


def take_from_cell(session: Session, incident: Incident) -> None:
    """Take an incident out of its heat cell; where it was the last one, the cell goes."""
    row = HeatCellRow
    key = _cell_of(session, incident)
    own = and_(
        in_scope(session, row.community_code),
        *(getattr(row, name) == value for name, value in key.items()),
    )
    # Held first: whoever counts in the same cell meanwhile must not find it gone or changed.
    count = session.scalar(select(row.incident_count).where(own).with_for_update())
    if count is None:
        return
    changed = update(row).where(own).values(incident_count=row.incident_count - 1)
    session.execute(delete(row).where(own) if count == 1 else changed)


def _cell_of(session: Session, incident: Incident) -> dict[str, Any]:
    row = IncidentRow
    cell = session.execute(
        select(row.cell_x, row.cell_y).where(
            row.community_code == incident.community_code, row.id == incident.id
        )
    ).one()
    month = incident.reported_at.astimezone(LOCAL_TIME).date().replace(day=1)
    return {
        "community_code": incident.community_code,
        "cell_x": cell.cell_x,
        "cell_y": cell.cell_y,
        "month": month,
        "class_code": class_of(incident.category_code),
    }
