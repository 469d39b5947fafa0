"""Fill rows with houses of whole stairwells, then thin them out to what the plan wants."""

import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from pandas import DataFrame

from geodata.apportionment import apportion
from geodata.sample.chance import Floats, Ints, stream
from geodata.sample.plan import CompoundPlan
from geodata.sample.rows import Site, lay_rows
from geodata.sample.styles import STYLES, Style

_AXIS_M = 7.0
_TIGHTER = 0.88
_ATTEMPTS = 8
# Where houses had to move that much closer, a plot is so narrow that one stairwell must do.
_CRAMPED = 0.45
_STAGGER_M = 1.8
_PODIUM_SHARE = 0.6
_PODIUM_WIDTH_M = 38.0


def build_houses(
    site: Site, plans: tuple[CompoundPlan, ...], *, seed: int
) -> tuple[DataFrame, DataFrame]:
    """Return rows and houses of all compounds.

    Where a published number does not fit, or only one house, that compound's houses move closer;
    where the town's stairwells do not fit, all do.

    Parameters
    ----------
    site
        Plots of the compounds.
    plans
        What each shall have.
    seed
        Same seed, same houses.

    Returns
    -------
    rows
        As `geodata.sample.rows.lay_rows`.
    houses
        As `fill_rows`, thinned out; those with no units are shops or clubhouses.
    """
    tightness = np.ones(len(plans))
    random = stream(seed, "houses")
    rows, houses = _try_houses(site, plans, tightness, random)
    least_houses = np.array([plan.buildings or 2 for plan in plans])
    wanted = sum(plan.stairwells for plan in plans)
    least_units = np.array([plan.stairwells if plan.chiefs else 2 for plan in plans])
    for _ in range(_ATTEMPTS):
        owner = houses["compound"]
        short = np.bincount(owner, minlength=len(plans)) < least_houses
        short |= np.bincount(owner, houses["units"], len(plans)) < least_units
        short |= houses["units"].sum() < wanted
        if not short.any():
            break
        tightness[short] *= _TIGHTER
        random = stream(seed, "houses")
        rows, houses = _try_houses(site, plans, tightness, random)
    houses = thin_out(houses, site, plans, random=random)
    return rows, _add_podiums(houses, plans, random)


def _try_houses(
    site: Site, plans: tuple[CompoundPlan, ...], tightness: Floats, random: Generator
) -> tuple[DataFrame, DataFrame]:
    """Return rows and all houses that fit them."""
    rows = lay_rows(site, plans, tightness=tightness, random=random)
    return rows, fill_rows(rows, site, plans, tightness=tightness, random=random)


def fill_rows(
    rows: DataFrame,
    site: Site,
    plans: tuple[CompoundPlan, ...],
    *,
    tightness: Floats,
    random: Generator,
) -> DataFrame:
    """Fill rows with houses, leaving the central way free.

    Parameters
    ----------
    rows
        From `lay_rows`.
    site, plans, tightness, random
        As there; tightness holds for the gaps within a row too.

    Returns
    -------
    DataFrame
        One row a house: ``row`` (place in ``rows``), ``compound``, ``x``, ``y`` (south-west
        corner), ``units``, ``unit_width_m``, ``depth_m``, ``levels``; west to east within a row.
    """
    houses: list[tuple[int, float, int, float]] = []
    table = zip(rows["compound"], rows["number"], rows["x_west"], rows["x_east"], strict=True)
    for row, (compound, number, west, east) in enumerate(table):
        style = STYLES[plans[compound].style]
        axis = site.axes[compound]
        width = float(random.uniform(*style.unit_width_m))
        shift = 0.45 * width if style.kind == "tower" and number % 2 else 0.0
        sides = [(west + shift, axis - _AXIS_M), (axis + _AXIS_M, east - shift)]
        if not west - _AXIS_M < axis < east + _AXIS_M:
            sides = [(west + shift, east - shift)]
        for low, high in sides:
            gap = float(tightness[compound])
            houses += [(row, *house) for house in _fill(low, high, width, gap, style, random)]
    filled = DataFrame(houses, columns=["row", "x", "units", "unit_width_m"])
    owner = filled["row"].to_numpy()
    along = rows.loc[owner, ["compound", "y", "depth_m", "levels"]].reset_index(drop=True)
    along["y"] += random.uniform(-_STAGGER_M, 0.4 * _STAGGER_M, len(along))
    return pd.concat([filled, along], axis=1)


def _fill(
    low: float, high: float, width: float, gap: float, style: Style, random: Generator
) -> list[tuple[float, int, float]]:
    """Fill one stretch: houses of whole units, what room is left spread between them."""
    choices = [1] if gap < _CRAMPED else list(style.units)
    odds = np.cumsum(list(style.units.values())[: len(choices)])
    units: list[int] = []
    gaps = [0.0]
    room = high - low
    while room >= width * choices[0]:
        drawn = choices[min(int(np.searchsorted(odds, random.random())), len(odds) - 1)]
        drawn = min(drawn, int(room // width))
        units.append(drawn)
        gaps.append(float(random.uniform(*style.side_gap_m)) * gap)
        room -= drawn * width + gaps[-1]
    if not units:
        return []
    room += gaps.pop()
    spread = room / len(units)
    houses = []
    x = low + spread / 2
    for number, count in enumerate(units):
        x += gaps[number] + (spread if number else 0.0)
        houses.append((x, count, width))
        x += count * width
    return houses


def thin_out(
    houses: DataFrame, site: Site, plans: tuple[CompoundPlan, ...], *, random: Generator
) -> DataFrame:
    """Note which houses stay, as many as planned; what goes makes a garden or an odd gap.

    What does not fit one compound goes to those with room, so that the town has its stairwells.
    Published numbers of buildings hold exactly.

    Returns
    -------
    DataFrame
        ``houses`` with ``stays`` (bool) added and ``units`` of a few made smaller.
    """
    middles = shapely.get_coordinates(shapely.centroid(site.plots))
    owner = houses["compound"].to_numpy()
    middle = houses["x"] + houses["units"] * houses["unit_width_m"] / 2
    away = np.hypot(middle - site.axes[owner], houses["y"] - middles[owner, 1]).to_numpy()
    order = random.random(len(houses))
    garden = np.array([STYLES[plan.style].thinning == "garden" for plan in plans])[owner]
    priority = np.where(garden, away + 12 * order, order)
    units = houses["units"].to_numpy().copy()
    capacity = np.bincount(owner, weights=units, minlength=len(plans)).astype(np.float64)
    targets = _targets(capacity, plans)
    keep = np.zeros(len(houses), dtype=bool)
    starts = np.searchsorted(owner, np.arange(len(plans) + 1))
    for index, plan in enumerate(plans):
        own = np.arange(starts[index], starts[index + 1])
        own = own[np.argsort(-priority[own], kind="stable")]
        if plan.buildings is not None:
            keep[own[: plan.buildings]] = True
            continue
        least = min(STYLES[plan.style].units)
        keep[_take(own, units, int(targets[index]), least=least)] = True
    return houses.assign(units=units, stays=keep)


def _add_podiums(
    houses: DataFrame, plans: tuple[CompoundPlan, ...], random: Generator
) -> DataFrame:
    """Drop what does not stay, and put shops or a clubhouse on one free place of some compounds.

    A podium has no units. Compounds with published figures get none.
    """
    free = np.flatnonzero(~houses["stays"].to_numpy())
    owner = houses["compound"].to_numpy()
    shuffled = random.permutation(free)
    _, first = np.unique(owner[shuffled], return_index=True)
    places = shuffled[first]
    plain = np.array([plan.chiefs is None and plan.buildings is None for plan in plans])
    places = places[plain[owner[places]] & (random.random(len(places)) < _PODIUM_SHARE)]
    widths = houses["units"].to_numpy()[places] * houses["unit_width_m"].to_numpy()[places]
    houses.loc[places, "units"] = 0
    houses.loc[places, "unit_width_m"] = np.minimum(widths, _PODIUM_WIDTH_M)
    houses.loc[places, "levels"] = random.integers(1, 4, len(places))
    houses.loc[places, "stays"] = True
    return houses[houses["stays"]].drop(columns="stays").reset_index(drop=True)


def _targets(capacity: Floats, plans: tuple[CompoundPlan, ...]) -> Ints:
    """Return stairwells a compound: as planned, what does not fit where there is room."""
    wanted = np.array([plan.stairwells for plan in plans])
    targets: Ints = np.minimum(wanted, capacity).astype(np.int64)
    free = np.array([plan.chiefs is None and plan.buildings is None for plan in plans])
    spare = np.where(free, capacity - targets, 0.0)
    missing = int(min(wanted.sum() - targets.sum(), spare.sum()))
    if missing:
        targets += apportion(missing, spare)
    return targets


def _take(own: Ints, units: Ints, wanted: int, *, least: int) -> Ints:
    """Take houses in order until there are enough stairwells, the last one cut to fit."""
    reached: Ints = units[own].cumsum()
    count = int(np.searchsorted(reached, wanted)) + 1
    if count > len(own):
        return own.copy()
    surplus = int(reached[count - 1]) - wanted
    last = own[count - 1]
    if surplus and units[last] - surplus >= least:
        units[last] -= surplus
    elif surplus:
        for house in own[: count - 1]:
            spare = min(max(int(units[house]) - least, 0), surplus)
            units[house] -= spare
            surplus -= spare
            if not surplus:
                break
    return own[:count].copy()
