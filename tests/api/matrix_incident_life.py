"""What every route about the life of incidents promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and ids

from uuid import uuid4

from httpx2 import Response

from gridsvc.access.tokens import hashed, new_token
from tests import town
from tests.api.matrix import EVERYBODY, FIELD, STAFF, STREET, A, Caller, World
from tests.api.matrix_found import by_pattern, each, values
from tests.api.matrix_promises import Alike, Ask, Changes, Lists, One, Promise, Rows

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
OPEN_INCIDENTS = Rows("incident", where="closed_at IS NULL", of_contact="stairwell_code IN ({own})")
WITH_EVENTS = Rows(
    "incident",
    where="id IN (SELECT incident_id FROM gridsvc.incident_event)",
    of_contact="stairwell_code IN ({own})",
)
EVENTS = "SELECT id FROM gridsvc.incident_event WHERE incident_id = '{id}'"
PARTIES = Rows("party")


def open_count(world: World, caller: Caller) -> list[object]:
    """Return how many incidents are open that the caller sees."""
    return [len(world.once(OPEN_INCIDENTS.query(caller, world)))]


def figures(answer: Response) -> list[object]:
    return [f"{one['key']}={one['incidents']}" for one in answer.json()["items"]]


def counted(world: World, caller: Caller) -> list[str]:
    """Return how many incidents there are of each class."""
    return world.once(
        "SELECT split_part(category_code, '.', 1) || '=' || count(*) FROM gridsvc.incident WHERE"
        f" community_code BETWEEN {caller.interval.lo} AND {caller.interval.hi}"
        " GROUP BY split_part(category_code, '.', 1)"
    )


EVER = f"{V1}/incidents/numbers?by=class&from=2019-01-01&to=2099-01-01"
LIFE_READS: tuple[tuple[str, Promise], ...] = (
    (
        f"GET {V1}/incidents",
        Lists(FIELD, OPEN_INCIDENTS, each("id"), f"{V1}/incidents?list=open&limit=999"),
    ),
    (f"GET {V1}/incidents/counts", Lists(FIELD, open_count, values("open"))),
    (f"GET {V1}/incidents/numbers", Lists(STAFF, counted, figures, EVER)),
    (f"GET {V1}/incidents/{{incident_id}}/events", One(FIELD, WITH_EVENTS, each("id"), EVENTS)),
    (f"GET {V1}/parties", Lists(STAFF, PARTIES, each("id"))),
)


ON_PAGE = by_pattern(r'<a href="/incidents/([0-9a-f-]{36})">[^<]')
IN_FILE = by_pattern(r'(?m)^"?=?"*([0-9a-f]{8}-[0-9a-f-]{27})')
OWN_FORM = by_pattern(r'action="/incidents/([0-9a-f-]{36})"')
LIFE_PAGE_READS: tuple[tuple[str, Promise], ...] = (
    ("GET /incidents", Lists(FIELD, OPEN_INCIDENTS, ON_PAGE, "/incidents?list=open")),
    (
        "GET /incidents/files/{format}",
        Lists(STAFF, OPEN_INCIDENTS, IN_FILE, "/incidents/files/csv?list=open"),
    ),
    (
        "GET /incidents/{incident_id}",
        One(
            FIELD,
            Rows("incident", of_contact="stairwell_code IN ({own})"),
            OWN_FORM,
            "SELECT '{id}'",
        ),
    ),
    ("GET /handed", Alike(EVERYBODY)),
)


# ---- changes


def some_incident(world: World, place: int) -> tuple[str, int]:
    """Return the newest incident of a place and its version."""
    found = world.owner(
        "SELECT id || ' ' || version FROM gridsvc.incident"
        f" WHERE community_code = {place} ORDER BY reported_at DESC, id LIMIT 1"
    )
    incident, version = found[0].split() if found else (NOTHING, "1")
    return incident, int(version)


def note(world: World, caller: Caller, place: int) -> Ask:
    """Note something; to a contact the incident is handed first."""
    incident, version = some_incident(world, place)
    if caller.kind == "contact":
        world.clone.run(
            f"UPDATE gridsvc.incident SET handler_account = '{world.account(caller).id}',"
            f" handler_party = NULL WHERE id = '{incident}'"
        )
    send = {"json": {"step": "note", "note": "看过了"}, "headers": {"If-Match": f'"v{version}"'}}
    return Ask("POST", f"{V1}/incidents/{incident}/steps", send)


def home_of(caller: Caller, _: int) -> set[int]:
    return {A if caller.code == STREET else caller.code}


def assign_many(world: World, caller: Caller, _: int) -> Ask:
    """Hand an incident of the caller's territory to a coordinator there; it is new."""
    (place,) = home_of(caller, 0)
    lon, lat = town.place(place, 20, 20)
    report = {"id": str(uuid4()), "category_code": "lift.fault", "summary": "电梯停了"}
    coordinator = Caller("coordinator", place)
    made = world.client(coordinator).post(f"{V1}/incidents", json=report | {"lon": lon, "lat": lat})
    body = {
        "incidents": [{"id": made.json()["id"]}],
        "account_id": str(world.account(coordinator).id),
    }
    return Ask("POST", f"{V1}/incidents/assign", {"json": body})


def party_of(place: int) -> str:
    return str(town.id_of("party", place))


def hand_to_party(world: World, place: int) -> str:
    """Hand an incident of a place to its party, and return the incident."""
    incident, _ = some_incident(world, place)
    world.clone.run(
        f"UPDATE gridsvc.incident SET handler_account = NULL, handler_party = '{party_of(place)}'"
        f" WHERE id = '{incident}'"
    )
    return incident


def make_link(world: World, _: Caller, place: int) -> Ask:
    return Ask("POST", f"{V1}/incidents/{hand_to_party(world, place)}/links")


def add_party(_: World, __: Caller, place: int) -> Ask:
    body = {"community_code": place, "name": "水务", "kind": "utility", "email": "a@example.org"}
    return Ask("POST", f"{V1}/parties", {"json": body})


def change_party(world: World, _: Caller, place: int) -> Ask:
    known = world.owner(f"SELECT id FROM gridsvc.party WHERE id = '{party_of(place)}'")
    path = f"{V1}/parties/{known[0] if known else NOTHING}"
    return Ask("PATCH", path, {"json": {"name": f"物业 {uuid4()}"}})


def token_of(world: World, caller: Caller) -> str:
    """Return the token of a link that was just made for an incident at home."""
    (place,) = home_of(caller, 0)
    incident = hand_to_party(world, place)
    token = f"{place}.{incident.replace('-', '')}.{new_token()}"
    world.clone.run(
        "INSERT INTO gridsvc.party_link (community_code, token_hash, incident_id, party_id,"
        f" expires_at) VALUES ({place}, '\\x{hashed(token).hex()}', '{incident}',"
        f" '{party_of(place)}', now() + interval '1 day')"
    )
    return token


def read_handed(world: World, caller: Caller, _: int) -> Ask:
    return Ask("POST", f"{V1}/handed", {"json": {"token": token_of(world, caller)}})


def answer_handed(world: World, caller: Caller, _: int) -> Ask:
    body = {"token": token_of(world, caller), "step": "answer", "note": "明天来"}
    return Ask("POST", f"{V1}/handed/steps", {"json": body})


def note_by_page(world: World, caller: Caller, place: int) -> Ask:
    asked = note(world, caller, place)
    incident = asked.path.split("/")[-2]
    version = asked.send["headers"]["If-Match"].strip('"v')
    form = {"step": "note", "note": "看过了", "version": version}
    return Ask("POST", f"/incidents/{incident}", {"data": form})


def assign_by_page(world: World, caller: Caller, place: int) -> Ask:
    asked = assign_many(world, caller, place).send["json"]
    chosen = [f"{asked['incidents'][0]['id']} 1"]
    form = {"chosen": chosen, "handler": f"account:{asked['account_id']}"}
    return Ask("POST", "/incidents", {"data": form})


def link_by_page(world: World, caller: Caller, place: int) -> Ask:
    asked = make_link(world, caller, place).path.removeprefix(V1).removesuffix("s")
    return Ask("POST", asked)


def answer_by_page(world: World, caller: Caller, _: int) -> Ask:
    form = {"code": token_of(world, caller), "step": "answer", "note": "明天来"}
    return Ask("POST", "/handed", {"data": form})


_STEPPED = {"incident", "incident_event", "audit_event"}
LIFE_CHANGES: tuple[tuple[str, Promise], ...] = (
    (f"POST {V1}/incidents/{{incident_id}}/steps", Changes(FIELD, note, _STEPPED)),
    (
        f"POST {V1}/incidents/assign",
        Changes(STAFF, assign_many, _STEPPED, places=(), where=home_of),
    ),
    (
        f"POST {V1}/incidents/{{incident_id}}/links",
        Changes(STAFF, make_link, {"party_link", "audit_event"}),
    ),
    (f"POST {V1}/parties", Changes(STAFF, add_party, {"party", "audit_event"})),
    (f"PATCH {V1}/parties/{{party_id}}", Changes(STAFF, change_party, {"party", "audit_event"})),
    (
        f"POST {V1}/handed",
        Changes(EVERYBODY, read_handed, {"party_link"}, places=(), where=home_of),
    ),
    (
        f"POST {V1}/handed/steps",
        Changes(EVERYBODY, answer_handed, _STEPPED | {"party_link"}, places=(), where=home_of),
    ),
)
LIFE_PAGE_CHANGES: tuple[tuple[str, Promise], ...] = (
    ("POST /incidents/{incident_id}", Changes(FIELD, note_by_page, _STEPPED)),
    ("POST /incidents", Changes(STAFF, assign_by_page, _STEPPED, places=(), where=home_of)),
    (
        "POST /incidents/{incident_id}/link",
        Changes(STAFF, link_by_page, {"party_link", "audit_event"}),
    ),
    (
        "POST /handed",
        Changes(EVERYBODY, answer_by_page, _STEPPED | {"party_link"}, places=(), where=home_of),
    ),
)
