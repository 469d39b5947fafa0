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

from api.credentials import SESSION, cookie_name, csrf_token
from api.deps import Language
from api.pages.files import asset_url
from api.pages.text import Words, clock, exactly, words_of
from gridsvc.access.model import STAFF_ROLES, Principal

LANGUAGE_COOKIE = "lang"
_YEAR_S = 365 * 24 * 3600
_TEMPLATES = Path(__file__).with_name("templates")
_HTML_LANGUAGE: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}

# A path of ours: one slash, then neither slash nor backslash, which browsers read as a host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")

_STAFF_LINKS = (
    *(("today", "/"), ("map", "/map"), ("incidents", "/incidents")),
    *(("contacts", "/contacts"), ("results", "/results")),
)
_LINKS: Mapping[str, Sequence[tuple[str, str]]] = {
    "coordinator": (*_STAFF_LINKS, ("office", "/admin/members")),
    "administrator": (*_STAFF_LINKS, ("office", "/admin")),
    "contact": (("my_stairwells", "/my-stairwells"), ("incidents", "/incidents?list=open")),
    "patrol": (("incidents", "/incidents?list=open"),),
    "planner": (("planner_home", "/"), ("map", "/map")),
}
_SECTIONS = ("/admin", "/contacts", "/incidents")
"""What these begin with is one place of the head."""

TABS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("accounts", "/admin", ("administrator",)),
    ("invite", "/admin/invite", ("administrator",)),
    ("invite_list", "/admin/invite-list", ("administrator",)),
    ("territory", "/admin/territory", ("administrator",)),
    ("notices", "/admin/notices", ("administrator",)),
    ("members", "/admin/members", STAFF_ROLES),
    ("photos", "/incidents/photos", STAFF_ROLES),
    ("audit", "/admin/audit", STAFF_ROLES),
    ("rules", "/admin/rules", STAFF_ROLES),
)
# Longer ones first: what a form was sent to begins with the address of its page.
_FORM_PAGES = (
    *("/login/second-factor", "/login", "/invite", "/account"),
    *("/admin/invite-list", "/admin/invite", "/admin/members", "/admin/territory"),
    *("/admin/notices", "/admin", "/inbox", "/notices"),
    *("/report/follow", "/report", "/incidents/photos"),
)


@dataclass(frozen=True)
class Link:
    """A place to go: words, address, whether one is there already, and words for a small screen."""

    label: str
    href: str
    is_current: bool = False
    short: str = ""


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
    made.filters |= {"clock": clock, "exactly": exactly, "number": _number, "query": _query}
    made.globals["asset"] = asset_url
    return made


def _query(given: Mapping[str, str], more: Mapping[str, str]) -> str:
    """Return what follows the question mark of an address."""
    return urlencode({**given, **more})


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
    csrf_for: str = SESSION,
    **values: object,
) -> HTMLResponse:
    """Return a page under its policy; a language asked for in the address is remembered.

    Parameters
    ----------
    principal
        Whose page it is, for the links at its head; nobody has none.
    nonce
        That of the scripts already made for the page; default a new one.
    csrf_for
        Cookie that the page's forms are sent with.
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
            csrf=_csrf(request, csrf_for),
            links=_links(request, principal, say),
            tabs=tabs_of(principal),
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


def _csrf(request: Request, name: str) -> str:
    """Return the token that the page's forms send; without a cookie nobody asks for one."""
    cookie = request.cookies.get(cookie_name(request, name))
    return csrf_token(cookie) if cookie else ""


def _links(request: Request, principal: Principal | None, say: Words) -> list[Link]:
    links = _LINKS.get(principal.role, ()) if principal else ()
    here = request.url.path
    return [Link(say(key), href, here == href or _are_one(here, href)) for key, href in links]


def tabs_of(principal: Principal | None) -> list[tuple[str, str]]:
    """Return name and address of the office's pages that a role may open."""
    role = principal.role if principal else ""
    return [(name, href) for name, href, roles in TABS if role in roles]


def _are_one(*paths: str) -> bool:
    return any(all(path.startswith(section) for path in paths) for section in _SECTIONS)


def _other_language(request: Request, language: Language) -> Link:
    """Return the way to the same page in the other language."""
    other = "en" if language == "zh" else "zh"
    query = {**request.query_params, "lang": other}
    path = request.url.path if request.method == "GET" else _shown_at(request.url.path)
    label, short = {"zh": ("中文", "中"), "en": ("English", "EN")}[other]
    return Link(label, f"{path}?{urlencode(query)}", short=short)


def _shown_at(path: str) -> str:
    """Return the page that a form belongs to: its own address need not be one to open."""
    if path.startswith(("/contacts", "/incidents", "/handed")) and not path.endswith("/link"):
        return path  # every form there is sent to the address of its page
    if path.startswith("/incidents"):
        return path.removesuffix("/link")
    return next((page for page in _FORM_PAGES if path.startswith(page)), "/login")
