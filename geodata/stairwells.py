"""Split building footprints into stairwells: by known entrances, else into equal slices.

Cutting is done in a plane tangent to the local metric CRS at each footprint: an affine image of
longitude and latitude. A straight wall stays straight in both, so the pieces partition the
footprint in EPSG:4326 exactly (to rounding), and metres are right to a millimetre in 200 m.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series
from shapely import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC, metric_crs_of
from geodata.errors import InvalidParameterError
from geodata.partition import faces_of, grow_from_seeds, slices
from geodata.progress import Progress, silent
from geodata.spine import NORTHWARD_SHARE, cut_across_spine, in_spine_order, spine_length

STAIRWELL_WIDTH_M = 16.0
# A stairwell's number has two digits.
MOST_STAIRWELLS = 99
# An entrance node that is not a corner of the outline still belongs to it this near.
_DOOR_REACH_M = 1.0
# Two doors without a letter this near are the wings of one.
_DOUBLE_DOOR_M = 4.0
# A footprint is straight if it fills this share of its convex hull.
_CONVEX_SHARE = 0.85
# Recesses narrower than this lie between balconies, not between the arms of a building.
_RECESS_M = 6.0
# Slices across the long axis serve where none differs more from the mean.
_EQUAL_SHARE = 0.02
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
        return _apply(self.to_metres, lon_lat - self.centre)

    def ground(self, footprint: Polygon) -> Polygon:
        """Return a footprint in metres."""
        moved: Polygon = shapely.transform(footprint, self.forward)
        return moved

    def back(self, pieces: list[Polygon], footprint: Polygon) -> list[Polygon]:
        """Return pieces in degrees; the corners of the footprint come back digit by digit."""
        corners = shapely.get_coordinates(footprint)
        places = self.forward(corners).tolist()
        exact = {(x, y): corner for (x, y), corner in zip(places, corners, strict=True)}

        def to_lon_lat(metres: Points) -> Points:
            degrees = _apply(self.to_degrees, metres) + self.centre
            for row, (x, y) in enumerate(metres.tolist()):
                if (x, y) in exact:
                    degrees[row] = exact[x, y]
            return degrees

        return list(shapely.transform(np.array(pieces), to_lon_lat))


def along_spine(pieces: GeoDataFrame) -> GeoSeries:
    """Return points by which `geodata.codes` numbers pieces in the order of their ``number``.

    Parameters
    ----------
    pieces
        As `split_footprints` returns them.

    Returns
    -------
    GeoSeries
        Shape (n,), index of ``pieces``, EPSG:4326 in name only: the numbers, as if they went from
        west to east.
    """
    numbers = pieces["number"].to_numpy()
    return GeoSeries(shapely.points(numbers, 0.0), index=pieces.index, crs=GEOGRAPHIC)


def _apply(matrix: Points, rows: Points) -> Points:
    """Multiply row by row: a library call may round equal rows differently in different frames."""
    return np.column_stack(
        [
            rows[:, 0] * matrix[0, 0] + rows[:, 1] * matrix[0, 1],
            rows[:, 0] * matrix[1, 0] + rows[:, 1] * matrix[1, 1],
        ]
    )


def split_footprints(
    buildings: GeoDataFrame,
    *,
    entrances: GeoDataFrame | None,
    counts: Series | None = None,
    stairwell_width_m: float = STAIRWELL_WIDTH_M,
    progress: Progress | None = None,
) -> GeoDataFrame:
    """Split each footprint into the ground of its stairwells.

    Where two or more stairwells are known by their entrances, each gets what is nearest to its
    entrance (Voronoi cells cut to the footprint). Entrances with the same letter within two
    stairwell widths are one stairwell; where at least two letters are known, doors without a
    letter are shops and do not count. A stated count stands: entrances serve only where they are
    as many. Elsewhere n = length / width, rounded, at least 1 and at most 99, and the footprint is
    cut into n pieces of equal area: a straight building across its long axis (of the smallest
    rectangle round it), a bent, branched or holed one across its arms, as long as they are
    together. Each piece is connected: connected comes before equal.

    Parameters
    ----------
    buildings
        Shape (n,), valid polygons, holes allowed; EPSG:4326; unique index.
    entrances
        ``ref`` (the letter on the door, nullable) and points; EPSG:4326. None: no entrances.
    counts
        How many stairwells a building is known to have, 1 to 99, nullable; index of ``buildings``,
        rows may be absent. None: none is known.
    stairwell_width_m
        Length of a slab that one stairwell serves, metres, > 0.
    progress
        Told once a hundred footprints.

    Returns
    -------
    GeoDataFrame
        ``building`` (index label of the footprint), ``number`` (int64, from 1, along the spine of
        the building from its west end, or its north end where it runs north to south), ``ref``
        (letter, else None), ``split_by`` (``entrances``, ``count``, ``length`` or ``whole``),
        ``geometry`` (polygon, EPSG:4326), in the order of ``buildings`` and ``number``. Empty for
        no buildings. The pieces of a footprint are valid, share their vertices, do not overlap,
        and add up to it.

    Raises
    ------
    InvalidParameterError
        A count is not from 1 to 99.
    """
    report = progress or silent
    doors = _doors_by_building(buildings, entrances)
    stated = _stated_counts(counts)
    planes = _tangent_planes(buildings.geometry)
    rows: list[tuple[Any, int, str | None, str, Polygon]] = []
    for done, (label, footprint, plane) in enumerate(
        zip(buildings.index, buildings.geometry, planes, strict=True)
    ):
        way, pieces = _split(
            footprint, plane, doors.get(label), stated.get(label), stairwell_width_m
        )
        numbered = enumerate(pieces, start=1)
        rows += [(label, number, ref, way, piece) for number, (piece, ref) in numbered]
        if done % 100 == 0:
            report("stairwells", done, len(buildings))
    report("stairwells", len(buildings), len(buildings))
    columns = ["building", "number", "ref", "split_by", "geometry"]
    table = pd.DataFrame(rows, columns=columns).astype({"number": "int64"})
    return GeoDataFrame(table, geometry="geometry", crs=GEOGRAPHIC)


def _stated_counts(counts: Series | None) -> dict[Any, int]:
    """Return the counts that are stated."""
    if counts is None:
        return {}
    known = counts.dropna()
    for label, count in known.items():
        if not 1 <= count <= MOST_STAIRWELLS or count != int(count):
            rule = f"a whole number from 1 to {MOST_STAIRWELLS}"
            raise InvalidParameterError(f"the stairwell count of building {label}", count, rule)
    return {label: int(count) for label, count in known.items()}


def _split(
    footprint: BaseGeometry,
    plane: _Plane,
    doors: GeoDataFrame | None,
    count: int | None,
    width_m: float,
) -> tuple[str, Pieces]:
    """Split one footprint; say by what."""
    if not isinstance(footprint, Polygon):
        message = f"A footprint is a {footprint.geom_type}, not a polygon."
        raise TypeError(message)
    ground = plane.ground(footprint)
    pieces: Pieces = []
    way = "entrances"
    if doors is not None and count != 1:
        pieces = _by_entrances(ground, _stairwell_doors(doors, plane, width_m))
    if len(pieces) < 2 or count not in (None, len(pieces)):
        way = "length" if count is None else "count"
        asked = estimate_stairwells(ground, stairwell_width_m=width_m) if count is None else count
        pieces = [(piece, None) for piece in cut_equally(ground, count=asked)]
    if len(pieces) < 2:
        return "whole", [(footprint, None)]
    shapes = plane.back([piece for piece, _ in pieces], footprint)
    return way, list(zip(shapes, (ref for _, ref in pieces), strict=True))


def estimate_stairwells(ground: Polygon, *, stairwell_width_m: float = STAIRWELL_WIDTH_M) -> int:
    """Tell how many stairwells a footprint of this size and shape has.

    Parameters
    ----------
    ground
        Valid, holes allowed; CRS: projected, in metres.
    stairwell_width_m
        Length of a slab that one stairwell serves, metres, > 0.

    Returns
    -------
    int
        Length of the building (of all its arms together) / width, rounded; from 1 to 99.
    """
    length = _axis(ground)[1]
    if not _is_straight(ground):
        filled = _without_recesses(ground)
        yards = len(filled.interiors)
        length = max(length, spine_length(filled.area, filled.length, courtyards=yards))
    return min(max(int(length / stairwell_width_m + 0.5), 1), MOST_STAIRWELLS)


def cut_equally(ground: Polygon, *, count: int) -> list[Polygon]:
    """Cut a footprint into connected pieces of equal area, in order along its spine.

    Parameters
    ----------
    ground
        Valid, holes allowed; CRS: projected, in metres.
    count
        Pieces, >= 1.

    Returns
    -------
    list of Polygon
        Of a straight building, slabs across its long axis; of another, pieces across its arms.
        From the west end, or from the north end where the building runs north to south.
    """
    if count == 1:
        return [ground]
    if _is_straight(ground):
        pieces = slices(ground, axis=_axis(ground)[0], count=count)
        if _are_equal(pieces, ground.area, count):
            return pieces
    return cut_across_spine(ground, count=count)


def _are_equal(pieces: list[Polygon], total: float, count: int) -> bool:
    areas = shapely.area(pieces)
    return len(pieces) == count and bool(np.all(np.abs(areas * count / total - 1) < _EQUAL_SHARE))


def _axis(ground: Polygon) -> tuple[Points, float]:
    """Return the unit vector of the longer side of the smallest rectangle round it, and its length.

    It points east, or south where the building runs north to south.
    """
    rectangle = shapely.get_coordinates(shapely.oriented_envelope(ground))
    sides = np.diff(rectangle[:3], axis=0)
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    longer = int(lengths.argmax())
    axis = sides[longer] / lengths[longer]
    backward = axis[1] > 0 if abs(axis[0]) < NORTHWARD_SHARE * abs(axis[1]) else axis[0] < 0
    return (-axis if backward else axis), float(lengths[longer])


def _is_straight(ground: Polygon) -> bool:
    """Tell whether a footprint is one slab or block: nearly as large as its convex hull."""
    hull_area = ground.convex_hull.area
    if ground.area >= _CONVEX_SHARE * hull_area:
        return True
    filled = _without_recesses(ground)
    return len(filled.interiors) == 0 and filled.area >= _CONVEX_SHARE * hull_area


def _without_recesses(ground: Polygon) -> Polygon:
    """Fill the recesses and light wells between balconies, which part no arm from another."""
    wider: BaseGeometry = ground.buffer(_RECESS_M / 2, join_style="mitre")
    closed: BaseGeometry = wider.buffer(-_RECESS_M / 2, join_style="mitre")
    return closed if isinstance(closed, Polygon) else ground


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
    pieces = grow_from_seeds(faces, seeds=list(refs))
    letters = dict(zip((id(piece) for piece in pieces), refs.values(), strict=True))
    return [(piece, letters[id(piece)]) for piece in in_spine_order(pieces)]


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
    crs = metric_crs_of(buildings.total_bounds)
    outlines = buildings[["geometry"]].to_crs(crs)
    outlines = outlines.set_geometry(outlines.boundary).rename_axis("building").reset_index()
    near = gpd.sjoin_nearest(
        entrances[["geometry"]].to_crs(crs), outlines, max_distance=_DOOR_REACH_M
    )
    near = near[~near.index.duplicated()]  # a door in a shared wall counts for one building
    owner = near["building"].reindex(entrances.index)
    return {label: entrances.loc[rows] for label, rows in entrances.groupby(owner).groups.items()}


def _tangent_planes(footprints: GeoSeries) -> list[_Plane]:
    """Linearise the local metric CRS at the middle of each footprint, by central differences."""
    if footprints.empty:
        return []
    centres = shapely.get_coordinates(shapely.centroid(footprints.to_numpy()))
    crs = metric_crs_of(footprints.total_bounds)
    step = _STEP_DEGREES

    def image(lon: float, lat: float) -> Points:
        points = GeoSeries(shapely.points(centres + np.array([lon, lat])), crs=GEOGRAPHIC)
        return shapely.get_coordinates(points.to_crs(crs).to_numpy())

    by_lon = (image(step, 0) - image(-step, 0)) / (2 * step)
    by_lat = (image(0, step) - image(0, -step)) / (2 * step)
    to_metres = np.stack([by_lon, by_lat], axis=2)
    to_degrees = np.linalg.inv(to_metres)
    return [_Plane(*parts) for parts in zip(centres, to_metres, to_degrees, strict=True)]
