"""Queries of the territory that a file is looked at beside: parents, grids, names."""

from collections.abc import Sequence
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from gridsvc.db import in_scope
from gridsvc.territory.importing.layers import GridLayer
from gridsvc.territory.importing.statements import read_shapes
from gridsvc.territory.store import among, with_parents
from gridsvc.territory.tables import BuildingRow, CommunityRow, CompoundRow, StairwellRow


def in_street(session: Session, column: Any, street_code: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a community lies in a sub-district, and in the caller's scope."""
    return in_scope(session, column), column.between(street_code, street_code + 999)


def has_street(session: Session, street_code: int) -> bool:
    """Tell whether the caller has any community of a sub-district."""
    statement = select(CommunityRow.code).where(*in_street(session, CommunityRow.code, street_code))
    return session.scalar(statement.limit(1)) is not None


def read_parents(session: Session, layer: GridLayer, street_code: int) -> GeoDataFrame:
    """Return what a layer's grids may lie in: ``code`` (text), ``geometry``; EPSG:4326, by code."""
    row = layer.parent_row
    community = row.code if row is CommunityRow else row.community_code
    statement = select(
        cast(row.code, String).label("code"), func.ST_AsBinary(row.geom).label("geom")
    ).where(*in_street(session, community, street_code))
    if row is not CommunityRow:
        statement = statement.where(row.retired_on.is_(None))
    return read_shapes(session, statement.order_by(row.code))


def read_grids(
    session: Session,
    layer: GridLayer,
    street_code: int,
    *,
    codes: Sequence[str],
    parents: Sequence[str],
) -> GeoDataFrame:
    """Return the grids of some codes or parents, also those that ended; EPSG:4326, by code.

    Returns
    -------
    GeoDataFrame
        ``code``, ``parent_code``, ``version``, ``valid_from``, ``is_retired``, the layer's fields,
        ``geometry``.
    """
    row = layer.row
    parent = func.left(row.code, layer.parent_digits)
    statement = (
        select(
            row.code,
            parent.label("parent_code"),
            row.version,
            row.valid_from,
            row.retired_on.is_not(None).label("is_retired"),
            *(getattr(row, name) for name in layer.fields),
            func.ST_AsBinary(row.geom).label("geom"),
        )
        .where(
            *in_street(session, row.community_code, street_code),
            or_(row.code == among(codes), parent == among(parents)),
        )
        .order_by(row.code)
    )
    return read_shapes(session, statement)


def read_named_stairwells(session: Session, street_code: int) -> DataFrame:
    """Return the living stairwells of a sub-district with the names that addresses use, by code.

    Returns
    -------
    DataFrame
        ``code``, ``stairwell_name``, ``building_name``, ``compound_name``, ``household_count``,
        ``valid_from``.
    """
    named = with_parents(
        select(
            StairwellRow.code,
            StairwellRow.name.label("stairwell_name"),
            BuildingRow.name.label("building_name"),
            CompoundRow.name.label("compound_name"),
            StairwellRow.household_count,
            StairwellRow.valid_from,
        )
    )
    found = session.execute(
        named.where(
            *in_street(session, StairwellRow.community_code, street_code),
            StairwellRow.retired_on.is_(None),
        ).order_by(StairwellRow.code)
    )
    return DataFrame(found.all(), columns=list(found.keys()))
