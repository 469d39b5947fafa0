"""Queries of grids that change: the row in force, its former versions, its lineage."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from geodata.codes import community_of
from gridsvc.db import SRID, in_scope, read_frame
from gridsvc.territory.as_of import as_of
from gridsvc.territory.editing.model import (
    FIELDS,
    PARTS,
    Descent,
    FormerGrid,
    Grid,
    Kind,
    kind_of,
)
from gridsvc.territory.store import told_households
from gridsvc.territory.tables import (
    BuildingRow,
    BuildingVersionRow,
    CommunityRow,
    CompoundRow,
    CompoundVersionRow,
    GridLineageRow,
    StairwellRow,
    StairwellVersionRow,
)

ROWS: dict[Kind, Any] = {
    "compound": CompoundRow,
    "building": BuildingRow,
    "stairwell": StairwellRow,
}
VERSIONS: dict[Kind, Any] = {
    "compound": CompoundVersionRow,
    "building": BuildingVersionRow,
    "stairwell": StairwellVersionRow,
}
# The column of each kind that names what it is part of.
_PARENTS: dict[Kind, str] = {"building": "compound_code", "stairwell": "building_code"}


def _grids(session: Session, kind: Kind, row: Any = None) -> Any:
    row = row or ROWS[kind]
    return select(
        row.code,
        row.name,
        row.version,
        row.valid_from,
        row.retired_on,
        row.retired_reason,
        *_facts(session, row, kind),
        func.ST_AsBinary(row.geom).label("geom"),
    ).where(in_scope(session, row.community_code))


def _facts(session: Session, row: Any, kind: Kind) -> list[Any]:
    """Return the columns of a kind's own fields; planners are not told of few households."""
    return [
        told_households(session, row) if name == "household_count" else getattr(row, name)
        for name in FIELDS[kind]
    ]


def _grid(kind: Kind, found: Any) -> Grid:
    return Grid(
        code=found["code"],
        name=found["name"],
        version=found["version"],
        valid_from=found["valid_from"],
        geometry=shapely.from_wkb(bytes(found["geom"])),
        fields={name: found[name] for name in FIELDS[kind]},
        retired_on=found.get("retired_on"),
        retired_reason=found.get("retired_reason"),
    )


def find(session: Session, code: str) -> Grid | None:
    """Return a grid of the caller's territory, also one that has ended."""
    kind = kind_of(code)
    if kind is None:
        return None
    row = ROWS[kind]
    statement = _grids(session, kind).where(
        row.community_code == community_of(code), row.code == code
    )
    found = session.execute(statement).mappings().one_or_none()
    return _grid(kind, found) if found else None


def find_on(session: Session, code: str, *, on: date) -> Grid | None:
    """Return a grid of the caller's territory as it was on a day."""
    kind = kind_of(code)
    if kind is None:
        return None
    row = as_of(ROWS[kind], on)
    statement = _grids(session, kind, row).where(
        row.community_code == community_of(code), row.code == code
    )
    found = session.execute(statement).mappings().one_or_none()
    return _grid(kind, found) if found else None


def list_former(session: Session, code: str, kind: Kind) -> list[FormerGrid]:
    """Return what a grid was, the oldest first."""
    past = VERSIONS[kind]
    statement = (
        select(
            *(past.code, past.name, past.version, past.valid_from, past.valid_to, past.reason),
            *_facts(session, past, kind),
            func.ST_AsBinary(past.geom).label("geom"),
        )
        .where(
            in_scope(session, past.community_code),
            past.community_code == community_of(code),
            past.code == code,
        )
        .order_by(past.version)
    )
    return [
        FormerGrid(_grid(kind, found), found["valid_to"], found["reason"])
        for found in session.execute(statement).mappings()
    ]


def list_parts(session: Session, codes: Sequence[str], kind: Kind) -> dict[Kind, list[Grid]]:
    """Return all that lies in some grids of one kind and is in force, by kind, by code."""
    parts: dict[Kind, list[Grid]] = {}
    inner, parents = PARTS[kind], list(codes)
    while inner and parents:
        row = ROWS[inner]
        statement = (
            _grids(session, inner)
            .where(
                row.community_code == community_of(codes[0]),
                getattr(row, _PARENTS[inner]).in_(parents),
                row.retired_on.is_(None),
            )
            .order_by(row.code)
        )
        parts[inner] = [_grid(inner, found) for found in session.execute(statement).mappings()]
        parents = [part.code for part in parts[inner]]
        inner = PARTS[inner]
    return parts


def read_parent(session: Session, grid: Grid) -> GeoDataFrame:
    """Return what a grid is part of: ``code``, ``geometry``; EPSG:4326, one row."""
    if grid.kind == "compound":
        statement = select(CommunityRow.code, CommunityRow.geom).where(
            CommunityRow.code == grid.community_code
        )
        frame = read_frame(session, statement)
        return frame.assign(code=frame["code"].astype("str"))
    row = CompoundRow if grid.kind == "building" else BuildingRow
    return read_frame(
        session,
        select(row.code, row.geom).where(
            in_scope(session, row.community_code),
            row.community_code == grid.community_code,
            row.code == grid.parent_code,
        ),
    )


def read_siblings(session: Session, grid: Grid, *, without: Collection[str]) -> GeoDataFrame:
    """Return what else lies in a grid's parent: ``code``, ``geometry``; EPSG:4326, by code."""
    row = ROWS[grid.kind]
    statement = (
        select(row.code, row.geom)
        .where(
            in_scope(session, row.community_code),
            row.community_code == grid.community_code,
            row.code.startswith(grid.parent_code, autoescape=True),
            row.code.not_in(without),
            row.retired_on.is_(None),
        )
        .order_by(row.code)
    )
    return read_frame(session, statement)


def keep_version(session: Session, grid: Grid, *, valid_to: date, reason: str) -> None:
    """Write down what a grid was until a day."""
    row, past = ROWS[grid.kind], VERSIONS[grid.kind]
    names = [name for name in past.__table__.columns.keys() if name not in {"valid_to", "reason"}]  # noqa: SIM118 - a collection of columns
    kept = select(
        *(getattr(row, name) for name in names), literal(valid_to), literal(reason)
    ).where(row.community_code == grid.community_code, row.code == grid.code)
    session.execute(insert(past).from_select([*names, "valid_to", "reason"], kept))


def change(session: Session, grid: Grid) -> None:
    """Write a grid as it is from its ``valid_from`` on."""
    row = ROWS[grid.kind]
    session.execute(
        update(row)
        .where(row.community_code == grid.community_code, row.code == grid.code)
        .values(
            name=grid.name,
            version=grid.version,
            valid_from=grid.valid_from,
            geom=_ewkt(grid),
            **grid.fields,
        )
    )


def retire(session: Session, codes: Iterable[str], *, on: date, reason: str) -> None:
    """Let grids end on a day; they keep their codes for ever."""
    by_kind: dict[Kind, list[str]] = {}
    for code in codes:
        kind = kind_of(code)
        assert kind is not None  # noqa: S101 - read from the tables
        by_kind.setdefault(kind, []).append(code)
    for kind, ended in by_kind.items():
        row = ROWS[kind]
        session.execute(
            update(row)
            .where(row.community_code == community_of(ended[0]), row.code.in_(ended))
            .values(retired_on=on, retired_reason=reason)
        )


def add(session: Session, grids: Sequence[Grid]) -> None:
    """Write new grids; what others lie in comes first."""
    for kind, row in ROWS.items():
        values = [
            {
                "community_code": grid.community_code,
                "code": grid.code,
                "name": grid.name,
                "valid_from": grid.valid_from,
                "geom": _ewkt(grid),
                **_ancestors(grid),
                **grid.fields,
            }
            for grid in grids
            if grid.kind == kind
        ]
        if values:
            session.execute(insert(row), values)


def _ancestors(grid: Grid) -> dict[str, str]:
    if grid.kind == "compound":
        return {}
    if grid.kind == "building":
        return {"compound_code": grid.parent_code}
    return {"building_code": grid.parent_code, "compound_code": grid.parent_code[:-3]}


def _ewkt(grid: Grid) -> str:
    shape = grid.geometry
    if grid.kind == "compound" and isinstance(shape, Polygon):
        shape = MultiPolygon([shape])
    return f"SRID={SRID};{shapely.to_wkt(shape, rounding_precision=-1)}"


def add_lineage(session: Session, descents: Sequence[Descent], *, on: date) -> None:
    """Write down what became of grids that ended."""
    if not descents:
        return
    session.execute(
        insert(GridLineageRow),
        [
            {
                "community_code": community_of(descent.successor_code),
                "predecessor_code": descent.predecessor_code,
                "successor_code": descent.successor_code,
                "kind": descent.kind,
                "happened_on": on,
                "share": descent.share,
            }
            for descent in descents
        ],
    )


def list_lineage(session: Session, code: str) -> list[Descent]:
    """Return what a grid came from and what became of it, by the two codes."""
    row = GridLineageRow
    return _descents(
        session,
        select(row).where(
            in_scope(session, row.community_code),
            row.community_code == community_of(code),
            or_(row.predecessor_code == code, row.successor_code == code),
        ),
    )


def list_all_lineage(session: Session, *, digits: int) -> list[Descent]:
    """Return the lineage of every grid of the caller's territory whose code has so many digits."""
    row = GridLineageRow
    return _descents(
        session,
        select(row).where(
            in_scope(session, row.community_code), func.length(row.successor_code) == digits
        ),
    )


def _descents(session: Session, statement: Any) -> list[Descent]:
    row = GridLineageRow
    ordered = statement.order_by(row.predecessor_code, row.successor_code)
    return [
        Descent(one.predecessor_code, one.successor_code, one.kind, one.share)
        for one in session.scalars(ordered)
    ]


def frame_of(grids: Sequence[Grid]) -> GeoDataFrame:
    """Return grids as the quality report wants them: ``row``, codes, name, geometry; EPSG:4326."""
    shapes: list[BaseGeometry] = [grid.geometry for grid in grids]
    return GeoDataFrame(
        {
            "row": np.arange(1, len(grids) + 1),
            "code": [grid.code for grid in grids],
            "parent_code": [grid.parent_code for grid in grids],
            "name": [grid.name for grid in grids],
        },
        geometry=GeoSeries(shapes, crs=SRID),
    )
