"""What can be done with photos: send, see and delete the own; blur, publish and withdraw."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.signing_in import Caller
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Database, Interval, Scope, new_id, scope_of
from gridsvc.errors import NotFoundError, NotPublicError, TooManyPhotosError
from gridsvc.incidents.model import Incident
from gridsvc.incidents.photos import pictures, store
from gridsvc.incidents.photos.model import AT_MOST, Photo, Rectangle, Size, WaitingPhoto
from gridsvc.incidents.reporting import service as reporting
from gridsvc.incidents.reporting.model import FollowToken
from gridsvc.incidents.reporting.service import resident_scope
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate, subnet_of

# Five of each report that one subnet may send in an hour.
_BY_SUBNET = Rate(count=600, per_s=3600)

# ---- the reporter's


def add(
    database: Database, token: FollowToken, source: bytes, *, caller: Caller | None = None
) -> tuple[Photo, bool]:
    """Keep a photo of an own report; the same one again is not kept twice.

    Parameters
    ----------
    caller
        Where it comes from, to be counted.

    Returns
    -------
    tuple
        The photo, and whether it is new.

    Raises
    ------
    NotFoundError
        The link opens no report.
    PhotoRefusedError
        It is none that can be kept.
    TooManyPhotosError
        The report has as many as it may.
    TooManyTriesError
        From this subnet there were too many of late.
    """
    list_own(database, token)  # before anything is read that a stranger sent
    if caller is not None:
        limits = {Key("photo from", subnet_of(caller.address)): _BY_SUBNET}
        with database.session(NOBODY) as session, session.begin():
            throttle.take(session, limits)
    picture = pictures.prepare(source)
    with database.session(resident_scope(token)) as session, session.begin():
        reporting.lock(session, token)
        code, incident_id = token.community_code, token.incident_id
        before = store.find_sent_before(session, code, incident_id, picture.source_hash)
        if before:
            return before, False
        taken = {one.position for one in store.list_of_incident(session, code, incident_id)}
        if len(taken) >= AT_MOST:
            raise TooManyPhotosError(AT_MOST)
        photo_id = new_id()
        store.add(
            session,
            picture,
            community_code=code,
            incident_id=incident_id,
            photo_id=photo_id,
            position=min(set(range(1, AT_MOST + 1)) - taken),
        )
        _note(session, code, "photo.add", photo_id)
        return get(session, photo_id), True


def list_own(database: Database, token: FollowToken) -> list[Photo]:
    """Return the photos of an own report.

    Raises
    ------
    NotFoundError
        The link opens no report.
    """
    with database.session(resident_scope(token), read_only=True) as session, session.begin():
        reporting.open_report(session, token)
        return store.list_of_incident(session, token.community_code, token.incident_id)


def read_own(database: Database, token: FollowToken, photo_id: UUID, size: Size) -> bytes:
    """Return the bytes of a photo of an own report.

    Raises
    ------
    NotFoundError
        The link opens no report, or that has no such photo.
    """
    with database.session(resident_scope(token), read_only=True) as session, session.begin():
        return store.read(session, _own(session, token, photo_id), size)


def remove_own(database: Database, token: FollowToken, photo_id: UUID) -> None:
    """Delete a photo of an own report, published or not.

    Raises
    ------
    NotFoundError
        As `read_own`.
    """
    with database.session(resident_scope(token)) as session, session.begin():
        store.remove(session, _own(session, token, photo_id))
        _note(session, token.community_code, "photo.delete", photo_id)


def _own(session: Session, token: FollowToken, photo_id: UUID) -> Photo:
    reporting.open_report(session, token)
    photo = store.find(session, photo_id)
    if photo is None or photo.incident_id != token.incident_id:
        raise NotFoundError("photo", photo_id)
    return photo


# ---- everybody's


def read_public(database: Database, community_code: int, photo_id: UUID, size: Size) -> bytes:
    """Return the bytes of a published photo, as it was published.

    Raises
    ------
    NotFoundError
        There is none, or it is not published.
    """
    scope = Scope("resident", (Interval(community_code, community_code),))
    with database.session(scope, read_only=True) as session, session.begin():
        found = store.find_public(session, community_code, photo_id, size)
    if found is None:
        raise NotFoundError("photo", photo_id)
    return found


# ---- the coordinator's


def get(session: Session, photo_id: UUID) -> Photo:
    """Return one photo.

    Raises
    ------
    NotFoundError
        The caller's territory has no such photo.
    """
    photo = store.find(session, photo_id)
    if photo is None:
        raise NotFoundError("photo", photo_id)
    return photo


def list_of_incident(session: Session, incident: Incident) -> list[Photo]:
    """Return the photos of an incident, in their order, to field roles."""
    return store.list_of_incident(session, incident.community_code, incident.id)


def list_waiting(session: Session, *, limit: int = 100) -> list[WaitingPhoto]:
    """Return photos of public incidents that nobody has published, the newest reports first."""
    return store.list_waiting(session, limit=limit)


def read(session: Session, photo_id: UUID, size: Size) -> bytes:
    """Return the bytes of a photo as it was sent, to whoever works in the territory.

    Raises
    ------
    NotFoundError
        As `get`.
    """
    return store.read(session, get(session, photo_id), size)


def publish(session: Session, photo_id: UUID, rectangles: Sequence[Rectangle]) -> Photo:
    """Blur parts of a photo, and show it to everybody.

    Raises
    ------
    NotFoundError
        As `get`.
    NotPublicError
        Its incident is of a kind that is not shown.
    """
    access.require_role(session, "coordinator", "administrator")
    photo = get(session, photo_id)
    if not store.is_public_incident(session, photo):
        raise NotPublicError
    picture = pictures.blur(store.read(session, photo, "full"), rectangles)
    account = scope_of(session).account
    if account is None:
        raise ValueError("somebody publishes a photo")
    store.publish(session, photo, picture, blurred_count=len(rectangles), published_by=account)
    _note(session, photo.community_code, "photo.publish", photo_id, blurred=len(rectangles))
    return get(session, photo_id)


def withdraw(session: Session, photo_id: UUID) -> None:
    """Show a photo to nobody any more but those who work on it.

    Raises
    ------
    NotFoundError
        As `get`.
    """
    access.require_role(session, "coordinator", "administrator")
    photo = get(session, photo_id)
    store.withdraw(session, photo)
    _note(session, photo.community_code, "photo.withdraw", photo_id)


def _note(
    session: Session, community_code: int, action: str, photo_id: UUID, **detail: object
) -> None:
    audit.record(
        session, community_code=community_code, action=action, subject=str(photo_id), **detail
    )
