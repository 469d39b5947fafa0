"""What every route by which people change their own account promises: one line a route."""

from typing import Any

from gridsvc.access.passwords import hash_password
from tests.api.matrix import (
    ACCOUNTS,
    EVERYBODY,
    KEEPERS,
    NOWHERE,
    Caller,
    Words,
    World,
)
from tests.api.matrix_office import office_of
from tests.api.matrix_promises import Ask, Changes, Promise, Request

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"


def code_of(world: World, caller: Caller) -> str:
    """Return the login code of a new account; a visitor has been given one, a key is nobody's."""
    role = caller.kind if caller.kind in ACCOUNTS else "contact"
    return world.service.account(role, (caller.code,)).code


def sign_in(world: World, caller: Caller, _: int) -> Ask:
    return Ask("POST", f"{V1}/session", {"json": {"code": code_of(world, caller)}})


def sign_in_by_page(world: World, caller: Caller, _: int) -> Ask:
    return Ask("POST", "/login", {"data": {"code": code_of(world, caller)}})


def sign_out(world: World, caller: Caller, _: int) -> Ask:
    return Ask("DELETE", f"{V1}/session", by=world.twin(caller))


def sign_out_by_page(world: World, caller: Caller, _: int) -> Ask:
    return Ask("POST", "/logout", by=world.twin(caller))


def refresh(world: World, caller: Caller, _: int) -> Ask:
    """Renew the tokens of a phone that has just been signed in."""
    body = {"code": code_of(world, caller), "device": {"name": "巡查一队"}}
    started = world.service.visitor().post(f"{V1}/session", json=body).json()
    token = {"refresh_token": started["refresh_token"]}
    return Ask("POST", f"{V1}/session/refresh", {"json": token})


def end_others(path: str, method: str) -> Request:
    """End the other one of two sign-ins of a new account."""

    def ask(world: World, caller: Caller, _: int) -> Ask:
        if caller.kind not in ACCOUNTS:
            return Ask(method, path)
        account = world.service.account(caller.kind, (caller.code,))
        world.service.sign_in(account)
        return Ask(method, path, by=world.service.sign_in(account))

    return ask


def end_sign_in(path: str, method: str, *, of_another: bool = False) -> Request:
    """End a second sign-in of the caller, or one of a colleague of the same role and place."""

    def ask(world: World, caller: Caller, place: int) -> Ask:
        if place == NOWHERE or caller.kind not in ACCOUNTS:
            return Ask(method, path.format(NOTHING))
        account = world.account(caller)
        if of_another:
            account = world.service.account(caller.kind, (caller.code,))
        world.service.sign_in(account)
        newest = world.owner(
            f"SELECT id FROM gridsvc.sign_in WHERE account_id = '{account.id}'"  # noqa: S608 - an id
            " ORDER BY id DESC LIMIT 1"
        )
        return Ask(method, path.format(newest[0]))

    return ask


def make_key(_: World, __: Caller, place: int) -> Ask:
    body = {"name": "QGIS", "days": 1, "territory": place}
    return Ask("POST", f"{V1}/keys", {"json": body})


def make_key_by_page(_: World, __: Caller, place: int) -> Ask:
    return Ask("POST", "/account/keys", {"data": {"name": "QGIS", "days": 1, "territory": place}})


def revoke_key(path: str, method: str, *, of_another: bool = False) -> Request:
    def ask(world: World, caller: Caller, place: int) -> Ask:
        if place == NOWHERE or caller.kind not in ACCOUNTS:
            return Ask(method, path.format("0" * 16))
        account = world.account(caller)
        if of_another:
            account = world.service.account("administrator", (caller.code,))
        return Ask(method, path.format(world.add_key(account.id, caller).split("_")[1]))

    return ask


PASSWORD, NEW_PASSWORD = "seven trees, three cats", "nine rivers & five birds"


def change_password(world: World, caller: Caller, _: int) -> Ask:
    """Change the password of an account of the caller's role that has one."""
    form = {"old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    if caller.kind not in ACCOUNTS:
        return Ask("POST", "/account/password", {"data": form})
    account = world.service.account(caller.kind, (caller.code,))
    hashed = hash_password(PASSWORD)
    world.clone.run(
        f"UPDATE gridsvc.account SET password_hash = '{hashed}' WHERE id = '{account.id}'"  # noqa: S608
    )
    return Ask("POST", "/account/password", {"data": form}, by=world.service.sign_in(account))


def invitation_of(world: World, caller: Caller) -> str:
    """Return the code of an invitation to the caller's territory."""
    body = {"name": "丁一", "role": "contact", "territory_codes": [caller.code]}
    made = world.client(Caller("administrator", caller.code)).post(f"{V1}/accounts", json=body)
    return str(made.json()["code"])


def redeem(world: World, caller: Caller, _: int) -> Ask:
    body = {"code": invitation_of(world, caller), "password": PASSWORD}
    return Ask("POST", f"{V1}/invitations/redeem", {"json": body})


def redeem_by_page(world: World, caller: Caller, _: int) -> Ask:
    form = {"code": invitation_of(world, caller), "password": PASSWORD, "again": PASSWORD}
    return Ask("POST", "/invite/password", {"data": form})


def look_at_invitation(world: World, caller: Caller, _: int) -> Ask:
    return Ask("POST", "/invite", {"data": {"code": invitation_of(world, caller)}})


REDEEMED = {"account", "invitation", "sign_in", "audit_event"}


def own(
    route: str, ask: Request, tables: Words, *, kinds: Words = EVERYBODY, **more: Any
) -> tuple[str, Promise]:
    """Return the line of a route by which people change their own account."""
    return route, Changes(kinds, ask, tables, places=(), **more)


OWN: tuple[tuple[str, Promise], ...] = (
    own(f"POST {V1}/session", sign_in, {"sign_in", "audit_event"}),
    own("POST /login", sign_in_by_page, {"sign_in", "audit_event"}),
    own(f"POST {V1}/session/refresh", refresh, {"sign_in", "device_token"}),
    own(f"DELETE {V1}/session", sign_out, {"sign_in"}, kinds=ACCOUNTS),
    own("POST /logout", sign_out_by_page, {"sign_in"}, nothing_for={"key", "visitor"}),
    own(
        f"DELETE {V1}/sign-ins",
        end_others(f"{V1}/sign-ins", "DELETE"),
        {"sign_in", "audit_event"},
        kinds=ACCOUNTS,
    ),
    own(
        f"DELETE {V1}/sign-ins/{{sign_in_id}}",
        end_sign_in(f"{V1}/sign-ins/{{}}", "DELETE"),
        {"sign_in", "audit_event"},
        kinds=ACCOUNTS,
        anothers=end_sign_in(f"{V1}/sign-ins/{{}}", "DELETE", of_another=True),
    ),
    own(
        f"DELETE {V1}/keys/{{key_id}}",
        revoke_key(f"{V1}/keys/{{}}", "DELETE"),
        {"api_key", "audit_event"},
        kinds=KEEPERS,
        anothers=revoke_key(f"{V1}/keys/{{}}", "DELETE", of_another=True),
    ),
    (
        f"POST {V1}/keys",
        Changes(KEEPERS, make_key, {"api_key", "audit_event"}, foreign=422, where=office_of),
    ),
    own(f"POST {V1}/invitations/redeem", redeem, REDEEMED),
    own("POST /invite", look_at_invitation, set(), nothing_for=EVERYBODY),
    own("POST /invite/password", redeem_by_page, REDEEMED),
    own(
        "POST /account/password",
        change_password,
        {"account", "audit_event"},
        perhaps={"sign_in"},
        kinds=ACCOUNTS,
    ),
    own(
        "POST /account/sign-ins/end-others",
        end_others("/account/sign-ins/end-others", "POST"),
        {"sign_in", "audit_event"},
        kinds=ACCOUNTS,
    ),
    own(
        "POST /account/sign-ins/{sign_in_id}/end",
        end_sign_in("/account/sign-ins/{}/end", "POST"),
        {"sign_in", "audit_event"},
        kinds=ACCOUNTS,
        anothers=end_sign_in("/account/sign-ins/{}/end", "POST", of_another=True),
    ),
    (
        "POST /account/keys",
        Changes(
            *(KEEPERS, make_key_by_page, {"api_key", "audit_event"}), foreign=422, where=office_of
        ),
    ),
    own(
        "POST /account/keys/{key_id}/revoke",
        revoke_key("/account/keys/{}/revoke", "POST"),
        {"api_key", "audit_event"},
        kinds=KEEPERS,
        anothers=revoke_key("/account/keys/{}/revoke", "POST", of_another=True),
    ),
)
