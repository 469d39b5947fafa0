"""Reading the seven real extracts: what was read agrees with their description, and holds."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import shapely
from pandas import Series

from geodata.crs import local_metric_crs
from geodata.osm import OsmTerritory, read_territory
from geodata.osm.extract import read_extract
from geodata.osm.homes import HOME_TAGS

EXTRACTS = Path(__file__).parents[2] / "../shared/data/osm"
CODE = 440605011016

Read = Callable[[str], OsmTerritory]


class Known(NamedTuple):
    """Counts from the description of the data, then what a territory of it has."""

    objects: int  # buildings drawn as ways or relations
    homes: int
    house_numbers: int
    entrances: int
    street_km: int
    compounds: int
    buildings: int
    stairwells: int


# The description counts tags. Where we read fewer outlines than objects, corners are missing from
# the file (Helsinki: 54 outlines, 14 of them homes) or an outline does not close (Liechtenstein:
# 3); it takes huts (Liechtenstein: 4) for homes and leaves out farmhouses (11).
KNOWN = {
    "baltimore": Known(1738, 549, 604, 0, 731, 80, 560, 743),
    "beijing_wudaokou": Known(521, 147, 5, 0, 126, 11, 177, 714),
    "helsinki_centre": Known(500, 35, 90, 325, 91, 14, 59, 194),
    "liechtenstein": Known(8997, 1125, 916, 16, 1140, 267, 5329, 6468),
    "moscow_ostankino": Known(628, 16, 367, 2, 113, 19, 276, 1118),
    "shenzhen_longgang": Known(139, 30, 0, 2, 225, 4, 30, 142),
    "yiyang_jiangxi": Known(165, 36, 0, 0, 116, 6, 36, 128),
}
HOMES_READ = {"helsinki_centre": 21, "liechtenstein": 1125 - 4 + 11}
# Nominal boxes that the description states.
NOMINAL = {
    "beijing_wudaokou": (116.3084, 39.9905, 116.3320, 40.0123),
    "shenzhen_longgang": (114.1862, 22.6732, 114.2318, 22.7019),
    "yiyang_jiangxi": (117.1912, 28.2817, 117.2552, 28.3225),
}

pytestmark = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason="the extracts of ../shared/data/osm are not here"
)
every_extract = pytest.mark.parametrize("name", sorted(KNOWN))


def path_of(name: str) -> Path:
    return EXTRACTS / f"{name}.osm.pbf"


@pytest.fixture(scope="module")
def results() -> Read:
    """Read each extract once."""
    read: dict[str, OsmTerritory] = {}

    def get(name: str) -> OsmTerritory:
        if name not in read:
            read[name] = read_territory(path_of(name), community_code=CODE, community_name=name)
        return read[name]

    return get


@every_extract
def test_what_is_read_agrees_with_the_description(name: str) -> None:
    extract, known = read_extract(path_of(name)), KNOWN[name]
    points = extract.lost_buildings["mapped as a point, without an outline"]
    lost = extract.lost_buildings.total() - points
    extra = len(extract.buildings) - extract.buildings["osm_id"].nunique()
    # one relation of Liechtenstein is tagged as a building but is no multipolygon
    strays = 1 if name == "liechtenstein" else 0
    assert len(extract.buildings) - extra + lost - strays == known.objects
    objects = extract.buildings.drop_duplicates("osm_id")
    assert objects["building"].isin(HOME_TAGS).sum() == HOMES_READ.get(name, known.homes)
    numbered = int(objects["house_number"].notna().sum())
    assert known.house_numbers - lost <= numbered <= known.house_numbers + 1
    doors = 12 if name == "helsinki_centre" else 0  # service doors, garages and emergency exits
    assert len(extract.entrances) + doors == known.entrances


# Helsinki's ways lack nodes, and the description does not say how it measured those.
@pytest.mark.parametrize("name", sorted(KNOWN.keys() - {"helsinki_centre"}))
def test_the_length_of_the_highways_agrees_with_the_description(name: str) -> None:
    extract = read_extract(path_of(name))
    xmin, ymin, xmax, ymax = extract.buildings.total_bounds
    ways = extract.ways.to_crs(local_metric_crs(lon=(xmin + xmax) / 2, lat=(ymin + ymax) / 2))
    assert ways.length.sum() / 1000 == pytest.approx(KNOWN[name].street_km, rel=0.04)


@every_extract
def test_each_extract_makes_the_territory_that_was_looked_at(name: str, results: Read) -> None:
    made, known = results(name).report.made, KNOWN[name]
    assert (made["compounds"], made["buildings"], made["stairwells"]) == known[-3:]
    assert made["walkways"] > 300


@every_extract
def test_every_balance_adds_up(name: str, results: Read) -> None:
    counts = results(name).report.counts
    for count in counts:
        assert count.read == count.used + sum(count.left_out.values())
    (used,) = [count.used for count in counts if count.kind == "building outlines"]
    assert used == len(results(name).territory.buildings)


@every_extract
def test_every_shape_is_a_valid_polygon_inside_its_parent(name: str, results: Read) -> None:
    town = results(name).territory
    grounds = {CODE: town.communities.geometry.iloc[0]}
    for frame, parent in [
        (town.compounds, "community_code"),
        (town.buildings, "compound_code"),
        (town.stairwells, "building_code"),
    ]:
        shapes = frame.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        assert set(shapely.get_type_id(shapes)) == {3}
        outside = shapely.difference(shapes, [grounds[code] for code in frame[parent]])
        assert (shapely.area(outside) <= 1e-8 * shapely.area(shapes)).all()
        grounds = dict(zip(frame["code"], shapes, strict=True))


@every_extract
def test_no_sibling_overlaps_another(name: str, results: Read) -> None:
    town = results(name).territory
    for frame in (town.compounds, town.buildings, town.stairwells):
        shapes = frame.geometry.to_numpy()
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        left, right = left[left < right], right[left < right]
        shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
        smaller = shapely.area(shapes[[left, right]]).min(axis=0)
        assert (shared <= 1e-8 * smaller).all()


@every_extract
def test_stairwells_add_up_to_their_buildings(name: str, results: Read) -> None:
    town = results(name).territory
    pieces = shapely.area(town.stairwells.geometry.to_numpy())
    sums = Series(pieces).groupby(town.stairwells["building_code"]).sum()
    areas = shapely.area(town.buildings.geometry.to_numpy())
    assert sums.loc[town.buildings["code"]].to_numpy() == pytest.approx(areas, rel=1e-9)
    assert (town.stairwells["household_count"] > 0).all()


@every_extract
def test_codes_are_unique_sorted_and_start_with_the_parents(name: str, results: Read) -> None:
    town = results(name).territory
    for frame, digits in [(town.compounds, 15), (town.buildings, 18), (town.stairwells, 20)]:
        assert frame["code"].is_unique
        assert frame["code"].is_monotonic_increasing
        assert (frame["code"].str.len() == digits).all()
        assert (frame["community_code"] == CODE).all()
    assert (town.stairwells["code"].str[:18] == town.stairwells["building_code"]).all()
    assert (town.buildings["code"].str[:15] == town.buildings["compound_code"]).all()


@every_extract
def test_walkways_are_inside_the_community_and_have_ids_of_their_own(
    name: str, results: Read
) -> None:
    town = results(name).territory
    outline = town.communities.geometry.iloc[0].buffer(1e-9)
    assert shapely.covers(outline, town.walkways.geometry.to_numpy()).all()
    assert town.walkways["id"].is_unique
    assert (town.walkways.geometry.geom_type == "LineString").all()


@pytest.mark.parametrize("name", sorted(NOMINAL))
def test_the_derived_box_stays_near_the_nominal_one(name: str, results: Read) -> None:
    xmin, ymin, xmax, ymax = results(name).territory.communities.total_bounds
    west, south, east, north = NOMINAL[name]
    slack = 0.0025  # buildings that reach over the edge, and the margin of 100 m
    assert west - slack < xmin < xmax < east + slack
    assert south - slack < ymin < ymax < north + slack


@pytest.mark.parametrize("name", sorted(NOMINAL))
def test_the_nominal_box_clips_the_territory(name: str) -> None:
    town = read_territory(
        path_of(name), community_code=CODE, community_name=name, bbox=NOMINAL[name]
    ).territory
    assert town.walkways.total_bounds[0] >= NOMINAL[name][0] - 1e-3
    assert town.walkways.total_bounds[2] <= NOMINAL[name][2] + 1e-3
    points = shapely.point_on_surface(town.buildings.geometry.to_numpy())
    assert shapely.covers(shapely.box(*NOMINAL[name]), points).all()
    assert len(town.buildings) <= KNOWN[name].buildings
