"""Accounts for administrators: the list, one account, and what changes it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response

from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.inviting import show_invited
from api.schemas.territory import CommunityCode
from gridsvc.access.accounts import service as accounts
from gridsvc.access.accounts.model import INVITED_ROLES
from gridsvc.access.model import Account
from gridsvc.errors import BeyondOwnTerritoryError, GridsvcError, InvalidAccountError

router = APIRouter(prefix="/admin", include_in_schema=False, default_response_class=HTMLResponse)

RoleName = Literal["contact", "patrol", "coordinator", "planner", "administrator"]
RoleQuery = Annotated[RoleName | Literal[""], Query()]
CommunityQuery = Annotated[str, Query(pattern="^([1-9][0-9]{11})?$")]
Words = Annotated[str, Form(max_length=100)]
Territories = Annotated[list[CommunityCode] | None, Form()]
Done = Literal["changed", "disabled", "enabled", "reset"]
PAGE_LENGTH = 50


@router.get("")
def show_accounts(
    desk: DeskDep, role: RoleQuery = "", community: CommunityQuery = ""
) -> HTMLResponse:
    """Show the accounts of the caller's territory."""
    return _list(desk, role, community)


@router.post("")
def search_accounts(
    desk: DeskDep,
    role: RoleQuery = "",
    community: CommunityQuery = "",
    words: Words = "",
    after_login: Annotated[str, Form(max_length=100, pattern=r"^[^\x00-\x1f]*$")] = "",
    after_id: Annotated[UUID | None, Form()] = None,
) -> HTMLResponse:
    """Find accounts by part of a name or login, or go on to the next ones."""
    after = (after_login, after_id) if after_login and after_id else None
    return _list(desk, role, community, words=words, after=after)


def _list(
    desk: Desk,
    role: str,
    community: str,
    *,
    words: str = "",
    after: tuple[str, UUID] | None = None,
) -> HTMLResponse:
    found = accounts.list_accounts(
        desk.session,
        role=role or None,
        territory_code=int(community) if community else None,
        words="".join(letter for letter in words if letter.isprintable()),
        after=after,
        limit=PAGE_LENGTH + 1,
    )
    places = desk.places()
    shown = found[:PAGE_LENGTH]
    return desk.show(
        "accounts.html",
        tab="accounts",
        role=role,
        community=community,
        words=words,
        accounts=shown,
        places={account.id: places.names(account.territories) for account in shown},
        last=shown[-1] if len(found) > PAGE_LENGTH else None,
        is_first=after is None,
        roles=INVITED_ROLES,
        choices=places.choices(),
    )


@router.get("/accounts/{account_id}")
def show_account(desk: DeskDep, account_id: UUID, done: Done | None = None) -> HTMLResponse:
    """Show one account, and what can be changed of it."""
    return _account_page(desk, accounts.get(desk.session, account_id), done=done)


@router.post("/accounts/{account_id}")
def change_account(
    desk: DeskDep,
    account_id: UUID,
    role: Annotated[RoleName, Form()],
    name: Annotated[str, Form(max_length=200)] = "",
    territory: Territories = None,
) -> Response:
    """Change name, role and territory."""
    try:
        with desk.session.begin_nested():
            accounts.change(
                desk.session,
                account_id,
                name=name,
                role=role,
                territory_codes=tuple(territory or ()),
            )
    except (InvalidAccountError, BeyondOwnTerritoryError) as error:
        return _account_page(desk, accounts.get(desk.session, account_id), error=error)
    return go(f"/admin/accounts/{account_id}", done="changed")


@router.post("/accounts/{account_id}/disable")
def disable_account(desk: DeskDep, account_id: UUID) -> Response:
    """Shut an account out, from its next request on."""
    accounts.change(desk.session, account_id, is_disabled=True)
    return go(f"/admin/accounts/{account_id}", done="disabled")


@router.post("/accounts/{account_id}/enable")
def enable_account(desk: DeskDep, account_id: UUID) -> Response:
    """Let an account in again."""
    accounts.change(desk.session, account_id, is_disabled=False)
    return go(f"/admin/accounts/{account_id}", done="enabled")


@router.post("/accounts/{account_id}/reset-second-factor")
def reset_second_factor(desk: DeskDep, account_id: UUID) -> Response:
    """Take the authenticator off; the next sign-in sets another one."""
    accounts.reset_second_factor(desk.session, account_id)
    return go(f"/admin/accounts/{account_id}", done="reset")


@router.post("/accounts/{account_id}/invite")
def invite_again(desk: DeskDep, account_id: UUID) -> HTMLResponse:
    """End a forgotten password, and show a new code this once."""
    return show_invited(desk, accounts.invite_again(desk.session, account_id), tab="accounts")


def _account_page(
    desk: Desk,
    account: Account,
    *,
    done: Done | None = None,
    error: GridsvcError | None = None,
) -> HTMLResponse:
    places = desk.places()
    return desk.show(
        "account_of.html",
        tab="accounts",
        error=error,
        done=done,
        account=account,
        is_own=account.id == desk.principal.account_id,
        territories=places.names(account.territories),
        given={lo for lo, _ in account.territories},
        roles=INVITED_ROLES,
        choices=places.choices(),
    )
