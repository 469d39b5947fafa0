"""Staging: piece by piece, gone on with after an interruption, for whole sub-districts only."""

import csv
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from gridsvc.db import Database, Scope, make_engine
from gridsvc.errors import ImportNeedsStreetError, NotFoundError
from gridsvc.territory.importing import service
from gridsvc.territory.importing.model import TerritoryImport
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import (
    Row,
    administrator,
    apply,
    geojson,
    job,
    stage,
    wish,
)

pytestmark = pytest.mark.db

A = town.EAST_SHORE
SCOPES = {"job": job(), "administrator": administrator()}


def many(count: int) -> list[Row]:
    """Return so many buildings side by side, in the free middle of a compound."""
    return [
        ({"name": f"{n + 1}号"}, town.rectangle(A, (2 + n % 8 * 2, 11 + n // 8), (1.8, 0.8)))
        for n in range(count)
    ]


def database_of(clone: Clone, role: str) -> Database:
    return clone.job if role == "job" else clone.api


def staged_rows(clone: Clone, found: TerritoryImport) -> int:
    return clone.count("imported_feature", f"import_id = '{found.id}'")


class InterruptedHereError(Exception):
    pass


@pytest.mark.parametrize("role", SCOPES)
def test_what_was_interrupted_goes_on_after_the_last_piece(
    own_town: Clone, tmp_path: Path, role: str
) -> None:
    path = geojson(tmp_path / "new.geojson", many(10))
    database, scope = database_of(own_town, role), SCOPES[role]
    told: list[int] = []

    def listen(stage: str, done: int, total: int) -> None:
        assert (stage, total) == ("rows staged", 10)
        told.append(done)
        if done == 6:
            raise InterruptedHereError

    with pytest.raises(InterruptedHereError):
        service.stage(database, scope, wish(path, "buildings"), chunk_rows=3, progress=listen)
    assert own_town.count("imported_feature", "outcome IS NULL") == 6
    assert own_town.count("territory_import", "status = 'staging'") == 1
    found = service.stage(database, scope, wish(path, "buildings"), chunk_rows=3, progress=listen)
    assert told == [3, 6, 9, 10]
    assert (found.status, found.staged_count, found.row_count) == ("staged", 10, 10)
    assert own_town.count("territory_import", "status IN ('staging', 'staged')") == 1
    assert apply(own_town.job, found, "all").applied.added == 10


def _stage_and_die(url: str, scope: Scope, path: Path) -> None:
    def die(stage: str, done: int, total: int) -> None:
        if (stage, done, total) == ("rows staged", 6, 10):
            os.kill(os.getpid(), signal.SIGKILL)

    database = Database(make_engine(url, pool_size=1))
    service.stage(database, scope, wish(path, "buildings"), chunk_rows=3, progress=die)


def test_a_process_that_is_killed_leaves_what_it_has_committed(
    own_town: Clone, tmp_path: Path
) -> None:
    path = geojson(tmp_path / "new.geojson", many(10))
    process = multiprocessing.get_context("spawn").Process(
        target=_stage_and_die, args=(own_town.url("gridsvc_job"), job(), path)
    )
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    assert own_town.count("imported_feature", "outcome IS NULL") == 6
    found = stage(own_town.job, path, "buildings")
    assert found.staged_count == 10
    assert own_town.count("audit_event", "action = 'territory.stage'") == 1


def test_two_senders_of_one_file_stage_it_once(own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "new.geojson", many(30))
    found: list[TerritoryImport] = []

    def run() -> None:
        found.append(
            service.stage(own_town.api, administrator(), wish(path, "buildings"), chunk_rows=2)
        )

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len({one.id for one in found}) == 1
    assert staged_rows(own_town, found[0]) == 30


def test_another_content_day_or_reading_of_a_file(own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "new.geojson", many(3))
    first = stage(own_town.job, path, "buildings")
    assert stage(own_town.job, path, "buildings").id == first.id
    other = stage(own_town.job, path, "buildings", columns={"name": "name", "code": "name"})
    assert other.id != first.id
    assert stage(own_town.job, path, "compounds").id != first.id
    geojson(path, many(4))
    assert stage(own_town.job, path, "buildings").id != first.id


def test_an_import_tells_how_its_file_was_read(own_town: Clone, tmp_path: Path) -> None:
    path = tmp_path / "楼栋.csv"
    shape = town.rectangle(A, (4, 12), (5, 4)).wkt
    path.write_bytes(f'楼栋名称,层数,WKT\n3栋,=1+1,"{shape}"\n'.encode("gb18030"))
    found = stage(own_town.job, path, "buildings", crs="EPSG:4326", encoding="GB18030")
    assert (found.file_name, found.format, found.crs_name) == ("楼栋.csv", "CSV", "EPSG:4326")
    assert found.columns == {"name": "楼栋名称", "levels": "层数"}
    with own_town.api.session(administrator(), read_only=True) as session:
        report = service.report(session, service.get(session, found.id))
        assert report.errors == {"unreadable-value": 1}
        rejects = service.write_rejects(session, found, lang="en").decode("utf-8-sig")
        chinese = service.write_rejects(session, found, lang="zh").decode("utf-8-sig")
    assert rejects.splitlines()[0] == "row,code,reason,name"
    (row,) = csv.DictReader(rejects.splitlines())
    assert (row["row"], row["code"], row["name"]) == ("1", "", "3栋")
    assert row["reason"].startswith("unreadable-value: levels '=1+1' is no whole number")
    assert "unreadable-value：levels 的值 '=1+1' 不是" in chinese


def test_what_a_spreadsheet_would_run_gets_an_apostrophe(own_town: Clone, tmp_path: Path) -> None:
    rows: list[Row] = [({"name": "=HYPERLINK(1)", "levels": "@x"}, None)]
    found = stage(own_town.job, geojson(tmp_path / "x.geojson", rows), "buildings")
    with own_town.job.session(job()) as session:
        rejects = service.write_rejects(session, found, lang="en").decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in rejects
    assert ",=HYPERLINK" not in rejects


@pytest.mark.parametrize("code", [A, town.STREET + 1_000_000], ids=["community", "elsewhere"])
def test_who_has_no_whole_sub_district_brings_nothing_in(
    own_town: Clone, tmp_path: Path, code: int
) -> None:
    path = geojson(tmp_path / "new.geojson", many(1))
    with pytest.raises(ImportNeedsStreetError):
        service.stage(own_town.api, administrator(code), wish(path, "buildings"))
    assert own_town.count("territory_import", "status <> 'applied'") == 0


def test_a_sub_district_without_communities_takes_nothing(database: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "new.geojson", many(1))
    with pytest.raises(NotFoundError, match="community"):
        stage(database.job, path, "buildings")
