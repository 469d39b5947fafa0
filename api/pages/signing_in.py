"""The way in by a password, or by a demonstration's code; and the way out."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.credentials import SESSION, delete_cookie
from api.deps import (
    CallerDep,
    CredentialDep,
    DatabaseDep,
    Language,
    LanguageDep,
    SettingsDep,
    VisitorDep,
    allow_development_login,
)
from api.errors import status_of
from api.pages.entering import enter, go
from api.pages.faults import REFUSALS, fault_of, with_wait
from api.pages.shell import own_path, render
from gridsvc.access import service as access
from gridsvc.access import signing_in
from gridsvc.access.model import Principal, Started
from gridsvc.db import NOBODY, Database, clear_connection_errors
from gridsvc.settings import Settings

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

NextPath = Annotated[str | None, Query(alias="next", max_length=500)]
NextField = Annotated[str | None, Form(alias="next", max_length=500)]
SsoFault = Literal["refused", "unavailable"]
_AFTER_CODE = "/map"


@router.get("/login")
def show_login(
    request: Request,
    settings: SettingsDep,
    visitor: VisitorDep,
    language: LanguageDep,
    next_path: NextPath = None,
    *,
    late: bool = False,
    sso: SsoFault | None = None,
) -> HTMLResponse:
    """Show the ways in; a code behind # is taken by the page's script."""
    return _page(
        request,
        settings,
        language,
        visitor=visitor,
        goal=own_path(next_path, default=""),
        is_late=late,
        sso=sso,
    )


@router.post("/login")
def submit_login(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    language: LanguageDep,
    caller: CallerDep,
    login: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=100)] = "",
    next_path: NextField = None,
) -> Response:
    """Sign in by login and password, or by the code of a development account."""
    goal = own_path(next_path, default=_AFTER_CODE if code else "")
    try:
        with clear_connection_errors():
            if code:
                allow_development_login(settings)
                started = _by_code(database, code, client=caller.client)
            else:
                started = signing_in.sign_in(
                    database, login=login, password=password, caller=caller
                )
    except REFUSALS as error:
        fault = fault_of(error, language, wrong="login_wrong_code" if code else "login_wrong")
        answer = _page(
            request,
            settings,
            language,
            status=status_of(error),
            goal=own_path(next_path, default=""),
            login=login,
            fault=None if code else fault,
            code_fault=fault if code else None,
        )
        return with_wait(answer, error)
    return enter(request, started, goal)


def _by_code(database: Database, code: str, *, client: str | None) -> Started:
    with database.session(NOBODY) as session, session.begin():
        account = access.get_by_code(session, code.strip())
    with signing_in.own_session(database, account) as session:
        return signing_in.start_fully(session, account, client=client)


def _page(
    request: Request,
    settings: Settings,
    language: Language,
    *,
    goal: str,
    visitor: Principal | None = None,
    login: str = "",
    fault: str | None = None,
    code_fault: str | None = None,
    is_late: bool = False,
    sso: SsoFault | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    return render(
        request,
        "login.html",
        language,
        visitor,
        status=status,
        goal=goal,
        login=login,
        fault=fault,
        code_fault=code_fault,
        is_late=is_late,
        sso=sso,
        takes_codes=settings.development_login,
        provider=provider_of(settings),
    )


def provider_of(settings: Settings) -> str | None:
    """Return what the provider of single sign-on is called, perhaps nothing; absent: none."""
    return (settings.oidc_name or "") if settings.oidc_issuer else None


@router.post("/logout")
def submit_logout(request: Request, database: DatabaseDep, credential: CredentialDep) -> Response:
    """Sign out, and show the login page."""
    answer = go("/login")
    if credential is not None:
        with clear_connection_errors(), database.session(NOBODY) as session, session.begin():
            access.sign_out(session, credential.secret)
        delete_cookie(request, answer, SESSION)
    return answer
