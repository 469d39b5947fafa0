"""What every page of household contacts promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

from httpx2 import Response

from gridsvc.local_time import local_today
from tests.api.matrix import STAFF, Caller, World
from tests.api.matrix_contacts import (
    IN_FORCE,
    LINES,
    NOTHING,
    PLANS,
    own_duties,
    to_plan,
)
from tests.api.matrix_found import by_pattern
from tests.api.matrix_promises import Ask, Changes, Lists, One, Promise, Request, Rows

_PLANS_ON_PAGE = by_pattern(r'href="/contacts/plans/([0-9a-f-]{36})"')
_MEMBERS = Rows("member", where="erased_at IS NULL")
_COMPOUNDS = Rows("compound", "code", "retired_on IS NULL")


def pages_of(answer: Response) -> list[object]:
    """Read how a PDF is named: what is in it, tests of its own read."""
    assert answer.headers["Content-Type"] == "application/pdf"
    return [answer.headers["Content-Disposition"].partition("notices-")[2].partition(".pdf")[0]]


CONTACT_PAGE_READS: tuple[tuple[str, Promise], ...] = (
    ("GET /contacts", Lists(STAFF, PLANS, _PLANS_ON_PAGE)),
    (
        "GET /contacts/plans/{plan_id}",
        One(
            STAFF,
            PLANS,
            by_pattern(r'id="line-([0-9]{20})"'),
            LINES,
            "/contacts/plans/{id}?state=all",
        ),
    ),
    (
        "GET /contacts/plans/{plan_id}/stairwells/{code}",
        One(
            STAFF,
            Rows("contact_plan_line", "plan_id || '/stairwells/' || stairwell_code"),
            by_pattern(r'id="line-([0-9]{20})"'),
            "SELECT right('{id}', 20)",
            "/contacts/plans/{id}",
        ),
    ),
    (
        "GET /contacts/plans/{plan_id}/shortages",
        One(STAFF, PLANS, by_pattern(r'href="/contacts/plans/([0-9a-f-]{36})"'), "SELECT '{id}'"),
    ),
    (
        "GET /contacts/coverage",
        Lists(STAFF, _COMPOUNDS, by_pattern(r'href="/contacts/notices/([0-9]{15})\.pdf"')),
    ),
    (
        "GET /contacts/hand-over/{member_id}",
        One(
            STAFF,
            _MEMBERS,
            by_pattern(r'action="/contacts/hand-over/([0-9a-f-]{36})"'),
            "SELECT '{id}'",
        ),
    ),
    (
        "GET /contacts/notices/{code}.pdf",
        One(STAFF, _COMPOUNDS, pages_of, "SELECT '{id}'", "/contacts/notices/{id}.pdf"),
    ),
    (
        "GET /my-stairwells",
        Lists(
            STAFF | {"contact"},
            own_duties,
            by_pattern(r"<code>([0-9]{20})</code>"),
            nothing_for=STAFF,
        ),
    ),
)


def propose(_: World, __: Caller, place: int) -> Ask:
    return Ask("POST", "/contacts", {"data": {"community": str(place), "seconds": "1"}})


def on_plan(deed: str, *, is_reviewed: bool = False) -> Request:
    """Return a request that decides on a plan of a place, in its present version."""

    def ask(world: World, caller: Caller, place: int) -> Ask:
        asked = to_plan("apply", is_reviewed=is_reviewed)(world, caller, place)
        version = asked.send["headers"]["If-Match"].strip('"v')
        path = asked.path.removeprefix("/api/v1").removesuffix("/apply")
        return Ask("POST", path, {"data": {"deed": deed, "version": version}})

    return ask


def take_file(world: World, caller: Caller, place: int) -> Ask:
    asked = to_plan("files/csv")(world, caller, place)
    return Ask("POST", asked.path.removeprefix("/api/v1"))


def hand_over(world: World, _: Caller, place: int) -> Ask:
    """Let a lead of the place leave; the change waits for a review."""
    found = world.once(
        f"SELECT member_id FROM gridsvc.contact WHERE community_code = {place}"
        f" AND kind = 'lead' AND {IN_FORCE} ORDER BY 1 LIMIT 1"
    )
    form = {"first_day": str(local_today())}
    return Ask("POST", f"/contacts/hand-over/{found[0] if found else NOTHING}", {"data": form})


CONTACT_PAGE_CHANGES: tuple[tuple[str, Promise], ...] = (
    ("POST /contacts", Changes(STAFF, propose, {"job"}, perhaps={"audit_event"})),
    (
        "POST /contacts/plans/{plan_id}",
        Changes(
            STAFF,
            on_plan("accept-all"),
            {"contact_plan", "contact_plan_line", "audit_event"},
        ),
    ),
    (
        "POST /contacts/plans/{plan_id}/files/{format}",
        Changes(STAFF, take_file, {"audit_event"}),
    ),
    (
        "POST /contacts/hand-over/{member_id}",
        Changes(
            STAFF,
            hand_over,
            {"contact_plan", "contact_plan_line", "audit_event"},
            perhaps={"contact_plan_support"},
        ),
    ),
)
