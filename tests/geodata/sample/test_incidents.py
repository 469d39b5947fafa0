"""Incidents of the sample: in place, clustered, with hours and a trend."""

import numpy as np
import pandas as pd
import shapely

from geodata.categories import class_of, load_categories
from geodata.sample import Sample
from tests.geodata.sample.measured import place

STREET = 440605011000


def dispersion(sample: Sample, *, cell_m: float) -> tuple[float, float]:
    """Variance over mean of counts in squares that hold ways; of incidents, of uniform noise."""
    inside = sample.incidents[sample.incidents["community_code"] != STREET]
    places = shapely.get_coordinates(inside.to_crs(4547).geometry.to_numpy())
    homes = sample.territory.stairwells.to_crs(4547)
    middles = shapely.get_coordinates(shapely.centroid(homes.geometry.to_numpy()))
    random = np.random.default_rng(0)
    noise = middles[random.integers(len(middles), size=len(places))]
    corner = middles.min(axis=0) - 500
    cells = np.unique((middles - corner) // cell_m, axis=0)
    ratios = []
    for points in (places, noise):
        index = (points - corner) // cell_m
        found, counts = np.unique(index, axis=0, return_counts=True)
        table = {tuple(cell): count for cell, count in zip(found.tolist(), counts, strict=True)}
        filled = np.array([table.get(tuple(cell), 0) for cell in cells.tolist()])
        ratios.append(float(filled.var() / filled.mean()))
    return ratios[0], ratios[1]


def test_incidents_cluster(full: Sample) -> None:
    found, noise = dispersion(full, cell_m=100)
    assert found > 5
    assert found > 2 * noise


def test_most_incidents_lie_in_stairwells_or_compounds(full: Sample) -> None:
    compounds = full.territory.compounds.geometry.to_numpy()
    points = full.incidents.geometry.to_numpy()
    in_compound = np.unique(shapely.STRtree(compounds).query(points, predicate="within")[0])
    stairwells = full.territory.stairwells.geometry.to_numpy()
    in_stairwell = np.unique(shapely.STRtree(stairwells).query(points, predicate="within")[0])
    assert len(in_stairwell) > 0.4 * len(points)
    assert len(in_compound) - len(in_stairwell) > 0.2 * len(points)
    assert 0.05 * len(points) < len(points) - len(in_compound) < 0.2 * len(points)


def test_the_community_is_the_one_that_contains_the_point(full: Sample) -> None:
    inside = full.incidents[full.incidents["community_code"] != STREET]
    communities = full.territory.communities
    own = communities.geometry.to_numpy()[place(communities, inside["community_code"])]
    assert shapely.contains(own, inside.geometry.to_numpy()).all()


def test_twelve_incidents_lie_outside_every_community(full: Sample) -> None:
    outside = full.incidents[full.incidents["community_code"] == STREET]
    assert len(outside) == 12
    town = full.territory.communities.union_all()
    assert not outside.intersects(town).any()
    metres = outside.to_crs(4547).distance(full.territory.communities.to_crs(4547).union_all())
    assert metres.max() < 600


def test_all_were_handled_by_the_end_of_june_2020(full: Sample) -> None:
    reported = full.incidents["reported_at"].dt.tz_convert("Asia/Shanghai")
    closed = full.incidents["closed_at"].dt.tz_convert("Asia/Shanghai")
    assert str(full.incidents["reported_at"].dt.tz) == "UTC"
    assert reported.min() >= pd.Timestamp("2018-07-01", tz="Asia/Shanghai")
    assert closed.max() < pd.Timestamp("2020-07-01", tz="Asia/Shanghai")
    assert (closed >= reported).all()
    assert set(full.incidents["status"]) == {"closed"}
    assert reported.is_monotonic_increasing


def test_classes_have_their_own_hours(full: Sample) -> None:
    hour = full.incidents["reported_at"].dt.tz_convert("Asia/Shanghai").dt.hour
    classes = full.incidents["category_code"].map(class_of)
    share = pd.crosstab(classes, hour, normalize="index")
    late = share[[19, 20, 21, 22, 23]].sum(axis=1)
    morning = share[[6, 7, 8, 9, 10]].sum(axis=1)
    assert late["neighbour_dispute"] > 1.5 * morning["neighbour_dispute"]
    assert morning["sanitation"] > 1.3 * late["sanitation"]
    night = share[[23, 0, 1, 2, 3, 4]].sum(axis=1)
    assert night.idxmax() == "security"


def test_sanitation_falls_and_parking_rises(full: Sample) -> None:
    classes = full.incidents["category_code"].map(class_of)
    year = (full.incidents["reported_at"] >= pd.Timestamp("2019-07-01", tz="UTC")).astype(int)
    counts = pd.crosstab(classes, year)
    change = counts[1] / counts[0]
    assert change["sanitation"] < 1
    assert change["parking"] > 1


def test_lifts_are_added_to_old_houses(full: Sample) -> None:
    retrofits = full.incidents[full.incidents["category_code"] == "lift.retrofit"]
    buildings = full.territory.buildings
    found, building = shapely.STRtree(buildings.geometry.to_numpy()).query(
        retrofits.geometry.to_numpy(), predicate="within"
    )
    assert len(found) == len(retrofits)
    assert (buildings["levels"].iloc[building] <= 9).all()


def test_the_catalogue_has_seven_classes_with_sub_categories() -> None:
    categories = load_categories()
    codes = [category.code for category in categories]
    classes = [category.code for category in categories if category.parent is None]
    assert len(set(codes)) == len(codes)
    assert len(classes) == 7
    assert {category.parent for category in categories} - {None} == set(classes)
    assert all(category.name_zh and category.name_en for category in categories)
