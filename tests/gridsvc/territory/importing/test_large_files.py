"""Files of thousands of rows: one error keeps all out, and the database is asked in sets."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from shapely import box
from sqlalchemy import Connection, event

from geodata.territory import Territory
from gridsvc.territory import service as territory
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import Row, apply, blocked, geojson, stage

pytestmark = pytest.mark.db

A = town.EAST_SHORE
SIDE = 1e-4
"""Of a building, degrees; each stands in a field of twice that."""
PER_COMPOUND, ACROSS = 900, 30


def compounds(count: int) -> Territory:
    """Return a community of empty compounds, from west to east."""
    wide = ACROSS * 2 * SIDE
    shapes = [box(113 + n * wide, 23, 113 + (n + 1) * wide, 23 + wide) for n in range(count)]
    frames: dict[str, dict[str, Any]] = {
        "communities": {"code": [A], "name": ["甲"]},
        "compounds": {
            "code": [town.compound_code(A, n + 1) for n in range(count)],
            "community_code": A,
            "name": [f"{n}苑" for n in range(count)],
            "built_year": pd.array([None] * count, dtype="Int64"),
            "is_demonstration": False,
        },
        "buildings": {"code": []},
        "stairwells": {"code": []},
        "walkways": {"id": []},
    }
    outlines = {"communities": [box(113, 23, 113 + count * wide, 23 + wide)], "compounds": shapes}
    made: dict[str, Any] = {
        name: GeoDataFrame(columns, geometry=outlines.get(name, []), crs="EPSG:4326")
        for name, columns in frames.items()
    }
    return Territory(town.STREET, "试验街道", **made)


def buildings(count: int) -> list[Row]:
    rows: list[Row] = []
    for n in range(count):
        compound, own = divmod(n, PER_COMPOUND)
        west = 113 + (compound * ACROSS + own % ACROSS) * 2 * SIDE + SIDE / 2
        south = 23 + own // ACROSS * 2 * SIDE + SIDE / 2
        rows.append(({"name": f"{n}栋"}, box(west, south, west + SIDE, south + SIDE)))
    return rows


def load(clone: Clone, count: int) -> None:
    with town.job_session(clone.job) as session, session.begin():
        territory.load(session, compounds(count), valid_from=date(2020, 1, 1))


def test_an_error_in_row_9000_leaves_nothing(database: Clone, tmp_path: Path) -> None:
    load(database, 10)
    rows = buildings(9_000)
    rows[-1] = (rows[-1][0], rows[-2][1])
    found = stage(database.job, geojson(tmp_path / "many.geojson", rows), "buildings")
    assert found.staged_count == 9_000
    error = blocked(database.job, found, "all")
    assert error.errors == {"duplicate": 1}
    assert database.count("building") == 0
    rows[-1] = buildings(9_000)[-1]
    found = stage(database.job, geojson(tmp_path / "many.geojson", rows), "buildings")
    assert apply(database.job, found).applied.added == 9_000
    assert database.count("building", "right(code, 3) = '900'") == 10


def test_a_thousand_rows_are_as_many_statements_as_ten(database: Clone, tmp_path: Path) -> None:
    load(database, 2)
    counts = []
    for count in (10, 1_010):
        path = geojson(tmp_path / f"{count}.geojson", buildings(count))
        found = stage(database.job, path, "buildings")
        said: list[str] = []

        def note(_: Connection, __: object, statement: str, *___: object) -> None:
            said.append(statement)  # noqa: B023 - listened to in this round only

        event.listen(database.job.engine, "before_cursor_execute", note)
        apply(database.job, found)
        event.remove(database.job.engine, "before_cursor_execute", note)
        counts.append(len(said))
    assert counts[0] == counts[1]
