"""Which parent a feature lies in, and what of it lies outside."""

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import Series
from pyproj import CRS

from geodata.crs import to_metres
from geodata.quality.batch import Batch, Outlines, Texts, read_areas, read_outlines
from geodata.quality.findings import Fault
from geodata.quality.pieces import Mask, Numbers, Positions, Shapes, thick_pieces
from geodata.quality.rules import LayerRule
from geodata.quality.tolerances import LEAST_OVERLAP_SHARE, OUTSIDE_SHARE
from geodata.reasons import Reason, reason


def place_in_parents(features: GeoDataFrame, parents: GeoDataFrame) -> Series:
    """Find the parent that each feature lies in: the one that holds most of its area.

    Parameters
    ----------
    features
        ``geometry``, polygons, invalid ones repaired for the purpose; others and missing ones lie
        in no parent. In any CRS that it names.
    parents
        ``code``, ``geometry``. In any CRS that it names.

    Returns
    -------
    Series
        ``parent_code`` as text, index and order of ``features``, missing where a feature overlaps
        no parent; of equal shares the smaller code. Empty for no features.

    Raises
    ------
    UndeclaredCRSError
        A frame names no CRS.
    """
    outlines = read_outlines(parents, name="The frame of parents")
    place, _ = locate(read_areas(features, name="The frame of features"), outlines)
    codes = np.append(outlines.codes, [None])[place]
    return Series(codes, index=features.index, name="parent_code", dtype="str")


def locate(shapes: Shapes, parents: Outlines) -> tuple[Positions, Numbers]:
    """Return the place of the parent that holds most of each shape, and the share it holds.

    EPSG:4326, valid shapes, None where there is nothing to look for; -1 and 0 where no parent has
    more than a touch.
    """
    home = np.full(len(shapes), -1, dtype=np.int64)
    held = np.zeros(len(shapes))
    if not len(parents.shapes):
        return home, held
    at, parent = shapely.STRtree(parents.shapes).query(shapes, predicate="intersects")
    share = _shares(shapes[at], parents.shapes[parent])
    real = share > LEAST_OVERLAP_SHARE
    at, parent, share = at[real], parent[real], share[real]
    # Parents are by code: of equal shares the last written, the first in this order, wins.
    order = np.lexsort((-parent, share, at))
    home[at[order]] = parent[order]
    held[at[order]] = share[order]
    return home, held


def _shares(shapes: Shapes, parents: Shapes) -> Numbers:
    """Return the share of each shape's area inside the parent beside it."""
    share = np.ones(len(shapes))
    across = ~shapely.covers(parents, shapes)
    inside = shapely.area(shapely.intersection(shapes[across], parents[across]))
    share[across] = inside / shapely.area(shapes[across])
    return share


@dataclass(frozen=True)
class Homes:
    """The parent of each feature.

    Attributes
    ----------
    place
        Place of it among the parents: the one that the file names, else the one that it lies in;
        -1 for none.
    located
        Place of the one that it lies in, -1 for none.
    unknown
        Whether the file names one that does not exist.
    """

    place: Positions
    located: Positions
    unknown: Mask


def find_homes(batch: Batch, shapes: Shapes, parents: Outlines) -> Homes:
    """Return the parent of each feature; shapes valid, EPSG:4326, None where unusable."""
    located, _ = locate(shapes, parents)
    places = parents.places()
    declared = np.array(
        [places.get(code, -1) if code is not None else -1 for code in batch.parent_codes],
        dtype=np.int64,
    )
    has_named = np.array([code is not None for code in batch.parent_codes], dtype=bool)
    return Homes(np.where(declared >= 0, declared, located), located, has_named & (declared < 0))


def find_unknown_parents(
    batch: Batch, shapes: Shapes, homes: Homes, rule: LayerRule
) -> list[Fault]:
    """Return the faults of features whose file names a parent that does not exist.

    They are placed at the whole shape. CRS: EPSG:4326.
    """
    at = np.flatnonzero(homes.unknown)
    codes = batch.parent_codes[at]
    reasons = [reason("unknown-parent", noun=rule.parent_called, code=code) for code in codes]
    return batch.faults("unknown-parent", at, reasons, shapes[at], other_codes=codes)


def find_outside(
    batch: Batch, shapes: Shapes, homes: Homes, parents: Outlines, rule: LayerRule, *, crs: CRS
) -> list[Fault]:
    """Return the faults of features that reach out of their parent, placed at what is outside.

    Parameters
    ----------
    batch, shapes
        The features; their shapes, valid, EPSG:4326, None where not to be looked at.
    homes, parents, rule
        Their parents, and the layer's tolerance.
    crs
        Projected, in metres.
    """
    at = np.flatnonzero(~shapely.is_missing(shapes) & (homes.place >= 0))
    owners = parents.shapes[homes.place[at]]
    across = ~shapely.covers(owners, shapes[at])
    at, owners = at[across], owners[across]
    outside = thick_pieces(
        shapely.difference(shapes[at], owners), crs=crs, tolerance_m=rule.outside_tolerance_m
    )
    at = at[outside.owner]
    share = outside.area_m2 / shapely.area(to_metres(shapes[at], crs))
    is_error = outside.is_wide | (share > OUTSIDE_SHARE)
    codes = parents.codes[homes.place[at]]
    reasons = [
        _outside_words(rule, str(code), float(area), float(part), elsewhere)
        for code, area, part, elsewhere in zip(
            codes, outside.area_m2, share, _elsewhere(homes, parents, at), strict=True
        )
    ]
    return batch.faults(
        "outside-parent",
        at,
        reasons,
        outside.shapes,
        severity=["error" if wrong else "warning" for wrong in is_error],
        measures=share,
        unit="share",
        other_codes=codes,
    )


def _elsewhere(homes: Homes, parents: Outlines, at: Positions) -> Texts:
    """Return the code of the parent that holds most of a feature, where it is not its own."""
    codes = np.append(parents.codes, [None])[homes.located[at]]
    codes[homes.located[at] == homes.place[at]] = None
    return codes


def _outside_words(
    rule: LayerRule, code: str, area_m2: float, share: float, elsewhere: str | None
) -> Reason:
    """Say how much of a feature is outside its parent, and where most of it lies instead."""
    key = "outside-all" if share > 1 - LEAST_OVERLAP_SHARE else "outside"
    return reason(
        key if elsewhere is None else f"{key}-elsewhere",
        share=share,
        area_m2=area_m2,
        noun=rule.parent_called,
        code=code,
        elsewhere=elsewhere,
    )
