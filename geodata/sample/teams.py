"""Patrol teams: two or three a community, each with a gate to start from."""

import geopandas as gpd
import numpy as np
import shapely
from geopandas import GeoDataFrame

from geodata.sample.chance import stream, uuid7_texts
from geodata.sample.frames import FOUNDED_MS, to_lon_lat
from geodata.sample.lines import array_of
from geodata.sample.settlement import Settlement

_STARTS = "19:30"
_ENDS = "21:00"


def make_teams(settlement: Settlement, *, seed: int, scale: float) -> GeoDataFrame:
    """Return the teams frame, by community, then number; EPSG:4326.

    Parameters
    ----------
    settlement
        The town.
    seed, scale
        As `geodata.sample.make_sample`; a larger town has more teams.

    Returns
    -------
    GeoDataFrame
        As `geodata.sample.Sample`; start posts are inside the main gates of compounds, at an end
        of a walkway.
    """
    random = stream(seed, "teams")
    home = settlement.compounds["community"].to_numpy()
    communities, names, gates = [], [], []
    for index, community in enumerate(settlement.town.communities):
        own = random.permutation(np.flatnonzero(home == index))
        count = round((2 + int(random.integers(2))) * max(scale, 1.0))
        gates += own[np.arange(count) % len(own)].tolist()
        communities += [community.code] * count
        names += [f"{community.name}第{number + 1}巡查队" for number in range(count)]
    places = array_of(shapely.points(settlement.network.main_gates[gates]))
    return gpd.GeoDataFrame(
        {
            "id": uuid7_texts(np.full(len(names), FOUNDED_MS), random=random),
            "community_code": np.array(communities, dtype=np.int64),
            "name": names,
            "starts": _STARTS,
            "ends": _ENDS,
        },
        geometry=to_lon_lat(places, settlement.crs),
    )
