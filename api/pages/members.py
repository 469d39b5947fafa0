"""Looking for a member, the phone masked; and revealing one phone for a purpose."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.deps import DatabaseDep, VaultDep
from api.pages.desk import Desk, DeskDep
from api.schemas.people import Purpose
from gridsvc.db import clear_connection_errors
from gridsvc.errors import GridsvcError, TooManyTriesError
from gridsvc.people import revealing
from gridsvc.people import service as people
from gridsvc.people.model import PURPOSES, Revealed

router = APIRouter(
    prefix="/admin/members", include_in_schema=False, default_response_class=HTMLResponse
)

Words = Annotated[str, Form(max_length=50)]


@router.get("")
def show_members(desk: DeskDep) -> HTMLResponse:
    """Ask for a name."""
    return _page(desk, "")


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
    revealed: Revealed | None = None,
    error: GridsvcError | None = None,
) -> HTMLResponse:
    printable = "".join(letter for letter in words if letter.isprintable()).strip()
    found, is_cut = people.search(desk.session, printable) if printable else ([], False)
    places = desk.places()
    return desk.show(
        "members.html",
        tab="members",
        error=error,
        words=printable,
        found=found,
        is_cut=is_cut,
        revealed=revealed,
        places={one.member_id: places.code_name(one.community_code) for one in found},
        purposes=PURPOSES,
    )
