"""Split building footprints into stairwells: by known entrances, else into equal slices.

Cutting is done in a plane tangent to the local metric CRS at each footprint: an affine image of
longitude and latitude. A straight wall stays straight in both, so the pieces partition the
footprint in EPSG:4326 exactly (to rounding), and metres are right to a millimetre in 200 m.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pyproj import CRS
from shapely import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC, local_metric_crs
from geodata.partition import faces_of, grow_from_seeds, merge_to_count, slice_cuts
from geodata.progress import Progress, silent

STAIRWELL_WIDTH_M = 16.0
# A stairwell's number has two digits.
MOST_STAIRWELLS = 99
# An entrance node that is not a corner of the outline still belongs to it this near.
_DOOR_REACH_M = 1.0
# Two doors without a letter this near are the wings of one.
_DOUBLE_DOOR_M = 4.0
# Half the side of the cross on which the tangent plane is measured, about 11 m.
_STEP_DEGREES = 1e-4

Points = NDArray[np.float64]
Pieces = list[tuple[Polygon, str | None]]


@dataclass(frozen=True)
class _Plane:
    """The tangent plane at one footprint: metres from its centre, by one matrix."""

    centre: Points
    to_metres: Points
    to_degrees: Points

    def forward(self, lon_lat: Points) -> Points:
        metres: Points = (lon_lat - self.centre) @ self.to_metres.T
        return metres

    def back(self, corners: Points) -> Callable[[Points], Points]:
        """Return the way back, which restores these original corners digit by digit."""
        places = zip(self.forward(corners), corners, strict=True)
        exact = {tuple(row): tuple(corner) for row, corner in places}

        def to_lon_lat(metres: Points) -> Points:
            degrees = metres @ self.to_degrees.T + self.centre
            found = [exact.get(tuple(row)) for row in metres]
            for index, corner in enumerate(found):
                if corner is not None:
                    degrees[index] = corner
            return degrees

        return to_lon_lat


def split_footprints(
    buildings: GeoDataFrame,
    *,
    entrances: GeoDataFrame | None,
    stairwell_width_m: float = STAIRWELL_WIDTH_M,
    progress: Progress | None = None,
) -> GeoDataFrame:
    """Split each footprint into the ground of its stairwells.

    Where two or more stairwells are known by their entrances, each gets what is nearest to its
    entrance (Voronoi cells cut to the footprint). Entrances with the same letter within two
    stairwell widths are one stairwell; where at least two letters are known, doors without a
    letter are shops and do not count. Elsewhere the footprint is cut across its long axis (of the
    smallest rectangle round it) into n slices of equal area, n = length / width, rounded, at
    least 1 and at most 99. A slice or cell that a concave footprint breaks in parts gives parts
    to its neighbours, so that each piece is connected: connected comes before equal.

    Parameters
    ----------
    buildings
        Shape (n,), valid polygons, holes allowed; EPSG:4326; unique index.
    entrances
        ``ref`` (the letter on the door, nullable) and points; EPSG:4326. None: no entrances.
    stairwell_width_m
        Length of a slab that one stairwell serves, metres, > 0.
    progress
        Told once a hundred footprints.

    Returns
    -------
    GeoDataFrame
        ``building`` (index label of the footprint), ``ref`` (letter, else None), ``split_by``
        (``entrances``, ``length`` or ``whole``), ``geometry`` (polygon, EPSG:4326), in the order
        of ``buildings``. Empty for no buildings. The pieces of a footprint are valid, share their
        vertices, do not overlap, and add up to it.
    """
    report = progress or silent
    doors = _doors_by_building(buildings, entrances)
    planes = _tangent_planes(buildings.geometry)
    rows: list[tuple[Any, str | None, str, Polygon]] = []
    for done, (label, footprint, plane) in enumerate(
        zip(buildings.index, buildings.geometry, planes, strict=True)
    ):
        way, pieces = _split(footprint, plane, doors.get(label), stairwell_width_m)
        rows += [(label, ref, way, piece) for piece, ref in pieces]
        if done % 100 == 0:
            report("stairwells", done, len(buildings))
    report("stairwells", len(buildings), len(buildings))
    columns = ["building", "ref", "split_by", "geometry"]
    return GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=GEOGRAPHIC)


def _split(
    footprint: BaseGeometry, plane: _Plane, doors: GeoDataFrame | None, width_m: float
) -> tuple[str, Pieces]:
    """Split one footprint; say by what."""
    corners = shapely.get_coordinates(footprint)
    ground = shapely.transform(footprint, plane.forward)
    if not isinstance(footprint, Polygon) or not isinstance(ground, Polygon):
        message = f"A footprint is a {footprint.geom_type}, not a polygon."
        raise TypeError(message)
    pieces: Pieces = []
    way = "entrances"
    if doors is not None:
        pieces = _by_entrances(ground, _stairwell_doors(doors, plane, width_m))
    if len(pieces) < 2:
        way, pieces = "length", _by_length(ground, width_m)
    if len(pieces) < 2:
        return "whole", [(footprint, None)]
    back = plane.back(corners)
    return way, [(shapely.transform(piece, back), ref) for piece, ref in pieces]


def _by_length(ground: Polygon, width_m: float) -> Pieces:
    """Slice a footprint, in metres, across its long axis."""
    rectangle = shapely.get_coordinates(shapely.oriented_envelope(ground))
    sides = np.diff(rectangle[:3], axis=0)
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    longer = int(lengths.argmax())
    count = min(max(int(lengths[longer] / width_m + 0.5), 1), MOST_STAIRWELLS)
    if count == 1:
        return [(ground, None)]
    cuts = slice_cuts(ground, axis=sides[longer] / lengths[longer], count=count)
    return [(piece, None) for piece in merge_to_count(faces_of(ground, cuts=cuts), count=count)]


def _by_entrances(ground: Polygon, doors: list[tuple[Points, str | None]]) -> Pieces:
    """Give each door, in metres, the part of the footprint that is nearest to it."""
    if len(doors) < 2:
        return []
    points = [Point(position) for position, _ in doors]
    around = shapely.union_all([ground, *points]).envelope.buffer(10)
    edges = shapely.voronoi_polygons(MultiPoint(points), extend_to=around, only_edges=True)
    faces = faces_of(ground, cuts=[edges])
    nearest = [int(shapely.distance(faces, point).argmin()) for point in points]
    refs: dict[int, str | None] = {}
    for seed, (_, ref) in zip(nearest, doors, strict=True):
        refs.setdefault(seed, ref)
    return list(zip(grow_from_seeds(faces, seeds=list(refs)), refs.values(), strict=True))


def _stairwell_doors(
    doors: GeoDataFrame, plane: _Plane, width_m: float
) -> list[tuple[Points, str | None]]:
    """Group the doors of a footprint to stairwells: middle of each in metres, and its letter."""
    lettered = doors[doors["ref"].notna()]
    known = lettered if len(set(lettered["ref"])) > 1 else doors
    groups: list[tuple[str | None, list[Points]]] = []
    places = plane.forward(shapely.get_coordinates(known.geometry.to_numpy()))
    for place, ref in zip(places, known["ref"], strict=True):
        letter = None if pd.isna(ref) else str(ref)
        reach = _DOUBLE_DOOR_M if letter is None else 2 * width_m
        for other, members in groups:
            if other == letter and np.hypot(*(members[0] - place)) <= reach:
                members.append(place)
                break
        else:
            groups.append((letter, [place]))
    return [(np.mean(members, axis=0), letter) for letter, members in groups]


def _doors_by_building(
    buildings: GeoDataFrame, entrances: GeoDataFrame | None
) -> dict[Any, GeoDataFrame]:
    """Return the entrances that stand on each footprint's outline, within a metre."""
    if entrances is None or entrances.empty or buildings.empty:
        return {}
    crs = _metric_crs(buildings.geometry)
    outlines = buildings[["geometry"]].to_crs(crs)
    outlines = outlines.set_geometry(outlines.boundary).rename_axis("building").reset_index()
    near = gpd.sjoin_nearest(
        entrances[["geometry"]].to_crs(crs), outlines, max_distance=_DOOR_REACH_M
    )
    near = near[~near.index.duplicated()]  # a door in a shared wall counts for one building
    owner = near["building"].reindex(entrances.index)
    return {label: entrances.loc[rows] for label, rows in entrances.groupby(owner).groups.items()}


def _metric_crs(shapes: GeoSeries) -> CRS:
    """Return the local metric CRS in the middle of some shapes."""
    xmin, ymin, xmax, ymax = shapes.total_bounds
    return local_metric_crs(lon=(xmin + xmax) / 2, lat=(ymin + ymax) / 2)


def _tangent_planes(footprints: GeoSeries) -> list[_Plane]:
    """Linearise the local metric CRS at the middle of each footprint, by central differences."""
    if footprints.empty:
        return []
    centres = shapely.get_coordinates(shapely.centroid(footprints.to_numpy()))
    crs = _metric_crs(footprints)
    step = _STEP_DEGREES

    def image(lon: float, lat: float) -> Points:
        points = GeoSeries(shapely.points(centres + np.array([lon, lat])), crs=GEOGRAPHIC)
        return shapely.get_coordinates(points.to_crs(crs).to_numpy())

    by_lon = (image(step, 0) - image(-step, 0)) / (2 * step)
    by_lat = (image(0, step) - image(0, -step)) / (2 * step)
    to_metres = np.stack([by_lon, by_lat], axis=2)
    to_degrees = np.linalg.inv(to_metres)
    return [_Plane(*parts) for parts in zip(centres, to_metres, to_degrees, strict=True)]
