"""Queries of reports: as a resident of one community, who sees the own report and public ones."""

from collections.abc import Collection
from datetime import date, datetime
from importlib.resources import files
from math import cos, radians
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import ColumnElement, cast, func, insert, select, text, update
from sqlalchemy.orm import Session

from geodata.codes import community_of
from gridsvc.db import SRID, in_box, in_scope, same_thing
from gridsvc.incidents.reporting.model import Kept, NewReport, Similar, Spot
from gridsvc.incidents.reporting.tables import PublishedPhotoRow, ReportRow
from gridsvc.incidents.tables import IncidentRow
from gridsvc.territory.tables import (
    CommunityRow,
    CompoundRow,
    GridLineageRow,
    StairwellRow,
    StreetRow,
)

_COUNT = text(
    (files("gridsvc.incidents.reporting") / "sql" / "count_heat.sql").read_text(encoding="utf-8")
)
# Of latitude, and of longitude at the equator.
_METRES_A_DEGREE = 111_000.0


def lock(session: Session, incident_id: UUID) -> None:
    """Let nobody else write to a report until the transaction ends."""
    key = int.from_bytes(incident_id.bytes[8:], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _point(lon: float, lat: float) -> ColumnElement[Any]:
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID)


def _is_within(geom: Any, lon: float, lat: float, metres: float) -> ColumnElement[bool]:
    return func.ST_DWithin(cast(geom, Geography), cast(_point(lon, lat), Geography), metres)


def _box(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    """Return a box that holds all that is so near."""
    high = metres / _METRES_A_DEGREE
    wide = high / max(cos(radians(lat)), 0.01)
    return lon - wide, lat - high, lon + wide, lat + high


def find_community_name(session: Session, community_code: int) -> str:
    """Return what a community is called; nothing for a sub-district's own code."""
    statement = select(CommunityRow.name).where(CommunityRow.code == community_code)
    return session.scalar(statement) or ""


def find_community_near(
    session: Session, *, lon: float, lat: float, within_m: float
) -> tuple[int, str] | None:
    """Return code and name of the community that is nearest to a point, if it is so near."""
    box = func.ST_MakeEnvelope(*_box(lon, lat, within_m), SRID)
    row = session.execute(
        select(CommunityRow.code, CommunityRow.name)
        .where(CommunityRow.geom.op("&&")(box), _is_within(CommunityRow.geom, lon, lat, within_m))
        .order_by(func.ST_Distance(CommunityRow.geom, _point(lon, lat)), CommunityRow.code)
        .limit(1)
    ).one_or_none()
    return row and (row.code, row.name)


def find_grids_at(
    session: Session, community_code: int, *, lon: float, lat: float
) -> tuple[str | None, str | None]:
    """Return the codes of the stairwell and the compound in use that cover a point."""
    codes = [
        session.scalar(
            select(row.code)
            .where(
                row.community_code == community_code,
                row.retired_on.is_(None),
                row.geom.op("&&")(_point(lon, lat)),
                func.ST_Covers(row.geom, _point(lon, lat)),
            )
            .order_by(row.code)
            .limit(1)
        )
        for row in (StairwellRow, CompoundRow)
    ]
    return codes[0], codes[1]


def find_end(session: Session, stairwell_code: str) -> date | None:
    """Return the day on which a stairwell ended; nothing for one in use, or never heard of."""
    row = StairwellRow
    return session.scalar(
        select(row.retired_on).where(
            row.community_code == community_of(stairwell_code), row.code == stairwell_code
        )
    )


def list_successors(session: Session, stairwell_code: str) -> list[str]:
    """Return the codes that a stairwell was split or merged into."""
    row = GridLineageRow
    return list(
        session.scalars(
            select(row.successor_code)
            .where(
                row.community_code == community_of(stairwell_code),
                row.predecessor_code == stairwell_code,
            )
            .order_by(row.successor_code)
        )
    )


def list_streets(session: Session, *, limit: int) -> list[int]:
    """Return the codes of the first sub-districts."""
    return list(session.scalars(select(StreetRow.code).order_by(StreetRow.code).limit(limit)))


def find_kept(session: Session, community_code: int, incident_id: UUID) -> Kept | None:
    """Return what was kept of a report."""
    row = ReportRow
    found = session.execute(
        select(row.token_hash, row.token_cipher, row.key_hash, row.request_hash).where(
            _is(row, community_code, incident_id)
        )
    ).one_or_none()
    return Kept(*found) if found else None


def _is(row: Any, community_code: int, incident_id: UUID) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (row.community_code == community_code) & (
        row.incident_id == incident_id
    )
    return found


def add(
    session: Session,
    report: NewReport,
    spot: Spot,
    *,
    is_public: bool,
    token_hash: bytes,
    token_cipher: bytes,
    email_cipher: bytes | None,
    key_hash: bytes | None,
) -> None:
    """Write an incident and how it is followed; nothing is read back."""
    session.execute(
        insert(IncidentRow).values(
            community_code=spot.community_code,
            id=report.id,
            category_code=report.category_code,
            status="reported",
            reported_at=report.reported_at,
            summary=report.words,
            place=spot.place,
            stairwell_code=spot.stairwell_code,
            compound_code=spot.compound_code,
            is_flagged=spot.place == "outside",
            is_public=is_public,
            geom=_point(spot.lon, spot.lat),
        )
    )
    session.execute(
        insert(ReportRow).values(
            community_code=spot.community_code,
            incident_id=report.id,
            token_hash=token_hash,
            token_cipher=token_cipher,
            email_cipher=email_cipher,
            key_hash=key_hash,
            request_hash=report.request_hash,
            language=report.language,
            entry=report.entry,
        )
    )


def count_heat(session: Session, community_code: int, incident_id: UUID) -> None:
    """Count an incident in the heat cells, as a role that may."""
    session.execute(_COUNT, {"community_code": community_code, "id": incident_id})


def has_email(session: Session, community_code: int, incident_id: UUID) -> bool:
    """Tell whether a report came with an address."""
    statement = select(ReportRow.email_cipher.is_not(None))
    return bool(session.scalar(statement.where(_is(ReportRow, community_code, incident_id))))


def find_address(session: Session, incident_id: UUID) -> tuple[bytes, str, bytes] | None:
    """Return cipher of the address, language and cipher of the token of a report that has one."""
    row = ReportRow
    found = session.execute(
        select(row.email_cipher, row.language, row.token_cipher)
        .where(
            in_scope(session, row.community_code),
            row.incident_id == incident_id,
            row.email_cipher.is_not(None),
        )
        .order_by(row.community_code)
        .limit(1)
    ).one_or_none()
    if found is None or found.email_cipher is None:
        return None
    return found.email_cipher, found.language, found.token_cipher


def forget_email(session: Session, community_code: int, incident_id: UUID) -> None:
    """Let go of the address of a report."""
    session.execute(
        update(ReportRow)
        .where(_is(ReportRow, community_code, incident_id))
        .values(email_cipher=None)
    )


def list_similar(
    session: Session,
    spot: Spot,
    *,
    class_code: str,
    ended: Collection[str],
    since: datetime,
    within_m: float,
    limit: int,
) -> list[Similar]:
    """Return public incidents of a class near a spot that have not ended, the nearest first."""
    row, photo = IncidentRow, PublishedPhotoRow
    own = cast(_point(spot.lon, spot.lat), Geography)
    distance = func.ST_Distance(cast(row.geom, Geography), own).label("distance_m")
    shown = (
        select(photo.photo_id)
        .where(photo.community_code == row.community_code, photo.incident_id == row.id)
        .order_by(photo.photo_id)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            *(row.id, row.community_code, row.category_code, row.status, row.reported_at),
            row.summary.label("words"),
            func.coalesce(CompoundRow.name, "").label("place_name"),
            distance,
            shown.label("photo_id"),
        )
        .outerjoin(CompoundRow, same_thing(CompoundRow.code, row.compound_code))
        .where(
            row.community_code == spot.community_code,
            row.is_public,
            func.split_part(row.category_code, ".", 1) == class_code,
            row.status.not_in(ended),
            row.reported_at >= since,
            in_box(session, row, _box(spot.lon, spot.lat, within_m), margin_cells=0),
            _is_within(row.geom, spot.lon, spot.lat, within_m),
        )
        .order_by(distance, row.id)
        .limit(limit)
    )
    return [
        Similar(**{**found, "distance_m": -int(-found["distance_m"] // 10) * 10})
        for found in session.execute(statement).mappings()
    ]
