"""What the own account was told."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.pages.desk import DeskDep
from api.pages.entering import go
from api.pages.notices.lines import lines_of
from api.pages.text import ago
from api.schemas.notices import EntryOut
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from gridsvc.access.model import FIELD_ROLES, STAFF_ROLES
from gridsvc.notices import service

router = APIRouter(prefix="/inbox", include_in_schema=False, default_response_class=HTMLResponse)
PAGE_LENGTH = 30


@router.get("")
def show_inbox(desk: DeskDep, cursor: Cursor = None) -> HTMLResponse:
    """Show the own messages, the newest first."""
    found = service.list_entries(
        desk.session, before=decode_time_cursor(cursor), limit=PAGE_LENGTH + 1
    )
    shown = [EntryOut.of(one, desk.language) for one in found[:PAGE_LENGTH]]
    last = shown[-1] if len(found) > PAGE_LENGTH else None
    page = desk.show(
        "inbox.html",
        entries=shown,
        lines=partial(lines_of, origin=desk.settings.public_origin),
        unread=service.count_unread(desk.session),
        following=encode_cursor(last.created_at.isoformat(), str(last.id)) if last else None,
        is_first=cursor is None,
        hears=desk.principal.role in FIELD_ROLES,
        staff=STAFF_ROLES,
        since=partial(ago, now=datetime.now(UTC), say=desk.say),
    )
    page.headers["Cache-Control"] = "private, no-store"
    return page


@router.post("")
def read(desk: DeskDep, entry: Annotated[UUID | Literal[""], Form()] = "") -> Response:
    """Mark a message, or all of them, as read."""
    if entry:
        service.mark_read(desk.session, entry)
    else:
        service.mark_all_read(desk.session)
    return go("/inbox")
