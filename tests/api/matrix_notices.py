"""What every route about notices promises: one line a route."""

from typing import Any

from httpx2 import Response

from tests import town
from tests.api.matrix import (
    ACCOUNTS,
    ADMINISTRATORS,
    FIELD,
    KINDS,
    NOWHERE,
    PLACES,
    STAFF,
    STREET,
    TERRITORIES,
    Caller,
    Words,
    World,
)
from tests.api.matrix_found import by_pattern, each
from tests.api.matrix_promises import Alike, Ask, Changes, Lists, One, Promise, Request, Rows

# ruff: noqa: S608 - names of our own tables, ids and numbers

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
CHANNELS = Rows("notice_channel")
DEAD = Rows("notice_delivery", where="status = 'dead'")
TO_COPY = Rows("notice_delivery", where="status = 'to_copy'")
DELIVERIES = Rows("notice_delivery", where="status IN ('dead', 'to_copy')")


def add_notices(world: World) -> None:
    """Let there be notices of the sub-district's own, and a message for each account."""
    with town.job_session(world.clone.job) as session, session.begin():
        town.add_notices(session, STREET)
    for kind in KINDS:
        for code in TERRITORIES.values():
            if kind in ACCOUNTS:
                new_entry(world, Caller(kind, code))


def new_entry(world: World, caller: Caller, *, of_another: bool = False) -> str:
    """Return a message to a caller that was just written, or to a colleague."""
    account = world.account(caller)
    if of_another:
        account = world.service.account(caller.kind, (caller.code,))
    entry_id = town.id_of(
        "entry", account.id, len(world.owner("SELECT * FROM gridsvc.inbox_entry"))
    )
    world.clone.run(
        "INSERT INTO gridsvc.inbox_entry (community_code, id, account_id, template, values,"
        f" subject) VALUES ({caller.code}, '{entry_id}', '{account.id}', 'channel.test',"
        " '{\"channel\": \"x\"}', 'matrix')"
    )
    return str(entry_id)


def own_entries(world: World, caller: Caller) -> list[str]:
    account_id = world.account(caller).id
    return world.once(f"SELECT id FROM gridsvc.inbox_entry WHERE account_id = '{account_id}'")


def of_office(answer: Response) -> list[object]:
    """Read the dead letters of the page: the channels are there as well."""
    return list(by_pattern(r'id="delivery-([0-9a-f-]{36})"')(answer))


NOTICE_READS: tuple[tuple[str, Promise], ...] = (
    (f"GET {V1}/notices/channels", Lists(ADMINISTRATORS, CHANNELS, each("id"))),
    (f"GET {V1}/notices/deliveries", Lists(STAFF, DEAD, each("id"))),
    (
        f"GET {V1}/notices/deliveries",
        Lists(STAFF, TO_COPY, each("id"), f"{V1}/notices/deliveries?status=to_copy"),
    ),
    (f"GET {V1}/notices/deliveries/{{delivery_id}}", One(ADMINISTRATORS, DELIVERIES)),
    (f"GET {V1}/inbox", Lists(ACCOUNTS, own_entries, each("id"))),
    (f"GET {V1}/live", Alike(FIELD)),
    (
        "GET /inbox",
        Lists(ACCOUNTS, own_entries, by_pattern(r'id="entry-([0-9a-f-]{36})"')),
    ),
    ("GET /notices", Lists(STAFF, TO_COPY, by_pattern(r'id="text-([0-9a-f-]{36})"'))),
    (
        "GET /admin/notices",
        Lists(ADMINISTRATORS, CHANNELS, by_pattern(r'id="channel-([0-9a-f-]{36})"')),
    ),
    ("GET /admin/notices", Lists(ADMINISTRATORS, DEAD, of_office, "/admin/notices?done=resent")),
)


# ---- changes


def add_channel(_: World, __: Caller, place: int) -> Ask:
    body = {"kind": "copy", "name": "三号楼群", "place_code": str(place)}
    return Ask("POST", f"{V1}/notices/channels", {"json": body})


def add_by_page(_: World, __: Caller, place: int) -> Ask:
    form = {"kind": "copy", "name": "三号楼群", "place": str(place)}
    return Ask("POST", "/admin/notices", {"data": form})


def to_channel(path: str, method: str, **send: Any) -> Request:
    """Return a request about a channel of a place that was just made."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        found = NOTHING
        if place in PLACES:
            count = len(world.owner("SELECT * FROM gridsvc.notice_channel"))
            found = str(town.id_of("made", place, count, path, method, *send))
            world.clone.run(
                "INSERT INTO gridsvc.notice_channel (community_code, id, kind, name, place_code)"
                f" VALUES ({place}, '{found}', 'copy', '群', '{place}')"
            )
        return Ask(method, path.format(found), send)

    return ask


def to_delivery(path: str, status: str) -> Request:
    """Return a request about a delivery of a place that was just made, in a state."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        found = NOTHING
        if place in PLACES:
            count = len(world.owner("SELECT * FROM gridsvc.notice_delivery"))
            found = str(town.id_of("made", place, count, path))
            ended = "now()" if status == "dead" else "NULL"
            world.clone.run(
                "INSERT INTO gridsvc.notice (community_code, id, template, values, subject)"
                f" VALUES ({place}, '{found}', 'channel.test', '{{\"channel\": \"x\"}}', 'x')",
                "INSERT INTO gridsvc.notice_delivery (community_code, id, notice_id, kind, status,"
                f" ended_at) VALUES ({place}, '{found}', '{found}', 'wecom', '{status}', {ended})",
            )
        return Ask("POST", path.format(found))

    return ask


def read_entry(path: str, *, of_another: bool = False, by_form: bool = False) -> Request:
    """Return a request that marks a message as read, of the caller or of a colleague."""

    def ask(world: World, caller: Caller, place: int) -> Ask:
        found = NOTHING
        if place != NOWHERE and caller.kind in ACCOUNTS:
            found = new_entry(world, caller, of_another=of_another)
        send = {"data": {"entry": found}} if by_form else {}
        return Ask("POST", path.format(found), send)

    return ask


def read_all(world: World, caller: Caller, _: int) -> Ask:
    if caller.kind in ACCOUNTS:
        new_entry(world, caller)
    return Ask("POST", f"{V1}/inbox/read")


def office(
    route: str, ask: Request, tables: Words, *, kinds: Words = ADMINISTRATORS
) -> tuple[str, Promise]:
    return route, Changes(kinds, ask, {*tables, "audit_event"}, places=PLACES)


_CHANNEL = f"{V1}/notices/channels/{{}}"
_TESTED = {"notice", "notice_delivery"}
NOTICE_CHANGES: tuple[tuple[str, Promise], ...] = (
    office(f"POST {V1}/notices/channels", add_channel, {"notice_channel"}),
    (
        "POST /admin/notices",
        Changes(
            ADMINISTRATORS,
            add_by_page,
            {"notice_channel", "audit_event"},
            foreign=422,
            places=PLACES,
        ),
    ),
    office(
        f"PATCH {V1}/notices/channels/{{channel_id}}",
        to_channel(_CHANNEL, "PATCH", json={"name": "新群"}),
        {"notice_channel"},
    ),
    office(
        f"DELETE {V1}/notices/channels/{{channel_id}}",
        to_channel(_CHANNEL, "DELETE"),
        {"notice_channel"},
    ),
    office(
        f"POST {V1}/notices/channels/{{channel_id}}/test",
        to_channel(f"{_CHANNEL}/test", "POST"),
        _TESTED,
    ),
    office(
        "POST /admin/notices/channels/{channel_id}",
        to_channel("/admin/notices/channels/{}", "POST", data={"deed": "off"}),
        {"notice_channel"},
    ),
    office(
        f"POST {V1}/notices/deliveries/{{delivery_id}}/resend",
        to_delivery(f"{V1}/notices/deliveries/{{}}/resend", "dead"),
        {"notice_delivery"},
    ),
    office(
        "POST /admin/notices/deliveries/{delivery_id}",
        to_delivery("/admin/notices/deliveries/{}", "dead"),
        {"notice_delivery"},
    ),
    office(
        f"POST {V1}/notices/deliveries/{{delivery_id}}/copied",
        to_delivery(f"{V1}/notices/deliveries/{{}}/copied", "to_copy"),
        {"notice_delivery"},
        kinds=STAFF,
    ),
    office(
        "POST /notices/{delivery_id}",
        to_delivery("/notices/{}", "to_copy"),
        {"notice_delivery"},
        kinds=STAFF,
    ),
    (f"POST {V1}/inbox/read", Changes(ACCOUNTS, read_all, {"inbox_entry"}, places=())),
    (
        f"POST {V1}/inbox/{{entry_id}}/read",
        Changes(
            ACCOUNTS,
            read_entry(f"{V1}/inbox/{{}}/read"),
            {"inbox_entry"},
            places=(),
            anothers=read_entry(f"{V1}/inbox/{{}}/read", of_another=True),
        ),
    ),
    (
        "POST /inbox",
        Changes(
            ACCOUNTS,
            read_entry("/inbox", by_form=True),
            {"inbox_entry"},
            places=(),
            anothers=read_entry("/inbox", of_another=True, by_form=True),
        ),
    ),
)
