"""Headers that every answer carries, and the refusal of requests forged by another site."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Pages bring a policy of their own, with a nonce; everything else is no document at all.
_NO_DOCUMENT = "default-src 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """Middleware in plain ASGI: it must not buffer streamed answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless another site sent it, and mark the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Content-Security-Policy", _NO_DOCUMENT)
                headers.setdefault("Cache-Control", "private, no-store")
            await send(message)

        app = _refuse if _is_foreign(scope) else self.app
        await app(scope, receive, marked)


def _is_foreign(scope: Scope) -> bool:
    """Tell whether a browser sent a change from a page of another host."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if scope["method"] in _SAFE_METHODS or origin is None:
        return False
    return urlsplit(origin).netloc != headers.get("host")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(403, "foreign-origin", "This change was sent from a page of another host.")
    await answer(scope, receive, send)
