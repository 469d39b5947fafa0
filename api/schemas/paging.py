"""Pages of a list, and the opaque cursor that leads to the next one."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next` of the page before; absent for the first page."),
]


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some items of a list."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


def encode_cursor(*parts: str) -> str:
    """Return a cursor that names the last item of a page."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def page_of(
    items: Sequence[Item], limit: int, *, names: Callable[[Item], tuple[str, ...]]
) -> dict[str, object]:
    """Return a page of items that were read with one more than ``limit``.

    Parameters
    ----------
    names
        What of an item its list is ordered by, as the parts of a cursor.
    """
    last = items[limit - 1] if len(items) > limit else None
    return {
        "items": items[:limit],
        "next": None if last is None else encode_cursor(*names(last)),
    }


def decode_cursor(cursor: str | None, *, parts: int) -> tuple[str, ...] | None:
    """Return what a cursor names, or nothing for the first page.

    Raises
    ------
    RequestValidationError
        The cursor is not one of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid_cursor() from None
    found = tuple(text.split("\n"))
    if len(found) != parts or not all(part.isprintable() and part for part in found):
        raise invalid_cursor()
    return found


def decode_uuid_cursor(cursor: str | None) -> UUID | None:
    """Return the id that a cursor names, or nothing for the first page.

    Raises
    ------
    RequestValidationError
        The cursor is not one of ours.
    """
    parts = decode_cursor(cursor, parts=1)
    try:
        return UUID(parts[0]) if parts else None
    except ValueError:
        raise invalid_cursor() from None


def decode_time_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Return the time and id that a cursor names, or nothing for the first page.

    Raises
    ------
    RequestValidationError
        The cursor is not one of ours.
    """
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]), UUID(parts[1])
    except ValueError:
        raise invalid_cursor() from None


def invalid_cursor() -> RequestValidationError:
    """Return the error of a cursor that is not one of ours."""
    fault = {"loc": ("query", "cursor"), "msg": "not a cursor of this list", "type": "cursor"}
    return RequestValidationError([fault])
