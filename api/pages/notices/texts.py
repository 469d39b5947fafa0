"""Texts that are ready to be copied into a group that has no robot."""

from datetime import UTC, datetime
from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.pages.desk import DeskDep
from api.pages.entering import go
from api.pages.text import ago
from api.schemas.notices import DeliveryOut
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from gridsvc.errors import DeliveryStateError
from gridsvc.notices import service
from gridsvc.notices.model import TO_COPY

router = APIRouter(prefix="/notices", include_in_schema=False, default_response_class=HTMLResponse)
PAGE_LENGTH = 30


@router.get("")
def show_texts(
    desk: DeskDep, cursor: Cursor = None, done: Literal["copied"] | None = None
) -> HTMLResponse:
    """Show the texts that nobody has copied yet, the newest first."""
    found = service.list_letters(
        desk.session, status=TO_COPY, before=decode_time_cursor(cursor), limit=PAGE_LENGTH + 1
    )
    shown = [DeliveryOut.of(one) for one in found[:PAGE_LENGTH]]
    last = shown[-1] if len(found) > PAGE_LENGTH else None
    return desk.show(
        "notice_texts.html",
        letters=shown,
        done=done,
        following=encode_cursor(last.created_at.isoformat(), str(last.id)) if last else None,
        is_first=cursor is None,
        since=partial(ago, now=datetime.now(UTC), say=desk.say),
    )


@router.post("/{delivery_id}")
def mark_copied(desk: DeskDep, delivery_id: UUID) -> Response:
    """Note that a text is in its group; a colleague may have been faster."""
    try:
        with desk.session.begin_nested():
            service.mark_copied(desk.session, delivery_id, now=datetime.now(UTC))
    except DeliveryStateError:
        return go("/notices")
    return go("/notices", done="copied")
