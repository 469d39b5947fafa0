"""The town's polygons: inside their parents, side by side, the lowest partition the one above."""

from collections.abc import Callable

import numpy as np
import pytest
import shapely

from geodata.codes import BUILDING_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS, is_grid_code
from geodata.sample import Sample
from tests.geodata.sample.measured import TOLERANCE_M, Measured, meeting_pairs, place

LEVELS = ["communities", "compounds", "buildings", "stairwells"]


@pytest.mark.parametrize("level", LEVELS)
def test_polygons_are_valid(measured: Measured, level: str) -> None:
    polygons = measured.levels()[level]
    assert (shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON).all()
    assert shapely.is_valid(polygons).all()


@pytest.mark.parametrize("level", LEVELS)
def test_siblings_do_not_overlap(measured: Measured, level: str) -> None:
    polygons = measured.levels()[level]
    one, other = meeting_pairs(polygons)
    shared = shapely.intersection(polygons[one], polygons[other])
    # A sliver along a common edge is at most that edge long and the tolerance wide.
    limit = TOLERANCE_M * np.maximum(shapely.length(polygons[one]), 1.0)
    assert (shapely.area(shared) < limit).all()


@pytest.mark.parametrize("level", LEVELS[1:])
def test_children_lie_inside_their_parents(measured: Measured, level: str) -> None:
    children, parents = measured.parents()[level]
    assert shapely.covers(shapely.buffer(parents, TOLERANCE_M), children).all()


def test_communities_partition_the_sub_district(measured: Measured) -> None:
    whole = shapely.union_all(measured.communities)
    assert isinstance(whole, shapely.Polygon)
    assert len(whole.interiors) == 0
    assert whole.area == pytest.approx(shapely.area(measured.communities).sum(), abs=0.1)
    assert shapely.coverage_is_valid(measured.communities)


def test_stairwells_partition_their_building(measured: Measured) -> None:
    buildings = measured.territory.buildings
    rows = place(buildings, measured.territory.stairwells["building_code"])
    filled = np.bincount(rows, weights=shapely.area(measured.stairwells), minlength=len(buildings))
    homes = (buildings["kind"] != "other").to_numpy()
    assert np.allclose(filled[homes], shapely.area(measured.buildings)[homes], atol=0.01)
    assert (filled[~homes] == 0).all()


def test_slabs_have_two_to_six_stairwells_and_towers_one_or_two(full: Sample) -> None:
    count = full.territory.stairwells["building_code"].value_counts()
    kinds = full.territory.buildings.set_index("code")["kind"]
    slabs, towers = (count[kinds[kinds == kind].index] for kind in ("slab", "tower"))
    assert slabs.between(2, 6).all()
    assert towers.between(1, 2).all()
    assert slabs.nunique() == 5
    assert towers.nunique() == 2


def test_compounds_stay_off_the_streets(measured: Measured) -> None:
    kinds = measured.territory.walkways["kind"]
    streets = measured.walkways[kinds.isin(["street", "residential"]).to_numpy()]
    near = shapely.STRtree(streets).query(measured.compounds, predicate="dwithin", distance=5.0)
    assert near.size == 0


def test_houses_face_south_and_not_exactly(full: Sample) -> None:
    slabs = full.territory.buildings[full.territory.buildings["kind"] == "slab"]
    boxes = shapely.minimum_rotated_rectangle(slabs.to_crs(4547).geometry.to_numpy())
    corners = shapely.get_coordinates(boxes).reshape(-1, 5, 2)
    sides = np.diff(corners, axis=1)[:, :2]
    longer = sides[np.arange(len(sides)), np.hypot(*sides.T).T.argmax(axis=1)]
    turn = np.degrees(np.arctan2(longer[:, 1], longer[:, 0]))
    off = np.abs((turn + 90) % 180 - 90)
    assert np.quantile(off, 0.99) < 30
    assert np.ptp(turn) > 5


def test_codes_are_unique_and_begin_with_their_parents(measured: Measured) -> None:
    frames = measured.territory
    for frame, digits, parent in (
        (frames.compounds, COMPOUND_DIGITS, "community_code"),
        (frames.buildings, BUILDING_DIGITS, "compound_code"),
        (frames.stairwells, STAIRWELL_DIGITS, "building_code"),
    ):
        codes = frame["code"]
        assert codes.is_unique
        assert codes.is_monotonic_increasing
        assert all(is_grid_code(code, digits=digits) for code in codes)
        parents = frame[parent].astype("str")
        begins = [c.startswith(p) for c, p in zip(codes, parents, strict=True)]
        assert all(begins)


def test_siblings_are_numbered_from_west_to_east(full: Sample) -> None:
    compounds = full.territory.compounds.to_crs(4547)
    for _, own in compounds.assign(x=compounds.centroid.x).groupby("community_code"):
        assert own["x"].is_monotonic_increasing
        assert own["code"].str[-3:].astype(int).tolist() == list(range(1, len(own) + 1))


@pytest.mark.parametrize("seed", [2, 3, 11])
def test_other_seeds_give_other_sound_towns(
    full: Sample, seeded: Callable[[int], Measured], seed: int
) -> None:
    measured = seeded(seed)
    for level, (children, parents) in measured.parents().items():
        assert shapely.covers(shapely.buffer(parents, TOLERANCE_M), children).all(), level
    assert len(measured.stairwells) == pytest.approx(1500, rel=0.03)
    assert (
        full.territory.communities.geometry.iloc[0]
        != (measured.territory.communities.geometry.iloc[0])
    )
