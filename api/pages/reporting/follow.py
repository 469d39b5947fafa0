"""Following a report: where it stands, a word more, that it is solved, or that it is not.

The link holds its secret behind the #, which no browser sends; the page's script posts it once,
and a cookie that scripts cannot read carries it on.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.deps import DatabaseDep, Language, LanguageDep, SettingsDep, VisitorDep
from api.errors import status_of
from api.follow_token import cookie_token, delete_follow_cookie, set_follow_cookie
from api.pages.faults import with_wait
from api.pages.reporting.kinds import name_of
from api.pages.reporting.place import place_words
from api.pages.shell import render
from api.pages.text import words_of
from api.schemas.reports import follow_link
from gridsvc.access.model import Principal
from gridsvc.db import Database, clear_connection_errors
from gridsvc.errors import GridsvcError, NotFoundError, ReplyRefusedError, TooManyTriesError
from gridsvc.incidents.photos import service as photos
from gridsvc.incidents.reporting import places, service
from gridsvc.incidents.reporting.model import LONGEST_WORDS, FollowToken
from gridsvc.incidents.reporting.words import plain_words
from gridsvc.overview.incidents import LISTENERS
from gridsvc.settings import Settings

router = APIRouter(
    prefix="/report/follow", include_in_schema=False, default_response_class=HTMLResponse
)

Deed = Literal["word", "confirm", "reopen", "forget_email", "leave"]
Refusal = Literal[
    "empty", "not-an-image", "heic", "too-large", "too-many-pixels", "broken", "too-many", "busy"
]


@router.get("")
def show_follow(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    visitor: VisitorDep,
    language: LanguageDep,
    new: Annotated[str, Query(max_length=1)] = "",
    refused: Annotated[Sequence[Refusal], Query()] = (),
) -> HTMLResponse:
    """Show the report that this browser follows, or ask for the token of one."""
    token = cookie_token(request)
    with clear_connection_errors():
        return _show(
            request,
            database,
            settings,
            visitor,
            language,
            token,
            is_new=bool(new),
            refused=refused,
        )


@router.post("")
def open_follow(
    request: Request,
    database: DatabaseDep,
    visitor: VisitorDep,
    language: LanguageDep,
    code: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Take the token of a link, and let this browser follow its report."""
    token = FollowToken.read(code.rpartition("#")[2])
    if token is None:
        return _ask(request, visitor, language, NotFoundError("report", "with this code"))
    try:
        with clear_connection_errors():
            service.follow(database, token)
    except NotFoundError as error:
        return _ask(request, visitor, language, error)
    answer = RedirectResponse("/report/follow", status_code=HTTPStatus.SEE_OTHER)
    set_follow_cookie(request, answer, token.text)
    return answer


@router.post("/say")
def say_more(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    visitor: VisitorDep,
    language: LanguageDep,
    deed: Annotated[Deed, Form()],
    words: Annotated[str, Form()] = "",
) -> Response:
    """Add a word, confirm the solution, ask to reopen, or let the address go."""
    answer = RedirectResponse("/report/follow", status_code=HTTPStatus.SEE_OTHER)
    if deed == "leave":
        delete_follow_cookie(request, answer)
        return answer
    token = cookie_token(request)
    if token is None:
        return _ask(request, visitor, language, NotFoundError("report", "followed here"))
    try:
        with clear_connection_errors():
            _do(database, token, deed, plain_words(words)[:LONGEST_WORDS])
    except NotFoundError as error:
        return _ask(request, visitor, language, error)
    except (ReplyRefusedError, TooManyTriesError) as error:
        with clear_connection_errors():
            return _show(
                request, database, settings, visitor, language, token, error=error, words=words
            )
    return answer


def _do(database: Database, token: FollowToken, deed: Deed, words: str) -> None:
    if deed == "forget_email":
        service.forget_email(database, token)
    else:
        service.reply(database, token, deed, words, on_event=LISTENERS)


def _show(
    request: Request,
    database: Database,
    settings: Settings,
    visitor: Principal | None,
    language: Language,
    token: FollowToken | None,
    *,
    is_new: bool = False,
    refused: Sequence[str] = (),
    error: GridsvcError | None = None,
    words: str = "",
) -> HTMLResponse:
    if token is None:
        return _ask(request, visitor, language)
    try:
        followed = service.follow(database, token)
    except NotFoundError:
        return _ask(request, visitor, language)
    say = words_of(language)
    answer = render(
        request,
        "report_follow.html",
        language,
        visitor,
        status=status_of(error) if error else HTTPStatus.OK,
        followed=followed,
        place=place_words(followed.spot, say),
        category=name_of(places.list_categories(database), followed.category_code, language),
        photos=photos.list_own(database, token),
        link=follow_link(token.text, origin=settings.public_origin),
        is_new=is_new,
        refused=[say(f"report_photo_{one}".replace("-", "_")) for one in refused],
        fault=_fault(error, language),
        words=words[:LONGEST_WORDS],
        longest=LONGEST_WORDS,
    )
    return with_wait(answer, error) if error else answer


def _fault(error: GridsvcError | None, language: Language) -> str:
    say = words_of(language)
    if isinstance(error, TooManyTriesError):
        return say("report_fault_often", n=error.retry_after_s)
    return say("report_fault_reply") if error else ""


def _ask(
    request: Request,
    visitor: Principal | None,
    language: Language,
    error: NotFoundError | None = None,
) -> HTMLResponse:
    """Ask for the token of a link; without the script, people paste the link."""
    fault = words_of(language)("report_fault_link") if error else None
    status = status_of(error) if error else HTTPStatus.OK
    answer = render(request, "report_ask.html", language, visitor, status=status, fault=fault)
    if error:
        delete_follow_cookie(request, answer)
    return answer
