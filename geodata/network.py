"""The walking network: streets and footpaths as a graph, distances and ways along it.

References
----------
Comfortable gait: R. W. Bohannon, Age and Ageing 26 (1997) 15-19, doi:10.1093/ageing/26.1.15.
Stairs: T. Kretz et al., Safety Science 46 (2008) 72-78, doi:10.1016/j.ssci.2006.10.001.
Shortest paths: E. W. Dijkstra, Numerische Mathematik 1 (1959) 269-271, doi:10.1007/BF01386390.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pyproj import CRS
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from shapely import LineString, Point, STRtree
from shapely.ops import substring

from geodata.chains import contract
from geodata.crs import GEOGRAPHIC, local_metric_crs, metric_crs_of, to_metres, transformer
from geodata.errors import NotALineStringError, NoWayError
from geodata.junctions import JunctionGraph

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Lines = NDArray[Any]
Measure = Literal["m", "s"]

# The slowest comfortable gait of any age group in Bohannon's table, for a patrol walks at the pace
# of its slowest member; on stairs the horizontal speed of Kretz's long stairway.
FLAT_SPEED_M_S = 1.27
SPEED_M_S = {"steps": 0.45}
CIRCUITY = 1.3
_COORDINATE_DECIMALS = 7
_SAME_PLACE_M = 1e-6


@dataclass(frozen=True)
class Snapped:
    """Points on the network, in the order of the points given.

    Attributes
    ----------
    edge
        Shape (n,), row of the edge in the network's ``lines``; -1 where the network is empty.
    fraction
        Shape (n,), 0 at the edge's first coordinate, 1 at its last.
    offset_m
        Shape (n,), metres from the point to the edge as the crow flies; infinite for edge -1.
    component
        Shape (n,), connected part of the network, 0 the longest; -1 for edge -1.
    """

    edge: Ints
    fraction: Floats
    offset_m: Floats
    component: Ints


class WalkingNetwork:
    """A network to walk on, both ways on every edge; build it with ``from_walkways``.

    Distances are exact: points are placed on the edges themselves, and runs of edges through nodes
    of degree two are contracted into chains, which only makes the graph small.

    Attributes
    ----------
    crs
        The projected CRS, metres, in which it measures.
    lines
        Shape (e,), line strings in ``crs``, in the order of the walkways that have a length.
    length_m, duration_s
        Shape (e,), metres and walking seconds of each edge.
    component
        Shape (e,), connected part of each edge, numbered from the longest (0) down.
    node_count, junction_count
        Number of distinct end coordinates, and of those that are left after contraction.
    """

    def __init__(self, lines: Lines, start: Ints, end: Ints, speed_m_s: Floats, crs: CRS) -> None:
        self.crs = crs
        self.lines = lines
        self.length_m: Floats = np.asarray(shapely.length(lines), dtype=np.float64)
        self.duration_s: Floats = self.length_m / speed_m_s
        self.node_count = int(max(start.max(), end.max())) + 1 if len(start) else 0
        self.component = _components(start, end, self.length_m, self.node_count)
        self._chains = contract(start, end, node_count=self.node_count)
        self.junction_count = self._chains.junction_count
        self._graphs = {
            "m": JunctionGraph(self._chains, self.length_m),
            "s": JunctionGraph(self._chains, self.duration_s),
        }

    @classmethod
    def from_walkways(cls, walkways: GeoDataFrame) -> "WalkingNetwork":
        """Build the network of a frame of walkways.

        Parameters
        ----------
        walkways
            ``kind`` and ``geometry`` (line strings that meet only at their ends, equal to 1e-7
            degree); EPSG:4326. Lines without a length are passed over. No rows give a network on
            which nothing can be reached.

        Raises
        ------
        NotALineStringError
            A geometry is missing, or is not a line string.
        """
        geometry = walkways.geometry.to_crs(GEOGRAPHIC)
        geographic: Lines = np.asarray(geometry.array, dtype=object)
        wrong = np.flatnonzero(shapely.get_type_id(geographic) != shapely.GeometryType.LINESTRING)
        if len(wrong):
            raise NotALineStringError(int(wrong[0]))
        crs = _metric_crs(geographic)
        lines: Lines = np.asarray(geometry.to_crs(crs).array, dtype=object)
        kept = shapely.length(lines) > 0
        start, end = _end_nodes(geographic[kept])
        kinds = walkways["kind"].to_numpy()[kept]
        speed = np.array([SPEED_M_S.get(kind, FLAT_SPEED_M_S) for kind in kinds], dtype=np.float64)
        return cls(lines[kept], start, end, speed, crs)

    def snap(self, points: GeoSeries, *, main_part_only: bool = False) -> Snapped:
        """Find the nearest place on the network for each point.

        Parameters
        ----------
        points
            Shape (n,), points, none empty, in any declared CRS.
        main_part_only
            Consider only the longest connected part, so that no point lands on an island.
        """
        tree, pool = self._main_tree if main_part_only else self._tree
        if not len(pool) or not len(points):
            nowhere = np.full(len(points), -1)
            return Snapped(nowhere, np.zeros(len(points)), np.full(len(points), np.inf), nowhere)
        places: Lines = np.asarray(points.to_crs(self.crs).array, dtype=object)
        edge = pool[tree.nearest(places)]
        along = shapely.line_locate_point(self.lines[edge], places)
        return Snapped(
            edge=edge,
            fraction=np.clip(along / self.length_m[edge], 0.0, 1.0),
            offset_m=np.asarray(shapely.distance(self.lines[edge], places), dtype=np.float64),
            component=self.component[edge],
        )

    def matrix_m(self, points: GeoSeries | Snapped, *, with_offsets: bool = False) -> Floats:
        """Return the shortest walking distance between each two points.

        Parameters
        ----------
        points
            Shape (n,), points in any declared CRS, or what ``snap`` made of them.
        with_offsets
            Add the straight metres between a point and the network at both ends.

        Returns
        -------
        NDArray
            Shape (n, n), metres, symmetric, 0 on the diagonal, infinite between parts of the
            network that do not connect.
        """
        snapped = self._snapped(points)
        return self._matrix(snapped, "m", snapped.offset_m if with_offsets else None)

    def matrix_s(self, points: GeoSeries | Snapped, *, with_offsets: bool = True) -> Floats:
        """Return the seconds of walking between each two points; CRS and rest as ``matrix_m``."""
        snapped = self._snapped(points)
        return self._matrix(
            snapped, "s", snapped.offset_m / FLAT_SPEED_M_S if with_offsets else None
        )

    def path(self, start: Point, end: Point, *, measure: Measure = "s") -> LineString:
        """Return the way between two points along the network.

        Parameters
        ----------
        start, end
            Longitude and latitude, EPSG:4326.
        measure
            What is least on the way: seconds (``s``), as patrols walk, or metres (``m``).

        Returns
        -------
        LineString
            EPSG:4326, from the snapped start to the snapped end.

        Raises
        ------
        NoWayError
            The network is empty, or the two are on parts that do not connect.
        """
        return self.route(GeoSeries([start, end], crs=GEOGRAPHIC), [0, 1], measure=measure)

    def route(
        self, points: GeoSeries | Snapped, order: Sequence[int], *, measure: Measure = "s"
    ) -> LineString:
        """Return the way through points, in an order, as one line; else as ``path``.

        Parameters
        ----------
        points
            Shape (n,), points in any declared CRS, or what ``snap`` made of them.
        order
            Positions in ``points``; fewer than two give an empty line.
        """
        snapped = self._snapped(points)
        legs = pairwise(order)
        pieces = [piece for start, end in legs for piece in self._leg(snapped, start, end, measure)]
        if not pieces:
            return LineString()
        coordinates = np.concatenate(pieces)
        # Where two pieces meet, both have the place; a way to where one is has one place, twice.
        is_new = np.abs(np.diff(coordinates, axis=0)).max(axis=1) > _SAME_PLACE_M
        kept = coordinates[np.concatenate([[True], is_new])]
        coordinates = kept if len(kept) > 1 else np.repeat(kept, 2, axis=0)
        to_geographic = transformer(self.crs, GEOGRAPHIC)
        return LineString(np.column_stack(to_geographic.transform(*coordinates.T)))

    @cached_property
    def _tree(self) -> tuple[STRtree, Ints]:
        return STRtree(self.lines), np.arange(len(self.lines))

    @cached_property
    def _main_tree(self) -> tuple[STRtree, Ints]:
        pool = np.flatnonzero(self.component == 0)
        return STRtree(self.lines[pool]), pool

    def _snapped(self, points: GeoSeries | Snapped) -> Snapped:
        return points if isinstance(points, Snapped) else self.snap(points)

    def _matrix(self, snapped: Snapped, measure: Measure, offsets: Floats | None) -> Floats:
        graph = self._graphs[measure]
        if len(self.lines):
            matrix = graph.matrix(graph.places(snapped.edge, snapped.fraction))
        else:
            matrix = np.full((len(snapped.edge), len(snapped.edge)), np.inf)
        if offsets is not None:
            matrix = matrix + offsets[:, None] + offsets[None, :]
        np.fill_diagonal(matrix, 0.0)
        return matrix

    def _leg(self, snapped: Snapped, start: int, end: int, measure: Measure) -> list[Floats]:
        """Return the coordinates, in the metric CRS and in pieces, from one point to another."""
        ends = np.array([start, end])
        if (snapped.edge[ends] < 0).any():
            raise NoWayError(start, end)
        edge, fraction = snapped.edge[ends], snapped.fraction[ends]
        way = self._graphs[measure].way(self._graphs[measure].places(edge, fraction))
        if way is None:
            raise NoWayError(start, end)
        places_m = self._graphs["m"].places(edge, fraction)
        cuts = [(0.0, float(total)) for total in self._graphs["m"].total[[c for c, _ in way]]]
        begins = [cut[0 if forward else 1] for cut, (_, forward) in zip(cuts, way, strict=True)]
        finishes = [cut[1 if forward else 0] for cut, (_, forward) in zip(cuts, way, strict=True)]
        begins[0], finishes[-1] = float(places_m.before[0]), float(places_m.before[1])
        return [
            shapely.get_coordinates(substring(self._chain_line(chain), begin, finish))
            for (chain, _), begin, finish in zip(way, begins, finishes, strict=True)
        ]

    def _chain_line(self, chain: int) -> LineString:
        """Return a chain as one line, from its start to its end, in the metric CRS."""
        first, last = self._chains.first[chain : chain + 2]
        parts = []
        for edge in self._chains.edges[first:last]:
            part = shapely.get_coordinates(self.lines[edge])
            parts.append(part if self._chains.forward[edge] else part[::-1])
        return LineString(np.concatenate(parts))


def straight_matrix_m(points: GeoSeries, *, circuity: float = CIRCUITY) -> Floats:
    """Estimate walking distances where there is no network: straight lines times a factor.

    Parameters
    ----------
    points
        Shape (n,), points in any declared CRS.
    circuity
        Walked metres per straight metre, >= 1; in towns about 1.2 to 1.4.

    Returns
    -------
    NDArray
        Shape (n, n), metres, measured in the local metric CRS; an estimate: whoever shows it says
        so.
    """
    if not len(points):
        return np.zeros((0, 0))
    geographic: Lines = np.asarray(points.to_crs(GEOGRAPHIC).array, dtype=object)
    places = shapely.get_coordinates(to_metres(geographic, _metric_crs(geographic)))
    return np.asarray(cdist(places, places) * circuity, dtype=np.float64)


def _metric_crs(geographic: Lines) -> CRS:
    """Return the metric zone in the middle of geometries in EPSG:4326."""
    if not len(geographic):
        return local_metric_crs(lon=0.0, lat=0.0)
    return metric_crs_of(shapely.total_bounds(geographic))


def _end_nodes(geographic: Lines) -> tuple[Ints, Ints]:
    """Give each distinct end coordinate, EPSG:4326, a number; shape (e,) for either end."""
    if not len(geographic):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    ends = np.concatenate([shapely.get_point(geographic, 0), shapely.get_point(geographic, -1)])
    steps = np.rint(shapely.get_coordinates(ends) * 10**_COORDINATE_DECIMALS).astype(np.int64)
    _, node = np.unique(steps, axis=0, return_inverse=True)
    return node[: len(geographic)].astype(np.int64), node[len(geographic) :].astype(np.int64)


def _components(start: Ints, end: Ints, length_m: Floats, node_count: int) -> Ints:
    """Return the connected part of each edge, numbered from the longest down; shape (e,)."""
    if not len(start):
        return np.empty(0, dtype=np.int64)
    links = csr_array((np.ones(len(start)), (start, end)), shape=(node_count, node_count))
    count, of_node = connected_components(links, directed=False)
    total_m = np.bincount(of_node[start], weights=length_m, minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-total_m, kind="stable")] = np.arange(count)
    return rank[of_node[start]]
