"""How large a request may be: body, address, headers, fields of a form."""

import re
from collections.abc import Mapping
from typing import Any

from anyio import current_time, move_on_after, move_on_at
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import RequestRefusedError, answer_to, responses

MAX_BODY_BYTES = 1_000_000
# Paths that take files, and how much of one.
ALLOWANCES: Mapping[str, int] = {
    "/api/v1/accounts/list": 10_000_000,
    "/admin/invite-list": 10_000_000,
    "/api/v1/imports": 50_000_000,
    "/admin/territory": 50_000_000,
    "/api/v1/members/import": 50_000_000,
    "/admin/members/import": 50_000_000,
    "/report": 61_000_000,  # five photos as a camera makes them, where no script makes them small
}
# Those with an id inside: a photo of a report.
ALLOWANCES_BY_PATTERN: Mapping[re.Pattern[str], int] = {
    re.compile(r"/api/v1/reports/[^/]+/photos"): 13_000_000,
}
MAX_FORM_FIELDS = 200
MAX_FORM_FILES = 6
MAX_URL_BYTES = 8_000
MAX_HEADERS = 100
# As h11, which refuses a longer head only where it comes in pieces.
MAX_HEADER_BYTES = 16_384


# A phone with bad reception needs its time; who sends a byte now and then holds a place for it.
MAX_BODY_S = 60.0
# How long a client that was refused may go on sending. Closed at once, the connection would be
# reset, and a browser would show that instead of the answer.
_LINGER_S = 3.0


class RequestLimits:
    """Middleware that refuses what is too large before it is read, or as soon as it shows."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that ends in an error where it exceeds its allowance."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        fault = _fault_of_head(scope)
        if fault is not None:
            await answer_to(scope, fault)(scope, receive, _ending(receive, send))
            return
        body = _Body(receive, allowed=allowance(scope["path"]))

        async def sent(message: Message) -> None:
            last = _ending(receive, send, is_more=body.is_more) if body.is_refused else send
            await last(message)

        try:
            await self.app(scope, body.receive, sent)
        except RequestRefusedError as error:  # by a middleware that reads the body by itself
            await answer_to(scope, error)(scope, receive, sent)


class _Body:
    """The body of a request, which ends in an error where it is too large or too slow."""

    def __init__(self, receive: Receive, *, allowed: int) -> None:
        self._receive = receive
        self._left = allowed
        self._allowed = allowed
        self._deadline = current_time() + MAX_BODY_S
        self.is_more = True
        self.is_refused = False

    async def receive(self) -> Message:
        """Return the next piece; after the last one, wait for the client to go away."""
        if not self.is_more:
            return await self._receive()
        message: Message | None = None
        with move_on_at(self._deadline):
            message = await self._receive()
        if message is None:
            self.is_refused = True
            words = f"The body did not arrive within {MAX_BODY_S:.0f} s."
            raise RequestRefusedError(408, "body-too-slow", words)
        self.is_more = message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_refused = True
            raise _too_large(self._allowed)
        return message


def _ending(receive: Receive, send: Send, *, is_more: bool = True) -> Send:
    """Return a way to send that ends the connection, and discards what still comes in before."""

    async def ending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
        if message["type"] != "http.response.body" or message.get("more_body") or not is_more:
            await send(message)
            return
        await send({**message, "more_body": True})
        with move_on_after(_LINGER_S):
            while (await receive()).get("more_body"):
                pass
        await send({"type": "http.response.body", "body": b""})

    return ending


def document(openapi: dict[str, Any]) -> None:
    """Add to an OpenAPI document that an operation may find a body too large or too slow."""
    for path in openapi["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                operation["responses"] |= {
                    str(status): answer for status, answer in responses(408, 413).items()
                }


def allowance(path: str) -> int:
    """Return how many bytes the body of a request to a path may have."""
    for pattern, allowed in ALLOWANCES_BY_PATTERN.items():
        if pattern.fullmatch(path):
            return allowed
    return ALLOWANCES.get(path, MAX_BODY_BYTES)


def _fault_of_head(scope: Scope) -> RequestRefusedError | None:
    """Return what is too large before the body is read."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL_BYTES:
        words = f"The address is longer than {MAX_URL_BYTES} bytes."
        return RequestRefusedError(414, "address-too-long", words)
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        words = f"More than {MAX_HEADERS} headers, or {MAX_HEADER_BYTES} bytes of them."
        return RequestRefusedError(431, "headers-too-large", words)
    announced = Headers(raw=headers).get("content-length", "")
    allowed = allowance(scope["path"])
    # What is no number is left to be counted.
    if announced.isascii() and announced.isdigit() and int(announced) > allowed:
        return _too_large(allowed)
    return None


def _too_large(allowed: int) -> RequestRefusedError:
    words = f"The body is larger than the {allowed} bytes allowed here."
    return RequestRefusedError(413, "body-too-large", words)
