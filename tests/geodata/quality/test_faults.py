"""Each kind of fault, planted into a perfect layer: found, named, located, and only that."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, affinity

from geodata.offsets import bd09_from_wgs84, gcj02_from_wgs84
from geodata.quality import apply_repairs, load_kinds
from tests.geodata.quality.planted import (
    BUILDINGS,
    ROW,
    Move,
    Planted,
    bow_tie,
    planted,
    shifted,
    swapped,
)
from tests.geodata.quality.squares import counts, layer

PLANTED = planted()
# What cannot come alone: a shifted layer is outside its parents, most of it in none.
COMPANY = {
    "suspected-gcj02": {"outside-parent"},
    "suspected-bd09": {"outside-parent"},
}


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.kind}-{case.words}")
def test_a_planted_fault_is_found_named_and_located_and_nothing_else_is(case: Planted) -> None:
    report = case.layer.inspect(case.features)
    assert set(counts(report)) - {case.kind} <= COMPANY.get(case.kind, set())
    faults = report.faults[report.faults["fault"] == case.kind]
    assert len(faults) == 1
    fault = faults.iloc[0]
    assert fault["severity"] == case.severity
    assert case.words in fault["reason"]
    assert (None if pd.isna(fault["row"]) else fault["row"]) == case.row
    if case.other_row is not None:
        assert fault["other_row"] == case.other_row
    if case.other_code is not None:
        assert fault["other_code"] == case.other_code
    if case.measure is not None:
        assert fault["measure"] == pytest.approx(case.measure, rel=0.02)
    if case.place is not None:
        assert shapely.hausdorff_distance(fault["geometry"], case.place) < 1e-9


def test_every_kind_but_those_tested_alone_is_planted() -> None:
    alone = {"near-duplicate", "too-many-overlaps"}
    assert {case.kind for case in PLANTED} == set(load_kinds()) - alone


def test_a_thing_drawn_twice_is_an_overlap_and_perhaps_the_same() -> None:
    features = BUILDINGS.with_shape(ROW, affinity.scale(BUILDINGS.shape(ROW), 0.9, 1))
    twice = replace(BUILDINGS, features=features).with_row(
        affinity.scale(BUILDINGS.shape(ROW), 0.86, 1)
    )
    report = BUILDINGS.inspect(twice)
    assert report.errors == {"overlap": 1}
    assert report.warnings == {"near-duplicate": 1}
    fault = report.faults.iloc[0]
    assert (fault["fault"], fault["row"], fault["other_row"]) == ("near-duplicate", 19, ROW)
    assert fault["measure"] == pytest.approx(0.86 / 0.9, rel=1e-6)


def test_a_thousand_copies_are_a_thousand_faults_not_half_a_million() -> None:
    shapes = np.repeat(BUILDINGS.features.geometry.to_numpy()[:1], 1000)
    copies = GeoDataFrame({"row": range(1, 1001)}, geometry=shapes, crs=4326)
    report = BUILDINGS.inspect(copies)
    assert report.errors == {"duplicate": 999}
    assert set(report.faults["other_row"]) == {1}


def test_a_pile_of_shapes_ends_the_check_with_an_error_instead_of_running_on() -> None:
    sides = 20 + np.arange(460) / 20
    half = np.column_stack([sides, sides]) / 111_000 / 2
    shapes = shapely.box(
        *(np.array([113.15, 23.03]) - half).T, *(np.array([113.15, 23.03]) + half).T
    )
    pile = GeoDataFrame({"row": range(1, 461)}, geometry=shapes, crs=4326)
    report = BUILDINGS.inspect(pile, parents=None)
    assert report.errors["too-many-overlaps"] == 1
    assert 0 < report.errors["overlap"] <= 100_000


@given(
    st.sampled_from(["communities", "compounds", "buildings", "stairwells"]),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 5),
    st.floats(50, 300),
    st.floats(-175, 175),
    st.floats(-60, 60),
)
@settings(deadline=None, max_examples=40)
def test_a_perfect_grid_of_squares_has_no_fault(
    name: str, parent_count: int, columns: int, rows: int, side_m: float, lon: float, lat: float
) -> None:
    town = layer(
        name,
        parent_count=1 if name == "communities" else parent_count,
        columns=columns,
        rows=rows,
        side_m=side_m,
        lon=lon,
        lat=lat,
    )
    assert counts(town.inspect()) == {}
    assert counts(town.inspect(town.features[["row", "geometry"]])) == {}


MANY = shapely.union(BUILDINGS.shape(3), BUILDINGS.moved(3, 0.3, 0))
FAULTY = [
    BUILDINGS.with_shape(3, MANY).iloc[2],
    BUILDINGS.with_shape(5, bow_tie(BUILDINGS, 5)).iloc[4],
    BUILDINGS.with_shape(7, None).iloc[6],
    BUILDINGS.with_shape(9, swapped(BUILDINGS.shape(9))).iloc[8],
    BUILDINGS.with_shape(11, BUILDINGS.shape(12)).iloc[10],
    BUILDINGS.with_value(14, "code", BUILDINGS.features["code"].iloc[0]).iloc[13],
]


@given(st.permutations(range(18)))
@settings(deadline=None, max_examples=12)
def test_the_order_of_the_rows_does_not_change_the_findings(order: list[int]) -> None:
    rows = BUILDINGS.features.set_index("row", drop=False)
    for row in FAULTY:
        rows.loc[row["row"], ["code", "geometry"]] = row[["code", "geometry"]].to_numpy()
    town = GeoDataFrame(rows.reset_index(drop=True), geometry="geometry", crs=4326)
    expected = BUILDINGS.inspect(town)
    found = BUILDINGS.inspect(town.iloc[order])
    assert len(expected.faults) >= 6
    pd.testing.assert_frame_equal(
        pd.DataFrame(found.faults).assign(geometry=found.faults.geometry.to_wkt()),
        pd.DataFrame(expected.faults).assign(geometry=expected.faults.geometry.to_wkt()),
    )
    assert found.repairs.equals(expected.repairs)


@given(
    st.sampled_from([gcj02_from_wgs84, bd09_from_wgs84]),
    st.booleans(),
    st.floats(85, 125),
    st.floats(22, 45),
)
@settings(deadline=None, max_examples=30)
def test_a_shifted_layer_is_suspected_and_the_same_layer_in_place_is_not(
    shift: Move, is_declared: bool, lon: float, lat: float
) -> None:
    town = layer("compounds", parent_count=3, columns=6, rows=11, side_m=310, lon=lon, lat=lat)
    features = town.features if is_declared else town.features[["row", "geometry"]]
    assert counts(town.inspect(features)) == {}
    warnings = town.inspect(shifted(features, shift)).warnings
    expected = "suspected-gcj02" if shift is gcj02_from_wgs84 else "suspected-bd09"
    assert {kind for kind in warnings if kind.startswith("suspected")} == {expected}


@given(st.floats(0, 360), st.floats(300, 1200))
@settings(deadline=None, max_examples=20)
def test_a_layer_moved_in_another_direction_is_not_suspected(angle: float, length_m: float) -> None:
    east, north = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    town = layer("compounds", parent_count=3, columns=6, rows=11, side_m=310)
    step = np.array([east * town.side_lon, north * town.side_lat]) * length_m / 310
    moved = shapely.transform(town.features.geometry.to_numpy(), lambda xy: xy + step)
    report = town.inspect(town.features.set_geometry(moved, crs=4326))
    real = [
        np.array(shift(lon=[113.16], lat=[23.04])).ravel() - (113.16, 23.04)
        for shift in (gcj02_from_wgs84, bd09_from_wgs84)
    ]
    apart_m = min(np.hypot(*((step - true) * (102_000, 111_000))) for true in real)
    suspected = [kind for kind in report.warnings if kind.startswith("suspected")]
    assert apart_m < 350 or suspected == []


@given(st.floats(60, 170), st.floats(-50, 50))
@settings(deadline=None, max_examples=30)
def test_a_layer_with_swapped_axes_is_said_to_be_so_row_by_row(lon: float, lat: float) -> None:
    town = layer("compounds", side_m=300, lon=lon, lat=lat)
    shapes = [swapped(shape) for shape in town.features.geometry]
    report = town.inspect(town.features.set_geometry(shapes, crs=4326))
    assert report.errors == {"swapped-axes": 18}
    assert report.faults.geometry.geom_equals_exact(town.features.geometry, 1e-12).all()


coordinates = st.integers(0, 20).map(lambda step: step / 111_000)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12))
@settings(deadline=None, max_examples=60)
def test_what_is_repaired_is_valid_and_is_not_repaired_again(
    corners: list[tuple[float, float]],
) -> None:
    ring = Polygon([(113.15 + x, 23.03 + y) for x, y in corners])
    drawn = GeoDataFrame({"row": [1]}, geometry=[ring], crs=4326)
    report = BUILDINGS.inspect(drawn, parents=None)
    assert ("invalid-geometry" in report.errors) == (not ring.is_valid)
    again = BUILDINGS.inspect(apply_repairs(drawn, report), parents=None)
    if len(report.repairs):
        repair = report.repairs.iloc[0]
        assert "invalid-geometry" not in again.errors
        assert repair["geometry"].is_valid
        assert repair["geometry"].geom_type in {"Polygon", "MultiPolygon"}
        metric = report.repairs.to_crs(4547).area.iloc[0]
        assert metric > 0
        assert repair["area_change_share"] == pytest.approx(repair["area_change_m2"] / metric)
