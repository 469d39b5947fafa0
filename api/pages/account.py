"""The own account: what it is, its password, what is signed in, its keys."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.deps import CallerDep, DatabaseDep
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from api.pages.faults import REFUSALS, require_same
from api.pages.signing_in import provider_of
from api.pages.text import ago
from gridsvc.access import service as access
from gridsvc.access.devices import service as devices
from gridsvc.access.invitations import service as invitations
from gridsvc.access.keys import service as keys
from gridsvc.access.keys.model import LONGEST_DAYS, ApiKey
from gridsvc.access.model import KEY_ROLES
from gridsvc.db import clear_connection_errors
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    GridsvcError,
    TooManyKeysError,
    WeakPasswordError,
)

router = APIRouter(prefix="/account", include_in_schema=False, default_response_class=HTMLResponse)

PasswordField = Annotated[str, Form(max_length=400)]
Done = Literal["password", "ended", "ended-others", "revoked", "linked"]
KEY_DAYS = (30, 90, 365)
_LONGEST_NAME = 60


@router.get("")
def show_account(desk: DeskDep, done: Done | None = None) -> HTMLResponse:
    """Show the own account."""
    return _page(desk, done=done)


@router.post("/password")
def change_password(
    desk: DeskDep,
    database: DatabaseDep,
    caller: CallerDep,
    old: PasswordField = "",
    password: PasswordField = "",
    again: PasswordField = "",
) -> Response:
    """Change the password; everything else that is signed in ends."""
    try:
        require_same(password, again)
        with clear_connection_errors():
            invitations.change_password(
                database, desk.principal, old=old, new=password, caller=caller
            )
    except (WeakPasswordError, *REFUSALS) as error:
        return _page(desk, error=error, part="password")
    return go("/account", done="password")


@router.post("/sign-ins/end-others")
def end_others(desk: DeskDep) -> Response:
    """Sign out everywhere but here."""
    devices.end_others(desk.session, desk.principal)
    return go("/account", done="ended-others")


@router.post("/sign-ins/{sign_in_id}/end")
def end_sign_in(desk: DeskDep, sign_in_id: UUID) -> Response:
    """Sign out a browser or phone."""
    devices.end(desk.session, desk.principal, sign_in_id)
    return go("/account", done="ended")


@router.post("/keys")
def make_key(
    desk: DeskDep,
    name: Annotated[str, Form(max_length=_LONGEST_NAME)] = "",
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = 90,
    territory: Annotated[str, Form(pattern="^([1-9][0-9]{11})?$")] = "",
) -> HTMLResponse:
    """Make an API key, and show its secret this once."""
    code = int(territory) if territory else None
    try:
        made = keys.make(
            desk.session,
            desk.principal,
            name=_printable(name) or desk.say("key_unnamed"),
            territory_code=code,
            lasts_days=days,
        )
    except (BeyondOwnTerritoryError, TooManyKeysError) as error:
        return _page(desk, error=error, part="keys")
    return _page(desk, made=made)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()


@router.post("/keys/{key_id}/revoke")
def revoke_key(desk: DeskDep, key_id: str) -> Response:
    """End an API key."""
    keys.revoke(desk.session, desk.principal, key_id)
    return go("/account", done="revoked")


def _page(
    desk: Desk,
    *,
    done: Done | None = None,
    error: GridsvcError | None = None,
    part: str = "",
    made: tuple[ApiKey, str] | None = None,
) -> HTMLResponse:
    """Return the page; ``part`` is the form that the error belongs to."""
    principal, places = desk.principal, desk.places()
    has_keys = principal.role in KEY_ROLES
    own: Sequence[ApiKey] = keys.list_keys(desk.session, principal) if has_keys else ()
    return desk.show(
        "account.html",
        error=error,
        wrong="password_old_wrong",
        part=part,
        done=done,
        own=access.find_own(desk.session, principal),
        territories=places.names((one.lo, one.hi) for one in principal.scope.intervals),
        sign_ins=devices.list_sign_ins(desk.session, principal),
        has_keys=has_keys,
        keys=own,
        key_places={key.id: places.name(key.lo, key.hi) for key in own},
        key_days=KEY_DAYS,
        choices=places.choices(),
        made=made,
        origin=desk.settings.public_origin,
        provider=provider_of(desk.settings),
        since=partial(ago, now=datetime.now(UTC), say=desk.say),
    )
