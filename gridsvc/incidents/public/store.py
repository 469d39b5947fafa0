"""Queries of what everybody may know of incidents."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CTE, ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from gridsvc.db import SRID, in_scope
from gridsvc.incidents.public.model import ENDED, Jurisdiction, PublicIncident, PublicQuery
from gridsvc.incidents.tables import CategoryRow, IncidentRow
from gridsvc.territory.tables import CommunityRow, CompoundRow, StreetRow


def list_jurisdictions(session: Session) -> list[Jurisdiction]:
    """Return the sub-districts that are served, by code."""
    rows = session.execute(select(StreetRow.code, StreetRow.name).order_by(StreetRow.code))
    return [Jurisdiction(*row) for row in rows]


def list_public(session: Session, query: PublicQuery) -> list[PublicIncident]:
    """Return public incidents inside the communities of the scope, the newest first."""
    compound, community = _compounds(session), _communities(session)
    lon = func.coalesce(compound.c.lon, community.c.lon)
    lat = func.coalesce(compound.c.lat, community.c.lat)
    statement = (
        select(
            IncidentRow.community_code,
            IncidentRow.id,
            IncidentRow.category_code,
            CategoryRow.name_zh,
            CategoryRow.name_en,
            IncidentRow.status,
            IncidentRow.reported_at,
            IncidentRow.first_answer_at,
            IncidentRow.resolved_at,
            IncidentRow.verified_at,
            IncidentRow.closed_at,
            IncidentRow.due_at,
            community.c.name.label("community_name"),
            compound.c.code.label("compound_code"),
            compound.c.name.label("compound_name"),
            lon.label("lon"),
            lat.label("lat"),
        )
        .join(CategoryRow, CategoryRow.code == IncidentRow.category_code)
        # What lies outside every community has no place that could be told.
        .join(community, community.c.code == IncidentRow.community_code)
        .outerjoin(
            compound,
            and_(
                compound.c.community_code == IncidentRow.community_code,
                compound.c.code == IncidentRow.compound_code,
            ),
        )
        .where(
            in_scope(session, IncidentRow.community_code),
            # The policy says so as well: nothing else is for a resident.
            IncidentRow.is_public,
            *_conditions(query, lon=lon, lat=lat),
        )
        .order_by(IncidentRow.reported_at.desc(), IncidentRow.id.desc())
        .offset(query.offset)
        .limit(query.limit)
    )
    return [PublicIncident(**row) for row in session.execute(statement).mappings()]


def _conditions(
    query: PublicQuery, *, lon: ColumnElement[float], lat: ColumnElement[float]
) -> Iterator[ColumnElement[bool]]:
    if query.ids is not None:
        yield IncidentRow.id.in_(query.ids)
    if query.category_codes is not None:
        yield IncidentRow.category_code.in_(query.category_codes)
    if query.is_closed is not None:
        ended = IncidentRow.status.in_(ENDED)
        yield ended if query.is_closed else ~ended
    if query.since is not None:
        yield IncidentRow.reported_at >= query.since
    if query.until is not None:
        yield IncidentRow.reported_at <= query.until
    if query.box is not None:
        xmin, ymin, xmax, ymax = query.box
        yield and_(lon.between(xmin, xmax), lat.between(ymin, ymax))


def _communities(session: Session) -> CTE:
    """Return code, name and point of each community of the scope."""
    point = func.ST_PointOnSurface(CommunityRow.geom)
    return _once(
        select(CommunityRow.code, CommunityRow.name, *_degrees(point)).where(
            in_scope(session, CommunityRow.code)
        ),
        "around",
    )


def _compounds(session: Session) -> CTE:
    """Return the compounds whose households are told, and so are enough to be named."""
    point = func.ST_PointOnSurface(CompoundRow.geom)
    return _once(
        select(
            CompoundRow.community_code, CompoundRow.code, CompoundRow.name, *_degrees(point)
        ).where(
            in_scope(session, CompoundRow.community_code),
            CompoundRow.told_household_count.is_not(None),
        ),
        "home",
    )


def _degrees(point: Any) -> tuple[ColumnElement[float], ColumnElement[float]]:
    return func.ST_X(point).label("lon"), func.ST_Y(point).label("lat")


def _once(statement: Any, name: str) -> CTE:
    """Return a table that is made once for a statement, not for each of its rows."""
    made: CTE = statement.cte(name).prefix_with("MATERIALIZED")
    return made


def is_near_community(session: Session, *, lon: float, lat: float, within_m: float) -> bool:
    """Tell whether a point lies in a community of the scope, or so near to one."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID)
    # A degree of longitude is never longer than at the equator; a box is no measure, only a sieve.
    box = func.ST_Expand(point, within_m / 50_000)
    found = select(CommunityRow.code).where(
        in_scope(session, CommunityRow.code),
        CommunityRow.geom.op("&&")(box),
        func.ST_DWithin(func.geography(CommunityRow.geom), func.geography(point), within_m),
    )
    return session.scalar(found.limit(1)) is not None
