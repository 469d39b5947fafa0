"""Gates of blocks, the way from each to the street, and streets cut where those arrive."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.random import Generator
from pandas import DataFrame

from geodata.sample.chance import Flags, Floats, Ints
from geodata.sample.ground import Ground
from geodata.sample.lines import Geometries, array_of
from geodata.sample.paths import ring_stops
from geodata.sample.rows import Site
from geodata.sample.turning import Turning

_REACH_M = 5000.0
_GRID_M = 5.0
_SECOND_GATE = 0.5
_SIDE_GATE = 0.03
_SLACK_M = 0.05


@dataclass(frozen=True)
class Gates:
    """Gates of blocks, metric CRS.

    Attributes
    ----------
    inner
        Shape (n, 2), on the ring road inside the wall.
    outer
        Shape (n, 2), on the street.
    street
        Shape (n,), the street each leads to.
    block
        Shape (n,), the block each belongs to; the main gate of each block first.
    """

    inner: Floats
    outer: Floats
    street: Ints
    block: Ints


def open_gates(
    site: Site, rows: DataFrame, ground: Ground, turning: Turning, *, random: Generator
) -> Gates:
    """Open one gate or more in each block and lead it to the street in front.

    Parameters
    ----------
    site, rows, turning
        As `geodata.sample.paths.lay_ways`.
    ground
        The streets.
    random
        Source of chance: how many gates, and where.

    Returns
    -------
    Gates
        The main gate of each block, then others.
    """
    stops = ring_stops(site, rows)
    count = len(site.axes)
    inner = turning.points_to_town(stops.points, stops.block)
    ahead = turning.points_to_town(stops.points + stops.outward * _REACH_M, stops.block)
    gates = reach_streets(inner, ahead, stops.block, ground)
    is_end = np.arange(len(stops.block)) < 2 * count
    wish = random.random(len(stops.block))
    clear = _leads_out(gates, turning.to_town(site.rings, np.arange(count)))
    rank = np.lexsort((wish, ~is_end, ~clear, stops.block))
    main = rank[np.searchsorted(stops.block[rank], np.arange(count))]
    more = clear & (random.random(len(wish)) < np.where(is_end, _SECOND_GATE, _SIDE_GATE))
    more[main] = False
    order = np.concatenate([main, np.flatnonzero(more)])
    order = order[_apart(gates, order, count)]
    return Gates(gates.inner[order], gates.outer[order], gates.street[order], gates.block[order])


def _leads_out(gates: Gates, rings: Geometries) -> Flags:
    """Tell which ways do not cut the corner of their own ring road."""
    ways = shapely.linestrings(np.stack([gates.inner, gates.outer], axis=1))
    inside = shapely.intersection(ways, rings[gates.block])
    clear: Flags = shapely.length(inside) < _SLACK_M
    return clear


def _apart(gates: Gates, order: Ints, mains: int) -> Flags:
    """Tell which ways to keep, so that none crosses another; the first ``mains`` stay."""
    pairs = np.stack([gates.inner[order], gates.outer[order]], axis=1)
    ways = array_of(shapely.linestrings(pairs))
    one, other = shapely.STRtree(ways).query(ways, predicate="crosses")
    keep = np.ones(len(order), dtype=bool)
    keep[np.maximum(one, other)] = False
    keep[:mains] = True
    return keep


def reach_streets(inner: Floats, ahead: Floats, block: Ints, ground: Ground) -> Gates:
    """Lead ways straight ahead to the middle of the street that bounds their block.

    Parameters
    ----------
    inner, ahead
        Shape (n, 2), metric CRS: where each begins, and a point beyond the street.
    block
        Shape (n,), the block each begins in.
    ground
        The streets.

    Returns
    -------
    Gates
        In the same order. Two that reach one street nearly at one place reach it at one place.
    """
    rays = shapely.linestrings(np.stack([inner, ahead], axis=1))
    hits = shapely.intersection(rays, shapely.boundary(ground.faces[block]))
    nearest = shapely.get_point(shapely.shortest_line(shapely.points(inner), hits), -1)
    street = shapely.STRtree(ground.streets).query_nearest(nearest, all_matches=False)[1]
    met = ground.streets[street]
    length = shapely.length(met)
    along = np.round(shapely.line_locate_point(met, nearest) / _GRID_M) * _GRID_M
    along = np.where(length - along < _GRID_M, length, along)
    outer = np.round(shapely.get_coordinates(shapely.line_interpolate_point(met, along)), 3)
    return Gates(inner, outer, street, block)
