"""Lay rows of houses into compounds: parallel, facing south, as far apart as sunlight asks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from pandas import DataFrame

from geodata.sample.chance import Floats
from geodata.sample.lines import Geometries, longest_parts
from geodata.sample.plan import CompoundPlan
from geodata.sample.styles import LEVEL_HEIGHT_M, STYLES, Style

# Wall to the ring road, and wall to the nearest house.
RING_M = 5.5
_HOUSE_M = 10.5
# North side of a house to the footpath along it.
PATH_M = 5.0
LEAST_ROW_M = 14.0
# A plot too narrow for houses on both sides of its central way has that on its west side.
_NARROW_M = 110.0
_ASIDE_M = 3.0
_FAR_M = 1e4


@dataclass(frozen=True)
class Site:
    """Where compounds can build, each in its own axes (`geodata.sample.turning`).

    Attributes
    ----------
    plots
        Shape (n,), polygons in which houses stand.
    rings
        Shape (n,), polygons whose outlines are the ring roads.
    axes
        Shape (n,), x of the way that leads from the main gate northwards.
    """

    plots: Geometries
    rings: Geometries
    axes: Floats


def survey(outlines: Geometries, *, random: Generator) -> Site:
    """Return where houses, ring road and central way go inside outlines (own axes, metres)."""
    rings = _shrink(outlines, RING_M)
    plots = _shrink(outlines, _HOUSE_M)
    xmin, _, xmax, _ = shapely.bounds(plots).T
    axes = xmin + (xmax - xmin) * random.uniform(0.36, 0.64, len(outlines))
    narrow = xmax - xmin < _NARROW_M
    axes[narrow] = xmin[narrow] + _ASIDE_M
    return Site(plots, rings, axes)


def _shrink(polygons: Geometries, inset_m: float) -> Geometries:
    """Return polygons moved inwards, the largest part where a neck closes."""
    shrunk = shapely.buffer(polygons, -inset_m, join_style="mitre", mitre_limit=2.0)
    parts, owner = shapely.get_parts(shrunk, return_index=True)
    order = np.lexsort((shapely.area(parts), owner))
    shrunk[owner[order]] = parts[order]
    return shrunk


def lay_rows(
    site: Site, plans: tuple[CompoundPlan, ...], *, tightness: Floats, random: Generator
) -> DataFrame:
    """Place the rows of each compound from south to north.

    Parameters
    ----------
    site
        Plots of the compounds.
    plans
        What each shall have.
    tightness
        Shape (n,), factor on the distances between rows; 1 is what the style asks.
    random
        Source of chance.

    Returns
    -------
    DataFrame
        One row a row of houses: ``compound`` (place in ``plans``), ``number`` (0 in the south),
        ``y``, ``depth_m``, ``levels``, ``x_west`` and ``x_east`` (houses), ``path_y``,
        ``path_west`` and ``path_east`` (ends of its footpath on the ring road).
    """
    bounds = shapely.bounds(site.plots)
    records = [
        record
        for index, plan in enumerate(plans)
        for record in _stack(index, plan, bounds[index], float(tightness[index]), random)
    ]
    rows = DataFrame(records, columns=["compound", "number", "y", "depth_m", "levels"])
    rows = rows.assign(path_y=rows["y"] + rows["depth_m"] + PATH_M)
    owner = rows["compound"].to_numpy()
    levels = [rows["y"], rows["y"] + rows["depth_m"] / 2, rows["path_y"]]
    spans = [_span(site.plots[owner], y.to_numpy()) for y in levels]
    path = _span(site.rings[owner], rows["path_y"].to_numpy())
    rows = rows.assign(
        x_west=np.max([span[0] for span in spans], axis=0),
        x_east=np.min([span[1] for span in spans], axis=0),
        path_west=path[0],
        path_east=path[1],
    )
    return rows[rows["x_east"] - rows["x_west"] > LEAST_ROW_M].reset_index(drop=True)


def _stack(
    index: int, plan: CompoundPlan, bounds: Floats, tightness: float, random: Generator
) -> list[tuple[int, int, float, float, int]]:
    """Stack rows from the south edge of a plot and spread what room is left between them."""
    _, low, _, high = bounds
    style = STYLES[plan.style]
    base_levels = _usual_levels(plan, style, random)
    rows: list[tuple[float, float, int]] = []
    y = 0.0
    while True:
        depth = float(random.uniform(*style.depth_m))
        levels = _row_levels(plan, style, base_levels, random)
        if y + depth + PATH_M > high - low:
            break
        rows.append((y, depth, levels))
        clear = style.sunlight * levels * LEVEL_HEIGHT_M * tightness
        y += depth + max(clear, PATH_M + 6.0)
    if not rows:
        return []
    top = rows[-1][0] + rows[-1][1] + PATH_M
    spread = (high - low - top) / len(rows)
    return [
        (index, number, low + at + spread * (number + 0.5), depth, levels)
        for number, (at, depth, levels) in enumerate(rows)
    ]


def _usual_levels(plan: CompoundPlan, style: Style, random: Generator) -> int:
    """Return the storeys most houses of a compound have; published households decide."""
    if plan.households:
        flats = min(style.flats_per_level)
        return int(np.clip(round(plan.households / plan.stairwells / flats), 3, 34))
    return int(random.integers(style.levels[0], style.levels[1] + 1))


def _row_levels(plan: CompoundPlan, style: Style, usual: int, random: Generator) -> int:
    """Vary storeys a little from row to row, within the style."""
    if plan.households:
        return usual
    step = 1 if style.kind == "slab" else 2
    return int(np.clip(usual + step * int(random.integers(-1, 2)), *style.levels))


def _span(polygons: Geometries, y: Floats) -> tuple[Floats, Floats]:
    """Return west and east end of the longest chord of each polygon at height y."""
    ends = np.stack(
        [
            np.column_stack([np.full(len(y), -_FAR_M), y]),
            np.column_stack([np.full(len(y), _FAR_M), y]),
        ],
        axis=1,
    )
    chords = longest_parts(shapely.intersection(shapely.linestrings(ends), polygons))
    west, _, east, _ = shapely.bounds(chords).T
    return west, east


def trim_paths(rows: DataFrame, houses: DataFrame, site: Site) -> DataFrame:
    """Note on which side of the central way a row's footpath is needed: where houses are.

    Parameters
    ----------
    rows
        From `lay_rows`.
    houses
        ``row``, ``x``: the houses that were built.
    site
        The central ways.

    Returns
    -------
    DataFrame
        ``rows`` with ``meets_west`` and ``meets_east`` (bool): whether the footpath goes to the
        ring road there.
    """
    axis = site.axes[rows["compound"].to_numpy()]
    crosses = (rows["path_west"].to_numpy() < axis) & (axis < rows["path_east"].to_numpy())
    place = houses["row"].to_numpy()
    is_west = houses["x"].to_numpy() < axis[place]
    west = np.bincount(place[is_west], minlength=len(rows)) > 0
    east = np.bincount(place[~is_west], minlength=len(rows)) > 0
    either = west | east
    return rows.assign(
        meets_west=np.where(crosses, west, either), meets_east=np.where(crosses, east, either)
    )


def middle_rows(site: Site, rows: DataFrame, *, first: int) -> DataFrame:
    """Append to the compounds' rows a way across the middle of every other block.

    Parameters
    ----------
    site
        All blocks, those from ``first`` on without houses.
    rows
        From `trim_paths`; kept as they are, in front.
    """
    others = np.arange(first, len(site.axes))
    _, low, _, high = shapely.bounds(site.rings[others]).T
    path_y = (low + high) / 2
    west, east = _span(site.rings[others], path_y)
    across = DataFrame(
        {"compound": others, "path_y": path_y, "path_west": west, "path_east": east}
    ).assign(meets_west=True, meets_east=True)
    columns = list(across.columns)
    return pd.concat([rows[columns], across], ignore_index=True)
