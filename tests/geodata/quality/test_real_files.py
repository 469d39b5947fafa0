"""What the report says of every extract and every boundary file, fault by fault."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pytest
from geopandas import GeoDataFrame

from geodata.offsets import to_wgs84
from geodata.osm import OsmTerritory, read_territory
from geodata.osm.extract import read_extract
from geodata.quality import QualityReport, apply_repairs, inspect

DATA = Path(__file__).parents[3] / "../shared/data"
CODE = 440605011016

needs_extracts = pytest.mark.skipif(
    not (DATA / "osm").is_dir(), reason="the extracts of ../shared/data/osm are not here"
)
needs_boundaries = pytest.mark.skipif(
    not (DATA / "boundaries").is_dir(), reason="../shared/data/boundaries is not here"
)

Counts = dict[str, int]


class Drawn(NamedTuple):
    """What mappers drew: outlines of buildings, and what is wrong with them."""

    buildings: int
    errors: Counts
    warnings: Counts


AS_DRAWN = {
    "baltimore": Drawn(1738, {"overlap": 14}, {"near-duplicate": 1, "overlap": 1}),
    "beijing_wudaokou": Drawn(521, {"overlap": 3}, {"overlap": 3}),
    "helsinki_centre": Drawn(446, {"duplicate": 2, "overlap": 12}, {"sliver": 6, "overlap": 2}),
    "liechtenstein": Drawn(8995, {"duplicate": 2, "overlap": 13}, {"sliver": 30, "overlap": 16}),
    "moscow_ostankino": Drawn(628, {}, {}),
    "shenzhen_longgang": Drawn(140, {"overlap": 3}, {}),
    "yiyang_jiangxi": Drawn(165, {}, {}),
}


@needs_extracts
@pytest.mark.parametrize("name", sorted(AS_DRAWN))
def test_the_buildings_of_an_extract_have_the_faults_that_mappers_left(name: str) -> None:
    outlines = read_extract(DATA / "osm" / f"{name}.osm.pbf").buildings.geometry
    rows = GeoDataFrame(
        {"row": range(1, len(outlines) + 1)}, geometry=outlines.to_numpy(), crs=4326
    )
    report = inspect("buildings", rows, parents=None, siblings=None)
    assert Drawn(len(rows), report.errors, report.warnings) == AS_DRAWN[name]


@cache
def territory_of(name: str) -> OsmTerritory:
    path = DATA / "osm" / f"{name}.osm.pbf"
    return read_territory(path, community_code=CODE, community_name=name)


@needs_extracts
@pytest.mark.parametrize("name", sorted(AS_DRAWN))
@pytest.mark.parametrize("layer", ["compounds", "buildings", "stairwells"])
def test_a_territory_made_of_an_extract_has_no_fault(name: str, layer: str) -> None:
    town = territory_of(name).territory
    features, parents, column = {
        "compounds": (town.compounds, town.communities, "community_code"),
        "buildings": (town.buildings, town.compounds, "compound_code"),
        "stairwells": (town.stairwells, town.buildings, "building_code"),
    }[layer]
    named = features.assign(row=range(1, len(features) + 1), parent_code=features[column])
    for given in (named, named.drop(columns="parent_code")):
        report = inspect(layer, given, parents=parents, siblings=None)
        assert (report.errors, report.warnings) == ({}, {})
        assert not report.blocks()


@cache
def districts(source: str) -> GeoDataFrame:
    """The five districts of Foshan, with rows and codes."""
    frame = gpd.read_file(DATA / "boundaries" / f"foshan_districts_{source}.geojson")
    codes = frame["adcode" if source == "gcj02" else "district_adcode"].astype("str")
    return frame[["geometry"]].assign(row=range(1, len(frame) + 1), code=codes)


def report_on(source: str, parents: str | None) -> QualityReport:
    """Inspect districts without codes, so that only their shapes are judged."""
    above = None if parents is None else districts(parents)
    features = districts(source).drop(columns="code")
    return inspect("compounds", features, parents=above, siblings=None)


AMAP, TIANDITU = "amap_wgs84", "tianditu_wgs84"
# The simplified outlines of the second publisher are up to 35 m off, so that 1 to 3 % of each
# district lie outside that of the first, in pieces wider than any tolerance.
OUTSIDE = {"outside-parent": 5}
SUSPECTED = {"suspected-gcj02": 1}


@needs_boundaries
@pytest.mark.parametrize(
    ("source", "parents", "errors", "warnings"),
    [
        ("gcj02", None, {"invalid-geometry": 1}, {}),
        ("gcj02", AMAP, {"invalid-geometry": 1, **OUTSIDE}, SUSPECTED),
        ("gcj02", TIANDITU, {"invalid-geometry": 1, **OUTSIDE}, SUSPECTED),
        (AMAP, None, {}, {}),
        (AMAP, AMAP, {}, {}),
        (AMAP, TIANDITU, OUTSIDE, {}),
        (TIANDITU, None, {}, {}),
        (TIANDITU, TIANDITU, {}, {}),
        (TIANDITU, AMAP, OUTSIDE, {}),
    ],
)
def test_the_districts_of_foshan_against_those_of_another_publisher(
    source: str, parents: str | None, errors: Counts, warnings: Counts
) -> None:
    report = report_on(source, parents)
    assert (report.errors, report.warnings) == (errors, warnings)


@needs_boundaries
def test_the_district_that_crosses_itself_is_named_and_its_repair_keeps_the_area() -> None:
    report = report_on("gcj02", None)
    fault = report.faults.iloc[0]
    assert fault["row"] == 5
    assert fault["reason"].startswith("The geometry is invalid: its outline crosses itself.")
    assert (fault["geometry"].x, fault["geometry"].y) == pytest.approx((112.78972, 23.001377))
    assert report.repairs["row"].tolist() == [5]
    assert report.repairs["area_change_share"].iloc[0] == pytest.approx(0, abs=1e-9)
    repaired = apply_repairs(districts("gcj02").drop(columns="code"), report)
    again = inspect("compounds", repaired, parents=None, siblings=None)
    assert (again.errors, again.warnings) == ({}, {})


@needs_boundaries
def test_the_shift_of_the_districts_is_measured_and_goes_once_it_is_declared() -> None:
    fault = report_on("gcj02", AMAP).faults.iloc[0]
    assert fault["fault"] == "suspected-gcj02"
    # The description of the data: 540 m east and 290 m north.
    assert fault["measure"] == pytest.approx((540**2 + 290**2) ** 0.5, rel=0.02)
    declared = to_wgs84(districts("gcj02").drop(columns="code"), source="gcj02")
    report = inspect("compounds", declared, parents=districts(AMAP), siblings=None)
    assert report.warnings == {}
    outside = report.faults[report.faults["fault"] == "outside-parent"]
    assert outside["measure"].max() < 0.005


@needs_boundaries
def test_the_codes_of_districts_are_not_those_of_compounds() -> None:
    report = inspect("compounds", districts(AMAP), parents=None, siblings=None)
    assert report.errors == {"malformed-code": 5}
