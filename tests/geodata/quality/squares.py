"""Perfect layers for the tests: squares that tile their parents, coded as an office would."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC
from geodata.quality import QualityReport, inspect

LON, LAT = 113.15, 23.03
METRES_A_DEGREE = 111_000

# Layer: code of the first parent, digits of the number at the end of a child's code.
PARENTS = {
    "communities": ("440605011000", 3),
    "compounds": ("440605011001", 3),
    "buildings": ("440605011001001", 3),
    "stairwells": ("440605011001001001", 2),
}


@dataclass(frozen=True)
class Layer:
    """Features in perfect order, and their parents."""

    name: str
    features: GeoDataFrame
    parents: GeoDataFrame
    side_lon: float
    side_lat: float

    def inspect(self, features: GeoDataFrame | None = None, **frames: Any) -> QualityReport:
        given = {"parents": self.parents, "siblings": None} | frames
        return inspect(self.name, self.features if features is None else features, **given)

    def shape(self, row: int) -> BaseGeometry:
        return self.features.set_index("row").geometry.loc[row]

    def moved(self, row: int, east: float, north: float) -> BaseGeometry:
        """The shape of a row, moved by so many sides of a square."""
        step = np.array([east * self.side_lon, north * self.side_lat])
        return shapely.transform(self.shape(row), lambda xy: xy + step)

    def with_shape(self, row: int, shape: BaseGeometry | None) -> GeoDataFrame:
        shapes = self.features.geometry.where(self.features["row"] != row, shape)
        shapes[self.features["row"] == row] = shape
        return self.features.set_geometry(shapes.set_crs(GEOGRAPHIC, allow_override=True))

    def with_value(self, row: int, column: str, value: object) -> GeoDataFrame:
        values = self.features[column].where(self.features["row"] != row, value)
        return self.features.assign(**{column: values})

    def with_row(self, shape: BaseGeometry, **values: object) -> GeoDataFrame:
        """The features and one more, without a code."""
        row = {"row": len(self.features) + 1, "code": None, "parent_code": None} | values
        more = GeoDataFrame([row], geometry=[shape], crs=GEOGRAPHIC)
        both = pd.concat([self.features.astype({"code": object, "parent_code": object}), more])
        return GeoDataFrame(both, geometry="geometry", crs=GEOGRAPHIC).reset_index(drop=True)


def layer(
    name: str = "buildings",
    *,
    parent_count: int = 2,
    columns: int = 3,
    rows: int = 3,
    side_m: float = 20,
    lon: float = LON,
    lat: float = LAT,
) -> Layer:
    """Parents side by side, each tiled by squares: neighbours share their corners to the bit."""
    side_lat = side_m / METRES_A_DEGREE
    side_lon = side_lat / np.cos(np.radians(lat))
    x = lon + np.arange(parent_count * columns + 1) * side_lon
    y = lat + np.arange(rows + 1) * side_lat
    first, digits = PARENTS[name]
    step = 1000 if name == "communities" else 1
    parents, features = [], []
    for place in range(parent_count):
        code = str(int(first) + place * step)
        prefix = code[:9] if name == "communities" else code
        west, east = place * columns, (place + 1) * columns
        parents.append({"code": code, "geometry": shapely.box(x[west], y[0], x[east], y[-1])})
        squares = [
            shapely.box(x[column], y[row], x[column + 1], y[row + 1])
            for column in range(west, east)
            for row in reversed(range(rows))
        ]
        features += [
            {"code": f"{prefix}{number:0{digits}d}", "parent_code": code, "geometry": square}
            for number, square in enumerate(squares, start=1)
        ]
    drawn = GeoDataFrame(features, geometry="geometry", crs=GEOGRAPHIC)
    drawn.insert(0, "row", range(1, len(drawn) + 1))
    above = GeoDataFrame(parents, geometry="geometry", crs=GEOGRAPHIC)
    return Layer(name, drawn, above, float(side_lon), float(side_lat))


def counts(report: QualityReport) -> dict[str, int]:
    """Number of faults by kind, errors and warnings together."""
    return {str(kind): int(n) for kind, n in report.faults["fault"].value_counts().items()}
