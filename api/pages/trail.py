"""The audit trail: what was done, by whom, to what, and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from api.pages.desk import DeskDep
from api.pages.text import Words, ago, load_words
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.audit.model import AuditEvent, AuditFilter
from gridsvc.local_time import LOCAL_TIME
from gridsvc.people.model import PURPOSES

router = APIRouter(prefix="/admin", include_in_schema=False, default_response_class=HTMLResponse)

PAGE_LENGTH = 50
_ACTION = "action_"
_ON_ACCOUNTS = ("account.", "sign-in.", "second-factor.")
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)
Day = Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Action = Annotated[str, Query(pattern=r"^([a-z][a-z-]*(\.[a-z][a-z-]*)?)?$", max_length=60)]
Subject = Annotated[str, Query(pattern=r"^[0-9A-Za-z._:-]*$", max_length=80)]
Community = Annotated[str, Query(pattern="^([1-9][0-9]{11})?$")]


def action_key(action: str) -> str:
    """Return the key of the phrase for an action.

    Examples
    --------
    >>> action_key("second-factor.set")
    'action_second_factor__set'
    """
    return _ACTION + action.replace(".", "__").replace("-", "_")


def _action_of(key: str) -> str:
    return key.removeprefix(_ACTION).replace("__", ".").replace("_", "-")


ACTIONS = tuple(_action_of(key) for key in load_words() if key.startswith(_ACTION))
"""Actions, and kinds of them, that have words."""


@dataclass(frozen=True)
class Search:
    """What of the trail is wanted, as the address has it; what is empty does not matter."""

    first: Day = ""
    last: Day = ""
    action: Action = ""
    account: Annotated[UUID | Literal[""], Query()] = ""
    subject: Subject = ""
    community: Community = ""

    def filter(self) -> AuditFilter:
        """Return it as the service takes it."""
        return AuditFilter(
            community_code=int(self.community) if self.community else None,
            account_id=self.account or None,
            action=self.action or None,
            subject=self.subject or None,
            since=_begin(_day(self.first)),
            until=_end(_day(self.last)),
        )

    def address(self, **changed: object) -> str:
        """Return the address of this search with some of it changed."""
        query = {**vars(self), **changed}
        known = {key: str(value) for key, value in query.items() if value}
        return "/admin/audit" + (f"?{urlencode(known)}" if known else "")


def _day(text: str) -> date | None:
    """Return a day; one that is none, or beyond the calendar of the database, does not matter."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None


def _begin(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), LOCAL_TIME) if day else None


def _end(day: date | None) -> datetime | None:
    return _begin(day + timedelta(days=1)) if day else None


@router.get("/audit")
def show_trail(
    desk: DeskDep, search: Annotated[Search, Depends()], cursor: Cursor = None
) -> HTMLResponse:
    """Show what was done, the newest first."""
    events = audit.list_events(
        desk.session, search.filter(), before=decode_time_cursor(cursor), limit=PAGE_LENGTH + 1
    )
    shown = events[:PAGE_LENGTH]
    places = desk.places()
    subjects = {event.subject: _account_of(event) for event in shown}
    meant = (search.account or None, *subjects.values(), *(event.account_id for event in shown))
    names = access.names_of(desk.session, filter(None, meant))
    return desk.show(
        "audit.html",
        tab="audit",
        search=search,
        events=shown,
        names=names,
        subject_names={
            subject: names[one] for subject, one in subjects.items() if one and one in names
        },
        places={one.community_code: places.code_name(one.community_code) for one in shown},
        action_words=partial(action_words, desk.say),
        actions=ACTIONS,
        purposes=PURPOSES,
        choices=places.choices(),
        following=_cursor_after(shown[-1]) if len(events) > PAGE_LENGTH else None,
        is_first=cursor is None,
        since=partial(ago, now=datetime.now(UTC), say=desk.say),
    )


def _account_of(event: AuditEvent) -> UUID | None:
    """Return the account that something was done to; nothing where it was no account."""
    if not event.action.startswith(_ON_ACCOUNTS):
        return None
    try:
        return UUID(event.subject)
    except ValueError:
        return None


def action_words(say: Words, action: str) -> str:
    """Return what an action is called; its code where it has no words."""
    key = action_key(action)
    return say(key) if key in load_words() else action


def _cursor_after(event: AuditEvent) -> str:
    return encode_cursor(event.at.isoformat(), str(event.id))
