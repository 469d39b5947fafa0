"""Give the town's shapes codes, names and households, and put them into the territory's frames."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.random import Generator
from pandas import DataFrame, Series
from pyproj import CRS, Transformer

from geodata.codes import BUILDING_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS, child_codes
from geodata.crs import GEOGRAPHIC
from geodata.sample.chance import Ints, uuid7_texts
from geodata.sample.footprints import Footprints
from geodata.sample.lines import Geometries
from geodata.sample.network import Network
from geodata.sample.plan import TownPlan
from geodata.sample.styles import STYLES
from geodata.sample.town import Town

DECIMALS = 7
# 2020-07-01 in Guicheng's time, for the ids of what has no moment of its own.
FOUNDED_MS = 1_593_532_800_000
_EMPTY_GROUND_FLOOR = 0.25
_PODIUM_NAMES = ("会所", "幼儿园", "物业服务中心", "邻里商铺", "党群服务站")


def to_lon_lat(geometries: Geometries, crs: CRS | None) -> GeoSeries:
    """Return metric geometries in EPSG:4326, rounded to 7 decimals (1 cm)."""
    transformer = Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    lon, lat = transformer.transform(*shapely.get_coordinates(geometries).T)
    rounded = np.round(np.column_stack([lon, lat]), DECIMALS)
    return GeoSeries(shapely.set_coordinates(geometries.copy(), rounded), crs=GEOGRAPHIC)


def number_compounds(town: Town, plan: TownPlan, outlines: Geometries, crs: CRS) -> GeoDataFrame:
    """Return compounds in the order of the plan: ``code``, ``community`` (place); metric CRS."""
    community = np.array([compound.community for compound in plan.compounds])
    parents = Series([town.communities[c].code for c in community.tolist()]).astype("str")
    codes = child_codes(parents, _centres(outlines, crs), digits=COMPOUND_DIGITS - 12)
    return gpd.GeoDataFrame({"code": codes, "community": community}, geometry=outlines, crs=crs)


def number_buildings(
    houses: DataFrame, plan: TownPlan, outlines: Geometries, compounds: GeoDataFrame
) -> GeoDataFrame:
    """Return buildings in the order of ``houses``: ``code``, ``compound``, …; metric CRS."""
    owner = houses["compound"].to_numpy()
    parents = Series(compounds["code"].to_numpy()[owner])
    centres = _centres(outlines, compounds.crs)
    codes = child_codes(parents, centres, digits=BUILDING_DIGITS - COMPOUND_DIGITS)
    is_podium = houses["units"].to_numpy() == 0
    number = codes[~is_podium].groupby(parents[~is_podium]).rank().astype("int64")
    names = number.astype("str").reindex(codes.index).add("栋")
    kinds = np.array([STYLES[compound.style].kind for compound in plan.compounds])[owner]
    names[is_podium] = [_PODIUM_NAMES[i % len(_PODIUM_NAMES)] for i in owner[is_podium].tolist()]
    return gpd.GeoDataFrame(
        {
            "code": codes,
            "compound": owner,
            "name": names,
            "kind": np.where(is_podium, "other", kinds),
            "levels": houses["levels"].astype("Int64"),
        },
        geometry=outlines,
        crs=compounds.crs,
    )


def number_stairwells(
    shapes: Footprints, outlines: Geometries, buildings: GeoDataFrame
) -> GeoDataFrame:
    """Return stairwells by building: ``code``, ``building``, ``compound``, ``name``; metric CRS."""
    parents = Series(buildings["code"].to_numpy()[shapes.house])
    centres = _centres(outlines, buildings.crs)
    codes = child_codes(parents, centres, digits=STAIRWELL_DIGITS - BUILDING_DIGITS)
    return gpd.GeoDataFrame(
        {
            "code": codes,
            "building": shapes.house,
            "compound": buildings["compound"].to_numpy()[shapes.house],
            "name": codes.str[BUILDING_DIGITS:].astype("int64").astype("str").add("梯"),
        },
        geometry=outlines,
        crs=buildings.crs,
    )


def count_households(
    stairwells: GeoDataFrame, buildings: GeoDataFrame, plan: TownPlan, random: Generator
) -> Ints:
    """Return households a stairwell, in any CRS: storeys × flats, published totals met exactly."""
    flats = np.zeros(len(buildings), dtype=np.int64)
    owner = buildings["compound"].to_numpy()
    for index, compound in enumerate(plan.compounds):
        own = np.flatnonzero(owner == index)
        per_level = STYLES[compound.style].flats_per_level
        odds = np.array(list(per_level.values()))
        flats[own] = random.choice(list(per_level), len(own), p=odds / odds.sum())
    house = stairwells["building"].to_numpy()
    levels = buildings["levels"].to_numpy(dtype=np.int64)
    two_units = np.bincount(house, minlength=len(buildings)) == 2
    is_tower = (buildings["kind"] == "tower").to_numpy()
    flats[is_tower & two_units] = np.minimum(flats[is_tower & two_units], 4)
    levels = levels - (random.random(len(levels)) < _EMPTY_GROUND_FLOOR)
    counts = (levels * flats)[house]
    for index, compound in enumerate(plan.compounds):
        if compound.households is None:
            continue
        own = random.permutation(np.flatnonzero(stairwells["compound"].to_numpy() == index))
        each, rest = divmod(compound.households - int(counts[own].sum()), len(own))
        counts[own] += each
        counts[own[:rest]] += 1
    households: Ints = counts
    return households


def community_frame(town: Town, outlines: Geometries, crs: CRS) -> GeoDataFrame:
    """Return the communities frame, by code; EPSG:4326."""
    frame = gpd.GeoDataFrame(
        {
            "code": np.array([community.code for community in town.communities], dtype=np.int64),
            "name": [community.name for community in town.communities],
        },
        geometry=to_lon_lat(outlines, crs),
    )
    return frame.sort_values("code").reset_index(drop=True)


def compound_frame(
    town: Town, plan: TownPlan, compounds: GeoDataFrame, *, demonstrations: int, random: Generator
) -> GeoDataFrame:
    """Return the compounds frame, by code, EPSG:4326; those with published figures demonstrate."""
    published = np.array([compound.published for compound in plan.compounds])
    order = np.argsort(~published + random.random(len(published)) * 0.5, kind="stable")
    is_demonstration = np.zeros(len(published), dtype=bool)
    is_demonstration[order[:demonstrations]] = True
    codes = np.array([community.code for community in town.communities], dtype=np.int64)
    frame = gpd.GeoDataFrame(
        {
            "code": compounds["code"],
            "community_code": codes[compounds["community"].to_numpy()],
            "name": [compound.name for compound in plan.compounds],
            "built_year": pd.array([c.built_year for c in plan.compounds], dtype="Int64"),
            "is_demonstration": is_demonstration,
        },
        geometry=to_lon_lat(compounds.geometry.to_numpy(), compounds.crs),
    )
    return frame.sort_values("code").reset_index(drop=True)


def building_frame(buildings: GeoDataFrame) -> GeoDataFrame:
    """Return the buildings frame, by code; EPSG:4326."""
    frame = gpd.GeoDataFrame(
        {
            "code": buildings["code"],
            "community_code": buildings["code"].str[:12].astype("int64"),
            "compound_code": buildings["code"].str[:COMPOUND_DIGITS],
            "name": buildings["name"],
            "kind": buildings["kind"],
            "levels": buildings["levels"],
        },
        geometry=to_lon_lat(buildings.geometry.to_numpy(), buildings.crs),
    )
    return frame.sort_values("code").reset_index(drop=True)


def stairwell_frame(stairwells: GeoDataFrame) -> GeoDataFrame:
    """Return the stairwells frame, by code; EPSG:4326."""
    frame = gpd.GeoDataFrame(
        {
            "code": stairwells["code"],
            "community_code": stairwells["code"].str[:12].astype("int64"),
            "compound_code": stairwells["code"].str[:COMPOUND_DIGITS],
            "building_code": stairwells["code"].str[:BUILDING_DIGITS],
            "name": stairwells["name"],
            "household_count": stairwells["household_count"],
        },
        geometry=to_lon_lat(stairwells.geometry.to_numpy(), stairwells.crs),
    )
    return frame.sort_values("code").reset_index(drop=True)


def walkway_frame(town: Town, network: Network, crs: CRS, random: Generator) -> GeoDataFrame:
    """Return the walkways frame, by id; EPSG:4326."""
    ways = network.walkways
    codes = np.array([c.code for c in town.communities] + [town.street_code], dtype=np.int64)
    frame = gpd.GeoDataFrame(
        {
            "id": uuid7_texts(np.full(len(ways), FOUNDED_MS), random=random),
            "community_code": codes[ways["community"].to_numpy()],
            "kind": ways["kind"],
            "name": ways["name"].astype("str"),
        },
        geometry=to_lon_lat(ways.geometry.to_numpy(), crs),
    )
    # Rounding may close a piece shorter than a centimetre: nothing is lost without it.
    frame = frame[shapely.length(frame.geometry.to_numpy()) > 0]
    return frame.sort_values("id").reset_index(drop=True)


def _centres(outlines: Geometries, crs: CRS | None) -> GeoSeries:
    return GeoSeries(shapely.centroid(outlines), crs=crs)
