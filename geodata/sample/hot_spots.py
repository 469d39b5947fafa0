"""Where incidents happen: in few hot stairwells, yards and street corners more than elsewhere."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.random import Generator

from geodata.sample.chance import Floats, Ints
from geodata.sample.lines import Geometries, array_of
from geodata.sample.settlement import Settlement

_INDOORS_M = 2.0
_BESIDE_WAY_M = 3.0
_ALONG_WAY_M = 9.0
_LEAST_ASIDE_M = 3.0
_MOST_ASIDE_M = 8.0
_OLD_LEVELS = 9
_OLD_COMPOUND_HEAT = 1.5
# Sigma of the log-normal factors that all classes share, and the part of a class's own heat.
_HEAT = 1.1
_OWN_SHARE = 0.55


@dataclass(frozen=True)
class Scene:
    """The places of a settlement, metric, with what makes some of them hot for every class.

    Attributes
    ----------
    stairwells
        Shape (n,), polygons.
    levels, households
        Shape (n,), of each stairwell.
    yards
        Shape (m,), ways inside compounds.
    streets
        Shape (k,), streets beside a community.
    outside
        Shape (j,), ways outside every community.
    communities
        Polygons, to tell which side of a street belongs to one.
    stairwell_heat, yard_heat, street_heat
        How hot each is for every class.
    yard_spots, street_spots
        Where along each way its hot place is, 0 to 1.
    """

    stairwells: Geometries
    levels: Ints
    households: Ints
    yards: Geometries
    streets: Geometries
    outside: Geometries
    communities: Geometries
    stairwell_heat: Floats
    yard_heat: Floats
    yard_spots: Floats
    street_heat: Floats
    street_spots: Floats


def set_scene(settlement: Settlement, *, random: Generator) -> Scene:
    """Return the places where incidents can happen."""
    ways = settlement.network.walkways
    lines = ways.geometry.to_numpy()
    block = ways["block"].to_numpy()
    is_yard = (block >= 0) & (block < len(settlement.compounds)) & (shapely.length(lines) > 12)
    is_street = (block < 0) & (ways["community"].to_numpy() >= 0)
    building = settlement.stairwells["building"].to_numpy()
    compound = settlement.stairwells["compound"].to_numpy()
    is_old = np.array([plan.style == "walkup" for plan in settlement.plan.compounds])
    heat = random.lognormal(0, _HEAT, len(is_old)) * np.where(is_old, _OLD_COMPOUND_HEAT, 1.0)
    yards, streets = lines[is_yard], lines[is_street]
    return Scene(
        stairwells=settlement.stairwells.geometry.to_numpy(),
        levels=settlement.buildings["levels"].to_numpy(dtype=np.int64)[building],
        households=settlement.stairwells["household_count"].to_numpy(),
        yards=yards,
        streets=streets,
        outside=lines[ways["community"].to_numpy() < 0],
        communities=settlement.community_outlines,
        stairwell_heat=heat[compound] * random.lognormal(0, _HEAT, len(compound)),
        yard_heat=heat[block[is_yard]] * random.lognormal(0, _HEAT, len(yards)),
        yard_spots=random.random(len(yards)),
        street_heat=random.lognormal(0, _HEAT, len(streets)),
        street_spots=random.random(len(streets)),
    )


def stairwell_points(
    scene: Scene, count: int, *, heat: float, storeys: str, random: Generator
) -> Geometries:
    """Return points in stairwells.

    Parameters
    ----------
    scene
        The places.
    count
        How many.
    heat
        How much this class's hot places differ from those of the others.
    storeys
        ``any``, ``low`` (houses without a lift) or ``high`` (houses with one).
    random
        Source of chance.
    """
    low = scene.levels <= _OLD_LEVELS
    fits = {"any": np.ones(len(low), dtype=bool), "low": low, "high": ~low}[storeys]
    fits = fits if fits.any() else np.ones(len(low), dtype=bool)
    weight = np.sqrt(scene.households) * scene.stairwell_heat * fits
    weight *= random.lognormal(0, heat * _OWN_SHARE, len(weight))
    chosen = random.choice(len(weight), count, p=weight / weight.sum())
    polygons = scene.stairwells[chosen]
    middles = shapely.point_on_surface(polygons)
    away = random.normal(0, _INDOORS_M, (count, 2))
    moved = array_of(shapely.points(np.round(shapely.get_coordinates(middles) + away, 3)))
    inside: Geometries = np.where(shapely.contains(polygons, moved), moved, middles)
    return inside


def yard_points(scene: Scene, count: int, *, heat: float, random: Generator) -> Geometries:
    """Return points on and beside the ways of compounds, near one hot place of each way."""
    weight = shapely.length(scene.yards) * scene.yard_heat
    weight *= random.lognormal(0, heat * _OWN_SHARE, len(weight))
    points, _ = _hot_places(scene.yards, weight, scene.yard_spots, count, random)
    away = np.clip(random.normal(0, 1.2, (count, 2)), -_BESIDE_WAY_M, _BESIDE_WAY_M)
    return array_of(shapely.points(np.round(points + away, 3)))


def street_points(scene: Scene, count: int, *, heat: float, random: Generator) -> Geometries:
    """Return points beside streets, on the side that belongs to a community."""
    weight = shapely.length(scene.streets) * scene.street_heat
    weight *= random.lognormal(0, heat * _OWN_SHARE, len(weight))
    points, aside = _hot_places(scene.streets, weight, scene.street_spots, count, random)
    left = array_of(shapely.points(np.round(points + aside, 3)))
    right = array_of(shapely.points(np.round(points - aside, 3)))
    held = np.zeros(count, dtype=bool)
    held[shapely.STRtree(scene.communities).query(left, predicate="within")[0]] = True
    sides: Geometries = np.where(held, left, right)
    return sides


def outside_points(scene: Scene, count: int, *, random: Generator) -> Geometries:
    """Return points beyond the border: on the river's promenade, bridges, roads out of town."""
    weight = shapely.length(scene.outside)
    chosen = random.choice(len(weight), count, p=weight / weight.sum())
    along = random.uniform(0.2, 0.9, count)
    middle = shapely.line_interpolate_point(scene.outside[chosen], along, normalized=True)
    return array_of(shapely.points(np.round(shapely.get_coordinates(middle), 3)))


def _hot_places(
    lines: Geometries, weight: Floats, spots: Floats, count: int, random: Generator
) -> tuple[Floats, Floats]:
    """Return points near hot places of lines, and a step to the left of the line at each."""
    chosen = random.choice(len(lines), count, p=weight / weight.sum())
    length = shapely.length(lines)
    place = random.normal((spots * length)[chosen], _ALONG_WAY_M)
    place = np.clip(place, 0, length[chosen])
    points, before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[chosen], at))
        for at in (place, np.maximum(place - 1, 0), np.minimum(place + 1, length[chosen]))
    )
    run = after - before
    left = np.column_stack([-run[:, 1], run[:, 0]]) / np.hypot(*run.T)[:, None]
    return points, left * random.uniform(_LEAST_ASIDE_M, _MOST_ASIDE_M, count)[:, None]
