"""Ways inside blocks: ring roads, central ways, footpaths to the doors."""

from dataclasses import dataclass

import numpy as np
import shapely
from pandas import DataFrame

from geodata.sample.chance import Floats, Ints
from geodata.sample.lines import Geometries, array_of, cut_lines
from geodata.sample.rows import Site
from geodata.sample.turning import Turning

_FAR_M = 1e4


@dataclass(frozen=True)
class Ways:
    """Lines that meet at their ends only, metric CRS.

    Attributes
    ----------
    lines
        Shape (n,), line strings.
    kinds
        Shape (n,), as in the walkways frame.
    blocks
        Shape (n,), the block each belongs to.
    """

    lines: Geometries
    kinds: list[str]
    blocks: Ints


@dataclass(frozen=True)
class RingStops:
    """Places on ring roads where other ways begin, own axes of each block.

    ``points`` and ``outward`` (n, 2): the place, and the way out that a gate there would lead;
    ``block`` (n,).
    """

    points: Floats
    outward: Floats
    block: Ints


def axis_ends(site: Site) -> tuple[Floats, Floats]:
    """Return south and north end of each central way on its ring road, shape (n, 2) each."""
    count = len(site.axes)
    far = np.full(count, _FAR_M)
    ends = np.stack([np.column_stack([site.axes, -far]), np.column_stack([site.axes, far])], axis=1)
    chords = shapely.intersection(shapely.linestrings(ends), site.rings)
    _, low, _, high = shapely.bounds(chords).T
    return np.column_stack([site.axes, low]), np.column_stack([site.axes, high])


def lay_ways(
    site: Site, rows: DataFrame, turning: Turning, *, doors: Floats, door_row: Ints
) -> Ways:
    """Lay ring roads, central ways, a footpath along each row and one to every door.

    Parameters
    ----------
    site
        Ring roads and central ways, own axes of each block.
    rows
        ``compound`` (the block), ``path_y``, ``path_west``, ``path_east``, ``meets_west``,
        ``meets_east``, as `geodata.sample.rows.middle_rows`.
    turning
        Own axes of the blocks.
    doors
        Shape (n, 2), own axes.
    door_row
        Shape (n,), the place in ``rows`` whose footpath each door is reached from.

    Returns
    -------
    Ways
        Connected within each block.
    """
    south, north = axis_ends(site)
    block = rows["compound"].to_numpy()
    path_y = rows["path_y"].to_numpy()
    ends = np.column_stack([rows["path_west"], rows["path_east"]])
    axis = site.axes[block]
    crosses = (ends[:, 0] < axis) & (axis < ends[:, 1])
    crosses &= (south[block, 1] < path_y) & (path_y < north[block, 1])
    feet = np.column_stack([doors[:, 0], path_y[door_row]])
    meets = rows[["meets_west", "meets_east"]].to_numpy()
    crosses &= meets.any(axis=1)
    row, side = np.nonzero(meets)
    stops_row = np.concatenate([row, np.flatnonzero(crosses), door_row])
    stops_x = np.concatenate([ends[row, side], axis[crosses], doors[:, 0]])
    path_lines, path_row = _join_stops(stops_row, stops_x, path_y, along_x=True)
    homes = np.arange(len(site.axes))
    stops_axis = np.concatenate([homes, homes, block[crosses]])
    stops_y = np.concatenate([south[:, 1], north[:, 1], path_y[crosses]])
    axis_lines, axis_block = _join_stops(stops_axis, stops_y, site.axes, along_x=False)
    door_lines = array_of(shapely.linestrings(np.stack([doors, feet], axis=1)))
    inside = np.concatenate([path_lines, axis_lines, door_lines])
    blocks = np.concatenate([block[path_row], axis_block, block[door_row]])
    ring_nodes = ring_stops(site, rows)
    rings, ring_block = cut_lines(
        turning.to_town(shapely.get_exterior_ring(site.rings), homes),
        owner=ring_nodes.block,
        points=turning.points_to_town(ring_nodes.points, ring_nodes.block),
    )
    counts = {"footpath": len(path_lines), "service": len(axis_lines)}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    kinds += ["footpath"] * len(door_lines) + ["service"] * len(rings)
    lines = np.concatenate([turning.to_town(inside, blocks), rings])
    return Ways(lines, kinds, np.concatenate([blocks, ring_block]))


def ring_stops(site: Site, rows: DataFrame) -> RingStops:
    """Return where ways leave ring roads: axes south and north, then rows west and east."""
    south, north = axis_ends(site)
    block = rows["compound"].to_numpy()
    homes = np.arange(len(site.axes))
    west, east = (rows[name].to_numpy() for name in ("meets_west", "meets_east"))
    places = np.column_stack([rows["path_west"], rows["path_y"]])[west]
    places_east = np.column_stack([rows["path_east"], rows["path_y"]])[east]
    outward = [(0.0, -1.0), (0.0, 1.0), (-1.0, 0.0), (1.0, 0.0)]
    counts = [len(homes), len(homes), len(places), len(places_east)]
    return RingStops(
        np.concatenate([south, north, places, places_east]),
        np.repeat(outward, counts, axis=0),
        np.concatenate([homes, homes, block[west], block[east]]),
    )


def _join_stops(
    owner: Ints, place: Floats, across: Floats, *, along_x: bool
) -> tuple[Geometries, Ints]:
    """Join neighbouring stops of straight ways: lines, and the way each is part of."""
    order = np.lexsort((place, owner))
    owner, place = owner[order], place[order]
    same = owner[1:] == owner[:-1]
    points = np.column_stack([place, across[owner]] if along_x else [across[owner], place])
    pairs = np.stack([points[:-1][same], points[1:][same]], axis=1)
    return array_of(shapely.linestrings(pairs)), owner[1:][same]
