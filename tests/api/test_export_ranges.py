"""Downloads that go on: HEAD, ETag, Range, If-Range, and the folder that they come from."""

import os
import stat
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from geodata.writers.formats import FORMATS
from tests import town
from tests.api.conftest import served
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
FGB = "/api/v1/export/buildings.fgb"
BUILT = sorted(name for name, made in FORMATS.items() if made.write)
STREAMED = sorted(set(FORMATS) - set(BUILT))


@pytest.fixture
def caller(service: Service) -> TestClient:
    return service.caller("planner", STREET)


def kept(service: Service) -> list[Path]:
    folder = service.app.state.settings.home / "exports"
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def etag_of(client: TestClient, path: str = FGB) -> str:
    return str(client.head(path).headers["ETag"])


@pytest.mark.parametrize("name", BUILT)
def test_a_built_file_tells_its_size_and_can_be_asked_for_in_parts(
    caller: TestClient, name: str
) -> None:
    path = f"/api/v1/export/compounds.{name}"
    head, whole = caller.head(path), caller.get(path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Type"] == FORMATS[name].media_type
    assert "Content-Encoding" not in whole.headers
    assert whole.headers["Cache-Control"] == "private, no-store"
    middle = len(whole.content) // 2
    parts = [
        caller.get(path, headers={"Range": f"bytes={span}", "If-Range": whole.headers["ETag"]})
        for span in (f"0-{middle - 1}", f"{middle}-")
    ]
    assert [part.status_code for part in parts] == [206, 206]
    assert b"".join(part.content for part in parts) == whole.content


@pytest.mark.parametrize("name", STREAMED)
def test_a_streamed_file_has_a_head_without_a_size(caller: TestClient, name: str) -> None:
    head = caller.head(f"/api/v1/export/compounds.{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert "Content-Length" not in head.headers
    assert "Accept-Ranges" not in head.headers
    assert head.headers["Content-Type"].partition(";")[0] == FORMATS[name].media_type
    assert is_head_problem(caller, f"/api/v1/export/people.{name}")


def is_head_problem(caller: TestClient, path: str) -> bool:
    answer = caller.head(path)
    return answer.status_code == 404 and answer.headers["Content-Type"].endswith("problem+json")


def test_parts_are_what_the_standard_says(caller: TestClient) -> None:
    whole = caller.get(FGB).content
    size = len(whole)
    for asked, (first, last) in {
        "bytes=0-0": (0, 0),
        "bytes=5-9": (5, 9),
        f"bytes={size - 3}-": (size - 3, size - 1),
        "bytes=-4": (size - 4, size - 1),
        f"bytes=2-{size + 100}": (2, size - 1),
    }.items():
        answer = caller.get(FGB, headers={"Range": asked})
        assert answer.status_code == 206, asked
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.content == whole[first : last + 1]


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b", "bytes=-", "0-1", "bytes=٣-٤"]
)
def test_what_is_no_range_of_ours_gets_the_whole(caller: TestClient, asked: str) -> None:
    answer = caller.get(FGB, headers={b"Range": asked.encode()})
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416_and_tells_the_size(caller: TestClient, asked: str) -> None:
    answer = caller.get(FGB, headers={"Range": asked})
    assert is_problem(answer, 416, "range-not-satisfiable")
    size = caller.head(FGB).headers["Content-Length"]
    assert answer.headers["Content-Range"] == f"bytes */{size}"


def test_another_content_is_sent_whole(caller: TestClient) -> None:
    answer = caller.get(FGB, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert answer.status_code == 200
    dated = {"Range": "bytes=0-9", "If-Range": "Mon, 04 May 2020 20:00:00 GMT"}
    assert caller.get(FGB, headers=dated).status_code == 200


def test_gzip_is_for_streams_only(service: Service) -> None:
    token = service.caller("planner", STREET).headers["Authorization"]
    headers = {"Authorization": token, "Accept-Encoding": "gzip"}
    with served(service) as base_url, httpx2.Client(base_url=base_url, headers=headers) as client:
        assert "Content-Encoding" not in client.get(FGB).headers
        whole = client.get("/api/v1/export/buildings.geojson")
        assert whole.headers["Content-Encoding"] == "gzip"
        part = client.get(FGB, headers={"Range": "bytes=0-1500"})
        assert (part.status_code, len(part.content)) == (206, 1501)
        assert client.head("/api/v1/export/buildings.geojson").status_code == 200


# ---- the folder


def test_files_are_kept_for_their_owner_only_and_nothing_beside_them(service: Service) -> None:
    service.caller("planner", STREET).get("/api/v1/export/walkways.shp")
    folder = service.app.state.settings.home / "exports"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept(service)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_same_wish_gets_the_same_file_and_another_territory_never(own_service: Service) -> None:
    planner = own_service.caller("planner", STREET)
    first = etag_of(planner)
    assert etag_of(planner) == first
    assert len(kept(own_service)) == 1
    again = own_service.sign_in(own_service.account("planner", (STREET,)))
    assert etag_of(again) == first, "for everybody of the same role and territory"
    others = {
        etag_of(own_service.caller("planner", A)),
        etag_of(own_service.caller("coordinator", STREET)),
        etag_of(planner, f"{FGB}?community={A}"),
        etag_of(planner, f"{FGB}?crs=gcj02"),
        etag_of(planner, "/api/v1/export/compounds.fgb"),
    }
    assert len(others | {first}) == 6
    whole, part = planner.get(FGB), own_service.caller("planner", A).get(FGB)
    assert len(part.content) < len(whole.content)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gridsvc.building SET name = '新名' WHERE right(code, 6) = '001001'",
        "UPDATE gridsvc.building SET levels = levels",
        "DELETE FROM gridsvc.building_version",
    ],
)
def test_a_change_of_the_territory_makes_a_new_file(own_service: Service, change: str) -> None:
    own_service.clone.run(
        "INSERT INTO gridsvc.building_version (community_code, code, version, name, valid_from,"
        " valid_to, reason, compound_code, kind, levels, geom) SELECT community_code, code, 77,"
        " name, '2019-01-01', '2020-01-01', 'redraw', compound_code, kind, levels, geom"
        " FROM gridsvc.building"
    )
    planner = own_service.caller("planner", STREET)
    first = etag_of(planner)
    own_service.clone.run(change)
    second = etag_of(planner)
    assert second != first
    went_on = planner.get(FGB, headers={"Range": "bytes=10-", "If-Range": first})
    assert went_on.status_code == 200, "the rest would not fit"
    assert etag_of(planner) == second


def test_a_change_of_another_layer_keeps_the_file(own_service: Service) -> None:
    planner = own_service.caller("planner", STREET)
    first = etag_of(planner)
    own_service.clone.run("UPDATE gridsvc.walkway SET name = '新街'")
    assert etag_of(planner) == first


def test_what_is_over_age_is_made_anew(own_service: Service) -> None:
    planner = own_service.caller("planner", STREET)
    first = etag_of(planner)
    (file,) = kept(own_service)
    old = file.stat().st_mtime - 3700
    os.utime(file, (old, old))
    assert etag_of(planner) != first


def test_a_folder_that_cannot_be_used_is_503_in_one_sentence(own_service: Service) -> None:
    folder = own_service.app.state.settings.home / "exports"
    folder.write_text("in the way", encoding="utf-8")
    answer = own_service.caller("planner", STREET).get(FGB)
    assert is_problem(answer, 503, "unwritable-file")
    assert str(folder) not in answer.text
    assert own_service.caller("planner", STREET).get("/api/v1/export/buildings.csv").content
