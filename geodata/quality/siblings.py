"""Faults between siblings: the same thing twice, overlaps, and gaps in a parent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS

from geodata.crs import to_metres
from geodata.quality.batch import Batch, Outlines
from geodata.quality.findings import Fault, note_faults
from geodata.quality.kinds import Severity
from geodata.quality.parents import Homes, locate
from geodata.quality.pieces import Mask, Numbers, Positions, Shapes, only, thick_pieces
from geodata.quality.rules import LayerRule, code_prefix
from geodata.quality.tolerances import (
    DUPLICATE_IOU,
    GAP_TOLERANCE_M,
    MOST_PAIRS,
    MOST_PAIRS_EACH,
    NEAR_DUPLICATE_IOU,
    OVERLAP_TOLERANCE_M,
)
from geodata.reasons import Reason, reason

_CHUNK = 500


@dataclass(frozen=True)
class _Pairs:
    """Two features, or a feature and a stored sibling, that meet, a row each.

    ``first`` counts on after the features into the stored siblings; ``second`` is always a feature
    and has the higher row.
    """

    first: Positions
    second: Positions
    is_whole: bool = True

    def where(self, mask: Mask) -> "_Pairs":
        return _Pairs(self.first[mask], self.second[mask])


class Siblings:
    """The features and the stored siblings of one layer, compared with one another."""

    def __init__(
        self, batch: Batch, shapes: Shapes, stored: Outlines, rule: LayerRule, *, crs: CRS
    ) -> None:
        """Take the features in, and compare them.

        Parameters
        ----------
        batch, shapes
            The features; their shapes, valid, EPSG:4326, None where not to be looked at.
        stored
            Those that are stored and not in the file.
        rule
            The layer's rules.
        crs
            Projected, in metres.
        """
        self._batch, self._rule, self._crs = batch, rule, crs
        self._count = len(shapes)
        self._shapes = np.concatenate([shapes, stored.shapes])
        self._codes = np.concatenate([batch.codes, stored.codes])
        self._same = _same_outlines(self._shapes, self._count)
        once = np.concatenate([only(shapes, ~self._is_repeated), stored.shapes])
        self._pairs = _meeting(once, self._count)
        self._shared: Shapes = shapely.intersection(
            self._shapes[self._pairs.first], self._shapes[self._pairs.second]
        )
        self._iou = self._joint_share()

    @property
    def _is_repeated(self) -> Mask:
        """Tell which features have the outline of an earlier one, corner by corner."""
        return np.isin(np.arange(self._count), self._same.second)

    def find_duplicates(self) -> list[Fault]:
        """Return features that are the same as, or nearly the same as, an earlier one.

        They are placed at the later one. CRS: EPSG:4326.
        """
        alike = self._pairs.where(self._iou >= DUPLICATE_IOU)
        same = _Pairs(
            np.concatenate([self._same.first, alike.first]),
            np.concatenate([self._same.second, alike.second]),
        )
        near = (self._iou < DUPLICATE_IOU) & (self._iou > NEAR_DUPLICATE_IOU)
        areas_m2 = shapely.area(to_metres(self._shapes[same.second], self._crs))
        return [
            *self._faults(
                "duplicate",
                same,
                [reason("duplicate", other=other) for other in self._names(same)],
                self._shapes[same.second],
                measures=areas_m2,
                unit="m2",
            ),
            *self._faults(
                "near-duplicate",
                self._pairs.where(near),
                [
                    reason("near-duplicate", iou=iou, other=other)
                    for iou, other in zip(
                        self._iou[near], self._names(self._pairs.where(near)), strict=True
                    )
                ],
                self._shapes[self._pairs.second[near]],
                severity="warning",
                measures=self._iou[near],
                unit="share",
            ),
        ]

    def find_overlaps(self) -> list[Fault]:
        """Return the overlaps of neighbours that are not duplicates, placed where they overlap.

        CRS: EPSG:4326.
        """
        other = self._iou < DUPLICATE_IOU
        pairs = self._pairs.where(other)
        pieces = thick_pieces(self._shared[other], crs=self._crs, tolerance_m=OVERLAP_TOLERANCE_M)
        pairs = _Pairs(pairs.first[pieces.owner], pairs.second[pieces.owner])
        reasons = [
            reason(
                "overlap-wide" if wide else "overlap-narrow",
                other=name,
                area_m2=area,
                limit_m=OVERLAP_TOLERANCE_M,
            )
            for name, area, wide in zip(
                self._names(pairs), pieces.area_m2, pieces.is_wide, strict=True
            )
        ]
        found = self._faults(
            "overlap",
            pairs,
            reasons,
            pieces.shapes,
            severity=["error" if wide else "warning" for wide in pieces.is_wide],
            measures=pieces.area_m2,
            unit="m2",
        )
        return found if self._pairs.is_whole else [*found, *_unfinished(self._count)]

    def find_gaps(self, homes: Homes, parents: Outlines, unusable: Collection[str]) -> list[Fault]:
        """Return what siblings leave of their parent, a fault a parent, placed at the gaps.

        Parameters
        ----------
        homes, parents
            The parents, EPSG:4326; those without a feature in the file are not looked at.
        unusable
            What the codes of parents begin with of which a child cannot be used: their gaps would
            say nothing new.
        """
        stored_home, _ = locate(self._shapes[self._count :], parents)
        home = np.concatenate([homes.place, stored_home])
        home[shapely.is_missing(self._shapes)] = -1
        wanted = np.unique(home[: self._count])
        wanted = np.array(
            [
                place
                for place in wanted[wanted >= 0].tolist()
                if code_prefix(parents.codes[place], self._rule) not in unusable
            ],
            dtype=np.int64,
        )
        order = np.argsort(home, kind="stable")
        ends = np.searchsorted(home[order], [wanted, wanted + 1])
        filled = [shapely.union_all(self._shapes[order[low:high]]) for low, high in ends.T]
        left: Shapes = shapely.difference(parents.shapes[wanted], np.array(filled, dtype=object))
        gaps = thick_pieces(
            left, crs=self._crs, tolerance_m=GAP_TOLERANCE_M, least_m=GAP_TOLERANCE_M
        )
        codes = parents.codes[wanted[gaps.owner]]
        reasons = [
            reason(
                "gaps" if count > 1 else "gap",
                area_m2=area,
                parent=self._rule.parent_called,
                code=code,
                noun=self._rule.called,
                count=count,
            )
            for area, code, count in zip(
                gaps.area_m2, codes, shapely.get_num_geometries(gaps.shapes), strict=True
            )
        ]
        return note_faults(
            "gap",
            reasons,
            gaps.shapes,
            severity="warning",
            measures=gaps.area_m2,
            unit="m2",
            other_codes=codes,
        )

    def _joint_share(self) -> Numbers:
        """Return the shared part of the joint area of each pair."""
        one, other = self._shapes[self._pairs.first], self._shapes[self._pairs.second]
        shared = shapely.area(self._shared)
        return np.asarray(shared / (shapely.area(one) + shapely.area(other) - shared))

    def _names(self, pairs: _Pairs) -> list[Reason]:
        """Return what to call the first of each pair."""
        return [
            reason("row", row=self._batch.rows[place])
            if place < self._count
            else reason("stored", noun=self._rule.called, code=self._codes[place])
            for place in pairs.first
        ]

    def _faults(
        self,
        kind: str,
        pairs: _Pairs,
        reasons: Sequence[Reason],
        places: Shapes,
        *,
        measures: Numbers,
        unit: str,
        severity: Severity | Sequence[Severity] = "error",
    ) -> list[Fault]:
        """Note a fault of the second of each pair with the first."""
        rows = [
            int(self._batch.rows[place]) if place < self._count else None for place in pairs.first
        ]
        return self._batch.faults(
            kind,
            pairs.second,
            reasons,
            places,
            severity=severity,
            measures=measures,
            unit=unit,
            other_rows=rows,
            other_codes=self._codes[pairs.first],
        )


def _same_outlines(shapes: Shapes, count: int) -> _Pairs:
    """Return features with the outline of an earlier feature, or of a stored sibling.

    By comparing texts, so that a thousand copies are a thousand pairs, not half a million.
    """
    order = [*range(count, len(shapes)), *range(count)]
    texts = shapely.to_wkb(shapely.normalize(shapes), output_dimension=2)
    seen: dict[bytes, int] = {}
    pairs = [
        (seen[texts[place]], place)
        for place in order
        if texts[place] is not None
        and seen.setdefault(texts[place], place) != place
        and place < count
    ]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return _Pairs(first, second)


def _meeting(shapes: Shapes, count: int) -> _Pairs:
    """Return the pairs of shapes that meet, one of them a feature, as far as the limit goes."""
    tree = shapely.STRtree(shapes)
    limit = _most_pairs(count)
    chunks: list[tuple[Positions, Positions]] = []
    total = 0
    for start in range(0, count, _CHUNK):
        second, first = tree.query(shapes[start : min(start + _CHUNK, count)], "intersects")
        second = second + start
        kept = (first < second) | (first >= count)
        order = np.lexsort((first[kept], second[kept]))
        chunks.append((first[kept][order], second[kept][order]))
        total += len(order)
        if total > limit:
            break
    first, second = (
        np.concatenate([np.empty(0, dtype=np.int64), *(chunk[side] for chunk in chunks)])
        for side in (0, 1)
    )
    return _Pairs(first[:limit], second[:limit], total <= limit)


def _most_pairs(count: int) -> int:
    """Return how many pairs are looked at in a layer of so many features."""
    return max(MOST_PAIRS, MOST_PAIRS_EACH * count)


def _unfinished(count: int) -> list[Fault]:
    """Return the fault of a layer whose overlaps are too many to list."""
    why = reason("too-many-pairs", count=_most_pairs(count))
    return note_faults("too-many-overlaps", [why], [None])
