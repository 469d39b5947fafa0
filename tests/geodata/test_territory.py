"""A territory with a faulty geometry is refused by name."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.errors import InvalidGeometryError
from geodata.territory import Territory, require_sound

SQUARE = shapely.box(113.15, 23.03, 113.16, 23.04)
BOW_TIE = Polygon([(113.15, 23.03), (113.16, 23.04), (113.16, 23.03), (113.15, 23.04)])


def frame(code: str, geometry: BaseGeometry | None) -> GeoDataFrame:
    shapes = GeoSeries(np.array([geometry], dtype=object), crs="EPSG:4326")
    return GeoDataFrame({"code": [code]}, geometry=shapes)


def territory() -> Territory:
    return Territory(
        street_code=440605011000,
        street_name="桂城",
        communities=frame("440605011016", SQUARE),
        compounds=frame("440605011016001", SQUARE),
        buildings=frame("440605011016001001", SQUARE),
        stairwells=frame("44060501101600100101", SQUARE),
        walkways=frame("w1", LineString([(113.15, 23.03), (113.16, 23.04)])),
    )


def test_a_sound_territory_passes() -> None:
    require_sound(territory())


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [(BOW_TIE, "Self-intersection"), (Polygon(), "missing or empty"), (None, "missing or empty")],
)
def test_a_faulty_geometry_is_named(geometry: BaseGeometry | None, reason: str) -> None:
    faulty = replace(territory(), buildings=frame("440605011016001001", geometry))
    with pytest.raises(InvalidGeometryError, match=reason) as caught:
        require_sound(faulty)
    assert caught.value.layer == "building"
    assert caught.value.name == "440605011016001001"
