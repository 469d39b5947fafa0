"""Accounts, for administrators: invite, look up, change, disable, reset."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile

from api.deps import SessionDep, SettingsDep
from api.errors import responses
from api.schemas.accounts import (
    AccountChangeIn,
    AccountOut,
    AccountSearchIn,
    InvitedListOut,
    InvitedOut,
    NewAccountIn,
    Role,
)
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    invalid_cursor,
    page_of,
)
from api.schemas.territory import CommunityCode
from gridsvc.access.accounts import service
from gridsvc.access.accounts.model import NewAccount
from gridsvc.access.accounts.sheets import MAX_BYTES
from gridsvc.access.model import Account

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])


@router.get("", response_model=Page[AccountOut], responses=responses(401, 403, 422, 503))
def list_accounts(
    session: SessionDep,
    role: Role | None = None,
    community: Annotated[
        CommunityCode | None, Query(description="Those that may see any of it.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the accounts that the caller looks after, by login."""
    accounts = service.list_accounts(
        session, role=role, territory_code=community, after=_after(cursor), limit=limit + 1
    )
    return _page(accounts, limit)


@router.post("/search", response_model=Page[AccountOut], responses=responses(401, 403, 422, 503))
def search_accounts(session: SessionDep, body: AccountSearchIn) -> dict[str, object]:
    """Return the accounts whose name or login holds each of the words, by login."""
    accounts = service.list_accounts(
        session, words=body.words, after=_after(body.cursor), limit=body.limit + 1
    )
    return _page(accounts, body.limit)


def _after(cursor: str | None) -> tuple[str, UUID] | None:
    parts = decode_cursor(cursor, parts=2)
    try:
        return (parts[0], UUID(parts[1])) if parts else None
    except ValueError:
        raise invalid_cursor() from None


def _page(accounts: list[Account], limit: int) -> dict[str, object]:
    shown = [AccountOut.of(account) for account in accounts]
    return page_of(shown, limit, names=lambda last: (last.login, str(last.id)))


@router.post(
    "", response_model=InvitedOut, status_code=201, responses=responses(401, 403, 409, 422, 503)
)
def invite_account(session: SessionDep, settings: SettingsDep, body: NewAccountIn) -> InvitedOut:
    """Make an account, and the one-time code by which its owner chooses a password.

    The code is in this answer only: a repetition would make another account.
    """
    codes = tuple(body.territory_codes)
    wanted = NewAccount(body.name, body.role, codes, body.login, body.person_id)
    return InvitedOut.of(service.invite(session, wanted), origin=settings.public_origin)


@router.post(
    "/list",
    response_model=InvitedListOut,
    status_code=201,
    responses=responses(401, 403, 422, 503),
)
def invite_list(
    session: SessionDep,
    settings: SettingsDep,
    file: Annotated[UploadFile, File(description=".xlsx or .csv, 5 MB and 20,000 rows at most.")],
) -> InvitedListOut:
    """Invite everybody in a list, or nobody: a problem names every faulty row and column."""
    content = file.file.read(MAX_BYTES + 1)
    invited = service.invite_list(session, content)
    origin = settings.public_origin
    return InvitedListOut(items=[InvitedOut.of(one, origin=origin) for one in invited])


@router.get(
    "/{account_id}", response_model=AccountOut, responses=responses(401, 403, 404, 422, 503)
)
def get_account(session: SessionDep, account_id: UUID) -> AccountOut:
    """Return one account."""
    return AccountOut.of(service.get(session, account_id))


@router.patch(
    "/{account_id}",
    response_model=AccountOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def change_account(session: SessionDep, account_id: UUID, body: AccountChangeIn) -> AccountOut:
    """Change an account; it holds from its next request, and disabling signs it out."""
    return AccountOut.of(service.change(session, account_id, **body.model_dump()))


@router.post(
    "/{account_id}/invitation",
    response_model=InvitedOut,
    status_code=201,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def invite_again(session: SessionDep, settings: SettingsDep, account_id: UUID) -> InvitedOut:
    """Replace a forgotten password by a new one-time code; what is signed in ends."""
    return InvitedOut.of(service.invite_again(session, account_id), origin=settings.public_origin)


@router.delete(
    "/{account_id}/second-factor",
    response_model=AccountOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def reset_second_factor(session: SessionDep, account_id: UUID) -> AccountOut:
    """Take the authenticator off an account; what is signed in ends, the next one sets another."""
    return AccountOut.of(service.reset_second_factor(session, account_id))
