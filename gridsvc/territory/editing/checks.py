"""What stands against a correction: households, shapes and what lies in them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geodata.crs import metric_crs_of, to_metres
from geodata.quality import inspect
from gridsvc.errors import InvalidEditError, ShapeRefusedError
from gridsvc.territory.editing import store
from gridsvc.territory.editing.model import Grid, Piece

PARTITION_TOLERANCE = 0.001
"""Share of a grid's area that its pieces may miss or share: what drawing by hand leaves open."""


def require_households(grid: Grid, pieces: Sequence[Piece]) -> None:
    """Refuse households of pieces that do not add up to the grid's, or that it cannot have.

    Raises
    ------
    InvalidEditError
        They do not.
    """
    told = [piece.household_count for piece in pieces if piece.household_count is not None]
    if grid.kind != "stairwell":
        if told:
            raise InvalidEditError(f"The pieces of a {grid.kind} have no households of their own.")
        return
    total = grid.fields["household_count"]
    is_complete = len(told) == len(pieces)
    if sum(told) > total or (is_complete and sum(told) != total):
        raise InvalidEditError(f"The pieces have {sum(told)} households, the stairwell {total}.")


def require_sound(session: Session, grids: Sequence[Grid], *, without: Sequence[str]) -> None:
    """Refuse shapes that the quality report finds an error in.

    Parameters
    ----------
    grids
        As they would be, of one kind and parent.
    without
        Codes of the siblings that they take the place of.

    Raises
    ------
    ShapeRefusedError
        There is an error; it names every one.
    """
    first = grids[0]
    report = inspect(
        f"{first.kind}s",
        store.frame_of(grids),
        parents=store.read_parent(session, first),
        siblings=store.read_siblings(session, first, without=without),
    )
    errors = report.faults[report.faults["severity"] == "error"]
    if len(errors):
        raise ShapeRefusedError(
            list(zip(errors["fault"].astype(str), errors["reason"].astype(str), strict=True))
        )


def require_holding(grid: Grid, parts: Mapping[Any, Sequence[Grid]]) -> None:
    """Refuse a shape that no longer holds what lies in the grid.

    Parameters
    ----------
    grid
        As it would be.
    parts
        All that lies in it and is in force, by kind.

    Raises
    ------
    ShapeRefusedError
        Some part of it would lie outside.
    """
    inside = [part for group in parts.values() for part in group]
    if not inside:
        return
    shapes = np.array([part.geometry for part in inside])
    lost = shapely.area(shapely.difference(shapes, grid.geometry)) / shapely.area(shapes)
    faults = [
        ("part-outside", f"{share:.1%} of {part.kind} {part.code} would lie outside.")
        for part, share in zip(inside, lost, strict=True)
        if share > PARTITION_TOLERANCE
    ]
    if faults:
        raise ShapeRefusedError(faults)


def require_partition(grid: Grid, shapes: Sequence[BaseGeometry]) -> None:
    """Refuse pieces that are no polygons, overlap, or are not together the grid.

    Parameters
    ----------
    shapes
        EPSG:4326, at least one.

    Raises
    ------
    ShapeRefusedError
        They are not; it names every fault.
    """
    faults = []
    for number, shape in enumerate(shapes, start=1):
        is_area = isinstance(
            shape, Polygon | (MultiPolygon if grid.kind == "compound" else Polygon)
        )
        if not is_area or shape.is_empty:
            faults.append(("not-a-polygon", f"Piece {number} is no polygon."))
        elif not shape.is_valid:
            reason = shapely.is_valid_reason(shape)
            faults.append(("invalid-geometry", f"Piece {number} is not valid: {reason}."))
    if faults:
        raise ShapeRefusedError(faults)
    outline = np.array([grid.geometry])
    crs = metric_crs_of(shapely.total_bounds(outline))
    (whole,), parts = to_metres(outline, crs), to_metres(np.array(shapes), crs)
    together = shapely.union_all(parts)
    allowed_m2 = PARTITION_TOLERANCE * whole.area
    shared_m2 = float(shapely.area(parts).sum() - together.area)
    missed_m2, beyond_m2 = whole.difference(together).area, together.difference(whole).area
    for fault, area_m2, words in (
        ("overlap", shared_m2, "of the pieces overlap"),
        ("gap", missed_m2, "of the grid are in no piece"),
        ("outside-parent", beyond_m2, "of the pieces lie outside the grid"),
    ):
        if area_m2 > allowed_m2:
            faults.append((fault, f"{area_m2:.1f} m² {words}."))
    if faults:
        raise ShapeRefusedError(faults)
