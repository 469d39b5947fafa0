"""What a caller can do with patrols: plan an evening's routes, fetch one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from geoalchemy2.shape import from_shape
from geopandas import GeoDataFrame
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from geodata.hotspots import hot_cells
from geodata.network import WalkingNetwork
from geodata.progress import Progress, silent
from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import SRID, new_id
from gridsvc.errors import NotFoundError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.service import HeatFilter
from gridsvc.local_time import LOCAL_TIME
from gridsvc.patrols import store
from gridsvc.patrols.candidates import HEAT_ZOOM, choose_candidates, neighbourhoods
from gridsvc.patrols.ground import Ground, problem_of, seconds_of_day
from gridsvc.patrols.model import LeftOut, Route, RouteSummary
from gridsvc.patrols.problem import PatrolRoute, PatrolSolution
from gridsvc.patrols.solver import solve
from gridsvc.territory import service as territory

CANDIDATES_PER_TEAM = 45
"""Stops that the solver may choose from, for each team; a shift has time for some 25."""

ITERATIONS = 100
"""Improvement rounds of the solver: with them a seed gives the same routes on any machine."""


def add_teams(session: Session, teams: GeoDataFrame) -> int:
    """Add patrol teams in bulk, as the job.

    Parameters
    ----------
    teams
        ``id``, ``community_code``, ``name``, ``starts``, ``ends`` (local times), ``geometry``
        (start post, EPSG:4326).
    """
    access.require_role(session, "job")
    return store.add_teams(session, teams)


def has_routes(session: Session, day: date) -> bool:
    """Tell whether any route is planned for a day."""
    return store.has_routes(session, during=_day(day))


def _day(day: date) -> Range[datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=LOCAL_TIME)
    return Range(start, start + timedelta(days=1))


def plan_evening(
    session: Session, *, day: date, seed: int = 0, progress: Progress | None = None
) -> list[RouteSummary]:
    """Plan a route for every team of the caller's territory on a day, replacing older ones.

    Where a team goes: stairwells with incidents, in hot spots first (Getis-Ord Gi* of the
    territory's heat cells). How far: along the walking network; where a community has none, by
    straight lines, and the route says so.

    Returns
    -------
    list
        The routes, by community and team.
    """
    report = progress or silent
    heat = _hot_cells(session)
    communities = territory.list_communities(session)
    run_id = new_id()
    for done, community in enumerate(communities):
        report("patrols", done, len(communities))
        _plan_community(session, _Evening(community.code, run_id, day, seed), heat)
    report("patrols", len(communities), len(communities))
    return store.list_run(session, run_id=run_id)


def _hot_cells(session: Session) -> GeoDataFrame:
    """Return the territory's heat cells with ``z_score`` and ``is_hot``."""
    cells, _ = incidents.read_heat(session, HeatFilter(), zoom=HEAT_ZOOM)
    counts = cells.rename(columns={"incident_count": "count"})[["x", "y", "count"]]
    return hot_cells(counts, zoom=HEAT_ZOOM)


@dataclass(frozen=True)
class _Evening:
    """One community's part of a run."""

    community_code: int
    run_id: UUID
    day: date
    seed: int

    def at(self, seconds: int) -> datetime:
        """Return the instant so many seconds after local midnight."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=LOCAL_TIME)
        return midnight + timedelta(seconds=int(seconds))


def _plan_community(session: Session, evening: _Evening, heat: GeoDataFrame) -> None:
    code = evening.community_code
    teams = store.read_teams(session, community_code=code)
    if teams.empty:
        return
    counts = incidents.count_by_stairwell(session, community_code=code)
    stairwells = territory.read_stairwells(session, community_code=code)
    walkways = territory.read_walkways(session, community_code=code)
    network = None if walkways.empty else WalkingNetwork.from_walkways(walkways)
    routes: list[dict[str, Any]] = []
    stops: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for own_teams, own_stairwells in neighbourhoods(teams, stairwells):
        limit = CANDIDATES_PER_TEAM * len(own_teams)
        candidates = choose_candidates(own_stairwells, counts, heat, limit=limit)
        ground = Ground.of(candidates, own_teams, network)
        problem = problem_of(candidates, own_teams, ground)
        solution = solve(problem, seed=evening.seed, iterations=ITERATIONS)
        for found in solution.routes:
            route = _route_record(session, evening, own_teams, ground, found)
            routes.append(route)
            stops += _stop_records(evening, candidates, route["id"], found)
        left_out += _left_out_records(evening, candidates, own_teams, solution)
    store.replace_routes(
        session, community_code=code, routes=routes, stops=stops, left_out=left_out
    )
    audit.record(
        session,
        community_code=code,
        action="patrols.plan",
        subject=str(evening.run_id),
        routes=len(routes),
        stops=len(stops),
    )


def _route_record(
    session: Session,
    evening: _Evening,
    teams: GeoDataFrame,
    ground: Ground,
    found: PatrolRoute,
) -> dict[str, Any]:
    team = teams.iloc[found.team]
    post = len(ground.points) - len(teams) + found.team
    order = [post, *found.stops.tolist(), post] if len(found.stops) else []
    start, end = (evening.at(seconds_of_day(team[name])) for name in ("starts", "ends"))
    shift_id = store.put_shift(
        session,
        community_code=evening.community_code,
        shift_id=new_id(),
        team_id=team["id"],
        during=Range(start, end),
    )
    return {
        "id": new_id(),
        "run_id": evening.run_id,
        "shift_id": shift_id,
        "network": ground.kind,
        "seed": evening.seed,
        "distance_m": ground.length_m(order) if order else 0,
        "walk_s": found.walk_s,
        "prize": found.prize,
        "geom": from_shape(ground.line(order), srid=SRID) if order else None,
    }


def _stop_records(
    evening: _Evening, candidates: GeoDataFrame, route_id: UUID, found: PatrolRoute
) -> list[dict[str, Any]]:
    times = zip(found.stops, found.arrival_s, found.departure_s, strict=True)
    return [
        {
            "route_id": route_id,
            "position": position,
            "stairwell_code": candidates["code"].iloc[stop],
            "prize": int(candidates["prize"].iloc[stop]),
            "facts": _facts(candidates, int(stop)),
            "arrives_at": evening.at(arrival_s),
            "departs_at": evening.at(departure_s),
            "geom": from_shape(candidates.geometry.iloc[stop], srid=SRID),
        }
        for position, (stop, arrival_s, departure_s) in enumerate(times, start=1)
    ]


def _facts(candidates: GeoDataFrame, stop: int) -> dict[str, Any]:
    """Return what made the stop worth a visit."""
    return {
        "incident_count": int(candidates["incident_count"].iloc[stop]),
        "hot_spot_z": round(float(candidates["z_score"].iloc[stop]), 2),
    }


def _left_out_records(
    evening: _Evening, candidates: GeoDataFrame, teams: GeoDataFrame, solution: PatrolSolution
) -> list[dict[str, Any]]:
    codes = candidates["code"]
    return [
        {
            "run_id": evening.run_id,
            "stairwell_code": codes.iloc[left.stop],
            "reason": left.reason,
            "prize": int(candidates["prize"].iloc[left.stop]),
            "facts": _facts(candidates, left.stop)
            | {
                "team": teams["name"].iloc[left.team] if left.team >= 0 else None,
                "needed_s": left.needed_s,
                "shift_s": left.shift_s,
                "instead_of": [codes.iloc[stop] for stop in left.instead_of],
            },
        }
        for left in solution.left_out
    ]


def list_routes(
    session: Session,
    *,
    community_code: int | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> list[RouteSummary]:
    """Return at most ``limit`` routes, the newest first, before an id."""
    return store.list_routes(session, community_code=community_code, before=before, limit=limit)


def list_day(session: Session, day: date) -> list[RouteSummary]:
    """Return the routes of a day, by community and team."""
    return store.list_day(session, during=_day(day))


def get_route(session: Session, route_id: UUID) -> Route:
    """Return a route with its line and stops.

    Raises
    ------
    NotFoundError
        The caller's territory has no such route.
    """
    route = store.find_route(session, route_id)
    if route is None:
        raise NotFoundError("route", route_id)
    return route


def list_left_out(session: Session, route_id: UUID) -> list[LeftOut]:
    """Return what the run of a route left out in its community, the most wanted first.

    Raises
    ------
    NotFoundError
        The caller's territory has no such route.
    """
    route = get_route(session, route_id)
    return store.list_left_out(session, run_id=route.run_id, community_code=route.community_code)
