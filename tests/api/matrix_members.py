"""What every route about the register of members promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

from datetime import date, timedelta
from itertools import count
from typing import Any

from httpx2 import Response

from tests import town
from tests.api.matrix import PLACES, STAFF, STREET, A, Caller, World
from tests.api.matrix_found import by_pattern, each
from tests.api.matrix_promises import Ask, Changes, Frame, Lists, One, Promise, Request, Rows
from tests.workbooks import workbook

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
MEMBERS = Rows(
    "member",
    where="erased_at IS NULL",
    of_contact=(
        "id IN (SELECT member_id FROM gridsvc.contact WHERE kind = 'lead' AND upper_inf(valid)"
        " AND stairwell_code IN ({own}))"
    ),
)
TWINS = Rows(
    "member", where="id IN (SELECT member_id FROM gridsvc.member_identity WHERE name = '甲双')"
)
_NUMBERS = count(1)


def _own_id(answer: Response) -> list[object]:
    return [answer.json()["member_id"]]


def _both(answer: Response) -> list[object]:
    found = {
        one["member_id"]
        for pair in answer.json()
        for one in (pair["one"], pair["other"])
        if one["name"] == "甲双"
    }
    return sorted(found)


def _member(world: World, place: int, number: int = 0) -> tuple[str, int]:
    """Return id and version of a member of a place, or of none that could be."""
    found = world.owner(
        f"SELECT id || ' ' || version FROM gridsvc.member WHERE community_code = {place}"
        f" AND erased_at IS NULL ORDER BY id OFFSET {number} LIMIT 1"
    )
    if not found:
        return NOTHING, 1
    member_id, version = found[0].split()
    return member_id, int(version)


def _stairwell(world: World, place: int) -> str:
    found = world.owner(
        f"SELECT code FROM gridsvc.stairwell WHERE community_code = {place}"
        f" AND retired_on IS NULL ORDER BY code OFFSET {next(_NUMBERS) % 3} LIMIT 1"
    )
    return found[0] if found else "9" * 20


def add(_: World, __: Caller, place: int) -> Ask:
    body = {
        "community_code": place,
        "name": f"新人{next(_NUMBERS)}",
        "affiliation": "masses",
        "home": {"lon": 113.2, "lat": 23.1},
        "capacity_households": 20,
        "capacity_stairwells": 2,
        "consented_on": "2026-01-01",
    }
    return Ask("POST", f"{V1}/members", {"json": body})


def add_by_page(_: World, __: Caller, place: int) -> Ask:
    form = {
        "community": str(place),
        "name": "新人",
        "affiliation": "masses",
        "home": "113.2, 23.1",
        "consented_on": "2026-01-01",
    }
    return Ask("POST", "/admin/members/new", {"data": form})


def change(world: World, _: Caller, place: int) -> Ask:
    member_id, version = _member(world, place)
    send = {
        "json": {"capacity_stairwells": next(_NUMBERS) % 90 + 1},
        "headers": {"If-Match": f'"v{version}"'},
    }
    return Ask("PATCH", f"{V1}/members/{member_id}", send)


def change_by_page(world: World, _: Caller, place: int) -> Ask:
    member_id, version = _member(world, place)
    form = {
        "version": str(version),
        "name": "某人",
        "affiliation": "masses",
        "home": "113.2, 23.1",
        "capacity_households": str(next(_NUMBERS) % 900 + 1),
    }
    return Ask("POST", f"/admin/members/{member_id}", {"data": form})


def act(world: World, _: Caller, place: int) -> Ask:
    member_id, _version = _member(world, place)
    form = {"deed": "absence", "kind": "leave", "first_day": "2020-01-01", "last_day": "2020-01-02"}
    return Ask("POST", f"/admin/members/{member_id}/act", {"data": form})


def withdraw(world: World, _: Caller, place: int) -> Ask:
    """Withdraw a consent that was just given."""
    member_id, _version = _member(world, place, 1)
    _agree(world, member_id, place)
    return Ask("POST", f"{V1}/members/{member_id}/withdraw-consent", {"json": {}})


def consent(world: World, _: Caller, place: int) -> Ask:
    """Agree anew after a consent was withdrawn."""
    member_id, _version = _member(world, place, 1)
    world.clone.run(f"DELETE FROM gridsvc.member_consent WHERE member_id = '{member_id}'")
    return Ask("POST", f"{V1}/members/{member_id}/consent", {"json": {}})


def _agree(world: World, member_id: str, place: int) -> None:
    world.clone.run(f"DELETE FROM gridsvc.member_consent WHERE member_id = '{member_id}'")
    if member_id != NOTHING:
        world.clone.run(
            "INSERT INTO gridsvc.member_consent (community_code, id, member_id, given_on, basis)"
            f" VALUES ({place}, gen_random_uuid(), '{member_id}', '2020-01-01', 'given')"
        )


def absence(world: World, _: Caller, place: int) -> Ask:
    first = date(2019, 1, 1) + timedelta(days=next(_NUMBERS))
    body = {"kind": "leave", "since": str(first), "until": str(first + timedelta(days=1))}
    return Ask("POST", f"{V1}/members/{_member(world, place)[0]}/absences", {"json": body})


def exclusion(world: World, _: Caller, place: int) -> Ask:
    member_id, _version = _member(world, place)
    world.clone.run(f"DELETE FROM gridsvc.contact_exclusion WHERE member_id = '{member_id}'")
    body = {"stairwell_code": _stairwell(world, place), "reason": "旧怨"}
    return Ask("POST", f"{V1}/members/{member_id}/exclusions", {"json": body})


def post(world: World, _: Caller, place: int) -> Ask:
    body = {"kind": "lane_chief", "place_name": f"第{next(_NUMBERS)}巷"}
    return Ask("POST", f"{V1}/members/{_member(world, place)[0]}/posts", {"json": body})


def ending(what: str, table: str, columns: str, values: str) -> Request:
    """Return a request that ends a row which was written for it."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        member_id, _version = _member(world, place)
        row = str(town.id_of("ending", what, next(_NUMBERS)))
        if member_id != NOTHING:
            world.clone.run(
                f"INSERT INTO gridsvc.{table} (community_code, id, member_id, {columns})"
                f" VALUES ({place}, '{row}', '{member_id}', {values.format(place=place)})"
            )
        return Ask("DELETE", f"{V1}/members/{member_id}/{what}/{row}")

    return ask


def _pair(world: World, place: int) -> list[tuple[str, int]]:
    """Return two new members of a place."""
    found = []
    for _ in range(2):
        member_id = str(town.id_of("pair", next(_NUMBERS)))
        if place in PLACES and place != STREET:
            world.clone.run(
                "INSERT INTO gridsvc.member (community_code, id, capacity_households,"
                f" capacity_stairwells, geom) VALUES ({place}, '{member_id}', 10, 1,"
                " 'SRID=4326;POINT(113.2 23.1)')",
                "INSERT INTO gridsvc.member_identity (community_code, member_id, name)"
                f" VALUES ({place}, '{member_id}', '一人')",
            )
        found.append((member_id, 1))
    return found


def merge(world: World, _: Caller, place: int) -> Ask:
    kept, gone = _pair(world, place)
    body = {
        "kept": {"member_id": kept[0], "version": kept[1]},
        "gone": {"member_id": gone[0], "version": gone[1]},
    }
    return Ask("POST", f"{V1}/members/merge", {"json": body})


def merge_by_page(world: World, _: Caller, place: int) -> Ask:
    kept, gone = _pair(world, place)
    form = {
        "kept_id": kept[0],
        "kept_version": "1",
        "gone_id": gone[0],
        "gone_version": "1",
    }
    return Ask("POST", "/admin/members/merge", {"data": form})


def listed(world: World, place: int, note: int) -> dict[str, Any]:
    """Return what sends a list with one person who lives in a place."""
    cells = ("甲乙", f"139{note:08d}", "群众", _stairwell(world, place), "2026-01-01")
    content = workbook(("姓名", "手机号码", "政治面貌", "网格编码", "同意日期"), cells)
    return {"files": {"file": ("list.xlsx", content, "application/octet-stream")}}


def bring(world: World, caller: Caller, _: int) -> Ask:
    send = listed(world, _home_of(caller), next(_NUMBERS)) | {"data": {"apply": "true"}}
    return Ask("POST", f"{V1}/members/import", send)


def bring_by_page(world: World, caller: Caller, _: int) -> Ask:
    send = listed(world, _home_of(caller), next(_NUMBERS)) | {"data": {"deed": "apply"}}
    return Ask("POST", "/admin/members/import", send)


def _home_of(caller: Caller) -> int:
    """Return the community of a caller, of the sub-district's the first."""
    return A if caller.code == STREET else caller.code


def _communities_of(caller: Caller, _: int) -> set[int]:
    return {_home_of(caller)}


IN_REGISTER = by_pattern(r'"/admin/members/([0-9a-f-]{36})"')
MEMBER_READS: tuple[tuple[str, Promise], ...] = (
    (
        f"GET {V1}/members",
        Lists(STAFF, Rows("member", where="erased_at IS NULL"), each("member_id")),
    ),
    (f"GET {V1}/members/{{member_id}}", One(STAFF | {"contact"}, MEMBERS, _own_id)),
    (f"GET {V1}/members/twins", Lists(STAFF, TWINS, _both)),
    ("GET /admin/members", Lists(STAFF, Rows("member", where="erased_at IS NULL"), IN_REGISTER)),
    (
        "GET /admin/members/{member_id}",
        One(
            STAFF,
            Rows("member", where="erased_at IS NULL"),
            by_pattern(r'action="/admin/members/([0-9a-f-]{36})"'),
        ),
    ),
    ("GET /admin/members/new", Frame(STAFF)),
    ("GET /admin/members/import", Frame(STAFF)),
    (
        "GET /admin/members/twins",
        Lists(STAFF, TWINS, by_pattern(r'"/admin/members/([0-9a-f-]{36})"><strong>甲双')),
    ),
)
_ONE = {"member", "audit_event"}
_DAYS = "'[2020-01-01,)'::daterange"
MEMBER_CHANGES: tuple[tuple[str, Promise], ...] = (
    (
        f"POST {V1}/members",
        Changes(
            STAFF,
            add,
            {"member", "member_identity", "member_affiliation", "member_consent", "audit_event"},
        ),
    ),
    (
        "POST /admin/members/new",
        Changes(
            STAFF,
            add_by_page,
            {"member", "member_identity", "member_affiliation", "member_consent", "audit_event"},
        ),
    ),
    (f"PATCH {V1}/members/{{member_id}}", Changes(STAFF, change, _ONE)),
    (
        "POST /admin/members/{member_id}",
        Changes(
            STAFF,
            change_by_page,
            _ONE,
            perhaps={"member_identity", "member_affiliation", "member_hours"},
        ),
    ),
    ("POST /admin/members/{member_id}/act", Changes(STAFF, act, _ONE | {"member_absence"})),
    (
        f"POST {V1}/members/{{member_id}}/consent",
        Changes(STAFF, consent, _ONE | {"member_consent"}),
    ),
    (
        f"POST {V1}/members/{{member_id}}/withdraw-consent",
        Changes(STAFF, withdraw, _ONE | {"member_consent"}),
    ),
    (
        f"POST {V1}/members/{{member_id}}/absences",
        Changes(STAFF, absence, _ONE | {"member_absence"}),
    ),
    (
        f"DELETE {V1}/members/{{member_id}}/absences/{{absence_id}}",
        Changes(
            STAFF,
            ending("absences", "member_absence", "kind, valid", f"'leave', {_DAYS}"),
            _ONE | {"member_absence"},
        ),
    ),
    (
        f"POST {V1}/members/{{member_id}}/exclusions",
        Changes(STAFF, exclusion, {"contact_exclusion", "audit_event"}),
    ),
    (
        f"DELETE {V1}/members/{{member_id}}/exclusions/{{exclusion_id}}",
        Changes(
            STAFF,
            ending(
                "exclusions",
                "contact_exclusion",
                "other_member_id, reason, since",
                "(SELECT id FROM gridsvc.member WHERE community_code = {place} ORDER BY id DESC"
                " LIMIT 1), '旧怨', '2020-01-01'",
            ),
            _ONE | {"contact_exclusion"},
        ),
    ),
    (f"POST {V1}/members/{{member_id}}/posts", Changes(STAFF, post, _ONE | {"post"})),
    (
        f"DELETE {V1}/members/{{member_id}}/posts/{{post_id}}",
        Changes(
            STAFF,
            ending("posts", "post", "kind, place_name, valid", f"'lane_chief', '东巷', {_DAYS}"),
            _ONE | {"post"},
        ),
    ),
    (f"POST {V1}/members/merge", Changes(STAFF, merge, _ONE | {"member_identity"})),
    ("POST /admin/members/merge", Changes(STAFF, merge_by_page, _ONE | {"member_identity"})),
)
_TAKEN = {"member", "member_identity", "member_affiliation", "member_consent", "audit_event"}
MEMBER_LISTS: tuple[tuple[str, Promise], ...] = (
    (
        f"POST {V1}/members/import",
        Changes(STAFF, bring, _TAKEN, places=(), where=_communities_of),
    ),
    (
        "POST /admin/members/import",
        Changes(STAFF, bring_by_page, _TAKEN, places=(), where=_communities_of),
    ),
)


def add_twins(world: World) -> None:
    """Let two members of each community have one name and phone, so that there are twins."""
    for place in PLACES:
        pair = f"SELECT id FROM gridsvc.member WHERE community_code = {place} ORDER BY id LIMIT 2"
        world.clone.run(
            "UPDATE gridsvc.member_identity SET name = '甲双',"
            " phone_masked = first.phone_masked, phone_cipher = first.phone_cipher FROM"
            " (SELECT phone_masked, phone_cipher FROM gridsvc.member_identity"
            f" WHERE member_id = (SELECT min(id::text)::uuid FROM ({pair}) p)) AS first"
            f" WHERE member_id IN ({pair})"
        )
