"""Which stairwells are worth a visit tonight, and how much."""

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from geodata.heat import cells_of

HEAT_ZOOM = 18
"""Heat is looked at in cells of 140 m at Guicheng."""

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
