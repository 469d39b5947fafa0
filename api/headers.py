"""Headers that every answer carries, and the refusal of requests forged by another site."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.credentials import PENDING, SESSION
from api.errors import RequestRefusedError, answer_to

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Some proxies write it into the host; browsers never do.
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_TWO_YEARS_S = 2 * 365 * 24 * 3600
_HSTS = f"max-age={_TWO_YEARS_S}; includeSubDomains"
# What a phone may be asked for: where it is, and its camera for a QR code or a photo.
_OWN_FEATURES = ("camera", "geolocation")
_NO_FEATURES = (
    *("accelerometer", "autoplay", "display-capture", "encrypted-media", "fullscreen"),
    *("gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment"),
    *("publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [f"{name}=(self)" for name in _OWN_FEATURES] + [f"{name}=()" for name in _NO_FEATURES]
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pages bring a policy of their own, with a nonce; everything else is no document at all.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
}


class SecurityHeaders:
    """Middleware in plain ASGI: it must not buffer streamed answers.

    Attributes
    ----------
    public_host
        Host under which people reach the service through a proxy that gives us another name.
    """

    def __init__(self, app: ASGIApp, *, public_url: str | None = None) -> None:
        self.app = app
        self.public_host = urlsplit(public_url).netloc.lower() if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless another site sent it, and mark the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _HSTS
            await send(message)

        if self._is_foreign(HTTPConnection(scope)):
            words = "This change was not sent from a page of ours."
            answer = answer_to(scope, RequestRefusedError(403, "foreign-origin", words))
            await answer(scope, receive, marked)
            return
        await self.app(scope, receive, marked)

    def _is_foreign(self, request: HTTPConnection) -> bool:
        """Tell whether a browser sent a change from a page that is not ours.

        A request that bears the session cookie has to show that it is not: browsers add the cookie
        by themselves, whoever wrote the page.
        """
        if request.scope["method"] in _SAFE_METHODS:
            return False
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if site not in {None, "same-origin", "none"}:
            return True
        if origin is not None:
            scheme, host = urlsplit(origin)[:2]
            ours = request.headers.get("host", "").removesuffix(_DEFAULT_PORTS.get(scheme, ""))
            return not host or host.lower() not in {ours.lower(), self.public_host}
        # With the prefix that TLS allows, or without.
        names = {name.removeprefix("__Host-") for name in request.cookies}
        return site != "same-origin" and not names.isdisjoint({SESSION, PENDING})
