"""What the service says of itself: one JSON object a line on stderr, with no personal data.

A line holds codes, ids, counts and times. Paths and queries are left out, because a path may hold a
code; so are the words of exceptions, because a driver puts the row into them.
"""

import json
import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.credentials import find_credential
from gridsvc.db import new_id
from gridsvc.throttle.model import subnet_of

OURS = ("api", "gridsvc", "maps", "geodata")
UNROUTED = "unrouted"
_requests = logging.getLogger("gridsvc.request")
_security = logging.getLogger("gridsvc.security")

# A client may make up a method, and put into it what it likes.
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_LONGEST_CHAIN = 5
# Wider than what the throttle counts: a line should tell an attack from a slip, not persons.
_IPV6_BITS = 48
_REFUSALS = {401, 403, 413, 414, 429, 431}
_ODDITIES = {404, 422}
# What a form means that is shown again with such a status.
_SHOWN_AGAIN = {401: "wrong-credentials", 429: "too-many-tries"}

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure(stream: TextIO | None = None) -> logging.Handler:
    """Send every log line through `JsonLines`: ours from INFO, those of libraries from WARNING.

    Parameters
    ----------
    stream
        Where to; default stderr.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    return handler


class JsonLines(logging.Formatter):
    """A record as one JSON object: time, level, logger, message, request id, and its facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, without its end."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.partition(".")[0] in OURS:
            fields["message"] = record.getMessage()
            fields |= {
                name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD
            }
        else:
            # What a library fills into its words we cannot answer for: asyncio prints exceptions.
            fields["message"] = str(record.msg).partition("\n")[0]
        fields.setdefault("request_id", _request_id.get())
        if record.exc_info and record.exc_info[1]:
            fields["errors"] = list(_chain(record.exc_info[1]))
        known = {name: value for name, value in fields.items() if value is not None}
        # In ASCII, so that it stays one line: some readers end lines at U+2028 too.
        return json.dumps(known, default=str)


def _chain(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """Yield kind and place of an error and of what caused it; never its words."""
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            return
        kind = type(error)
        yield {
            "kind": f"{kind.__module__}.{kind.__qualname__}",
            "sqlstate": getattr(error, "sqlstate", None),
            "at": [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ],
        }
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class RequestLog:
    """Outermost middleware: gives each request an id, and logs it when its last byte has left.

    What others know of the request they put into ``scope["state"]``: ``principal`` (with ``role``
    and ``account_id``) and ``problem``, the status and code of a problem answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, then write its line, and one more if it was refused."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Our own: one of the client's could hold anything.
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        reset = _request_id.set(request_id)
        began = time.perf_counter()
        status: int | None = None

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, marked)
        finally:
            _note_refusal(scope, status)
            _note_request(scope, status, duration_ms=(time.perf_counter() - began) * 1000)
            _request_id.reset(reset)


def _note_request(scope: Scope, status: int | None, *, duration_ms: float) -> None:
    facts = {"status": status, "duration_ms": round(duration_ms, 1)}
    _requests.info("request", extra={**_asked(scope), **facts, **_who(scope)})


def route_of(scope: Scope) -> str:
    """Return the path template of a request; ``unrouted`` where it reached no route of ours."""
    # A route knows its path without the prefixes that it was included under; its context does.
    context = scope.get("fastapi", {}).get("effective_route_context")
    found = getattr(context or scope.get("route"), "path", None)
    return str(found) if found else UNROUTED


def _asked(scope: Scope) -> dict[str, str]:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    return {"method": method, "route": route_of(scope)}


def _who(scope: Scope) -> dict[str, str]:
    principal = scope.get("state", {}).get("principal")
    if principal is None:
        return {}
    return {"role": principal.role, "account_id": str(principal.account_id)}


def security_event(
    request: HTTPConnection, event: str, *, level: int = logging.WARNING, **facts: str | int
) -> None:
    """Write a line to the security log.

    Refusals that are answered by a problem (wrong password, throttled, foreign origin, too large …)
    get theirs by themselves; this is for what is answered otherwise. One request has one line.

    Parameters
    ----------
    event
        A stable code, such as ``wrong-password``.
    facts
        Codes, ids and counts; never a name, an address, or what somebody typed.
    """
    _write_event(request.scope, event, level=level, facts=facts)


def _write_event(scope: Scope, event: str, *, level: int, facts: Mapping[str, str | int]) -> None:
    scope.setdefault("state", {})["has_security_event"] = True
    client = scope.get("client")
    subnet = subnet_of(client[0] if client else None, ipv6_bits=_IPV6_BITS)
    told = {"event": event, **_asked(scope), "subnet": subnet, **_who(scope), **facts}
    _security.log(level, "refused", extra=told)


def _note_refusal(scope: Scope, status: int | None) -> None:
    """Write the security line of a refused request, unless it has one already."""
    state = scope["state"]
    status, code = state.get("problem", (status, None))
    if state.get("has_security_event"):
        return
    if status in _REFUSALS:
        event = _refusal(scope, int(status), code)
        if event:
            _write_event(scope, event, level=logging.WARNING, facts={"status": int(status)})
    elif status in _ODDITIES and code and state.get("principal"):
        # One is a slip; a hundred are somebody who tries what is there.
        _write_event(scope, code, level=logging.INFO, facts={"status": int(status)})


def _refusal(scope: Scope, status: int, code: str | None) -> str | None:
    """Return the event of a refusal; nothing for a visitor who has yet to sign in."""
    if status != 401 or code is None:
        return code or _SHOWN_AGAIN.get(status, f"refused-{status}")
    if code == "second-factor-required":
        return None  # the password was right; the digits come next
    if code != "not-signed-in":
        return code
    if find_credential(Request(scope)):
        return "token-refused"
    return None if scope["method"] in {"GET", "HEAD"} else code
