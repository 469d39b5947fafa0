"""Gi* against published and computed values, and hot spots that were put there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from esda.getisord import G_Local
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from pandas import DataFrame
from scipy import sparse, stats

from geodata.errors import InvalidCountError, InvalidParameterError, UndeclaredCRSError
from geodata.heat import cell_polygons
from geodata.hotspots import (
    false_discovery_adjusted,
    gi_star,
    hot_cells,
    queen_neighbours,
)

KNOWN = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "spatialstats"

needs_known_answers = pytest.mark.skipif(
    not KNOWN.is_dir(), reason="the known answers of ../shared/data/spatialstats are absent"
)


def known(name: str) -> Any:
    return json.loads((KNOWN / name).read_text(encoding="utf-8"))


def graph(neighbours: dict[str, list[int]]) -> sparse.csr_array:
    adjacency = np.zeros((len(neighbours), len(neighbours)))
    for place, others in neighbours.items():
        adjacency[int(place), others] = 1
    return sparse.csr_array(adjacency)


def square(side: int, *, count: int = 1) -> DataFrame:
    """Return a square of cells with one count everywhere, near Guicheng at zoom 18."""
    x, y = np.meshgrid(np.arange(side) + 213_465, np.arange(side) + 113_831, indexing="ij")
    return DataFrame({"x": x.ravel(), "y": y.ravel(), "count": count})


@needs_known_answers
def test_six_points_agree_with_the_published_values() -> None:
    answer = known("getis_ord_six_points.json")
    z_score = gi_star(np.array(answer["y"]), neighbours=graph(answer["neighbors"]))
    assert z_score == pytest.approx(answer["computed"]["Gi_star_binary_Z"], abs=1e-12)
    asserted = answer["asserted_by_esda_tests"]["Gi_star_binary_Z[0]"]
    assert z_score[0] == pytest.approx(asserted, abs=1e-7)


@needs_known_answers
def test_counties_round_st_louis_agree() -> None:
    answer = known("stl_homicides_reference.json")
    counties = known("stl_homicides.geojson")["features"]
    rates = np.array([county["properties"]["HR8893"] for county in counties])
    z_score = gi_star(rates, neighbours=graph(answer["neighbors"]))
    assert z_score == pytest.approx(answer["Gi_star_binary_Z"], abs=1e-9)


@needs_known_answers
def test_baltimore_cells_agree() -> None:
    answer = known("kde_gistar_baltimore_sw.json")
    counts = np.array(answer["counts"])
    y, x = np.indices(counts.shape)
    cells = DataFrame({"x": x.ravel(), "y": y.ravel(), "count": counts.ravel()})
    # The numbers of the cells are their places in the file's grid; only their order matters.
    tested = hot_cells(cells, zoom=18)
    found = tested.pivot_table(index="y", columns="x", values="z_score").to_numpy()
    # The file has six decimals.
    assert found == pytest.approx(np.array(answer["gi_star_z"]), abs=5.1e-7)
    assert 50 < tested["is_hot"].sum() < 400


def test_random_cells_agree_with_esda() -> None:
    generator = np.random.default_rng(7)
    x, y = np.array(sorted({tuple(pair) for pair in generator.integers(0, 20, (250, 2))})).T
    values = generator.poisson(2, len(x)).astype(np.float64)
    neighbours = queen_neighbours(x=x, y=y)
    adjacency = (neighbours + sparse.eye_array(len(x))).tocoo()
    peer = Graph.from_arrays(adjacency.row, adjacency.col, adjacency.data)
    theirs = G_Local(values, peer, transform="B", star=True, permutations=0).Zs
    assert gi_star(values, neighbours=neighbours) == pytest.approx(np.asarray(theirs), abs=1e-9)


def test_a_heap_is_hot_and_the_rest_is_not() -> None:
    cells = square(20)
    heap = cells["x"].between(213_470, 213_472) & cells["y"].between(113_840, 113_842)
    cells.loc[heap, "count"] = 30
    tested = hot_cells(cells, zoom=18).set_index(["x", "y"])
    hot = tested.index[tested["is_hot"]]
    assert tested["z_score"].idxmax() == (213_471, 113_841)
    assert set(hot) >= set(cells[heap].set_index(["x", "y"]).index)
    # Gi* looks one cell round: what is two cells from the heap is not hot.
    assert hot.get_level_values("x").min() >= 213_469
    assert hot.get_level_values("x").max() <= 213_473


def test_empty_cells_are_tested_too() -> None:
    corners = DataFrame({"x": [100, 109], "y": [50, 57], "count": [9, 9]})
    tested = hot_cells(corners, zoom=10)
    assert len(tested) == 10 * 8
    assert tested["count"].sum() == 18
    assert tested["neighbourhood_count"].max() == 9


def test_two_reports_in_a_desert_are_too_few_to_say() -> None:
    cells = square(40, count=0)
    cells.loc[[820, 821], "count"] = 1
    tested = hot_cells(cells, zoom=18)
    assert tested["z_score"].max() > 10
    assert tested["is_too_few"].all()
    assert not tested["is_hot"].any()


def test_the_same_count_everywhere_says_nothing() -> None:
    tested = hot_cells(square(10, count=7), zoom=18)
    assert tested["z_score"].isna().all()
    assert tested["is_too_few"].all()
    assert not tested["is_hot"].any()


def test_fewer_than_thirty_cells_say_nothing() -> None:
    cells = square(5)
    cells.loc[0, "count"] = 500
    tested = hot_cells(cells, zoom=18)
    assert tested["is_too_few"].all()


def test_an_area_chooses_the_cells() -> None:
    cells = square(12, count=2)
    inner = cells[cells["x"].between(213_467, 213_474) & cells["y"].between(113_833, 113_840)]
    shrunk = cell_polygons(x=inner["x"], y=inner["y"], zoom=18).union_all().buffer(-1e-6)
    area = GeoSeries([shrunk], crs=4326).to_crs(4547)
    tested = hot_cells(cells, zoom=18, area=area)
    assert set(zip(tested["x"], tested["y"], strict=True)) == set(
        zip(inner["x"], inner["y"], strict=True)
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_correction_agrees_with_scipy(p_values: list[float]) -> None:
    given_values = np.array(p_values)
    expected = stats.false_discovery_control(given_values)
    assert false_discovery_adjusted(given_values) == pytest.approx(expected, rel=1e-12)


def test_chance_alone_makes_hardly_any_cell_hot() -> None:
    generator = np.random.default_rng(11)
    cells = square(40).assign(count=generator.poisson(3, 1600))
    assert hot_cells(cells, zoom=18)["is_hot"].sum() <= 16


@settings(deadline=None)
@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_queen_neighbours_touch(cells: set[tuple[int, int]]) -> None:
    places = sorted(cells)
    x, y = np.array(places).T
    adjacency = queen_neighbours(x=x, y=y).toarray()
    apart = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    assert (adjacency == (apart == 1)).all()


def test_nothing_has_no_hot_spots() -> None:
    nothing = hot_cells(square(0), zoom=18)
    assert nothing.empty
    assert nothing.crs is not None
    empty_area = GeoSeries([shapely.Polygon()], crs=4326)
    assert hot_cells(square(0), zoom=18, area=empty_area).empty


def test_a_cell_far_away_is_refused_with_what_to_do() -> None:
    cells = DataFrame({"x": [0, 5000], "y": [0, 5000], "count": [1, 1]})
    with pytest.raises(InvalidParameterError, match="coarser zoom"):
        hot_cells(cells, zoom=18)


@pytest.mark.parametrize(
    "cells",
    [
        DataFrame({"x": [1], "y": [1]}),
        DataFrame({"x": [1, 1], "y": [1, 1], "count": [1, 2]}),
        DataFrame({"x": [1], "y": [1], "count": [-1]}),
        DataFrame({"x": [1], "y": [1], "count": pd.Series([None], dtype="float64")}),
    ],
)
def test_what_are_no_counts_is_refused(cells: DataFrame) -> None:
    with pytest.raises(InvalidCountError):
        hot_cells(cells, zoom=18)


def test_parameters_without_a_meaning_are_refused() -> None:
    with pytest.raises(InvalidParameterError):
        hot_cells(square(6), zoom=18, alpha=5)
    with pytest.raises(UndeclaredCRSError):
        hot_cells(square(6), zoom=18, area=GeoSeries([shapely.box(113, 23, 114, 24)]))
