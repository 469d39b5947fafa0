"""What every route about household contacts promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

from collections.abc import Callable

from gridsvc.local_time import local_today
from tests.api.matrix import PLACES, STAFF, Caller, World
from tests.api.matrix_found import each, of_coverage
from tests.api.matrix_promises import (
    Ask,
    Changes,
    Lists,
    One,
    Promise,
    Request,
    Rows,
    Tell,
    own_stairwells,
)

V1 = "/api/v1"
PLANS_PATH = f"{V1}/contacts/plans"
NOTHING = "00000000-0000-7000-8000-000000000000"
NO_STAIRWELL = "9" * 20
IN_FORCE = f"valid @> date '{local_today()}'"
PLANS = Rows("contact_plan")
PINS = Rows("contact_pin", "stairwell_code")
DUTIES = Rows("contact", "stairwell_code || member_id", IN_FORCE)
STAIRWELLS = Rows("stairwell", "code", "retired_on IS NULL")
LINES = "SELECT stairwell_code FROM gridsvc.contact_plan_line WHERE plan_id = '{id}'"
HISTORY = "SELECT stairwell_code FROM gridsvc.contact WHERE stairwell_code = '{id}'"
LONG_AGO = "2018-06-01"
"""Before the first contact: nobody could be asked."""


def own_duties(world: World, caller: Caller) -> list[str]:
    """Return the stairwells that a contact is contact of, whichever kind."""
    own = own_stairwells(world.person(caller)).replace(" AND kind = 'lead'", "")
    return world.once(own)


def counted(*conditions: str) -> Tell:
    """Return how many stairwells of a caller meet each condition."""

    def tell(world: World, caller: Caller) -> list[str]:
        between = f"community_code BETWEEN {caller.interval.lo} AND {caller.interval.hi}"
        counts = [
            f"(SELECT count(*) FROM gridsvc.stairwell WHERE {between} AND {condition})"
            for condition in conditions
        ]
        return world.once(f"SELECT unnest(ARRAY[{', '.join(counts)}])")

    return tell


_USED = "retired_on IS NULL"
_UNCOVERED = (
    f"{_USED} AND NOT EXISTS (SELECT FROM gridsvc.contact c WHERE c.stairwell_code ="
    f" stairwell.code AND c.kind = 'lead' AND c.{IN_FORCE})"
)


def line_of(what: str) -> Rows:
    """Return the lines of plans as what follows their plan in an address."""
    in_use = "stairwell_code IN (SELECT code FROM gridsvc.stairwell WHERE retired_on IS NULL)"
    return Rows("contact_plan_line", f"plan_id || '/{what}' || stairwell_code", in_use)


CONTACT_READS: tuple[tuple[str, Promise], ...] = (
    (
        f"GET {V1}/contacts",
        Lists(
            STAFF,
            DUTIES,
            lambda answer: [
                one["stairwell_code"] + one["member_id"] for one in answer.json()["items"]
            ],
        ),
    ),
    (
        f"GET {V1}/contacts/own",
        Lists(STAFF | {"contact"}, own_duties, each("stairwell_code"), nothing_for=STAFF),
    ),
    (
        f"GET {V1}/contacts/alerts",
        Lists(
            STAFF,
            STAIRWELLS,
            each("stairwell_code"),
            f"{V1}/contacts/alerts?on={LONG_AGO}",
        ),
    ),
    (
        f"GET {V1}/contacts/coverage",
        Lists(STAFF, counted(_USED, _UNCOVERED), of_coverage),
    ),
    (
        f"GET {V1}/contacts/stairwells/{{code}}",
        One(STAFF, STAIRWELLS, each("stairwell_code"), HISTORY),
    ),
    (f"GET {V1}/contacts/pins", Lists(STAFF, PINS, each("stairwell_code"))),
    (f"GET {PLANS_PATH}", Lists(STAFF, PLANS, each("id"))),
    (f"GET {PLANS_PATH}/{{plan_id}}", One(STAFF, PLANS)),
    (f"GET {PLANS_PATH}/{{plan_id}}/lines", One(STAFF, PLANS, each("stairwell_code"), LINES)),
    (
        f"GET {PLANS_PATH}/{{plan_id}}/explanations",
        One(
            STAFF,
            line_of("explanations?stairwell="),
            lambda answer: [one["stairwell_code"] for one in answer.json()["lines"]],
            "SELECT right('{id}', 20)",
            f"{PLANS_PATH}/{{plan_id}}",
        ),
    ),
    (
        f"GET {PLANS_PATH}/{{plan_id}}/shortages",
        One(STAFF, PLANS, lambda answer: list(answer.json()), "SELECT 'items'"),
    ),
    (
        f"GET {PLANS_PATH}/{{plan_id}}/savings/{{code}}",
        One(
            STAFF,
            Rows(
                "contact_plan_line", "DISTINCT plan_id || '/savings/' || left(stairwell_code, 15)"
            ),
            lambda answer: [answer.json()["compound_code"]],
            "SELECT right('{id}', 15)",
            f"{PLANS_PATH}/{{plan_id}}",
        ),
    ),
)


# ---- changes


def propose(_: World, __: Caller, place: int) -> Ask:
    return Ask("POST", PLANS_PATH, {"json": {"community_code": place, "time_limit_s": 0.05}})


def new_plan(world: World, place: int) -> str:
    """Return a plan that a coordinator of the place has just had made."""
    if place not in PLACES:
        return NOTHING
    made = world.client(Caller("coordinator", place)).post(PLANS_PATH, json={"time_limit_s": 0.05})
    return str(made.json()["plans"][0]["id"])


def to_plan(what: str, *, is_reviewed: bool = False) -> Request:
    """Return a request about a plan of a place that was just made."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        plan, version = new_plan(world, place), 1
        if is_reviewed and plan != NOTHING:
            client = world.client(Caller("coordinator", place))
            headers = {"If-Match": '"v1"'}
            client.post(f"{PLANS_PATH}/{plan}/review", headers=headers)
            version = 2
        return Ask(
            "POST", f"{PLANS_PATH}/{plan}/{what}", {"headers": {"If-Match": f'"v{version}"'}}
        )

    return ask


def accept(world: World, caller: Caller, place: int) -> Ask:
    asked = to_plan("decisions")(world, caller, place)
    return Ask(asked.method, asked.path, {**asked.send, "json": {"decision": "accept"}})


def hand_over(world: World, _: Caller, place: int) -> Ask:
    """Let a lead of the place leave; the change waits for a review."""
    found = world.once(
        f"SELECT member_id FROM gridsvc.contact WHERE community_code = {place}"
        f" AND kind = 'lead' AND {IN_FORCE} ORDER BY 1 LIMIT 1"
    )
    body = {"member_id": found[0] if found else NOTHING}
    return Ask("POST", f"{V1}/contacts/hand-overs", {"json": body})


def unpin(world: World, _: Caller, place: int) -> Ask:
    """Let go of a choice that a coordinator of the place has just made."""
    led = world.owner(
        "SELECT stairwell_code || ' ' || member_id FROM gridsvc.contact c"
        f" WHERE community_code = {place} AND kind = 'lead' AND {IN_FORCE} ORDER BY 1 LIMIT 1"
    )
    if not led:
        return Ask("DELETE", f"{V1}/contacts/pins/{NO_STAIRWELL}")
    code, member_id = led[0].split()
    world.clone.run(
        "INSERT INTO gridsvc.contact_pin (community_code, stairwell_code, member_id)"
        f" VALUES ({place}, '{code}', '{member_id}') ON CONFLICT DO NOTHING"
    )
    return Ask("DELETE", f"{V1}/contacts/pins/{code}")


_PROPOSED = {"contact_plan", "contact_plan_line", "audit_event"}
_SUPPORT = {"contact_plan_support"}
_REVIEWED = {"contact_plan", "audit_event"}


def changes(
    ask: Callable[[World, Caller, int], Ask], tables: set[str], perhaps: set[str]
) -> Changes:
    return Changes(STAFF, ask, tables, perhaps=perhaps)


CONTACT_CHANGES: tuple[tuple[str, Promise], ...] = (
    (f"POST {PLANS_PATH}", changes(propose, _PROPOSED, _SUPPORT)),
    (
        f"POST {PLANS_PATH}/{{plan_id}}/decisions",
        changes(accept, _PROPOSED, set()),
    ),
    (f"POST {PLANS_PATH}/{{plan_id}}/review", changes(to_plan("review"), _REVIEWED, set())),
    (
        f"POST {PLANS_PATH}/{{plan_id}}/apply",
        changes(to_plan("apply", is_reviewed=True), _REVIEWED, {"contact"}),
    ),
    (f"POST {PLANS_PATH}/{{plan_id}}/withdraw", changes(to_plan("withdraw"), _REVIEWED, set())),
    (
        f"POST {PLANS_PATH}/{{plan_id}}/files/{{format}}",
        changes(to_plan("files/csv"), {"audit_event"}, set()),
    ),
    (
        f"POST {V1}/contacts/hand-overs",
        changes(hand_over, _PROPOSED, _SUPPORT),
    ),
    (
        f"DELETE {V1}/contacts/pins/{{code}}",
        changes(unpin, {"contact_pin", "audit_event"}, set()),
    ),
)
