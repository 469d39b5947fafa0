"""Queries that take one person out of every table."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Table, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from gridsvc.access.tables import AccountRow
from gridsvc.contacts.model import OPEN_STATUSES, TIERS
from gridsvc.contacts.tables import (
    ContactPlanLineRow,
    ContactPlanRow,
    ContactPlanSupportRow,
    ContactRow,
)
from gridsvc.db import SCHEMA, Base
from gridsvc.people.tables import MemberRow
from gridsvc.retention.persons.model import Person
from gridsvc.retention.persons.store import Condition, is_person
from gridsvc.territory.tables import CommunityRow

_NEAR = TIERS.index("near")
# What refers to a row stands before it.
_DELETED = (
    *("member_identity", "member_affiliation", "post", "member_absence", "member_hours"),
    *("member_consent", "contact_exclusion", "contact_pin"),
    *("sign_in", "device_token", "device", "api_key", "invitation", "sso_identity"),
    *("development_code", "account_scope", "idempotency_key", "job"),
    *("inbox_entry", "account"),
)


def hold(session: Session, person: Person) -> None:
    """Let whoever signs in as the person, or applies a plan that names them, wait."""
    member, plan, line = MemberRow, ContactPlanRow, ContactPlanLineRow
    session.execute(
        select(AccountRow.id).where(AccountRow.id.in_(person.account_ids)).with_for_update()
    )
    session.execute(
        select(member.id)
        .where(member.community_code == person.community_code, member.id == person.member_id)
        # Whoever is writing a contact of this member need not wait, or we would for each other.
        .with_for_update(key_share=True)
    )
    named = select(line.plan_id).where(
        line.community_code == person.community_code,
        or_(
            is_person(line.member_id, person),
            is_person(line.former_member_id, person),
            is_person(line.chosen_member_id, person),
        ),
    )
    session.execute(
        select(plan.id)
        .where(
            plan.community_code == person.community_code,
            plan.status.in_(OPEN_STATUSES),
            plan.id.in_(named),
        )
        .order_by(plan.id)
        .with_for_update()
    )


def end_contacts(session: Session, own: Condition, *, today: date) -> tuple[list[str], int]:
    """End the contacts in force, today being the first day without.

    Returns
    -------
    tuple
        Codes of the stairwells that lose their lead, and how many contacts ended.
    """
    contact = ContactRow
    in_force = own & or_(func.upper_inf(contact.valid), func.upper(contact.valid) > today)
    told = (contact.kind, contact.stairwell_code)
    # One that begins today or later was never in force for a whole day.
    gone = session.execute(
        delete(contact).where(in_force, func.lower(contact.valid) >= today).returning(*told)
    ).all()
    ended = session.execute(
        update(contact)
        .where(in_force)
        .values(valid=func.daterange(func.lower(contact.valid), today))
        .returning(*told)
        .execution_options(synchronize_session=False)
    ).all()
    leads = {str(code) for kind, code in (*gone, *ended) if kind == "lead"}
    return sorted(leads), len(gone) + len(ended)


def blur_history(session: Session, person: Person, own: Mapping[str, Condition]) -> None:
    """Take out of contacts and plans what tells where the person lived."""
    contact, line, support = ContactRow, ContactPlanLineRow, ContactPlanSupportRow
    plain = {"reason": "near", "distance_m": 0}
    for row, told, values in (
        (contact, own["contact"], {"tier": _NEAR, "distance_m": 0}),
        (line, _named_by(line.member_id, person), plain),
        (
            line,
            _named_by(line.chosen_member_id, person),
            {"chosen_tier": "near", "chosen_distance_m": 0},
        ),
        (support, own["contact_plan_support"], plain),
    ):
        session.execute(
            update(row).where(told).values(**values).execution_options(synchronize_session=False)
        )


def _named_by(column: Any, person: Person) -> Condition:
    """Return the condition that a line names the person in one of its columns."""
    return and_(
        ContactPlanLineRow.community_code == person.community_code, is_person(column, person)
    )


def leave_proposals(session: Session, person: Person) -> int:
    """Take the person out of plans that could still be applied; return how many lines.

    What was decided on these lines is open again: it was about this person.
    """
    line, plan, support = ContactPlanLineRow, ContactPlanRow, ContactPlanSupportRow
    proposed = select(plan.id).where(
        plan.community_code == person.community_code, plan.status.in_(OPEN_STATUSES)
    )
    is_open = line.plan_id.in_(proposed)
    undecided = {
        "decision": "open",
        "chosen_member_id": None,
        "chosen_tier": None,
        "chosen_distance_m": None,
        "exclusion_id": None,
    }
    lines: set[tuple[object, str]] = set()
    # In this order: what a line changes follows from who is left in it.
    for column, values in (
        (line.chosen_member_id, undecided),
        (
            line.member_id,
            undecided
            | {
                "member_id": None,
                "distance_m": None,
                "reason": "excluded",
                "change": case((line.former_member_id.is_(None), "uncovered"), else_="ended"),
            },
        ),
        (
            line.former_member_id,
            {
                "former_member_id": None,
                "change": case((line.member_id.is_(None), "uncovered"), else_="new"),
            },
        ),
    ):
        statement = (
            update(line)
            .where(_named_by(column, person), is_open)
            .values(**values)
            .returning(line.plan_id, line.stairwell_code)
            .execution_options(synchronize_session=False)
        )
        lines |= {(plan_id, str(code)) for plan_id, code in session.execute(statement)}
    session.execute(
        delete(support)
        .where(
            support.community_code == person.community_code,
            support.member_id == person.member_id,
            support.plan_id.in_(proposed),
        )
        .execution_options(synchronize_session=False)
    )
    return len(lines)


def delete_rows(session: Session, own: Mapping[str, Condition]) -> dict[str, int]:
    """Delete what is about the person alone; return how many rows of each table."""
    counts = {}
    for name in _DELETED:
        table = Base.metadata.tables[f"{SCHEMA}.{name}"]
        statement: Any = delete(table).where(own[name]).returning(_first_key(table))
        counts[name] = len(session.execute(statement).all())
    return counts


def _first_key(table: Table) -> Any:
    return next(iter(table.primary_key.columns))


def empty_member(session: Session, own: Condition) -> None:
    """Leave of the member a row that old plans can refer to, and nothing else."""
    middle = (
        select(func.ST_PointOnSurface(CommunityRow.geom))
        .where(CommunityRow.code == MemberRow.community_code)
        .scalar_subquery()
    )
    session.execute(
        update(MemberRow)
        .where(own)
        .values(
            home_stairwell_code=None,
            home_building_code=None,
            branch_id=None,
            skills=[],
            dialects=[],
            reported_in_on=None,
            capacity_households=0,
            capacity_stairwells=0,
            is_available=False,
            erased_at=func.coalesce(MemberRow.erased_at, func.now()),
            geom=func.coalesce(middle, func.ST_SnapToGrid(MemberRow.geom, 1.0)),
        )
        .execution_options(synchronize_session=False)
    )
