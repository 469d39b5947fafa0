"""Between password and session: setting an authenticator, and its code."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from api.credentials import PENDING, cookie_name, require_csrf
from api.deps import CallerDep, DatabaseDep, Language, LanguageDep, VaultDep
from api.errors import status_of
from api.pages.entering import enter, go
from api.pages.faults import REFUSALS, fault_of, with_wait
from api.pages.qr import qr_of
from api.pages.shell import own_path, render
from api.pages.signing_in import NextField, NextPath
from gridsvc.access import service as access
from gridsvc.access import signing_in
from gridsvc.db import NOBODY, Database, clear_connection_errors
from gridsvc.errors import NotSignedInError
from gridsvc.vault import Vault

router = APIRouter(
    prefix="/login/second-factor", include_in_schema=False, default_response_class=HTMLResponse
)


def get_pending_token(request: Request) -> str:
    """Return the token of a browser whose password was right, or refuse."""
    token = request.cookies.get(cookie_name(request, PENDING))
    if token is None:
        raise NotSignedInError
    return token


PendingDep = Annotated[str, Depends(get_pending_token)]


async def _require_own_page(request: Request, pending: PendingDep) -> None:
    await require_csrf(request, cookie=pending)


@router.get("")
def show_second_factor(
    request: Request,
    database: DatabaseDep,
    vault: VaultDep,
    language: LanguageDep,
    pending: PendingDep,
    next_path: NextPath = None,
) -> Response:
    """Ask for the authenticator's code; who has none yet is shown how to set one."""
    goal = own_path(next_path, default="")
    try:
        secret = _offered(database, pending, vault)
    except NotSignedInError:
        return go("/login", next=goal, late="1")
    return _page(request, language, goal=goal, secret=secret)


@router.post("", dependencies=[Depends(_require_own_page)])
def submit_second_factor(
    request: Request,
    database: DatabaseDep,
    vault: VaultDep,
    language: LanguageDep,
    caller: CallerDep,
    pending: PendingDep,
    one_time_code: Annotated[str, Form(max_length=20)] = "",
    next_path: NextField = None,
) -> Response:
    """Finish the sign-in by the code of the authenticator."""
    goal = own_path(next_path, default="")
    typed = "".join(one_time_code.split())
    try:
        with clear_connection_errors():
            started = signing_in.confirm(
                database, token=pending, one_time_code=typed, caller=caller, vault=vault
            )
    except REFUSALS as error:
        secret = _offered(database, pending, vault)
        fault = fault_of(error, language, wrong="second_factor_wrong")
        answer = _page(
            request, language, goal=goal, secret=secret, fault=fault, status=status_of(error)
        )
        return with_wait(answer, error)
    except NotSignedInError:
        return go("/login", next=goal, late="1")
    return enter(request, started, goal)


def _offered(database: Database, pending: str, vault: Vault) -> tuple[str, str] | None:
    """Return the secret to be set and its address; nothing where one is set already.

    Raises
    ------
    NotSignedInError
        The token has expired.
    """
    with clear_connection_errors():
        with database.session(NOBODY, read_only=True) as session, session.begin():
            waiting = access.get_pending(session, pending)
        if waiting.totp_is_confirmed:
            return None
        return signing_in.offer_secret(database, token=pending, vault=vault)


def _page(
    request: Request,
    language: Language,
    *,
    goal: str,
    secret: tuple[str, str] | None,
    fault: str | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    return render(
        request,
        "second_factor.html",
        language,
        None,
        status=status,
        csrf_for=PENDING,
        goal=goal,
        fault=fault,
        secret=in_groups(secret[0]) if secret else None,
        qr=qr_of(secret[1]) if secret else None,
    )


def in_groups(secret: str, size: int = 4) -> str:
    """Return a secret in groups that people can type.

    Examples
    --------
    >>> in_groups("ABCDEFGHIJ")
    'ABCD EFGH IJ'
    """
    return " ".join(secret[start : start + size] for start in range(0, len(secret), size))
