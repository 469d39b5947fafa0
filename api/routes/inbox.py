"""The inbox of the own account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import LanguageDep, SessionDep
from api.errors import responses
from api.schemas.notices import EntryOut, InboxOut, ReadOut
from api.schemas.paging import DEFAULT_LIMIT, Cursor, Limit, decode_time_cursor, page_of
from gridsvc.notices import service

router = APIRouter(prefix="/api/v1/inbox", tags=["notices"])


@router.get("", response_model=InboxOut, responses=responses(401, 403, 422, 503))
def list_inbox(
    session: SessionDep,
    language: LanguageDep,
    is_unread: Annotated[
        bool, Query(alias="unread", description="Only what was not read.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the own messages, the newest first."""
    found = service.list_entries(
        session, is_unread=is_unread, before=decode_time_cursor(cursor), limit=limit + 1
    )
    shown = [EntryOut.of(one, language) for one in found]
    page = page_of(shown, limit, names=lambda last: (last.created_at.isoformat(), str(last.id)))
    return {**page, "unread_count": service.count_unread(session)}


@router.post("/read", response_model=ReadOut, responses=responses(401, 403, 503))
def read_everything(session: SessionDep) -> ReadOut:
    """Mark every message as read. Twice is once."""
    return ReadOut(count=service.mark_all_read(session))


@router.post(
    "/{entry_id}/read", response_model=EntryOut, responses=responses(401, 403, 404, 422, 503)
)
def read_entry(session: SessionDep, language: LanguageDep, entry_id: UUID) -> EntryOut:
    """Mark a message as read. Twice is once."""
    return EntryOut.of(service.mark_read(session, entry_id), language)
