"""Build the town: its frames, and what people and incidents need to know of it in metres."""

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyproj import CRS, Transformer

from geodata.crs import GEOGRAPHIC, local_metric_crs
from geodata.errors import SampleSeedError
from geodata.progress import Progress
from geodata.sample import frames
from geodata.sample.chance import stream
from geodata.sample.footprints import draw_footprints
from geodata.sample.ground import Ground, break_ground
from geodata.sample.houses import build_houses
from geodata.sample.layout import Layout, lay_out
from geodata.sample.lines import Geometries
from geodata.sample.network import Network, build_network
from geodata.sample.plan import TownPlan, plan_town
from geodata.sample.rows import Site, survey
from geodata.sample.styles import STYLES
from geodata.sample.town import Town
from geodata.sample.turning import Turning
from geodata.sample.warp import Warp, make_warp
from geodata.territory import Territory

_CORNER_SHARE = 0.3
_TOLERANCE = 0.025
_DRAFTS = 6
_NEXT_DRAFT = 1_000_003
_STAGES = 4
# Compounds are not quite parallel to their streets: radians.
_LEAN = 0.045


@dataclass(frozen=True)
class Settlement:
    """The town in metres.

    Attributes
    ----------
    town, plan, layout, warp
        What it was made from.
    crs
        The metric CRS of everything but ``territory``.
    territory
        Its frames, EPSG:4326.
    community_outlines
        Polygons in the order of ``town.communities``.
    compounds
        In the order of ``plan.compounds``: ``code``, ``community`` (place in
        ``town.communities``), ``geometry``.
    buildings
        ``code``, ``compound`` (place), ``name``, ``kind``, ``levels``, ``geometry``.
    stairwells
        ``code``, ``building``, ``compound`` (places), ``name``, ``household_count``, ``geometry``.
    network
        Its ways.
    """

    town: Town
    plan: TownPlan
    layout: Layout
    warp: Warp
    crs: CRS
    territory: Territory
    community_outlines: Geometries
    compounds: GeoDataFrame
    buildings: GeoDataFrame
    stairwells: GeoDataFrame
    network: Network


def settle(town: Town, *, seed: int, scale: float, report: Progress) -> Settlement:
    """Build the town.

    Parameters
    ----------
    town
        The fixed facts.
    seed, scale
        As `geodata.sample.make_sample`.
    report
        Hears of each stage.

    Returns
    -------
    Settlement
        All polygons of a level inside their parents, none overlapping another of its level.

    Raises
    ------
    SampleSeedError
        No draft of this seed fits.
    """
    report("territory", 0, _STAGES)
    crs = local_metric_crs(lon=town.lon, lat=town.lat)
    draft = _draft(town, crs, seed=seed, scale=scale)
    plan, layout, warp, ground = draft.plan, draft.layout, draft.warp, draft.ground
    turning, houses = draft.turning, draft.houses
    report("territory", 1, _STAGES)
    shapes = draw_footprints(houses.assign(profile=_profiles(houses, plan, seed)))
    network = build_network(
        town,
        plan,
        ground,
        draft.site,
        draft.rows,
        turning,
        houses=houses,
        shapes=shapes,
        seed=seed,
    )
    report("territory", 2, _STAGES)
    random = stream(seed, "territory")
    outlines = ground.outlines[: len(plan.compounds)]
    compounds = frames.number_compounds(town, plan, outlines, crs)
    owner = houses["compound"].to_numpy()
    house_outlines = turning.to_town(shapes.houses, owner)
    buildings = frames.number_buildings(houses, plan, house_outlines, compounds)
    stair_outlines = turning.to_town(shapes.stairwells, owner[shapes.house])
    stairwells = frames.number_stairwells(shapes, stair_outlines, buildings)
    households = frames.count_households(stairwells, buildings, plan, random)
    stairwells = stairwells.assign(household_count=households)
    report("territory", 3, _STAGES)
    demonstrations = round(town.counts["demonstration_compounds"] * scale)
    territory = Territory(
        street_code=town.street_code,
        street_name=town.street_name,
        communities=frames.community_frame(town, ground.communities, crs),
        compounds=frames.compound_frame(
            town, plan, compounds, demonstrations=demonstrations, random=random
        ),
        buildings=frames.building_frame(buildings),
        stairwells=frames.stairwell_frame(stairwells),
        walkways=frames.walkway_frame(town, network, crs, random),
    )
    report("territory", _STAGES, _STAGES)
    return Settlement(
        town=town,
        plan=plan,
        layout=layout,
        warp=warp,
        crs=crs,
        territory=territory,
        community_outlines=ground.communities,
        compounds=compounds,
        buildings=buildings,
        stairwells=stairwells,
        network=network,
    )


@dataclass(frozen=True)
class _Draft:
    """The ground and the houses on it, before codes and ways; fields as in their modules."""

    plan: TownPlan
    layout: Layout
    warp: Warp
    ground: Ground
    turning: Turning
    site: Site
    rows: DataFrame
    houses: DataFrame


def _draft(town: Town, crs: CRS, *, seed: int, scale: float) -> _Draft:
    """Return the first draft that fits: hardly ever, a plot is too odd for what it must hold."""
    for attempt in range(_DRAFTS):
        draft = _sketch(town, crs, seed=seed + attempt * _NEXT_DRAFT, scale=scale)
        if _fits(draft):
            return draft
    raise SampleSeedError(seed, scale)


def _sketch(town: Town, crs: CRS, *, seed: int, scale: float) -> _Draft:
    """Cut the ground and put houses on it; gardens and the lake, the last blocks, stay apart."""
    plan = plan_town(town, seed=seed, scale=scale)
    layout = lay_out(town, plan, seed=seed)
    x, y = Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True).transform(town.lon, town.lat)
    warp = make_warp(width_m=layout.width_m, height_m=layout.height_m, x=x, y=y, seed=seed)
    ground = break_ground(layout, warp)
    outlines = ground.outlines[: len(plan.blocks) - plan.greens]
    lean = stream(seed, "lean").uniform(-_LEAN, _LEAN, len(outlines))
    middles = shapely.get_coordinates(shapely.centroid(outlines))
    turning = Turning(middles, ground.angles[: len(outlines)] + lean)
    own = turning.to_block(outlines, np.arange(len(outlines)))
    site = survey(own, random=stream(seed, "site"))
    rows, houses = build_houses(site, plan.compounds, seed=seed)
    return _Draft(plan, layout, warp, ground, turning, site, rows, houses)


def _fits(draft: _Draft) -> bool:
    """Tell whether every compound has a home, and all that is published is there exactly."""
    plans = draft.plan.compounds
    homes = draft.houses[draft.houses["units"] > 0]
    houses = np.bincount(homes["compound"], minlength=len(plans))
    units = np.bincount(homes["compound"], homes["units"], len(plans))
    published = [
        (plan.buildings is None or houses[index] == plan.buildings)
        and (plan.chiefs is None or plan.buildings or units[index] == plan.stairwells)
        for index, plan in enumerate(plans)
    ]
    wanted = sum(plan.stairwells for plan in plans)
    near = abs(float(units.sum()) - wanted) < _TOLERANCE * wanted
    return bool(houses.min() > 0 and near and all(published))


def _profiles(houses: DataFrame, plan: TownPlan, seed: int) -> list[str]:
    """Return each house's profile; some towers of one stairwell are L-shaped."""
    random = stream(seed, "profiles")
    styles = [STYLES[plan.compounds[c].style] for c in houses["compound"].tolist()]
    corner = (houses["units"].to_numpy() == 1) & (random.random(len(houses)) < _CORNER_SHARE)
    return [
        "corner" if is_corner and style.kind == "tower" else style.profile
        for style, is_corner in zip(styles, corner.tolist(), strict=True)
    ]
