"""What every route that changes the territory's rows promises: one line a route."""

from datetime import date, timedelta
from itertools import count
from uuid import uuid4

from tests import town
from tests.api.matrix import (
    FIELD,
    PLACES,
    STAFF,
    STREET,
    Caller,
    World,
)
from tests.api.matrix_contact_pages import CONTACT_PAGE_CHANGES
from tests.api.matrix_contacts import CONTACT_CHANGES
from tests.api.matrix_grids import GRIDS
from tests.api.matrix_imports import IMPORT_CHANGES
from tests.api.matrix_incident_life import LIFE_CHANGES, LIFE_PAGE_CHANGES
from tests.api.matrix_jobs import JOB_CHANGES
from tests.api.matrix_members import MEMBER_CHANGES, MEMBER_LISTS
from tests.api.matrix_office import OFFICE
from tests.api.matrix_own import OWN
from tests.api.matrix_promises import Ask, Changes, Promise

V1 = "/api/v1"
NOTHING = "00000000-0000-7000-8000-000000000000"
_DAYS = count()


def member_of(world: World, place: int) -> str:
    found = world.once(f"SELECT id FROM gridsvc.member WHERE community_code = {place} LIMIT 1")  # noqa: S608 - a number
    return found[0] if found else NOTHING


# ---- the territory's


def report(_: World, __: Caller, place: int) -> Ask:
    lon, lat = town.place(place, 20, 20)
    body = {"id": str(uuid4()), "category_code": "lift.fault", "summary": "电梯停了"}
    return Ask("POST", f"{V1}/incidents", {"json": body | {"lon": lon, "lat": lat}})


def plan_evening(_: World, __: Caller, ___: int) -> Ask:
    day = date(2030, 1, 1) + timedelta(days=next(_DAYS))
    return Ask("POST", f"{V1}/patrols/evenings", {"json": {"day": str(day)}})


def communities_of(caller: Caller, _: int) -> set[int]:
    return {place for place in PLACES if caller.has(place) and place != STREET}


def search(_: World, __: Caller, ___: int) -> Ask:
    return Ask("POST", f"{V1}/members/search", {"json": {"words": "甲"}})


def reveal(world: World, _: Caller, place: int) -> Ask:
    member = member_of(world, place)
    return Ask("POST", f"{V1}/members/{member}/reveal", {"json": {"purpose": "emergency"}})


def reveal_by_page(world: World, _: Caller, place: int) -> Ask:
    member = member_of(world, place)
    return Ask("POST", f"/admin/members/{member}/reveal", {"data": {"purpose": "emergency"}})


TERRITORY: tuple[tuple[str, Promise], ...] = (
    (
        f"POST {V1}/incidents",
        Changes(
            FIELD,
            report,
            {"incident", "incident_event", "heat_cell", "audit_event"},
            foreign=422,
        ),
    ),
    (
        f"POST {V1}/patrols/evenings",
        Changes(
            STAFF,
            plan_evening,
            {"patrol_shift", "patrol_route", "patrol_stop", "audit_event"},
            perhaps={"patrol_left_out"},
            places=(),
            where=communities_of,
        ),
    ),
    (f"POST {V1}/members/{{member_id}}/reveal", Changes(STAFF, reveal, {"audit_event"})),
    (
        f"POST {V1}/members/search",
        Changes(STAFF, search, {"audit_event"}, places=()),
    ),
    (
        "POST /admin/members/{member_id}/reveal",
        Changes(STAFF, reveal_by_page, {"audit_event"}),
    ),
)
CHANGES = (
    TERRITORY
    + LIFE_CHANGES
    + LIFE_PAGE_CHANGES
    + MEMBER_CHANGES
    + MEMBER_LISTS
    + CONTACT_CHANGES
    + CONTACT_PAGE_CHANGES
    + GRIDS
    + IMPORT_CHANGES
    + JOB_CHANGES
    + OWN
    + OFFICE
)
