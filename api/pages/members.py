"""The register of members: a list to narrow, a search by name, one phone for a purpose."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.deps import DatabaseDep, VaultDep
from api.pages.desk import Desk, DeskDep
from api.routes.members import after_of
from api.schemas.paging import Cursor, encode_cursor
from api.schemas.people import Affiliation, PostKind, Purpose
from api.schemas.territory import CommunityCode
from gridsvc.db import clear_connection_errors
from gridsvc.errors import GridsvcError, TooManyTriesError
from gridsvc.people import revealing
from gridsvc.people import service as people
from gridsvc.people.model import AFFILIATIONS, POST_KINDS, PURPOSES, Revealed
from gridsvc.people.register import service as register
from gridsvc.people.register.model import Filter

router = APIRouter(
    prefix="/admin/members", include_in_schema=False, default_response_class=HTMLResponse
)

PAGE_LENGTH = 50
Words = Annotated[str, Form(max_length=50)]
Empty = Literal[""] | None
"""A choice of a form that was not made."""


@router.get("")
def show_members(
    desk: DeskDep,
    community: CommunityCode | Empty = None,
    affiliation: Affiliation | Empty = None,
    post: PostKind | Empty = None,
    branch: UUID | Empty = None,
    free: bool | Empty = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Show the register, narrowed by what the address says."""
    is_free = free if isinstance(free, bool) else None
    narrowed = Filter(
        community or None, affiliation or None, post or None, branch or None, None, is_free
    )
    return _page(desk, "", narrowed=narrowed, cursor=cursor)


@router.post("")
def search_members(desk: DeskDep, words: Words = "") -> HTMLResponse:
    """Show the members of a name, phones masked."""
    return _page(desk, words)


@router.post("/{member_id}/reveal")
def reveal_member(
    desk: DeskDep,
    database: DatabaseDep,
    vault: VaultDep,
    member_id: UUID,
    purpose: Annotated[Purpose, Form()],
    words: Words = "",
) -> Response:
    """Show one phone in clear; it is noted with its purpose."""
    try:
        with clear_connection_errors():
            revealed = revealing.reveal(
                database, desk.principal.scope, member_id=member_id, purpose=purpose, vault=vault
            )
    except TooManyTriesError as error:
        return _page(desk, words, error=error)
    return _page(desk, words, revealed=revealed)


def _page(
    desk: Desk,
    words: str,
    *,
    narrowed: Filter | None = None,
    cursor: str | None = None,
    revealed: Revealed | None = None,
    error: GridsvcError | None = None,
) -> HTMLResponse:
    printable = "".join(letter for letter in words if letter.isprintable()).strip()
    found, is_cut = people.search(desk.session, printable) if printable else ([], False)
    places = desk.places()
    narrowed = narrowed or Filter()
    listed = []
    if not printable:
        listed = register.list_members(
            desk.session, narrowed, after=after_of(cursor), limit=PAGE_LENGTH + 1
        )
    shown = listed[:PAGE_LENGTH]
    last = shown[-1] if len(listed) > PAGE_LENGTH else None
    return desk.show(
        "members.html",
        tab="members",
        error=error,
        words=printable,
        found=found,
        is_cut=is_cut,
        revealed=revealed,
        places={
            member_id: places.code_name(code)
            for member_id, code in (
                *((one.member_id, one.community_code) for one in found),
                *((one.member_id, one.community_code) for one in shown),
            )
        },
        purposes=PURPOSES,
        listed=shown,
        total=register.count_members(desk.session, narrowed),
        narrowed=narrowed,
        query=_query(narrowed),
        following=last and encode_cursor(str(last.community_code), str(last.member_id)),
        is_first=cursor is None,
        communities=[one for one in places.choices() if not one.is_whole],
        branches=register.list_branches(desk.session),
        affiliations=AFFILIATIONS,
        post_kinds=POST_KINDS,
    )


def _query(narrowed: Filter) -> str:
    """Return the filters as the address has them."""
    given = {
        "community": narrowed.community_code,
        "affiliation": narrowed.affiliation,
        "post": narrowed.post,
        "branch": narrowed.branch_id,
        "free": None if narrowed.is_free is None else str(narrowed.is_free).lower(),
    }
    return urlencode({name: value for name, value in given.items() if value is not None})
