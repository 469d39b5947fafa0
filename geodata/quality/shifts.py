"""Whether a layer that claims to be WGS 84 carries the shift of a Chinese map service."""

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS

from geodata.crs import to_metres
from geodata.offsets import SHIFTS, Shift, unshift_shapes
from geodata.quality.batch import Outlines, make_sound
from geodata.quality.findings import Fault, note_faults
from geodata.quality.parents import Homes, locate
from geodata.quality.pieces import Numbers, Positions, Shapes
from geodata.quality.tolerances import (
    LEAST_OVERLAP_SHARE,
    SHIFT_IMPROVEMENT,
    SHIFT_LEAST_SHARE,
    SHIFT_SAMPLE,
)
from geodata.reasons import reason

_NAMES: dict[Shift, str] = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_TURNS = np.arange(1, 8) * np.pi / 4


@dataclass(frozen=True)
class _Fit:
    """How well a layer fits its parents once a shift is undone.

    Attributes
    ----------
    outside
        Mean share of a shape outside its parent.
    elsewhere
        The least such share that a move of the same length in another direction leaves.
    move
        Mean move, degrees.
    """

    source: Shift
    outside: float
    elsewhere: float
    move: Numbers


def find_shift(
    shapes: Shapes, homes: Homes, declared: bool, parents: Outlines, *, crs: CRS
) -> list[Fault]:
    """Return the fault of a layer that fits its parents far better once a shift is undone.

    The shapes must fit badly as they are, at least twice as well after undoing the shift, and at
    least twice as well as after a move of the same length in any of seven other directions: a
    layer that is merely drawn badly improves by none of them, or by several. The fault is of no
    single row; its place is the box round the layer.

    Parameters
    ----------
    shapes
        Valid, EPSG:4326, None where not to be looked at.
    homes, parents
        The parent of each, as the file names it or as it lies now.
    declared
        Whether the file names the parents; else each shape counts with the parent that it would
        lie in.
    crs
        Projected, in metres, for the length of the shift.
    """
    at = _sample(shapes)
    own = homes.place[at] if declared else None
    now = _outside(shapes[at], own, parents)
    if not len(at) or now < SHIFT_LEAST_SHARE:
        return []
    fits = [fit for source in SHIFTS if (fit := _fit(shapes[at], own, parents, source)) is not None]
    likely = [fit for fit in fits if fit.outside < SHIFT_IMPROVEMENT * min(now, fit.elsewhere)]
    if not likely:
        return []
    return _fault(min(likely, key=lambda fit: fit.outside), now, shapes, crs)


def _sample(shapes: Shapes) -> Positions:
    """Return the places of shapes evenly from west to east, the same in any order of rows."""
    usable = np.flatnonzero(~shapely.is_missing(shapes))
    centres = shapely.get_coordinates(shapely.centroid(shapes[usable]))
    ordered = usable[np.lexsort((centres[:, 1], centres[:, 0]))]
    count = min(len(ordered), SHIFT_SAMPLE)
    return ordered[np.linspace(0, len(ordered) - 1, count).round().astype(np.int64)]


def _outside(shapes: Shapes, own: Positions | None, parents: Outlines) -> float:
    """Return the mean share of shapes outside their parents."""
    if not len(shapes):
        return 0.0
    if own is None:
        return float(1 - locate(shapes, parents)[1].mean())
    known = own >= 0
    inside = np.zeros(len(shapes))
    shared = shapely.intersection(shapes[known], parents.shapes[own[known]])
    inside[known] = shapely.area(shared) / shapely.area(shapes[known])
    return float(1 - inside.mean())


def _fit(shapes: Shapes, own: Positions | None, parents: Outlines, source: Shift) -> _Fit | None:
    """Return how shapes fit once a shift is undone; None where that moves nothing."""
    moved = unshift_shapes(shapes, source=source)
    before = shapely.get_coordinates(shapely.centroid(shapes))
    after = shapely.get_coordinates(shapely.centroid(moved))
    move = (after - before).mean(axis=0)
    if np.hypot(*move) < LEAST_OVERLAP_SHARE:
        return None
    shrink = np.array([np.cos(np.radians(before[:, 1].mean())), 1])
    elsewhere = min(
        _outside(_moved(shapes, _turned(move * shrink, turn) / shrink), own, parents)
        for turn in _TURNS
    )
    return _Fit(source, _outside(make_sound(moved), own, parents), elsewhere, move)


def _turned(move: Numbers, angle: float) -> Numbers:
    """Turn a move round its start."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([cosine * move[0] - sine * move[1], sine * move[0] + cosine * move[1]])


def _moved(shapes: Shapes, move: Numbers) -> Shapes:
    """Return shapes moved by degrees."""
    return np.asarray(shapely.transform(shapes, lambda degrees: degrees + move), dtype=object)


def _fault(fit: _Fit, now: float, shapes: Shapes, crs: CRS) -> list[Fault]:
    """Return the fault of the whole layer."""
    box = shapely.box(*shapely.total_bounds(shapes))
    middle = np.asarray(shapely.get_coordinates(shapely.centroid(box))[0])
    ends = shapely.get_coordinates(
        to_metres(np.asarray(shapely.points([middle, middle + fit.move])), crs)
    )
    length_m = float(np.hypot(*(ends[1] - ends[0])))
    why = reason(
        "shifted",
        name=_NAMES[fit.source],
        now=now,
        then=fit.outside,
        length_m=length_m,
        source=fit.source,
    )
    return note_faults(
        f"suspected-{fit.source}",
        [why],
        [box],
        severity="warning",
        measures=[length_m],
        unit="m",
    )
