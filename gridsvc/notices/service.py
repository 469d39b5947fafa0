"""What callers can do with notices: say something, read what was said, look after what failed."""

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import new_id
from gridsvc.errors import DeliveryStateError, InvalidNoticeError, NotFoundError
from gridsvc.jobs import errands
from gridsvc.notices import live, store
from gridsvc.notices.model import (
    COPIED,
    DEAD,
    DELIVER,
    EMAIL,
    SPREAD,
    TO_COPY,
    WAITING,
    Attempt,
    Delivery,
    InboxEntry,
    Language,
    Letter,
    Message,
    Notice,
    Rendered,
)
from gridsvc.notices.templates import fit, get_template

_PLACE = re.compile(r"[0-9]{12}|[0-9]{15}|[0-9]{20}")


def enqueue(session: Session, message: Message) -> UUID:
    """Say something, in the caller's transaction: rolled back, nobody hears of it.

    Inboxes have it with the commit; channels and addresses get it from a worker soon after. Any
    role may, also one that reads no notices.

    Returns
    -------
    UUID
        Of the notice.

    Raises
    ------
    InvalidNoticeError
        The message does not fit its template, or its place is none of its community.
    """
    values = fit(get_template(message.template), message.values)
    audience = message.audience
    if audience.place_code is not None and not _is_place(audience.place_code, message):
        raise InvalidNoticeError(message.template, "the place is none of the community's")
    notice_id = new_id()
    told: dict[str, object] = {
        "community_code": message.community_code,
        "template": message.template,
        "category": message.category,
        "values": values,
        "subject": message.subject,
    }
    store.add_notice(session, **told, id=notice_id, place_code=audience.place_code)
    store.add_inbox_entries(
        session,
        [{**told, "id": new_id(), "account_id": one} for one in _accounts(session, message)],
    )
    if audience.email_cipher is not None:
        _add_email(session, message, notice_id)
    if audience.place_code is not None:
        errands.put(session, SPREAD, community_code=message.community_code, row_id=notice_id)
    live.tell(
        session,
        community_code=message.community_code,
        kind=message.template,
        subject=message.subject,
    )
    return notice_id


def _is_place(place_code: str, message: Message) -> bool:
    return bool(_PLACE.fullmatch(place_code)) and place_code[:12] == str(message.community_code)


def _accounts(session: Session, message: Message) -> set[UUID]:
    audience = message.audience
    found = set(audience.account_ids)
    if audience.roles:
        found |= set(store.list_accounts(session, message.community_code, audience.roles))
    return found


def _add_email(session: Session, message: Message, notice_id: UUID) -> None:
    delivery_id = new_id()
    store.add_delivery(
        session,
        community_code=message.community_code,
        id=delivery_id,
        notice_id=notice_id,
        kind=EMAIL,
        language=message.audience.language,
        address_cipher=message.audience.email_cipher,
    )
    errands.put(session, DELIVER, community_code=message.community_code, row_id=delivery_id)


def render(told: Notice | InboxEntry, language: Language) -> Rendered:
    """Return what was said, in a language; of a template that is gone, its name."""
    try:
        template = get_template(told.template)
        return template.render(told.values, language, told.category)
    except (InvalidNoticeError, KeyError):  # a template of before, with other placeholders
        return Rendered(told.template, "")


# ---- the caller's inbox


def list_entries(
    session: Session,
    *,
    is_unread: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[InboxEntry]:
    """Return at most ``limit`` entries of the caller's own inbox, the newest first."""
    return store.list_entries(session, is_unread=is_unread, before=before, limit=limit)


def count_unread(session: Session) -> int:
    """Count what the caller has not read yet."""
    return store.count_unread(session)


def mark_read(session: Session, entry_id: UUID) -> InboxEntry:
    """Note that the caller has read an entry. Twice is once.

    Raises
    ------
    NotFoundError
        There is none, or it is somebody else's.
    """
    store.mark_read(session, entry_id)
    entry = store.find_entry(session, entry_id)
    if entry is None:
        raise NotFoundError("inbox entry", entry_id)
    return entry


def mark_all_read(session: Session) -> int:
    """Note that the caller has read everything; return how much was new."""
    return store.mark_read(session, None)


# ---- deliveries


def list_letters(
    session: Session,
    *,
    status: str = DEAD,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Letter]:
    """Return at most ``limit`` deliveries of a status in the caller's territory, newest first.

    Parameters
    ----------
    status
        ``dead`` for what could not be delivered, ``to_copy`` for texts ready to be copied.
    """
    access.require_role(session, *STAFF_ROLES)
    found = store.list_deliveries(session, status=status, before=before, limit=limit)
    return [letter_of(delivery, notice) for delivery, notice in found]


def count_letters(session: Session, *, status: str = DEAD) -> int:
    """Count the deliveries of a status in the caller's territory."""
    access.require_role(session, *STAFF_ROLES)
    return store.count_deliveries(session, status=status)


def get_letter(session: Session, delivery_id: UUID) -> Letter:
    """Return a delivery of the caller's territory.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    """
    access.require_role(session, *STAFF_ROLES)
    found = store.find_delivery(session, delivery_id)
    if found is None:
        raise NotFoundError("delivery", delivery_id)
    return letter_of(*found)


def list_attempts(session: Session, delivery_id: UUID) -> list[Attempt]:
    """Return how a delivery was tried, the last try first."""
    access.require_role(session, "administrator")
    return store.list_attempts(session, delivery_id)


def letter_of(delivery: Delivery, notice: Notice) -> Letter:
    """Return a delivery with the words that are sent."""
    return Letter(delivery, notice, render(notice, delivery.language))


def resend(session: Session, delivery_id: UUID) -> Letter:
    """Try a dead letter again, from the beginning.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    DeliveryStateError
        It is not dead.
    """
    access.require_role(session, "administrator")
    letter = get_letter(session, delivery_id)
    values = {"status": WAITING, "attempt_count": 0, "next_at": None, "ended_at": None}
    if not store.move(session, delivery_id, from_status=DEAD, **values):
        raise DeliveryStateError(delivery_id, letter.delivery.status)
    code = letter.delivery.community_code
    errands.put(session, DELIVER, community_code=code, row_id=delivery_id)
    audit.record(session, community_code=code, action="notice.resend", subject=str(delivery_id))
    return get_letter(session, delivery_id)


def mark_copied(session: Session, delivery_id: UUID, *, now: datetime) -> Letter:
    """Note that somebody has put a ready text into its group.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    DeliveryStateError
        It is not a text to copy, or was copied already.
    """
    letter = get_letter(session, delivery_id)
    if not store.move(session, delivery_id, from_status=TO_COPY, status=COPIED, ended_at=now):
        raise DeliveryStateError(delivery_id, letter.delivery.status)
    audit.record(
        session,
        community_code=letter.delivery.community_code,
        action="notice.copy",
        subject=str(delivery_id),
    )
    return get_letter(session, delivery_id)
