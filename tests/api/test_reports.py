"""Reports without an account over HTTP: the API, photos, and that no secret is written down."""

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from starlette.testclient import TestClient

from gridsvc.incidents.reporting.model import new_secret
from gridsvc.throttle.model import Key, subnet_of
from tests import town
from tests.api.log_lines import recorded
from tests.api.service import Service, is_problem, serving
from tests.databases import drop, make_clone
from tests.gridsvc.incidents.pictures import photo

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
REPORTS = "/api/v1/reports"
STAIRWELL = town.stairwell_code(A, building=2, number=2)
JPEG = {"file": ("photo.jpg", photo(), "image/jpeg")}


@pytest.fixture(scope="module")
def reporting(cluster: Any, town_template: str) -> Iterator[Service]:
    """The service over a town to which these tests add reports."""
    clone = make_clone(cluster, town_template)
    try:
        with serving(clone) as service:
            yield service
    finally:
        drop(clone)


@pytest.fixture
def visitor(reporting: Service) -> TestClient:
    # Each test has its own count of tries.
    reporting.clone.run("TRUNCATE gridsvc.throttle")
    return reporting.visitor()


def body(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "secret": new_secret(),
        "category_code": "public_facility.stairwell_lights",
        "words": f"三楼的灯不亮 {uuid4()}",
        "where": {"stairwell_code": STAIRWELL},
    } | changes


def filed(client: TestClient, **changes: Any) -> tuple[str, dict[str, str]]:
    """Return the address of a new report, and the header that opens it."""
    answer = client.post(REPORTS, json=body(**changes))
    assert answer.status_code == 201, answer.text
    return f"{REPORTS}/{answer.json()['id']}", {"Follow-Token": answer.json()["token"]}


def test_a_report_is_taken_followed_and_repeated(visitor: TestClient) -> None:
    sent = body(email="lin@example.com")
    answer = visitor.post(REPORTS, json=sent)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["where"]["community_name"] == "东岸社区"
    assert told["link"].endswith(f"/report/follow#{told['token']}")
    again = visitor.post(REPORTS, json=sent)
    assert (again.status_code, again.json()) == (200, told)
    followed = visitor.get(f"{REPORTS}/{told['id']}", headers={"Follow-Token": told["token"]})
    assert followed.json()["words"] == sent["words"]
    assert followed.json()["has_email"]
    assert "example.com" not in followed.text


def test_a_key_without_id_and_secret_is_enough_for_a_repetition(visitor: TestClient) -> None:
    sent = body(id=None, secret=None)
    key = {"Idempotency-Key": f"phone-{uuid4()}"}
    first = visitor.post(REPORTS, json=sent, headers=key)
    again = visitor.post(REPORTS, json=sent, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = visitor.post(REPORTS, json=sent | {"words": "别的"}, headers=key)
    assert is_problem(other, 422, "idempotency-mismatch")


@pytest.mark.parametrize("token", [None, "x", "A" * 54, "é" * 54])
def test_without_its_token_a_report_is_not_there(visitor: TestClient, token: str | None) -> None:
    path, _ = filed(visitor)
    headers = {"Follow-Token": token.encode()} if token else {}
    for ask in ("", "/photos", f"/photos/{uuid4()}"):
        answer = visitor.get(path + ask, headers=headers)  # type: ignore[arg-type]
        assert is_problem(answer, 404, "not-found"), answer.text


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"words": "x" * 600_000}, "words"),
        ({"words": "字" * 501}, "words"),
        ({"words": "\x00\x1b\u202e \n"}, "words"),
        ({"words": ""}, "words"),
        ({"words": None}, "words"),
        ({"reported_at": "2099-01-01T00:00:00Z"}, "reported_at"),
        ({"reported_at": "2020-01-01T00:00:00Z"}, "reported_at"),
        ({"reported_at": "2026-01-01T00:00:00"}, "reported_at"),
        ({"where": {}}, "where"),
        ({"where": {"lon": 0}}, "where"),
        ({"where": {"lon": "NaN", "lat": 0}}, "where.lon"),
        ({"where": {"lon": 113.15, "lat": 23.03, "stairwell_code": STAIRWELL}}, "where"),
        ({"where": {"stairwell_code": "<script>"}}, "where.stairwell_code"),
        ({"category_code": "<script>alert(1)</script>"}, "category_code"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email"),
        ({"id": "1"}, "id"),
        ({"secret": "short"}, "secret"),
        ({"is_public": True}, "is_public"),
    ],
)
def test_bad_input_is_refused_and_says_where(
    visitor: TestClient, changes: dict[str, Any], where: str
) -> None:
    answer = visitor.post(REPORTS, json=body(**changes))
    assert is_problem(answer, 422, "invalid-request"), answer.text
    found = [".".join(fault["where"][1:]) for fault in answer.json()["errors"]]
    assert where in found


def test_a_megabyte_of_words_is_refused_before_it_is_read(visitor: TestClient) -> None:
    answer = visitor.post(REPORTS, json=body(words="x" * 1_000_000))
    assert is_problem(answer, 413, "body-too-large")


@pytest.mark.parametrize("point", [(0, 0), (2.35, 48.85), (-122.4, 37.8)])
def test_a_point_in_another_country_is_refused_in_words(
    visitor: TestClient, point: tuple[float, float]
) -> None:
    answer = visitor.post(REPORTS, json=body(where={"lon": point[0], "lat": point[1]}))
    assert is_problem(answer, 422, "unknown-place")
    assert "far from every community" in answer.json()["detail"]


def test_emoji_stay_and_control_characters_go(visitor: TestClient) -> None:
    path, headers = filed(visitor, words="灯坏了 🛗👩‍👩‍👧\x07\x1b[31m <b>x</b>\u202e\r\n第二行")
    kept = visitor.get(path, headers=headers).json()["words"]
    assert kept == "灯坏了 🛗👩‍👩‍👧[31m <b>x</b>\n第二行"


def test_half_a_letter_is_no_fault_of_ours(visitor: TestClient) -> None:
    text = '{"category_code":"lift.fault","words":"a\\ud800b","where":{"stairwell_code":"%s"}}'
    answer = visitor.post(
        REPORTS, content=text % STAIRWELL, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (201, 422)


def test_a_clock_that_is_ahead_counts_as_now(visitor: TestClient) -> None:
    from datetime import UTC, datetime, timedelta

    ahead = datetime.now(UTC) + timedelta(hours=20)
    path, headers = filed(visitor, reported_at=ahead.isoformat())
    told = visitor.get(path, headers=headers).json()["reported_at"]
    assert datetime.fromisoformat(told) < datetime.now(UTC) + timedelta(minutes=1)


def test_fifty_times_the_same_is_one_report(visitor: TestClient, reporting: Service) -> None:
    sent = body()
    statuses = [visitor.post(REPORTS, json=sent).status_code for _ in range(50)]
    assert statuses == [201] + [200] * 49
    without_id = body(id=None, secret=None)
    statuses = [visitor.post(REPORTS, json=without_id).status_code for _ in range(50)]
    assert statuses == [201] + [429] * 49
    for one in (sent, without_id):
        assert reporting.clone.count("incident", f"summary = '{one['words']}'") == 1


# ---- batches


def test_a_batch_is_answered_item_by_item(visitor: TestClient) -> None:
    good, broken, far = body(), body(words=""), body(where={"lon": 0, "lat": 0})
    others: list[dict[str, Any]] = [{}, body(id=None), body(secret=None), good | {"words": "x"}]
    sent = {"reports": [good, broken, good, far, *others]}
    answer = visitor.post(f"{REPORTS}/batch", json=sent)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [one["status"] for one in items] == [201, 422, 200, 422, 422, 422, 422, 409]
    assert [one["index"] for one in items] == list(range(8))
    assert items[0]["report"] == items[2]["report"]
    assert items[1]["problem"]["type"] == "/problems/invalid-request"
    assert items[3]["problem"]["type"] == "/problems/unknown-place"
    again = visitor.post(f"{REPORTS}/batch", json={"reports": [good]}).json()["items"]
    assert (again[0]["status"], again[0]["report"]) == (200, items[0]["report"])


def test_a_hundred_reports_fit_and_a_hundred_and_one_do_not(visitor: TestClient) -> None:
    many = [body() for _ in range(100)]
    items = visitor.post(f"{REPORTS}/batch", json={"reports": many}).json()["items"]
    assert {one["status"] for one in items} == {201}
    answer = visitor.post(f"{REPORTS}/batch", json={"reports": [*many, body()]})
    assert is_problem(answer, 422, "invalid-request")
    assert is_problem(
        visitor.post(f"{REPORTS}/batch", json={"reports": []}), 422, "invalid-request"
    )


# ---- what is near


def test_what_is_near_is_told_in_public_fields_only(visitor: TestClient) -> None:
    lon, lat = town.place(B, 20, 20)
    where = {"lon": lon, "lat": lat}
    public, _ = filed(visitor, where=where, words="路灯不亮，电话 13812345678")
    filed(visitor, where=where, category_code="neighbour_dispute.noise", words="王某又吵")
    ask = {"category_code": "public_facility.pipes", "where": {"lon": lon, "lat": lat + 0.0002}}
    answer = visitor.post(f"{REPORTS}/nearby", json=ask)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["similar"]
    assert public.endswith(found["id"])
    assert found["words"] == "路灯不亮，电话 ***"
    assert set(found) == {
        *("id", "category_code", "status", "reported_at", "words", "place_name", "distance_m"),
        "thumbnail",
    }
    ask["category_code"] = "neighbour_dispute.noise"
    answer = visitor.post(f"{REPORTS}/nearby", json=ask)
    assert answer.json()["similar"] == []
    assert "王某" not in answer.text


# ---- photos


def test_a_photo_is_added_read_and_deleted_by_its_reporter_only(visitor: TestClient) -> None:
    path, headers = filed(visitor)
    answer = visitor.post(f"{path}/photos", files=JPEG, headers=headers)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert visitor.post(f"{path}/photos", files=JPEG, headers=headers).status_code == 200
    assert visitor.get(f"{path}/photos", headers=headers).json() == [made]
    own = f"{path}/photos/{made['id']}"
    image = visitor.get(own, headers=headers)
    assert image.headers["content-type"] == "image/jpeg"
    assert image.headers["x-content-type-options"] == "nosniff"
    assert dict(Image.open(io.BytesIO(image.content)).getexif()) == {}
    _, others = filed(visitor)
    for stranger in ({}, others):
        assert visitor.get(own, headers=stranger).status_code == 404
        assert visitor.delete(own, headers=stranger).status_code == 404
        assert visitor.post(f"{path}/photos", files=JPEG, headers=stranger).status_code == 404
    public = f"/api/v1/photos/{A}/{made['id']}"
    assert is_problem(visitor.get(public), 404, "not-found")
    assert visitor.delete(own, headers=headers).status_code == 204
    assert visitor.get(own, headers=headers).status_code == 404


def test_a_hundred_photos_become_five(visitor: TestClient) -> None:
    path, headers = filed(visitor)
    statuses = [
        visitor.post(
            f"{path}/photos",
            files={"file": ("x.jpg", photo((40 + number, 30)), "image/jpeg")},
            headers=headers,
        ).status_code
        for number in range(12)
    ]
    assert statuses == [201] * 5 + [409] * 7
    hundred = [("file", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(100)]
    answer = visitor.post(f"{path}/photos", files=hundred, headers=headers)
    assert is_problem(answer, 422, "too-many-parts"), answer.text


@pytest.mark.parametrize("source", [b"<script>alert(1)</script>", b"", b"\0\0\0\x18ftypheic"])
def test_what_is_no_photo_is_refused_in_words(visitor: TestClient, source: bytes) -> None:
    path, headers = filed(visitor)
    files = {"file": ("photo.jpg", source, "image/jpeg")}
    answer = visitor.post(f"{path}/photos", files=files, headers=headers)
    assert is_problem(answer, 422, "photo-refused"), answer.text


def test_a_photo_larger_than_the_limit_is_not_read(visitor: TestClient) -> None:
    path, headers = filed(visitor)
    files = {"file": ("photo.jpg", b"\xff\xd8" + b"\0" * 13_100_000, "image/jpeg")}
    answer = visitor.post(f"{path}/photos", files=files, headers=headers)
    assert is_problem(answer, 413, "body-too-large")


def test_who_looks_or_sends_photos_too_often_has_to_wait(
    visitor: TestClient, reporting: Service
) -> None:
    path, headers = filed(visitor)
    asks: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (
            "report look from",
            f"{REPORTS}/nearby",
            {"json": {"category_code": "lift", "where": {"stairwell_code": STAIRWELL}}},
        ),
        ("photo from", f"{path}/photos", {"files": JPEG, "headers": headers}),
    )
    for kind, address, send in asks:
        hashed = Key(kind, subnet_of("testclient")).hashed.hex()
        reporting.clone.run(
            "INSERT INTO gridsvc.throttle (key_hash, tries, free_at) VALUES"  # noqa: S608 - a hash
            f" ('\\x{hashed}', 600, now() + interval '2 hours')"
        )
        assert is_problem(visitor.post(address, **send), 429, "too-many-tries")


# ---- secrets


def test_no_secret_of_a_report_is_written_to_the_log(visitor: TestClient) -> None:
    with recorded(level=10) as lines:
        sent = body(words="不该被记下的话", email="lin@example.com")
        told = visitor.post(REPORTS, json=sent).json()
        headers = {"Follow-Token": told["token"]}
        visitor.get(f"{REPORTS}/{told['id']}", headers=headers)
        visitor.get(f"{REPORTS}/{told['id']}", headers={"Follow-Token": told["token"][:-1] + "A"})
        visitor.post("/report/follow", data={"code": told["link"]})
        visitor.get("/report/follow")
        visitor.post("/report/follow/say", data={"deed": "word", "words": "也不该记下"})
        assert lines.requests
        for secret in (
            told["token"],
            sent["secret"],
            sent["email"],
            sent["words"],
            "也不该记下",
            STAIRWELL,
        ):
            assert secret not in lines.text
