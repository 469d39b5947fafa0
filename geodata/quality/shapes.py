"""Faults of a shape by itself: missing, no area, invalid, in several parts, a sliver."""

import re
from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geodata.crs import to_metres
from geodata.quality.batch import Batch, areas_of, make_sound
from geodata.quality.findings import Fault
from geodata.quality.pieces import (
    Mask,
    Shapes,
    joined,
    only,
    polygon_parts,
    sums,
    wider_than,
)
from geodata.quality.report import collect_repairs
from geodata.quality.rules import LayerRule
from geodata.reasons import NOTHING, Reason, reason

_AREAS = [int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON)]
_SPOT = re.compile(r"^(.*?)\[(\S+) (\S+)\]$")

# What GEOS says, that the reasons have in the words of people who draw.
_FAULTS = frozenset(
    {
        "Self-intersection",
        "Ring Self-intersection",
        "Hole lies outside shell",
        "Holes are nested",
        "Nested shells",
        "Duplicate Rings",
        "Interior is disconnected",
        "Too few points in geometry component",
    }
)


def find_missing(batch: Batch) -> tuple[Mask, list[Fault]]:
    """Return which features have an area at all, and the faults of those that have none.

    EPSG:4326. A collection counts as no area, whatever it holds.
    """
    missing = shapely.is_missing(batch.shapes)
    absent = missing | shapely.is_empty(batch.shapes)
    no_area = ~absent & ~np.isin(shapely.get_type_id(batch.shapes), _AREAS)
    at_absent, at_other = np.flatnonzero(absent), np.flatnonzero(no_area)
    states = ["missing" if missing[at] else "empty" for at in at_absent]
    types = [shape.geom_type for shape in batch.shapes[at_other]]
    found = [
        *batch.faults(
            "missing-geometry",
            at_absent,
            [reason(f"geometry-{state}") for state in states],
            [None] * len(at_absent),
        ),
        *batch.faults(
            "not-a-polygon",
            at_other,
            [reason("not-a-polygon", type=reason(f"type-{name}")) for name in types],
            [_drawable(shape) for shape in batch.shapes[at_other]],
        ),
    ]
    blurred = ~(absent | no_area) & ~_are_finite(batch.shapes)
    at_blurred = np.flatnonzero(blurred)
    reasons = [reason("not-finite")] * len(at_blurred)
    found += batch.faults("impossible-coordinates", at_blurred, reasons, [None] * len(at_blurred))
    return ~(absent | no_area | blurred), found


@dataclass(frozen=True)
class Mending:
    """Which shapes were invalid, and what a repair makes of them; EPSG:4326.

    Attributes
    ----------
    shapes
        Every shape of the batch, valid: repaired where it was not; None where it cannot be used.
    broken
        Which shapes were invalid.
    """

    shapes: Shapes
    broken: Mask


def mend(batch: Batch, sound: Mask) -> Mending:
    """Repair the invalid shapes among those that are ``sound`` otherwise; EPSG:4326."""
    shapes = only(batch.shapes, sound)
    broken: Mask = sound & ~shapely.is_valid(shapes)
    shapes[broken] = make_sound(shapes[broken])
    shapes[broken & shapely.is_empty(shapes)] = None
    return Mending(shapes, broken)


def find_invalid(
    batch: Batch, mending: Mending, rule: LayerRule, *, crs: CRS
) -> tuple[list[Fault], GeoDataFrame]:
    """Return the faults of invalid shapes, EPSG:4326, and the repairs proposed.

    Parameters
    ----------
    batch, mending
        The features, and what :func:`mend` made of them.
    rule
        Says whether several parts are allowed.
    crs
        Projected, in metres, for the areas.
    """
    at = np.flatnonzero(mending.broken)
    repairs = mending.shapes[at]
    is_repaired = ~shapely.is_missing(repairs)
    after_m2 = np.nan_to_num(shapely.area(to_metres(repairs, crs)))
    # To the square millimetre: an equal area is not changed by rounding.
    change_m2 = np.round(after_m2 - shapely.area(to_metres(batch.shapes[at], crs)), 6) + 0.0
    faults, spots = _reasons(batch.shapes[at])
    reasons = [
        reason("invalid", fault=fault, repair=_repair_words(repair, change, rule))
        for fault, repair, change in zip(faults, repairs, change_m2, strict=True)
    ]
    found = batch.faults("invalid-geometry", at, reasons, spots, measures=change_m2, unit="m2")
    proposed = collect_repairs(
        batch.rows[at][is_repaired].tolist(),
        repairs[is_repaired].tolist(),
        change_m2[is_repaired].tolist(),
        (change_m2[is_repaired] / after_m2[is_repaired]).tolist(),
    )
    return found, proposed


def find_slivers(batch: Batch, shapes: Shapes, rule: LayerRule, *, crs: CRS) -> list[Fault]:
    """Return faults of parts too thin or too small to be real, one a feature; EPSG:4326.

    Parameters
    ----------
    batch, shapes
        The features; their shapes, valid, None where not to be looked at.
    rule
        The least width and area.
    crs
        Projected, in metres.
    """
    parts, owner = polygon_parts(shapes)
    grounds = to_metres(parts, crs)
    area_m2 = shapely.area(grounds)
    wide = wider_than(grounds, rule.least_width_m)
    poor = ~wide | (area_m2 < rule.least_area_m2)
    at, place = np.unique(owner[poor], return_inverse=True)
    poor_m2 = sums(area_m2[poor], place)
    thin = set(owner[poor & ~wide].tolist())
    reasons = []
    for feature, area in zip(at, poor_m2, strict=True):
        key = "sliver-part" if shapely.get_num_geometries(shapes[feature]) > 1 else "sliver"
        limit = (
            reason("sliver-thin", width_m=rule.least_width_m)
            if feature in thin
            else reason("sliver-small", least_m2=rule.least_area_m2, noun=rule.called)
        )
        reasons.append(reason(key, area_m2=area, limit=limit))
    places = joined(parts[poor], place)
    return batch.faults(
        "sliver", at, reasons, places, severity="warning", measures=poor_m2, unit="m2"
    )


def find_several_parts(batch: Batch, mending: Mending, rule: LayerRule) -> list[Fault]:
    """Return faults of shapes in several parts, where a layer allows but one; EPSG:4326.

    What only a repair would take apart is told with the repair.
    """
    if not rule.is_one_part:
        return []
    count = shapely.get_num_geometries(mending.shapes)
    at = np.flatnonzero((count > 1) & ~mending.broken & ~shapely.is_missing(mending.shapes))
    reasons = [reason("several-parts", count=count[place], noun=rule.called) for place in at]
    return batch.faults("several-parts", at, reasons, mending.shapes[at], measures=count[at])


def _are_finite(shapes: Shapes) -> Mask:
    """Tell which shapes have no coordinate that is NaN or infinite."""
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), dtype=bool)
    finite[owner[~np.isfinite(corners).all(axis=1)]] = False
    return finite


def _reasons(shapes: Shapes) -> tuple[list[Reason], list[BaseGeometry]]:
    """Return what is wrong with invalid shapes, in words, and where: a point, or the shape."""
    words: list[Reason] = []
    spots: list[BaseGeometry] = []
    for shape, told in zip(shapes, shapely.is_valid_reason(shapes), strict=True):
        match = _SPOT.match(told)
        fault = match[1] if match else told
        words.append(
            reason(f"invalid-{fault.replace(' ', '-').lower()}")
            if fault in _FAULTS
            else reason("invalid-other", told=fault.lower())
        )
        spots.append(shapely.Point(float(match[2]), float(match[3])) if match else shape)
    return words, spots


def _repair_words(repair: BaseGeometry | None, change_m2: float, rule: LayerRule) -> Reason:
    """Say what a repair would do."""
    if repair is None:
        return reason("repair-nothing-left")
    count = int(shapely.get_num_geometries(repair))
    parts = NOTHING
    if count > 1:
        key = "repair-parts-refused" if rule.is_one_part else "repair-parts"
        parts = reason(key, count=count, noun=rule.called)
    if abs(change_m2) < 0.05:
        return reason("repair-keeps", parts=parts)
    return reason("repair-changes", change_m2=change_m2, parts=parts)


def _drawable(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape that GeoJSON and maps can show: the areas of a collection, else its box."""
    if shape.geom_type != "GeometryCollection":
        return shape
    areas = areas_of(np.array([shape], dtype=object))[0]
    return areas if not areas.is_empty else shapely.envelope(shape)
