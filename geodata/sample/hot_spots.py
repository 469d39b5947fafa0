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


@dataclass(frozen=True)
class Scene:
    """The places of a settlement, metric, with what makes some of them hot for every class.

    Attributes
    ----------
    stairwells
        Shape (n,), polygons.
    compound, levels, households
        Shape (n,), of each stairwell.
    yards, yard_compound
        Shape (m,), ways inside compounds.
    streets
        Shape (k,), streets beside a community.
    outside
        Shape (j,), ways outside every community.
    communities
        Polygons, to tell which side of a street belongs to one.
    compound_heat
        Shape (compounds,), factor that all classes share.
    """

    stairwells: Geometries
    compound: Ints
    levels: Ints
    households: Ints
    yards: Geometries
    yard_compound: Ints
    streets: Geometries
    outside: Geometries
    communities: Geometries
    compound_heat: Floats


def set_scene(settlement: Settlement, *, random: Generator) -> Scene:
    """Return the places where incidents can happen."""
    ways = settlement.network.walkways
    lines = ways.geometry.to_numpy()
    block = ways["block"].to_numpy()
    is_yard = (block >= 0) & (block < len(settlement.compounds)) & (shapely.length(lines) > 12)
    is_street = (block < 0) & (ways["community"].to_numpy() >= 0)
    building = settlement.stairwells["building"].to_numpy()
    styles = np.array([plan.style == "walkup" for plan in settlement.plan.compounds])
    heat = random.lognormal(0, 0.6, len(styles)) * np.where(styles, _OLD_COMPOUND_HEAT, 1.0)
    return Scene(
        stairwells=settlement.stairwells.geometry.to_numpy(),
        compound=settlement.stairwells["compound"].to_numpy(),
        levels=settlement.buildings["levels"].to_numpy(dtype=np.int64)[building],
        households=settlement.stairwells["household_count"].to_numpy(),
        yards=lines[is_yard],
        yard_compound=block[is_yard],
        streets=lines[is_street],
        outside=lines[ways["community"].to_numpy() < 0],
        communities=settlement.community_outlines,
        compound_heat=heat,
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
        Sigma of the log-normal factors by compound and by stairwell.
    storeys
        ``any``, ``low`` (houses without a lift) or ``high`` (houses with one).
    random
        Source of chance.
    """
    low = scene.levels <= _OLD_LEVELS
    fits = {"any": np.ones(len(low), dtype=bool), "low": low, "high": ~low}[storeys]
    fits = fits if fits.any() else np.ones(len(low), dtype=bool)
    by_compound = scene.compound_heat * random.lognormal(0, heat * 0.7, len(scene.compound_heat))
    weight = np.sqrt(scene.households) * by_compound[scene.compound] * fits
    weight *= random.lognormal(0, heat, len(weight))
    chosen = random.choice(len(weight), count, p=weight / weight.sum())
    polygons = scene.stairwells[chosen]
    middles = shapely.point_on_surface(polygons)
    away = random.normal(0, _INDOORS_M, (count, 2))
    moved = array_of(shapely.points(np.round(shapely.get_coordinates(middles) + away, 3)))
    inside: Geometries = np.where(shapely.contains(polygons, moved), moved, middles)
    return inside


def yard_points(scene: Scene, count: int, *, heat: float, random: Generator) -> Geometries:
    """Return points on and beside the ways of compounds, near one hot place of each way."""
    by_compound = scene.compound_heat * random.lognormal(0, heat * 0.7, len(scene.compound_heat))
    weight = shapely.length(scene.yards) * by_compound[scene.yard_compound]
    points, _ = _hot_places(scene.yards, weight, count, heat, random)
    away = np.clip(random.normal(0, 1.2, (count, 2)), -_BESIDE_WAY_M, _BESIDE_WAY_M)
    return array_of(shapely.points(np.round(points + away, 3)))


def street_points(scene: Scene, count: int, *, heat: float, random: Generator) -> Geometries:
    """Return points beside streets, on the side that belongs to a community."""
    weight = shapely.length(scene.streets)
    points, aside = _hot_places(scene.streets, weight, count, heat, random)
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
    lines: Geometries, weight: Floats, count: int, heat: float, random: Generator
) -> tuple[Floats, Floats]:
    """Return points near hot places of lines, and a step to the left of the line at each."""
    weight = weight * random.lognormal(0, heat, len(lines))
    chosen = random.choice(len(lines), count, p=weight / weight.sum())
    length = shapely.length(lines)
    hot = random.random(len(lines)) * length
    place = np.clip(random.normal(hot[chosen], _ALONG_WAY_M), 0, length[chosen])
    points, before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[chosen], at))
        for at in (place, np.maximum(place - 1, 0), np.minimum(place + 1, length[chosen]))
    )
    run = after - before
    left = np.column_stack([-run[:, 1], run[:, 0]]) / np.hypot(*run.T)[:, None]
    return points, left * random.uniform(_LEAST_ASIDE_M, _MOST_ASIDE_M, count)[:, None]
