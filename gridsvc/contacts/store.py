"""Queries of the contacts in force, and of the state of coverage that follows from them."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gridsvc.contacts.model import TIERS, Contact
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import in_scope, same_thing
from gridsvc.people import store as people
from gridsvc.people.tables import MemberAffiliationRow, MemberIdentityRow, MemberRow
from gridsvc.territory.tables import StairwellRow

COVERAGE_STATES = ("covered_party", "covered_other", "overloaded", "absent", "uncovered")


def read_leads(session: Session, *, community_code: int, on: date) -> dict[str, UUID]:
    """Return the lead contact of each stairwell of a community on a day."""
    rows = session.execute(
        select(ContactRow.stairwell_code, ContactRow.member_id).where(
            in_scope(session, ContactRow.community_code),
            ContactRow.community_code == community_code,
            _is_lead(on),
        )
    )
    return dict(rows.all())


def list_led(session: Session, *, member_id: UUID, on: date) -> list[str]:
    """Return the codes of the stairwells that a member leads on a day."""
    return list(
        session.scalars(
            select(ContactRow.stairwell_code).where(
                in_scope(session, ContactRow.community_code),
                ContactRow.member_id == member_id,
                _is_lead(on),
            )
        )
    )


def _is_lead(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    return and_(ContactRow.kind == "lead", ContactRow.valid.contains(on))


def find_contact(session: Session, stairwell_code: str, *, on: date) -> Contact | None:
    """Return the lead contact of a stairwell on a day."""
    row = session.execute(
        select(
            ContactRow.stairwell_code,
            ContactRow.member_id,
            MemberIdentityRow.name,
            MemberIdentityRow.phone_masked,
            (MemberAffiliationRow.affiliation == "party_member").label("is_party_member"),
            ContactRow.tier,
            ContactRow.distance_m,
            func.lower(ContactRow.valid).label("since"),
            ContactRow.is_cover,
        )
        .outerjoin(MemberIdentityRow, same_thing(MemberIdentityRow.member_id, ContactRow.member_id))
        .outerjoin(
            MemberAffiliationRow, same_thing(MemberAffiliationRow.member_id, ContactRow.member_id)
        )
        .where(
            in_scope(session, ContactRow.community_code),
            ContactRow.stairwell_code == stairwell_code,
            _is_lead(on),
        )
    ).mappings()
    found = row.one_or_none()
    return Contact(**{**found, "tier": TIERS[found["tier"]]}) if found else None


def stairwell_states(
    session: Session, *, on: date, communities: Sequence[int] | None = None
) -> Subquery:
    """Return each stairwell's coverage: ``community_code``, ``code``, ``state``.

    ``absent`` is where the lead cannot be asked that day. A lead who carries more than agreed, in
    households or in stairwells, makes all own stairwells ``overloaded``; what supporting contacts
    took over is theirs to carry. Who may not see the lead is told neither.
    """
    lead = and_(same_thing(ContactRow.stairwell_code, StairwellRow.code), _is_lead(on))
    away = people.away_members(on)
    relief = _supported(session, ContactRow.stairwell_code, "relief", on=on)
    helping = _supported(session, ContactRow.member_id, "helping", on=on)
    own = (ContactRow.community_code, ContactRow.member_id)
    led = StairwellRow.household_count - func.coalesce(relief.c.households, 0)
    carried = func.sum(led).over(partition_by=own) + func.coalesce(helping.c.households, 0)
    led_count = func.count().over(partition_by=own)
    state = case(
        (ContactRow.member_id.is_(None), "uncovered"),
        (or_(away.c.member_id.is_not(None), ~MemberRow.is_available), "absent"),
        (carried > MemberRow.capacity_households, "overloaded"),
        (led_count > MemberRow.capacity_stairwells, "overloaded"),
        (MemberAffiliationRow.affiliation == "party_member", "covered_party"),
        else_="covered_other",
    )
    of_lead = same_thing(MemberRow.id, ContactRow.member_id)
    wanted = [] if communities is None else [StairwellRow.community_code.in_(communities)]
    return (
        select(StairwellRow.community_code, StairwellRow.code, state.label("state"))
        .outerjoin(ContactRow, lead)
        .outerjoin(MemberRow, of_lead)
        .outerjoin(
            MemberAffiliationRow, same_thing(MemberAffiliationRow.member_id, ContactRow.member_id)
        )
        .outerjoin(away, _is_same(away, "member_id", ContactRow.member_id))
        .outerjoin(relief, _is_same(relief, "stairwell_code", ContactRow.stairwell_code))
        .outerjoin(helping, _is_same(helping, "member_id", ContactRow.member_id))
        .where(
            in_scope(session, StairwellRow.community_code),
            StairwellRow.retired_on.is_(None),
            *wanted,
        )
        .subquery("states")
    )


def _supported(
    session: Session, by: InstrumentedAttribute[Any], name: str, *, on: date
) -> Subquery:
    """Return how many households supporting contacts took over, by stairwell or by member."""
    return (
        select(ContactRow.community_code, by, func.sum(ContactRow.households).label("households"))
        .where(
            in_scope(session, ContactRow.community_code),
            ContactRow.kind == "supporting",
            ContactRow.valid.contains(on),
        )
        .group_by(ContactRow.community_code, by)
        .subquery(name)
    )


def _is_same(rows: Subquery, column: str, other: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return and_(rows.c.community_code == ContactRow.community_code, rows.c[column] == other)


def count_states(
    session: Session, *, on: date, community_code: int | None = None
) -> dict[str, int]:
    """Return how many stairwells are in each coverage state, every state named."""
    states = stairwell_states(session, on=on)
    statement = select(states.c.state, func.count()).group_by(states.c.state)
    if community_code is not None:
        statement = statement.where(states.c.community_code == community_code)
    counts: dict[str, int] = dict(session.execute(statement).all())
    return {state: counts.get(state, 0) for state in COVERAGE_STATES}
