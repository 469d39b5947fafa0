"""Communities with many teams are shared out, nobody and nothing twice."""

import numpy as np
from geopandas import GeoDataFrame, points_from_xy

from gridsvc.patrols.candidates import TEAMS_A_PROBLEM, neighbourhoods


def points(count: int, seed: int) -> GeoDataFrame:
    lon, lat = np.random.default_rng(seed).uniform(0, 0.02, (2, count))
    places = points_from_xy(113.15 + lon, 23.03 + lat)
    return GeoDataFrame({"code": range(count)}, geometry=places, crs="EPSG:4326")


def test_few_teams_are_one_group() -> None:
    groups = neighbourhoods(points(TEAMS_A_PROBLEM, 1), points(50, 2))
    assert [(len(teams), len(stairwells)) for teams, stairwells in groups] == [(4, 50)]


def test_many_teams_are_shared_out_whole() -> None:
    groups = neighbourhoods(points(26, 1), points(3000, 2))
    assert max(len(teams) for teams, _ in groups) == TEAMS_A_PROBLEM
    for part, count in ((0, 26), (1, 3000)):
        codes = [code for group in groups for code in group[part]["code"]]
        assert sorted(codes) == list(range(count))
