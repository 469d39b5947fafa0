"""Everything that is stored about one person, by table."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Table, false, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gridsvc.access.tables import (
    AccountRow,
    AccountScopeRow,
    ApiKeyRow,
    DevelopmentCodeRow,
    DeviceRow,
    DeviceTokenRow,
    IdempotencyRow,
    InvitationRow,
    SignInRow,
    SsoIdentityRow,
)
from gridsvc.audit.tables import AuditRow
from gridsvc.contacts.tables import (
    ContactPinRow,
    ContactPlanLineRow,
    ContactPlanSupportRow,
    ContactRow,
)
from gridsvc.db import SCHEMA, Base, in_scope
from gridsvc.incidents.tables import IncidentEventRow
from gridsvc.jobs.tables import JobRow
from gridsvc.local_time import local_today
from gridsvc.notices.tables import InboxRow
from gridsvc.people import store as people
from gridsvc.people.tables import (
    AbsenceRow,
    ConsentRow,
    ExclusionRow,
    HoursRow,
    MemberAffiliationRow,
    MemberIdentityRow,
    MemberRow,
    PostRow,
)
from gridsvc.retention.persons.model import FoundPerson, Person
from gridsvc.territory.tables import TerritoryImportRow

Condition = ColumnElement[bool]
_SECRETS = {"password_hash"}


def find(session: Session, person_id: UUID) -> Person | None:
    """Return whose id this is: of a member, or of an account."""
    account = session.scalars(
        select(AccountRow).where(
            in_scope(session, AccountRow.office_code), AccountRow.id == person_id
        )
    ).one_or_none()
    member_id = account.person_id if account and account.person_id else person_id
    code = session.scalar(
        select(MemberRow.community_code).where(
            in_scope(session, MemberRow.community_code), MemberRow.id == member_id
        )
    )
    if code is not None:
        accounts = select(AccountRow.id).where(AccountRow.person_id == member_id)
        return Person(code, member_id, tuple(session.scalars(accounts.order_by(AccountRow.id))))
    return Person(account.office_code, None, (account.id,)) if account else None


def search_members(session: Session, words: str, *, limit: int) -> list[FoundPerson]:
    """Return members whose name holds the words, or whose masked phone they are."""
    return [
        FoundPerson(
            found.member_id,
            "member",
            found.community_code,
            found.name,
            found.phone_masked,
            found.home_stairwell_code,
            None,
        )
        for found in people.search(session, words, on=local_today(), limit=limit)
    ]


def search_accounts(session: Session, words: str, *, limit: int) -> list[FoundPerson]:
    """Return accounts that belong to no member and whose name or login holds the words."""
    account = AccountRow
    rows = session.scalars(
        select(account)
        .where(
            in_scope(session, account.office_code),
            account.person_id.is_(None),
            or_(
                account.name.icontains(words, autoescape=True),
                account.login.icontains(words, autoescape=True),
            ),
        )
        .order_by(account.name, account.id)
        .limit(limit)
    )
    return [
        FoundPerson(row.id, "account", row.office_code, row.name, None, None, row.login)
        for row in rows
    ]


def find_cipher(session: Session, person: Person) -> bytes | None:
    """Return the encrypted phone of a person."""
    return session.scalar(
        select(MemberIdentityRow.phone_cipher).where(
            in_scope(session, MemberIdentityRow.community_code),
            MemberIdentityRow.member_id == person.member_id,
        )
    )


def conditions(session: Session, person: Person) -> Mapping[str, Condition]:
    """Return which rows of which tables are about a person; a test finds tables left out."""
    return _of_member(session, person) | _of_accounts(session, person)


def is_person(column: Any, person: Person) -> Condition:
    """Return the condition that a column names the member; of an account alone, nothing does."""
    # "= NULL" would become "IS NULL", and mean everybody else.
    return false() if person.member_id is None else column == person.member_id


def _of_member(session: Session, person: Person) -> dict[str, Condition]:
    own: dict[str, tuple[Any, Any]] = {
        "member": (MemberRow, MemberRow.id),
        "member_identity": (MemberIdentityRow, MemberIdentityRow.member_id),
        "member_affiliation": (MemberAffiliationRow, MemberAffiliationRow.member_id),
        "post": (PostRow, PostRow.member_id),
        "member_absence": (AbsenceRow, AbsenceRow.member_id),
        "member_hours": (HoursRow, HoursRow.member_id),
        "member_consent": (ConsentRow, ConsentRow.member_id),
        "contact": (ContactRow, ContactRow.member_id),
        "contact_pin": (ContactPinRow, ContactPinRow.member_id),
        "contact_plan_support": (ContactPlanSupportRow, ContactPlanSupportRow.member_id),
    }
    found = {
        name: in_scope(session, row.community_code)
        & (row.community_code == person.community_code)
        & (column == person.member_id)
        for name, (row, column) in own.items()
    }
    line = ContactPlanLineRow
    found["contact_plan_line"] = (
        in_scope(session, line.community_code)
        & (line.community_code == person.community_code)
        & or_(
            is_person(line.member_id, person),
            is_person(line.former_member_id, person),
            is_person(line.chosen_member_id, person),
        )
    )
    excluded = ExclusionRow
    found["contact_exclusion"] = (
        in_scope(session, excluded.community_code)
        & (excluded.community_code == person.community_code)
        & or_(is_person(excluded.member_id, person), is_person(excluded.other_member_id, person))
    )
    return found


def _of_accounts(session: Session, person: Person) -> dict[str, Condition]:
    ids = person.account_ids
    devices = select(DeviceRow.id).where(DeviceRow.account_id.in_(ids))
    about = or_(AuditRow.subject.in_(person.subjects), AuditRow.account_id.in_(ids))
    return {
        "account": AccountRow.id.in_(ids),
        "account_scope": AccountScopeRow.account_id.in_(ids),
        "development_code": DevelopmentCodeRow.account_id.in_(ids),
        "sign_in": SignInRow.account_id.in_(ids),
        "device": DeviceRow.account_id.in_(ids),
        "device_token": DeviceTokenRow.device_id.in_(devices),
        "api_key": ApiKeyRow.account_id.in_(ids),
        "invitation": InvitationRow.account_id.in_(ids),
        "sso_identity": SsoIdentityRow.account_id.in_(ids),
        "territory_import": in_scope(session, TerritoryImportRow.community_code)
        & TerritoryImportRow.account_id.in_(ids),
        "idempotency_key": in_scope(session, IdempotencyRow.community_code)
        & IdempotencyRow.account_id.in_(ids),
        # What they did and said; an incident that they see to tells of somebody else.
        "incident_event": in_scope(session, IncidentEventRow.community_code)
        & IncidentEventRow.actor_account.in_(ids),
        "job": in_scope(session, JobRow.community_code)
        & or_(JobRow.account_id.in_(ids), JobRow.person_id == person.member_id),
        "inbox_entry": in_scope(session, InboxRow.community_code) & InboxRow.account_id.in_(ids),
        "audit_event": in_scope(session, AuditRow.community_code) & about,
    }


def read_rows(session: Session, table_name: str, condition: Condition) -> list[dict[str, Any]]:
    """Return rows as plain values: no secret and no hash of one, points as lon and lat.

    Coordinates are EPSG:4326, ranges have ``from`` and ``to``, the latter not included.
    """
    table = Base.metadata.tables[f"{SCHEMA}.{table_name}"]
    statement = select(*_columns(table)).where(condition).order_by(*table.primary_key.columns)
    return [
        {name: _plain(value) for name, value in row.items()}
        for row in session.execute(statement).mappings()
    ]


def _columns(table: Table) -> list[ColumnElement[Any]]:
    told: list[ColumnElement[Any]] = []
    for column in table.c:
        if column.name == "geom":
            told += [func.ST_X(column).label("lon"), func.ST_Y(column).label("lat")]
        elif not isinstance(column.type, LargeBinary) and column.name not in _SECRETS:
            told.append(column)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, Range):
        return {"from": _plain(value.lower), "to": _plain(value.upper)}
    return value.isoformat() if isinstance(value, date | datetime) else value
