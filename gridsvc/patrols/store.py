"""Queries of teams, shifts, routes and what was left out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from geopandas import GeoDataFrame
from sqlalchemy import Select, and_, delete, func, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from gridsvc.db import copy_frame, in_scope, read_frame, same_thing
from gridsvc.patrols.model import LeftOut, Route, RouteSummary, Stop
from gridsvc.patrols.tables import LeftOutRow, RouteRow, ShiftRow, StopRow, TeamRow
from gridsvc.territory.store import with_parents
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow


def add_teams(session: Session, teams: GeoDataFrame) -> int:
    """Copy teams, EPSG:4326; only the job role may."""
    return copy_frame(session, TeamRow, teams)


def read_teams(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's teams; EPSG:4326, by id.

    Returns
    -------
    GeoDataFrame
        ``id``, ``name``, ``starts``, ``ends`` (local times), ``geometry`` (start post).
    """
    return read_frame(
        session,
        select(TeamRow.id, TeamRow.name, TeamRow.starts, TeamRow.ends, TeamRow.geom)
        .where(in_scope(session, TeamRow.community_code), TeamRow.community_code == community_code)
        .order_by(TeamRow.id),
    )


def put_shift(
    session: Session, *, community_code: int, shift_id: UUID, team_id: UUID, during: Range[datetime]
) -> UUID:
    """Return the team's shift of that time, made where there is none."""
    own = and_(
        ShiftRow.community_code == community_code,
        ShiftRow.team_id == team_id,
        ShiftRow.during.op("&&")(during),
    )
    found = session.scalar(select(ShiftRow.id).where(own).limit(1))
    if found:
        return found
    session.execute(
        insert(ShiftRow).values(
            community_code=community_code, id=shift_id, team_id=team_id, during=during
        )
    )
    return shift_id


def replace_routes(  # the rows of one community's run
    session: Session,
    *,
    community_code: int,
    routes: Sequence[dict[str, Any]],
    stops: Sequence[dict[str, Any]],
    left_out: Sequence[dict[str, Any]],
) -> None:
    """Put new routes of these shifts in the place of the old ones."""
    shift_ids = [route["shift_id"] for route in routes]
    old = and_(RouteRow.community_code == community_code, RouteRow.shift_id.in_(shift_ids))
    old_runs = list(session.scalars(select(RouteRow.run_id).where(old).distinct()))
    old_ids = list(session.scalars(select(RouteRow.id).where(old)))
    session.execute(
        delete(StopRow).where(
            StopRow.community_code == community_code, StopRow.route_id.in_(old_ids)
        )
    )
    session.execute(
        delete(LeftOutRow).where(
            LeftOutRow.community_code == community_code, LeftOutRow.run_id.in_(old_runs)
        )
    )
    session.execute(delete(RouteRow).where(old))
    for row, records in ((RouteRow, routes), (StopRow, stops), (LeftOutRow, left_out)):
        if records:
            session.execute(
                insert(row), [{"community_code": community_code} | record for record in records]
            )


def has_routes(session: Session, *, during: Range[datetime]) -> bool:
    """Tell whether any shift in that time has a route."""
    return bool(
        session.scalar(
            select(func.count())
            .select_from(RouteRow)
            .join(ShiftRow, _is_shift_of_route())
            .where(in_scope(session, RouteRow.community_code), ShiftRow.during.op("&&")(during))
        )
    )


def _is_shift_of_route() -> Any:
    return same_thing(ShiftRow.id, RouteRow.shift_id)


def _routes(session: Session) -> Select[*tuple[Any, ...]]:
    stops = (
        select(func.count().label("stop_count"))
        .where(StopRow.community_code == RouteRow.community_code, StopRow.route_id == RouteRow.id)
        .scalar_subquery()
    )
    return (
        select(
            RouteRow.community_code,
            RouteRow.id,
            RouteRow.run_id,
            TeamRow.name.label("team_name"),
            func.lower(ShiftRow.during).label("starts_at"),
            func.upper(ShiftRow.during).label("ends_at"),
            RouteRow.network,
            RouteRow.distance_m,
            RouteRow.walk_s,
            RouteRow.prize,
            stops.label("stop_count"),
        )
        .join(ShiftRow, _is_shift_of_route())
        .join(
            TeamRow,
            same_thing(TeamRow.id, ShiftRow.team_id),
        )
        .where(in_scope(session, RouteRow.community_code))
    )


def list_routes(
    session: Session, *, community_code: int | None, before: UUID | None, limit: int
) -> list[RouteSummary]:
    """Return routes, the newest first; ids are ordered by time."""
    statement = _routes(session)
    if community_code is not None:
        statement = statement.where(RouteRow.community_code == community_code)
    if before is not None:
        statement = statement.where(RouteRow.id < before)
    return _summaries(session, statement.order_by(RouteRow.id.desc()).limit(limit))


def list_run(session: Session, *, run_id: UUID) -> list[RouteSummary]:
    """Return the routes of a run, by community and team."""
    return _by_team(session, _routes(session).where(RouteRow.run_id == run_id))


def list_day(session: Session, *, during: Range[datetime]) -> list[RouteSummary]:
    """Return the routes of shifts in a time, by community and team."""
    return _by_team(session, _routes(session).where(ShiftRow.during.op("&&")(during)))


def _by_team(session: Session, statement: Select[*tuple[Any, ...]]) -> list[RouteSummary]:
    return _summaries(session, statement.order_by(RouteRow.community_code, TeamRow.name))


def _summaries(session: Session, statement: Select[*tuple[Any, ...]]) -> list[RouteSummary]:
    return [RouteSummary(**row) for row in session.execute(statement).mappings()]


def find_route(session: Session, route_id: UUID) -> Route | None:
    """Return a route with its line and stops."""
    statement = _routes(session).add_columns(
        func.ST_AsGeoJSON(RouteRow.geom, 7).label("line"),
        func.ST_X(TeamRow.geom).label("post_lon"),
        func.ST_Y(TeamRow.geom).label("post_lat"),
    )
    row = session.execute(statement.where(RouteRow.id == route_id)).mappings().one_or_none()
    if row is None:
        return None
    line = orjson.loads(row["line"])["coordinates"] if row["line"] else []
    facts = {name: value for name, value in row.items() if name != "line"}
    stops = _stops(session, community_code=row["community_code"], route_id=route_id)
    return Route(**facts, line=tuple((lon, lat) for lon, lat in line), stops=stops)


def _stops(session: Session, *, community_code: int, route_id: UUID) -> tuple[Stop, ...]:
    named = with_parents(
        select(
            StopRow.position,
            StopRow.stairwell_code,
            func.concat(CompoundRow.name, " ", BuildingRow.name, StairwellRow.name).label("name"),
            StopRow.prize,
            StopRow.facts,
            StopRow.arrives_at,
            StopRow.departs_at,
            func.ST_X(StopRow.geom).label("lon"),
            func.ST_Y(StopRow.geom).label("lat"),
        ).join(
            StairwellRow,
            same_thing(StairwellRow.code, StopRow.stairwell_code),
        )
    )
    own = named.where(
        in_scope(session, StopRow.community_code),
        StopRow.community_code == community_code,
        StopRow.route_id == route_id,
    )
    rows = session.execute(own.order_by(StopRow.position)).mappings()
    return tuple(Stop(**row) for row in rows)


def list_left_out(session: Session, *, run_id: UUID, community_code: int) -> list[LeftOut]:
    """Return what a run left out, the most wanted first."""
    rows = session.execute(
        select(LeftOutRow.stairwell_code, LeftOutRow.reason, LeftOutRow.prize, LeftOutRow.facts)
        .where(
            in_scope(session, LeftOutRow.community_code),
            LeftOutRow.community_code == community_code,
            LeftOutRow.run_id == run_id,
        )
        .order_by(LeftOutRow.prize.desc(), LeftOutRow.stairwell_code)
    ).mappings()
    return [LeftOut(**row) for row in rows]
