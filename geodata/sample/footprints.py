"""Outlines of houses and of their stairwells, unit by unit along the house.

A unit has a south and a north profile, both from its west to its east side; a house chains the
profiles of its units, so that house and stairwells share every vertex and the stairwells
partition the house.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from pandas import DataFrame

from geodata.sample.chance import Floats, Ints
from geodata.sample.lines import Geometries, array_of, positions

# A point of a profile: share of the unit's width, share of its depth, metres added to each.
_Point = tuple[float, float, float, float]
_CORE: list[_Point] = [
    (0.0, 1.0, 0.0, 0.0),
    (0.5, 1.0, -1.6, 0.0),
    (0.5, 1.0, -1.6, 1.3),
    (0.5, 1.0, 1.6, 1.3),
    (0.5, 1.0, 1.6, 0.0),
    (1.0, 1.0, 0.0, 0.0),
]
_PROFILES: dict[str, tuple[list[_Point], list[_Point]]] = {
    "plain": ([(0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)], _CORE),
    "bay": (
        [
            (0.0, 0.0, 0.0, 1.6),
            (0.1, 0.0, 0.0, 1.6),
            (0.1, 0.0, 0.0, 0.0),
            (0.9, 0.0, 0.0, 0.0),
            (0.9, 0.0, 0.0, 1.6),
            (1.0, 0.0, 0.0, 1.6),
        ],
        _CORE,
    ),
    "cross": (
        [
            (0.0, 0.24, 0.0, 0.0),
            (0.2, 0.24, 0.0, 0.0),
            (0.2, 0.0, 0.0, 0.0),
            (0.8, 0.0, 0.0, 0.0),
            (0.8, 0.24, 0.0, 0.0),
            (1.0, 0.24, 0.0, 0.0),
        ],
        [
            (0.0, 0.74, 0.0, 0.0),
            (0.24, 0.74, 0.0, 0.0),
            (0.24, 1.0, 0.0, 0.0),
            (0.76, 1.0, 0.0, 0.0),
            (0.76, 0.74, 0.0, 0.0),
            (1.0, 0.74, 0.0, 0.0),
        ],
    ),
    "corner": (
        [(0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)],
        [
            (0.0, 0.52, 0.0, 0.0),
            (0.42, 0.52, 0.0, 0.0),
            (0.42, 1.0, 0.0, 0.0),
            (1.0, 1.0, 0.0, 0.0),
        ],
    ),
}
# Where the door is on the north side: share of the width, of the depth, metres added.
_DOORS = {"plain": (0.5, 1.0, 1.3), "bay": (0.5, 1.0, 1.3), "cross": (0.5, 1.0, 0.0)}
_CORNER_DOOR = (0.71, 1.0, 0.0)


@dataclass(frozen=True)
class Footprints:
    """Shapes of houses, in the axes of their block.

    Attributes
    ----------
    houses
        Shape (n,), polygons.
    stairwells
        Shape (k,), polygons; by house, then west to east.
    house
        Shape (k,), the house of each stairwell.
    doors
        Shape (k, 2), on the north side of each stairwell.
    """

    houses: Geometries
    stairwells: Geometries
    house: Ints
    doors: Floats


def draw_footprints(houses: DataFrame) -> Footprints:
    """Draw houses.

    Parameters
    ----------
    houses
        ``x``, ``y``, ``units``, ``unit_width_m``, ``depth_m``, ``profile`` (plain, bay, cross, or
        corner, which has one unit). A house of no units is L-shaped and has no stairwell.

    Returns
    -------
    Footprints
        In the order of ``houses``.
    """
    units = houses["units"].to_numpy()
    house = np.repeat(np.arange(len(houses)), units)
    number = positions(np.zeros(len(units), np.int64), units)
    outlines = np.empty(len(houses), dtype=object)
    stairwells = np.empty(len(house), dtype=object)
    doors = np.zeros((len(house), 2))
    podiums = np.flatnonzero(units == 0)
    outlines[podiums] = _podiums(houses.iloc[podiums])
    for profile, (south, north) in _PROFILES.items():
        of_profile = (houses["profile"] == profile).to_numpy() & (units > 0)
        own = np.flatnonzero(of_profile[house])
        parents = house[own]
        lower, upper = (_place(houses, parents, number[own], side) for side in (south, north))
        rings = np.concatenate([lower, upper[:, ::-1]], axis=1)
        stairwells[own] = shapely.polygons(rings)
        across, along, metres = _DOORS.get(profile, _CORNER_DOOR)
        doors[own] = _place(houses, parents, number[own], [(across, along, 0.0, metres)])[:, 0]
        for count in np.unique(units[of_profile]):
            alike = units[parents] == count
            which = np.flatnonzero(of_profile & (units == count))
            outlines[which] = shapely.polygons(_chain(lower[alike], upper[alike], int(count)))
    return Footprints(outlines, stairwells, house, doors)


def _podiums(houses: DataFrame) -> Geometries:
    """Return L-shaped outlines of houses without stairwells."""
    west, south = houses["x"].to_numpy(), houses["y"].to_numpy()
    across = np.array([0.0, 1.0, 1.0, 0.45, 0.45, 0.0])
    along = np.array([0.0, 0.0, 0.55, 0.55, 1.0, 1.0])
    x = west[:, None] + across * houses["unit_width_m"].to_numpy()[:, None]
    y = south[:, None] + along * houses["depth_m"].to_numpy()[:, None]
    return array_of(shapely.polygons(np.stack([x, y], axis=2)))


def _place(houses: DataFrame, parents: Ints, number: Ints, profile: list[_Point]) -> Floats:
    """Return a profile's points, shape (units, points, 2), for units of houses."""
    own = houses.iloc[parents]
    width = own["unit_width_m"].to_numpy()[:, None]
    depth = own["depth_m"].to_numpy()[:, None]
    across, along, east, north = np.array(profile).T
    # The joint between units is computed once, as west end of the eastern one, to the last bit.
    west = own["x"].to_numpy()[:, None] + (number[:, None] + (across == 1.0)) * width
    x = west + np.where(across == 1.0, 0.0, across) * width + east
    y = own["y"].to_numpy()[:, None] + along * depth + north
    return np.stack([x, y], axis=2)


def _chain(lower: Floats, upper: Floats, count: int) -> Floats:
    """Return house outlines from the profiles of ``count`` units each, joints once."""
    points_south, points_north = lower.shape[1] - 1, upper.shape[1] - 1
    south = lower.reshape(-1, count, points_south + 1, 2)
    north = upper.reshape(-1, count, points_north + 1, 2)
    chained_south = south[:, :, :-1].reshape(len(south), -1, 2)
    chained_north = north[:, :, :-1].reshape(len(north), -1, 2)
    back = np.concatenate([chained_north, north[:, -1, -1:]], axis=1)[:, ::-1]
    return np.concatenate([chained_south, south[:, -1, -1:], back], axis=1)
