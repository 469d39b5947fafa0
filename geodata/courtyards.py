"""Open the courtyards of a polygon by slits, so that one ring bounds it, and close them again.

Plane geometry without a CRS: the callers bring coordinates in metres.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.polygon import orient

from geodata.chords import SLIT, WALL, Array, Ring
from geodata.partition import Edge

Place = tuple[float, float]

# Half the width of a slit while cuts are planned, as a share of the longest side.
_SLIT_SHARE = 1e-9
# A bridge that ends this near a corner, as a share of the edge, ends at the corner.
_AT_CORNER_SHARE = 1e-6
# Bridges to a courtyard that cost up to this much more than the best are as good.
_AS_GOOD = 1.1


@dataclass(frozen=True)
class Opened:
    """A polygon whose courtyards are opened to the outside by slits, so that it is one ring."""

    ring: Ring
    exact: dict[Place, Place] = field(default_factory=dict)  # side of a slit → point on the wall
    slits: frozenset[Edge] = frozenset()

    def closed(self, part: Ring) -> list[Place]:
        """Return the corners of a part of the ring with the slits closed again."""
        places = [place_of(corner) for corner in part.corners]
        return without_repetition([self.exact.get(place, place) for place in places])


def open_courtyards(polygon: Polygon) -> Opened:
    """Open each hole to the outside by a slit, the shortest bridge first.

    Parameters
    ----------
    polygon
        Valid, its rings do not touch; metres.
    """
    turned = orient(polygon)
    corners = _corners(np.asarray(turned.exterior.coords))
    holes = [_corners(np.asarray(hole.coords)) for hole in turned.interiors]
    opened = Opened(Ring(corners, np.full(len(corners), WALL)))
    width = _SLIT_SHARE * float(np.ptp(corners, axis=0).max())
    while holes:
        ground = Polygon(opened.ring.corners, holes)
        index, bridge = _shortest_bridge(opened.ring, holes, ground)
        opened = _slit(opened, holes.pop(index), bridge, width)
    return opened


def _corners(ring: Array) -> Array:
    """Return a ring without its repeated first corner, and without other repetitions."""
    rows = ring[:-1, :2]
    return rows[np.any(rows != np.roll(rows, 1, axis=0), axis=1)]


def _shortest_bridge(
    ring: Ring, holes: list[Array], ground: Polygon
) -> tuple[int, tuple[int, float, int, float]]:
    """Return a hole, and the bridge to it: edge and share on the ring, then on the hole.

    Of bridges that are as good as the shortest, the one furthest west counts, then north.
    """
    shapely.prepare(ground)
    rows: list[tuple[float, float, float, int, tuple[int, float, int, float]]] = []
    for index, hole in enumerate(holes):
        for near, near_share, far, far_share in _feet(ring.corners, hole):
            if ring.kinds[near] == SLIT:
                continue
            start = _on(ring.corners, near, near_share)
            end = _on(hole, far, far_share)
            rows.append(
                (
                    float(np.hypot(*(end - start))),
                    float(min(start[0], end[0])),
                    float(-max(start[1], end[1])),
                    index,
                    (near, near_share, far, far_share),
                )
            )
    rows.sort()
    free = [row for row in rows if _is_free(ground, ring, holes[row[3]], row[4])]
    best = min(free, key=lambda row: (row[0] > _AS_GOOD * free[0][0], round(row[1], 3), row[2]))
    return best[3], best[4]


def _feet(ring: Array, hole: Array) -> Iterator[tuple[int, float, int, float]]:
    """Yield from each corner of one ring the nearest point of each edge of the other."""
    for near, far, is_hole in ((ring, hole, False), (hole, ring, True)):
        steps = np.roll(far, -1, axis=0) - far
        squares = (steps**2).sum(axis=1)
        for corner, place in enumerate(near):
            shares = np.clip(((place - far) * steps).sum(axis=1) / squares, 0, 1)
            shares = np.where(shares < _AT_CORNER_SHARE, 0, shares)
            for edge, share in enumerate(shares.tolist()):
                if share < 1 - _AT_CORNER_SHARE:  # the corner after is the next edge's
                    yield (edge, share, corner, 0.0) if is_hole else (corner, 0.0, edge, share)


def _is_free(
    ground: Polygon, ring: Ring, hole: Array, bridge: tuple[int, float, int, float]
) -> bool:
    start, end = _on(ring.corners, *bridge[:2]), _on(hole, *bridge[2:])
    inset = 1e-6 * (end - start)
    line = shapely.linestrings([start + inset, end - inset])
    return bool(shapely.contains_properly(ground, line))


def _on(corners: Array, edge: int, share: float) -> Array:
    start, end = corners[edge], corners[(edge + 1) % len(corners)]
    place: Array = start + share * (end - start)
    return place


def _slit(
    opened: Opened, hole: Array, bridge: tuple[int, float, int, float], width: float
) -> Opened:
    """Join a hole to the ring by two sides of a slit, ``width`` either way of the bridge."""
    corners = opened.ring.corners
    near, near_share, far, far_share = bridge
    door, gate = _on(corners, near, near_share), _on(hole, far, far_share)
    door_in, door_out = _beside(corners, near, near_share, door, width)
    gate_in, gate_out = _beside(hole, far, far_share, gate, width)
    outer = _walk_round(near, near_share, len(corners))
    inner = _walk_round(far, far_share, len(hole))
    # outside to just before the door, in, round the yard, out just after the door
    rows = np.vstack([corners[outer], door_in, gate_out, hole[inner], gate_in, door_out])
    yard = np.full(len(inner) + 1, WALL)
    kinds = np.concatenate(
        [opened.ring.kinds[outer], [SLIT], yard, [SLIT], [opened.ring.kinds[near]]]
    )
    exact = opened.exact | {
        place_of(side): opened.exact.get(place_of(place), place_of(place))
        for side, place in [(door_in, door), (door_out, door), (gate_in, gate), (gate_out, gate)]
    }
    slit = (exact[place_of(door_in)], exact[place_of(gate_in)])
    return Opened(Ring(rows, kinds), exact, opened.slits | {slit, slit[::-1]})


def _beside(
    corners: Array, edge: int, share: float, place: Array, width: float
) -> tuple[Array, Array]:
    """Return the points just before and just after a place of a ring."""
    before = corners[edge - 1] if share == 0 else corners[edge]
    after = corners[(edge + 1) % len(corners)]
    back, forth = before - place, after - place
    return (
        place + back * min(width / float(np.hypot(*back)), 0.25),
        place + forth * min(width / float(np.hypot(*forth)), 0.25),
    )


def _walk_round(edge: int, share: float, size: int) -> list[int]:
    """Return the corners on a walk from a place on an edge round the ring, without the place."""
    return [(edge + step) % size for step in range(1, size if share == 0 else size + 1)]


def place_of(corner: Array) -> Place:
    """Return a corner as a pair of numbers."""
    return (float(corner[0]), float(corner[1]))


def without_repetition(wall: list[Place]) -> list[Place]:
    """Return a ring without corners that equal the next."""
    following = wall[1:] + wall[:1]
    return [place for place, after in zip(wall, following, strict=True) if place != after]
