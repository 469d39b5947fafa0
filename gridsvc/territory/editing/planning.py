"""What a split or a merge makes of a grid and of all that lies in it: no database in sight."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import shapely
from geopandas import GeoSeries
from pandas import Series
from shapely.geometry.base import BaseGeometry

from geodata.apportionment import apportion
from geodata.codes import next_codes
from geodata.crs import GEOGRAPHIC
from gridsvc.territory.editing.model import (
    PARTS,
    SEQUENCE_DIGITS,
    Descent,
    Grid,
    Kind,
    Piece,
    Plan,
)


def plan_split(
    grid: Grid,
    pieces: Sequence[Piece],
    *,
    parts: Mapping[Kind, Sequence[Grid]],
    taken: Collection[str],
    on: date,
) -> Plan:
    """Return what becomes of a grid that falls into pieces.

    Parameters
    ----------
    grid
        What is split.
    pieces
        They cover it, as the caller has made sure; names and households as in `Piece`.
    parts
        All that lies in it and is in force, by kind.
    taken
        Every code that was ever used under the grid's parent.
    on
        First day of what is added.

    Returns
    -------
    Plan
        The pieces, numbered on under the grid's parent; what lay in the grid lies in the piece
        that holds most of it, under a new code.

    Raises
    ------
    SequenceOverflowError
        The parent has no number left.
    """
    shapes = [piece.geometry for piece in pieces]
    codes = _next_codes([grid.parent_code] * len(pieces), shapes, grid.kind, taken)
    households = _households(grid, pieces)
    added = [_begin(grid, code, shape, on) for code, shape in zip(codes, shapes, strict=True)]
    added = [
        replace(
            one,
            name=piece.name or f"{grid.name}-{number}",
            fields={**one.fields, **({} if count is None else {"household_count": count})},
        )
        for number, (one, piece, count) in enumerate(
            zip(added, pieces, households, strict=True), start=1
        )
    ]
    areas = shapely.area(np.array(shapes))
    shares = areas / areas.sum()
    descents = [
        Descent(grid.code, code, "split", float(share))
        for code, share in zip(codes, shares, strict=True)
    ]
    return _with_parts(added, [grid.code], descents, parts, on)


def plan_merge(
    grids: Sequence[Grid],
    *,
    name: str,
    parts: Mapping[Kind, Sequence[Grid]],
    taken: Collection[str],
    on: date,
) -> Plan:
    """Return what becomes of grids of one kind and parent that are made one.

    Parameters
    ----------
    grids
        At least two; the first gives the new one what does not add up, such as its year.
    parts, taken, on
        As for `plan_split`.
    """
    first = grids[0]
    shape = shapely.union_all([grid.geometry for grid in grids])
    (code,) = _next_codes([first.parent_code], [shape], first.kind, taken)
    merged = replace(_begin(first, code, shape, on), name=name)
    if first.kind == "stairwell":
        total = sum(grid.fields["household_count"] for grid in grids)
        merged = replace(merged, fields={"household_count": total})
    largest_first = sorted(grids, key=lambda grid: -grid.geometry.area)
    descents = [Descent(grid.code, code, "merge", 1.0) for grid in largest_first]
    return _with_parts([merged], [grid.code for grid in grids], descents, parts, on)


def _with_parts(
    added: list[Grid],
    retired: list[str],
    descents: list[Descent],
    parts: Mapping[Kind, Sequence[Grid]],
    on: date,
) -> Plan:
    """Return a plan in which all that lay in the retired grids lies in the added ones."""
    everything, ended, all_descents = list(added), list(retired), list(descents)
    homes: dict[str, list[Grid]] = defaultdict(list)
    by_code = {grid.code: grid for grid in added}
    for descent in descents:
        homes[descent.predecessor_code].append(by_code[descent.successor_code])
    kind = PARTS[added[0].kind]
    while kind and parts.get(kind):
        moved = list(parts[kind])
        parents = [_holder(part, homes[part.parent_code]).code for part in moved]
        codes = _next_codes(parents, [part.geometry for part in moved], kind, ())
        renamed = [
            _begin(part, code, part.geometry, on) for part, code in zip(moved, codes, strict=True)
        ]
        everything += renamed
        ended += [part.code for part in moved]
        all_descents += [
            Descent(part.code, code, "move", 1.0) for part, code in zip(moved, codes, strict=True)
        ]
        homes = defaultdict(
            list, {part.code: [new] for part, new in zip(moved, renamed, strict=True)}
        )
        kind = PARTS[kind]
    return Plan(tuple(everything), tuple(ended), tuple(all_descents))


def _holder(part: Grid, candidates: Sequence[Grid]) -> Grid:
    """Return the grid that holds most of a part."""
    if len(candidates) == 1:
        return candidates[0]
    held = shapely.area(
        shapely.intersection(part.geometry, np.array([grid.geometry for grid in candidates]))
    )
    return candidates[int(held.argmax())]


def _begin(grid: Grid, code: str, shape: BaseGeometry, on: date) -> Grid:
    """Return a grid like another one that begins on a day."""
    return replace(
        grid, code=code, geometry=shape, version=1, valid_from=on, fields=dict(grid.fields)
    )


def _next_codes(
    parents: Sequence[str], shapes: Sequence[BaseGeometry], kind: Kind, taken: Collection[str]
) -> list[str]:
    centres = GeoSeries(shapely.centroid(np.array(shapes)), crs=GEOGRAPHIC)
    codes = next_codes(
        Series(list(parents), dtype="str"), centres, digits=SEQUENCE_DIGITS[kind], taken=taken
    )
    return [str(code) for code in codes]


def _households(grid: Grid, pieces: Sequence[Piece]) -> list[int | None]:
    """Return the households of each piece of a stairwell: as told, or by the area."""
    if grid.kind != "stairwell":
        return [None] * len(pieces)
    told = [piece.household_count for piece in pieces]
    if None not in told:
        return told
    left = grid.fields["household_count"] - sum(count or 0 for count in told)
    areas = [piece.geometry.area for piece in pieces if piece.household_count is None]
    shares = iter(apportion(max(left, 0), areas).tolist())
    return [next(shares) if count is None else count for count in told]
