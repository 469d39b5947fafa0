"""Queries of an import of members: what there is to compare with."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from pandas import DataFrame
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geodata.register.availability import Away
from gridsvc.db import in_scope
from gridsvc.people.importing.model import KnownMember
from gridsvc.people.register.model import Home, Hours
from gridsvc.people.store import has_consent, same_member
from gridsvc.people.tables import (
    AbsenceRow,
    ConsentRow,
    HoursRow,
    MemberAffiliationRow,
    MemberIdentityRow,
    MemberRow,
)
from gridsvc.territory.store import with_parents
from gridsvc.territory.tables import BuildingRow, CommunityRow, CompoundRow, StairwellRow

_LAST_DAY = timedelta(days=1)


def read_stairwells(session: Session) -> DataFrame:
    """Return the living stairwells of the caller's territory with the names of addresses, by code.

    Returns
    -------
    DataFrame
        ``code``, ``stairwell_name``, ``building_name``, ``compound_name``.
    """
    stairwell = StairwellRow
    named = with_parents(
        select(
            stairwell.code,
            stairwell.name.label("stairwell_name"),
            BuildingRow.name.label("building_name"),
            CompoundRow.name.label("compound_name"),
        )
    )
    found = session.execute(
        named.where(
            in_scope(session, stairwell.community_code), stairwell.retired_on.is_(None)
        ).order_by(stairwell.code)
    )
    return DataFrame(found.all(), columns=list(found.keys()))


def read_communities(session: Session) -> dict[int, str]:
    """Return the names of the caller's communities, by code."""
    rows = session.execute(
        select(CommunityRow.code, CommunityRow.name)
        .where(in_scope(session, CommunityRow.code))
        .order_by(CommunityRow.code)
    )
    return {row.code: row.name for row in rows}


def read_points(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Return a point inside each stairwell or building, as stored, EPSG:4326."""
    points: dict[str, str] = {}
    for row in (StairwellRow, BuildingRow):
        found = session.execute(
            select(row.code, func.ST_AsEWKT(func.ST_PointOnSurface(row.geom))).where(
                in_scope(session, row.community_code), row.code.in_(codes)
            )
        )
        points |= {row[0]: row[1] for row in found}
    return points


def read_known(session: Session, *, on: date) -> list[KnownMember]:
    """Return the members of the caller's territory as an import compares them, by id."""
    member, identity = MemberRow, MemberIdentityRow
    hours, away = _read_hours(session), _read_away(session)
    withdrawn_on = (
        select(func.max(ConsentRow.withdrawn_on))
        .where(same_member(ConsentRow))
        .correlate(member)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            member.community_code,
            member.id,
            identity.name,
            identity.phone_masked,
            identity.phone_cipher,
            MemberAffiliationRow.affiliation,
            member.home_stairwell_code,
            member.home_building_code,
            func.ST_X(member.geom).label("lon"),
            func.ST_Y(member.geom).label("lat"),
            member.capacity_households,
            member.capacity_stairwells,
            member.reported_in_on,
            member.branch_id,
            member.skills,
            member.dialects,
            has_consent(on).label("has_consent"),
            withdrawn_on.label("withdrawn_on"),
        )
        .join(identity, same_member(identity))
        .outerjoin(MemberAffiliationRow, same_member(MemberAffiliationRow))
        .where(in_scope(session, member.community_code), member.erased_at.is_(None))
        .order_by(member.id)
    )
    found = []
    for row in rows:
        is_at_grid = row.home_stairwell_code or row.home_building_code
        home = Home(
            row.home_stairwell_code,
            row.home_building_code,
            None if is_at_grid else row.lon,
            None if is_at_grid else row.lat,
        )
        fields = {
            "affiliation": row.affiliation,
            "home": home,
            "capacity_households": row.capacity_households,
            "capacity_stairwells": row.capacity_stairwells,
            "reported_in_on": row.reported_in_on,
            "branch_id": row.branch_id,
            "skills": list(row.skills),
            "dialects": list(row.dialects),
        }
        found.append(
            KnownMember(
                community_code=row.community_code,
                member_id=row.id,
                name=row.name,
                phone_masked=row.phone_masked,
                phone_cipher=row.phone_cipher,
                fields=fields,
                has_consent=row.has_consent,
                withdrawn_on=None if row.has_consent else row.withdrawn_on,
                hours=tuple(hours[row.id]),
                away=frozenset(away[row.id]),
            )
        )
    return found


def _read_hours(session: Session) -> dict[UUID, list[Hours]]:
    one = HoursRow
    rows = session.execute(
        select(one.member_id, one.weekday, one.from_minute, one.to_minute)
        .where(in_scope(session, one.community_code))
        .order_by(one.member_id, one.weekday, one.from_minute)
    )
    found: dict[UUID, list[Hours]] = defaultdict(list)
    for member_id, *hours in rows:
        found[member_id].append(Hours(*hours))
    return found


def _read_away(session: Session) -> dict[UUID, list[Away]]:
    one = AbsenceRow
    rows = session.execute(
        select(one.member_id, func.lower(one.valid), func.upper(one.valid)).where(
            in_scope(session, one.community_code)
        )
    )
    found: dict[UUID, list[Away]] = defaultdict(list)
    for member_id, since, until in rows:
        found[member_id].append((since, until - _LAST_DAY if until else None))
    return found
