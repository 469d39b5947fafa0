"""What every route by which administrators change accounts promises: one line a route."""

from typing import Any

from tests.api.matrix import (
    ADMINISTRATORS,
    NOWHERE,
    PLACES,
    Caller,
    Words,
    World,
)
from tests.api.matrix_promises import Ask, Changes, Promise, Request

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"


def office_of(caller: Caller, _: int) -> set[int]:
    return {caller.code}


def invite(_: World, __: Caller, place: int) -> Ask:
    body = {"name": "丁一", "role": "contact", "territory_codes": [place]}
    return Ask("POST", f"{V1}/accounts", {"json": body})


def invite_by_page(_: World, __: Caller, place: int) -> Ask:
    form = {"name": "丁一", "role": "contact", "territory": place}
    return Ask("POST", "/admin/invite", {"data": form})


def invite_list(path: str) -> Request:
    def ask(_: World, __: Caller, place: int) -> Ask:
        rows = f"姓名,角色,管辖\n丁一,楼长,{place}\n丁二,巡查队,{place}\n".encode()
        return Ask("POST", path, {"files": {"file": ("list.csv", rows, "text/csv")}})

    return ask


def to_account(path: str, method: str, **send: Any) -> Request:
    """Return a request about a new account of a place."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        if place == NOWHERE:
            return Ask(method, path.format(NOTHING), send)
        account = world.service.account("contact", (place,))
        if path.endswith("/enable"):
            world.clone.run(
                f"UPDATE gridsvc.account SET is_disabled = true WHERE id = '{account.id}'"  # noqa: S608
            )
        return Ask(method, path.format(account.id), send)

    return ask


def change_by_page(world: World, _: Caller, place: int) -> Ask:
    form = {"name": "丁四", "role": "patrol", "territory": place}
    return to_account("/admin/accounts/{}", "POST", data=form)(world, _, place)


CHANGED = {"account", "audit_event"}
MADE = {"account", "account_scope", "invitation", "audit_event"}


def office(route: str, ask: Request, tables: Words) -> tuple[str, Promise]:
    """Return the line of a route by which administrators change an account that is there."""
    return route, Changes(ADMINISTRATORS, ask, tables, perhaps={"account"}, places=PLACES)


OFFICE: tuple[tuple[str, Promise], ...] = (
    (
        f"POST {V1}/accounts",
        Changes(ADMINISTRATORS, invite, MADE, foreign=422, where=office_of),
    ),
    (
        "POST /admin/invite",
        Changes(ADMINISTRATORS, invite_by_page, MADE, foreign=422, where=office_of),
    ),
    *(
        (route, Changes(ADMINISTRATORS, invite_list(path), MADE, foreign=422, where=office_of))
        for route, path in (
            (f"POST {V1}/accounts/list", f"{V1}/accounts/list"),
            ("POST /admin/invite-list", "/admin/invite-list"),
        )
    ),
    office(
        f"PATCH {V1}/accounts/{{account_id}}",
        to_account(f"{V1}/accounts/{{}}", "PATCH", json={"name": "丁三"}),
        {"account", "audit_event"},
    ),
    office(
        f"POST {V1}/accounts/{{account_id}}/invitation",
        to_account(f"{V1}/accounts/{{}}/invitation", "POST"),
        {"invitation", "audit_event"},
    ),
    office(
        f"DELETE {V1}/accounts/{{account_id}}/second-factor",
        to_account(f"{V1}/accounts/{{}}/second-factor", "DELETE"),
        {"audit_event"},
    ),
    *(
        office(
            f"POST /admin/accounts/{{account_id}}/{deed}",
            to_account(f"/admin/accounts/{{}}/{deed}", "POST"),
            {table, "audit_event"},
        )
        for deed, table in (
            ("disable", "account"),
            ("enable", "account"),
            ("invite", "invitation"),
            ("reset-second-factor", "audit_event"),
        )
    ),
    ("POST /admin/accounts/{account_id}", Changes(ADMINISTRATORS, change_by_page, CHANGED)),
)
