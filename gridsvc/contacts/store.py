"""Queries of contact plans, their lines, and the contacts in force."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, select, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from gridsvc.contacts.model import TIERS, Contact, Plan, PlanLine
from gridsvc.contacts.tables import ContactPlanLineRow, ContactPlanRow, ContactRow
from gridsvc.db import in_scope, new_id
from gridsvc.people.tables import MemberAffiliationRow, MemberIdentityRow, MemberRow
from gridsvc.territory.tables import StairwellRow

COVERAGE_STATES = ("covered_party", "covered_other", "uncovered", "overloaded")


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


def add_plan(session: Session, plan: dict[str, Any], lines: Sequence[dict[str, Any]]) -> None:
    """Store a proposal with its lines."""
    session.execute(insert(ContactPlanRow).values(**plan))
    key = {"community_code": plan["community_code"], "plan_id": plan["id"]}
    session.execute(insert(ContactPlanLineRow), [key | line for line in lines])


def _plans(session: Session) -> Select[*tuple[Any, ...]]:
    lines = (
        select(
            func.count().label("stairwell_count"),
            func.count(ContactPlanLineRow.member_id).label("covered_count"),
        )
        .where(
            ContactPlanLineRow.community_code == ContactPlanRow.community_code,
            ContactPlanLineRow.plan_id == ContactPlanRow.id,
        )
        .lateral()
    )
    return (
        select(
            ContactPlanRow.community_code,
            ContactPlanRow.id,
            ContactPlanRow.run_id,
            ContactPlanRow.status,
            ContactPlanRow.created_at,
            ContactPlanRow.applied_at,
            ContactPlanRow.objective,
            ContactPlanRow.bound,
            ContactPlanRow.overload_households,
            ContactPlanRow.nearest_overload_households,
            *lines.c,
        )
        .join(lines, ContactPlanRow.id.is_not(None))
        .where(in_scope(session, ContactPlanRow.community_code))
    )


def list_plans(
    session: Session,
    *,
    community_code: int | None = None,
    run_id: UUID | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[Plan]:
    """Return plans, the newest first; ids are ordered by time."""
    statement = _plans(session)
    if community_code is not None:
        statement = statement.where(ContactPlanRow.community_code == community_code)
    if run_id is not None:
        statement = statement.where(ContactPlanRow.run_id == run_id)
    if before is not None:
        statement = statement.where(ContactPlanRow.id < before)
    rows = session.execute(statement.order_by(ContactPlanRow.id.desc()).limit(limit)).mappings()
    return [Plan(**row) for row in rows]


def find_plan(session: Session, plan_id: UUID, *, for_update: bool = False) -> Plan | None:
    """Return one plan; ``for_update`` makes others that want to apply it wait."""
    if for_update:
        session.execute(
            select(ContactPlanRow.id)
            .where(in_scope(session, ContactPlanRow.community_code), ContactPlanRow.id == plan_id)
            .with_for_update()
        )
    row = session.execute(_plans(session).where(ContactPlanRow.id == plan_id)).mappings()
    found = row.one_or_none()
    return Plan(**found) if found else None


def list_lines(
    session: Session, *, community_code: int, plan_id: UUID, after: str, limit: int
) -> list[PlanLine]:
    """Return the lines of a plan, by stairwell code."""
    rows = session.execute(
        select(
            ContactPlanLineRow.stairwell_code,
            ContactPlanLineRow.member_id,
            MemberIdentityRow.name,
            (MemberAffiliationRow.affiliation == "party_member").label("is_party_member"),
            ContactPlanLineRow.reason,
            ContactPlanLineRow.distance_m,
        )
        .outerjoin(MemberIdentityRow, _same_member(ContactPlanLineRow, MemberIdentityRow))
        .outerjoin(MemberAffiliationRow, _same_member(ContactPlanLineRow, MemberAffiliationRow))
        .where(
            in_scope(session, ContactPlanLineRow.community_code),
            ContactPlanLineRow.community_code == community_code,
            ContactPlanLineRow.plan_id == plan_id,
            ContactPlanLineRow.stairwell_code > after,
        )
        .order_by(ContactPlanLineRow.stairwell_code)
        .limit(limit)
    ).mappings()
    return [PlanLine(**row) for row in rows]


def list_uncovered(session: Session, run_id: UUID) -> list[tuple[str, str]]:
    """Return code and reason of each stairwell that a run leaves without a contact, by code."""
    line, plan = ContactPlanLineRow, ContactPlanRow
    rows = session.execute(
        select(line.stairwell_code, line.reason)
        .join(plan, and_(plan.community_code == line.community_code, plan.id == line.plan_id))
        .where(
            in_scope(session, line.community_code),
            plan.run_id == run_id,
            line.member_id.is_(None),
        )
        .order_by(line.stairwell_code)
    )
    return list(rows.all())


def _same_member(left: Any, right: Any) -> ColumnElement[bool]:
    return and_(right.community_code == left.community_code, right.member_id == left.member_id)


def apply_plan(session: Session, *, community_code: int, plan_id: UUID, today: date) -> int:
    """Bring the contacts in force into line with a plan; return how many changed.

    A lead that began today is corrected in place, an older one ends today and its successor
    begins: so no day has two, and history keeps whole days.
    """
    line, contact = ContactPlanLineRow, ContactRow
    chosen = and_(
        line.community_code == community_code,
        line.plan_id == plan_id,
        line.member_id.is_not(None),
        # Somebody may have been erased while the proposal was being worked out.
        exists().where(
            MemberRow.community_code == line.community_code,
            MemberRow.id == line.member_id,
            MemberRow.erased_at.is_(None),
        ),
        # And a stairwell may have ended.
        exists().where(
            StairwellRow.community_code == line.community_code,
            StairwellRow.code == line.stairwell_code,
            StairwellRow.retired_on.is_(None),
        ),
    )
    current = and_(
        contact.community_code == community_code,
        contact.kind == "lead",
        func.upper_inf(contact.valid),
        contact.stairwell_code == line.stairwell_code,
    )
    corrected = _replace(session, and_(chosen, current), plan_id=plan_id, today=today)
    begun = _begin(session, and_(chosen, ~exists().where(current)), today=today)
    _set_status(session, community_code=community_code, plan_id=plan_id)
    return corrected + begun


def _replace(session: Session, pair: ColumnElement[bool], *, plan_id: UUID, today: date) -> int:
    """End the leads whom the plan replaces; return how many began today and were corrected."""
    line, contact = ContactPlanLineRow, ContactRow
    replaced = and_(pair, contact.member_id != line.member_id)
    corrected = session.scalars(
        update(contact)
        .where(replaced, func.lower(contact.valid) >= today)
        .values(
            member_id=line.member_id,
            plan_id=plan_id,
            tier=_tier_of_line(),
            distance_m=line.distance_m,
        )
        .returning(contact.id)
    ).all()
    session.execute(
        update(contact)
        .where(replaced, func.lower(contact.valid) < today)
        .values(valid=func.daterange(func.lower(contact.valid), today))
    )
    return len(corrected)


def _begin(session: Session, missing: ColumnElement[bool], *, today: date) -> int:
    """Begin a lead for each line of the plan whose stairwell has none."""
    line = ContactPlanLineRow
    rows = session.execute(
        select(
            line.community_code,
            line.stairwell_code,
            line.member_id,
            line.plan_id,
            _tier_of_line().label("tier"),
            line.distance_m,
        )
        .where(missing)
        .order_by(line.stairwell_code)
    ).mappings()
    begun = {"kind": "lead", "valid": Range(today, None)}
    contacts = [dict(row) | begun | {"id": new_id()} for row in rows]
    if contacts:
        session.execute(insert(ContactRow), contacts)
    return len(contacts)


def _tier_of_line() -> ColumnElement[int]:
    reason = ContactPlanLineRow.reason
    return case(*((reason == name, number) for number, name in enumerate(TIERS)), else_=len(TIERS))


def _set_status(session: Session, *, community_code: int, plan_id: UUID) -> None:
    plan = ContactPlanRow
    own = plan.community_code == community_code
    session.execute(
        update(plan)
        .where(own, plan.status == "applied", plan.id != plan_id)
        .values(status="superseded")
    )
    session.execute(
        update(plan).where(own, plan.id == plan_id).values(status="applied", applied_at=func.now())
    )


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
        )
        .outerjoin(MemberIdentityRow, _same_member(ContactRow, MemberIdentityRow))
        .outerjoin(MemberAffiliationRow, _same_member(ContactRow, MemberAffiliationRow))
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

    A lead who carries more households than agreed makes all own stairwells ``overloaded``.
    """
    lead = and_(
        ContactRow.community_code == StairwellRow.community_code,
        ContactRow.stairwell_code == StairwellRow.code,
        _is_lead(on),
    )
    carried = func.sum(StairwellRow.household_count).over(
        partition_by=(ContactRow.community_code, ContactRow.member_id)
    )
    state = case(
        (ContactRow.member_id.is_(None), "uncovered"),
        (carried > MemberRow.capacity_households, "overloaded"),
        (MemberAffiliationRow.affiliation == "party_member", "covered_party"),
        else_="covered_other",
    )
    of_lead = and_(
        MemberRow.community_code == ContactRow.community_code, MemberRow.id == ContactRow.member_id
    )
    wanted = [] if communities is None else [StairwellRow.community_code.in_(communities)]
    return (
        select(StairwellRow.community_code, StairwellRow.code, state.label("state"))
        .outerjoin(ContactRow, lead)
        .outerjoin(MemberRow, of_lead)
        .outerjoin(MemberAffiliationRow, _same_member(ContactRow, MemberAffiliationRow))
        .where(
            in_scope(session, StairwellRow.community_code),
            StairwellRow.retired_on.is_(None),
            *wanted,
        )
        .subquery("states")
    )


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


def list_in_force(
    session: Session, *, community_code: int, stairwell_codes: Sequence[str], on: date
) -> list[dict[str, Any]]:
    """Return the contacts of some stairwells on a day and after it, the leads first."""
    row = ContactRow
    statement = (
        select(
            *(row.community_code, row.id, row.stairwell_code, row.member_id, row.kind),
            *(row.plan_id, row.tier, row.distance_m),
        )
        .where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.stairwell_code.in_(stairwell_codes),
            func.coalesce(func.upper(row.valid), on + timedelta(days=1)) > on,
        )
        .order_by(row.kind, row.stairwell_code, row.id)
    )
    return [dict(found) for found in session.execute(statement).mappings()]


def end_of_stairwells(
    session: Session, *, community_code: int, stairwell_codes: Sequence[str], on: date
) -> None:
    """Let the contacts of some stairwells end on a day; who began on it or later keeps one day."""
    row = ContactRow
    last = func.greatest(on, func.lower(row.valid) + 1)
    session.execute(
        update(row)
        .where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.stairwell_code.in_(stairwell_codes),
            func.coalesce(func.upper(row.valid), on + timedelta(days=1)) > on,
        )
        .values(valid=func.daterange(func.lower(row.valid), last))
    )


def begin(session: Session, contacts: Sequence[dict[str, Any]], *, on: date) -> None:
    """Write contacts that begin on a day."""
    if contacts:
        values = [contact | {"valid": Range(on, None)} for contact in contacts]
        session.execute(insert(ContactRow), values)
