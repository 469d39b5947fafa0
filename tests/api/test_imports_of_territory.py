"""Files of territory over HTTP: send, read the report, decide; administrators of the whole only."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import UploadFile
from starlette.testclient import TestClient

from api.limits import ALLOWANCES
from api.uploads import kept
from gridsvc.settings import Settings
from tests import town
from tests.api.service import Service, is_problem
from tests.gridsvc.territory.importing.files import Row, geojson

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
PATH = "/api/v1/imports"
COMPOUND = town.compound_code(A)


def content(tmp_path: Path, *rows: Row) -> bytes:
    return geojson(tmp_path / "sent.geojson", rows).read_bytes()


def building(name: str = "3栋", x: float = 4, size: tuple[float, float] = (5, 4)) -> Row:
    return {"name": name, "levels": 6}, town.rectangle(A, (x, 12), size)


def send(client: TestClient, body: bytes, name: str = "楼栋.geojson", **more: Any) -> Any:
    fields = {
        "layer": "buildings",
        **{key: value for key, value in more.items() if key != "headers"},
    }
    return client.post(PATH, files={"file": (name, body)}, data=fields, headers=more.get("headers"))


def test_a_file_is_sent_looked_at_and_applied(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    answer = send(client, content(tmp_path, building()), valid_from="2030-01-01")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["status"], made["row_count"], made["staged_count"]) == ("staged", 1, 1)
    assert (made["file_name"], made["columns"]["name"]) == ("楼栋.geojson", "name")
    path = f"{PATH}/{made['id']}"
    report = client.get(path).json()["report"]
    assert report == {
        "errors": {},
        "warnings": {},
        "repairs": 0,
        "added": 1,
        "changed": 0,
        "same": 0,
        "rejected": 0,
    }
    applied = client.post(f"{path}/apply", json={"cut_stairwells": True}).json()
    assert applied["status"] == "applied"
    assert applied["result"]["added"] == 1
    assert applied["result"]["cut"] >= 1
    assert client.get(f"/api/v1/grids/{COMPOUND}003").status_code == 200
    assert client.get(path).json()["report"] is None
    assert is_problem(client.post(f"{path}/apply", json={}), 409, "import-state")
    assert is_problem(client.delete(path), 409, "import-state")


def test_warnings_wait_for_somebody_to_accept_them(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    made = send(client, content(tmp_path, building(size=(5, 0.1)))).json()
    path = f"{PATH}/{made['id']}"
    refused = client.post(f"{path}/apply", json={})
    assert is_problem(refused, 422, "import-blocked")
    assert refused.json()["errors"] == [
        {"where": ["sliver"], "what": "1 of them.", "severity": "warning"}
    ]
    faults = client.get(f"{path}/faults.geojson")
    assert faults.headers["content-type"] == "application/geo+json"
    (fault,) = faults.json()["features"]
    assert fault["properties"]["fault"] == "sliver"
    assert fault["geometry"]["type"] == "Polygon"
    rejects = client.get(f"{path}/rejects.csv")
    assert rejects.headers["content-disposition"] == 'attachment; filename="rejects.csv"'
    assert "碎面" in rejects.content.decode("utf-8-sig").splitlines()[1]
    assert client.post(f"{path}/apply", json={"accept": ["sliver"]}).status_code == 200
    assert is_problem(
        client.post(f"{path}/apply", json={"accept": ["slivers"]}), 422, "invalid-parameter"
    )


@pytest.mark.parametrize(
    ("lang", "words"),
    [("", "碎面：面积 "), ("?lang=zh", "碎面：面积 "), ("?lang=en", "sliver: It has ")],
)
def test_the_rejects_are_in_the_language_of_the_caller(
    own_service: Service, tmp_path: Path, lang: str, words: str
) -> None:
    client = own_service.caller("administrator", STREET)
    made = send(client, content(tmp_path, building(size=(5, 0.1)))).json()
    rejects = client.get(f"{PATH}/{made['id']}/rejects.csv{lang}")
    assert words in rejects.content.decode("utf-8-sig").splitlines()[1]
    (fault,) = client.get(f"{PATH}/{made['id']}/faults.geojson").json()["features"]
    assert fault["properties"]["reason"].startswith("It has ")
    assert fault["properties"]["reason_zh"].startswith("面积 ")


def with_doors(client: TestClient, body: bytes, doors: bytes, **more: Any) -> Any:
    files = {"file": ("楼栋.geojson", body), "entrances": ("门.csv", doors)}
    return client.post(PATH, files=files, data={"layer": "buildings", **more})


def test_entrances_come_with_the_file_and_cut_its_buildings(
    own_service: Service, tmp_path: Path
) -> None:
    client = own_service.caller("administrator", STREET)
    places = [town.place(A, x, 12) for x in (4.5, 8)] + [town.place(A, 20, 20)]
    doors = "lon,lat\n" + "".join(f"{lon},{lat}\n" for lon, lat in places)
    refused = with_doors(client, content(tmp_path, building(size=(5, 0.9))), doors.encode())
    assert is_problem(refused, 422, "file-without-crs")
    made = with_doors(
        client,
        content(tmp_path, building(size=(5, 0.9))),
        doors.encode(),
        entrances_crs="EPSG:4326",
    ).json()
    assert made["entrance_count"] == 3
    path = f"{PATH}/{made['id']}"
    assert client.get(path).json()["report"]["warnings"] == {"unmatched-entrance": 1}
    decision = {"cut_stairwells": True, "accept": ["unmatched-entrance"], "stairwells": 5}
    result = client.post(f"{path}/apply", json=decision).json()["result"]
    assert (result["cut"], result["by_entrances"]) == (2, 2)


def test_a_stated_count_is_from_1_to_99(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    path = f"{PATH}/{send(client, content(tmp_path, building())).json()['id']}/apply"
    for count in (0, 100, "x", 1.5):
        body = {"cut_stairwells": True, "stairwells": count}
        assert is_problem(client.post(path, json=body), 422, "invalid-request")
    body = {"cut_stairwells": True, "stairwells": 3}
    assert client.post(path, json=body).json()["result"]["cut"] == 3


def test_a_file_without_an_ending_is_read_by_its_content(
    own_service: Service, tmp_path: Path
) -> None:
    client = own_service.caller("administrator", STREET)
    body = content(tmp_path, building())
    made = send(client, body, "楼栋")
    assert made.status_code == 201, made.text
    assert made.json()["format"] == "GeoJSON"
    wrong = send(client, body, "楼栋.gpkg")
    assert is_problem(wrong, 422, "unreadable-file")
    assert "GeoJSON inside, but its name ends in .gpkg" in wrong.json()["detail"]


def test_a_key_with_other_entrances_is_another_request(
    own_service: Service, tmp_path: Path
) -> None:
    client = own_service.caller("administrator", STREET)
    client.headers["Idempotency-Key"] = "one-and-the-same"
    body = content(tmp_path, building())
    sent = [
        with_doors(client, body, f"lon,lat\n113.15,{lat}\n".encode(), entrances_crs="EPSG:4326")
        for lat in (23.03, 23.03, 23.04)
    ]
    del client.headers["Idempotency-Key"]
    assert [answer.status_code for answer in sent] == [201, 200, 422]


def test_a_discarded_file_leaves_its_name_only(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    body = content(tmp_path, building())
    path = f"{PATH}/{send(client, body).json()['id']}"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 204
    assert client.get(path).json()["status"] == "discarded"
    for end in ("faults.geojson", "rejects.csv"):
        assert is_problem(client.get(f"{path}/{end}"), 409, "import-state")
    assert f"{PATH}/{send(client, body).json()['id']}" != path


def test_a_key_gives_the_first_answer_again(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    key = {"Idempotency-Key": "one-and-the-same"}
    body = content(tmp_path, building())
    first = send(client, body, headers=key)
    again = send(client, body, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = send(client, content(tmp_path, building("4栋")), headers=key)
    assert is_problem(other, 422, "idempotency-mismatch")
    apply = f"{PATH}/{first.json()['id']}/apply"
    key = {"Idempotency-Key": "apply-it-once"}
    done = [client.post(apply, json={}, headers=key).json() for _ in range(2)]
    assert done[0] == done[1]


def test_lists_are_paged_the_newest_first(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    made = [send(client, content(tmp_path, building(f"{n}栋"))).json()["id"] for n in range(3)]
    first = client.get(f"{PATH}?limit=2").json()
    rest = client.get(f"{PATH}?limit=2&cursor={first['next']}").json()
    found = [one["id"] for one in (*first["items"], *rest["items"])]
    assert found[:3] == made[::-1]


@pytest.mark.parametrize("code", [A, STREET + 1_000_000])
def test_others_neither_send_nor_see(own_service: Service, tmp_path: Path, code: int) -> None:
    body = content(tmp_path, building())
    made = send(own_service.caller("administrator", STREET), body).json()["id"]
    client = own_service.caller("administrator", code)
    if code == A:
        assert is_problem(send(client, body), 403, "import-needs-street")
    else:
        assert is_problem(send(client, body), 404, "not-found")
    assert is_problem(send(client, body, street=str(STREET)), 403, "import-needs-street")
    for method, end in (("GET", ""), ("GET", "/faults.geojson"), ("DELETE", "")):
        answer = client.request(method, f"{PATH}/{made}{end}")
        assert is_problem(answer, 404, "not-found"), answer.text
    assert is_problem(client.post(f"{PATH}/{made}/apply", json={}), 404, "not-found")
    assert made not in client.get(PATH).text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"layer": "roads"}, "invalid-request"),
        ({"crs": "EPSG:99999999"}, "unknown-crs"),
        ({"crs": "x" * 61}, "invalid-request"),
        ({"columns": '{"nom": "name"}'}, "invalid-parameter"),
        ({"columns": "no: such column\n- at all"}, "invalid-parameter"),
        ({"columns": "name: 没有这列"}, "absent-column"),
        ({"columns": "[" * 3000}, "invalid-parameter"),
        ({"valid_from": "tomorrow"}, "invalid-request"),
    ],
)
def test_what_is_declared_wrongly_is_a_problem_in_words(
    own_service: Service, tmp_path: Path, fields: dict[str, str], code: str
) -> None:
    client = own_service.caller("administrator", STREET)
    answer = send(client, content(tmp_path, building()), **fields)
    assert answer.status_code == 422, answer.text
    assert is_problem(answer, 422, code), answer.text
    assert own_service.clone.count("territory_import", f"community_code = {STREET}") == 0


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.geojson", b""),
        ("x.geojson", b"<html></html>"),
        ("x.gpkg", b"SQLite format 3\0 no"),
        ("x.exe", b"MZ"),
        ("../../../etc/passwd", b"root"),
        ("x.geojson\0.exe", b"{}"),
        ("x.xlsx", b"PK\3\4"),
        (".geojson", b"{}"),
    ],
)
def test_what_is_no_file_of_ours_is_a_problem_in_words(
    own_service: Service, name: str, body: bytes
) -> None:
    client = own_service.caller("administrator", STREET)
    for layer in ("buildings", "households"):
        answer = send(client, body, name=name, layer=layer)
        assert answer.status_code == 422, answer.text
        assert "uploads" not in answer.text
        assert "Traceback" not in answer.text


def test_too_large_a_file_is_refused_before_it_is_read(own_service: Service) -> None:
    client = own_service.caller("administrator", STREET)
    headers = {"Content-Length": str(ALLOWANCES[PATH] + 1)}
    answer = client.post(PATH, content=b"x", headers=headers)
    assert is_problem(answer, 413, "body-too-large")


def test_what_was_sent_is_kept_in_the_data_folder_while_it_is_read(tmp_path: Path) -> None:
    upload = UploadFile(BytesIO(b"abc"), filename="../a/楼 栋.geojson")
    with kept(upload, Settings(home=tmp_path)) as path:
        assert path.parent.parent == tmp_path / "uploads"
        assert path.read_bytes() == b"abc"
        assert path.name == "楼 栋.geojson"
        assert path.parent.stat().st_mode & 0o077 == 0
    assert list((tmp_path / "uploads").iterdir()) == []


def test_the_trail_names_no_words_of_a_file(own_service: Service, tmp_path: Path) -> None:
    client = own_service.caller("administrator", STREET)
    made = send(client, content(tmp_path, building("陈试一的楼"))).json()
    client.post(f"{PATH}/{made['id']}/apply", json={})
    events = client.get("/api/v1/audit").json()["items"][:2]
    assert [event["action"] for event in events] == ["territory.import", "territory.stage"]
    assert {event["subject"] for event in events} == {made["id"]}
    assert "陈试一" not in json.dumps(events, ensure_ascii=False)
    assert events[0]["detail"]["added"] == 1
