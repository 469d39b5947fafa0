"""Patrol routes over the wire: JSON, GeoJSON and GPX of the same route."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from geopandas import GeoDataFrame, points_from_xy
from pydantic import BaseModel, ConfigDict, Field
from shapely import LineString

from geodata.geojson import geojson_text
from geodata.gpx import route_gpx
from gridsvc.patrols.model import Route

Format = Literal["json", "geojson", "gpx"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "gpx": "application/gpx+xml",
}


class RouteSummaryOut(BaseModel):
    """A team's route of one shift; metres and seconds."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    id: UUID
    run_id: UUID
    team_name: str
    starts_at: datetime
    ends_at: datetime
    network: Literal["streets", "straight"] = Field(
        description="`straight`: no walking network was known; distances are estimates."
    )
    distance_m: int
    walk_s: int
    prize: int
    stop_count: int


class StopOut(BaseModel):
    """A stop; position in EPSG:4326. `facts` say why it is there."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    stairwell_code: str
    name: str
    prize: int
    facts: dict[str, Any]
    arrives_at: datetime
    departs_at: datetime
    lon: float
    lat: float


class RouteOut(RouteSummaryOut):
    """A route with its line (lon, lat; EPSG:4326) and stops in order."""

    post_lon: float
    post_lat: float
    line: list[tuple[float, float]]
    stops: list[StopOut]


class LeftOutOut(BaseModel):
    """A stairwell that tonight's routes leave out, with the reason that was tested."""

    model_config = ConfigDict(from_attributes=True)

    stairwell_code: str
    reason: str
    prize: int
    facts: dict[str, Any]


class PlanEveningIn(BaseModel):
    """Which evening to plan; the same seed gives the same routes."""

    model_config = ConfigDict(extra="forbid")

    day: date
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class EveningOut(BaseModel):
    """The routes of an evening."""

    routes: list[RouteSummaryOut]


def _json(route: Route) -> bytes:
    return RouteOut.model_validate(route).model_dump_json().encode()


def _stops(route: Route) -> GeoDataFrame:
    stops = route.stops
    columns = {
        "kind": ["stop" for _ in stops],
        "order": [stop.position for stop in stops],
        "name": [stop.name for stop in stops],
        "stairwell_code": [stop.stairwell_code for stop in stops],
        "arrives_at": [stop.arrives_at for stop in stops],
        "departs_at": [stop.departs_at for stop in stops],
        "prize": [stop.prize for stop in stops],
    }
    places = points_from_xy([stop.lon for stop in stops], [stop.lat for stop in stops])
    return GeoDataFrame(columns, geometry=places, crs="EPSG:4326")


def _geojson(route: Route) -> bytes:
    """Return the line as the first feature, then a point for each stop."""
    facts = RouteSummaryOut.model_validate(route).model_dump()
    line = GeoDataFrame(
        {name: [value] for name, value in facts.items()} | {"kind": ["route"]},
        geometry=[LineString(route.line)],
        crs="EPSG:4326",
    )
    collections = [orjson.loads(geojson_text(frame)) for frame in (line, _stops(route))]
    features = [feature for collection in collections for feature in collection["features"]]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _gpx(route: Route) -> bytes:
    stops = _stops(route).rename(columns={"arrives_at": "time"})
    return route_gpx(name=route.team_name, track=LineString(route.line), stops=stops)


ENCODERS: dict[Format, Callable[[Route], bytes]] = {
    "json": _json,
    "geojson": _geojson,
    "gpx": _gpx,
}


def preferred_format(accept: str | None) -> Format:
    """Return the first format that an ``Accept`` header names, else JSON."""
    named = [part.partition(";")[0].strip() for part in (accept or "").split(",")]
    by_type = {media_type: name for name, media_type in MEDIA_TYPES.items()}
    return next((by_type[media_type] for media_type in named if media_type in by_type), "json")
