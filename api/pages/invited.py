"""Taking up an invitation: whose it is, a password, then the way in."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from api.deps import CallerDep, DatabaseDep, Language, LanguageDep, SettingsDep, VisitorDep
from api.errors import status_of
from api.pages.entering import enter
from api.pages.faults import REFUSALS, fault_of, require_same, with_wait
from api.pages.shell import render
from api.pages.signing_in import provider_of
from gridsvc.access.invitations import service as invitations
from gridsvc.access.model import Credentials
from gridsvc.db import clear_connection_errors
from gridsvc.errors import GridsvcError, WeakPasswordError
from gridsvc.settings import Settings

router = APIRouter(prefix="/invite", include_in_schema=False, default_response_class=HTMLResponse)

CodeField = Annotated[str, Form(max_length=100)]
PasswordField = Annotated[str, Form(max_length=400)]


@router.get("")
def show_invite(request: Request, visitor: VisitorDep, language: LanguageDep) -> HTMLResponse:
    """Ask for the code of an invitation; one behind # is taken by the page's script."""
    return render(request, "invite.html", language, visitor, fault=None)


@router.post("")
def submit_code(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    language: LanguageDep,
    caller: CallerDep,
    code: CodeField = "",
) -> HTMLResponse:
    """Show whose invitation it is, and ask for a password."""
    try:
        with clear_connection_errors():
            invited = invitations.find(database, code=code, caller=caller)
    except REFUSALS as error:
        return _code_page(request, language, error)
    return _password_page(request, settings, language, invited, code=code)


@router.post("/password")
def submit_password(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    language: LanguageDep,
    caller: CallerDep,
    code: CodeField = "",
    password: PasswordField = "",
    again: PasswordField = "",
) -> Response:
    """Take the invitation up by a password, and lead on."""
    try:
        require_same(password, again)
        with clear_connection_errors():
            started = invitations.redeem(database, code=code, password=password, caller=caller)
    except WeakPasswordError as error:
        with clear_connection_errors():
            invited = invitations.find(database, code=code, caller=caller)
        fault = fault_of(error, language)
        return _password_page(
            request, settings, language, invited, code=code, fault=fault, status=status_of(error)
        )
    except REFUSALS as error:
        return _code_page(request, language, error)
    return enter(request, started, "")


def _code_page(request: Request, language: Language, error: GridsvcError) -> HTMLResponse:
    fault = fault_of(error, language, wrong="invite_wrong")
    answer = render(request, "invite.html", language, None, status=status_of(error), fault=fault)
    return with_wait(answer, error)


def _password_page(
    request: Request,
    settings: Settings,
    language: Language,
    invited: Credentials,
    *,
    code: str,
    fault: str | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    return render(
        request,
        "invite_password.html",
        language,
        None,
        status=status,
        invited=invited,
        code=code,
        fault=fault,
        provider=provider_of(settings),
    )
