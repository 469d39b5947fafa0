"""Streets as a graph, and what lies between them: communities and blocks, in metres."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from geodata.sample.chance import Floats, Ints
from geodata.sample.layout import BORDER, LANE, SECONDARY, Cut, Layout
from geodata.sample.lines import Geometries, array_of, positions
from geodata.sample.warp import Warp

# From the middle of a street to the walls beside it.
HALF_WIDTH_M = {BORDER: 17.0, SECONDARY: 10.5, LANE: 6.0}
_VERTEX_EVERY_M = 45.0


@dataclass(frozen=True)
class Ground:
    """The bare town; metric CRS of the warp.

    Attributes
    ----------
    streets
        Shape (n,), line strings that meet at their ends only.
    ranks, names
        Shape (n,), rank of `geodata.sample.layout` and name of each street.
    communities
        Shape (communities,), polygons that share their borders to the last bit.
    faces
        Shape (blocks,), polygons up to the middle of the streets.
    outlines
        Shape (blocks,), polygons without the streets.
    angles
        Shape (blocks,), radians: where the block's own east lies.
    """

    streets: Geometries
    ranks: Ints
    names: list[str | None]
    communities: Geometries
    faces: Geometries
    outlines: Geometries
    angles: Floats


def break_ground(layout: Layout, warp: Warp) -> Ground:
    """Bend the layout and find what its streets enclose.

    Parameters
    ----------
    layout
        The plan plane.
    warp
        How it bends; gives the CRS.

    Returns
    -------
    Ground
        Blocks and communities in the order of the layout's cells.
    """
    ends, ranks, names = _node(layout.cuts)
    streets = _bend(ends, warp)
    faces = _match(
        array_of(shapely.get_parts(shapely.polygonize(streets))), _middles(layout.cells), warp
    )
    borders = streets[ranks == BORDER]
    communities = _match(
        array_of(shapely.get_parts(shapely.polygonize(borders))),
        _middles(layout.community_cells),
        warp,
    )
    return Ground(
        streets=streets,
        ranks=ranks,
        names=names,
        communities=communities,
        faces=faces,
        outlines=_inset(faces, streets, ranks),
        angles=warp.east(_middles(layout.cells)),
    )


def _node(cuts: tuple[Cut, ...]) -> tuple[Floats, Ints, list[str | None]]:
    """Break cuts where others end on them: ends (n, 4), ranks and names of the parts."""
    met: dict[tuple[str, float], list[float]] = defaultdict(list)
    for cut in cuts:
        other = "h" if cut.axis == "v" else "v"
        met[other, cut.start].append(cut.at)
        met[other, cut.end].append(cut.at)
    ends, ranks, names = [], [], []
    for cut in cuts:
        inner = {at for at in met[cut.axis, cut.at] if cut.start < at < cut.end}
        stops = [cut.start, *sorted(inner), cut.end]
        for low, high in pairwise(stops):
            flat = (low, cut.at, high, cut.at)
            ends.append(flat if cut.axis == "h" else (cut.at, low, cut.at, high))
            ranks.append(cut.rank)
            names.append(cut.name)
    return np.array(ends), np.array(ranks), names


def _bend(ends: Floats, warp: Warp) -> Geometries:
    """Return streets as bent lines; those that share an end share its coordinates exactly."""
    run = ends[:, 2:] - ends[:, :2]
    pieces = np.maximum(1, np.ceil(np.abs(run).sum(axis=1) / _VERTEX_EVERY_M)).astype(np.int64)
    line = np.repeat(np.arange(len(ends)), pieces + 1)
    share = positions(np.zeros(len(ends), np.int64), pieces + 1) / pieces[line]
    plan = ends[line, :2] + run[line] * share[:, None]
    plan[share == 1] = ends[:, 2:]
    places, index = np.unique(plan, axis=0, return_inverse=True)
    return array_of(shapely.linestrings(warp(places)[index.ravel()], indices=line))


def _middles(cells: Floats) -> Floats:
    return (cells[:, :2] + cells[:, 2:]) / 2


def _match(polygons: Geometries, middles: Floats, warp: Warp) -> Geometries:
    """Return, for each cell, the face that holds its middle."""
    tree = shapely.STRtree(polygons)
    found = tree.query(shapely.points(warp(middles)), predicate="within")
    result = np.empty(len(middles), dtype=object)
    result[found[0]] = polygons[found[1]]
    return result


def _inset(faces: Geometries, streets: Geometries, ranks: Ints) -> Geometries:
    """Take the streets off the faces: half their width, wider ones more."""
    outlines = shapely.buffer(faces, -HALF_WIDTH_M[LANE], join_style="mitre")
    rims = shapely.boundary(faces)
    for rank in (BORDER, SECONDARY):
        wide = streets[ranks == rank]
        face, street = shapely.STRtree(wide).query(rims, predicate="covers")
        owners, index = np.unique(face, return_inverse=True)
        if len(owners) == 0:
            continue
        sides = shapely.multilinestrings(wide[street], indices=index)
        roads = shapely.buffer(sides, HALF_WIDTH_M[rank], quad_segs=2)
        outlines[owners] = shapely.difference(outlines[owners], roads)
    return shapely.simplify(outlines, 0.4)
