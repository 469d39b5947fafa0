"""A fault of each kind in a perfect layer, and what the report must say of it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely import Polygon, affinity
from shapely.geometry.base import BaseGeometry

from geodata.offsets import bd09_from_wgs84, gcj02_from_wgs84
from tests.geodata.quality.squares import Layer, layer

BUILDINGS = layer("buildings")
STAIRWELLS = layer("stairwells", side_m=10)
COMPOUNDS = layer("compounds", side_m=300)
ROW = 5  # the middle square of the first parent


Move = Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]


class Planted(NamedTuple):
    """A layer with one fault, and what the report must say of it."""

    kind: str
    severity: str
    layer: Layer
    features: GeoDataFrame
    row: int | None = ROW
    other_row: int | None = None
    other_code: str | None = None
    measure: float | None = None
    words: str = ""
    place: BaseGeometry | None = None


def bow_tie(town: Layer, row: int) -> Polygon:
    west, south, east, north = town.shape(row).bounds
    return Polygon([(west, south), (east, north), (east, south), (west, north)])


def strip(town: Layer, row: int, width: float) -> Polygon:
    """The south of a square, as a share of its height."""
    west, south, east, north = town.shape(row).bounds
    return shapely.box(west, south, east, south + width * (north - south))


def not_a_number(shape: BaseGeometry) -> BaseGeometry:
    def spoilt(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        xy[1] = np.nan
        return xy

    return shapely.transform(shape, spoilt)


def swapped(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda xy: xy[:, ::-1])


def mirrored(shape: BaseGeometry, *signs: int) -> BaseGeometry:
    return shapely.transform(shape, lambda xy: xy * np.array(signs))


def shifted(frame: GeoDataFrame, shift: Move) -> GeoDataFrame:
    shapes = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack(shift(lon=xy[:, 0], lat=xy[:, 1]))
    )
    return frame.set_geometry(shapes, crs=4326)


def planted() -> list[Planted]:
    town, stairs, blocks = BUILDINGS, STAIRWELLS, COMPOUNDS
    square = town.shape(ROW)
    centre = square.centroid
    first_code = str(town.features["code"].iloc[0])
    corner = shapely.box(*square.bounds[:2], centre.x, centre.y)
    far = town.moved(ROW, 1_000, 0)
    across = shapely.box(179.9, 23, 180.1, 23.1)
    apart = shapely.MultiPolygon(
        [
            strip(town, ROW, 0.4),
            affinity.translate(strip(town, ROW, 0.4), 0, 0.6 * town.side_lat),
        ]
    )
    return [
        Planted("missing-geometry", "error", town, town.with_shape(ROW, None), words="missing"),
        Planted("missing-geometry", "error", town, town.with_shape(ROW, Polygon()), words="empty"),
        Planted(
            "not-a-polygon",
            "error",
            town,
            town.with_shape(ROW, centre),
            words="Point",
            place=centre,
        ),
        Planted(
            "not-a-polygon",
            "error",
            town,
            town.with_shape(ROW, square.boundary),
            words="LineString",
        ),
        Planted(
            "impossible-coordinates",
            "error",
            town,
            town.with_shape(ROW, shapely.box(500_000, 2_500_000, 500_020, 2_500_020)),
            words="500,000",
        ),
        Planted(
            "impossible-coordinates",
            "error",
            town,
            town.with_shape(ROW, not_a_number(square)),
            words="not a number",
        ),
        Planted("antimeridian", "error", town, town.with_shape(ROW, across), words="180.1"),
        Planted(
            "antimeridian",
            "error",
            town,
            town.with_shape(ROW, shapely.box(-179.9, 23, 179.9, 23.1)),
            words="antimeridian",
        ),
        Planted(
            "swapped-axes",
            "error",
            town,
            town.with_shape(ROW, swapped(square)),
            words="swapped",
            place=square,
        ),
        Planted(
            "wrong-hemisphere",
            "error",
            town,
            town.with_shape(ROW, mirrored(square, 1, -1)),
            words="latitude",
            place=square,
        ),
        Planted(
            "wrong-hemisphere",
            "error",
            town,
            town.with_shape(ROW, mirrored(square, -1, 1)),
            words="longitude",
            place=square,
        ),
        Planted(
            "wrong-hemisphere",
            "error",
            town,
            town.with_shape(ROW, mirrored(square, -1, -1)),
            words="both",
            place=square,
        ),
        Planted(
            "far-away",
            "error",
            town,
            town.with_shape(ROW, far),
            measure=20_000,
            words="20 km",
            place=far,
        ),
        Planted(
            "far-away",
            "error",
            town,
            town.with_shape(ROW, shapely.box(2.3, 48.8, 2.4, 48.9)),
            words="km from every compound",
        ),
        Planted(
            "invalid-geometry",
            "error",
            town,
            town.with_shape(ROW, bow_tie(town, ROW)),
            measure=200,
            words="crosses itself",
            place=centre,
        ),
        Planted(
            "several-parts",
            "error",
            town,
            town.with_shape(ROW, apart),
            measure=2,
            words="has 2 parts",
            place=apart,
        ),
        Planted(
            "sliver",
            "warning",
            town,
            town.with_shape(ROW, strip(town, ROW, 0.05)),
            measure=20,
            words="nowhere wider than 1.5 m",
        ),
        Planted(
            "sliver",
            "warning",
            town,
            town.with_shape(ROW, affinity.scale(square, 0.1, 0.1)),
            measure=4,
            words="less than the 6 m²",
        ),
        Planted(
            "unknown-parent",
            "error",
            town,
            town.with_value(ROW, "parent_code", "440605011001007").assign(code=None),
            other_code="440605011001007",
            words="does not exist",
        ),
        Planted(
            "no-parent",
            "error",
            town,
            town.with_row(town.moved(1, -2, 0)),
            row=19,
            measure=20,
            words="no compound",
        ),
        Planted(
            "outside-parent",
            "error",
            town,
            town.with_row(town.moved(1, -0.5, 1), parent_code="440605011001001"),
            row=19,
            measure=1,
            words="All of it",
        ),
        Planted(
            "outside-parent",
            "error",
            town,
            town.with_shape(1, town.moved(1, -0.2, 0)),
            row=1,
            measure=0.2,
            other_code="440605011001001",
            words="20.00% of it",
        ),
        Planted(
            "outside-parent",
            "warning",
            town,
            town.with_shape(1, town.moved(1, -0.04, 0)),
            row=1,
            measure=0.04,
            words="4.00% of it",
        ),
        Planted(
            "duplicate",
            "error",
            town,
            town.with_row(square.reverse()),
            row=19,
            other_row=ROW,
            measure=400,
            words=f"row {ROW}",
            place=square,
        ),
        Planted(
            "duplicate",
            "error",
            town,
            town.with_row(shapely.segmentize(square, town.side_lat / 3)),
            row=19,
            other_row=ROW,
            words="same",
        ),
        Planted(
            "overlap",
            "error",
            town,
            town.with_row(corner),
            row=19,
            other_row=ROW,
            measure=100,
            words="wider than 0.3 m",
            place=corner,
        ),
        Planted(
            "overlap",
            "warning",
            town,
            town.with_shape(ROW, shapely.union(square, town.moved(ROW, 0.01, 0))),
            row=8,
            other_row=ROW,
            measure=4,
            words="nowhere wider",
        ),
        Planted(
            "gap",
            "warning",
            stairs,
            stairs.with_shape(ROW, strip(stairs, ROW, 0.5)),
            row=None,
            other_code="440605011001001001",
            measure=50,
            words="belong to no stairwell",
        ),
        Planted(
            "gap",
            "warning",
            stairs,
            stairs.features[stairs.features["row"] != ROW],
            row=None,
            measure=100,
            place=stairs.shape(ROW),
        ),
        Planted(
            "duplicate-code",
            "error",
            town,
            town.with_value(ROW, "code", first_code),
            other_row=1,
            other_code=first_code,
            words="Row 1",
        ),
        Planted(
            "malformed-code",
            "error",
            town,
            town.with_value(ROW, "code", "44060501100100105"),
            words="17 digits",
        ),
        Planted(
            "malformed-code",
            "error",
            town,
            town.with_value(ROW, "code", "4.40605E+17"),
            words="characters",
        ),
        Planted(
            "malformed-code",
            "error",
            town,
            town.with_value(ROW, "code", "440605011001001000"),
            words="number 0",
        ),
        Planted(
            "code-of-other-parent",
            "error",
            town,
            town.with_value(ROW, "code", "440605011001002055"),
            other_code="440605011001001",
            words="does not begin",
        ),
        Planted(
            "code-order",
            "warning",
            town,
            town.with_value(ROW, "code", "440605011001001099"),
            words="099",
        ),
        Planted(
            "suspected-gcj02",
            "warning",
            blocks,
            shifted(blocks.features, gcj02_from_wgs84),
            row=None,
            words="GCJ-02",
        ),
        Planted(
            "suspected-bd09",
            "warning",
            blocks,
            shifted(blocks.features, bd09_from_wgs84),
            row=None,
            words="BD-09",
        ),
    ]
