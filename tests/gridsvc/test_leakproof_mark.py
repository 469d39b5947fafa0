"""Boxes on the map find the same with the spatial index and, where it may not serve, without."""

import pytest
from sqlalchemy import select

from gridsvc import setup
from gridsvc.db import Database, Interval, Scope, in_box
from gridsvc.territory import tiles
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow, WalkwayRow
from tests import town
from tests.conftest import MakeDatabase
from tests.databases import Clone
from tests.gridsvc.plans import tile_of

pytestmark = pytest.mark.db

GRIDS = {
    "compounds": (CompoundRow, CompoundRow.code),
    "buildings": (BuildingRow, BuildingRow.code),
    "stairwells": (StairwellRow, StairwellRow.code),
    "walkways": (WalkwayRow, WalkwayRow.id),
}
# box: how many of each it meets; a box that touches an edge meets it
BOXES = {
    (113.15035, 23.03045, 113.15085, 23.03095): (1, 1, 2, 0),  # a stairwell and a bit of the next
    (113.150, 23.030, 113.154, 23.034): (2, 4, 12, 5),  # the east shore, and a neighbour's way
    (113.15385, 23.0319, 113.15415, 23.0321): (2, 0, 0, 2),  # across the border
    (113.0, 23.0, 114.0, 24.0): (4, 8, 24, 8),
    (-185.7, -86.0, 185.7, 86.0): (4, 8, 24, 8),  # the tile of zoom 0 with its margin
    (113.3, 23.3, 113.4, 23.4): (0, 0, 0, 0),
}


@pytest.mark.parametrize("place", range(len(BOXES)))
@pytest.mark.parametrize("is_leakproof", [True, False])
def test_a_box_finds_the_same_with_the_spatial_index_and_with_the_tile_key(
    town_database: Clone, place: int, is_leakproof: bool
) -> None:
    database = Database(town_database.api.engine, is_leakproof)
    box, expected = list(BOXES.items())[place]
    scope = Scope("coordinator", (Interval.of(town.STREET),))
    found = []
    with database.session(scope, read_only=True) as session:
        for row, key in GRIDS.values():
            inside = in_box(session, row, box, margin_cells=tiles.MARGIN_CELLS[row])
            found.append(len(session.execute(select(key).where(inside)).all()))
    assert tuple(found) == expected


def test_without_the_mark_the_check_says_so_and_tiles_are_the_same(
    make_database: MakeDatabase, town_template: str
) -> None:
    clone = make_database(town_template)
    scope = Scope("coordinator", (Interval.of(town.EAST_SHORE),))
    address = (16, 53366, 28457)
    with clone.api.session(scope, read_only=True) as session:
        marked = tile_of(session, "stairwells", address)
    clone.run("ALTER FUNCTION public.geometry_overlaps(geometry, geometry) NOT LEAKPROOF")
    readiness = setup.check(clone.api.engine)
    assert not readiness.is_leakproof
    assert readiness.is_current
    unmarked = Database(clone.api.engine, readiness.is_leakproof)
    with unmarked.session(scope, read_only=True) as session:
        assert tile_of(session, "stairwells", address) == marked
    assert len(marked) > 500
    setup.set_up(clone.url("postgres"))
    assert setup.check(clone.api.engine).is_leakproof
