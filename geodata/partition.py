"""Cut a polygon along lines and join the faces to connected pieces that share their vertices.

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

# A face smaller than this share of the polygon is a rounding sliver, not a piece.
_SLIVER_SHARE = 1e-6
# Halving an interval this often exhausts the digits of a double.
_BISECTIONS = 60

Borders = dict[int, dict[int, float]]


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


def shared_borders(faces: Sequence[Polygon]) -> Borders:
    """Return the length of the border that each face shares with each other face.

    Faces must be noded (as ``faces_of`` makes them): a shared border is the same segments in both.
    """
    owner: dict[tuple[tuple[float, ...], tuple[float, ...]], int] = {}
    borders: Borders = {index: {} for index in range(len(faces))}
    for index, face in enumerate(faces):
        for ring in (face.exterior, *face.interiors):
            for start, end in pairwise(ring.coords):
                key = (start, end) if start < end else (end, start)
                other = owner.setdefault(key, index)
                if other != index:
                    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
                    borders[index][other] = borders[index].get(other, 0.0) + length
                    borders[other][index] = borders[other].get(index, 0.0) + length
    return borders


def merge_to_count(faces: Sequence[Polygon], *, count: int) -> list[Polygon]:
    """Join neighbouring faces until ``count`` connected pieces of balanced area are left.

    Slivers go to the neighbour with the longest common border; after that the smallest piece
    joins its smallest neighbour, again and again.

    Parameters
    ----------
    faces
        Noded faces of one connected polygon.
    count
        Pieces wanted, >= 1; with fewer faces than that, the faces are returned.
    """
    borders = shared_borders(faces)
    areas = {index: face.area for index, face in enumerate(faces)}
    members = {index: [index] for index in areas}
    sliver_area = _SLIVER_SHARE * sum(areas.values())
    while len(areas) > 1:
        smallest = min(areas, key=lambda index: (areas[index], index))
        around = borders[smallest]
        if not around or (len(areas) <= count and areas[smallest] >= sliver_area):
            break
        if areas[smallest] < sliver_area:
            target = max(around, key=lambda index: (around[index], -index))
        else:
            target = min(around, key=lambda index: (areas[index], index))
        areas[target] += areas.pop(smallest)
        members[target] += members.pop(smallest)
        _rewire(borders, smallest, target)
    return [_union([faces[index] for index in group]) for group in members.values()]


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
    borders = shared_borders(faces)
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


def slice_cuts(polygon: Polygon, *, axis: NDArray[np.float64], count: int) -> list[LineString]:
    """Return the lines across an axis that cut a polygon into slabs of equal area.

    Parameters
    ----------
    polygon
        Valid, holes allowed.
    axis
        Shape (2,), unit vector along which the slabs follow each other.
    count
        Slabs, >= 1; one slab needs no line.
    """
    across = np.array([-axis[1], axis[0]])
    starts, ends = _segments(polygon)
    along_starts, along_ends = starts @ axis, ends @ axis
    across_starts, across_ends = starts @ across, ends @ across
    low, high = across_starts.min() - 1, across_starts.max() + 1
    wanted = polygon.area * np.arange(1, count) / count
    lower = np.full(count - 1, along_starts.min())
    upper = np.full(count - 1, along_starts.max())
    for _ in range(_BISECTIONS):
        middle = (lower + upper) / 2
        area = _area_before(middle, along_starts, along_ends, across_starts, across_ends)
        lower = np.where(area < wanted, middle, lower)
        upper = np.where(area < wanted, upper, middle)
    return [
        LineString([position * axis + low * across, position * axis + high * across])
        for position in (lower + upper) / 2
    ]


def _area_before(
    position: NDArray[np.float64],
    along_starts: NDArray[np.float64],
    along_ends: NDArray[np.float64],
    across_starts: NDArray[np.float64],
    across_ends: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the area of the part before each position along the axis, by Green's theorem.

    The area is the integral of -(across) d(along) over the rings; segments are clipped at the
    position, and the closing line there has d(along) = 0.
    """
    run = along_ends - along_starts
    slope = np.divide(across_ends - across_starts, run, out=np.zeros_like(run), where=run != 0)
    first = np.minimum(along_starts, position[:, None])
    last = np.minimum(along_ends, position[:, None])
    mean = across_starts + slope * ((first + last) / 2 - along_starts)
    area: NDArray[np.float64] = -((last - first) * mean).sum(axis=1)
    return area


def _segments(polygon: Polygon) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end points of all segments, polygon to the left."""
    turned = orient(polygon)
    rings = [np.asarray(ring.coords) for ring in (turned.exterior, *turned.interiors)]
    return np.vstack([ring[:-1] for ring in rings]), np.vstack([ring[1:] for ring in rings])


def _rewire(borders: Borders, gone: int, target: int) -> None:
    """Hand the borders of a piece that has joined another to that other."""
    for other, length in borders.pop(gone).items():
        del borders[other][gone]
        if other != target:
            borders[target][other] = borders[target].get(other, 0.0) + length
            borders[other][target] = borders[other].get(target, 0.0) + length


def _union(faces: list[Polygon]) -> Polygon:
    """Join noded faces; vertices stay where they are."""
    joined = shapely.coverage_union_all(faces)
    if not isinstance(joined, Polygon):  # faces that only touch in a point would be a defect here
        message = f"Faces join to {joined.geom_type}, not to one polygon."
        raise TypeError(message)
    return joined
