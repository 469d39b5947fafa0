"""Queries of contact plans, their lines, supporting contacts and pins."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from geodata.codes import COMPOUND_DIGITS
from gridsvc.contacts.model import (
    CHANGES,
    DECISIONS,
    OPEN_STATUSES,
    LineFilter,
    Person,
    Pin,
    Plan,
    PlanLine,
    Support,
)
from gridsvc.contacts.tables import (
    ContactPinRow,
    ContactPlanLineRow,
    ContactPlanRow,
    ContactPlanSupportRow,
    ContactRow,
)
from gridsvc.db import in_scope, same_thing
from gridsvc.people.tables import MemberAffiliationRow, MemberIdentityRow, MemberRow
from gridsvc.territory.store import with_parents
from gridsvc.territory.tables import BuildingRow, CompoundRow, StairwellRow

_PLAN_COLUMNS = (
    *("community_code", "id", "run_id", "kind", "status", "version", "created_at", "reviewed_at"),
    *("applied_at", "day", "until", "change_at_most", "objective", "bound", "overload_households"),
    *("nearest_overload_households", "short_households", "weights", "notes"),
)
_LINE_FACTS = (
    *("stairwell_code", "household_count", "change", "decision", "member_id", "reason"),
    *("distance_m", "former_member_id", "chosen_member_id", "chosen_tier", "chosen_distance_m"),
    *("exclusion_id", "outline_hash", "has_new_support"),
)


def add_plan(
    session: Session,
    plan: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    supports: Sequence[Mapping[str, Any]],
) -> None:
    """Store a proposal with its lines and their supporting contacts."""
    session.execute(insert(ContactPlanRow).values(**plan))
    key = {"community_code": plan["community_code"], "plan_id": plan["id"]}
    if lines:
        session.execute(insert(ContactPlanLineRow), [key | dict(line) for line in lines])
    if supports:
        session.execute(insert(ContactPlanSupportRow), [key | dict(one) for one in supports])


# ---- plans


def _is_to_decide(line: Any) -> ColumnElement[bool]:
    """Return the condition that a line changes something and waits for a decision."""
    is_change = or_(line.change.not_in(("kept", "uncovered")), line.has_new_support)
    return and_(line.decision == "open", is_change)


def _plans(session: Session) -> Select[*tuple[Any, ...]]:
    line, plan = ContactPlanLineRow, ContactPlanRow
    lines = (
        select(
            func.count().label("stairwell_count"),
            func.count(line.member_id).label("covered_count"),
            func.count().filter(_is_to_decide(line)).label("to_decide"),
            *(func.count().filter(line.change == word).label(f"is_{word}") for word in CHANGES),
            *(func.count().filter(line.decision == word).label(f"is_{word}") for word in DECISIONS),
        )
        .where(line.community_code == plan.community_code, line.plan_id == plan.id)
        .lateral()
    )
    return (
        select(*(getattr(plan, name) for name in _PLAN_COLUMNS), *lines.c)
        .join(lines, plan.id.is_not(None))
        .where(in_scope(session, plan.community_code))
    )


def _plan(row: Mapping[str, Any]) -> Plan:
    kept = {name: value for name, value in row.items() if not name.startswith("is_")}
    return Plan(
        **kept,
        changes={word: row[f"is_{word}"] for word in CHANGES},
        decisions={word: row[f"is_{word}"] for word in DECISIONS},
    )


def list_plans(
    session: Session,
    *,
    community_code: int | None = None,
    run_id: UUID | None = None,
    statuses: Sequence[str] | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[Plan]:
    """Return plans, the newest first; ids are ordered by time."""
    statement = _plans(session)
    if community_code is not None:
        statement = statement.where(ContactPlanRow.community_code == community_code)
    if run_id is not None:
        statement = statement.where(ContactPlanRow.run_id == run_id)
    if statuses is not None:
        statement = statement.where(ContactPlanRow.status.in_(statuses))
    if before is not None:
        statement = statement.where(ContactPlanRow.id < before)
    rows = session.execute(statement.order_by(ContactPlanRow.id.desc()).limit(limit)).mappings()
    return [_plan(dict(row)) for row in rows]


def find_plan(session: Session, plan_id: UUID) -> Plan | None:
    """Return one plan."""
    row = session.execute(_plans(session).where(ContactPlanRow.id == plan_id)).mappings()
    found = row.one_or_none()
    return _plan(dict(found)) if found else None


def find_hash(session: Session, plan: Plan) -> str | None:
    """Return the fingerprint of what a plan was made from."""
    return session.scalar(select(ContactPlanRow.facts_hash).where(*_of_plan(session, plan)))


def _of_plan(session: Session, plan: Plan) -> tuple[ColumnElement[bool], ...]:
    row = ContactPlanRow
    return (
        in_scope(session, row.community_code),
        row.community_code == plan.community_code,
        row.id == plan.id,
    )


def hold(session: Session, plan: Plan) -> None:
    """Let others wait who decide on a plan of the community or apply one.

    Plans are locked in the order of their ids, as erasing a person does.
    """
    row = ContactPlanRow
    session.execute(
        select(row.id)
        .where(
            in_scope(session, row.community_code),
            row.community_code == plan.community_code,
            or_(row.id == plan.id, row.status.in_((*OPEN_STATUSES, "applied"))),
        )
        .order_by(row.id)
        .with_for_update()
    )


def set_plan(session: Session, plan: Plan, **values: Any) -> None:
    """Write what has become of a plan, as one more version."""
    session.execute(
        update(ContactPlanRow)
        .where(*_of_plan(session, plan))
        .values(version=ContactPlanRow.version + 1, **values)
    )


def supersede(session: Session, plan: Plan) -> int:
    """End what a full plan takes the place of: the applied ones, and other open proposals."""
    row = ContactPlanRow
    return len(
        session.scalars(
            update(row)
            .where(
                in_scope(session, row.community_code),
                row.community_code == plan.community_code,
                row.id != plan.id,
                row.status.in_((*OPEN_STATUSES, "applied")),
            )
            .values(status="superseded", version=row.version + 1)
            .returning(row.id)
            .execution_options(synchronize_session=False)
        ).all()
    )


# ---- lines


def _of_lines(session: Session, plan: Plan) -> tuple[ColumnElement[bool], ...]:
    line = ContactPlanLineRow
    return (
        in_scope(session, line.community_code),
        line.community_code == plan.community_code,
        line.plan_id == plan.id,
    )


def list_lines(
    session: Session, plan: Plan, wanted: LineFilter, *, after: str = "", limit: int | None
) -> list[PlanLine]:
    """Return lines of a plan after a stairwell code, by code, with their supporting contacts."""
    line = ContactPlanLineRow
    people = {name: (aliased(MemberIdentityRow), aliased(MemberAffiliationRow)) for name in _WHO}
    statement = select(
        *(getattr(line, name) for name in _LINE_FACTS),
        *(identity.name.label(f"{name}_name") for name, (identity, _) in people.items()),
        *(
            (affiliation.affiliation == "party_member").label(f"{name}_is_party")
            for name, (_, affiliation) in people.items()
        ),
    )
    for name, (identity, affiliation) in people.items():
        column = getattr(line, _WHO[name])
        for row in (identity, affiliation):
            same = and_(row.community_code == line.community_code, row.member_id == column)
            statement = statement.outerjoin(row, same)
    statement = statement.where(
        *_of_lines(session, plan), line.stairwell_code > after, *_wanted(wanted)
    )
    rows = session.execute(statement.order_by(line.stairwell_code).limit(limit)).mappings().all()
    supports = _supports(session, plan, [row["stairwell_code"] for row in rows])
    return [_line(dict(row), supports.get(row["stairwell_code"], ())) for row in rows]


_WHO = {"member": "member_id", "former": "former_member_id", "chosen": "chosen_member_id"}


def _wanted(wanted: LineFilter) -> list[ColumnElement[bool]]:
    line = ContactPlanLineRow
    conditions = [
        column == value
        for column, value in (
            (line.change, wanted.change),
            (line.decision, wanted.decision),
            (line.reason, wanted.reason),
            (line.stairwell_code, wanted.stairwell_code),
            (func.left(line.stairwell_code, COMPOUND_DIGITS), wanted.compound_code),
        )
        if value is not None
    ]
    return [*conditions, _is_to_decide(line)] if wanted.is_to_decide else conditions


def _line(row: Mapping[str, Any], supporting: Sequence[Support]) -> PlanLine:
    def person(name: str) -> Person | None:
        member_id = row[_WHO[name]]
        if member_id is None:
            return None
        return Person(member_id, row[f"{name}_name"], row[f"{name}_is_party"])

    return PlanLine(
        stairwell_code=row["stairwell_code"],
        household_count=row["household_count"],
        change=row["change"],
        decision=row["decision"],
        member_id=row["member_id"],
        name=row["member_name"],
        is_party_member=row["member_is_party"],
        reason=row["reason"],
        distance_m=row["distance_m"],
        former=person("former"),
        chosen=person("chosen"),
        chosen_tier=row["chosen_tier"],
        chosen_distance_m=row["chosen_distance_m"],
        has_new_support=row["has_new_support"],
        supporting=tuple(supporting),
    )


def _supports(session: Session, plan: Plan, codes: Sequence[str]) -> dict[str, list[Support]]:
    support, identity = ContactPlanSupportRow, MemberIdentityRow
    rows = session.execute(
        select(
            support.stairwell_code,
            *(support.member_id, identity.name, support.households),
            *(support.reason, support.distance_m),
        )
        .outerjoin(
            identity,
            same_thing(identity.member_id, support.member_id),
        )
        .where(
            in_scope(session, support.community_code),
            support.community_code == plan.community_code,
            support.plan_id == plan.id,
            support.stairwell_code.in_(codes),
        )
        .order_by(support.stairwell_code, support.households.desc(), support.member_id)
    ).mappings()
    found: dict[str, list[Support]] = {}
    for row in rows:
        facts = dict(row)
        found.setdefault(facts.pop("stairwell_code"), []).append(Support(**facts))
    return found


def read_lines(
    session: Session,
    plan: Plan,
    *,
    codes: Sequence[str] | None = None,
    compound_code: str | None = None,
    decisions: Sequence[str] = DECISIONS,
) -> list[dict[str, Any]]:
    """Return the facts of lines, without names, by code of the stairwell."""
    line = ContactPlanLineRow
    statement = select(*(getattr(line, name) for name in _LINE_FACTS)).where(
        *_of_lines(session, plan), line.decision.in_(decisions)
    )
    if codes is not None:
        statement = statement.where(line.stairwell_code.in_(codes))
    if compound_code is not None:
        statement = statement.where(
            func.left(line.stairwell_code, COMPOUND_DIGITS) == compound_code
        )
    rows = session.execute(statement.order_by(line.stairwell_code)).mappings()
    return [dict(row) for row in rows]


def decide(session: Session, plan: Plan, codes: Sequence[str], **values: Any) -> None:
    """Write a decision on some lines; what an earlier one had chosen goes."""
    plain = {
        "chosen_member_id": None,
        "chosen_tier": None,
        "chosen_distance_m": None,
        "exclusion_id": None,
    }
    session.execute(
        update(ContactPlanLineRow)
        .where(*_of_lines(session, plan), ContactPlanLineRow.stairwell_code.in_(codes))
        .values(plain | values)
        .execution_options(synchronize_session=False)
    )


def see_again(session: Session, plan: Plan, code: str, **values: Any) -> None:
    """Write how a stairwell is now, for a line that is being decided on."""
    session.execute(
        update(ContactPlanLineRow)
        .where(*_of_lines(session, plan), ContactPlanLineRow.stairwell_code == code)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def list_uncovered(session: Session, run_id: UUID) -> list[tuple[str, str]]:
    """Return code and reason of each stairwell that a run leaves without a contact, by code."""
    line, plan = ContactPlanLineRow, ContactPlanRow
    rows = session.execute(
        select(line.stairwell_code, line.reason)
        .join(plan, same_thing(plan.id, line.plan_id))
        .where(
            in_scope(session, line.community_code),
            plan.run_id == run_id,
            line.member_id.is_(None),
        )
        .order_by(line.stairwell_code)
    )
    return [(str(code), str(reason)) for code, reason in rows]


def read_supports(session: Session, plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """Return the supporting contacts of a plan by stairwell, without names."""
    support = ContactPlanSupportRow
    rows = session.execute(
        select(
            *(support.stairwell_code, support.member_id, support.households),
            *(support.reason, support.distance_m),
        )
        .where(
            in_scope(session, support.community_code),
            support.community_code == plan.community_code,
            support.plan_id == plan.id,
        )
        .order_by(support.stairwell_code, support.member_id)
    ).mappings()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["stairwell_code"], []).append(dict(row))
    return found


# ---- what a plan is made from, and held against


def read_ground(session: Session, *, community_code: int) -> dict[str, tuple[str, int]]:
    """Return a fingerprint of the outline, and the households, of each stairwell in use."""
    stairwell = StairwellRow
    rows = session.execute(
        select(
            stairwell.code,
            func.md5(func.ST_AsBinary(stairwell.geom)),
            stairwell.household_count,
        ).where(
            in_scope(session, stairwell.community_code),
            stairwell.community_code == community_code,
            stairwell.retired_on.is_(None),
        )
    )
    return {code: (mark, households) for code, mark, households in rows}


def find_community_of(session: Session, member_id: UUID) -> int | None:
    """Return the community of a member who was not erased."""
    return session.scalar(
        select(MemberRow.community_code).where(
            in_scope(session, MemberRow.community_code),
            MemberRow.id == member_id,
            MemberRow.erased_at.is_(None),
        )
    )


def read_people(
    session: Session, *, community_code: int, member_ids: Sequence[UUID]
) -> dict[UUID, Person]:
    """Return some members by id, as far as the caller may see them."""
    identity, affiliation = MemberIdentityRow, MemberAffiliationRow
    rows = session.execute(
        select(
            identity.member_id,
            identity.name,
            (affiliation.affiliation == "party_member").label("is_party_member"),
        )
        .outerjoin(
            affiliation,
            same_thing(affiliation.member_id, identity.member_id),
        )
        .where(
            in_scope(session, identity.community_code),
            identity.community_code == community_code,
            identity.member_id.in_(member_ids),
        )
    ).mappings()
    return {row["member_id"]: Person(**row) for row in rows}


def read_places(session: Session, plan: Plan) -> dict[str, tuple[str, bytes]]:
    """Return label, and a point inside as WKB in EPSG:4326, of each stairwell of a plan.

    Stairwells that have ended since are in it.
    """
    line, stairwell = ContactPlanLineRow, StairwellRow
    label = CompoundRow.name + " " + BuildingRow.name + stairwell.name
    lines = with_parents(
        select(stairwell.code, label, func.ST_AsBinary(func.ST_PointOnSurface(stairwell.geom)))
    ).join(line, same_thing(line.stairwell_code, stairwell.code))
    rows = session.execute(lines.where(*_of_lines(session, plan)))
    return {code: (name, bytes(point)) for code, name, point in rows}


def hold_stairwells(session: Session, *, community_code: int, codes: Sequence[str]) -> None:
    """Let corrections of some stairwells wait until this transaction has ended."""
    stairwell = StairwellRow
    session.execute(
        select(stairwell.code)
        .where(
            in_scope(session, stairwell.community_code),
            stairwell.community_code == community_code,
            stairwell.code.in_(codes),
        )
        .order_by(stairwell.code)
        .with_for_update(read=True)
    )


def read_covered(session: Session, *, community_code: int, on: date) -> dict[str, UUID]:
    """Return who stands in, on a day, for the leads of a community who will return."""
    row, later = ContactRow, aliased(ContactRow)
    rows = session.execute(
        select(row.stairwell_code, row.member_id).where(
            in_scope(session, row.community_code),
            row.community_code == community_code,
            row.kind == "lead",
            row.is_cover,
            row.valid.contains(on),
            exists().where(
                later.community_code == row.community_code,
                later.stairwell_code == row.stairwell_code,
                later.kind == "lead",
                func.lower(later.valid) == func.upper(row.valid),
            ),
        )
    )
    return dict(rows.all())


# ---- pins


def read_pins(
    session: Session, *, community_code: int, but_of: UUID | None = None
) -> dict[str, UUID]:
    """Return the member pinned to each stairwell, less the pins that one plan made."""
    pin = ContactPinRow
    statement = select(pin.stairwell_code, pin.member_id).where(
        in_scope(session, pin.community_code), pin.community_code == community_code
    )
    if but_of is not None:
        statement = statement.where(pin.plan_id.is_distinct_from(but_of))
    return dict(session.execute(statement).all())


def list_pins(session: Session, *, community_code: int | None, after: str, limit: int) -> list[Pin]:
    """Return pins after a stairwell code, by code."""
    pin, identity = ContactPinRow, MemberIdentityRow
    statement = (
        select(
            *(pin.community_code, pin.stairwell_code, pin.member_id),
            *(identity.name, pin.plan_id, pin.pinned_at),
        )
        .outerjoin(
            identity,
            same_thing(identity.member_id, pin.member_id),
        )
        .where(in_scope(session, pin.community_code), pin.stairwell_code > after)
        .order_by(pin.stairwell_code)
        .limit(limit)
    )
    if community_code is not None:
        statement = statement.where(pin.community_code == community_code)
    return [Pin(**row) for row in session.execute(statement).mappings()]


def pin(
    session: Session,
    *,
    community_code: int,
    stairwell_code: str,
    member_id: UUID,
    plan_id: UUID | None,
) -> None:
    """Pin a member to a stairwell, in the place of whoever was."""
    values = {"member_id": member_id, "plan_id": plan_id, "pinned_at": func.now()}
    session.execute(
        insert(ContactPinRow)
        .values(community_code=community_code, stairwell_code=stairwell_code, **values)
        .on_conflict_do_update(index_elements=["community_code", "stairwell_code"], set_=values)
    )


def unpin(
    session: Session, codes: Sequence[str], *, of_plan: UUID | None = None
) -> list[tuple[int, str]]:
    """Delete pins; return community and stairwell of each that there was.

    Parameters
    ----------
    of_plan
        Only those that this plan made.
    """
    row = ContactPinRow
    statement = delete(row).where(
        in_scope(session, row.community_code), row.stairwell_code.in_(codes)
    )
    if of_plan is not None:
        statement = statement.where(row.plan_id == of_plan)
    gone = session.execute(
        statement.returning(row.community_code, row.stairwell_code).execution_options(
            synchronize_session=False
        )
    )
    return [(code, stairwell) for code, stairwell in gone]


def now() -> ColumnElement[Any]:
    """Return the time of the transaction, for a column."""
    return func.now()
