"""Short straight cuts through a simple polygon that part it into stated shares of its area.

Plane geometry without a CRS: the callers bring coordinates in metres.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# What an edge of a ring is: a wall of the building, an earlier cut, a slit (nothing ends there).
WALL, CUT, SLIT = 0, 1, 2

# Both ends of a cut are sought on this many points of the outline, and at every corner.
_PLACES = 96
_PLACES_A_PIECE = 5
_MOST_PLACES = 480
# Cuts looked at in one go, and cuts offered in the end.
_BATCH = 128
_OFFERED = 8
# A cut along a wall counts as this much longer than one square to it, as a share of its length;
_SKEW_WEIGHT = 1.0
# one whose pieces are a tenth too large, as a tenth of this;
_UNEVEN_WEIGHT = 4.0
# one that ends on an earlier cut, where people would cut from wall to wall, as this.
_HANGING_WEIGHT = 0.25
# Ends this near a corner, as a share of the side of a square piece, are at the corner.
_SNAP_SHARE = 1e-3
# How far inside its ends a cut must be clear of every wall, as a share of its length.
_CLEARANCE = 1e-6
_ZOOMS = 3
_STEPS = 33


@dataclass(frozen=True)
class Chord:
    """A straight cut between two points of a ring, each ``share`` of the way along an edge."""

    edges: tuple[int, int]
    shares: tuple[float, float]
    pieces: int  # how many of the pieces lie on the ring's way from the first to the second end


@dataclass(frozen=True)
class _Cuts:
    """Many cuts, array by array."""

    edges: Integers  # shape (n, 2)
    shares: Array  # shape (n, 2)
    pieces: Integers
    cost: Array

    def take(self, rows: NDArray[np.intp]) -> "_Cuts":
        return _Cuts(self.edges[rows], self.shares[rows], self.pieces[rows], self.cost[rows])


@dataclass(frozen=True)
class Ring:
    """The outline of a simple polygon, counter-clockwise, without its first corner repeated."""

    corners: Array
    kinds: Integers  # of the edge after each corner: WALL, CUT or SLIT

    @property
    def area(self) -> float:
        """Area in square metres."""
        return float(self.before[-1])

    @cached_property
    def steps(self) -> Array:
        """Vector of each edge."""
        return np.roll(self.corners, -1, axis=0) - self.corners

    @cached_property
    def before(self) -> Array:
        """Area swept round the first corner up to each corner, and all round; shape (n + 1,)."""
        moved = self.corners - self.corners[0]
        return np.concatenate([[0.0], np.cumsum(_cross(moved, np.roll(moved, -1, axis=0))) / 2])

    def points(self, edges: Integers, shares: Array) -> Array:
        """Return points on edges; a share of 0 or 1 gives the corner itself."""
        start, end = self.corners[edges], self.corners[(edges + 1) % len(self.corners)]
        share = shares[..., None]
        return np.where(share >= 1, end, start + share * (end - start))

    def cut(self, chord: Chord) -> tuple["Ring", "Ring"]:
        """Cut along a chord; both parts get the same two points."""
        first, last = self.points(np.array(chord.edges), np.array(chord.shares))
        start, end = chord.edges
        return self._part(first, start, end, last), self._part(last, end, start, first)

    def _part(self, first: Array, start: int, end: int, last: Array) -> "Ring":
        """Return the ring from a point of one edge to a point of another, and straight back."""
        size = len(self.corners)
        edges = [(start + step) % size for step in range((end - start) % size + 1)]
        rows = np.vstack([first, self.corners[edges[1:]], last])
        kinds = np.append(self.kinds[edges], CUT)
        distinct = np.any(rows != np.roll(rows, -1, axis=0), axis=1)
        return Ring(rows[distinct], kinds[distinct])


def offer_cuts(ring: Ring, *, pieces: int, mean_area: float, tolerance: float) -> Iterator[Chord]:
    """Offer cuts of a ring in two parts, each of a whole number of pieces; the best first.

    The best cut is the shortest, where leaning from the perpendicular of the walls and unequal
    pieces count as length. In an arm of a building that is the cut straight across the arm.

    Parameters
    ----------
    ring
        Outline, metres.
    pieces
        Pieces that the ring must make in the end, >= 2.
    mean_area
        What a piece of the whole footprint should have, square metres.
    tolerance
        By how much, as a share, the pieces of a part may differ from ``mean_area`` on average. If
        no cut keeps to it, those that come nearest are offered.
    """
    search = _Search(ring, pieces, mean_area)
    found = search.visible(search.exact_cuts(), search.even_cuts(tolerance))
    if not len(found.pieces):
        found = search.visible(search.all_cuts())
    snap = _SNAP_SHARE * mean_area**0.5
    for chord in search.settle(found)[:_OFFERED]:
        yield _snapped(ring, chord, snap)


class _Search:
    """The search for cuts of one ring."""

    def __init__(self, ring: Ring, pieces: int, mean_area: float) -> None:
        self.ring = ring
        self.pieces = pieces
        self.mean_area = mean_area
        self.area = ring.area
        self.polygon = Polygon(ring.corners)
        shapely.prepare(self.polygon)
        steps = ring.steps
        self.lengths = np.hypot(steps[:, 0], steps[:, 1])
        self.normals = np.column_stack([-steps[:, 1], steps[:, 0]]) / self.lengths[:, None]
        places = min(max(_PLACES, _PLACES_A_PIECE * pieces), _MOST_PLACES)
        self.spacing = self.lengths.sum() / places
        parts = np.maximum(np.ceil(self.lengths / self.spacing), 1).astype("int64")
        self.edges = np.repeat(np.arange(len(parts)), parts)
        offset = np.arange(len(self.edges)) - np.repeat(np.cumsum(parts) - parts, parts)
        self.shares = offset / parts[self.edges]
        self.points = ring.points(self.edges, self.shares)
        self.parts = parts
        # areas[i, j]: what the chord from place i to place j cuts off, for i < j
        moved = self.points - self.points[0]
        swept = np.cumsum(_cross(moved, np.roll(moved, -1, axis=0))) / 2
        swept = np.concatenate([[0.0], swept[:-1]])
        closing = np.outer(moved[:, 1], moved[:, 0]) - np.outer(moved[:, 0], moved[:, 1])
        self.areas = swept[None, :] - swept[:, None] + closing / 2

    def exact_cuts(self) -> _Cuts:
        """Return the cuts from each place that cut off whole pieces to rounding."""
        count = len(self.points)
        whole = self.areas * (self.pieces / self.area)
        following = np.column_stack([whole[:, 1:], self.pieces - whole[0]])
        low, high = np.minimum(whole, following), np.maximum(whole, following)
        piece = np.floor(high)
        hit = (low <= piece) & (high > low) & (piece >= 1) & (piece < self.pieces)
        hit &= np.triu(np.ones((count, count), dtype=bool), 1)
        start, end = np.nonzero(hit)
        ways = (piece[start, end] - whole[start, end]) / (following - whole)[start, end]
        edges = np.column_stack([self.edges[start], self.edges[end]])
        ends = self.shares[end] + ways / self.parts[self.edges[end]]
        shares = np.column_stack([self.shares[start], np.minimum(ends, 1.0)])
        return self._priced(edges, shares, piece[start, end].astype("int64"), 0.0)

    def even_cuts(self, tolerance: float) -> _Cuts:
        """Return the cuts between two places whose parts are equal within a tolerance."""
        pieces, uneven = self._unevenness()
        return self._between_places(uneven <= tolerance, pieces, uneven * _UNEVEN_WEIGHT)

    def all_cuts(self) -> _Cuts:
        """Return the cuts between any two places, priced by how unequal the parts are."""
        pieces, uneven = self._unevenness()
        return self._between_places(np.isfinite(uneven), pieces, uneven * 1e6)

    def _unevenness(self) -> tuple[Integers, Array]:
        """Return the pieces that each chord cuts off, and by how much they miss the mean."""
        pieces = np.clip(np.round(self.areas * (self.pieces / self.area)), 1, self.pieces - 1)
        ahead = np.abs(self.areas / (pieces * self.mean_area) - 1)
        rest = (self.area - self.areas) / ((self.pieces - pieces) * self.mean_area)
        return pieces.astype("int64"), np.maximum(ahead, np.abs(rest - 1))

    def _between_places(self, chosen: NDArray[np.bool_], pieces: Integers, extra: Array) -> _Cuts:
        start, end = np.nonzero(np.triu(chosen, 1))
        edges = np.column_stack([self.edges[start], self.edges[end]])
        shares = np.column_stack([self.shares[start], self.shares[end]])
        return self._priced(edges, shares, pieces[start, end], extra[start, end])

    def _priced(
        self, edges: Integers, shares: Array, pieces: Integers, extra: Array | float
    ) -> _Cuts:
        """Price cuts; those that end on a slit or lie in one edge fall away."""
        usable = (edges[:, 0] != edges[:, 1]) & (self.ring.kinds[edges] != SLIT).all(axis=1)
        cost = self._cost(edges, shares) * (1 + extra)
        return _Cuts(edges, shares, pieces, cost).take(np.nonzero(usable)[0])

    def _cost(self, edges: Integers, shares: Array) -> Array:
        """Return the length of cuts, with what skew and ends on earlier cuts add."""
        first = self.ring.points(edges[:, 0], shares[:, 0])
        run = self.ring.points(edges[:, 1], shares[:, 1]) - first
        length = np.hypot(run[:, 0], run[:, 1])
        direction = run / np.where(length > 0, length, 1)[:, None]
        square = self._squareness(direction, edges[:, 0], shares[:, 0])
        square = square * self._squareness(-direction, edges[:, 1], shares[:, 1])
        hanging = ((self.ring.kinds[edges] == CUT) & (shares > 0)).sum(axis=1)
        cost: Array = length * (1 + _SKEW_WEIGHT * (1 - square) + _HANGING_WEIGHT * hanging)
        return cost

    def _squareness(self, direction: Array, edges: Integers, shares: Array) -> Array:
        """Return the sine of the angle between cuts and the walls where they start.

        At a corner the better of its walls counts, and a cut that halves it, a mitre, half as
        skew as on a straight wall.
        """
        own, previous = self.normals[edges], self.normals[edges - 1]
        sine = (direction * own).sum(axis=1)
        other = (direction * previous).sum(axis=1)
        turn = _cross(previous, own)
        between = (_cross(previous, direction) * turn >= 0) & (_cross(direction, own) * turn >= 0)
        better = np.maximum(sine, other)
        at_corner = np.where(between & (better > 0), (better + 1) / 2, better)
        square: Array = np.clip(np.where(shares == 0, at_corner, sine), 0, 1)
        return square

    def visible(self, *kinds: _Cuts) -> _Cuts:
        """Return the cheapest cuts that lie inside the ring, cheapest first."""
        cuts = _joined(kinds)
        order = np.argsort(cuts.cost, kind="stable")
        for begin in range(0, len(order), _BATCH):
            batch = cuts.take(order[begin : begin + _BATCH])
            seen = self._is_inside(batch)
            if seen.any():
                return batch.take(np.nonzero(seen)[0])
        return cuts.take(order[:0])

    def _is_inside(self, cuts: _Cuts) -> NDArray[np.bool_]:
        first = self.ring.points(cuts.edges[:, 0], cuts.shares[:, 0])
        last = self.ring.points(cuts.edges[:, 1], cuts.shares[:, 1])
        inset = _CLEARANCE * (last - first)
        lines = shapely.linestrings(np.stack([first + inset, last - inset], axis=1))
        return np.asarray(shapely.contains_properly(self.polygon, lines), dtype=bool)

    def settle(self, cuts: _Cuts) -> list[Chord]:
        """Slide the best cut of each pair of edges to where it is shortest and exact."""
        keys = np.column_stack([cuts.edges, cuts.pieces])
        _, rows = np.unique(keys, axis=0, return_index=True)
        best = cuts.take(np.sort(rows)[:_OFFERED])
        middle = best.shares[:, 0]
        reach = 1.5 * self.spacing / self.lengths[best.edges[:, 0]]
        for _ in range(_ZOOMS):
            slid = self._slid(best, middle, reach)
            middle, reach = slid.shares[:, 0], reach * 2.5 / _STEPS
            better = np.nonzero(slid.cost < best.cost + 1e-9)[0]
            better = better[self._is_inside(slid.take(better))]
            best.shares[better], best.cost[better] = slid.shares[better], slid.cost[better]
        order = np.lexsort([best.edges[:, 1], best.edges[:, 0], best.cost])
        return [
            Chord(
                (int(best.edges[row, 0]), int(best.edges[row, 1])),
                (float(best.shares[row, 0]), float(best.shares[row, 1])),
                int(best.pieces[row]),
            )
            for row in order
        ]

    def _slid(self, cuts: _Cuts, middle: Array, reach: Array) -> _Cuts:
        """Return the cheapest exact cut that starts within reach of the middle, for each cut."""
        shape = (len(middle), _STEPS)
        starts = middle[:, None] + reach[:, None] * np.linspace(-1, 1, _STEPS)
        starts = np.clip(starts, 0, 1).ravel()
        edges = np.repeat(cuts.edges, _STEPS, axis=0)
        pieces = np.repeat(cuts.pieces, _STEPS)
        ends = self._exact_ends(edges, starts, pieces)
        usable = (ends >= 0) & (ends <= 1)
        shares = np.column_stack([starts, np.clip(ends, 0, 1)])
        cost = np.where(usable, self._cost(edges, shares), np.inf).reshape(shape)
        rows = np.arange(len(middle)) * _STEPS + cost.argmin(axis=1)
        return _Cuts(edges[rows], shares[rows], pieces[rows], cost.min(axis=1))

    def _exact_ends(self, edges: Integers, starts: Array, pieces: Integers) -> Array:
        """Return how far along its last edge each cut must end to cut off whole pieces."""
        origin, before = self.ring.corners[0], self.ring.before
        first = self.ring.points(edges[:, 0], starts) - origin
        corner = self.ring.corners[(edges[:, 0] + 1) % len(self.lengths)] - origin
        begin = self.ring.corners[edges[:, 1]] - origin
        swept = before[edges[:, 1]] - before[edges[:, 0] + 1]
        # from the point to its corner, along the ring to the far edge, and back to the point
        area = swept + (_cross(first, corner) + _cross(begin, first)) / 2
        growth = _cross(begin - first, self.ring.steps[edges[:, 1]]) / 2
        wanted = pieces * self.area / self.pieces
        ends: Array = np.divide(
            wanted - area, growth, out=np.full(len(starts), -1.0), where=growth != 0
        )
        return ends


def _joined(kinds: tuple[_Cuts, ...]) -> _Cuts:
    return _Cuts(
        np.concatenate([cuts.edges for cuts in kinds]),
        np.concatenate([cuts.shares for cuts in kinds]),
        np.concatenate([cuts.pieces for cuts in kinds]),
        np.concatenate([cuts.cost for cuts in kinds]),
    )


def _snapped(ring: Ring, chord: Chord, reach_m: float) -> Chord:
    """Move ends that all but reach a corner to the corner."""
    steps = ring.steps
    shares = []
    for edge, share in zip(chord.edges, chord.shares, strict=True):
        length = float(np.hypot(*steps[edge]))
        near_start, near_end = share * length < reach_m, (1 - share) * length < reach_m
        shares.append(0.0 if near_start else 1.0 if near_end else share)
    return Chord(chord.edges, (shares[0], shares[1]), chord.pieces)


def _cross(first: Array, second: Array) -> Array:
    product: Array = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    return product
