"""Queries of exports: one statement a layer, read through the planner views."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    select,
    table,
)
from sqlalchemy import literal_column as sql_text
from sqlalchemy.orm import Session

from geodata.writers.layers import Layer
from gridsvc.contacts import store as contacts
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import SRID, in_box, in_scope
from gridsvc.geojson import feature_text
from gridsvc.incidents.tables import HeatReleaseRow, HeatReleaseTotalRow, IncidentRow
from gridsvc.local_time import LOCAL_TIME, local_today
from gridsvc.overview.export_layers import Selection
from gridsvc.people.tables import MemberAffiliationRow, MemberRow
from gridsvc.territory.as_of import as_of
from gridsvc.territory.tables import (
    BuildingRow,
    BuildingVersionRow,
    CommunityRow,
    CompoundRow,
    CompoundVersionRow,
    StairwellRow,
    StairwellVersionRow,
    WalkwayRow,
)
from gridsvc.territory.tiles import MARGIN_CELLS

_ROWS_A_CHUNK = 1000
_GRIDS: dict[str, Any] = {
    "compounds": CompoundRow,
    "buildings": BuildingRow,
    "stairwells": StairwellRow,
}
# What an export is made of: a change of any row of the caller's makes a new one.
_MADE_OF: dict[str, tuple[Any, ...]] = {
    "communities": (CommunityRow,),
    "compounds": (CompoundRow, CompoundVersionRow),
    "buildings": (BuildingRow, BuildingVersionRow),
    "stairwells": (StairwellRow, StairwellVersionRow),
    "walkways": (WalkwayRow,),
    "incidents": (IncidentRow,),
    "heat": (HeatReleaseRow, HeatReleaseTotalRow),
    "coverage": (StairwellRow, ContactRow, MemberRow, MemberAffiliationRow),
}


def stream_features(session: Session, layer: Layer, selection: Selection) -> Iterator[str]:
    """Yield one GeoJSON feature a row, made by PostgreSQL, by community and id."""
    statement, columns = _rows(session, layer, selection)
    names = [field.name for field in layer.fields]
    feature = feature_text(
        feature_id=columns[names[0]],
        geom=columns["geom"],
        properties={name: columns[name] for name in names},
    )
    chosen = statement.with_only_columns(feature, maintain_column_froms=True)
    with session.scalars(chosen.execution_options(yield_per=_ROWS_A_CHUNK)) as features:
        yield from features


def stream_rows(
    session: Session, layer: Layer, selection: Selection
) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield rows by the thousand, by community and id: the fields, then WKB in EPSG:4326."""
    statement, columns = _rows(session, layer, selection)
    values = [
        cast(columns[field.name], String) if field.kind == "code" else columns[field.name]
        for field in layer.fields
    ]
    chosen = statement.with_only_columns(
        *values, func.ST_AsBinary(columns["geom"]), maintain_column_froms=True
    )
    with session.execute(chosen.execution_options(yield_per=_ROWS_A_CHUNK)) as rows:
        yield from rows.partitions()


def stamp(session: Session, layer: str) -> str:
    """Return a text that changes when any row changes that an export of the layer is made of."""
    parts = []
    for row in _MADE_OF[layer]:
        name = row.__tablename__
        # Where a row lies and who wrote it: no change leaves both as they were.
        version: ColumnElement[str] = sql_text(f"{name}.xmin::text || {name}.ctid::text")
        told = select(func.count(), func.sum(func.hashtextextended(version, 0))).where(
            in_scope(session, _community_of(row))
        )
        parts.append("{}:{}".format(*session.execute(told).one()))
    if layer == "coverage":
        parts.append(local_today().isoformat())
    return "/".join(parts)


def has_community(session: Session, code: int) -> bool:
    """Tell whether the caller's territory has a community."""
    found = exists().where(CommunityRow.code == code, in_scope(session, CommunityRow.code))
    return bool(session.scalar(select(found)))


def has_compound(session: Session, code: str) -> bool:
    """Tell whether the caller's territory has a compound, or had."""
    found = exists().where(
        in_scope(session, CompoundRow.community_code),
        CompoundRow.community_code == int(code[:12]),
        CompoundRow.code == code,
    )
    return bool(session.scalar(select(found)))


def _community_of(row: Any) -> Any:
    return row.code if row is CommunityRow else row.community_code


Columns = dict[str, ColumnElement[Any]]


def _rows(
    session: Session, layer: Layer, selection: Selection
) -> tuple[Select[*tuple[Any, ...]], Columns]:
    """Return the query of a layer, and its columns by name."""
    if layer.name == "coverage":
        source, columns, statement = _coverage(session, selection)
    else:
        source = _source(layer, selection)
        columns = {field.name: _column(source, field.name) for field in layer.fields}
        statement = select(*columns.values())
    community = columns["code" if layer.name == "communities" else "community_code"]
    conditions = [
        in_scope(session, community),
        *_in_area(session, layer.name, source, community, selection),
        *_reported(source, selection),
    ]
    order = (community, columns[layer.fields[0].name])
    return statement.where(*conditions).order_by(*order), columns | {"geom": source.geom}


def _source(layer: Layer, selection: Selection) -> Any:
    """Return what the columns of a layer belong to: its planner view where that can serve.

    A view has neither former shapes nor the key by which a box finds its rows.
    """
    if layer.name == "incidents":
        return IncidentRow
    row = _GRIDS.get(layer.name)
    if row is not None and (selection.on or selection.bbox):
        return as_of(row, selection.on)
    if layer.name == "walkways" and selection.bbox:
        return WalkwayRow
    names = [*(field.name for field in layer.fields), "geom"]
    return table(layer.name, *(column(name) for name in names), schema="planner").c


def _column(source: Any, name: str) -> ColumnElement[Any]:
    """Return a column; of households only what is told, as the views do."""
    is_view = not hasattr(source, "told_household_count")
    wanted = name if is_view or name != "household_count" else "told_household_count"
    found: ColumnElement[Any] = getattr(source, wanted)
    return found


def _coverage(
    session: Session, selection: Selection
) -> tuple[Any, Columns, Select[*tuple[Any, ...]]]:
    """Return stairwells with the state of their contact; who is in the Party or away stays here."""
    stairwell = as_of(StairwellRow, None)
    wanted = selection.community_code
    if wanted is None and selection.compound_code is not None:
        wanted = int(selection.compound_code[:12])
    states = contacts.stairwell_states(
        session, on=local_today(), communities=None if wanted is None else [wanted]
    )
    is_covered = states.c.state.in_(("covered_party", "covered_other", "absent"))
    state = case((is_covered, "covered"), else_=states.c.state)
    names = ("code", "community_code", "compound_code", "building_code", "name")
    columns: Columns = {name: getattr(stairwell, name) for name in names}
    columns |= {"household_count": stairwell.told_household_count, "state": state}
    same = and_(
        states.c.community_code == stairwell.community_code, states.c.code == stairwell.code
    )
    return stairwell, columns, select(*columns.values()).join(states, same)


def _in_area(
    session: Session,
    layer: str,
    source: Any,
    community: ColumnElement[Any],
    selection: Selection,
) -> Iterator[ColumnElement[bool]]:
    if selection.community_code is not None:
        yield community == selection.community_code
    if selection.compound_code is not None:
        yield community == int(selection.compound_code[:12])
        code = source.code if layer == "compounds" else source.compound_code
        yield code == selection.compound_code
    if selection.bbox is not None and layer == "communities":
        yield func.ST_Intersects(source.geom, func.ST_MakeEnvelope(*selection.bbox, SRID))
    elif selection.bbox is not None:
        margin = MARGIN_CELLS.get(_BOXED[layer], 0)
        yield in_box(session, source, selection.bbox, margin_cells=margin)


_BOXED: dict[str, Any] = {
    **_GRIDS,
    "walkways": WalkwayRow,
    "incidents": IncidentRow,
    "coverage": StairwellRow,
}


def _reported(source: Any, selection: Selection) -> Iterator[ColumnElement[bool]]:
    if selection.first_day is not None:
        yield source.reported_at >= datetime.combine(selection.first_day, time.min, LOCAL_TIME)
    if selection.last_day is not None:
        yield source.reported_at <= datetime.combine(selection.last_day, time.max, LOCAL_TIME)
    if selection.class_code is not None:
        yield func.split_part(source.category_code, ".", 1) == selection.class_code
