"""Which stairwells are worth a visit tonight, and how much."""

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from scipy.spatial import cKDTree

from geodata.crs import metric_crs_of
from geodata.heat import cells_of

HEAT_ZOOM = 18
"""Heat is looked at in cells of 140 m at Guicheng."""

TEAMS_A_PROBLEM = 4
"""More teams than this in one problem take minutes: VROOM's effort grows with their square."""

SEEN_PRIZE = 10
INCIDENT_PRIZE = 10
HOT_PRIZE = 15


def choose_candidates(
    stairwells: GeoDataFrame, counts: dict[str, int], heat: GeoDataFrame, *, limit: int
) -> GeoDataFrame:
    """Return the stairwells most worth a visit, with their prize and what it is made of.

    The prize is 10 for being seen at all, 10 an incident in the stairwell, and 15 a standard
    deviation of Gi* where the cell is a hot spot.

    Parameters
    ----------
    stairwells
        ``code``, ``geometry`` (point, EPSG:4326) and more.
    counts
        Incidents by stairwell code.
    heat
        ``x``, ``y`` (cells of zoom 18), ``z_score``, ``is_hot``; one row a cell.
    limit
        Most rows to return.

    Returns
    -------
    GeoDataFrame
        At most ``limit`` rows: the columns given, ``incident_count``, ``z_score`` (0 where not
        hot), ``prize`` (int64); the greatest prize first, then by code. EPSG:4326.
    """
    x, y = cells_of(lon=stairwells.geometry.x, lat=stairwells.geometry.y, zoom=HEAT_ZOOM)
    hot = heat.loc[heat["is_hot"]].set_index(["x", "y"])["z_score"]
    z_score = hot.reindex(pd.MultiIndex.from_arrays([x, y])).fillna(0.0).to_numpy(np.float64)
    incident_count = stairwells["code"].map(counts).fillna(0).to_numpy(np.int64)
    prize = (
        SEEN_PRIZE + INCIDENT_PRIZE * incident_count + np.rint(HOT_PRIZE * z_score).astype(np.int64)
    )
    ranked = stairwells.assign(incident_count=incident_count, z_score=z_score, prize=prize)
    ordered = ranked.sort_values(["prize", "code"], ascending=[False, True])
    return ordered.head(limit).reset_index(drop=True)


def neighbourhoods(
    teams: GeoDataFrame, stairwells: GeoDataFrame
) -> list[tuple[GeoDataFrame, GeoDataFrame]]:
    """Share a community out among groups of neighbouring teams, so that each is solved in a second.

    Parameters
    ----------
    teams, stairwells
        ``geometry`` (points). CRS: EPSG:4326.

    Returns
    -------
    list
        Teams and the stairwells nearest to their posts: each in one group, four teams at most; a
        single group for up to four teams. EPSG:4326.
    """
    if len(teams) <= TEAMS_A_PROBLEM:
        return [(teams, stairwells)]
    metric = metric_crs_of(teams.total_bounds)
    posts, doors = (frame.geometry.to_crs(metric) for frame in (teams, stairwells))
    # Strips from west to east: neighbours in a strip are neighbours on the ground, near enough.
    group = np.empty(len(teams), dtype=np.int64)
    group[np.lexsort((posts.y, posts.x))] = np.arange(len(teams)) // TEAMS_A_PROBLEM
    tree = cKDTree(np.column_stack([posts.x, posts.y]))
    nearest = tree.query(np.column_stack([doors.x, doors.y]))[1]
    return [
        (teams[group == each].reset_index(drop=True), stairwells[group[nearest] == each])
        for each in range(int(group.max()) + 1)
    ]
