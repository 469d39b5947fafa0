"""The hot queries of incidents, as the stores write them, and places of the city to ask about."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.orm import Session

from gridsvc.db import SRID, Box, in_box
from gridsvc.incidents import service, store
from gridsvc.incidents.tables import IncidentRow

BOX_M = 400
RADIUS_M = 200
_METRES_A_DEGREE = 110_574
"""A degree of latitude at the equator, where it is shortest: WGS 84, GRS 80."""


@dataclass(frozen=True)
class Probe:
    """One incident of the city to ask for, and the place it lies at, EPSG:4326."""

    community_code: int
    incident_id: UUID
    lon: float
    lat: float


def newest(session: Session, _: Probe) -> int:
    return len(service.list_incidents(session, limit=100))


def count_by_class(session: Session, _: Probe) -> int:
    return sum(service.count_by_class(session).values())


def one_by_id(session: Session, probe: Probe) -> int:
    return int(service.get(session, probe.incident_id).id == probe.incident_id)


def in_a_box(session: Session, probe: Probe) -> int:
    shape = box_around(lon=probe.lon, lat=probe.lat, reach_m=BOX_M / 2)
    statement = store.select_incidents(session).where(
        in_box(session, IncidentRow, shape, margin_cells=0)
    )
    return len(session.execute(statement).all())


def in_a_radius(session: Session, probe: Probe) -> int:
    statement = store.select_incidents(session).where(
        in_radius(session, lon=probe.lon, lat=probe.lat, radius_m=RADIUS_M)
    )
    return len(session.execute(statement).all())


QUERIES: dict[str, Callable[[Session, Probe], int]] = {
    "newest 100": newest,
    "count by class": count_by_class,
    "one by id": one_by_id,
    f"box of {BOX_M} m": in_a_box,
    f"radius of {RADIUS_M} m": in_a_radius,
}
SPATIAL = (f"box of {BOX_M} m", f"radius of {RADIUS_M} m")


def box_around(*, lon: float, lat: float, reach_m: float) -> Box:
    """Return a box that reaches at least so far from a point, degrees."""
    north = reach_m / _METRES_A_DEGREE
    east = north / math.cos(math.radians(abs(lat) + north))
    return (lon - east, lat - north, lon + east, lat + north)


def in_radius(session: Session, *, lon: float, lat: float, radius_m: float) -> ColumnElement[bool]:
    """Return the condition that an incident lies near: a box for the index, then metres."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID)
    box = box_around(lon=lon, lat=lat, reach_m=radius_m)
    return and_(
        in_box(session, IncidentRow, box, margin_cells=0),
        func.ST_DWithin(func.geography(IncidentRow.geom), func.geography(point), radius_m),
    )
