"""Leaving for the provider of single sign-on, and coming back."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.credentials import cookie_name, delete_cookie
from api.deps import (
    CallerDep,
    DatabaseDep,
    LanguageDep,
    PrincipalDep,
    SettingsDep,
    VisitorDep,
)
from api.logs import security_event
from api.pages.entering import enter, go
from api.pages.shell import own_path, render
from gridsvc.access.sso import service as sso
from gridsvc.access.sso.model import Provider, Returned
from gridsvc.access.tokens import new_token
from gridsvc.db import clear_connection_errors
from gridsvc.errors import (
    NotFoundError,
    RecentSignInRequiredError,
    SsoRefusedError,
    SsoUnavailableError,
)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

COOKIE = "gridsvc_sso"
ACCOUNT_PAGE = "/account"
_LINKED = f"{ACCOUNT_PAGE}?done=linked"
_HOME = "/"

_Failure = SsoRefusedError | SsoUnavailableError | RecentSignInRequiredError
_WAYS_BACK: Mapping[type[_Failure], Mapping[str, str]] = {
    SsoRefusedError: {"sso": "refused"},
    SsoUnavailableError: {"sso": "unavailable"},
    RecentSignInRequiredError: {"next": ACCOUNT_PAGE},
}

Word = Annotated[str | None, Query(max_length=2000)]


def get_provider(request: Request, settings: SettingsDep) -> Provider:
    """Return the provider; without one these pages do not exist."""
    provider = Provider.of(settings)
    if provider is None:
        raise NotFoundError("page", request.url.path)
    return provider


ProviderDep = Annotated[Provider, Depends(get_provider)]


@router.get("/sso/start")
def start(
    request: Request,
    database: DatabaseDep,
    provider: ProviderDep,
    caller: CallerDep,
    next_path: Annotated[str | None, Query(alias="next", max_length=500)] = None,
) -> Response:
    """Send the browser to the provider."""
    secret, goal = new_token(), own_path(next_path, default=_HOME)
    try:
        with clear_connection_errors():
            address = sso.start(database, provider, goal=goal, browser_secret=secret, caller=caller)
    except SsoUnavailableError as error:
        return _failed(request, error)
    return _bound(request, RedirectResponse(address, HTTPStatus.SEE_OTHER), secret)


@router.post("/sso/start")
def start_from_form(
    request: Request,
    database: DatabaseDep,
    provider: ProviderDep,
    caller: CallerDep,
    language: LanguageDep,
    code: Annotated[str, Form(max_length=100)] = "",
    next_path: Annotated[str | None, Form(alias="next", max_length=500)] = None,
) -> Response:
    """Send the browser to the provider, with the code of an invitation or without."""
    secret, goal = new_token(), own_path(next_path, default=_HOME)
    try:
        with clear_connection_errors():
            address = sso.start(
                database,
                provider,
                goal=goal,
                browser_secret=secret,
                caller=caller,
                invitation_code=code.strip() or None,
            )
    except SsoUnavailableError as error:
        return _failed(request, error)
    return _leaving(request, language, address, secret)


@router.post("/account/sso")
def start_link(
    request: Request,
    database: DatabaseDep,
    provider: ProviderDep,
    caller: CallerDep,
    principal: PrincipalDep,
    language: LanguageDep,
) -> Response:
    """Send a signed-in browser to the provider, so that its account can sign in there too."""
    secret = new_token()
    try:
        with clear_connection_errors():
            address = sso.start_link(
                database,
                provider,
                principal,
                goal=_LINKED,
                browser_secret=secret,
                caller=caller,
            )
    except (SsoUnavailableError, RecentSignInRequiredError) as error:
        return _failed(request, error)
    return _leaving(request, language, address, secret)


@router.get("/sso/callback")
def finish(
    request: Request,
    database: DatabaseDep,
    provider: ProviderDep,
    caller: CallerDep,
    visitor: VisitorDep,
    *,
    state: Word = None,
    code: Word = None,
    issuer: Annotated[str | None, Query(alias="iss", max_length=2000)] = None,
    error: Word = None,
) -> Response:
    """Sign in whoever comes back from the provider."""
    returned = Returned(state, code, issuer, is_error=error is not None)
    try:
        with clear_connection_errors():
            started, goal = sso.finish(
                database,
                provider,
                returned,
                browser_secret=request.cookies.get(cookie_name(request, COOKIE)),
                caller=caller,
                account_id=visitor.account_id if visitor else None,
            )
    except (SsoRefusedError, SsoUnavailableError) as fault:
        return _failed(request, fault)
    answer = enter(request, started, goal) if started else go(goal)
    delete_cookie(request, answer, COOKIE)
    return answer


def _leaving(request: Request, language: LanguageDep, address: str, secret: str) -> Response:
    """Return a page that leads to the provider.

    A redirect would not do: browsers hold what follows a form to the page's ``form-action`` too.
    """
    page = render(request, "leaving.html", language, None, address=address)
    return _bound(request, page, secret)


def _bound(request: Request, answer: Response, secret: str) -> Response:
    """Let only this browser finish the attempt."""
    answer.set_cookie(
        cookie_name(request, COOKIE),
        secret,
        max_age=sso.ATTEMPT_LASTS // timedelta(seconds=1),
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


def _failed(request: Request, error: _Failure) -> Response:
    """Note why, and lead a browser to the login page, which says it in a sentence.

    Raises
    ------
    SsoRefusedError, SsoUnavailableError, RecentSignInRequiredError
        To whoever is no browser.
    """
    security_event(request, error.code, reason=getattr(error, "reason", "old-sign-in"))
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    # A page of its own, so that neither the history nor a reload holds code and state.
    answer = go("/login", **_WAYS_BACK[type(error)])
    delete_cookie(request, answer, COOKIE)
    return answer
