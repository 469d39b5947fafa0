"""A list of members from the command line: looked at, then written, with a file of rejects."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from geodata.templates import example_of
from tests import town
from tests.api.cli.commands import figure
from tests.api.cli.conftest import Answer, GridHere
from tests.databases import Clone
from tests.workbooks import workbook

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
GOOD = {
    "姓名": "隗知秋",
    "手机号码": "139 0000 1111",
    "政治面貌": "群众",
    "家庭住址": "西苑2栋3梯201室",
    "可联系户数": "20",
    "可负责楼道数": "2",
    "同意日期": "2026-06-01",
}
BAD = GOOD | {"姓名": "隗知夏", "手机号码": "139 0000 2222", "可联系户数": "-3"}

BringIn = Callable[..., Answer]


@pytest.fixture
def bring_in(grid_here: GridHere, own_town: Clone, tmp_path: Path) -> BringIn:
    """Run the command over a town of the test's own, with a list of rows."""

    # Names of compounds that addresses can tell apart.
    own_town.run(
        f"UPDATE gridsvc.compound SET name = left(name, 2) WHERE community_code = {A}",  # noqa: S608
        "UPDATE gridsvc.compound SET name = CASE left(name, 2) WHEN '东苑' THEN '枫林花园'"  # noqa: S608
        f" ELSE '柏树里' END WHERE community_code = {B}",
    )

    def run(*words: str, rows: tuple[dict[str, str], ...] = (GOOD, BAD)) -> Answer:
        headings = tuple(example_of("members"))
        cells = [[row.get(heading, "") for heading in headings] for row in rows]
        path = tmp_path / "名单.xlsx"
        path.write_bytes(workbook(headings, *cells))
        return grid_here(
            *("import", "members", str(path), "--street", str(town.STREET), *words),
            DATABASE_URL=own_town.url("gridsvc_api"),
            GRID_JOB_URL=own_town.url("gridsvc_job"),
            GRID_DATA_KEY=town.DATA_KEY,
            COLUMNS="200",
        )

    return run


def test_a_list_is_looked_at_before_it_is_written(bring_in: BringIn, own_town: Clone) -> None:
    before = own_town.count("member")
    seen = bring_in()
    assert seen.returncode == 0, seen.stderr
    assert "nothing written" in seen.stdout
    assert figure(seen.stdout, "rejected") == "1"
    assert own_town.count("member") == before


def test_good_rows_are_written_and_the_others_go_to_a_file_of_the_owner_alone(
    bring_in: BringIn, own_town: Clone, tmp_path: Path
) -> None:
    before = own_town.count("member")
    rejects, mapping = tmp_path / "rejects.csv", tmp_path / "columns.yaml"
    told = bring_in("--apply", "--rejects", str(rejects), "--save-columns", str(mapping))
    assert told.returncode == 0, told.stderr
    assert (figure(told.stdout, "added"), figure(told.stdout, "rejected")) == ("1", "1")
    assert own_town.count("member") == before + 1
    assert "隗" not in told.stdout, "no name on a terminal"
    assert rejects.stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(rejects.read_text(encoding="utf-8-sig").splitlines())
    assert (row["row"], row["姓名"]) == ("3", "隗知夏")
    assert row["reason"]
    assert "name: 姓名" in mapping.read_text(encoding="utf-8")


def test_the_same_list_again_adds_nobody(bring_in: BringIn, own_town: Clone) -> None:
    bring_in("--apply", rows=(GOOD,))
    before = own_town.count("member")
    again = bring_in("--apply", rows=(GOOD,))
    assert figure(again.stdout, "added") == "0"
    assert own_town.count("member") == before


def test_columns_of_another_layer_are_refused(bring_in: BringIn, tmp_path: Path) -> None:
    columns = tmp_path / "columns.yaml"
    columns.write_text("layer: buildings\ncolumns:\n  name: 姓名\n", encoding="utf-8")
    refused = bring_in("--columns", str(columns))
    assert refused.returncode == 1
    assert "not of members" in refused.stderr
