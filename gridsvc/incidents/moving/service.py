"""Moving an incident to the community that it belongs to: closed here, opened there, linked."""

from collections.abc import Sequence
from uuid import UUID

import pandas as pd
from geopandas import GeoDataFrame, points_from_xy
from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import Interval, act_for, new_id
from gridsvc.incidents import store as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life import store
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.model import Incident
from gridsvc.territory import service as territory


def move(
    session: Session, incident_id: UUID, *, on_event: Sequence[Listener] = ()
) -> Incident | None:
    """Open an incident where it belongs, as the job; return it, or nothing if it is there already.

    It keeps its words, its time and its place; its clock begins anew. In heat it counts there
    from now on, and no longer here.
    """
    access.require_role(session, "job")
    here = store.hold(session, incident_id)
    if here is None or here.moved_to_code is None or here.moved_to is not None:
        return None
    code = here.moved_to_code
    act_for(session, Interval(code, code))
    there = _open_there(session, here, code)
    store.take_from_cell(session, here)
    store.change(session, here, moved_to=there.id)
    life.note(session, here.id, {"moved_to": str(there.id), "to_code": code}, on_event=on_event)
    details = {"moved_from": str(here.id), "from_code": here.community_code}
    there = life.begin(session, there, details=details, on_event=on_event)
    audit.record(
        session,
        community_code=code,
        action="incident.arrive",
        subject=str(there.id),
        moved_from=str(here.id),
    )
    return there


def _open_there(session: Session, here: Incident, code: int) -> Incident:
    frame = GeoDataFrame(
        {
            "id": [str(new_id())],
            "category_code": [here.category_code],
            "status": ["reported"],
            "reported_at": pd.to_datetime([here.reported_at], utc=True),
            "closed_at": pd.Series([pd.NaT]).dt.tz_localize("UTC"),
            "summary": [here.summary],
            "owner_code": [code],
        },
        geometry=points_from_xy([here.lon], [here.lat]),
        crs="EPSG:4326",
    )
    incidents.add(session, frame, outside_code=territory.outside_code(session))
    there = incidents.find_incident(session, UUID(str(frame["id"].iloc[0])))
    assert there is not None  # noqa: S101  (it was just added)
    store.change(session, there, moved_from=here.id, moved_from_code=here.community_code)
    return incidents.find_incident(session, there.id) or there


def list_waiting(session: Session, *, limit: int = 500) -> Sequence[UUID]:
    """Return incidents that belong elsewhere and have not been opened there yet."""
    return store.list_moving(session, limit=limit)
