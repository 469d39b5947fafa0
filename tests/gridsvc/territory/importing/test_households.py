"""A register of households: counts of stairwells, what is doubtful left out and told."""

from pathlib import Path

import pytest

from gridsvc.territory.importing import service
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import DAY, apply, blocked, job, stage

pytestmark = pytest.mark.db

A = town.EAST_SHORE
FIRST = town.stairwell_code(A)


def register(path: Path, *rows: str, head: str = "小区,楼栋,单元,房号") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8-sig")
    return path


def rename(clone: Clone) -> None:
    """Give the first compound a name as people write it."""
    code = town.compound_code(A)
    clone.run(f"UPDATE gridsvc.compound SET name = '东苑' WHERE code = '{code}'")  # noqa: S608 - our own words


def test_households_are_counted_by_stairwell(own_town: Clone, tmp_path: Path) -> None:
    rename(own_town)
    path = register(
        tmp_path / "户.csv", *(f"东苑,1栋,1梯,{room}" for room in (101, 102, 201, 202, 301))
    )
    found = stage(own_town.job, path, "households")
    done = apply(own_town.job, found).applied
    assert (done.changed, done.stairwells, done.rejected) == (5, 1, 0)
    where = f"code = '{FIRST}' AND household_count = 5 AND valid_from = '{DAY}'"
    assert own_town.count("stairwell", f"{where} AND version = 3") == 1
    kept = f"code = '{FIRST}' AND version = 2 AND household_count = 4 AND reason = 'import 户.csv'"
    assert own_town.count("stairwell_version", kept) == 1
    again = apply(own_town.job, stage(own_town.job, path, "households")).applied
    assert (again.changed, again.same, again.stairwells) == (0, 5, 0)
    assert own_town.count("stairwell_version", f"code = '{FIRST}'") == 2


def test_what_is_doubtful_is_left_out_once_that_is_accepted(
    own_town: Clone, tmp_path: Path
) -> None:
    rename(own_town)
    path = register(
        tmp_path / "户.csv",
        "东苑,1栋,2梯,101",
        "东苑,1栋,2梯,101",
        "东苑,9栋,1梯,101",
        "无此苑,1栋,1梯,=101",
        "东苑,2栋,,101",
    )
    found = stage(own_town.job, path, "households")
    error = blocked(own_town.job, found)
    assert error.errors == {}
    assert set(error.warnings) == {"unknown-stairwell", "ambiguous-stairwell"}
    done = apply(own_town.job, found, "all").applied
    assert (done.changed, done.stairwells) == (1, 1)
    assert done.rejected == 4
    with own_town.job.session(job()) as session:
        lines = service.write_rejects(session, service.get(session, found.id), lang="en")
        chinese = service.write_rejects(session, service.get(session, found.id), lang="zh")
    rejects = lines.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in rejects[1:]] == ["3", "4", "5", "6"]
    assert "row 2 already" in rejects[1]
    assert "该房号已在第 2 行出现。" in chinese.decode("utf-8-sig").splitlines()[1]
    assert "'=101" in rejects[3]
    second = f"code = '{town.stairwell_code(A, number=2)}' AND household_count = 1"
    assert own_town.count("stairwell", second) == 1


def test_counts_that_are_no_numbers_are_errors(own_town: Clone, tmp_path: Path) -> None:
    path = register(tmp_path / "户.csv", f"{FIRST},12", f"{FIRST},许多", head="网格编码,户数")
    found = stage(own_town.job, path, "households")
    assert blocked(own_town.job, found, "all").errors == {"unreadable-value": 1}


def test_a_code_and_a_count_need_no_address(own_town: Clone, tmp_path: Path) -> None:
    path = register(tmp_path / "户.csv", f"{FIRST},12", head="网格编码,户数")
    done = apply(own_town.job, stage(own_town.job, path, "households")).applied
    assert done.stairwells == 1
    assert own_town.count("stairwell", f"code = '{FIRST}' AND household_count = 12") == 1


def test_names_and_phones_of_a_register_are_not_kept(own_town: Clone, tmp_path: Path) -> None:
    path = register(
        tmp_path / "户.csv", f"{FIRST},12,陈试一,15400001234", head="网格编码,户数,户主,电话"
    )
    stage(own_town.job, path, "households")
    assert own_town.count("imported_feature", "fields::text LIKE '%陈%'") == 0
    assert own_town.count("imported_feature", "fields::text LIKE '%1540%'") == 0
