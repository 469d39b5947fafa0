"""Queries across features; overview owns no table."""

from collections.abc import Sequence
from datetime import date

from geopandas import GeoDataFrame
from sqlalchemy import ColumnElement, Subquery, and_, func, select
from sqlalchemy.orm import Session

from geodata.tiles import tile_box
from gridsvc.contacts import store as contacts
from gridsvc.db import in_scope, read_frame
from gridsvc.territory import store as territory
from gridsvc.territory import tiles
from gridsvc.territory.store import with_parents
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow

_NAMES = (
    StairwellRow.code,
    StairwellRow.name,
    BuildingRow.name.label("building_name"),
    CompoundRow.name.label("compound_name"),
)


def read_tile(
    session: Session,
    layers: Sequence[str],
    address: tuple[int, int, int],
    *,
    covered_on: date | None,
    on: date | None = None,
) -> bytes:
    """Return layers of a tile, in one statement.

    Parameters
    ----------
    address
        Zoom, column and row.
    covered_on
        Day whose contacts stairwells tell the ``state`` of; absent: they do not.
    on
        Grids as they were at the end of this day; default: as they are now.
    """
    rows = [
        _coverage_rows(session, address, on=covered_on)
        if layer == "stairwells" and covered_on
        else tiles.layer_rows(session, layer, address, on=on)
        for layer in layers
    ]
    return tiles.encode_tile(session, list(zip(layers, rows, strict=True)))


def _coverage_rows(session: Session, address: tuple[int, int, int], *, on: date) -> tiles.Rows:
    """Return the query of a tile's stairwells with the ``state`` of their contact."""
    zoom, x, y = address
    # A contact serves one community, so the others' load need not be summed for this tile.
    near = territory.communities_in(session, tile_box(zoom=zoom, x=x, y=y, margin=1))
    states = contacts.stairwell_states(session, on=on, communities=near)
    columns = [*_NAMES, StairwellRow.household_count, states.c.state]
    margin_cells = tiles.MARGIN_CELLS[StairwellRow]
    rows = tiles.tile_rows(session, StairwellRow, columns, address, margin_cells=margin_cells)
    return with_parents(rows).join(states, _is_state_of_stairwell(states))


def read_uncovered(session: Session, *, on: date, limit: int) -> GeoDataFrame:
    """Return stairwells without a contact as points with their names; EPSG:4326, by code."""
    states = contacts.stairwell_states(session, on=on)
    point = func.ST_PointOnSurface(StairwellRow.geom)
    rows = with_parents(select(*_NAMES, StairwellRow.household_count, point.label("geom"))).join(
        states, _is_state_of_stairwell(states)
    )
    return read_frame(
        session,
        rows.where(states.c.state == "uncovered").order_by(StairwellRow.code).limit(limit),
    )


def _is_state_of_stairwell(states: Subquery) -> ColumnElement[bool]:
    return and_(
        states.c.community_code == StairwellRow.community_code,
        states.c.code == StairwellRow.code,
    )


def count_compounds(session: Session) -> tuple[int, int, int]:
    """Return how many compounds there are, how many demonstrate, and how many buildings."""
    compounds, demonstrating = session.execute(
        select(func.count(), func.count().filter(CompoundRow.is_demonstration)).where(
            in_scope(session, CompoundRow.community_code), CompoundRow.retired_on.is_(None)
        )
    ).one()
    buildings = session.scalar(
        select(func.count())
        .select_from(BuildingRow)
        .where(in_scope(session, BuildingRow.community_code), BuildingRow.retired_on.is_(None))
    )
    return compounds, demonstrating, buildings or 0
