"""Live updates by server-sent events: what happens in the caller's territory, as it happens.

References
----------
.. [1] HTML Living Standard, section 9.2, "Server-sent events",
   https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.deps import PrincipalDep
from api.errors import responses
from gridsvc.db import Interval
from gridsvc.errors import LiveCrowdedError
from gridsvc.notices.live import Heard, Hub, Live

router = APIRouter(prefix="/api/v1/live", tags=["notices"])
HEARTBEAT_S = 15.0
LASTS_S = 900.0
"""Then the browser comes again by itself, and its rights are read anew."""
_RETRY_MS = 3000


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


def _stream(events: AsyncIterator[str]) -> EventStream:
    """Return events as an answer that proxies pass on as it comes."""
    return EventStream(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@router.get("", response_class=EventStream, responses=responses(401, 403, 503))
async def listen(request: Request, principal: PrincipalDep) -> EventStream:
    """Tell of what happens in the own territory, while the connection lasts.

    `event: again` says to read everything anew: listening has begun, or something was missed.
    `event: update` has a JSON object with `community`, `kind` (as `incident.resolved`) and `id`;
    who may see what it is about asks for it. A line that begins with a colon comes every fifteen
    seconds. After a quarter of an hour the stream ends, and browsers come again. Without
    `Accept: text/event-stream` only its first line is sent.
    """
    if EventStream.media_type not in request.headers.get("accept", ""):
        return _stream(_greeting())
    hub = cast(Live, request.app.state.live).hub()
    hub.require_place()
    return _stream(_events(hub, principal.scope.intervals))


async def _greeting() -> AsyncIterator[str]:
    yield f"retry: {_RETRY_MS}\n\n"


async def _events(hub: Hub, intervals: Sequence[Interval]) -> AsyncIterator[str]:
    yield f"retry: {_RETRY_MS}\n\n"
    ends_s = time.monotonic() + LASTS_S
    with suppress(LiveCrowdedError):  # somebody was faster; the browser comes again
        async with hub.listen(intervals) as listener:
            while not listener.is_over and (left_s := ends_s - time.monotonic()) > 0:
                heard = await listener.next(wait_s=min(HEARTBEAT_S, left_s))
                yield _told(heard)


def _told(heard: Heard) -> str:
    """Return what was heard as events; nothing heard is a heartbeat."""
    events = ["event: again\ndata: {}\n\n"] if heard.is_again else []
    for one in heard.updates:
        told = {"community": one.community_code, "kind": one.kind, "id": one.subject}
        # In one line, whatever it holds: JSON in ASCII has no line ends.
        events.append(f"event: update\ndata: {json.dumps(told)}\n\n")
    return "".join(events) or ": still here\n\n"
