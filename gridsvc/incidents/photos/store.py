"""Queries of photos; bytes are read only where they are sent."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, insert, select
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.incidents.photos.model import Photo, Picture, Size, WaitingPhoto
from gridsvc.incidents.reporting.tables import PhotoRow, PublishedPhotoRow
from gridsvc.incidents.tables import IncidentRow


def _is_published() -> ColumnElement[bool]:
    return exists().where(
        PublishedPhotoRow.community_code == PhotoRow.community_code,
        PublishedPhotoRow.photo_id == PhotoRow.id,
    )


def _photos(*more: Any) -> Select[*tuple[Any, ...]]:
    row = PhotoRow
    return select(
        *(row.community_code, row.id, row.incident_id, row.position),
        *(row.width_px, row.height_px, row.created_at),
        _is_published().label("is_published"),
        *more,
    )


def list_of_incident(session: Session, community_code: int, incident_id: UUID) -> list[Photo]:
    """Return the photos of an incident, in their order."""
    row = PhotoRow
    rows = session.execute(
        _photos()
        .where(row.community_code == community_code, row.incident_id == incident_id)
        .order_by(row.position)
    )
    return [Photo(*found) for found in rows]


def find(session: Session, photo_id: UUID) -> Photo | None:
    """Return one photo of the caller's territory."""
    statement = _photos().where(in_scope(session, PhotoRow.community_code), PhotoRow.id == photo_id)
    row = session.execute(statement.order_by(PhotoRow.community_code).limit(1)).one_or_none()
    return Photo(*row) if row else None


def find_sent_before(
    session: Session, community_code: int, incident_id: UUID, source_hash: bytes
) -> Photo | None:
    """Return the photo of an incident that was made of the same bytes."""
    row = PhotoRow
    found = session.execute(
        _photos()
        .where(
            row.community_code == community_code,
            row.incident_id == incident_id,
            row.source_hash == source_hash,
        )
        .limit(1)
    ).one_or_none()
    return Photo(*found) if found else None


def add(
    session: Session,
    picture: Picture,
    *,
    community_code: int,
    incident_id: UUID,
    photo_id: UUID,
    position: int,
) -> None:
    """Keep a photo."""
    session.execute(
        insert(PhotoRow).values(
            community_code=community_code,
            incident_id=incident_id,
            id=photo_id,
            position=position,
            **vars(picture),
        )
    )


def read(session: Session, photo: Photo, size: Size) -> bytes:
    """Return the bytes of a photo as it was sent."""
    row = PhotoRow
    column = row.image if size == "full" else row.thumbnail
    return session.scalars(
        select(column).where(row.community_code == photo.community_code, row.id == photo.id)
    ).one()


def find_public(session: Session, community_code: int, photo_id: UUID, size: Size) -> bytes | None:
    """Return the bytes of a photo as everybody may see it, where it is published."""
    row = PublishedPhotoRow
    column = row.image if size == "full" else row.thumbnail
    return session.scalar(
        select(column).where(row.community_code == community_code, row.photo_id == photo_id)
    )


def remove(session: Session, photo: Photo) -> None:
    """Delete a photo, and what was published of it."""
    row = PhotoRow
    session.execute(
        delete(row).where(row.community_code == photo.community_code, row.id == photo.id)
    )


def publish(
    session: Session, photo: Photo, picture: Picture, *, blurred_count: int, published_by: UUID
) -> None:
    """Show a photo to everybody as a picture, in place of what was shown before."""
    withdraw(session, photo)
    session.execute(
        insert(PublishedPhotoRow).values(
            community_code=photo.community_code,
            photo_id=photo.id,
            incident_id=photo.incident_id,
            image=picture.image,
            thumbnail=picture.thumbnail,
            blurred_count=blurred_count,
            published_by=published_by,
        )
    )


def withdraw(session: Session, photo: Photo) -> None:
    """Show a photo to nobody any more."""
    row = PublishedPhotoRow
    session.execute(
        delete(row).where(row.community_code == photo.community_code, row.photo_id == photo.id)
    )


def list_waiting(session: Session, *, limit: int) -> list[WaitingPhoto]:
    """Return photos that could be published and are not, those of the newest reports first."""
    row, incident = PhotoRow, IncidentRow
    rows = session.execute(
        _photos(incident.category_code, incident.reported_at)
        .join(
            incident,
            (incident.community_code == row.community_code) & (incident.id == row.incident_id),
        )
        .where(
            in_scope(session, row.community_code),
            incident.is_public,
            ~_is_published(),
        )
        .order_by(incident.reported_at.desc(), row.incident_id, row.position)
        .limit(limit)
    )
    return [WaitingPhoto(Photo(*found[:-2]), found[-2], found[-1]) for found in rows]


def is_public_incident(session: Session, photo: Photo) -> bool:
    """Tell whether the incident of a photo is for everybody."""
    row = IncidentRow
    statement = select(row.is_public).where(
        row.community_code == photo.community_code, row.id == photo.incident_id
    )
    return bool(session.scalar(statement))
