"""Cut a bent, branched or holed polygon across its arms into connected pieces of equal area.

Plane geometry without a CRS: the callers bring coordinates in metres.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.chords import Array, Chord, Ring, offer_cuts
from geodata.courtyards import Place, open_courtyards, place_of, without_repetition
from geodata.partition import Borders, Edge, border_lengths, faces_of, grow_from_seeds

# Pieces differ from the mean by less than this share where straight cuts allow it.
TOLERANCE = 0.09
# Cuts made, at most, to find a plan within the tolerance, a piece wanted.
_TRIES_A_PIECE = 6
# Outlines of more corners are simplified before cuts are planned: the search takes their square.
_MOST_CORNERS = 400
# How far outlines are first simplified, and rings that touch drawn apart, as a share of the size.
_APART_SHARE = 1e-4
# Points nearer than this, as a share of the longest side, are one; on an edge, if it is as near.
_SAME_PLACE_SHARE = 1e-8
# A building whose ends lie within this share of due north of each other runs north to south.
NORTHWARD_SHARE = 0.27  # tan 15°


@dataclass
class _Plan:
    """What a piece should have, square metres, and how many cuts may still be tried."""

    mean_area: float
    tries: int


def cut_across_spine(polygon: Polygon, *, count: int) -> list[Polygon]:
    """Cut a polygon across its arms.

    The plan is the recursive choice of the straight cut that is shortest: across an arm, square to
    its walls, at the place where it parts the ground into equal shares. The spine need not be
    drawn: it is the order in which the pieces adjoin. A courtyard is opened first, by the shortest
    bridge to the street.

    Parameters
    ----------
    polygon
        Valid, any shape, holes allowed; metres.
    count
        Pieces, >= 1.

    Returns
    -------
    list of Polygon
        Connected pieces in the order along the spine, from its west end (from the north end where
        it runs north to south); they share their vertices. Their areas are within ``TOLERANCE`` of
        the mean where straight cuts allow that.

    References
    ----------
    B. Chazelle (1982): A theorem on polygon cutting with applications. FOCS 1982, 339-349,
    doi:10.1109/SFCS.1982.58. (A straight cut of balanced area exists in every simple polygon.)
    """
    plain, reach = _plain(polygon)
    opened = open_courtyards(plain)
    plan = _Plan(opened.ring.area / count, tries=_TRIES_A_PIECE * count)
    _, rings = _best_pieces(opened.ring, count, plan)
    walls = [opened.closed(ring) for ring in rings]
    walls = _with_shared_corners(walls, shapely.get_coordinates(plain))
    pieces = in_spine_order([_polygon_of(wall) for wall in walls], slits=opened.slits)
    return _carried_over(pieces, polygon, reach) if reach else pieces


def _plain(polygon: Polygon) -> tuple[Polygon, float]:
    """Return an outline that cuts can be planned on, and how far it strays from the polygon.

    One of thousands of corners is simplified first. Rings that touch are drawn apart.
    """
    size = float(np.ptp(shapely.get_coordinates(polygon), axis=0).max())
    plain, reach = polygon, 0.0
    if polygon.interiors and not polygon.boundary.is_simple:
        reach = _APART_SHARE * size
        plain = _polygon_or(polygon.buffer(-reach, join_style="mitre"), polygon)
    stray = _APART_SHARE * size
    while shapely.get_num_coordinates(plain) > _MOST_CORNERS and stray < size:
        plain = _polygon_or(plain.simplify(stray), plain)
        reach += stray
        stray *= 2
    return plain, 6 * reach


def _polygon_or(shape: BaseGeometry, other: Polygon) -> Polygon:
    return shape if isinstance(shape, Polygon) and not shape.is_empty else other


def _carried_over(pieces: list[Polygon], polygon: Polygon, reach: float) -> list[Polygon]:
    """Cut a polygon where the pieces of an outline near to it meet, so that each has its piece."""
    seen: set[Edge] = set()
    cuts: list[LineString] = []
    for piece in pieces:
        for ring in (piece.exterior, *piece.interiors):
            for start, end in pairwise(ring.coords):
                if (start, end) in seen:
                    ends = [_to_wall(place, polygon, reach) for place in (start, end)]
                    cuts.append(LineString([*ends[0][::-1], *ends[1]]))
                seen |= {(start, end), (end, start)}
    faces = faces_of(polygon, cuts=cuts)
    seeds = [int(shapely.area(shapely.intersection(faces, piece)).argmax()) for piece in pieces]
    return grow_from_seeds(faces, seeds=seeds)


def _to_wall(place: tuple[float, ...], polygon: Polygon, reach: float) -> list[Array]:
    """Return the end of a cut, and a point beyond the wall where one is within reach."""
    end, near = shapely.get_coordinates(shapely.shortest_line(Point(place), polygon.boundary))
    way = near - end
    return [end, end + 1.5 * way] if 0 < np.hypot(*way) <= reach else [end]


def in_spine_order(
    pieces: Sequence[Polygon], *, slits: frozenset[Edge] = frozenset()
) -> list[Polygon]:
    """Order pieces as one meets them on a walk along the spine.

    Parameters
    ----------
    pieces
        Connected, with shared vertices; x to the east and y to the north.
    slits
        Edges that are no passage, either way round.

    Returns
    -------
    list of Polygon
        From the west end of the longest way through the pieces (the north end where it runs north
        to south) to the other; a branch follows the piece it leaves from.
    """
    if len(pieces) < 2:
        return list(pieces)
    centres = shapely.get_coordinates(shapely.centroid(list(pieces)))
    ways = _ways(border_lengths(pieces, closed=slits), centres)
    start, end = _ends(ways, centres)
    distances, before = dijkstra(ways, indices=[start], return_predecessors=True)
    distances, before = distances[0], before[0]
    follows: dict[int, list[int]] = {index: [] for index in range(len(pieces))}
    for index in np.argsort(distances, kind="stable"):
        if before[index] >= 0:
            follows[int(before[index])].append(int(index))
    main = {end}
    while before[end] >= 0:
        end = int(before[end])
        main.add(end)
    order: list[int] = []
    waiting = [start]
    while waiting:
        index = waiting.pop()
        order.append(index)
        # popped last: the rest of the main way, after its branches
        waiting += sorted(follows[index], key=lambda nextone: (nextone not in main, -nextone))
    order += [index for index in range(len(pieces)) if index not in set(order)]
    return [pieces[index] for index in order]


def _ways(borders: Borders, centres: Array) -> Array:
    """Return the distances between the centres of pieces that adjoin; 0 for others."""
    ways = np.zeros((len(centres), len(centres)))
    for index, around in borders.items():
        for other in around:
            ways[index, other] = max(float(np.hypot(*(centres[index] - centres[other]))), 1e-9)
    return ways


def _ends(ways: Array, centres: Array) -> tuple[int, int]:
    """Return both ends of the longest way, the west or else the north end first."""
    distances = dijkstra(ways)
    distances[~np.isfinite(distances)] = -1
    first, last = np.unravel_index(int(distances.argmax()), distances.shape)
    east, north = centres[last] - centres[first]
    forward = north < 0 if abs(east) < NORTHWARD_SHARE * abs(north) else east > 0
    return (int(first), int(last)) if forward else (int(last), int(first))


def _best_pieces(ring: Ring, count: int, plan: _Plan) -> tuple[float, list[Ring]]:
    """Cut a ring into pieces; return how far the worst misses the mean, and the pieces."""
    if count == 1:
        return abs(ring.area / plan.mean_area - 1), [ring]
    best: tuple[float, list[Ring]] = (np.inf, [])
    for chord in _sound_cuts(ring, count, plan.mean_area):
        if best[1] and plan.tries <= 0:
            break
        plan.tries -= 1
        ahead, behind = ring.cut(chord)
        worst, pieces = _best_pieces(ahead, chord.pieces, plan)
        if worst < best[0]:
            other, more = _best_pieces(behind, count - chord.pieces, plan)
            if max(worst, other) < best[0]:
                best = (max(worst, other), pieces + more)
        if best[0] <= TOLERANCE + 1e-3:
            break
    if not best[1]:
        message = f"No straight cut parts an outline of {len(ring.corners)} corners."
        raise ValueError(message)
    return best


def _sound_cuts(ring: Ring, count: int, mean_area: float) -> Iterator[Chord]:
    """Yield the cuts that leave two valid outlines."""
    for chord in offer_cuts(ring, pieces=count, mean_area=mean_area, tolerance=TOLERANCE):
        parts = [Polygon(part.corners) for part in ring.cut(chord)]
        if all(part.is_valid and part.area > 0 for part in parts):
            yield chord


def _with_shared_corners(walls: list[list[Place]], footprint: Array) -> list[list[Place]]:
    """Make corners of different rings that coincide but for rounding the same, and shared.

    A corner of the footprint stays; of others, the first in order does.
    """
    places = dict.fromkeys([place_of(corner) for corner in footprint])
    places |= dict.fromkeys(sorted({place for wall in walls for place in wall}))
    known = np.array(list(places))
    reach = _SAME_PLACE_SHARE * float(np.ptp(known, axis=0).max())
    same = {place: place for place in places}
    for first, second in sorted(cKDTree(known).query_pairs(reach)):
        same[place_of(known[second])] = same[place_of(known[first])]
    merged = [without_repetition([same[place] for place in wall]) for wall in walls]
    kept = np.array([place for place in places if same[place] == place])
    return [_with_corners_between(wall, kept, reach) for wall in merged]


def _with_corners_between(wall: list[Place], known: Array, reach: float) -> list[Place]:
    starts = np.array(wall)
    steps = np.roll(starts, -1, axis=0) - starts
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    apart = known[None, :, :] - starts[:, None, :]
    along = (apart * steps[:, None, :]).sum(axis=2) / lengths[:, None]
    aside = apart[..., 1] * steps[:, None, 0] - apart[..., 0] * steps[:, None, 1]
    between = (along > reach) & (along < lengths[:, None] - reach)
    between &= np.abs(aside) <= reach * lengths[:, None]
    full: list[Place] = []
    for row, place in enumerate(wall):
        full.append(place)
        columns = np.nonzero(between[row])[0]
        full += [place_of(known[column]) for column in columns[np.argsort(along[row, columns])]]
    return full


def _polygon_of(wall: list[Place]) -> Polygon:
    """Return the polygon inside a ring; a slit walked in both directions closes.

    A ring that meets itself in a corner goes round a courtyard there, which a cut just touches.
    """
    edges = list(pairwise([*wall, wall[0]]))
    walked = set(edges)
    outline = [edge for edge in edges if edge[::-1] not in walked]
    if len(outline) == len(edges) and len(set(wall)) == len(wall):
        return Polygon(wall)
    built = shapely.build_area(
        shapely.multilinestrings([shapely.linestrings(edge) for edge in outline])
    )
    if not isinstance(built, Polygon):
        message = f"A piece round a courtyard is a {built.geom_type}, not a polygon."
        raise TypeError(message)
    return built


def spine_length(area: float, perimeter: float, *, courtyards: int = 0) -> float:
    """Return the length of the strip that has this area and perimeter: that of a building's arms.

    A bent or branched slab has the sides of one straight slab, but for the ends; a slab round
    a courtyard has none.

    Parameters
    ----------
    area
        Square metres.
    perimeter
        Metres, courtyards included.
    courtyards
        How many; with one or more, the slab has no ends.

    References
    ----------
    M. Roche (1963): Hydrologie de surface. Gauthier-Villars, Paris (the equivalent
    rectangle of a catchment).

    Examples
    --------
    >>> spine_length(12 * 68, 2 * (12 + 68))
    68.0
    """
    half = perimeter / 2
    if courtyards:
        return half
    return (half + float(np.sqrt(max(half * half - 4 * area, 0.0)))) / 2
