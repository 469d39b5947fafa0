"""Cut lines at points, whole arrays at a time, keeping shared coordinates exactly equal."""

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.sample.chance import Floats, Ints

Geometries = NDArray[np.object_]


def array_of(geometries: object) -> Geometries:
    """Return an array of geometries as one: shapely's types leave open whether it is only one."""
    return np.asarray(geometries, dtype=object)


def positions(starts: Ints, counts: Ints) -> Ints:
    """Return ``starts[i], starts[i] + 1 … `` for each i, ``counts[i]`` of them, in one row.

    Examples
    --------
    >>> positions(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = counts.cumsum()
    offsets = np.arange(int(ends[-1]) if len(ends) else 0)
    places: Ints = offsets + np.repeat(starts - ends + counts, counts)
    return places


def longest_parts(pieces: Geometries) -> Geometries:
    """Return the longest line of each geometry, an empty line where there is none."""
    parts, owner = shapely.get_parts(pieces, return_index=True)
    length = shapely.length(parts)
    order = np.lexsort((length, owner))
    result = np.full(len(pieces), shapely.LineString(), dtype=object)
    result[owner[order]] = parts[order]
    return result


def cut_lines(lines: Geometries, *, owner: Ints, points: Floats) -> tuple[Geometries, Ints]:
    """Cut lines at points that lie on them.

    Parameters
    ----------
    lines
        Shape (n,), line strings or rings, any metric CRS.
    owner
        Shape (m,), the line that each point cuts.
    points
        Shape (m, 2); they become end points as they are, to the last bit. Points at a line's end,
        or twice at one place, cut once.

    Returns
    -------
    pieces
        Shape (k,), line strings, by line, then along it; k >= n.
    origin
        Shape (k,), the line each piece is part of.
    """
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(vertices, axis=0, prepend=vertices[:1]).T)
    step[np.append(True, line[1:] != line[:-1])] = 0.0
    total = step.cumsum()
    first = np.flatnonzero(np.append(True, line[1:] != line[:-1]))
    along = total - total[first][line]
    place = shapely.line_locate_point(lines[owner], shapely.points(points))
    rows = np.concatenate([line, owner])
    where = np.concatenate([along, place])
    is_cut = np.concatenate([np.zeros(len(line), bool), np.ones(len(owner), bool)])
    order = np.lexsort((~is_cut, where, rows))
    rows, xy, is_cut = rows[order], np.concatenate([vertices, points])[order], is_cut[order]
    fresh = np.append(True, (rows[1:] != rows[:-1]) | (np.abs(np.diff(xy, axis=0)) > 1e-6).any(1))
    cut_here = np.bincount(fresh.cumsum() - 1, weights=is_cut) > 0
    rows, xy = rows[fresh], xy[fresh]
    last = np.append(rows[1:] != rows[:-1], True)
    is_break = cut_here | last | np.append(True, rows[1:] != rows[:-1])
    at = np.flatnonzero(is_break)
    starts = at[:-1][~last[at[:-1]]]
    counts = (at[1:] - at[:-1])[~last[at[:-1]]] + 1
    index = np.repeat(np.arange(len(starts)), counts)
    cut = shapely.linestrings(xy[positions(starts, counts)], indices=index)
    return array_of(cut), rows[starts]
