"""Entrances of buildings: points of a file, and which footprint each belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import Series

from geodata.columns import normalised_name
from geodata.crs import GEOGRAPHIC, metric_crs_of, to_metres
from geodata.errors import AmbiguousColumnsError
from geodata.files import read_layer
from geodata.reasons import Reason, reason

ENTRANCE_REACH_M = 5.0
"""Distance from its footprint up to which an entrance is the building's: it is drawn on the wall,
in front of the porch, or where a phone stood. Inside the footprint any place will do."""

_POINT = int(shapely.GeometryType.POINT)
_AREAS = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
_NAMES = {
    "building_code": (
        *("building_code", "building", "code", "bldg_code"),
        *("楼栋编码", "楼栋编号", "楼栋代码", "楼栋码", "所属楼栋", "楼栋网格编码", "编码", "楼栋"),
    ),
    "ref": (
        *("ref", "letter", "door", "unit", "entrance", "stairwell"),
        *("单元", "单元号", "梯", "梯号", "门号", "出入口", "楼道"),
    ),
}

Shapes = NDArray[np.object_]
Codes = NDArray[np.object_]


@dataclass(frozen=True)
class Unmatched:
    """An entrance that belongs to no building of the file; the point is in EPSG:4326."""

    row: int
    building_code: str | None
    why: Reason
    point: shapely.Point | None


@dataclass(frozen=True)
class Matched:
    """Which entrances belong to which buildings.

    Attributes
    ----------
    doors
        ``building`` (index label), ``ref``, ``geometry`` (the nearest point on its outline,
        EPSG:4326); by row of the entrances.
    unmatched
        The others, by row.
    """

    doors: GeoDataFrame
    unmatched: list[Unmatched]


def read_entrances(
    path: Path, *, crs: str | None = None, encoding: str | None = None
) -> GeoDataFrame:
    """Read a file of entrances, in any format of territory.

    Parameters
    ----------
    path, crs, encoding
        As for `geodata.files.read_layer`: the CRS is declared or in the file, never guessed.

    Returns
    -------
    GeoDataFrame
        ``row``, ``building_code`` (which building; missing where the file does not say), ``ref``
        (the letter or number on the door, nullable), ``geometry`` (as the file has it, EPSG:4326).

    Raises
    ------
    UnreadableFileError
        It cannot be read; see there.
    AmbiguousColumnsError
        Two columns could be the building's code, or the letter.
    """
    found = read_layer(path, crs=crs, encoding=encoding).frame
    names = {str(name): normalised_name(str(name)) for name in found.columns}
    columns = {
        field: _column(found, [name for name in names if names[name] in known])
        for field, known in ((key, set(map(normalised_name, all_))) for key, all_ in _NAMES.items())
    }
    doubts = {field: told for field, told in columns.items() if isinstance(told, tuple)}
    if doubts:
        raise AmbiguousColumnsError("entrances", doubts, {})
    return GeoDataFrame({"row": found["row"], **columns}, geometry=found.geometry, crs=GEOGRAPHIC)


def _column(found: GeoDataFrame, names: Sequence[str]) -> Series | tuple[str, ...]:
    """Return the one column of some names, trimmed; the names where there are several."""
    if len(names) > 1:
        return tuple(names)
    if not names:
        return Series(None, index=found.index, dtype="object")
    texts = found[names[0]].astype(object)
    return texts.map(lambda text: text.strip() or None, na_action="ignore").astype(object)


def match_entrances(
    buildings: GeoDataFrame, entrances: GeoDataFrame, *, reach_m: float = ENTRANCE_REACH_M
) -> Matched:
    """Find the building of each entrance: the one that it names, else the nearest.

    Parameters
    ----------
    buildings
        ``code`` (nullable), ``geometry``; what is no valid area has no entrances. EPSG:4326.
    entrances
        As `read_entrances` gives them; EPSG:4326.
    reach_m
        How far from the footprint an entrance may lie, metres.

    Returns
    -------
    Matched
        In EPSG:4326; no entrances give nothing.
    """
    shapes = np.asarray(buildings.geometry.array, dtype=object)
    usable = np.flatnonzero(
        np.isin(shapely.get_type_id(shapes), _AREAS)
        & ~shapely.is_empty(shapes)
        & shapely.is_valid(shapes)
    )
    points = np.asarray(entrances.geometry.array, dtype=object).copy()
    points[(shapely.get_type_id(points) != _POINT) | shapely.is_empty(points)] = None
    has_code = entrances["building_code"].notna()
    codes = entrances["building_code"].astype(object).where(has_code, None).to_numpy(dtype=object)
    owners, distances_m = _nearest(shapes, usable, points)
    named = _named(buildings["code"], codes, usable)
    at = np.flatnonzero(~shapely.is_missing(points) & (named >= 0))
    owners[at], distances_m[at] = named[at], _distances(shapes[named[at]], points[at])
    is_unknown = has_code.to_numpy() & (named < 0)
    is_near = ~is_unknown & (distances_m <= reach_m)
    unmatched = [
        Unmatched(
            row,
            codes[at],
            _why(row, codes[at], distances_m[at], reach_m=reach_m, is_unknown=is_unknown[at]),
            points[at],
        )
        for at, row in enumerate(entrances["row"].tolist())
        if not is_near[at]
    ]
    doors = GeoDataFrame(
        {
            "building": buildings.index.to_numpy()[owners[is_near]],
            "ref": entrances["ref"].astype(object).to_numpy()[is_near],
        },
        geometry=_on_outline(shapes[owners[is_near]], points[is_near]),
        crs=GEOGRAPHIC,
    )
    return Matched(doors, unmatched)


def _nearest(
    shapes: Shapes, usable: NDArray[np.int64], points: Shapes
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the place of the footprint nearest to each point, and metres to it; -1 for none."""
    owners = np.full(len(points), -1, dtype=np.int64)
    distances_m = np.full(len(points), np.inf)
    if not len(usable) or shapely.is_missing(points).all():
        return owners, distances_m
    crs = metric_crs_of(shapely.total_bounds(shapes[usable]))
    tree = shapely.STRtree(to_metres(shapes[usable], crs))
    (at, owner), reach = tree.query_nearest(
        to_metres(points, crs), return_distance=True, all_matches=False
    )
    owners[at], distances_m[at] = usable[owner], reach
    return owners, distances_m


def _distances(shapes: Shapes, points: Shapes) -> NDArray[np.float64]:
    """Return metres from each point to the footprint beside it."""
    if not len(shapes):
        return np.empty(0)
    crs = metric_crs_of(shapely.total_bounds(shapes))
    return np.asarray(shapely.distance(to_metres(shapes, crs), to_metres(points, crs)))


def _named(codes: Series, wanted: Codes, usable: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of the building that each entrance names, -1 for none or an unknown one."""
    places = {str(codes.iloc[at]): int(at) for at in usable if isinstance(codes.iloc[at], str)}
    found = [-1 if code is None else places.get(code, -1) for code in wanted]
    return np.array(found, dtype=np.int64)


def _why(
    row: int, code: str | None, distance_m: float, *, reach_m: float, is_unknown: bool
) -> Reason:
    if is_unknown:
        return reason("entrance-unknown-building", row=row, code=code)
    if not np.isfinite(distance_m):
        return reason("entrance-no-point", row=row)
    key = "entrance-nowhere" if code is None else "entrance-far-from-own"
    return reason(key, row=row, code=code, distance_m=distance_m, limit_m=reach_m)


def _on_outline(shapes: Shapes, points: Shapes) -> GeoSeries:
    """Return the nearest point on each outline; some metres are a straight way in degrees, too."""
    ways = shapely.shortest_line(shapely.boundary(shapes), points)
    return GeoSeries(shapely.get_point(ways, 0), crs=GEOGRAPHIC)
