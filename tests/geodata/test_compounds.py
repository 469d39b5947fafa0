"""Compounds: named areas, blocks between streets, and the buildings in them."""

from typing import Any

import pytest
import shapely
from geopandas import GeoDataFrame
from shapely import LineString, Polygon, affinity, box
from shapely.geometry.base import BaseGeometry

from geodata.compounds import CompoundPlan, derive_compounds
from geodata.errors import SequenceOverflowError

# One unit is about a metre here: shapes are written in metres and placed near Guicheng.
METRE = 1e-5
COMMUNITY = GeoDataFrame(
    {"code": [440605011016]},
    geometry=[affinity.affine_transform(box(0, 0, 400, 400), [METRE, 0, 0, METRE, 113, 23])],
    crs=4326,
)


def frame(*shapes: BaseGeometry, **columns: list[Any]) -> GeoDataFrame:
    placed = [affinity.affine_transform(shape, [METRE, 0, 0, METRE, 113, 23]) for shape in shapes]
    return GeoDataFrame(columns, geometry=placed, crs=4326)


NO_AREAS = frame(name=[])
NO_LINES = frame(name=[])
CROSSING = frame(
    LineString([(200, -50), (200, 450)]), LineString([(-50, 200), (450, 200)]),
    name=["北大街", "东大街"],
)  # fmt: skip


def derive(
    buildings: GeoDataFrame,
    areas: GeoDataFrame = NO_AREAS,
    streets: GeoDataFrame = NO_LINES,
    lanes: GeoDataFrame = NO_LINES,
) -> CompoundPlan:
    plan = derive_compounds(buildings, areas, streets, community=COMMUNITY, lanes=lanes)
    grounds = plan.compounds.set_index("code").geometry
    shapes = grounds.to_numpy()
    assert all(isinstance(shape, Polygon) for shape in shapes)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(shapely.area(shapes).sum())
    assert shapely.covers(shapely.buffer(COMMUNITY.geometry.iloc[0], 1e-9), shapes).all()
    for code, building in zip(plan.compound_codes, buildings.geometry, strict=True):
        assert building.difference(grounds[code]).area <= 1e-9 * building.area
    return plan


def test_blocks_with_a_building_are_compounds_and_the_others_are_not() -> None:
    buildings = frame(box(50, 50, 90, 62), box(250, 250, 290, 262), box(50, 80, 90, 92))
    plan = derive(buildings, streets=CROSSING)
    assert list(plan.compounds["source"]) == ["block", "block"]
    assert list(plan.compound_codes) == [
        "440605011016001", "440605011016002", "440605011016001",
    ]  # fmt: skip


def test_without_streets_the_community_is_one_block() -> None:
    plan = derive(frame(box(150, 150, 250, 250)))
    assert len(plan.compounds) == 1
    assert plan.compounds["name"].iloc[0] == "街区1"


def test_a_block_is_named_after_the_street_along_most_of_its_border() -> None:
    narrow = frame(
        LineString([(0, 100), (400, 100)]),
        LineString([(350, 0), (350, 400)]),
        name=["甲路", "乙路"],
    )
    plan = derive(frame(*[box(x, 30, x + 40, 60) for x in range(40, 320, 70)]), streets=narrow)
    assert list(plan.compounds["name"]) == ["街区1（甲路）"]


def test_a_named_area_is_a_compound_with_its_name_even_without_a_building() -> None:
    areas = frame(box(20, 20, 120, 120), name=["桂园"])
    plan = derive(frame(box(250, 250, 290, 262)), areas)
    assert sorted(zip(plan.compounds["name"], plan.compounds["source"], strict=True))[0] == (
        "桂园", "area",
    )  # fmt: skip
    assert len(plan.compounds) == 2


def test_an_unnamed_area_is_no_compound() -> None:
    plan = derive(frame(box(50, 50, 90, 62)), frame(box(20, 20, 120, 120), name=[None]))
    assert list(plan.compounds["source"]) == ["block"]


def test_of_overlapping_areas_the_smaller_keeps_the_ground() -> None:
    areas = frame(box(0, 0, 200, 200), box(50, 50, 100, 100), name=["大园", "小园"])
    plan = derive(frame(box(60, 60, 80, 72), box(120, 120, 160, 132)), areas)
    names = plan.compounds.set_index("code")["name"]
    assert [names[code] for code in plan.compound_codes] == ["小园", "大园"]


def test_a_building_across_a_street_belongs_where_most_of_it_lies() -> None:
    across = box(190, 50, 230, 62)
    plan = derive(frame(across, box(50, 50, 90, 62), box(300, 50, 340, 62)), streets=CROSSING)
    west, east = plan.compounds["code"]
    assert list(plan.compound_codes) == [east, west, east]


def test_an_area_mostly_outside_the_community_is_not_taken_for_its_corner() -> None:
    areas = frame(box(-300, 0, 50, 100), name=["邻园"])
    plan = derive(frame(box(150, 150, 190, 162)), areas)
    assert "邻园" not in set(plan.compounds["name"])


def test_open_ground_far_from_every_home_is_cut_away_along_the_lanes() -> None:
    lanes = frame(LineString([(-10, 60), (450, 60)]), LineString([(60, -10), (60, 450)]))
    plan = derive(frame(box(20, 20, 50, 32)), lanes=lanes)
    near = affinity.affine_transform(box(0, 0, 60, 60), [METRE, 0, 0, METRE, 113, 23])
    ground = plan.compounds.geometry.iloc[0]
    assert ground.symmetric_difference(near).area <= 1e-6 * near.area


def test_homes_far_apart_in_one_block_are_two_compounds() -> None:
    plan = derive(frame(box(0, 0, 20, 12), box(370, 370, 390, 382)))
    assert plan.compound_codes.nunique() == 2


def test_more_compounds_than_codes_have_room_for_is_an_error() -> None:
    houses = [
        box(x * 10 + 2, y * 10 + 2, x * 10 + 8, y * 10 + 8) for x in range(40) for y in range(26)
    ]
    streets = [LineString([(x * 10, 0), (x * 10, 400)]) for x in range(41)]
    streets += [LineString([(0, y * 10), (400, y * 10)]) for y in range(41)]
    with pytest.raises(SequenceOverflowError, match="1040"):
        derive(frame(*houses), streets=frame(*streets, name=[None] * len(streets)))
