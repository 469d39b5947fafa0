"""What a request proves itself by: a cookie, a token or an API key; and the tokens of our pages.

A cookie comes along by itself, wherever a request was made; so a change that it accompanies must
carry the token of one of our pages as well. Whoever sends a header meant to.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from fastapi import Request, Response

from gridsvc.access.model import Started
from gridsvc.errors import CsrfError

CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
KEY_PREFIX = "gk_"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Credential:
    """A secret that came with a request, and how."""

    kind: Literal["cookie", "bearer", "key"]
    secret: str


def cookie_name(request: Request, what: str) -> str:
    """Return the name of a cookie: bound to this host by its prefix, which needs TLS.

    References
    ----------
    .. [1] RFC 6265bis, section 4.1.3.2: the ``__Host-`` prefix.
    """
    return f"__Host-{what}" if request.url.scheme == "https" else what


SESSION, PENDING = "gridsvc_session", "gridsvc_pending"


def find_credential(request: Request) -> Credential | None:
    """Return what the request carries: a header comes before a cookie."""
    # Not by Header and Cookie: with parameters, every route would promise a 422 of their own.
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _bearer(value.strip())
    if scheme.lower() == "basic":
        return _bearer(_password_of(value))
    cookie = request.cookies.get(cookie_name(request, SESSION))
    return Credential("cookie", cookie) if cookie else None


def _bearer(secret: str) -> Credential | None:
    if not secret:
        return None
    return Credential("key" if secret.startswith(KEY_PREFIX) else "bearer", secret)


def _password_of(basic: str) -> str:
    """Return the password of a Basic header, where QGIS and GDAL put the key."""
    try:
        text = base64.b64decode(basic, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    password = text.partition(":")[2]
    return password if password.startswith(KEY_PREFIX) else ""


def csrf_token(secret: str) -> str:
    """Return what a page puts into its forms: it proves that whoever sends it could read us."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


async def require_csrf(request: Request, *, cookie: str) -> None:
    """Refuse a change whose cookie is not accompanied by the token of our page.

    Raises
    ------
    CsrfError
        The token is missing or another session's.
    """
    if request.method in _SAFE_METHODS:
        return
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        sent = field if isinstance(field, str) else None
    if not hmac.compare_digest((sent or "").encode(), csrf_token(cookie).encode()):
        raise CsrfError


def set_cookie(request: Request, answer: Response, what: str, started: Started) -> None:
    """Give a browser the token of its sign-in; scripts cannot read it."""
    answer.set_cookie(
        cookie_name(request, what),
        started.token,
        expires=started.expires_at,
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )


def delete_cookie(request: Request, answer: Response, what: str) -> None:
    """Take a cookie back."""
    answer.delete_cookie(
        cookie_name(request, what),
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
