"""The OpenAPI document promises every status that is sent, and every promise can be kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import FastAPI
from shapely.geometry import mapping
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api.app import create_app
from api.rules import OPEN, RULES, Rule
from gridsvc.embedded import Cluster
from gridsvc.settings import Settings
from tests import town
from tests.api.matrix_imports import upload
from tests.api.service import PROBLEM, Service, Witness, is_problem, serving
from tests.databases import Clone, make_template
from tests.gridsvc.incidents.pictures import photo as picture

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
NOTHING = "00000000-0000-7000-8000-000000000000"
ROUTE = str(town.id_of("route", A))
INCIDENT = str(town.id_of("incident", A, "lift.fault", 0))
MEMBER = str(town.id_of("member", A, 1))
JOB = str(town.id_of("job", A))
REPORT = {"category_code": "lift.fault", "summary": "电梯停了", "lon": 113.152, "lat": 23.032}
KEY = {"Idempotency-Key": "status-test-key"}
FORGED = {"Origin": "http://elsewhere.example"}


@dataclass(frozen=True)
class Ask:
    """A request that provokes a status; ``{plan}`` in the path is the plan of community A."""

    method: str
    path: str
    role: str | None = "coordinator"
    send: dict[str, Any] = field(default_factory=dict)
    before: "tuple[Ask, ...]" = ()
    territory: int = A


def get(path: str, role: str | None = "coordinator", **send: Any) -> Ask:
    return Ask("GET", path, role, send)


def post(
    path: str, body: object = None, *before: Ask, role: str | None = "coordinator", **send: Any
) -> Ask:
    return Ask("POST", path, role, {"json": body, **send}, before)


def listed(path: str, *, planner: int) -> dict[int, Ask]:
    """Return the requests of a paged list, which a planner gets or is refused."""
    found = {200: get(path), 422: get(f"{path}?cursor=!")}
    return found | {403: get(path, "resident" if planner == 200 else "planner")}


def thing(path: str, known: str, *, absent: str, wrong: str, planner: int) -> dict[int, Ask]:
    """Return the requests of one thing by its code or id."""
    found = {
        200: get(path.format(known)),
        404: get(path.format(absent)),
        422: get(path.format(wrong)),
    }
    refused = "resident" if planner == 200 else "planner"
    return found | {403: get(path.format(known), refused)}


def changed(method: str, path: str, status: int, **send: Any) -> dict[int, Ask]:
    """Return the requests of a change to an account, its own accounts apart."""
    return {
        status: Ask(method, path.format("{proposed}"), "administrator", send, (INVITED,)),
        403: Ask(method, path.format(NOTHING), "coordinator", send),
        404: Ask(method, path.format(NOTHING), "administrator", send),
        422: Ask(method, path.format("x"), "administrator", send),
    }


COMPOUND, STAIRWELL = town.compound_code(A), town.stairwell_code(A)
V1 = "/api/v1"
INVITEE = {"name": "陈试一", "role": "contact", "territory_codes": [A]}
INVITED = post(f"{V1}/accounts", INVITEE, role="administrator")
PEOPLE_LIST = f"姓名,角色,管辖\n陈试一,楼长,{A}\n".encode()
REDEMPTION = {"code": "7QK2-M0XA-1123-ZZZZ", "password": "seven-banyan-trees"}
GRIDS = f"{V1}/grids"
SEEN = {"If-Match": '"v1"'}
PAIR: list[dict[str, Any]] = [
    {"code": town.stairwell_code(A, building=2, number=number), "version": 1} for number in (1, 2)
]
OTHERS = [
    one | {"code": town.stairwell_code(A, compound=2, number=n)} for n, one in enumerate(PAIR, 1)
]
PERIODS = "before_from=2020-01-01&before_to=2020-02-01&after_from=2020-03-01&after_to=2020-04-01"
MERGE: dict[str, Any] = {
    "grids": PAIR,
    "name": "大梯",
    "reason": "居民要求",
}
ONCE = post(f"{GRIDS}/merge", MERGE, headers=KEY)
STALE = [{"code": town.compound_code(A, number), "version": 7} for number in (1, 2)]
ABSENT = [{"code": digit * 20, "version": 1} for digit in "89"]
VOID = {"reason": "已经拆除"}


MADE = post(f"{V1}/contacts/plans", {"time_limit_s": 0.1})
PINNED = town.stairwell_code(A, compound=2, building=2, number=3)


def of_plan(what: str, body: object = None) -> dict[int, Ask]:
    """Return the requests of a decision on a plan that was just made."""
    path = f"{V1}/contacts/plans/{{}}/{what}"
    return {
        200: post(path.format("{proposed}"), body, MADE, headers=SEEN),
        403: post(path.format("{plan}"), body, role="planner", headers=SEEN),
        404: post(path.format(NOTHING), body, headers=SEEN),
        409: post(path.format("{plan}"), body, headers=SEEN),
        412: post(path.format("{proposed}"), body, MADE, headers={"If-Match": '"v9"'}),
        422: post(path.format("x"), body, headers=SEEN),
        428: post(path.format("{proposed}"), body, MADE),
    }


def edited(method: str, path: str, status: int, body: Callable[[int], Any]) -> dict[int, Ask]:
    """Return the requests of a correction of stairwells in their first version.

    The first three of the northern building: each can end but once.
    """

    def ask(number: int, seen: dict[str, str], role: str = "coordinator", code: str = "") -> Ask:
        code = code or town.stairwell_code(A, building=2, number=number)
        send = {"json": body(number), "headers": seen}
        return Ask(method, path.format(code), role, send)

    last = town.stairwell_code(A, building=2, number=3)
    ended = post(f"{GRIDS}/{last}/void", VOID, headers=SEEN)
    once = ask(2, SEEN | KEY)
    again = {} if method == "PATCH" else {200: replace(once, before=(once,))}
    return again | {
        status: ask(1, SEEN),
        403: ask(1, SEEN, "patrol"),
        404: ask(1, SEEN, code="9" * 20),
        409: replace(ask(3, SEEN), before=(ended,)),
        412: ask(2, {"If-Match": '"v7"'}) if method == "PATCH" else ask_of_compound(path, body(1)),
        422: ask(1, SEEN, code="1"),
        428: ask(1, {}),
    }


def ask_of_compound(path: str, body: Any) -> Ask:
    """Ask for a change of a compound in a version that it does not have."""
    return post(path.format(COMPOUND), body, headers={"If-Match": '"v7"'})


def halves(number: int) -> dict[str, Any]:
    """Return the split of a stairwell of the northern building into west and east."""
    left = 4 + 4 * (number - 1)
    pieces = [town.rectangle(A, (left + side, 25), (2, 4)) for side in (0, 2)]
    return {"pieces": [{"geometry": mapping(piece)} for piece in pieces], "reason": "居民要求"}


SECOND = town.stairwell_code(A, building=2, number=2)
IMPORTS, IMPORT = f"{V1}/imports", str(town.id_of("import", A))
EMPTY_STREET = 440605099000
SENT = Ask("POST", IMPORTS, "administrator", upload("first") | {"headers": KEY}, territory=STREET)


def of_import(method: str, end: str, status: int, **send: Any) -> dict[int, Ask]:
    """Return the requests about a file of territory; that of the town is applied."""

    def ask(found: str, role: str = "administrator", *before: Ask) -> Ask:
        return Ask(method, f"{IMPORTS}/{found}{end}", role, send, before, STREET)

    return {
        status: ask("{proposed}", "administrator", SENT),
        403: ask(NOTHING, "coordinator"),
        404: ask(NOTHING),
        409: ask(IMPORT),
        422: ask("x"),
    }


def without(status: int, requests: dict[int, Ask]) -> dict[int, Ask]:
    return {known: request for known, request in requests.items() if known != status}


MEMBERS, OWN_MEMBER = f"{V1}/members", f"{V1}/members/{MEMBER}"
MEMBER_IN = {
    "community_code": A,
    "name": "新人",
    "affiliation": "masses",
    "home": {"lon": 113.2, "lat": 23.1},
    "capacity_households": 20,
    "capacity_stairwells": 2,
    "consented_on": "2026-01-01",
}
MEMBER_SEEN = {"If-Match": '"v1"'}
AWAY = {"kind": "leave", "since": "2026-01-01", "until": "2026-01-02"}
LANE = {"kind": "lane_chief", "place_name": "东一巷"}
NOT_THERE = {"stairwell_code": town.stairwell_code(A, number=3), "reason": "旧怨"}
WITHDRAWAL = post(f"{OWN_MEMBER}/withdraw-consent", {})


NOTE = {"step": "note", "note": "看过了"}
NOTED = post(f"{V1}/incidents/{INCIDENT}/steps", NOTE, headers=SEEN | KEY)
REPORTED = post(f"{V1}/incidents", REPORT)
PARTY = str(town.id_of("party", A))
TO_PARTY = post(
    f"{V1}/incidents/{{proposed}}/steps",
    {"step": "assign", "party_id": PARTY},
    REPORTED,
    headers=SEEN,
)
PARTY_IN = {"community_code": A, "name": "水务局", "kind": "bureau"}
HANDED_OVER = {"incidents": [{"id": NOTHING}], "account_id": NOTHING}


def pair(kept: object, gone: object, version: int = 1) -> dict[str, object]:
    """Return a wish to merge two members in a version."""
    return {
        "kept": {"member_id": str(kept), "version": version},
        "gone": {"member_id": str(gone), "version": version},
    }


def part_of_member(what: str, body: dict[str, Any]) -> dict[int, Ask]:
    """Return the requests that add something to a member."""
    path = f"{OWN_MEMBER}/{what}"
    return {
        200: post(path, body, post(path, body, headers=KEY), headers=KEY),
        201: post(path, body),
        403: post(path, body, role="contact"),
        404: post(f"{MEMBERS}/{NOTHING}/{what}", body),
        422: post(path, {}),
    }


def end_of_member(what: str, body: dict[str, Any]) -> dict[int, Ask]:
    """Return the requests that end what was added to a member."""
    path = f"{OWN_MEMBER}/{what}"
    return {
        204: Ask("DELETE", f"{path}/{{proposed}}", before=(post(path, body),)),
        403: Ask("DELETE", f"{path}/{NOTHING}", "contact"),
        404: Ask("DELETE", f"{path}/{NOTHING}"),
        422: Ask("DELETE", f"{path}/one"),
    }


LISTED = (
    f"姓名,手机号码,政治面貌,网格编码,同意日期\n陈试五,13900000005,群众,{STAIRWELL},2026-01-01\n"
)


def a_list(name: str = "list.csv", text: str = "姓名\n甲\n") -> dict[str, Any]:
    """Return what sends a list of members."""
    return {"files": {"file": (name, text.encode(), "text/csv")}}


CHANNELS, DELIVERIES = f"{V1}/notices/channels", f"{V1}/notices/deliveries"
CHANNEL, DEAD, TO_COPY = (str(town.id_of(what, A)) for what in ("channel", "delivery", "copy"))
CHANNEL_IN = {"kind": "copy", "name": "三号楼群", "place_code": str(A)}
OFFICE = "administrator"
NOTICES: dict[tuple[str, str], dict[int, Ask]] = {
    ("GET", CHANNELS): {200: get(CHANNELS, OFFICE), 403: get(CHANNELS)},
    ("POST", CHANNELS): {
        201: post(CHANNELS, CHANNEL_IN, role=OFFICE),
        403: post(CHANNELS, CHANNEL_IN),
        404: post(CHANNELS, CHANNEL_IN | {"place_code": str(B)}, role=OFFICE),
        422: post(CHANNELS, CHANNEL_IN | {"kind": "wecom"}, role=OFFICE),
    },
    ("PATCH", f"{CHANNELS}/{{channel_id}}"): {
        200: Ask("PATCH", f"{CHANNELS}/{CHANNEL}", OFFICE, {"json": {"is_on": False}}),
        403: Ask("PATCH", f"{CHANNELS}/{CHANNEL}", send={"json": {}}),
        404: Ask("PATCH", f"{CHANNELS}/{NOTHING}", OFFICE, {"json": {}}),
        422: Ask("PATCH", f"{CHANNELS}/{CHANNEL}", OFFICE, {"json": {"address": "x"}}),
    },
    ("POST", f"{CHANNELS}/{{channel_id}}/test"): {
        200: post(
            f"{CHANNELS}/{CHANNEL}/test",
            None,
            post(f"{CHANNELS}/{CHANNEL}/test", role=OFFICE, headers=KEY),
            role=OFFICE,
            headers=KEY,
        ),
        201: post(f"{CHANNELS}/{CHANNEL}/test", role=OFFICE),
        403: post(f"{CHANNELS}/{CHANNEL}/test"),
        404: post(f"{CHANNELS}/{NOTHING}/test", role=OFFICE),
        422: post(f"{CHANNELS}/x/test", role=OFFICE),
    },
    ("DELETE", f"{CHANNELS}/{{channel_id}}"): {
        204: Ask("DELETE", f"{CHANNELS}/{CHANNEL}", OFFICE),
        403: Ask("DELETE", f"{CHANNELS}/{CHANNEL}"),
        404: Ask("DELETE", f"{CHANNELS}/{NOTHING}", OFFICE),
        422: Ask("DELETE", f"{CHANNELS}/x", OFFICE),
    },
    ("GET", DELIVERIES): listed(DELIVERIES, planner=403),
    ("GET", f"{DELIVERIES}/{{delivery_id}}"): {
        200: get(f"{DELIVERIES}/{DEAD}", OFFICE),
        403: get(f"{DELIVERIES}/{DEAD}"),
        404: get(f"{DELIVERIES}/{NOTHING}", OFFICE),
        422: get(f"{DELIVERIES}/x", OFFICE),
    },
    ("POST", f"{DELIVERIES}/{{delivery_id}}/resend"): {
        200: post(f"{DELIVERIES}/{DEAD}/resend", role=OFFICE),
        403: post(f"{DELIVERIES}/{DEAD}/resend"),
        404: post(f"{DELIVERIES}/{NOTHING}/resend", role=OFFICE),
        409: post(f"{DELIVERIES}/{TO_COPY}/resend", role=OFFICE),
        422: post(f"{DELIVERIES}/x/resend", role=OFFICE),
    },
    ("POST", f"{DELIVERIES}/{{delivery_id}}/copied"): {
        200: post(f"{DELIVERIES}/{TO_COPY}/copied"),
        403: post(f"{DELIVERIES}/{TO_COPY}/copied", role="planner"),
        404: post(f"{DELIVERIES}/{NOTHING}/copied"),
        409: post(f"{DELIVERIES}/{DEAD}/copied"),
        422: post(f"{DELIVERIES}/x/copied"),
    },
    ("GET", f"{V1}/inbox"): {200: get(f"{V1}/inbox"), 422: get(f"{V1}/inbox?cursor=!")},
    ("POST", f"{V1}/inbox/read"): {
        200: post(f"{V1}/inbox/read"),
        403: post(f"{V1}/inbox/read", headers=FORGED),
    },
    ("POST", f"{V1}/inbox/{{entry_id}}/read"): {
        403: post(f"{V1}/inbox/{NOTHING}/read", headers=FORGED),
        404: post(f"{V1}/inbox/{NOTHING}/read"),
        422: post(f"{V1}/inbox/x/read"),
    },
    ("GET", f"{V1}/live"): {200: get(f"{V1}/live"), 403: get(f"{V1}/live", "planner")},
}


REPORTS, OWN_REPORT = f"{V1}/reports", f"{V1}/reports/{town.reported(A)}"
FOLLOWING = {"headers": {"Follow-Token": town.token_of(A).text}}
PHOTO = f"{OWN_REPORT}/photos/{town.photo_of(A)}"
FILED = {
    "id": "0193a5e4-0000-7000-8000-00000000f11e",
    "secret": "s" * 24,
    "category_code": "lift.fault",
    "words": "电梯又停了",
    "where": {"stairwell_code": STAIRWELL},
}
ANOTHER = {name: FILED[name] for name in ("category_code", "where")} | {"words": "另一部"}
NEAR = {"category_code": "lift", "where": {"compound_code": COMPOUND}}


def visit(method: str, path: str, *before: Ask, **send: Any) -> Ask:
    """Return a request of somebody without an account."""
    return Ask(method, path, None, send, before)


def add_photo(number: int, *before: Ask) -> Ask:
    files = {"file": ("a.jpg", picture((40 + number, 30)), "image/jpeg")}
    return visit("POST", f"{OWN_REPORT}/photos", *before, files=files, **FOLLOWING)


def of_report(
    method: str, path: str, status: int, *, absent: str, wrong: str, **send: Any
) -> dict[int, Ask]:
    """Return the requests about something of the town's report."""
    return {
        status: visit(method, path, **FOLLOWING, **send),
        404: visit(method, absent, **FOLLOWING, **send),
        422: visit(method, wrong, **FOLLOWING, **send),
    }


PROVOKED: dict[tuple[str, str], dict[int, Ask]] = {
    ("GET", MEMBERS): listed(MEMBERS, planner=403),
    ("POST", MEMBERS): {
        200: post(MEMBERS, MEMBER_IN, post(MEMBERS, MEMBER_IN, headers=KEY), headers=KEY),
        201: post(MEMBERS, MEMBER_IN),
        403: post(MEMBERS, MEMBER_IN, role="planner"),
        404: post(MEMBERS, MEMBER_IN | {"community_code": B}),
        422: post(MEMBERS, MEMBER_IN | {"capacity_stairwells": 0}),
    },
    ("GET", f"{MEMBERS}/twins"): {
        200: get(f"{MEMBERS}/twins"),
        403: get(f"{MEMBERS}/twins", "planner"),
        422: get(f"{MEMBERS}/twins?community=1"),
    },
    ("POST", f"{MEMBERS}/merge"): {
        200: post(f"{MEMBERS}/merge", pair(MEMBER, town.id_of("member", A, 2))),
        403: post(f"{MEMBERS}/merge", pair(MEMBER, NOTHING), role="planner"),
        404: post(f"{MEMBERS}/merge", pair(town.id_of("member", A, 4), NOTHING)),
        409: post(f"{MEMBERS}/merge", pair(MEMBER, MEMBER)),
        412: post(f"{MEMBERS}/merge", pair(MEMBER, town.id_of("member", A, 3), 7)),
        422: post(f"{MEMBERS}/merge", {}),
    },
    ("POST", f"{MEMBERS}/import"): {
        200: Ask(
            "POST", f"{MEMBERS}/import", send=a_list(text=LISTED) | {"data": {"apply": "true"}}
        ),
        403: Ask("POST", f"{MEMBERS}/import", "planner", a_list()),
        422: Ask("POST", f"{MEMBERS}/import", send=a_list(text="")),
    },
    ("GET", f"{MEMBERS}/{{member_id}}"): thing(
        f"{MEMBERS}/{{}}", MEMBER, absent=NOTHING, wrong="one", planner=403
    ),
    ("PATCH", f"{MEMBERS}/{{member_id}}"): {
        200: Ask(
            "PATCH", OWN_MEMBER, send={"json": {"is_available": True}, "headers": MEMBER_SEEN}
        ),
        403: Ask("PATCH", OWN_MEMBER, "contact", {"json": {}, "headers": MEMBER_SEEN}),
        404: Ask("PATCH", f"{MEMBERS}/{NOTHING}", send={"json": {}, "headers": MEMBER_SEEN}),
        412: Ask("PATCH", OWN_MEMBER, send={"json": {}, "headers": {"If-Match": '"v7"'}}),
        422: Ask("PATCH", OWN_MEMBER, send={"json": {"name": ""}, "headers": MEMBER_SEEN}),
        428: Ask("PATCH", OWN_MEMBER, send={"json": {}}),
    },
    ("POST", f"{MEMBERS}/{{member_id}}/consent"): {
        204: post(f"{OWN_MEMBER}/consent", {}, WITHDRAWAL),
        403: post(f"{OWN_MEMBER}/consent", {}, role="contact"),
        404: post(f"{MEMBERS}/{NOTHING}/consent", {}),
        409: post(f"{MEMBERS}/{town.id_of('member', A, 2)}/consent", {}),
        422: post(f"{OWN_MEMBER}/consent", {"on": "never"}),
    },
    ("POST", f"{MEMBERS}/{{member_id}}/withdraw-consent"): {
        200: WITHDRAWAL,
        403: post(f"{OWN_MEMBER}/withdraw-consent", {}, role="contact"),
        404: post(f"{MEMBERS}/{NOTHING}/withdraw-consent", {}),
        409: WITHDRAWAL,
        422: post(f"{OWN_MEMBER}/withdraw-consent", {"on": "never"}),
    },
    ("POST", f"{MEMBERS}/{{member_id}}/absences"): part_of_member("absences", AWAY),
    ("DELETE", f"{MEMBERS}/{{member_id}}/absences/{{absence_id}}"): end_of_member(
        "absences", AWAY | {"until": None}
    ),
    ("POST", f"{MEMBERS}/{{member_id}}/exclusions"): part_of_member("exclusions", NOT_THERE),
    ("DELETE", f"{MEMBERS}/{{member_id}}/exclusions/{{exclusion_id}}"): end_of_member(
        "exclusions", NOT_THERE
    ),
    ("POST", f"{MEMBERS}/{{member_id}}/posts"): part_of_member("posts", LANE),
    ("DELETE", f"{MEMBERS}/{{member_id}}/posts/{{post_id}}"): end_of_member("posts", LANE),
    ("GET", f"{GRIDS}/{{code}}"): thing(
        f"{GRIDS}/{{}}", COMPOUND, absent="9" * 15, wrong="1", planner=200
    )
    | {304: get(f"{GRIDS}/{SECOND}", headers={"If-None-Match": '"v1"'})},
    ("GET", f"{GRIDS}/{{code}}/history"): thing(
        f"{GRIDS}/{{}}/history", COMPOUND, absent="9" * 15, wrong="1", planner=200
    ),
    ("PATCH", f"{GRIDS}/{{code}}"): edited(
        "PATCH", f"{GRIDS}/{{}}", 200, lambda _: {"name": "新梯", "reason": "居民要求"}
    ),
    ("POST", f"{GRIDS}/{{code}}/split"): edited("POST", f"{GRIDS}/{{}}/split", 201, halves),
    ("POST", f"{GRIDS}/{{code}}/void"): edited("POST", f"{GRIDS}/{{}}/void", 201, lambda _: VOID),
    ("POST", f"{GRIDS}/merge"): {
        200: post(f"{GRIDS}/merge", MERGE, ONCE, headers=KEY),
        201: post(f"{GRIDS}/merge", MERGE | {"grids": OTHERS}),
        403: post(f"{GRIDS}/merge", MERGE, role="patrol"),
        404: post(f"{GRIDS}/merge", MERGE | {"grids": ABSENT}),
        409: post(f"{GRIDS}/merge", MERGE),
        412: post(f"{GRIDS}/merge", MERGE | {"grids": STALE}),
        422: post(f"{GRIDS}/merge", {}),
    },
    ("GET", f"{V1}/comparison"): {
        200: get(f"{V1}/comparison?{PERIODS}"),
        403: get(f"{V1}/comparison?{PERIODS}", "planner"),
        422: get(f"{V1}/comparison"),
    },
    ("GET", "/healthz"): {200: get("/healthz", None)},
    ("GET", "/readyz"): {200: get("/readyz", None)},
    ("POST", f"{V1}/session"): {
        401: post(f"{V1}/session", {"code": "not a code"}, role=None),
        403: post(f"{V1}/session", {"code": "not a code"}, role=None, headers=FORGED),
        422: post(f"{V1}/session", {"code": "short"}, role=None),
    },
    ("GET", f"{V1}/session"): {200: get(f"{V1}/session")},
    ("DELETE", f"{V1}/session"): {
        204: Ask("DELETE", f"{V1}/session", "administrator"),
        403: Ask("DELETE", f"{V1}/session", send={"headers": FORGED}),
    },
    ("POST", f"{V1}/session/refresh"): {
        401: post(f"{V1}/session/refresh", {"refresh_token": "a" * 43}, role=None),
        403: post(f"{V1}/session/refresh", role=None, headers=FORGED),
        422: post(f"{V1}/session/refresh", {"refresh_token": "short"}, role=None),
    },
    ("GET", f"{V1}/sign-ins"): {200: get(f"{V1}/sign-ins")},
    ("DELETE", f"{V1}/sign-ins"): {
        204: Ask("DELETE", f"{V1}/sign-ins"),
        403: Ask("DELETE", f"{V1}/sign-ins", send={"headers": FORGED}),
    },
    ("DELETE", f"{V1}/sign-ins/{{sign_in_id}}"): {
        403: Ask("DELETE", f"{V1}/sign-ins/{NOTHING}", send={"headers": FORGED}),
        404: Ask("DELETE", f"{V1}/sign-ins/{NOTHING}"),
        422: Ask("DELETE", f"{V1}/sign-ins/x"),
    },
    ("GET", f"{V1}/keys"): {200: get(f"{V1}/keys"), 403: get(f"{V1}/keys", "patrol")},
    ("POST", f"{V1}/keys"): {
        201: post(f"{V1}/keys", {"name": "QGIS", "days": 30}),
        403: post(f"{V1}/keys", {"name": "QGIS", "days": 30}, role="patrol"),
        422: post(f"{V1}/keys", {"name": "QGIS", "days": 30, "territory": B}),
    },
    ("DELETE", f"{V1}/keys/{{key_id}}"): {
        403: Ask("DELETE", f"{V1}/keys/{'0' * 16}", "patrol"),
        404: Ask("DELETE", f"{V1}/keys/{'0' * 16}"),
        422: Ask("DELETE", f"{V1}/keys/x"),
    },
    ("GET", f"{V1}/communities"): {
        200: get(f"{V1}/communities"),
        422: get(f"{V1}/communities?as_of=x"),
    },
    ("GET", f"{V1}/compounds"): listed(f"{V1}/compounds", planner=200),
    ("GET", f"{V1}/compounds/{{code}}"): thing(
        f"{V1}/compounds/{{}}", COMPOUND, absent="9" * 15, wrong="1", planner=200
    ),
    ("GET", f"{V1}/stairwells"): listed(f"{V1}/stairwells", planner=200),
    ("GET", f"{V1}/stairwells/{{code}}"): thing(
        f"{V1}/stairwells/{{}}", STAIRWELL, absent="9" * 20, wrong="1", planner=200
    ),
    ("GET", f"{V1}/stairwells/{{code}}/card"): thing(
        f"{V1}/stairwells/{{}}/card", STAIRWELL, absent="9" * 20, wrong="1", planner=403
    ),
    ("GET", f"{V1}/contacts/plans"): listed(f"{V1}/contacts/plans", planner=403),
    ("POST", f"{V1}/contacts/plans"): {
        200: post(
            f"{V1}/contacts/plans",
            {"time_limit_s": 0.1},
            post(f"{V1}/contacts/plans", {"time_limit_s": 0.1}, headers=KEY),
            headers=KEY,
        ),
        201: MADE,
        202: post(f"{V1}/contacts/plans", {}, headers={"Prefer": "respond-async"}),
        403: post(f"{V1}/contacts/plans", {}, role="planner"),
        404: post(f"{V1}/contacts/plans", {"community_code": B}),
        422: post(f"{V1}/contacts/plans", {"time_limit_s": 999}),
    },
    ("GET", f"{V1}/contacts/plans/{{plan_id}}"): {
        **thing(f"{V1}/contacts/plans/{{}}", "{plan}", absent=NOTHING, wrong="x", planner=403),
        304: Ask(
            "GET",
            f"{V1}/contacts/plans/{{proposed}}",
            send={"headers": {"If-None-Match": '"v1"'}},
            before=(MADE,),
        ),
    },
    ("GET", f"{V1}/contacts/plans/{{plan_id}}/lines"): thing(
        f"{V1}/contacts/plans/{{}}/lines", "{plan}", absent=NOTHING, wrong="x", planner=403
    ),
    ("POST", f"{V1}/contacts/plans/{{plan_id}}/decisions"): of_plan(
        "decisions", {"decision": "accept"}
    ),
    ("POST", f"{V1}/contacts/plans/{{plan_id}}/review"): of_plan("review"),
    ("POST", f"{V1}/contacts/plans/{{plan_id}}/withdraw"): of_plan("withdraw"),
    ("POST", f"{V1}/contacts/plans/{{plan_id}}/apply"): {
        **of_plan("apply"),
        200: post(
            f"{V1}/contacts/plans/{{proposed}}/apply",
            None,
            post(f"{V1}/contacts/plans/{{proposed}}/review", None, MADE, headers=SEEN),
            headers={"If-Match": '"v2"'},
        ),
    },
    ("GET", f"{V1}/contacts/plans/{{plan_id}}/explanations"): {
        200: get(f"{V1}/contacts/plans/{{plan}}/explanations?stairwell={STAIRWELL}"),
        403: get(f"{V1}/contacts/plans/{{plan}}/explanations?stairwell={STAIRWELL}", "planner"),
        404: get(f"{V1}/contacts/plans/{NOTHING}/explanations?stairwell={STAIRWELL}"),
        422: get(f"{V1}/contacts/plans/{{plan}}/explanations"),
    },
    ("GET", f"{V1}/contacts/plans/{{plan_id}}/shortages"): thing(
        f"{V1}/contacts/plans/{{}}/shortages", "{plan}", absent=NOTHING, wrong="x", planner=403
    ),
    ("GET", f"{V1}/contacts/plans/{{plan_id}}/savings/{{code}}"): thing(
        f"{V1}/contacts/plans/{{}}/savings/{COMPOUND}",
        "{plan}",
        absent=NOTHING,
        wrong="x",
        planner=403,
    ),
    ("POST", f"{V1}/contacts/plans/{{plan_id}}/files/{{format}}"): {
        200: post(f"{V1}/contacts/plans/{{plan}}/files/csv"),
        403: post(f"{V1}/contacts/plans/{{plan}}/files/csv", role="planner"),
        404: post(f"{V1}/contacts/plans/{NOTHING}/files/csv"),
        422: post(f"{V1}/contacts/plans/{{plan}}/files/pdf"),
    },
    ("GET", f"{V1}/contacts"): listed(f"{V1}/contacts", planner=403),
    ("GET", f"{V1}/contacts/own"): {
        200: get(f"{V1}/contacts/own"),
        403: get(f"{V1}/contacts/own", "planner"),
        422: get(f"{V1}/contacts/own?as_of=x"),
    },
    ("GET", f"{V1}/contacts/alerts"): listed(f"{V1}/contacts/alerts", planner=403),
    ("GET", f"{V1}/contacts/stairwells/{{code}}"): thing(
        f"{V1}/contacts/stairwells/{{}}", STAIRWELL, absent="9" * 20, wrong="1", planner=403
    ),
    ("GET", f"{V1}/contacts/pins"): listed(f"{V1}/contacts/pins", planner=403),
    ("DELETE", f"{V1}/contacts/pins/{{code}}"): {
        204: Ask("DELETE", f"{V1}/contacts/pins/{PINNED}"),
        403: Ask("DELETE", f"{V1}/contacts/pins/{PINNED}", "planner"),
        404: Ask("DELETE", f"{V1}/contacts/pins/{'9' * 20}"),
        422: Ask("DELETE", f"{V1}/contacts/pins/1"),
    },
    ("POST", f"{V1}/contacts/hand-overs"): {
        200: post(
            f"{V1}/contacts/hand-overs",
            {"member_id": MEMBER},
            post(f"{V1}/contacts/hand-overs", {"member_id": MEMBER}, headers=KEY),
            headers=KEY,
        ),
        201: post(f"{V1}/contacts/hand-overs", {"member_id": MEMBER}),
        403: post(f"{V1}/contacts/hand-overs", {"member_id": MEMBER}, role="planner"),
        404: post(f"{V1}/contacts/hand-overs", {"member_id": NOTHING}),
        422: post(f"{V1}/contacts/hand-overs", {"member_id": MEMBER, "until": "2020-01-01"}),
    },
    ("GET", f"{V1}/contacts/coverage"): {
        200: get(f"{V1}/contacts/coverage"),
        403: get(f"{V1}/contacts/coverage", "planner"),
        422: get(f"{V1}/contacts/coverage?community=1"),
    },
    ("GET", f"{V1}/categories"): {200: get(f"{V1}/categories")},
    ("GET", f"{V1}/incidents"): listed(f"{V1}/incidents", planner=403),
    ("GET", f"{V1}/incidents/{{incident_id}}"): thing(
        f"{V1}/incidents/{{}}", INCIDENT, absent=NOTHING, wrong="x", planner=403
    ),
    ("POST", f"{V1}/incidents"): {
        200: post(
            f"{V1}/incidents", REPORT, post(f"{V1}/incidents", REPORT, headers=KEY), headers=KEY
        ),
        201: post(f"{V1}/incidents", REPORT),
        403: post(f"{V1}/incidents", REPORT, role="planner"),
        409: post(f"{V1}/incidents", REPORT | {"id": INCIDENT, "summary": "另一件"}),
        422: post(f"{V1}/incidents", REPORT | {"category_code": "nothing"}),
    },
    ("POST", REPORTS): {
        200: visit("POST", REPORTS, visit("POST", REPORTS, json=FILED), json=FILED),
        201: visit("POST", REPORTS, json=ANOTHER),
        403: visit("POST", REPORTS, json=FILED, headers=FORGED),
        409: visit("POST", REPORTS, json=FILED | {"words": "另一件"}),
        422: visit("POST", REPORTS, json={}),
        429: visit("POST", REPORTS, json=ANOTHER),
    },
    ("POST", f"{REPORTS}/batch"): {
        200: visit("POST", f"{REPORTS}/batch", json={"reports": [FILED, {}]}),
        403: visit("POST", f"{REPORTS}/batch", json={"reports": [FILED]}, headers=FORGED),
        422: visit("POST", f"{REPORTS}/batch", json={"reports": []}),
    },
    ("POST", f"{REPORTS}/nearby"): {
        200: visit("POST", f"{REPORTS}/nearby", json=NEAR),
        403: visit("POST", f"{REPORTS}/nearby", json=NEAR, headers=FORGED),
        422: visit("POST", f"{REPORTS}/nearby", json={}),
    },
    ("GET", f"{REPORTS}/{{incident_id}}"): of_report(
        "GET", OWN_REPORT, 200, absent=f"{REPORTS}/{NOTHING}", wrong=f"{REPORTS}/x"
    ),
    ("POST", f"{REPORTS}/{{incident_id}}/photos"): {
        201: add_photo(1),
        200: add_photo(1),
        403: visit("POST", f"{OWN_REPORT}/photos", headers=FORGED),
        404: visit("POST", f"{OWN_REPORT}/photos", files={"file": b"x"}),
        409: add_photo(6, *(add_photo(number) for number in (2, 3, 4))),
        422: visit("POST", f"{OWN_REPORT}/photos", files={"file": b"x"}, **FOLLOWING),
    },
    ("GET", f"{REPORTS}/{{incident_id}}/photos"): of_report(
        "GET",
        f"{OWN_REPORT}/photos",
        200,
        absent=f"{REPORTS}/{NOTHING}/photos",
        wrong=f"{REPORTS}/x/photos",
    ),
    ("GET", f"{REPORTS}/{{incident_id}}/photos/{{photo_id}}"): of_report(
        "GET",
        PHOTO,
        200,
        absent=f"{OWN_REPORT}/photos/{NOTHING}",
        wrong=f"{OWN_REPORT}/photos/x",
    ),
    ("DELETE", f"{REPORTS}/{{incident_id}}/photos/{{photo_id}}"): {
        **of_report(
            "DELETE",
            PHOTO,
            204,
            absent=f"{OWN_REPORT}/photos/{NOTHING}",
            wrong=f"{OWN_REPORT}/photos/x",
        ),
        403: visit("DELETE", PHOTO, headers=FORGED),
    },
    ("GET", f"{V1}/photos/{{code}}/{{photo_id}}"): {
        200: visit("GET", f"{V1}/photos/{A}/{town.photo_of(A)}"),
        404: visit("GET", f"{V1}/photos/{B}/{town.photo_of(A)}"),
        422: visit("GET", f"{V1}/photos/{A}/x"),
    },
    ("GET", f"{V1}/incidents/counts"): {
        200: get(f"{V1}/incidents/counts"),
        403: get(f"{V1}/incidents/counts", "planner"),
        422: get(f"{V1}/incidents/counts?community=1"),
    },
    ("GET", f"{V1}/incidents/numbers"): {
        200: get(f"{V1}/incidents/numbers?by=class&from=2020-01-01&to=2020-12-31"),
        403: get(f"{V1}/incidents/numbers?by=class&from=2020-01-01&to=2020-12-31", "planner"),
        422: get(f"{V1}/incidents/numbers?by=class&from=2020-01-01&to=2019-12-31"),
    },
    ("POST", f"{V1}/incidents/assign"): {
        200: post(f"{V1}/incidents/assign", HANDED_OVER),
        403: post(f"{V1}/incidents/assign", HANDED_OVER, role="planner"),
        422: post(f"{V1}/incidents/assign", {}),
    },
    ("POST", f"{V1}/incidents/{{incident_id}}/steps"): {
        200: post(f"{V1}/incidents/{INCIDENT}/steps", NOTE, NOTED, headers=SEEN | KEY),
        201: post(f"{V1}/incidents/{{proposed}}/steps", NOTE, REPORTED, headers=SEEN),
        403: post(f"{V1}/incidents/{NOTHING}/steps", NOTE, role="planner", headers=SEEN),
        404: post(f"{V1}/incidents/{NOTHING}/steps", NOTE, headers=SEEN),
        409: post(f"{V1}/incidents/{{proposed}}/steps", {"step": "close"}, REPORTED, headers=SEEN),
        412: post(
            f"{V1}/incidents/{{proposed}}/steps", NOTE, REPORTED, headers={"If-Match": '"v9"'}
        ),
        422: post(f"{V1}/incidents/x/steps", NOTE, headers=SEEN),
        428: post(f"{V1}/incidents/{INCIDENT}/steps", NOTE),
    },
    ("GET", f"{V1}/incidents/{{incident_id}}/events"): thing(
        f"{V1}/incidents/{{}}/events", INCIDENT, absent=NOTHING, wrong="x", planner=403
    ),
    ("POST", f"{V1}/incidents/{{incident_id}}/links"): {
        201: post(f"{V1}/incidents/{{proposed}}/links", None, TO_PARTY),
        403: post(f"{V1}/incidents/{NOTHING}/links", None, role="planner"),
        404: post(f"{V1}/incidents/{NOTHING}/links"),
        422: post(f"{V1}/incidents/{INCIDENT}/links"),
    },
    ("GET", f"{V1}/parties"): {
        200: get(f"{V1}/parties"),
        403: get(f"{V1}/parties", "planner"),
        422: get(f"{V1}/parties?community=1"),
    },
    ("POST", f"{V1}/parties"): {
        201: post(f"{V1}/parties", PARTY_IN),
        403: post(f"{V1}/parties", PARTY_IN, role="planner"),
        404: post(f"{V1}/parties", PARTY_IN | {"community_code": B}),
        422: post(f"{V1}/parties", PARTY_IN | {"email": "nobody"}),
    },
    ("PATCH", f"{V1}/parties/{{party_id}}"): {
        200: Ask("PATCH", f"{V1}/parties/{PARTY}", send={"json": {"name": "新物业"}}),
        403: Ask("PATCH", f"{V1}/parties/{PARTY}", "planner", {"json": {"name": "新物业"}}),
        404: Ask("PATCH", f"{V1}/parties/{NOTHING}", send={"json": {"name": "新物业"}}),
        422: Ask("PATCH", f"{V1}/parties/{PARTY}", send={"json": {"name": ""}}),
    },
    ("POST", f"{V1}/handed"): {
        403: post(f"{V1}/handed", {"token": "x"}, role=None, headers=FORGED),
        404: post(f"{V1}/handed", {"token": "x"}, role=None),
        422: post(f"{V1}/handed", {}, role=None),
    },
    ("POST", f"{V1}/handed/steps"): {
        403: post(f"{V1}/handed/steps", {"token": "x"}, role=None, headers=FORGED),
        404: post(f"{V1}/handed/steps", {"token": "x", "step": "start"}, role=None),
        422: post(f"{V1}/handed/steps", {"token": "x", "step": "verify"}, role=None),
    },
    ("GET", f"{V1}/heat"): {
        200: get(f"{V1}/heat"),
        403: get(f"{V1}/heat?class=lift", "planner"),
        422: get(f"{V1}/heat?zoom=3"),
    },
    ("GET", f"{V1}/patrols/routes"): listed(f"{V1}/patrols/routes", planner=403),
    ("GET", f"{V1}/patrols/routes/{{route_id}}"): thing(
        f"{V1}/patrols/routes/{{}}", ROUTE, absent=NOTHING, wrong="x", planner=403
    ),
    ("GET", f"{V1}/patrols/routes/{{route_id}}/left-out"): thing(
        f"{V1}/patrols/routes/{{}}/left-out", ROUTE, absent=NOTHING, wrong="x", planner=403
    ),
    ("POST", f"{V1}/patrols/evenings"): {
        200: post(
            f"{V1}/patrols/evenings",
            {"day": "2030-01-01"},
            post(f"{V1}/patrols/evenings", {"day": "2030-01-01"}, headers=KEY),
            headers=KEY,
        ),
        201: post(f"{V1}/patrols/evenings", {"day": "2030-01-01"}),
        403: post(f"{V1}/patrols/evenings", {"day": "2030-01-01"}, role="planner"),
        422: post(f"{V1}/patrols/evenings", {"day": "tonight"}),
    },
    ("POST", f"{V1}/members/search"): {
        200: post(f"{V1}/members/search", {"words": "甲"}),
        403: post(f"{V1}/members/search", {"words": "甲"}, role="planner"),
        422: post(f"{V1}/members/search", {"words": " "}),
    },
    ("POST", f"{V1}/members/{{member_id}}/reveal"): {
        200: post(f"{V1}/members/{MEMBER}/reveal", {"purpose": "emergency"}),
        403: post(f"{V1}/members/{MEMBER}/reveal", {"purpose": "emergency"}, role="contact"),
        404: post(f"{V1}/members/{NOTHING}/reveal", {"purpose": "emergency"}),
        422: post(f"{V1}/members/{MEMBER}/reveal", {"purpose": "curiosity"}),
    },
    ("GET", f"{V1}/accounts"): {
        200: get(f"{V1}/accounts", "administrator"),
        403: get(f"{V1}/accounts"),
        422: get(f"{V1}/accounts?cursor=!", "administrator"),
    },
    ("POST", f"{V1}/accounts"): {
        201: post(f"{V1}/accounts", INVITEE, role="administrator"),
        403: post(f"{V1}/accounts", INVITEE),
        409: post(
            f"{V1}/accounts",
            INVITEE | {"login": "chen"},
            post(f"{V1}/accounts", INVITEE | {"login": "chen"}, role="administrator"),
            role="administrator",
        ),
        422: post(f"{V1}/accounts", INVITEE | {"territory_codes": [B]}, role="administrator"),
    },
    ("POST", f"{V1}/accounts/search"): {
        200: post(f"{V1}/accounts/search", {"words": "陈"}, role="administrator"),
        403: post(f"{V1}/accounts/search", {"words": "陈"}),
        422: post(f"{V1}/accounts/search", {"words": " "}, role="administrator"),
    },
    ("POST", f"{V1}/accounts/list"): {
        201: post(f"{V1}/accounts/list", role="administrator", files={"file": PEOPLE_LIST}),
        403: post(f"{V1}/accounts/list", files={"file": PEOPLE_LIST}),
        422: post(f"{V1}/accounts/list", role="administrator", files={"file": b"no list"}),
    },
    ("GET", f"{V1}/accounts/{{account_id}}"): {
        200: Ask("GET", f"{V1}/accounts/{{proposed}}", "administrator", before=(INVITED,)),
        403: get(f"{V1}/accounts/{NOTHING}"),
        404: get(f"{V1}/accounts/{NOTHING}", "administrator"),
        422: get(f"{V1}/accounts/x", "administrator"),
    },
    ("PATCH", f"{V1}/accounts/{{account_id}}"): changed(
        "PATCH", f"{V1}/accounts/{{}}", 200, json={"name": "李试四"}
    ),
    ("POST", f"{V1}/accounts/{{account_id}}/invitation"): changed(
        "POST", f"{V1}/accounts/{{}}/invitation", 201
    ),
    ("DELETE", f"{V1}/accounts/{{account_id}}/second-factor"): changed(
        "DELETE", f"{V1}/accounts/{{}}/second-factor", 200
    ),
    ("POST", f"{V1}/invitations/redeem"): {
        401: post(f"{V1}/invitations/redeem", REDEMPTION, role=None),
        403: post(f"{V1}/invitations/redeem", REDEMPTION, role=None, headers=FORGED),
        422: post(f"{V1}/invitations/redeem", {"code": "7QK2-M0XA-1123-ZZZZ"}, role=None),
    },
    ("GET", f"{V1}/imports"): {
        200: get(f"{V1}/imports", "administrator"),
        403: get(f"{V1}/imports"),
        422: get(f"{V1}/imports?cursor=!", "administrator"),
    },
    ("POST", f"{V1}/imports"): {
        200: replace(SENT, before=(SENT,)),
        201: replace(SENT, send=upload("other")),
        403: replace(SENT, territory=A),
        404: replace(SENT, send=upload("none", EMPTY_STREET), territory=EMPTY_STREET),
        422: replace(SENT, send=upload("x") | {"data": {"layer": "nothing"}}),
    },
    ("GET", f"{V1}/imports/{{import_id}}"): without(409, of_import("GET", "", 200)),
    ("GET", f"{V1}/imports/{{import_id}}/faults.geojson"): of_import("GET", "/faults.geojson", 200),
    ("GET", f"{V1}/imports/{{import_id}}/rejects.csv"): without(
        409, of_import("GET", "/rejects.csv", 200)
    ),
    ("POST", f"{V1}/imports/{{import_id}}/apply"): of_import("POST", "/apply", 200, json={}),
    ("DELETE", f"{V1}/imports/{{import_id}}"): of_import("DELETE", "", 204),
    ("GET", f"{V1}/jobs"): listed(f"{V1}/jobs", planner=403),
    ("GET", f"{V1}/jobs/{{job_id}}"): thing(
        f"{V1}/jobs/{{}}", JOB, absent=NOTHING, wrong="x", planner=403
    ),
    ("POST", f"{V1}/jobs/{{job_id}}/cancel"): {
        403: post(f"{V1}/jobs/{JOB}/cancel", role="planner"),
        404: post(f"{V1}/jobs/{NOTHING}/cancel"),
        409: post(f"{V1}/jobs/{JOB}/cancel"),
        422: post(f"{V1}/jobs/x/cancel"),
    },
    **NOTICES,
    ("GET", f"{V1}/audit"): listed(f"{V1}/audit", planner=403),
    ("GET", f"{V1}/results"): {200: get(f"{V1}/results"), 403: get(f"{V1}/results", "planner")},
    ("GET", f"{V1}/export/{{layer}}.{{format}}"): {
        200: get(f"{V1}/export/compounds.geojson"),
        206: get(f"{V1}/export/compounds.fgb", headers={"Range": "bytes=0-9"}),
        403: get(f"{V1}/export/incidents.geojson", "planner"),
        404: get(f"{V1}/export/people.geojson"),
        416: get(f"{V1}/export/compounds.fgb", headers={"Range": "bytes=9999999-"}),
        422: get(f"{V1}/export/PEOPLE.geojson"),
    },
    ("GET", "/tiles/{layer}/{z}/{x}/{y}.mvt"): {
        200: get("/tiles/compounds/14/13341/7114.mvt"),
        403: get("/tiles/compounds/14/13341/7114.mvt", "contact"),
        404: get("/tiles/people/0/0/0.mvt"),
        422: get("/tiles/compounds/99/0/0.mvt"),
    },
}
# Provoked for every operation alike, or in tests of their own.
ALIKE = {401, 408, 413, 503}
ELSEWHERE = {
    ("POST", f"{V1}/imports"): {409},
    ("GET", f"{V1}/imports/{{import_id}}/rejects.csv"): {409},
    ("POST", f"{V1}/members/{{member_id}}/reveal"): {429},
    ("PATCH", f"{V1}/accounts/{{account_id}}"): {409},
    ("POST", f"{V1}/accounts/{{account_id}}/invitation"): {409},
    ("DELETE", f"{V1}/accounts/{{account_id}}/second-factor"): {409},
    ("POST", f"{V1}/invitations/redeem"): {201, 429},
    ("POST", f"{V1}/jobs/{{job_id}}/cancel"): {200},
    ("POST", f"{V1}/handed"): {200},
    ("POST", f"{V1}/handed/steps"): {201, 409},
    ("POST", f"{V1}/session"): {201, 429},
    ("POST", f"{V1}/session/refresh"): {200, 429},
    ("POST", f"{REPORTS}/nearby"): {429},
    ("POST", f"{REPORTS}/{{incident_id}}/photos"): {429},
    ("GET", f"{V1}/sign-ins"): {403},
    ("GET", f"{V1}/inbox"): {403},
    ("POST", f"{V1}/inbox/{{entry_id}}/read"): {200},
    ("DELETE", f"{V1}/sign-ins/{{sign_in_id}}"): {204},
    ("POST", f"{V1}/keys"): {409},
    ("DELETE", f"{V1}/keys/{{key_id}}"): {204},
    ("GET", "/tiles/{layer}/{z}/{x}/{y}.mvt"): {304},
    ("GET", f"{V1}/patrols/routes/{{route_id}}"): {304},
}
WITHOUT_SIGNING_IN = {
    *(("GET", "/healthz"), ("GET", "/readyz")),
    *(("POST", f"{V1}/session"), ("POST", f"{V1}/session/refresh")),
    ("POST", f"{V1}/invitations/redeem"),
    *((method, path) for method, path in PROVOKED if path.startswith((REPORTS, f"{V1}/photos"))),
    *(("POST", f"{V1}/handed"), ("POST", f"{V1}/handed/steps")),
}


def documented(document: dict[str, Any]) -> dict[tuple[str, str], set[int]]:
    return {
        (method.upper(), path): {int(status) for status in operation["responses"]}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def ask(service: Service, request: Ask) -> Any:
    """Send the requests that come before, then the request itself."""
    proposed = ""
    for earlier in request.before:
        answer = ask(service, earlier)
        assert answer.status_code in (200, 201), answer.text
        made = answer.json()
        proposed = made.get("plans", [made.get("account", made)])[0].get("id", "")
    client = service.caller(request.role, request.territory) if request.role else service.visitor()
    plans = service.caller("coordinator", A).get(f"{V1}/contacts/plans").json()["items"]
    path = request.path.replace("{plan}", plans[-1]["id"]).replace("{proposed}", proposed)
    return client.request(request.method, path, **request.send)


@pytest.fixture(scope="module")
def promises(shared_service: Service) -> dict[tuple[str, str], set[int]]:
    return documented(shared_service.document)


def test_this_table_provokes_every_promised_status(
    promises: dict[tuple[str, str], set[int]],
) -> None:
    provoked = {
        operation: (set(requests) | ELSEWHERE.get(operation, set())) - ALIKE
        for operation, requests in PROVOKED.items()
    }
    assert provoked == {operation: statuses - ALIKE for operation, statuses in promises.items()}


@pytest.mark.parametrize("operation", PROVOKED, ids=" ".join)
def test_every_promised_status_is_sent(own_service: Service, operation: tuple[str, str]) -> None:
    for status, request in PROVOKED[operation].items():
        answer = ask(own_service, request)
        assert answer.status_code == status, answer.text
        assert (*operation, status) in own_service.witness.seen
        if status >= 400:
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["status"] == status
            assert answer.headers["Cache-Control"].endswith("no-store")


def address(path: str) -> str:
    """Fill in an operation's path: what stands there does not matter before signing in."""
    names = {"{code}": "9" * 20, "{plan_id}": NOTHING, "{incident_id}": NOTHING}
    names |= {"{route_id}": NOTHING, "{layer}": "compounds", "{z}": "0", "{x}": "0", "{y}": "0"}
    names |= {"{member_id}": NOTHING, "{sign_in_id}": NOTHING, "{key_id}": "0" * 16}
    names |= {"{import_id}": NOTHING, "{job_id}": NOTHING, "{party_id}": NOTHING}
    names |= {"{absence_id}": NOTHING, "{exclusion_id}": NOTHING, "{post_id}": NOTHING}
    names |= {"{channel_id}": NOTHING, "{delivery_id}": NOTHING, "{entry_id}": NOTHING}
    names |= {"{account_id}": NOTHING, "{format}": "geojson", "{photo_id}": NOTHING}
    for name, value in names.items():
        path = path.replace(name, value)
    return path.replace("9" * 20, "9" * 15) if "compounds/" in path else path


BODIES = {
    f"{V1}/members/search": {"words": "甲"},
    f"{V1}/session": {"code": "a code of nobody"},
    f"{V1}/session/refresh": {"refresh_token": "a token of nobody at all"},
    f"{V1}/keys": {"name": "QGIS", "days": 30},
    f"{V1}/invitations/redeem": REDEMPTION,
    f"{V1}/incidents": REPORT,
    f"{V1}/incidents/assign": HANDED_OVER,
    f"{V1}/incidents/{{incident_id}}/steps": NOTE,
    f"{V1}/parties": PARTY_IN,
    f"{V1}/handed": {"token": "x"},
    f"{V1}/handed/steps": {"token": "x", "step": "start"},
    f"{V1}/contacts/plans": {},
    f"{V1}/contacts/plans/{{plan_id}}/decisions": {"decision": "accept"},
    f"{V1}/contacts/hand-overs": {"member_id": MEMBER},
    f"{V1}/patrols/evenings": {"day": "2030-01-01"},
}


@pytest.mark.parametrize(
    "operation", [key for key in PROVOKED if key not in WITHOUT_SIGNING_IN], ids=" ".join
)
@pytest.mark.parametrize("token", [None, "Bearer", "Bearer nonsense", "Basic abc", "Bearer \xe9"])
def test_without_a_valid_token_the_answer_is_401(
    service: Service, operation: tuple[str, str], token: str | None
) -> None:
    method, path = operation
    if (method, token) == ("DELETE", "Bearer nonsense") or (method, token) == (
        "DELETE",
        "Bearer \xe9",
    ):
        return  # signing out a token that is none ends nothing, and says nothing about it
    headers = {} if token is None else {b"Authorization": token.encode("latin-1")}
    answer = service.visitor().request(
        method,
        address(path),
        headers=headers,
        json=BODIES.get(path) if method == "POST" else None,
    )
    assert is_problem(answer, 401, "not-signed-in")


@pytest.mark.parametrize("operation", [key for key in PROVOKED if key[0] != "GET"], ids=" ".join)
def test_a_change_sent_from_another_site_is_refused(
    service: Service, operation: tuple[str, str]
) -> None:
    method, path = operation
    answer = service.caller("coordinator", A).request(method, address(path), headers=FORGED)
    assert is_problem(answer, 403, "foreign-origin")


@pytest.fixture
def stoppable(own_cluster: Cluster) -> Iterator[Service]:
    """The service over an empty database in a cluster that nobody else uses."""
    clone = Clone.of(own_cluster, make_template(own_cluster))
    with serving(clone) as service:
        yield service
    clone.close()


def test_while_the_database_is_down_every_route_says_503_and_when_to_come_back(
    stoppable: Service, promises: dict[tuple[str, str], set[int]]
) -> None:
    client = stoppable.caller("coordinator", A)
    cluster = stoppable.clone.cluster
    assert cluster.release()
    try:
        for method, path in PROVOKED:
            answer = client.request(
                method, address(path), json=BODIES.get(path) if method == "POST" else None
            )
            if path == "/healthz":
                assert answer.status_code == 200
                continue
            assert is_problem(answer, 503, "database-down"), (method, path, answer.text)
            assert answer.headers["Retry-After"] == "5"
            assert 503 in promises[method, path]
    finally:
        cluster.start()
    assert client.get("/readyz").json()["status"] == "ready"
    assert client.get("/api/v1/compounds").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/compounds", 405),
        ("PUT", "/api/v1/incidents", 405),
        ("GET", "/tiles/compounds/0/0/0.png", 404),
    ],
)
def test_what_is_no_operation_is_a_problem_too(
    service: Service, method: str, path: str, status: int
) -> None:
    answer = service.caller("coordinator", A).request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status


def test_a_fault_of_ours_is_a_problem_that_gives_nothing_away(
    town_database: Clone, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(dict[str, Rule], RULES), "GET /boom", OPEN)
    app = create_app(Settings(), town_database.api, town.VAULT)

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError(str(uuid4()) + " 甲某 13800001234")

    answer = TestClient(app, raise_server_exceptions=False).get("/boom")
    assert is_problem(answer, 500, "internal")
    assert "13800001234" not in answer.text
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "unexpected error"
    ]


def test_the_witness_reports_what_is_not_documented() -> None:
    app = FastAPI()

    @app.get("/api/v1/quiet")
    def quiet(word: str) -> PlainTextResponse:
        return PlainTextResponse(word, status_code=418)

    witness = Witness(app, app.openapi())
    client = TestClient(witness)
    client.get("/api/v1/quiet?word=tea")
    client.get("/api/v1/quiet")
    client.get("/api/v1/nothing")
    assert witness.faults == [
        "GET /api/v1/quiet: 418 is not documented",
        "GET /api/v1/nothing: 404 as application/json",
    ]
    assert witness.seen == {("GET", "/api/v1/quiet", 418), ("GET", "/api/v1/quiet", 422)}


@pytest.mark.parametrize("path", [f"{V1}/session", *BODIES])
@pytest.mark.parametrize(
    "body",
    [
        b'{"summary": "\xff"}',
        b"\xff\xfe\x00",
        b"{",
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"NaN",
        b"[" * 9999,
    ],
)
def test_a_body_that_is_no_json_object_is_a_422(service: Service, path: str, body: bytes) -> None:
    answer = service.caller("coordinator", A).post(
        path, content=body, headers={"content-type": "application/json"}
    )
    assert is_problem(answer, 422, "invalid-request")
