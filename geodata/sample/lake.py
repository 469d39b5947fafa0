"""Paths round the lake and through gardens, and the ways from them to the streets."""

import numpy as np
import shapely
from numpy.random import Generator

from geodata.sample.gates import Gates, reach_streets
from geodata.sample.ground import Ground
from geodata.sample.lines import Geometries, array_of, positions
from geodata.sample.turning import Turning

_CORNERS = 84
_REACH_M = 600.0
_EDGE_M = 4.0
_SMALLER = 0.88


def lay_loop(
    ground: Ground, block: int, *, exits: int, random: Generator
) -> tuple[Geometries, Gates]:
    """Lay a winding path round the middle of a block, with ways out to the streets about it.

    Parameters
    ----------
    ground
        The bare town.
    block
        The block: a lake or a garden.
    exits
        How many ways out; divides 84.
    random
        Source of chance: the shape of the path.

    Returns
    -------
    loop
        The path in pieces from one way out to the next, metric CRS.
    gates
        The ways out.
    """
    outline = ground.outlines[block]
    middle = shapely.get_coordinates(shapely.centroid(outline))
    turning = Turning(middle, ground.angles[[block]])
    own = np.zeros(_CORNERS + 1, dtype=np.int64)
    turn = np.arange(_CORNERS) / _CORNERS * 2 * np.pi
    bays = 0.10 * np.sin(2 * turn + random.uniform(0, 6)) + 0.07 * np.sin(
        3 * turn + random.uniform(0, 6)
    )
    xmin, ymin, xmax, ymax = shapely.bounds(turning.to_block(np.array([outline]), own[:1]))[0]
    reach = (0.6 + bays)[:, None] * np.array([xmax - xmin, ymax - ymin]) / 2
    around = reach * np.column_stack([np.cos(turn), np.sin(turn)])
    around = np.vstack([around, around[:1]])
    wall = shapely.buffer(outline, -_EDGE_M)
    loop = turning.points_to_town(around, own)
    while not shapely.contains(wall, shapely.linestrings(loop)):
        around = around * _SMALLER
        loop = turning.points_to_town(around, own)
    step = _CORNERS // exits
    starts = np.arange(0, _CORNERS, step)
    counts = np.full(len(starts), step + 1)
    pieces = shapely.linestrings(
        loop[positions(starts, counts)], indices=np.repeat(np.arange(len(starts)), counts)
    )
    inner = loop[starts]
    out = inner - middle
    ahead = inner + out / np.hypot(*out.T)[:, None] * _REACH_M
    return array_of(pieces), reach_streets(inner, ahead, np.full(len(starts), block), ground)
