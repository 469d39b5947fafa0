import heapq
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import LineString, Point

from geodata.errors import NotALineStringError, NoWayError
from geodata.network import FLAT_SPEED_M_S, SPEED_M_S, Snapped, WalkingNetwork, straight_matrix_m
from geodata.osm import read_territory

LIECHTENSTEIN = Path(__file__).parents[3] / "shared" / "data" / "osm" / "liechtenstein.osm.pbf"
LON, LAT, STEP = 113.15, 23.03, 0.001

Edge = tuple[tuple[int, int], tuple[int, int]]


def lon_lat(column: float, row: float) -> tuple[float, float]:
    return LON + column * STEP, LAT + row * STEP


def walkways_of(lines: list[LineString], kinds: list[str] | None = None) -> GeoDataFrame:
    return GeoDataFrame(
        {"kind": kinds or ["footpath"] * len(lines)}, geometry=lines, crs="EPSG:4326"
    )


def line(*places: tuple[float, float]) -> LineString:
    return LineString([lon_lat(*place) for place in places])


def points_of(*places: tuple[float, float]) -> GeoSeries:
    return GeoSeries([Point(lon_lat(*place)) for place in places], crs="EPSG:4326")


def all_pairs_by_hand(
    network: WalkingNetwork, walkways: GeoDataFrame, snapped: Snapped, speeds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Split every edge at its snapped points, then run a plain Dijkstra from each point."""
    links: dict[object, list[tuple[object, float]]] = {}
    for row, geometry in enumerate(walkways.geometry):
        length = float(shapely.length(network.lines[row])) / speeds[row]
        ends = [tuple(np.rint(np.array(geometry.coords[at]) * 1e7)) for at in (0, -1)]
        on_it = [
            (float(snapped.fraction[i]), ("point", i)) for i in np.flatnonzero(snapped.edge == row)
        ]
        marks: list[tuple[float, object]] = [(0.0, ends[0]), *sorted(on_it), (1.0, ends[1])]
        for (before, one), (after, other) in pairwise(marks):
            cost = (after - before) * length
            links.setdefault(one, []).append((other, cost))
            links.setdefault(other, []).append((one, cost))
    count = len(snapped.edge)
    matrix = np.full((count, count), np.inf)
    for source in range(count):
        best: dict[object, float] = {}
        heap: list[tuple[float, int, object]] = [(0.0, 0, ("point", source))]
        pushed = 0
        while heap:
            cost, _, node = heapq.heappop(heap)
            if node in best:
                continue
            best[node] = cost
            for other, more in links.get(node, []):
                pushed += 1
                heapq.heappush(heap, (cost + more, pushed, other))
        for target in range(count):
            matrix[source, target] = best.get(("point", target), np.inf)
    return matrix


@st.composite
def street_plans(draw: st.DrawFn) -> GeoDataFrame:
    """Draw some streets of a 4 by 4 grid, bent at random, drawn either way, some of them steps."""
    grid: list[Edge] = [((c, r), (c + 1, r)) for c in range(3) for r in range(4)]
    grid += [((c, r), (c, r + 1)) for c in range(4) for r in range(3)]
    chosen = draw(st.lists(st.sampled_from(grid), min_size=1, max_size=20, unique=True))
    lines = []
    for one, other in chosen:
        bend = draw(st.floats(-0.3, 0.3))
        middle = ((one[0] + other[0]) / 2 + bend * 0.5, (one[1] + other[1]) / 2 + bend * 0.5)
        places = [one, middle, other] if abs(bend) > 0.01 else [one, other]
        lines.append(line(*(places if draw(st.booleans()) else places[::-1])))
    kinds = draw(
        st.lists(st.sampled_from(["footpath", "steps"]), min_size=len(lines), max_size=len(lines))
    )
    return walkways_of(lines, kinds)


@st.composite
def places(draw: st.DrawFn) -> GeoSeries:
    spot = st.tuples(st.floats(-0.5, 3.5), st.floats(-0.5, 3.5))
    return points_of(*draw(st.lists(spot, min_size=1, max_size=6)))


@settings(max_examples=60, deadline=None)
@given(walkways=street_plans(), points=places())
def test_distances_and_times_equal_those_of_the_uncontracted_network(
    walkways: GeoDataFrame, points: GeoSeries
) -> None:
    network = WalkingNetwork.from_walkways(walkways)
    snapped = network.snap(points)
    ones = np.ones(len(walkways))
    speeds = np.array([SPEED_M_S.get(kind, FLAT_SPEED_M_S) for kind in walkways["kind"]])
    by_hand_m = all_pairs_by_hand(network, walkways, snapped, ones)
    by_hand_s = all_pairs_by_hand(network, walkways, snapped, speeds)
    np.testing.assert_allclose(network.matrix_m(snapped), by_hand_m, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(
        network.matrix_s(snapped, with_offsets=False), by_hand_s, rtol=1e-9, atol=1e-6
    )


@settings(max_examples=60, deadline=None)
@given(walkways=street_plans(), points=places())
def test_a_point_is_snapped_to_the_nearest_place_of_all(
    walkways: GeoDataFrame, points: GeoSeries
) -> None:
    network = WalkingNetwork.from_walkways(walkways)
    snapped = network.snap(points)
    metric = points.to_crs(network.crs)
    for place, edge, fraction, offset_m in zip(
        metric, snapped.edge, snapped.fraction, snapped.offset_m, strict=True
    ):
        assert offset_m == pytest.approx(shapely.distance(network.lines, place).min(), abs=1e-9)
        on_edge = network.lines[edge].interpolate(fraction, normalized=True)
        assert on_edge.distance(place) == pytest.approx(offset_m, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(walkways=street_plans(), points=places())
def test_a_path_runs_on_the_streets_and_is_as_long_as_the_matrix_says(
    walkways: GeoDataFrame, points: GeoSeries
) -> None:
    network = WalkingNetwork.from_walkways(walkways)
    snapped = network.snap(points)
    matrix_m = network.matrix_m(snapped)
    streets = walkways.union_all().buffer(1e-9)
    for end in range(len(points)):
        if not np.isfinite(matrix_m[0, end]):
            with pytest.raises(NoWayError):
                network.route(snapped, [0, end], measure="m")
            continue
        path = network.route(snapped, [0, end], measure="m")
        metric = GeoSeries([path], crs="EPSG:4326").to_crs(network.crs)[0]
        assert metric.length == pytest.approx(matrix_m[0, end], abs=1e-4)
        assert path.within(streets)
        for at, index in ((0, 0), (-1, end)):
            there = network.lines[snapped.edge[index]].interpolate(
                snapped.fraction[index], normalized=True
            )
            assert Point(metric.coords[at]).distance(there) < 1e-4


def test_chains_are_contracted_and_keep_their_length() -> None:
    walkways = walkways_of([line((0, 0), (1, 0)), line((2, 0), (1, 0)), line((2, 0), (2, 1))])
    network = WalkingNetwork.from_walkways(walkways)
    assert (network.node_count, network.junction_count) == (4, 2)
    distance_m = network.matrix_m(points_of((0, 0), (2, 1)))[0, 1]
    assert distance_m == pytest.approx(network.length_m.sum())


def test_two_points_on_one_edge_are_as_far_apart_as_the_edge_says() -> None:
    network = WalkingNetwork.from_walkways(walkways_of([line((0, 0), (4, 0))]))
    matrix_m = network.matrix_m(points_of((1, 0), (2, 0)))
    assert matrix_m[0, 1] == pytest.approx(network.length_m[0] / 4, rel=1e-6)
    assert matrix_m[0, 0] == 0


def test_a_ring_is_walked_the_shorter_way_round() -> None:
    ring = walkways_of([line((0, 0), (2, 0), (2, 2), (0, 2), (0, 0))])
    network = WalkingNetwork.from_walkways(ring)
    around_m = network.length_m[0]
    # A quarter one way from the corner, and an eighth the other way.
    matrix_m = network.matrix_m(points_of((2, 0), (0, 1)))
    assert matrix_m[0, 1] == pytest.approx(0.375 * around_m, rel=2e-2)
    path = network.path(Point(lon_lat(2, 0)), Point(lon_lat(0, 1)), measure="m")
    assert Point(lon_lat(0, 0)).distance(path) < 1e-9


def test_stairs_are_avoided_where_time_counts_and_taken_where_metres_count() -> None:
    streets = [line((0, 0), (2, 0)), line((0, 0), (0, 0.5), (2, 0.5), (2, 0))]
    network = WalkingNetwork.from_walkways(walkways_of(streets, ["steps", "street"]))
    ends = (Point(lon_lat(0, 0)), Point(lon_lat(2, 0)))
    by_metres = network.path(*ends, measure="m")
    by_seconds = network.path(*ends)
    assert by_metres.length < by_seconds.length
    points = GeoSeries(ends, crs="EPSG:4326")
    matrix_s = network.matrix_s(points)
    assert matrix_s[0, 1] == pytest.approx(network.length_m[1] / FLAT_SPEED_M_S, rel=1e-6)


def test_an_island_is_infinitely_far_and_can_be_ruled_out() -> None:
    network = WalkingNetwork.from_walkways(
        walkways_of([line((0, 0), (3, 0)), line((0, 1), (1, 1))])
    )
    points = points_of((0, 0), (0, 1))
    snapped = network.snap(points)
    assert snapped.component.tolist() == [0, 1]
    assert np.isinf(network.matrix_m(snapped)[0, 1])
    on_main = network.snap(points, main_part_only=True)
    assert on_main.component.tolist() == [0, 0]
    assert network.matrix_m(on_main)[0, 1] == pytest.approx(0, abs=0.01)


def test_offsets_count_at_both_ends_when_asked_for() -> None:
    network = WalkingNetwork.from_walkways(walkways_of([line((0, 0), (4, 0))]))
    points = points_of((1, 0.1), (2, 0))
    plain, with_offsets = network.matrix_m(points), network.matrix_m(points, with_offsets=True)
    offset_m = network.snap(points).offset_m
    assert with_offsets[0, 1] == pytest.approx(plain[0, 1] + offset_m.sum())
    assert with_offsets[0, 0] == 0


def test_no_walkways_make_a_network_on_which_nothing_is_reached() -> None:
    network = WalkingNetwork.from_walkways(walkways_of([]))
    points = points_of((0, 0), (1, 1))
    assert np.isinf(network.matrix_m(points)[0, 1])
    assert np.isinf(network.snap(points).offset_m).all()
    with pytest.raises(NoWayError):
        network.path(Point(lon_lat(0, 0)), Point(lon_lat(1, 1)))


def test_no_points_give_an_empty_matrix() -> None:
    network = WalkingNetwork.from_walkways(walkways_of([line((0, 0), (1, 0))]))
    assert network.matrix_m(points_of()).shape == (0, 0)
    assert straight_matrix_m(points_of()).shape == (0, 0)
    assert network.route(points_of((0, 0)), [0]).is_empty


def test_a_line_without_length_is_passed_over() -> None:
    here = lon_lat(0, 0)
    walkways = walkways_of([LineString([here, here]), line((0, 0), (1, 0))])
    assert len(WalkingNetwork.from_walkways(walkways).lines) == 1


def test_a_row_that_is_no_line_is_named() -> None:
    walkways = GeoDataFrame(
        {"kind": ["street", "street"]},
        geometry=[line((0, 0), (1, 0)), Point(lon_lat(0, 0))],
        crs="EPSG:4326",
    )
    with pytest.raises(NotALineStringError, match="row 1") as caught:
        WalkingNetwork.from_walkways(walkways)
    assert caught.value.row == 1


def test_the_straight_estimate_is_the_distance_times_the_circuity() -> None:
    # A thousandth of a degree of latitude at 23 degrees north is 110.75 m on the ellipsoid.
    matrix_m = straight_matrix_m(points_of((0, 0), (0, 1)), circuity=2)
    assert matrix_m[0, 1] == pytest.approx(2 * 110.75, rel=1e-3)


def test_any_declared_crs_of_the_points_gives_the_same_answer() -> None:
    network = WalkingNetwork.from_walkways(
        walkways_of([line((0, 0), (2, 0)), line((2, 0), (2, 2))])
    )
    points = points_of((0, 0.1), (2.1, 1.5))
    metric = points.to_crs("EPSG:4547")
    np.testing.assert_allclose(network.matrix_m(points), network.matrix_m(metric), atol=1e-3)


@pytest.fixture(scope="module")
def liechtenstein() -> WalkingNetwork:
    if not LIECHTENSTEIN.exists():
        pytest.skip("no ../shared/data/osm")
    read = read_territory(LIECHTENSTEIN, community_code=440605011001, community_name="Vaduz")
    return WalkingNetwork.from_walkways(read.territory.walkways)


def test_a_real_country_is_as_far_across_as_its_uncontracted_network_says(
    liechtenstein: WalkingNetwork,
) -> None:
    network = liechtenstein
    assert network.junction_count < network.node_count
    random = np.random.default_rng(0)
    chosen = random.choice(np.flatnonzero(network.component == 0), 40, replace=False)
    # Both ends of each chosen edge, which are nodes of the uncontracted network.
    ends = [shapely.get_point(network.lines[chosen], at) for at in (0, -1)]
    matrix_m = network.matrix_m(GeoSeries([*ends[0], *ends[1]], crs=network.crs))
    steps = np.array(
        [[np.rint(np.array(line.coords[at]) * 100) for at in (0, -1)] for line in network.lines]
    )
    _, node = np.unique(steps.reshape(-1, 2), axis=0, return_inverse=True)
    start, end = node.reshape(-1, 2).T
    order = np.lexsort([network.length_m, end, start])
    first = order[np.unique(start[order] * (node.max() + 1) + end[order], return_index=True)[1]]
    graph = csr_array(
        (network.length_m[first], (start[first], end[first])),
        shape=(node.max() + 1, node.max() + 1),
    )
    places = np.concatenate([start[chosen], end[chosen]])
    by_hand_m = dijkstra(graph, directed=False, indices=places)[:, places]
    np.testing.assert_allclose(matrix_m, by_hand_m, atol=1e-4)
    assert np.isfinite(matrix_m).all()
