"""What staff can do to a grid: redraw, split, merge or end it, each with a reason.

Whoever changes a grid names the version that they saw. Nothing is deleted: a changed grid keeps
what it was, an ended one keeps its code, and what became of it is written down. Codes are never
used again. Incidents stay where they were reported.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geodata.codes import community_of, street_of
from gridsvc.audit import service as audit
from gridsvc.errors import (
    GridEndedError,
    InvalidEditError,
    NotFoundError,
    StaleVersionError,
)
from gridsvc.local_time import local_today
from gridsvc.territory import store as territory
from gridsvc.territory.editing import store
from gridsvc.territory.editing.checks import (
    require_holding,
    require_households,
    require_partition,
    require_sound,
)
from gridsvc.territory.editing.model import FIELDS, Edit, Grid, History, Piece, Plan
from gridsvc.territory.editing.planning import plan_merge, plan_split


@dataclass(frozen=True)
class Change:
    """What is to be different in a grid; ``None`` leaves it as it is.

    Attributes
    ----------
    geometry
        EPSG:4326.
    fields
        Those of `FIELDS` for its kind.
    """

    name: str | None = None
    geometry: BaseGeometry | None = None
    fields: Mapping[str, Any] | None = None


def get(session: Session, code: str, *, on: date | None = None) -> Grid:
    """Return a grid of the caller's territory, also one that has ended.

    Parameters
    ----------
    on
        As it was at the end of this day; default: as it is, or as it ended.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's, or there was none on that day.
    """
    grid = store.find(session, code) if on is None else store.find_on(session, code, on=on)
    if grid is None:
        raise NotFoundError("grid", code)
    return grid


def get_history(session: Session, code: str) -> History:
    """Return a grid through time.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's.
    """
    grid = get(session, code)
    lineage = store.list_lineage(session, code)
    return History(
        grid=grid,
        former=tuple(store.list_former(session, code, grid.kind)),
        predecessors=tuple(one for one in lineage if one.successor_code == code),
        successors=tuple(one for one in lineage if one.predecessor_code == code),
    )


def redraw(
    session: Session,
    code: str,
    change: Change,
    *,
    version: int,
    reason: str,
    on: date | None = None,
) -> Edit:
    """Change name, shape or facts of a grid, which keeps its code.

    Parameters
    ----------
    version
        What the caller saw.
    on
        First day of the change, not before the last one; default: today.

    Raises
    ------
    NotFoundError, GridEndedError, StaleVersionError
        There is no such grid, it has ended, or somebody else has changed it.
    InvalidEditError
        Nothing would change, a field is not one of its kind, or the day is not possible.
    ShapeRefusedError
        The shape has a fault: it is invalid, overlaps a neighbour, leaves its parent, or no
        longer holds what lies in it.
    """
    grid = _take(session, code, version)
    day = _day(on, [grid])
    fields = dict(change.fields or {})
    strange = fields.keys() - set(FIELDS[grid.kind])
    if strange:
        raise InvalidEditError(f"A {grid.kind} has no {', '.join(sorted(strange))}.")
    changed = replace(
        grid,
        name=change.name or grid.name,
        geometry=grid.geometry if change.geometry is None else change.geometry,
        fields={**grid.fields, **fields},
    )
    if changed == grid:
        raise InvalidEditError("Nothing would change.")
    if change.geometry is not None:
        require_sound(session, [changed], without=[code])
        require_holding(changed, store.list_parts(session, [code], grid.kind))
    changed = replace(changed, version=grid.version + 1, valid_from=day)
    store.keep_version(session, grid, valid_to=day, reason=reason)
    store.change(session, changed)
    return _done(session, "territory.redraw", Edit(day, grids=(changed,)))


def split(
    session: Session,
    code: str,
    pieces: Sequence[Piece],
    *,
    version: int,
    reason: str,
    on: date | None = None,
) -> Edit:
    """Let a grid end, and pieces of it begin; what lay in it moves along, under new codes.

    Parameters
    ----------
    pieces
        At least two; together they are the grid.
    version, on
        As for `redraw`.

    Raises
    ------
    NotFoundError, GridEndedError, StaleVersionError
        As for `redraw`.
    InvalidEditError
        There are fewer than two pieces, households do not add up, or the day is not possible.
    ShapeRefusedError
        The pieces are not the grid, overlap, or are invalid.
    SequenceOverflowError
        The parent has no code left.
    """
    grid = _take(session, code, version)
    day = _day(on, [grid])
    if len(pieces) < 2:
        raise InvalidEditError("A split needs at least two pieces.")
    require_households(grid, pieces)
    require_partition(grid, [piece.geometry for piece in pieces])
    plan = plan_split(
        grid,
        pieces,
        parts=store.list_parts(session, [code], grid.kind),
        taken=territory.list_codes_ever(session, store.ROWS[grid.kind], [grid.parent_code]),
        on=day,
    )
    return _carry_out(session, plan, "territory.split", day, reason)


def merge(
    session: Session,
    versions: Mapping[str, int],
    *,
    name: str,
    reason: str,
    on: date | None = None,
) -> Edit:
    """Let neighbouring grids end, and one that is all of them begin.

    Parameters
    ----------
    versions
        The code of each grid, and the version that the caller saw; at least two.
    name
        Of the new one.
    on
        As for `redraw`.

    Raises
    ------
    NotFoundError, GridEndedError, StaleVersionError
        As for `redraw`.
    InvalidEditError
        They are not of one kind and one parent, or do not touch.
    SequenceOverflowError
        The parent has no code left.
    """
    if len(versions) < 2:
        raise InvalidEditError("A merge needs at least two grids.")
    grids = [_take(session, code, version) for code, version in sorted(versions.items())]
    if len({(grid.kind, grid.parent_code) for grid in grids}) > 1:
        raise InvalidEditError("Only grids of one kind that are part of the same can be merged.")
    day = _day(on, grids)
    first = grids[0]
    is_one = isinstance(shapely.union_all([grid.geometry for grid in grids]), Polygon)
    if first.kind != "compound" and not is_one:
        raise InvalidEditError("They do not touch, so they cannot become one.")
    codes = [grid.code for grid in grids]
    plan = plan_merge(
        grids,
        name=name,
        parts=store.list_parts(session, codes, first.kind),
        taken=territory.list_codes_ever(session, store.ROWS[first.kind], [first.parent_code]),
        on=day,
    )
    return _carry_out(session, plan, "territory.merge", day, reason)


def void(session: Session, code: str, *, version: int, reason: str, on: date | None = None) -> Edit:
    """Let a grid end, with all that lies in it, and nothing in its place.

    Raises
    ------
    NotFoundError, GridEndedError, StaleVersionError, InvalidEditError
        As for `redraw`.
    """
    grid = _take(session, code, version)
    day = _day(on, [grid])
    parts = store.list_parts(session, [code], grid.kind)
    ended = [code, *(part.code for group in parts.values() for part in group)]
    plan = Plan(added=(), retired=tuple(ended), descents=())
    return _carry_out(session, plan, "territory.void", day, reason)


def _take(session: Session, code: str, version: int) -> Grid:
    """Return a grid in force in the version that the caller saw, and keep others from it."""
    get(session, code)  # nobody waits for what is not theirs
    territory.lock_territory(session, street_of(community_of(code)))
    grid = get(session, code)
    if grid.retired_on is not None:
        raise GridEndedError(code, grid.retired_on)
    if grid.version != version:
        seen = [old.grid for old in store.list_former(session, code, grid.kind)]
        yours = next((one for one in seen if one.version == version), None)
        raise StaleVersionError(
            code, version, yours=_told(yours) if yours else None, current=_told(grid)
        )
    return grid


def _told(grid: Grid) -> dict[str, object]:
    """Return a version as whoever must decide between two wants to see it."""
    return {
        "code": grid.code,
        "version": grid.version,
        "valid_from": grid.valid_from.isoformat(),
        "name": grid.name,
        **grid.fields,
        "geometry": json.loads(shapely.to_geojson(grid.geometry)),
    }


def _day(on: date | None, grids: Sequence[Grid]) -> date:
    today = local_today()
    day = today if on is None else on
    first = max(grid.valid_from for grid in grids)
    if not first <= day <= max(today, first):
        raise InvalidEditError(
            f"The day must lie from {first}, the last change, to today, {today}; not on {day}."
        )
    return day


def _carry_out(session: Session, plan: Plan, action: str, on: date, reason: str) -> Edit:
    store.retire(session, plan.retired, on=on, reason=reason)
    store.add(session, plan.added)
    store.add_lineage(session, plan.descents, on=on)
    return _done(session, action, Edit(on, plan.added, plan.retired, plan.descents))


def _done(session: Session, action: str, edit: Edit) -> Edit:
    """Count again what is told of households, and note the edit."""
    subject = edit.retired[0] if edit.retired else edit.grids[0].code
    community_code = community_of(subject)
    territory.tell_households(session, [community_code])
    audit.record(
        session,
        community_code=community_code,
        action=action,
        subject=subject,
        added=len(edit.grids),
        retired=len(edit.retired),
    )
    return edit


def list_descents(session: Session, *, digits: int) -> list[tuple[str, str]]:
    """Return predecessor and successor of all grids that changed, of those with so many digits."""
    return [
        (one.predecessor_code, one.successor_code)
        for one in store.list_all_lineage(session, digits=digits)
    ]
