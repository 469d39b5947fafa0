"""Territory as an administrator of the machine brings it in: the report first, then all or none."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from shapely import Point

from tests import town
from tests.api.cli.commands import figure
from tests.api.cli.conftest import Answer, GridHere
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import Row, geojson

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
COMPOUND = town.compound_code(A)

BringIn = Callable[..., Answer]


def building(name: str = "3栋", size: tuple[float, float] = (5, 4), **more: object) -> Row:
    return {"楼栋名称": name, **more}, town.rectangle(A, (4, 12), size)


@pytest.fixture
def bring_in(grid_here: GridHere, own_town: Clone) -> BringIn:
    """Run the command over a town of the test's own."""

    def run(path: Path, layer: str, *words: str, street: int = STREET) -> Answer:
        return grid_here(
            *("import", "territory", str(path), "--layer", layer, "--street", str(street)),
            *words,
            DATABASE_URL=own_town.url("gridsvc_api"),
            GRID_JOB_URL=own_town.url("gridsvc_job"),
            COLUMNS="160",
        )

    return run


def test_a_file_is_brought_in_once(bring_in: BringIn, own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "楼栋.geojson", [building(层数=6)])
    mapping = tmp_path / "columns.yaml"
    answer = bring_in(
        path, "buildings", "--valid-from", "2030-01-01", "--save-columns", str(mapping)
    )
    assert answer.returncode == 0, answer.stderr
    assert figure(answer.stdout, "name") == "楼栋名称"
    assert figure(answer.stdout, "levels") == "层数"
    assert figure(answer.stdout, "added") == "1"
    assert own_town.count("building", f"code = '{COMPOUND}003' AND valid_from = '2030-01-01'") == 1
    assert "name: 楼栋名称" in mapping.read_text(encoding="utf-8")
    again = bring_in(path, "buildings", "--columns", str(mapping))
    assert (figure(again.stdout, "added"), figure(again.stdout, "same")) == ("0", "1")
    other = bring_in(path, "compounds", "--columns", str(mapping))
    assert other.returncode == 1
    assert "is of buildings, not of compounds" in other.stderr


def test_a_dry_run_reports_and_writes_nothing(
    bring_in: BringIn, own_town: Clone, tmp_path: Path
) -> None:
    path = geojson(tmp_path / "x.geojson", [building()])
    before = own_town.count("territory_import")
    answer = bring_in(path, "buildings", "--dry-run")
    assert answer.returncode == 0
    assert figure(answer.stdout, "to be added") == "1"
    assert "nothing written" in answer.stdout
    assert own_town.count("territory_import") == before
    assert own_town.count("building", "name = '3栋'") == 0


def test_buildings_are_cut_by_entrances_and_by_a_stated_count(
    bring_in: BringIn, own_town: Clone, tmp_path: Path
) -> None:
    slabs = [
        ({"name": name}, town.rectangle(A, (4, y), (5, 0.9)))
        for name, y in (("3栋", 12), ("4栋", 14))
    ]
    path = geojson(tmp_path / "x.geojson", slabs)
    doors = geojson(
        tmp_path / "门.geojson", [({}, Point(town.place(A, x, 12))) for x in (4.5, 6.5, 8.5)]
    )
    alone = bring_in(path, "buildings", "--entrances", str(doors))
    assert alone.returncode == 2
    assert "--cut-stairwells" in alone.stderr
    answer = bring_in(
        *(path, "buildings", "--cut-stairwells", "--entrances", str(doors), "--stairwells", "2")
    )
    assert answer.returncode == 0, answer.stderr
    assert figure(answer.stdout, "entrances read") == "3"
    assert figure(answer.stdout, "stairwells cut") == "5"
    assert figure(answer.stdout, "by entrances") == "3"
    assert own_town.count("stairwell", "name = '3梯' AND household_count = 0") == 1


def test_faults_keep_a_file_out_and_are_written_down(
    bring_in: BringIn, own_town: Clone, tmp_path: Path
) -> None:
    path = geojson(tmp_path / "x.geojson", [building("=1+1", size=(5, 0.1), 层数="高")])
    folder = tmp_path / "report"
    answer = bring_in(path, "buildings", "--report", str(folder), "--accept", "sliver")
    assert answer.returncode == 1
    assert figure(answer.stdout, "error: unreadable-value") == "1"
    assert figure(answer.stdout, "warning: sliver") == "1"
    assert "unreadable-value" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert own_town.count("building", "name LIKE '%1+1'") == 0
    faults = json.loads((folder / "faults.geojson").read_text(encoding="utf-8"))
    assert {one["properties"]["fault"] for one in faults["features"]} == {
        *("unreadable-value", "sliver"),
    }
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["fault"] for row in csv.DictReader(file)} == {"unreadable-value", "sliver"}
    with (tmp_path / "x.rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["row"], row["name"]) == ("1", "'=1+1")
    assert row["reason"].startswith("unreadable-value: levels '高'")


def test_the_map_of_a_report_loads_nothing(bring_in: BringIn, tmp_path: Path) -> None:
    path = geojson(tmp_path / "x.geojson", [building(size=(5, 0.1))])
    folder = tmp_path / "report"
    rejects = tmp_path / "left-out.csv"
    answer = bring_in(
        path, "buildings", "--report", str(folder), "--rejects", str(rejects), "--dry-run"
    )
    assert answer.returncode == 1
    assert rejects.is_file()
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert json.dumps("碎面")[1:-1] in html
    assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"'][^d]", html)
    assert "url(images/" not in html
    assert "/assets/" not in html


def test_accepted_warnings_and_cut_stairwells(
    bring_in: BringIn, own_town: Clone, tmp_path: Path
) -> None:
    rows = [building(size=(5, 0.3), 单元数=2)]
    path = geojson(tmp_path / "x.geojson", rows)
    answer = bring_in(path, "buildings", "--accept", "all", "--cut-stairwells")
    assert answer.returncode == 0, answer.stdout
    assert figure(answer.stdout, "stairwells cut") == "2"
    assert own_town.count("stairwell", f"building_code = '{COMPOUND}003'") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--crs", "EPSG:0"), "coordinate reference system"),
        (("--accept", "nonsense"), "accept"),
        (("--columns", "absent.yaml"), "absent.yaml"),
        (("--encoding", "klingon"), "klingon"),
    ],
)
def test_what_is_declared_wrongly_is_one_sentence(
    bring_in: BringIn, tmp_path: Path, words: tuple[str, str], sentence: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text('楼栋名称,WKT\n3栋,"POLYGON ((113 23, 113.1 23, 113.1 23.1, 113 23))"\n')
    given = words if words[0] == "--crs" else (*words, "--crs", "EPSG:4326")
    answer = bring_in(path, "buildings", *given)
    assert answer.returncode != 0
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_unknown_sub_district_is_one_sentence(bring_in: BringIn, tmp_path: Path) -> None:
    path = geojson(tmp_path / "x.geojson", [building()])
    answer = bring_in(path, "buildings", street=440605099000)
    assert answer.returncode == 1
    assert "No community in the sub-district 440605099000" in answer.stderr
