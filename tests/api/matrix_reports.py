"""What every route about reports without an account promises: one line a route."""

# ruff: noqa: S608 - names of our own tables, codes and numbers

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from gridsvc.incidents.reporting.model import new_secret
from tests import town
from tests.api.matrix import EVERYBODY, PLACES, STAFF, A, B, C, Caller, World
from tests.api.matrix_found import by_pattern
from tests.api.matrix_promises import Alike, Ask, Changes, Lists, One, Promise, Rows, Shut
from tests.gridsvc.incidents.pictures import photo

V1 = "/api/v1"
REPORTS = f"{V1}/reports"
NOTHING = "00000000-0000-7000-8000-000000000000"
FILED = {"incident", "incident_event", "report", "heat_cell", "audit_event"}
WAITING = (
    "NOT EXISTS (SELECT FROM gridsvc.published_photo p WHERE p.photo_id = photo.id)"
    " AND EXISTS (SELECT FROM gridsvc.incident i WHERE i.id = photo.incident_id AND i.is_public)"
)
JPEG = photo((40, 30))


def point(place: int) -> dict[str, float]:
    """Return a place of a community, or one outside all of them."""
    x, y = (10, 60) if place % 1000 == 0 else (20, 20)
    lon, lat = town.place(place, x, y)
    return {"lon": lon, "lat": lat}


def body(place: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "secret": new_secret(),
        "category_code": "lift.fault",
        "words": f"电梯停了 {uuid4()}",
        "where": point(place),
    }


def file(_: World, __: Caller, place: int) -> Ask:
    return Ask("POST", REPORTS, {"json": body(place)})


def file_many(_: World, __: Caller, place: int) -> Ask:
    return Ask("POST", f"{REPORTS}/batch", {"json": {"reports": [body(place), body(place)]}})


def file_by_page(_: World, __: Caller, place: int) -> Ask:
    sent = body(place)
    form = {"what": sent["category_code"]} | {
        name: sent[name] for name in ("id", "secret", "words")
    }
    return Ask("POST", "/report", {"data": form | {k: str(v) for k, v in point(place).items()}})


def look(_: World, __: Caller, place: int) -> Ask:
    wanted = {"category_code": "lift.fault", "where": point(place)}
    return Ask("POST", f"{REPORTS}/nearby", {"json": wanted})


def of_own(
    method: str, end: str = "", *, has_photo: bool = False, sends_photo: bool = False
) -> Callable[[World, Caller, int], Ask]:
    """Return a request about a report that was just made, with its token."""

    def ask(world: World, _: Caller, place: int) -> Ask:
        # By somebody with an account: visitors may not report so often.
        maker = world.client(Caller("coordinator", A))
        made = maker.post(REPORTS, json=body(place)).json()
        path, headers = f"{REPORTS}/{made['id']}", {"Follow-Token": made["token"]}
        files = {"file": ("a.jpg", JPEG, "image/jpeg")}
        photo_id = ""
        if has_photo:
            photo_id = maker.post(f"{path}/photos", files=files, headers=headers).json()["id"]
        send = {"headers": headers} | ({"files": files} if sends_photo else {})
        return Ask(method, path + end.format(photo_id), send)

    return ask


def read_public(_: World, __: Caller, ___: int) -> Ask:
    return Ask("GET", f"{V1}/photos/{A}/{town.photo_of(A)}")


def add_photo(world: World, place: int) -> str:
    """Let a photo of a public incident wait at a place, and return its id."""
    if place not in PLACES:
        return NOTHING
    photo_id = str(uuid4())
    world.clone.run(
        "INSERT INTO gridsvc.photo (community_code, id, incident_id, position, image, thumbnail,"
        f" width_px, height_px, source_hash) SELECT i.community_code, '{photo_id}', i.id, (SELECT"
        " count(*) + 1 FROM gridsvc.photo WHERE incident_id = i.id), p.image, p.thumbnail,"
        " p.width_px, p.height_px, p.source_hash"
        f" FROM gridsvc.incident i, gridsvc.photo p WHERE p.id = '{town.photo_of(A)}'"
        f" AND i.community_code = {place} AND i.is_public AND (SELECT count(*) FROM gridsvc.photo"
        " WHERE incident_id = i.id) < 5 ORDER BY i.reported_at, i.id LIMIT 1"
    )
    return photo_id


def add_photos(world: World) -> None:
    """Let photos wait, so many at each place that no territory has as many as another."""
    for place, count in ((A, 1), (B, 2), (C, 4)):
        for _ in range(count):
            add_photo(world, place)


def publish(world: World, _: Caller, place: int) -> Ask:
    form = {"deed": "publish", "nothing": "yes"}
    return Ask("POST", f"/incidents/photos/{add_photo(world, place)}", {"data": form})


def everybody(ask: Callable[[World, Caller, int], Ask], *tables: str) -> Changes:
    """Return what everybody may do anywhere, with an account or without."""
    nothing_for = frozenset() if tables else EVERYBODY
    return Changes(EVERYBODY, ask, set(tables), places=(), nothing_for=nothing_for)


REPORT_READS: tuple[tuple[str, Promise], ...] = (
    ("GET /g/{code}", Shut(EVERYBODY, 404)),
    ("GET /report", Alike(EVERYBODY)),
    ("GET /report/follow", Alike(EVERYBODY)),
    ("POST /report/follow", Shut(EVERYBODY, 404)),
    ("POST /report/follow/say", Shut(EVERYBODY, 422)),
    (
        "GET /incidents/photos",
        Lists(
            STAFF,
            Rows("photo", where=WAITING),
            by_pattern(r'href="/incidents/photos/([0-9a-f-]{36})"'),
        ),
    ),
    (
        "GET /incidents/photos/{photo_id}",
        One(STAFF, Rows("photo"), by_pattern(r'id="photo-([0-9a-f-]{36})"'), "SELECT '{id}'"),
    ),
    (
        "GET /incidents/photos/{photo_id}/image",
        One(
            STAFF,
            Rows("photo"),
            lambda answer: [answer.headers["content-type"]],
            "SELECT left('image/jpeg{id}', 10)",
        ),
    ),
)
REPORT_CHANGES: tuple[tuple[str, Promise], ...] = (
    (f"POST {REPORTS}", everybody(file, *FILED)),
    (f"POST {REPORTS}/batch", everybody(file_many, *FILED)),
    ("POST /report", everybody(file_by_page, *FILED)),
    (f"POST {REPORTS}/nearby", everybody(look)),
    (f"GET {REPORTS}/{{incident_id}}", everybody(of_own("GET"))),
    (
        f"POST {REPORTS}/{{incident_id}}/photos",
        everybody(of_own("POST", "/photos", sends_photo=True), "photo", "audit_event"),
    ),
    (f"GET {REPORTS}/{{incident_id}}/photos", everybody(of_own("GET", "/photos"))),
    (
        f"GET {REPORTS}/{{incident_id}}/photos/{{photo_id}}",
        everybody(of_own("GET", "/photos/{}", has_photo=True)),
    ),
    (
        f"DELETE {REPORTS}/{{incident_id}}/photos/{{photo_id}}",
        everybody(of_own("DELETE", "/photos/{}", has_photo=True), "photo", "audit_event"),
    ),
    (f"GET {V1}/photos/{{code}}/{{photo_id}}", everybody(read_public)),
    (
        "POST /incidents/photos/{photo_id}",
        Changes(STAFF, publish, {"published_photo", "audit_event"}),
    ),
)
