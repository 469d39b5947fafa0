"""What every page has: language, links, nonce, policy, and the templates."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.deps import Language
from api.pages.files import asset_url
from api.pages.text import Words, clock, exactly, words_of
from gridsvc.access.model import Principal

LANGUAGE_COOKIE = "lang"
_YEAR_S = 365 * 24 * 3600
_TEMPLATES = Path(__file__).with_name("templates")
_HTML_LANGUAGE: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}

# A path of ours: one slash, then neither slash nor backslash, which browsers read as a host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")

_LINKS: Mapping[str, Sequence[tuple[str, str]]] = {
    "coordinator": (("today", "/"), ("map", "/map"), ("results", "/results")),
    "administrator": (("today", "/"), ("map", "/map"), ("results", "/results")),
    "planner": (("planner_home", "/"), ("map", "/map")),
}


@dataclass(frozen=True)
class Link:
    """A place to go: words, address, and whether one is there already."""

    label: str
    href: str
    is_current: bool = False


def new_nonce() -> str:
    """Return a nonce for one answer: 128 random bits."""
    return secrets.token_urlsafe(16)


def policy(nonce: str) -> str:
    """Return the Content-Security-Policy of a page: our own files and this page's scripts only."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        )
    )


def own_path(text: str | None, *, default: str) -> str:
    """Return a path of this site as it is, anything else as the default.

    Examples
    --------
    >>> own_path("/map?view=heat", default="/")
    '/map?view=heat'
    >>> [own_path(text, default="/") for text in ("//evil.example", "https://evil.example", None)]
    ['/', '/', '/']
    """
    return text if text and _OWN_PATH.fullmatch(text) else default


@cache
def templates() -> Environment:
    """Return the templates; every value is escaped, a missing one is an error."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clock": clock, "exactly": exactly, "number": _number}
    made.globals["asset"] = asset_url
    return made


def _number(value: float) -> str:
    return f"{value:,}"


def render(
    request: Request,
    template: str,
    language: Language,
    principal: Principal | None,
    *,
    nonce: str | None = None,
    status: int = HTTPStatus.OK,
    **values: object,
) -> HTMLResponse:
    """Return a page under its policy; a language asked for in the address is remembered.

    Parameters
    ----------
    principal
        Whose page it is, for the links at its head; nobody has none.
    nonce
        That of the scripts already made for the page; default a new one.
    values
        What the template puts in place, as text.
    """
    nonce = nonce or new_nonce()
    say = words_of(language)
    html = (
        templates()
        .get_template(template)
        .render(
            say=say,
            nonce=nonce,
            html_language=_HTML_LANGUAGE[language],
            principal=principal,
            links=_links(request, principal, say),
            other_language=_other_language(request, language),
            **values,
        )
    )
    answer = HTMLResponse(html, status_code=status)
    answer.headers["Content-Security-Policy"] = policy(nonce)
    answer.headers["Vary"] = "Cookie"
    if request.query_params.get("lang") == language:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, samesite="lax", path="/")
    return answer


def _links(request: Request, principal: Principal | None, say: Words) -> list[Link]:
    links = _LINKS.get(principal.role, ()) if principal else ()
    return [Link(say(key), href, request.url.path == href) for key, href in links]


def _other_language(request: Request, language: Language) -> Link:
    """Return the way to the same page in the other language."""
    other = "en" if language == "zh" else "zh"
    query = {**request.query_params, "lang": other}
    path = request.url.path if request.method == "GET" else "/login"
    return Link({"zh": "中文", "en": "English"}[other], f"{path}?{urlencode(query)}")
