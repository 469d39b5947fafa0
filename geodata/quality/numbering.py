"""Faults of codes: used twice, malformed, of another parent, out of order."""

from bisect import bisect_left

import numpy as np
import shapely
from pyproj import CRS

from geodata.codes import is_grid_code
from geodata.crs import to_metres
from geodata.quality.batch import Batch, Outlines
from geodata.quality.findings import Fault
from geodata.quality.parents import Homes
from geodata.quality.pieces import Mask, Numbers, Positions, Shapes, only
from geodata.quality.rules import LayerRule, code_prefix
from geodata.quality.tolerances import COLUMN_M, ORDER_TOLERANCE_M
from geodata.reasons import Reason, reason


def find_code_faults(
    batch: Batch,
    shapes: Shapes,
    homes: Homes,
    parents: Outlines | None,
    rule: LayerRule,
    *,
    crs: CRS,
) -> list[Fault]:
    """Return every fault of codes; those that are wrong otherwise do not count for the order.

    Parameters
    ----------
    batch, shapes
        The features; their shapes, valid, EPSG:4326, None where not to be looked at.
    homes, parents, rule
        Their parents, None where none is known, and the rules of the layer.
    crs
        Projected, in metres.
    """
    found = [
        *_duplicate_codes(batch, shapes),
        *_malformed_codes(batch, shapes, rule),
        *_codes_of_other_parents(batch, shapes, homes, parents, rule),
    ]
    told = {fault.row for fault in found}
    is_told = np.array([row in told for row in batch.rows.tolist()], dtype=bool)
    if not rule.is_numbered_by_place:
        return found
    return found + _codes_out_of_order(batch, only(shapes, ~is_told), rule, crs=crs)


def _duplicate_codes(batch: Batch, shapes: Shapes) -> list[Fault]:
    """Return features whose code an earlier one has."""
    first: dict[str, int] = {}
    pairs = [
        (first[code], place)
        for place, code in enumerate(batch.codes)
        if code is not None and first.setdefault(code, place) != place
    ]
    at = [place for _, place in pairs]
    rows = [int(batch.rows[place]) for place, _ in pairs]
    reasons = [
        reason("duplicate-code", row=row, code=batch.codes[place])
        for row, place in zip(rows, at, strict=True)
    ]
    return batch.faults(
        "duplicate-code",
        at,
        reasons,
        shapes[at],
        other_rows=rows,
        other_codes=batch.codes[at],
    )


def _are_well_formed(batch: Batch, rule: LayerRule) -> Mask:
    """Tell which codes have the digits of the layer and a number from 1 on at their end."""
    nothing = "0" * rule.sequence_digits
    return np.array(
        [
            code is not None
            and is_grid_code(code, digits=rule.code_digits)
            and not code.endswith(nothing)
            for code in batch.codes
        ],
        dtype=bool,
    )


def _malformed_codes(batch: Batch, shapes: Shapes, rule: LayerRule) -> list[Fault]:
    """Return features whose code has the wrong length or characters."""
    has_code = np.array([code is not None for code in batch.codes], dtype=bool)
    at = np.flatnonzero(has_code & ~_are_well_formed(batch, rule))
    return batch.faults(
        "malformed-code",
        at,
        [_code_words(code, rule) for code in batch.codes[at]],
        shapes[at],
    )


def _codes_of_other_parents(
    batch: Batch, shapes: Shapes, homes: Homes, parents: Outlines | None, rule: LayerRule
) -> list[Fault]:
    """Return features whose code does not begin with their parent's.

    The parent is the one that the file names, else the one that the feature lies in; a feature
    with neither is passed over.
    """
    owners = batch.parent_codes.copy()
    if parents is not None:
        lies_in = np.append(parents.codes, [None])[homes.place]
        unnamed = np.array([code is None for code in owners], dtype=bool)
        owners[unnamed] = lies_in[unnamed]
    at = [
        int(place)
        for place in np.flatnonzero(_are_well_formed(batch, rule))
        if owners[place] is not None
        and not batch.codes[place].startswith(code_prefix(owners[place], rule))
    ]
    reasons = [
        reason(
            "other-parent",
            code=batch.codes[place],
            noun=rule.parent_called,
            parent=owners[place],
        )
        for place in at
    ]
    return batch.faults("code-of-other-parent", at, reasons, shapes[at], other_codes=owners[at])


def _codes_out_of_order(batch: Batch, shapes: Shapes, rule: LayerRule, *, crs: CRS) -> list[Fault]:
    """Return the fewest features without which codes run west to east, then north to south."""
    usable = np.flatnonzero(_are_well_formed(batch, rule) & ~shapely.is_missing(shapes))
    centres = shapely.get_coordinates(shapely.centroid(shapes[usable]))
    if not len(centres):
        return []
    # By longitude, as codes are given: the grid of a projection is turned against it.
    scale = _metres_a_degree(centres, crs)
    centres_m = centres * scale
    boxes_m = shapely.bounds(shapes[usable]) * np.tile(scale, 2)
    codes = batch.codes[usable].astype(str)
    by_code = np.argsort(codes, kind="stable")
    parents = np.array([code[: -rule.sequence_digits] for code in codes[by_code]], dtype=object)
    ends = np.flatnonzero(parents[1:] != parents[:-1]) + 1
    wrong = [
        members[place]
        for members in np.split(by_code, ends)
        for place in _out_of_order(boxes_m[members], centres_m[members])
    ]
    at = usable[np.array(sorted(wrong), dtype=np.int64)]
    reasons = [
        reason("out-of-order", number=batch.codes[place][-rule.sequence_digits :]) for place in at
    ]
    places = shapely.point_on_surface(shapes[at])
    return batch.faults("code-order", at, reasons, places, severity="warning")


def _code_words(code: str, rule: LayerRule) -> Reason:
    """Say what is wrong with a code."""
    if not (code.isascii() and code.isdecimal()):
        return reason("malformed-characters", code=code[:40])
    if len(code) != rule.code_digits:
        return reason(
            "malformed-length",
            code=code[:40],
            count=len(code),
            noun=rule.called,
            digits=rule.code_digits,
        )
    return reason("malformed-zero", code=code)


def _metres_a_degree(degrees: Numbers, crs: CRS) -> Numbers:
    """Return the length of a degree of longitude and latitude in the middle of some points."""
    middle = np.median(degrees, axis=0)
    step = 0.001
    cross = np.asarray(shapely.points(middle + np.array([(0, 0), (step, 0), (0, step)])))
    origin, east, north = shapely.get_coordinates(to_metres(cross, crs))
    return np.array([np.hypot(*(east - origin)), np.hypot(*(north - origin))]) / step


def _out_of_order(boxes_m: Numbers, centres_m: Numbers) -> list[int]:
    """Return the places, in order of codes, of those that stand in the wrong place.

    What is not in a longest run of middles that follows the numbering is wrong, if it is clearly
    so: which point is the middle of a bent shape is a matter of taste.
    """
    ranks = _ranks(centres_m)
    kept = _longest_rise(ranks)
    wrong = []
    for place in np.setdiff1d(np.arange(len(ranks)), kept).tolist():
        later = kept > place
        if (
            _lies_after(place, kept[later], boxes_m, centres_m).any()
            or _lies_before(place, kept[~later], boxes_m, centres_m).any()
        ):
            wrong.append(place)
        else:
            kept = np.append(kept, place)
    return wrong


def _lies_after(place: int, others: Positions, boxes_m: Numbers, centres_m: Numbers) -> Mask:
    """Tell which others a shape lies wholly east of, or in one column wholly south of."""
    west, _, _, north = boxes_m[place]
    is_east = west > boxes_m[others, 2] - ORDER_TOLERANCE_M
    in_column = np.abs(centres_m[others, 0] - centres_m[place, 0]) <= COLUMN_M
    is_south = in_column & (north < boxes_m[others, 1] + ORDER_TOLERANCE_M)
    return np.asarray(is_east | is_south)


def _lies_before(place: int, others: Positions, boxes_m: Numbers, centres_m: Numbers) -> Mask:
    """Tell which others a shape lies wholly west of, or in one column wholly north of."""
    _, south, east, _ = boxes_m[place]
    is_west = east < boxes_m[others, 0] + ORDER_TOLERANCE_M
    in_column = np.abs(centres_m[others, 0] - centres_m[place, 0]) <= COLUMN_M
    is_north = in_column & (south > boxes_m[others, 3] - ORDER_TOLERANCE_M)
    return np.asarray(is_west | is_north)


def _ranks(centres_m: Numbers) -> Positions:
    """Return the place of each in the numbering: by column from the west, in it from the north."""
    by_x = np.argsort(centres_m[:, 0], kind="stable")
    column = np.empty(len(by_x), dtype=np.int64)
    steps = np.diff(centres_m[by_x, 0], prepend=centres_m[by_x[:1], 0]) > COLUMN_M
    column[by_x] = np.cumsum(steps)
    order = np.lexsort((-centres_m[:, 1], column))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _longest_rise(ranks: Positions) -> Positions:
    """Return the places of a longest rising run of numbers, by patience sorting."""
    tails: list[int] = []
    ends: list[int] = []
    before = np.full(len(ranks), -1, dtype=np.int64)
    for place, rank in enumerate(ranks.tolist()):
        pile = bisect_left(tails, rank)
        before[place] = ends[pile - 1] if pile else -1
        tails[pile : pile + 1], ends[pile : pile + 1] = [rank], [place]
    run = []
    place = ends[-1] if ends else -1
    while place >= 0:
        run.append(place)
        place = int(before[place])
    return np.array(run[::-1], dtype=np.int64)
