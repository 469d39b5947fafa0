"""What a browser is shown where a program gets problem+json."""

from collections.abc import Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.deps import Language, get_language, get_settings
from api.errors import Problem
from api.pages.shell import render
from geodata.errors import GeodataError
from gridsvc.errors import GridsvcError

Handler = Callable[[Request, Exception], Response]

_FOR_PROGRAMS = ("/api/", "/ogc", "/open311/", "/tiles/", "/assets/", "/healthz", "/readyz")
_KINDS = (GeodataError, GridsvcError, RequestValidationError, HTTPException, Exception)
_KNOWN = {403, 404, 409, 413, 422, 429, 503}
# A page that was left open too long, or a form of somebody else's.
_STALE = {"/problems/csrf", "/problems/foreign-origin"}


def install(app: FastAPI) -> None:
    """Let browsers that open a page see a problem as a page; who is not signed in goes to login.

    To be called after `api.errors.install`, whose answers it translates.
    """
    for kind in _KINDS:
        answer = cast(Handler, app.exception_handlers[kind])
        app.add_exception_handler(kind, _for_browsers(answer))


def _for_browsers(answer: Handler) -> Handler:
    def answered(request: Request, error: Exception) -> Response:
        made = answer(request, error)
        if not _is_page(request):
            return made
        problem = Problem.model_validate_json(bytes(made.body))
        if problem.status == HTTPStatus.UNAUTHORIZED:
            return RedirectResponse(login_address(request), status_code=HTTPStatus.SEE_OTHER)
        page = _page(request, problem, wait_s=made.headers.get("Retry-After"))
        if retry := made.headers.get("Retry-After"):
            page.headers["Retry-After"] = retry
        return page

    return answered


def _is_page(request: Request) -> bool:
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and not request.url.path.startswith(_FOR_PROGRAMS)


def login_address(request: Request) -> str:
    """Return the login page that leads back here."""
    path = request.url.path
    if request.method != "GET" or path.startswith("/login"):
        return "/login"
    here = path + (f"?{request.url.query}" if request.url.query else "")
    return "/login?" + urlencode({"next": here})


def _page(request: Request, problem: Problem, *, wait_s: str | None) -> Response:
    kind = str(problem.status) if problem.status in _KNOWN else "other"
    if problem.type in _STALE:
        kind = "stale"
    if problem.type == "/problems/too-many-parts":
        kind = "parts"
    language = language_of(request)
    return render(
        request,
        "error.html",
        language,
        None,
        status=problem.status,
        kind=kind,
        wait_s=int(wait_s) if wait_s else None,
        detail=problem.detail if language == "en" else "",
    )


def language_of(request: Request) -> Language:
    """Return the language of a request that never reached its handler."""
    asked = request.query_params.get("lang")
    lang = cast(Language, asked) if asked in ("zh", "en") else None
    return get_language(get_settings(request), lang, request.cookies.get("lang"))
