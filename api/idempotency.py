"""A POST that is repeated with its ``Idempotency-Key`` gets the first answer again."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from gridsvc.access import service as access
from gridsvc.db import ScopedSession

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=8,
        max_length=100,
        pattern="^[!-~]*$",  # visible ASCII
        description="Made by the client, new for each wish; a repetition gets the first answer.",
    ),
]


def once(
    session: ScopedSession,
    key: str | None,
    request: bytes,
    *,
    status: int,
    act: Callable[[], BaseModel],
) -> JSONResponse:
    """Act and answer, unless the key has an answer already: then 200 with that.

    Raises
    ------
    IdempotencyMismatchError
        The key was used for another request.
    """
    earlier = access.earlier_answer(session, key=key, request=request) if key else None
    if earlier:
        return JSONResponse(earlier[1], status_code=200)
    answer = act().model_dump(mode="json")
    if key:
        access.keep_answer(session, key=key, request=request, status=status, answer=answer)
    return JSONResponse(answer, status_code=status)
