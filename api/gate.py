"""The gate before whatever checks passwords and codes: a flood must not cost what it attacks.

The throttle in the database decides, and is shared by all workers. Here each worker remembers for
a moment whom it has just refused, and lets only so many in at once, with their bodies complete: a
slow sender holds no place. So a refused try costs next to nothing, and no connection to the
database.
"""

import time
from collections import Counter, OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_to
from gridsvc.errors import BusyError, TooManyTriesError
from gridsvc.throttle.model import subnet_of

GUARDED = frozenset(
    (
        *(("POST", "/login"), ("POST", "/login/second-factor"), ("POST", "/invite")),
        *(("POST", "/api/v1/session"), ("POST", "/api/v1/invitations/redeem")),
        *(("POST", "/invite/password"), ("POST", "/sso/start"), ("GET", "/sso/callback")),
    )
)
AT_ONCE, AT_ONCE_OF_A_SUBNET = 16, 3
_LONGEST_MEMORY_S = 1.0
_MOST_REMEMBERED = 10_000


class Gate:
    """Middleware that turns away tries which the throttle would refuse again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._inside: Counter[tuple[str, str]] = Counter()
        self._shut: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its subnet was just refused or too many are inside."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) not in GUARDED:
            await self.app(scope, receive, send)
            return
        receive = await _whole(receive)
        key = (scope["path"], subnet_of(scope["client"][0] if scope["client"] else None))
        wait_s = self._wait_s(key)
        if wait_s > 0:
            await answer_to(scope, TooManyTriesError(wait_s))(scope, receive, send)
            return
        if self._inside.total() >= AT_ONCE or self._inside[key] >= AT_ONCE_OF_A_SUBNET:
            await answer_to(scope, BusyError())(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 429:
                self._remember(key, Headers(raw=message["headers"]).get("retry-after", ""))
            await send(message)

        self._inside[key] += 1
        try:
            await self.app(scope, receive, watched)
        finally:
            self._inside[key] -= 1
            if not self._inside[key]:
                del self._inside[key]

    def _wait_s(self, key: tuple[str, str]) -> float:
        """Return how long a key must wait still; one a second is let in, to ask the throttle."""
        remembered_until, free_at = self._shut.get(key, (0.0, 0.0))
        now = time.monotonic()
        if now < remembered_until:
            return free_at - now
        if now < free_at:
            self._shut[key] = (now + _LONGEST_MEMORY_S, free_at)
        return 0.0

    def _remember(self, key: tuple[str, str], retry_after: str) -> None:
        wait_s = float(retry_after) if retry_after.isdigit() else 1.0
        now = time.monotonic()
        self._shut[key] = (now + min(wait_s, _LONGEST_MEMORY_S), now + wait_s)
        self._shut.move_to_end(key)
        while len(self._shut) > _MOST_REMEMBERED:
            self._shut.popitem(last=False)


async def _whole(receive: Receive) -> Receive:
    """Return the messages of a request once its body is complete; its size and time are bounded."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed
