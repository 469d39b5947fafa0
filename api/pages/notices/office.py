"""Channels and dead letters, for administrators."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.deps import VaultDep
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.text import ago
from api.schemas.notices import ChannelKind, DeliveryOut
from api.schemas.paging import Cursor, decode_time_cursor, encode_cursor
from gridsvc.errors import (
    DeliveryStateError,
    GridsvcError,
    InvalidChannelError,
    NotFoundError,
)
from gridsvc.notices import channels, service
from gridsvc.notices.channels import NewChannel
from gridsvc.notices.model import CHANNEL_KINDS, LANGUAGES, Channel, Language
from gridsvc.notices.sending.outcome import OUTCOMES

router = APIRouter(
    prefix="/admin/notices", include_in_schema=False, default_response_class=HTMLResponse
)
PAGE_LENGTH = 30
Done = Literal["added", "on", "off", "deleted", "tested", "resent"]
Deed = Literal["on", "off", "delete", "test"]
_DONE: dict[Deed, Done] = {"on": "on", "off": "off", "delete": "deleted", "test": "tested"}


@router.get("")
def show_office(desk: DeskDep, cursor: Cursor = None, done: Done | None = None) -> HTMLResponse:
    """Show the channels, and what could not be delivered."""
    return _page(desk, cursor=cursor, done=done)


@router.post("")
def add_channel(
    desk: DeskDep,
    vault: VaultDep,
    kind: Annotated[ChannelKind, Form()],
    place: Annotated[str, Form(max_length=20)] = "",
    name: Annotated[str, Form(max_length=60)] = "",
    address: Annotated[str, Form(max_length=1000)] = "",
    secret: Annotated[str, Form(max_length=200)] = "",
    written_in: Annotated[Language, Form()] = "zh",
) -> Response:
    """Make a channel; the secret of a webhook is shown this once."""
    wanted = NewChannel(kind, name, place.strip(), address, secret, written_in)
    networks = desk.settings.notice_networks or ()
    try:
        with desk.session.begin_nested():
            made, new_secret = channels.add(desk.session, vault, wanted, networks=networks)
    except (InvalidChannelError, NotFoundError) as error:
        return _page(desk, error=error, form=wanted)
    if new_secret:
        return _page(desk, done="added", made=(made, new_secret))
    return go("/admin/notices", done="added")


@router.post("/channels/{channel_id}")
def change_channel(
    desk: DeskDep, vault: VaultDep, channel_id: UUID, deed: Annotated[Deed, Form()]
) -> Response:
    """Switch a channel on or off, delete it, or send it a test notice."""
    if deed == "delete":
        channels.remove(desk.session, channel_id)
    elif deed == "test":
        channels.send_test(desk.session, channel_id)
    else:
        channels.change(desk.session, vault, channel_id, is_on=deed == "on")
    return go("/admin/notices", done=_DONE[deed])


@router.post("/deliveries/{delivery_id}")
def resend(desk: DeskDep, delivery_id: UUID) -> Response:
    """Try a dead letter again; a colleague may have been faster."""
    try:
        with desk.session.begin_nested():
            service.resend(desk.session, delivery_id)
    except DeliveryStateError:
        return go("/admin/notices")
    return go("/admin/notices", done="resent")


def _page(
    desk: Desk,
    *,
    cursor: str | None = None,
    done: Done | None = None,
    error: GridsvcError | None = None,
    form: NewChannel | None = None,
    made: tuple[Channel, str] | None = None,
) -> HTMLResponse:
    found = service.list_letters(
        desk.session, before=decode_time_cursor(cursor), limit=PAGE_LENGTH + 1
    )
    letters = [DeliveryOut.of(one) for one in found[:PAGE_LENGTH]]
    last = letters[-1] if len(found) > PAGE_LENGTH else None
    places = desk.places()
    page = desk.show(
        "notice_office.html",
        tab="notices",
        done=done,
        form=form,
        told=_sentence(desk, error) if error else None,
        made=made,
        channels=channels.list_channels(desk.session),
        kinds=CHANNEL_KINDS,
        languages=LANGUAGES,
        letters=letters,
        dead_count=service.count_letters(desk.session),
        outcome=partial(_outcome, desk),
        choices=places.choices(),
        place_name=lambda code: _place_name(places.code_name(int(code[:12])), code),
        following=encode_cursor(last.created_at.isoformat(), str(last.id)) if last else None,
        is_first=cursor is None,
        since=partial(ago, now=datetime.now(UTC), say=desk.say),
    )
    page.headers["Cache-Control"] = "private, no-store"  # it may hold a secret
    if error is not None:
        page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return page


def _place_name(community: str, code: str) -> Sequence[str]:
    """Return what a place is called, and its code where that says more."""
    return (community,) if len(code) == 12 else (community, code)


def _sentence(desk: Desk, error: GridsvcError) -> str:
    fault = error.fault if isinstance(error, InvalidChannelError) else "place"
    return desk.say(f"channel_fault_{fault.replace('-', '_')}")


def _outcome(desk: Desk, word: str | None) -> str:
    """Return how a try ended in words; one of before, which has none, as it is."""
    return desk.say(f"try_{word}".replace("-", "_")) if word in OUTCOMES else str(word)
