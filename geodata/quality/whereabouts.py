"""Features that are nowhere near where they belong: impossible, swapped, mirrored or far."""

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS, Geod

from geodata.crs import metric_crs_of, to_metres
from geodata.quality.batch import Batch, Outlines
from geodata.quality.findings import Fault
from geodata.quality.pieces import Mask, Numbers, Positions, Shapes, only
from geodata.quality.rules import LayerRule
from geodata.quality.tolerances import FAR_M, WINDOW_DEGREES
from geodata.reasons import reason

_ELLIPSOID = Geod(ellps="WGS84")
# FAR_M and a little more, in degrees: how far round the parents a corrected shape counts.
_MARGIN_DEGREES = FAR_M / 110_000

# What undoes each mistake: kind, x and y from the columns lon, lat of the file, signs, reason.
_MISTAKES = (
    ("swapped-axes", (1, 0), (1, 1), "misplaced-swapped"),
    ("wrong-hemisphere", (0, 1), (1, -1), "misplaced-lat"),
    ("wrong-hemisphere", (0, 1), (-1, 1), "misplaced-lon"),
    ("wrong-hemisphere", (0, 1), (-1, -1), "misplaced-both"),
)


@dataclass(frozen=True)
class Window:
    """Where the features belong, and in which CRS to measure there.

    Attributes
    ----------
    box
        West, south, east, north of the parents, degrees; without parents the middle of the layer.
    crs
        Projected, in metres.
    """

    box: tuple[float, float, float, float]
    crs: CRS

    @property
    def middle(self) -> tuple[float, float]:
        """Return longitude and latitude of the middle, degrees."""
        west, south, east, north = self.box
        return (west + east) / 2, (south + north) / 2

    def holds(self, points: Numbers, *, margin_degrees: float) -> Mask:
        """Tell which points, shape (n, 2), lie in the box or within some degrees of it."""
        west, south, east, north = self.box
        x, y = points[:, 0], points[:, 1]
        within: Mask = (x >= west - margin_degrees) & (x <= east + margin_degrees)
        within &= (y >= south - margin_degrees) & (y <= north + margin_degrees)
        return within


def find_window(shapes: Shapes, parents: Outlines | None) -> Window:
    """Return where shapes belong: round the parents, else round the middle of their middles.

    EPSG:4326. Without shapes and parents it is round 0, 0.
    """
    if parents is not None:
        west, south, east, north = shapely.total_bounds(parents.shapes).tolist()
    else:
        centres = shapely.get_coordinates(shapely.centroid(shapes))
        centres = centres[(np.abs(centres) <= (180, 90)).all(axis=1)]
        middle = np.median(centres, axis=0) if len(centres) else np.zeros(2)
        west, south = east, north = (float(middle[0]), float(middle[1]))
    crs = metric_crs_of((west, south, east, north))
    return Window((west, south, east, north), crs)


def find_misplaced(
    batch: Batch,
    shapes: Shapes,
    located: Positions,
    parents: Outlines | None,
    window: Window,
    rule: LayerRule,
) -> tuple[Mask, list[Fault]]:
    """Return which features are in another place altogether, and their faults; EPSG:4326.

    Parameters
    ----------
    batch, shapes
        The features; their shapes, None where not to be looked at.
    located
        Place of the parent that each overlaps most, -1 for none.
    parents, window, rule
        What is above them, where that is, and the layer's rules.
    """
    wrapped, told = _antimeridian(batch, shapes)
    there = ~shapely.is_missing(shapes) & ~wrapped
    impossible = there & ~_are_possible(shapes)
    distances_m = _distances(shapes, there & ~impossible & (located < 0), parents, window)
    far = there & (impossible | (distances_m > FAR_M))
    found = list(told)
    left = far.copy()
    for kind, axes, signs, key in _MISTAKES:
        corrected = _corrected(only(shapes, left), axes, signs)
        fits = _would_fit(corrected, left, impossible, kind, parents, window)
        at = np.flatnonzero(fits)
        reasons = [reason(key)] * len(at)
        found += batch.faults(kind, at, reasons, corrected[at])
        left &= ~fits
    found += _impossible(batch, shapes, left & impossible)
    found += _far(batch, shapes, left & ~impossible, distances_m, parents, rule)
    return far | wrapped, found


def _corrected(shapes: Shapes, axes: tuple[int, int], signs: tuple[int, int]) -> Shapes:
    """Return shapes with their columns of coordinates reordered, and with other signs."""

    def undone(degrees: Numbers) -> Numbers:
        return np.asarray(degrees[:, axes] * np.array(signs))

    return np.asarray(shapely.transform(shapes, undone), dtype=object)


def _antimeridian(batch: Batch, shapes: Shapes) -> tuple[Mask, list[Fault]]:
    """Return which features reach across 180°, and their faults: placed at both their ends."""
    west, _, east, _ = shapely.bounds(shapes).T
    across = (east - west > 180) | ((west < 180) & (east > 180)) | ((west < -180) & (east > -180))
    at = np.flatnonzero(across)
    ends = []
    for shape in shapes[at]:
        corners = shapely.get_coordinates(shape)
        corners = corners[[corners[:, 0].argmin(), corners[:, 0].argmax()]]
        corners[:, 0] = (corners[:, 0] + 180) % 360 - 180
        ends.append(shapely.MultiPoint(corners))
    reasons = [reason("antimeridian", west=west[place], east=east[place]) for place in at]
    return across, batch.faults("antimeridian", at, reasons, ends)


def _are_possible(shapes: Shapes) -> Mask:
    """Tell which shapes have longitudes and latitudes, none of them NaN."""
    west, south, east, north = shapely.bounds(shapes).T
    possible: Mask = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    return possible


def _distances(shapes: Shapes, wanted: Mask, parents: Outlines | None, window: Window) -> Numbers:
    """Return metres from each wanted shape to the nearest parent, or to the middle of the layer.

    Within the window they are measured in its CRS, from edge to edge; beyond, where that CRS is of
    no use, on the ellipsoid from middle to middle. Zero for what is not wanted.
    """
    distances = np.zeros(len(shapes))
    centres = shapely.get_coordinates(shapely.centroid(only(shapes, wanted)))
    at = np.flatnonzero(wanted)
    if not len(at):
        return distances
    near = window.holds(centres, margin_degrees=WINDOW_DEGREES)
    lon, lat = window.middle
    beyond = centres[~near]
    distances[at[~near]] = _ELLIPSOID.inv(
        beyond[:, 0], beyond[:, 1], np.full(len(beyond), lon), np.full(len(beyond), lat)
    )[2]
    if parents is not None and near.any():
        tree = shapely.STRtree(to_metres(parents.shapes, window.crs))
        (place, _), reach = tree.query_nearest(
            to_metres(shapes[at[near]], window.crs), return_distance=True, all_matches=False
        )
        distances[at[near][place]] = reach
    return distances


def _would_fit(
    corrected: Shapes,
    left: Mask,
    impossible: Mask,
    kind: str,
    parents: Outlines | None,
    window: Window,
) -> Mask:
    """Tell which corrected shapes lie among the parents; without parents, which are possible."""
    fits = np.zeros(len(left), dtype=bool)
    at = np.flatnonzero(left)
    centres = shapely.get_coordinates(shapely.centroid(corrected[at]))
    if parents is not None:
        fits[at] = window.holds(centres, margin_degrees=_MARGIN_DEGREES)
    elif kind == "swapped-axes":
        fits[at] = impossible[at] & _are_possible(corrected[at])
    return fits


def _impossible(batch: Batch, shapes: Shapes, mask: Mask) -> list[Fault]:
    """Return the faults of coordinates that are none; they have no place."""
    at = np.flatnonzero(mask)
    reasons = []
    for place in at:
        west, south, east, north = shapely.bounds(shapes[place])
        reasons.append(reason("impossible", west=west, east=east, south=south, north=north))
    return batch.faults("impossible-coordinates", at, reasons, [None] * len(at))


def _far(
    batch: Batch,
    shapes: Shapes,
    mask: Mask,
    distances_m: Numbers,
    parents: Outlines | None,
    rule: LayerRule,
) -> list[Fault]:
    """Return the faults of what lies far from every parent, or from the rest of the layer."""
    at = np.flatnonzero(mask)
    key = "far-from-middle" if parents is None else "far"
    reasons = [
        reason(key, distance_km=distances_m[place] / 1000, noun=rule.parent_called) for place in at
    ]
    return batch.faults("far-away", at, reasons, shapes[at], measures=distances_m[at], unit="m")


def find_homeless(
    batch: Batch,
    shapes: Shapes,
    mask: Mask,
    parents: Outlines | None,
    window: Window,
    rule: LayerRule,
) -> list[Fault]:
    """Return the faults of features that overlap no parent, though they are near; EPSG:4326.

    ``parents`` is None where none is stored.
    """
    at = np.flatnonzero(mask)
    distances_m = _distances(shapes, mask, parents, window)
    if parents is None:
        reasons = [reason("no-parents", noun=rule.parent_called)] * len(at)
        return batch.faults("no-parent", at, reasons, shapes[at])
    reasons = [
        reason("no-parent", noun=rule.parent_called, distance_m=distances_m[place]) for place in at
    ]
    return batch.faults("no-parent", at, reasons, shapes[at], measures=distances_m[at], unit="m")
