"""Inviting: one person, or everybody of a list; the code is shown this once."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response

from api.pages.cards import cards_page
from api.pages.desk import Desk, DeskDep
from api.pages.faults import cell_fault
from api.pages.qr import qr_of
from api.pages.shell import new_nonce, policy
from api.schemas.accounts import link_of
from api.schemas.territory import CommunityCode
from gridsvc.access.accounts import service as accounts
from gridsvc.access.accounts.model import INVITED_ROLES, Invited, NewAccount
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    FaultyListError,
    GridsvcError,
    InvalidAccountError,
    LoginTakenError,
    UnreadableListError,
)

router = APIRouter(prefix="/admin", include_in_schema=False, default_response_class=HTMLResponse)

_FAULTS = (InvalidAccountError, BeyondOwnTerritoryError, LoginTakenError)


@router.get("/invite")
def show_invite(desk: DeskDep) -> HTMLResponse:
    """Ask whom to invite."""
    return _invite_page(desk, NewAccount("", "contact", ()))


@router.post("/invite")
def invite(
    desk: DeskDep,
    role: Annotated[str, Form(max_length=20)],
    name: Annotated[str, Form(max_length=200)] = "",
    login: Annotated[str, Form(max_length=100)] = "",
    territory: Annotated[list[CommunityCode] | None, Form()] = None,
) -> Response:
    """Make an account, and show its code this once."""
    new = NewAccount(name, role, tuple(territory or ()), login=login.strip() or None)
    try:
        with desk.session.begin_nested():
            invited = accounts.invite(desk.session, new)
    except _FAULTS as error:
        return _invite_page(desk, new, error)
    return show_invited(desk, invited, tab="invite")


def _invite_page(desk: Desk, new: NewAccount, error: GridsvcError | None = None) -> HTMLResponse:
    return desk.show(
        "invite_one.html",
        tab="invite",
        error=error,
        new=new,
        roles=INVITED_ROLES,
        choices=desk.places().choices(),
    )


def show_invited(desk: Desk, invited: Invited, *, tab: str) -> HTMLResponse:
    """Return the page with a code, to be handed over; nobody can see it again."""
    link = link_of(invited.code, origin=desk.settings.public_origin)
    return desk.show(
        "invited.html",
        tab=tab,
        invited=invited,
        account=invited.account,
        territories=desk.places().names(invited.account.territories),
        link=link,
        qr=qr_of(link),
    )


@router.get("/invite-list")
def show_invite_list(desk: DeskDep) -> HTMLResponse:
    """Ask for a list of people to invite."""
    return _list_page(desk)


@router.post("/invite-list")
def invite_list(desk: DeskDep, file: Annotated[UploadFile, File()]) -> Response:
    """Make the accounts of a list, all or none, and show their cards to print."""
    try:
        with desk.session.begin_nested():
            invited = accounts.invite_list(desk.session, file.file.read())
    except (FaultyListError, UnreadableListError) as error:
        return _list_page(desk, error)
    nonce = new_nonce()
    origin = desk.settings.public_origin
    cards = HTMLResponse(cards_page(invited, origin, desk.language, nonce=nonce))
    cards.headers["Content-Security-Policy"] = policy(nonce)
    return cards


def _list_page(desk: Desk, error: GridsvcError | None = None) -> HTMLResponse:
    faults = error.list_faults if isinstance(error, FaultyListError) else ()
    return desk.show(
        "invite_list.html",
        tab="invite_list",
        error=error,
        list_faults=faults,
        list_fault_words=partial(cell_fault, say=desk.say),
        roles=INVITED_ROLES,
        choices=desk.places().choices(),
    )
