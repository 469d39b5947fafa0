"""Stairwells cut by entrances that came with a file of buildings."""

import json
from pathlib import Path
from typing import Any

import pytest
from shapely import Point, from_wkb
from sqlalchemy import text

from geodata.errors import InvalidParameterError
from gridsvc.territory.importing import service
from gridsvc.territory.importing.source import read_source
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import (
    Row,
    apply,
    blocked,
    geojson,
    job,
    stage,
    wish,
)

pytestmark = pytest.mark.db

A = town.EAST_SHORE
COMPOUND = town.compound_code(A)
NEW = f"{COMPOUND}003"


def slab(name: str = "3栋", y: float = 12, **properties: object) -> Row:
    """Return a building 51 m long and 10 m deep; there is room for two above each other."""
    return {"name": name, **properties}, town.rectangle(A, (4, y), (5, 0.9))


def door(x: float, y: float = 12, **properties: object) -> Row:
    return properties, Point(town.place(A, x, y))


def stairwells(clone: Clone, building: str) -> list[Any]:
    """Return the shapes of a building's stairwells, by code."""
    with clone.root.connect() as connection:
        rows = connection.scalars(
            text(
                "SELECT ST_AsBinary(geom) FROM gridsvc.stairwell"
                " WHERE building_code = :code AND retired_on IS NULL ORDER BY code"
            ),
            {"code": building},
        )
        return [from_wkb(bytes(row)) for row in rows]


def staged(clone: Clone, folder: Path, rows: list[Row], doors: list[Row], **more: Any) -> Any:
    buildings = geojson(folder / "楼栋.geojson", rows)
    entrances = geojson(folder / "门.geojson", doors)
    return stage(clone.job, buildings, "buildings", entrances=entrances, **more)


def test_a_building_is_cut_where_its_entrances_are(own_town: Clone, tmp_path: Path) -> None:
    found = staged(own_town, tmp_path, [slab()], [door(4.5), door(7.5), door(8.8, 11.98)])
    assert found.entrance_count == 3
    done = apply(own_town.job, found, cut_stairwells=True).applied
    assert (done.added, done.cut, done.by_entrances) == (1, 3, 3)
    pieces = stairwells(own_town, NEW)
    doors = [Point(town.place(A, x, 12)) for x in (4.5, 7.5, 8.8)]
    assert [piece.distance(point) < 1e-9 for piece, point in zip(pieces, doors, strict=True)] == [
        True
    ] * 3
    shares = [piece.area / sum(other.area for other in pieces) for piece in pieces]
    # The borders lie half way between: at 6 and 8.15 of 4 to 9.
    assert shares == pytest.approx([2 / 5, 2.15 / 5, 0.85 / 5], abs=0.005)


def test_the_code_of_an_entrance_is_that_of_the_file_or_of_what_is_stored(
    own_town: Clone, tmp_path: Path
) -> None:
    code = f"{COMPOUND}009"
    rows = [slab(code=code)]
    found = staged(own_town, tmp_path, rows, [door(5, 楼栋编码=code), door(8, 楼栋编码=code)])
    assert apply(own_town.job, found, cut_stairwells=True).applied.by_entrances == 2
    assert len(stairwells(own_town, code)) == 2


def test_in_a_shared_wall_the_code_says_whose_entrance_it_is(
    own_town: Clone, tmp_path: Path
) -> None:
    south, north = f"{COMPOUND}008", f"{COMPOUND}009"
    rows = [slab("南", 12, code=south), slab("北", 12.9, code=north)]
    doors = [door(x, 12.9, code=north) for x in (4.5, 6.5, 8.5)]
    found = staged(own_town, tmp_path, rows, doors)
    done = apply(own_town.job, found, "all", cut_stairwells=True, stairwells=1).applied
    assert done.by_entrances == 3
    assert (len(stairwells(own_town, south)), len(stairwells(own_town, north))) == (1, 3)


def test_entrances_of_nothing_are_in_the_report_and_must_be_accepted(
    own_town: Clone, tmp_path: Path
) -> None:
    doors = [door(4.5), door(8), door(20, 30), door(5, code="9" * 18)]
    found = staged(own_town, tmp_path, [slab()], doors)
    error = blocked(own_town.job, found)
    assert error.warnings == {"unmatched-entrance": 2}
    with own_town.job.session(job()) as session:
        findings = service.report(session, found)
    faults = findings.faults
    assert faults["row"].isna().all(), "they are no rows of the file"
    assert "entrance of row 3 lies" in faults["reason"].iloc[0]
    assert "出入口文件第 3 行" in faults["reason_zh"].iloc[0]
    assert faults["other_code"].iloc[1] == "9" * 18
    assert faults.geometry.iloc[0].geom_type == "Point"
    assert len(findings.rejected()) == 0
    done = apply(own_town.job, found, "unmatched-entrance", cut_stairwells=True).applied
    assert done.by_entrances == 2


def test_counts_come_from_the_file_then_from_entrances_then_from_what_is_stated(
    own_town: Clone, tmp_path: Path
) -> None:
    codes = [f"{COMPOUND}{number:03d}" for number in (5, 6, 7)]
    rows = [
        slab("一", 12, code=codes[0], 楼道数=4),
        slab("二", 14, code=codes[1]),
        slab("三", 16, code=codes[2]),
    ]
    doors = [*(door(x, 12) for x in (4.5, 8)), *(door(x, 14) for x in (4.5, 8)), door(5, 16)]
    found = staged(own_town, tmp_path, rows, doors)
    done = apply(own_town.job, found, "all", cut_stairwells=True, stairwells=5).applied
    assert [len(stairwells(own_town, code)) for code in codes] == [4, 2, 5]
    assert (done.cut, done.by_entrances) == (11, 2)


def test_a_stated_count_needs_no_entrances(own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "楼栋.geojson", [slab()])
    found = stage(own_town.job, path, "buildings")
    assert found.entrance_count == 0
    assert apply(own_town.job, found, cut_stairwells=True, stairwells=2).applied.cut == 2


def test_other_entrances_make_another_import(own_town: Clone, tmp_path: Path) -> None:
    first = staged(own_town, tmp_path, [slab()], [door(5)])
    assert staged(own_town, tmp_path, [slab()], [door(5)]).id == first.id
    assert staged(own_town, tmp_path, [slab()], [door(6)]).id != first.id


def test_entrances_are_of_buildings_only(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", [slab()])
    with pytest.raises(InvalidParameterError, match="buildings only"):
        read_source(wish(path, "compounds", entrances=path))


def test_what_is_kept_of_entrances_is_where_they_are_and_whose(
    own_town: Clone, tmp_path: Path
) -> None:
    staged(own_town, tmp_path, [slab()], [door(5, 业主="某某", 单元="A")])
    with own_town.root.connect() as connection:
        kept = connection.scalar(
            text("SELECT entrances::text FROM gridsvc.territory_import WHERE entrances IS NOT NULL")
        )
    lon, lat = town.place(A, 5, 12)
    assert json.loads(str(kept)) == [[1, None, "A", lon, lat]]
