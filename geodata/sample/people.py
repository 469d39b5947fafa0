"""Invented people: who looks after what, and where they live."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.random import Generator
from pandas import DataFrame, Series

from geodata.apportionment import apportion
from geodata.sample.chance import Flags, Ints, stream, uuid7_texts
from geodata.sample.frames import FOUNDED_MS, to_lon_lat
from geodata.sample.lines import Geometries, array_of
from geodata.sample.settlement import Settlement
from geodata.sample.town import load_words

# Mobile numbers begin 13 to 19, but to our knowledge no operator was ever given 154; with zeros
# after it (154000xxxxx) a number looks right, plainly is invented, and reaches nobody.
PHONE_PREFIX = "154"
_PHONE_SERIALS = 100_000
_LIVE_OUTSIDE = 0.04
_AVAILABLE = 0.97
_LEAGUE = 0.12
_STAIRWELLS = (2, 3, 4, 5)
_STAIRWELL_ODDS = (0.15, 0.32, 0.31, 0.22)
_LEAST_HOUSEHOLDS_EACH = 12.0
_FIRST_REPORT = date(2018, 7, 1)
_REPORT_DAYS = 730
_INDOORS_M = 1.5


def make_people(
    settlement: Settlement, *, seed: int, scale: float
) -> tuple[GeoDataFrame, DataFrame]:
    """Return members and posts.

    Members are the Party members who reported in, the building chiefs among them, and the other
    building chiefs. So the published figures overlap: every chief who is a Party member has also
    reported in.

    Parameters
    ----------
    settlement
        The town.
    seed, scale
        As `geodata.sample.make_sample`.

    Returns
    -------
    members
        As `geodata.sample.Sample`, by id; EPSG:4326.
    posts
        As there, by id.
    """
    random = stream(seed, "people")
    counts = settlement.town.counts
    chiefs = round(counts["building_chiefs"] * scale)
    party_chiefs = round(counts["party_building_chiefs"] * scale)
    party = round(counts["party_members_reported_in"] * scale)
    buildings = _chief_buildings(settlement, chiefs, random)
    is_party = np.zeros(chiefs, dtype=bool)
    is_party[random.permutation(chiefs)[:party_chiefs]] = True
    homes = np.concatenate(
        [
            _homes_in(settlement, buildings, random),
            _homes_anywhere(settlement, party - party_chiefs, random),
        ]
    )
    reported = np.concatenate([is_party, np.ones(party - party_chiefs, dtype=bool)])
    may_leave = np.arange(len(homes)) >= chiefs
    outside = may_leave & (random.random(len(homes)) < _LIVE_OUTSIDE)
    members = _members(settlement, homes, outside, reported, random)
    posts = _posts(settlement, members["id"].to_numpy()[:chiefs], buildings, random)
    return members.sort_values("id").reset_index(drop=True), posts


def _chief_buildings(settlement: Settlement, chiefs: int, random: Generator) -> Ints:
    """Return the building of each chief: one a building first, published compounds exactly."""
    plans = settlement.plan.compounds
    is_home = (settlement.buildings["kind"] != "other").to_numpy()
    owner = settlement.buildings["compound"].to_numpy()
    houses = np.bincount(owner[is_home], minlength=len(plans))
    fixed = np.array([-1 if plan.chiefs is None else plan.chiefs for plan in plans])
    count = np.maximum(fixed, 0)
    free = fixed < 0
    count[free] = apportion(chiefs - int(count.sum()), houses[free])
    chosen = []
    for compound, wanted in enumerate(count.tolist()):
        own = random.permutation(np.flatnonzero(is_home & (owner == compound)))
        chosen.append(np.resize(own, wanted))
    return np.concatenate(chosen)


def _homes_in(settlement: Settlement, buildings: Ints, random: Generator) -> Ints:
    """Return a stairwell in each building."""
    first = np.searchsorted(settlement.stairwells["building"].to_numpy(), buildings, side="left")
    last = np.searchsorted(settlement.stairwells["building"].to_numpy(), buildings, side="right")
    chosen: Ints = first + np.floor(random.random(len(buildings)) * (last - first)).astype(int)
    return chosen


def _homes_anywhere(settlement: Settlement, count: int, random: Generator) -> Ints:
    """Return stairwells: each community its share, its compounds more or fewer by chance."""
    compound = settlement.stairwells["compound"].to_numpy()
    community = settlement.compounds["community"].to_numpy()[compound]
    keen = random.lognormal(0, 0.3, len(settlement.compounds))[compound]
    shares = apportion(count, np.bincount(community))
    chosen = []
    for index, wanted in enumerate(shares.tolist()):
        own = np.flatnonzero(community == index)
        chosen.append(random.choice(own, wanted, p=keen[own] / keen[own].sum()))
    return np.concatenate(chosen)


def _members(
    settlement: Settlement, homes: Ints, outside: Flags, reported: Flags, random: Generator
) -> GeoDataFrame:
    """Return the members frame, in the order of ``homes``."""
    count = len(homes)
    stairwells = settlement.stairwells
    codes = stairwells["code"].to_numpy()[homes]
    capacity = random.choice(_STAIRWELLS, count, p=_STAIRWELL_ODDS)
    capacity[~reported] = random.integers(1, 3, int((~reported).sum()))
    compound = stairwells["compound"].to_numpy()
    total = np.bincount(compound, weights=stairwells["household_count"])
    each = (total / np.bincount(compound))[compound[homes]] * random.uniform(0.85, 1.25, count)
    affiliation = np.where(random.random(count) < _LEAGUE, "league_member", "masses")
    serials = random.choice(max(_PHONE_SERIALS, 2 * count), count, replace=False)
    places = np.where(
        outside,
        _points_outside(settlement, count, random),
        _points_indoors(stairwells.geometry.to_numpy()[homes], random),
    )
    return gpd.GeoDataFrame(
        {
            "id": uuid7_texts(np.full(count, FOUNDED_MS), random=random),
            "community_code": [int(code[:12]) for code in codes],
            "name": _names(count, random),
            "phone": [f"{PHONE_PREFIX}{serial:08d}" for serial in serials.tolist()],
            "affiliation": np.where(reported, "party_member", affiliation),
            "reported_in_on": _dates(reported, random),
            "capacity_households": np.round(
                capacity * np.maximum(each, _LEAST_HOUSEHOLDS_EACH)
            ).astype(np.int64),
            "capacity_stairwells": capacity.astype(np.int64),
            "available": random.random(count) < _AVAILABLE,
            "home_stairwell_code": Series(codes, dtype="str").mask(outside),
        },
        geometry=to_lon_lat(places, settlement.crs),
    )


def _dates(reported: Flags, random: Generator) -> list[date | None]:
    """Return the day of reporting in, or None; most came in the second year."""
    days = np.floor(np.sqrt(random.random(len(reported))) * _REPORT_DAYS).astype(int)
    return [
        _FIRST_REPORT + timedelta(days=day) if has else None
        for day, has in zip(days.tolist(), reported.tolist(), strict=True)
    ]


def _names(count: int, random: Generator) -> list[str]:
    """Return invented names of two or three characters."""
    words = load_words()
    surnames, first, second = words["surnames"], words["given_first"], words["given_second"]
    # Surnames in front of the list are commoner: the power bends chance towards them.
    family = np.floor(random.random(count) ** 1.8 * len(surnames)).astype(int).tolist()
    middle = random.integers(len(first), size=count).tolist()
    last = random.integers(len(second), size=count).tolist()
    short = (random.random(count) < 0.16).tolist()
    return [
        surnames[a] + ("" if is_short else first[b]) + second[c]
        for a, b, c, is_short in zip(family, middle, last, short, strict=True)
    ]


def _points_indoors(stairwells: Geometries, random: Generator) -> Geometries:
    """Return a point in each stairwell polygon, most of them not in its middle."""
    middles = shapely.point_on_surface(stairwells)
    away = random.uniform(-_INDOORS_M, _INDOORS_M, (len(middles), 2))
    moved = array_of(shapely.points(np.round(shapely.get_coordinates(middles) + away, 3)))
    inside = shapely.contains(stairwells, moved)
    return np.where(inside, moved, middles)


def _points_outside(settlement: Settlement, count: int, random: Generator) -> Geometries:
    """Return points some hundred metres west, north or south of the town."""
    layout = settlement.layout
    away = random.uniform(120, 900, count)
    along = random.random(count)
    side = random.integers(3, size=count)
    u = np.select([side == 0], [-away], along * layout.width_m)
    v = np.select([side == 0, side == 1], [along * layout.height_m, layout.height_m + away], -away)
    return array_of(shapely.points(settlement.warp(np.column_stack([u, v]))))


def _posts(
    settlement: Settlement, member_ids: Geometries, buildings: Ints, random: Generator
) -> DataFrame:
    """Return the posts frame, by id: one building chief a member."""
    codes = settlement.buildings["code"].to_numpy()[buildings]
    posts = DataFrame(
        {
            "id": uuid7_texts(np.full(len(codes), FOUNDED_MS), random=random),
            "community_code": [int(code[:12]) for code in codes],
            "kind": "building_chief",
            "member_id": member_ids,
            "compound_code": [code[:15] for code in codes],
            "building_code": codes,
        }
    )
    return posts.sort_values("id").reset_index(drop=True)
