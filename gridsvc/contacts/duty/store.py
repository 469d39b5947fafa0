"""Queries of the contacts in force, and the rows that change them."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, aliased

from geodata.codes import COMPOUND_DIGITS
from gridsvc.contacts.duty.model import Alert, Duty, DutyFilter, OwnStairwell, Stint
from gridsvc.contacts.duty.replacing import Changes
from gridsvc.contacts.model import TIERS
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import in_scope, same_thing
from gridsvc.people import store as people
from gridsvc.people.tables import AbsenceRow, MemberAffiliationRow, MemberIdentityRow, MemberRow
from gridsvc.territory.tables import StairwellRow


def _ends_after(day: date) -> ColumnElement[bool]:
    valid = ContactRow.valid
    return or_(func.upper_inf(valid), func.upper(valid) > day)


def read_stints(
    session: Session, *, community_code: int, after: date, member_id: UUID | None = None
) -> list[Stint]:
    """Return who is contact on a day or later, by stairwell, first day and id.

    Parameters
    ----------
    member_id
        Of this member only.
    """
    row = ContactRow
    statement = (
        select(
            *(row.id, row.stairwell_code, row.member_id, row.kind, row.plan_id, row.tier),
            *(row.distance_m, row.households, row.is_cover),
            func.lower(row.valid).label("first_day"),
            func.upper(row.valid).label("end"),
        )
        .where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            _ends_after(after),
        )
        .order_by(row.stairwell_code, func.lower(row.valid), row.id)
    )
    if member_id is not None:
        statement = statement.where(row.member_id == member_id)
    return [Stint(**found) for found in session.execute(statement).mappings()]


def write(session: Session, changes: Changes, *, community_code: int) -> None:
    """Delete, end and add contacts, in this order: the days of two leads never meet."""
    row = ContactRow
    own = (in_scope(session, row.community_code), row.community_code == community_code)
    if changes.deleted:
        session.execute(delete(row).where(*own, row.id.in_(changes.deleted)))
    for day in sorted(set(changes.ended.values())):
        ids = [id_ for id_, end in changes.ended.items() if end == day]
        session.execute(
            update(row)
            .where(*own, row.id.in_(ids))
            .values(valid=func.daterange(func.lower(row.valid), day))
            .execution_options(synchronize_session=False)
        )
    if changes.added:
        session.execute(
            insert(row),
            [
                {
                    "community_code": community_code,
                    "id": one.id,
                    "stairwell_code": one.stairwell_code,
                    "member_id": one.member_id,
                    "kind": one.kind,
                    "valid": Range(one.first_day, one.end),
                    "plan_id": one.plan_id,
                    "tier": one.tier,
                    "distance_m": one.distance_m,
                    "households": one.households,
                    "is_cover": one.is_cover and one.end is not None,
                }
                for one in changes.added
            ],
        )


def _tier_name() -> ColumnElement[str]:
    return case(*((ContactRow.tier == number, name) for number, name in enumerate(TIERS)))


def _duties(session: Session) -> Select[*tuple[Any, ...]]:
    row = ContactRow
    return (
        select(
            *(row.community_code, row.stairwell_code, row.kind, row.member_id),
            MemberIdentityRow.name,
            MemberIdentityRow.phone_masked,
            (MemberAffiliationRow.affiliation == "party_member").label("is_party_member"),
            _tier_name().label("tier"),
            *(row.distance_m, row.households, row.is_cover),
            func.lower(row.valid).label("since"),
            func.upper(row.valid).label("end"),
        )
        .outerjoin(MemberIdentityRow, same_thing(MemberIdentityRow.member_id, row.member_id))
        .outerjoin(MemberAffiliationRow, same_thing(MemberAffiliationRow.member_id, row.member_id))
        .where(in_scope(session, row.community_code))
    )


def list_duties(
    session: Session,
    wanted: DutyFilter,
    *,
    on: date,
    after: tuple[str, str, UUID] | None,
    limit: int,
) -> list[Duty]:
    """Return who is contact on a day, by stairwell, kind (the lead first) and member."""
    row = ContactRow
    statement = _duties(session).where(row.valid.contains(on))
    if wanted.community_code is not None:
        statement = statement.where(row.community_code == wanted.community_code)
    if wanted.compound_code is not None:
        statement = statement.where(
            func.left(row.stairwell_code, COMPOUND_DIGITS) == wanted.compound_code
        )
    for column, value in (
        (row.stairwell_code, wanted.stairwell_code),
        (row.member_id, wanted.member_id),
        (row.kind, wanted.kind),
    ):
        if value is not None:
            statement = statement.where(column == value)
    order = (row.stairwell_code, row.kind, row.member_id)
    if after is not None:
        statement = statement.where(tuple_(*order) > after)
    rows = session.execute(statement.order_by(*order).limit(limit)).mappings()
    return [Duty(**found) for found in rows]


def list_history(session: Session, stairwell_code: str) -> list[Duty]:
    """Return everybody who was, is or will be contact of a stairwell, the newest first."""
    row = ContactRow
    rows = session.execute(
        _duties(session)
        .where(row.stairwell_code == stairwell_code)
        .order_by(func.lower(row.valid).desc(), row.kind, row.id)
    ).mappings()
    return [Duty(**found) for found in rows]


def has_stairwell(session: Session, stairwell_code: str) -> bool:
    """Tell whether there is, or was, such a stairwell."""
    found = session.scalar(
        select(StairwellRow.code).where(
            in_scope(session, StairwellRow.community_code), StairwellRow.code == stairwell_code
        )
    )
    return found is not None


def list_own(session: Session, member_id: UUID, *, on: date) -> list[OwnStairwell]:
    """Return the stairwells that a member is contact of on a day, by kind and code."""
    row = ContactRow
    rows = session.execute(
        select(
            *(row.community_code, row.stairwell_code, row.kind),
            StairwellRow.household_count,
            *(row.households, row.is_cover),
            func.lower(row.valid).label("since"),
            func.upper(row.valid).label("end"),
        )
        .join(
            StairwellRow,
            same_thing(StairwellRow.code, row.stairwell_code),
        )
        .where(
            in_scope(session, row.community_code),
            row.member_id == member_id,
            row.valid.contains(on),
        )
        .order_by(row.kind, row.stairwell_code)
    ).mappings()
    return [OwnStairwell(**found) for found in rows]


def list_alerts(
    session: Session, *, on: date, community_code: int | None, after: str, limit: int
) -> list[Alert]:
    """Return stairwells whose lead cannot be asked on a day, by code."""
    row, stairwell = ContactRow, StairwellRow
    lead = and_(
        row.community_code == stairwell.community_code,
        row.stairwell_code == stairwell.code,
        row.kind == "lead",
        row.valid.contains(on),
    )
    state = case(
        (row.member_id.is_(None), "none"),
        (MemberRow.erased_at.is_not(None), "left"),
        (~MemberRow.is_available, "switched_off"),
        (~people.has_consent(on), "no_consent"),
        (people.is_absent(on), "absent"),
    ).label("state")
    statement = (
        select(
            *(stairwell.community_code, stairwell.code.label("stairwell_code")),
            *(stairwell.household_count, state, row.member_id, MemberIdentityRow.name),
            _back_on(on).label("back_on"),
            _supporting(on).label("supporting_count"),
        )
        .outerjoin(row, lead)
        .outerjoin(MemberRow, same_thing(MemberRow.id, row.member_id))
        .outerjoin(MemberIdentityRow, same_thing(MemberIdentityRow.member_id, row.member_id))
        .where(
            in_scope(session, stairwell.community_code),
            stairwell.retired_on.is_(None),
            stairwell.code > after,
            state.is_not(None),
        )
    )
    if community_code is not None:
        statement = statement.where(stairwell.community_code == community_code)
    rows = session.execute(statement.order_by(stairwell.code).limit(limit)).mappings()
    return [Alert(**found) for found in rows]


def _back_on(on: date) -> ColumnElement[Any]:
    """Return the first day on which the lead of the query is back, where that is known."""
    absence = AbsenceRow
    return (
        select(
            case(
                (func.bool_or(func.upper_inf(absence.valid)), None),
                else_=func.max(func.upper(absence.valid)),
            )
        )
        .where(
            absence.community_code == ContactRow.community_code,
            absence.member_id == ContactRow.member_id,
            absence.valid.contains(on),
        )
        .correlate(ContactRow)
        .scalar_subquery()
    )


def _supporting(on: date) -> ColumnElement[int]:
    """Return how many supporting contacts of the query's stairwell can be asked on a day."""
    helping = aliased(ContactRow)
    return (
        select(func.count())
        .select_from(helping)
        .join(MemberRow, same_thing(MemberRow.id, helping.member_id))
        .where(
            helping.community_code == StairwellRow.community_code,
            helping.stairwell_code == StairwellRow.code,
            helping.kind == "supporting",
            helping.valid.contains(on),
            people.is_free(on),
        )
        .correlate(StairwellRow)
        .scalar_subquery()
    )
