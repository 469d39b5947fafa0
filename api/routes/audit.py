"""The audit trail: who changed or revealed what, and when."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import SessionDep
from api.errors import responses
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_time_cursor,
    page_of,
)
from api.schemas.territory import CommunityCode
from gridsvc.audit import service
from gridsvc.audit.model import AuditFilter
from gridsvc.local_time import LOCAL_TIME

router = APIRouter(prefix="/api/v1", tags=["audit"])
Action = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z][a-z-]*(\.[a-z][a-z-]*)?$",
        max_length=60,
        description="An action such as `member.reveal`, or a kind of them such as `member`.",
    ),
]
Subject = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9A-Za-z._:-]+$", max_length=80, description="Code or id of what was changed."
    ),
]


# Before and after these there is nothing, and the database has no such days in every form.
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)
Day = Annotated[date, Field(ge=_FIRST, le=_LAST)]


class AuditEventOut(BaseModel):
    """One entry of the trail; it holds codes, ids and counts, never names."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int = Field(description="Or the sub-district's own code.")
    id: UUID
    at: datetime
    account_id: UUID | None = Field(description="Null for jobs and visitors without an account.")
    action: str
    subject: str
    detail: dict[str, Any]


@router.get("/audit", response_model=Page[AuditEventOut], responses=responses(401, 403, 422, 503))
def list_audit_events(
    session: SessionDep,
    community: CommunityCode | None = None,
    account: UUID | None = None,
    action: Action = None,
    subject: Subject = None,
    first_day: Annotated[Day | None, Query(alias="from")] = None,
    last_day: Annotated[Day | None, Query(alias="to")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return what was done in the caller's territory, the newest first; days are Asia/Shanghai."""
    wanted = AuditFilter(
        community_code=community,
        account_id=account,
        action=action,
        subject=subject,
        since=_begin(first_day),
        until=_end(last_day),
    )
    events = service.list_events(
        session, wanted, before=decode_time_cursor(cursor), limit=limit + 1
    )
    return page_of(events, limit, names=lambda last: (last.at.isoformat(), str(last.id)))


def _begin(day: date | None) -> datetime | None:
    """Return when a day begins where the sub-district is."""
    return datetime.combine(day, time(), LOCAL_TIME) if day else None


def _end(day: date | None) -> datetime | None:
    """Return when a day is over."""
    return _begin(day + timedelta(days=1)) if day else None
