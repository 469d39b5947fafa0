"""The walking network: who may walk where, and where lines meet."""

from collections.abc import Sequence

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, box

from geodata.walkways import node_lines, walking_kinds

WORLD = box(-1, -1, 20, 20)


def ways(*rows: tuple[int, Sequence[tuple[int, float, float]]]) -> GeoDataFrame:
    """Frame ways given as (number, [(node, x, y), ...])."""
    return GeoDataFrame(
        {
            "way_id": [number for number, _ in rows],
            "nodes": [[node for node, _, _ in places] for _, places in rows],
            "kind": "footpath",
            "name": None,
        },
        geometry=[LineString([(x, y) for _, x, y in places]) for _, places in rows],
        crs=4326,
    )


def coordinates(walkways: GeoDataFrame) -> list[list[tuple[float, ...]]]:
    return [list(line.coords) for line in walkways.geometry]


@pytest.mark.parametrize(
    ("highway", "foot", "access", "kind"),
    [
        ("footway", None, None, "footpath"),
        ("steps", None, None, "steps"),
        ("living_street", None, None, "residential"),
        ("tertiary", None, None, "street"),
        ("service", None, "private", None),
        ("service", "yes", "private", "service"),
        ("residential", "no", None, None),
        ("trunk", None, None, None),
        ("trunk", "yes", None, "street"),
        ("motorway", "designated", "no", "street"),
        ("cycleway", None, None, None),
        ("cycleway", "designated", None, "footpath"),
        ("construction", "yes", None, None),
    ],
)
def test_who_may_walk_where(
    highway: str, foot: str | None, access: str | None, kind: str | None
) -> None:
    way = pd.DataFrame({"highway": [highway], "foot": [foot], "access": [access]}, dtype="str")
    found = walking_kinds(way).iloc[0]
    assert (None if pd.isna(found) else found) == kind


def test_a_way_is_split_where_another_meets_it() -> None:
    street = (1, [(1, 0, 0), (2, 5, 0), (3, 10, 0)])
    lane = (2, [(2, 5, 0), (4, 5, 5)])
    walkways = node_lines(ways(street, lane), outline=WORLD)
    assert coordinates(walkways) == [
        [(0, 0), (5, 0)], [(5, 0), (10, 0)], [(5, 0), (5, 5)],
    ]  # fmt: skip


def test_a_bridge_is_not_split_where_it_crosses_a_street() -> None:
    street = (1, [(1, 0, 5), (2, 10, 5)])
    bridge = (2, [(3, 5, 0), (4, 5, 10)])
    assert len(node_lines(ways(street, bridge), outline=WORLD)) == 2


def test_a_corner_that_only_one_way_uses_stays_inside_its_line() -> None:
    walkways = node_lines(ways((1, [(1, 0, 0), (2, 5, 5), (3, 10, 0)])), outline=WORLD)
    assert coordinates(walkways) == [[(0, 0), (5, 5), (10, 0)]]


def test_a_way_that_crosses_itself_at_a_node_is_split_there() -> None:
    loop = (1, [(1, 0, 0), (2, 5, 0), (3, 8, 3), (4, 5, 6), (2, 5, 0)])
    walkways = node_lines(ways(loop), outline=WORLD)
    assert [line.is_ring for line in walkways.geometry] == [False, True]


def test_what_lies_outside_the_outline_is_cut_away() -> None:
    walkways = node_lines(ways((1, [(1, 0, 0), (2, 10, 0)])), outline=box(2, -1, 6, 1))
    assert coordinates(walkways) == [[(2, 0), (6, 0)]]


def test_a_way_that_leaves_and_comes_back_makes_two_lines() -> None:
    away = (1, [(1, 0, 0), (2, 5, 8), (3, 10, 0)])
    walkways = node_lines(ways(away), outline=box(-1, -1, 11, 4))
    assert len(walkways) == 2
    assert walkways["id"].is_unique


def test_a_way_outside_makes_nothing() -> None:
    assert node_lines(ways((1, [(1, 0, 0), (2, 1, 0)])), outline=box(5, 5, 6, 6)).empty


def test_no_ways_make_no_walkways() -> None:
    walkways = node_lines(ways(), outline=WORLD)
    assert walkways.empty
    assert list(walkways.columns) == ["id", "kind", "name", "geometry"]


def test_ids_are_the_same_every_time_and_differ_from_way_to_way() -> None:
    lines = ways((1, [(1, 0, 0), (2, 5, 0)]), (2, [(2, 5, 0), (3, 9, 0)]))
    first, again = node_lines(lines, outline=WORLD), node_lines(lines[::-1], outline=WORLD)
    assert set(first["id"]) == set(again["id"])
    assert first["id"].nunique() == 2


@given(
    st.lists(
        st.lists(st.integers(0, 24), min_size=2, max_size=7).filter(lambda way: len(set(way)) > 1),
        min_size=1,
        max_size=8,
    )
)
def test_no_length_is_lost_and_shared_nodes_are_ends(paths: list[list[int]]) -> None:
    lines = ways(
        *[
            (number, [(node, node % 5, node // 5) for node in path])
            for number, path in enumerate(paths)
        ]
    )
    walkways = node_lines(lines, outline=box(-9, -9, 9, 9))
    length = sum(line.length for line in lines.geometry)
    assert sum(line.length for line in walkways.geometry) == pytest.approx(length)
    shared = {n for path in paths for n in path if sum(n in other for other in paths) > 1}
    inner = {place for line in walkways.geometry for place in list(line.coords)[1:-1]}
    assert not inner & {(node % 5, node // 5) for node in shared}
