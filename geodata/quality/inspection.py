"""The inspection of a layer: every check in its order, each on what the ones before left."""

import numpy as np
import shapely
from geopandas import GeoDataFrame

from geodata.quality import numbering, shapes, whereabouts
from geodata.quality.batch import Batch, Outlines, read_batch, read_outlines
from geodata.quality.findings import Fault
from geodata.quality.parents import Homes, find_homes, find_outside, find_unknown_parents
from geodata.quality.pieces import Mask, Shapes, only
from geodata.quality.report import QualityReport, collect_faults
from geodata.quality.rules import LayerRule, code_prefix, rule_of
from geodata.quality.shifts import find_shift
from geodata.quality.siblings import Siblings
from geodata.quality.whereabouts import Window


def inspect(
    layer: str,
    features: GeoDataFrame,
    *,
    parents: GeoDataFrame | None,
    siblings: GeoDataFrame | None,
) -> QualityReport:
    """Say what is wrong with the features of a layer, before anything is written.

    Overlays are made in longitude and latitude, where a border that two shapes share is the same
    line for both; what they leave is measured in the local metric CRS. A feature that is missing,
    or in another place altogether, has that one fault, and does not count against the others; an
    invalid one counts as its proposed repair. Tolerances are in ``geodata.quality.tolerances`` and
    ``geodata.quality.rules``.

    Parameters
    ----------
    layer
        ``communities``, ``compounds``, ``buildings`` or ``stairwells``.
    features
        ``row`` (its number in the source), ``geometry`` (anything, also nothing), and as far as
        the file has them ``code`` and ``parent_code``. In any CRS that it names; meant is one in
        EPSG:4326 that may be false.
    parents
        ``code``, ``geometry`` of all that is above; None leaves out every check against them.
    siblings
        ``code``, ``geometry`` of what is stored of this layer; those whose code is in the file are
        passed over, since they will be replaced. None for nothing.

    Returns
    -------
    QualityReport
        In EPSG:4326; the same whatever the order of the features. No features give no faults.

    Raises
    ------
    InvalidParameterError
        There is no such layer.
    UndeclaredCRSError
        A frame names no CRS.
    """
    rule = rule_of(layer)
    batch = read_batch(features)
    above = None if parents is None else read_outlines(parents, name="The frame of parents")
    stored = _not_in(batch, siblings)
    has_area, found = shapes.find_missing(batch)
    mending = shapes.mend(batch, has_area)
    known = above if above is not None and len(above.shapes) else None
    window = whereabouts.find_window(mending.shapes, known)
    invalid, repairs = shapes.find_invalid(batch, mending, rule, crs=window.crs)
    found += invalid + shapes.find_several_parts(batch, mending, rule)
    homes = _no_homes(batch) if known is None else find_homes(batch, mending.shapes, known)
    misplaced, told = whereabouts.find_misplaced(
        batch, mending.shapes, homes.located, known, window, rule
    )
    found += told
    sound: Shapes = only(mending.shapes, ~misplaced)
    found += shapes.find_slivers(batch, sound, rule, crs=window.crs)
    found += numbering.find_code_faults(batch, sound, homes, known, rule, crs=window.crs)
    compared = Siblings(batch, sound, stored, rule, crs=window.crs)
    found += compared.find_duplicates() + compared.find_overlaps()
    if above is not None:
        found += _against_parents(batch, sound, homes, known, window, rule)
    if known is not None and rule.tiles_parent:
        found += compared.find_gaps(
            homes, known, _parents_of(batch, ~shapely.is_missing(sound), rule)
        )
    return QualityReport(collect_faults(found), repairs)


def _against_parents(
    batch: Batch,
    sound: Shapes,
    homes: Homes,
    parents: Outlines | None,
    window: Window,
    rule: LayerRule,
) -> list[Fault]:
    """Return the faults of near features against their parents; None stands for no parents."""
    there = ~shapely.is_missing(sound)
    homeless = there & (homes.place < 0)
    found = whereabouts.find_homeless(
        batch, sound, homeless & ~homes.unknown, parents, window, rule
    )
    found += find_unknown_parents(batch, sound, homes, rule)
    if parents is None:
        return found
    found += find_outside(batch, sound, homes, parents, rule, crs=window.crs)
    declared = any(code is not None for code in batch.parent_codes)
    return found + find_shift(sound, homes, declared, parents, crs=window.crs)


def _not_in(batch: Batch, siblings: GeoDataFrame | None) -> Outlines:
    """Return the stored siblings that the file does not replace."""
    if siblings is None:
        empty = np.empty(0, dtype=object)
        return Outlines(empty, empty)
    stored = read_outlines(siblings, name="The frame of siblings")
    kept = ~np.isin(stored.codes.astype(str), [code for code in batch.codes if code is not None])
    return Outlines(stored.codes[kept], stored.shapes[kept])


def _no_homes(batch: Batch) -> Homes:
    """Return that no feature has a parent, where there are none."""
    nowhere = np.full(len(batch.rows), -1, dtype=np.int64)
    named = np.array([code is not None for code in batch.parent_codes], dtype=bool)
    return Homes(nowhere, nowhere, named)


def _parents_of(batch: Batch, usable: Mask, rule: LayerRule) -> set[str]:
    """Return what the codes of the parents of unusable features begin with, where the file says."""
    named = zip(batch.parent_codes[~usable], batch.codes[~usable], strict=True)
    return {
        code_prefix(parent, rule) if parent is not None else code[: -rule.sequence_digits]
        for parent, code in named
        if parent is not None or code is not None
    }
