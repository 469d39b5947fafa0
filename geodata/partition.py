"""Cut a polygon along lines into connected pieces that share their vertices.

Plane geometry without a CRS: the callers bring coordinates in metres.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

# A cut this near a corner, as a share of the length, is moved off it.
_HAIR_SHARE = 1e-7

Array = NDArray[np.float64]
Borders = dict[int, dict[int, float]]
Edge = tuple[tuple[float, ...], tuple[float, ...]]


def faces_of(polygon: Polygon, *, cuts: Sequence[BaseGeometry]) -> list[Polygon]:
    """Cut a polygon along lines.

    Parameters
    ----------
    polygon
        Valid, holes allowed.
    cuts
        Lines; what lies outside the polygon has no effect.

    Returns
    -------
    list of Polygon
        Faces with equal vertices where they touch; together they are the polygon. Sorted by
        centroid, x then y.
    """
    linework = shapely.union_all([polygon.boundary, *cuts])
    faces = shapely.get_parts(shapely.polygonize([linework]))
    inside = shapely.covers(polygon, shapely.point_on_surface(faces))
    return sorted(faces[inside], key=lambda face: (face.centroid.x, face.centroid.y))


def border_lengths(faces: Sequence[Polygon], *, closed: frozenset[Edge] = frozenset()) -> Borders:
    """Return the length of the border that each face shares with each other face.

    Parameters
    ----------
    faces
        Noded (as ``faces_of`` makes them): a shared border is the same segments in both.
    closed
        Segments that do not count, either way round.
    """
    owner: dict[tuple[tuple[float, ...], tuple[float, ...]], int] = {}
    borders: Borders = {index: {} for index in range(len(faces))}
    for index, face in enumerate(faces):
        for ring in (face.exterior, *face.interiors):
            for start, end in pairwise(ring.coords):
                key = (start, end) if start < end else (end, start)
                other = owner.setdefault(key, index)
                if other != index and (start, end) not in closed:
                    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
                    borders[index][other] = borders[index].get(other, 0.0) + length
                    borders[other][index] = borders[other].get(index, 0.0) + length
    return borders


def grow_from_seeds(faces: Sequence[Polygon], *, seeds: Sequence[int]) -> list[Polygon]:
    """Give every face to one of the seed faces, so that each piece is connected.

    Parameters
    ----------
    faces
        Noded faces of one connected polygon.
    seeds
        Index of the face that each piece grows from; a face named twice seeds one piece.

    Returns
    -------
    list of Polygon
        One piece a distinct seed, in the order of first mention. The free face with the longest
        border to a piece joins it first.
    """
    borders = border_lengths(faces)
    label = {seed: seed for seed in seeds}
    while len(label) < len(faces):
        reach = [
            (length, -face, -label[near])
            for near in label
            for face, length in borders[near].items()
            if face not in label
        ]
        if not reach:
            break
        _, face, piece = max(reach)
        label[-face] = -piece
    return [
        _union([faces[face] for face, piece in sorted(label.items()) if piece == seed])
        for seed in dict.fromkeys(seeds)
    ]


def slices(polygon: Polygon, *, axis: Array, count: int) -> list[Polygon]:
    """Cut a polygon across an axis into slabs of equal area.

    Parameters
    ----------
    polygon
        Valid, holes allowed.
    axis
        Shape (2,), unit vector along which the slabs follow each other.
    count
        Slabs, >= 1.

    Returns
    -------
    list of Polygon
        Connected parts with shared vertices, along the axis; more than ``count`` where a line
        across the axis leaves the polygon and enters it again.
    """
    starts, ends = _segments(polygon)
    across = np.array([-axis[1], axis[0]])
    along_starts, along_ends = starts @ axis, ends @ axis
    positions = _equal_shares(
        along_starts, along_ends, starts @ across, ends @ across, polygon.area, count
    )
    crossed = (along_starts < positions[:, None]) != (along_ends < positions[:, None])
    if not polygon.interiors and (crossed.sum(axis=1) == 2).all():
        return _slabs(starts, ends, along_starts, along_ends, positions)
    low, high = (starts @ across).min() - 1, (starts @ across).max() + 1
    cuts = [
        LineString([place * axis + low * across, place * axis + high * across])
        for place in positions
    ]
    faces = faces_of(polygon, cuts=cuts)
    return sorted(faces, key=lambda face: float(np.dot(face.centroid.coords[0], axis)))


def _slabs(
    starts: Array, ends: Array, along_starts: Array, along_ends: Array, positions: Array
) -> list[Polygon]:
    """Part a ring that each line crosses twice: walk it once, and note where it crosses."""
    slabs: list[list[tuple[float, float]]] = [[] for _ in range(len(positions) + 1)]
    home = np.searchsorted(positions, along_starts, side="right")
    last = np.searchsorted(positions, along_ends, side="right")
    for row, (here, there) in enumerate(zip(home.tolist(), last.tolist(), strict=True)):
        start, run = starts[row], ends[row] - starts[row]
        slabs[here].append((float(start[0]), float(start[1])))
        step = 1 if there > here else -1
        for slab in range(here, there, step):
            line = slab if step > 0 else slab - 1
            share = (positions[line] - along_starts[row]) / (along_ends[row] - along_starts[row])
            place = start + share * run
            point = (float(place[0]), float(place[1]))
            slabs[slab].append(point)
            slabs[slab + step].append(point)
    return [Polygon(corners) for corners in slabs]


def _equal_shares(
    along_starts: Array,
    along_ends: Array,
    across_starts: Array,
    across_ends: Array,
    total: float,
    count: int,
) -> Array:
    """Return the positions along the axis that part the area equally; shape (count - 1,).

    Between two corners the area before a position is a quadratic of it, known by three values.
    """
    corners = np.unique(along_starts)
    middles = (corners[:-1] + corners[1:]) / 2
    places = np.concatenate([corners, middles])
    area = _area_before(places, along_starts, along_ends, across_starts, across_ends)
    at_corner, at_middle = area[: len(corners)], area[len(corners) :]
    wanted = total * np.arange(1, count) / count
    row = np.clip(np.searchsorted(at_corner, wanted, side="right") - 1, 0, len(middles) - 1)
    first, half, whole = at_corner[row], at_middle[row], at_corner[row + 1]
    # area = first + b s + a s^2 for s from 0 to 1
    a = 2 * (whole + first - 2 * half)
    b = whole - first - a
    root = np.sqrt(np.maximum(b * b + 4 * a * (wanted - first), 0))
    share = np.divide(2 * (wanted - first), b + root, out=np.zeros_like(a), where=b + root > 0)
    place: Array = corners[row] + np.clip(share, 0, 1) * (corners[row + 1] - corners[row])
    # a cut through a corner moves by a hair, so that every cut crosses edges inside
    near = np.abs(place[:, None] - corners).min(axis=1) < _HAIR_SHARE * np.ptp(corners)
    return np.where(near, place + 2 * _HAIR_SHARE * np.ptp(corners), place)


_FLAT = 1e-12
"""Run along the axis below which an edge is square to it: its slope would be no number."""


def _area_before(
    position: Array,
    along_starts: Array,
    along_ends: Array,
    across_starts: Array,
    across_ends: Array,
) -> Array:
    """Return the area of the part before each position along the axis, by Green's theorem.

    The area is the integral of -(across) d(along) over the rings; segments are clipped at the
    position, and the closing line there has d(along) = 0.
    """
    run = along_ends - along_starts
    slope = np.divide(
        across_ends - across_starts, run, out=np.zeros_like(run), where=np.abs(run) > _FLAT
    )
    first = np.minimum(along_starts, position[:, None])
    last = np.minimum(along_ends, position[:, None])
    mean = across_starts + slope * ((first + last) / 2 - along_starts)
    area: Array = -((last - first) * mean).sum(axis=1)
    return area


def _segments(polygon: Polygon) -> tuple[Array, Array]:
    """Return start and end points of all segments, polygon to the left."""
    turned = orient(polygon)
    rings = [np.asarray(ring.coords) for ring in (turned.exterior, *turned.interiors)]
    return np.vstack([ring[:-1] for ring in rings]), np.vstack([ring[1:] for ring in rings])


def _union(faces: list[Polygon]) -> Polygon:
    """Join noded faces; vertices stay where they are."""
    joined = shapely.coverage_union_all(faces)
    if not isinstance(joined, Polygon):  # faces that only touch in a point would be a defect here
        message = f"Faces join to {joined.geom_type}, not to one polygon."
        raise TypeError(message)
    return joined
