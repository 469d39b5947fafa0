"""A territory in metres, as its published frames give it back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from geodata.crs import local_metric_crs
from geodata.territory import Territory

Geometries = NDArray[np.object_]

# Seven decimals of a degree are a centimetre; two vertices may both be off.
TOLERANCE_M = 0.02


@dataclass(frozen=True)
class Measured:
    territory: Territory
    communities: Geometries
    compounds: Geometries
    buildings: Geometries
    stairwells: Geometries
    walkways: Geometries

    def levels(self) -> dict[str, Geometries]:
        return {
            "communities": self.communities,
            "compounds": self.compounds,
            "buildings": self.buildings,
            "stairwells": self.stairwells,
        }

    def parents(self) -> dict[str, tuple[Geometries, Geometries]]:
        """For each level below the first: its polygons, and the parent of each of them."""
        frames = self.territory
        of_compound = place(frames.communities, frames.compounds["community_code"])
        of_building = place(frames.compounds, frames.buildings["compound_code"])
        of_stairwell = place(frames.buildings, frames.stairwells["building_code"])
        return {
            "compounds": (self.compounds, self.communities[of_compound]),
            "buildings": (self.buildings, self.compounds[of_building]),
            "stairwells": (self.stairwells, self.buildings[of_stairwell]),
        }


def place(parents: GeoDataFrame, codes: pd.Series) -> NDArray[np.int64]:
    """Return the row of the parent with each code."""
    found: NDArray[np.int64] = pd.Index(parents["code"]).get_indexer(pd.Index(codes))
    assert (found >= 0).all()
    return found


def measure(territory: Territory) -> Measured:
    crs = local_metric_crs(lon=113.15, lat=23.03)
    return Measured(
        territory,
        *(
            np.asarray(frame.to_crs(crs).geometry.to_numpy(), dtype=object)
            for frame in (
                territory.communities,
                territory.compounds,
                territory.buildings,
                territory.stairwells,
                territory.walkways,
            )
        ),
    )


def meeting_pairs(
    geometries: Geometries,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pair of geometries that touch or overlap once."""
    one, other = shapely.STRtree(geometries).query(geometries, predicate="intersects")
    once = one < other
    return one[once], other[once]
