"""Turn geometries between the town's metric CRS and each block's own axes."""

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.sample.chance import Floats, Ints
from geodata.sample.lines import Geometries

_SURVEY_M = 1e-3


@dataclass(frozen=True)
class Turning:
    """Own axes of blocks: origin in the middle, x along the block's east.

    Attributes
    ----------
    origins
        Shape (n, 2), metric CRS.
    angles
        Shape (n,), radians from the metric x axis.
    """

    origins: Floats
    angles: Floats

    def to_block(self, geometries: Geometries, block: Ints) -> Geometries:
        """Return geometries in the axes of their block."""
        return self._turn(geometries, block, inward=True)

    def to_town(self, geometries: Geometries, block: Ints) -> Geometries:
        """Return geometries of blocks' axes in the metric CRS, rounded to a millimetre."""
        return self._turn(geometries, block, inward=False)

    def points_to_town(self, points: Floats, block: Ints) -> Floats:
        """Return points, shape (n, 2), as `to_town` does."""
        return self._outward(points, block)

    def _turn(self, geometries: Geometries, block: Ints, *, inward: bool) -> Geometries:
        points, row = shapely.get_coordinates(geometries, return_index=True)
        turn = self._inward if inward else self._outward
        return shapely.set_coordinates(geometries.copy(), turn(points, block[row]))

    def _inward(self, points: Floats, block: Ints) -> Floats:
        x, y = (points - self.origins[block]).T
        cos, sin = np.cos(self.angles)[block], np.sin(self.angles)[block]
        return np.column_stack([cos * x + sin * y, -sin * x + cos * y])

    def _outward(self, points: Floats, block: Ints) -> Floats:
        x, y = points.T
        cos, sin = np.cos(self.angles)[block], np.sin(self.angles)[block]
        turned = np.column_stack([cos * x - sin * y, sin * x + cos * y]) + self.origins[block]
        rounded: Floats = np.round(turned / _SURVEY_M) * _SURVEY_M
        return rounded
