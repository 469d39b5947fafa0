"""Which rows are over, and their deletion in batches."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, aliased

from gridsvc.access.tables import (
    ApiKeyRow,
    DeviceRow,
    DeviceTokenRow,
    IdempotencyRow,
    InvitationRow,
    SignInRow,
    SsoAttemptRow,
)
from gridsvc.audit.tables import AuditRow
from gridsvc.contacts.tables import (
    ContactPinRow,
    ContactPlanLineRow,
    ContactPlanRow,
    ContactPlanSupportRow,
    ContactRow,
)
from gridsvc.db import SCHEMA, Base, in_scope
from gridsvc.incidents.reporting.tables import (
    PhotoRow,
    PublishedPhotoRow,
    ReportRow,
)
from gridsvc.incidents.tables import IncidentEventRow, IncidentRow, PartyLinkRow
from gridsvc.jobs.tables import JobRow
from gridsvc.local_time import LOCAL_TIME
from gridsvc.notices.tables import AttemptRow, DeliveryRow, InboxRow, NoticeRow
from gridsvc.patrols.tables import LeftOutRow, RouteRow, ShiftRow, StopRow
from gridsvc.people.tables import (
    AbsenceRow,
    ConsentRow,
    ExclusionRow,
    MemberRow,
    PostRow,
)
from gridsvc.retention.model import Rule
from gridsvc.retention.rules import RULES
from gridsvc.territory.tables import ImportedFeatureRow, TerritoryImportRow
from gridsvc.throttle.tables import ThrottleRow

Condition = ColumnElement[bool]


def _is_over(table: str, now: datetime, moment: Any) -> Condition:
    """Return the condition that a moment lies before the cutoff of a table's rule."""
    over: Condition = moment < RULES[table].cutoff(now)
    return over


def _stays(table: str, now: datetime) -> Condition:
    """Return the condition that a row of another table is not over; unknown is not over."""
    return _DUE[table](now).is_not(True)


def _same(left: Any, right: Any, left_name: str, right_name: str) -> Condition:
    """Return the condition that two facts of one community refer to each other."""
    return and_(
        left.community_code == right.community_code,
        getattr(left, left_name) == getattr(right, right_name),
    )


def _device(now: datetime) -> Condition:
    device, token, sign_in = DeviceRow, DeviceTokenRow, SignInRow
    return and_(
        _is_over("device", now, func.coalesce(device.revoked_at, device.created_at)),
        ~exists().where(token.device_id == device.id, _stays("device_token", now)),
        ~exists().where(sign_in.device_id == device.id, _stays("sign_in", now)),
    )


def _plan_is_over(table: str, now: datetime) -> Condition:
    plan = ContactPlanRow
    return and_(
        plan.status != "applied",
        _is_over(table, now, func.coalesce(plan.applied_at, plan.created_at)),
    )


def _contact_plan_line(now: datetime) -> Condition:
    line, support = ContactPlanLineRow, ContactPlanSupportRow
    return and_(
        exists().where(
            _same(ContactPlanRow, line, "id", "plan_id"), _plan_is_over("contact_plan_line", now)
        ),
        ~exists().where(
            _same(support, line, "plan_id", "plan_id"),
            support.stairwell_code == line.stairwell_code,
            _stays("contact_plan_support", now),
        ),
    )


def _contact_plan_support(now: datetime) -> Condition:
    return exists().where(
        _same(ContactPlanRow, ContactPlanSupportRow, "id", "plan_id"),
        _plan_is_over("contact_plan_support", now),
    )


def _contact(now: datetime) -> Condition:
    return func.upper(ContactRow.valid) <= _day("contact", now)


def _contact_plan(now: datetime) -> Condition:
    return and_(
        _plan_is_over("contact_plan", now),
        ~exists().where(_same(ContactRow, ContactPlanRow, "plan_id", "id"), _stays("contact", now)),
        ~exists().where(_same(ContactPinRow, ContactPlanRow, "plan_id", "id")),
    )


def _shift(now: datetime, table: str = "patrol_shift") -> Condition:
    return _is_over(table, now, func.upper(ShiftRow.during))


def _route(now: datetime, table: str = "patrol_route") -> Condition:
    return exists().where(_same(ShiftRow, RouteRow, "id", "shift_id"), _shift(now, table))


def _stop(now: datetime) -> Condition:
    return exists().where(_same(RouteRow, StopRow, "id", "route_id"), _route(now, "patrol_stop"))


def _left_out(now: datetime) -> Condition:
    """Return the condition that no route of the run stays by which this could be found."""
    return ~exists().where(
        _same(RouteRow, LeftOutRow, "run_id", "run_id"), not_(_route(now, "patrol_left_out"))
    )


def _member(now: datetime) -> Condition:
    member, line, contact = MemberRow, ContactPlanLineRow, ContactRow
    support = ContactPlanSupportRow
    return and_(
        _is_over("member", now, member.erased_at),
        *(
            ~exists().where(_same(line, member, name, "id"), _stays("contact_plan_line", now))
            for name in ("member_id", "former_member_id", "chosen_member_id")
        ),
        ~exists().where(
            _same(support, member, "member_id", "id"), _stays("contact_plan_support", now)
        ),
        ~exists().where(_same(ContactPinRow, member, "member_id", "id")),
        ~exists().where(_same(contact, member, "member_id", "id"), _stays("contact", now)),
    )


def _day(table: str, now: datetime) -> date:
    return RULES[table].cutoff(now).astimezone(LOCAL_TIME).date()


def _consent(now: datetime) -> Condition:
    """Return the condition that it was withdrawn and the member did not agree anew."""
    consent, newer = ConsentRow, aliased(ConsentRow)
    stays = or_(newer.withdrawn_on.is_(None), newer.withdrawn_on > _day("member_consent", now))
    return and_(
        consent.withdrawn_on <= _day("member_consent", now),
        ~exists().where(_same(newer, consent, "member_id", "member_id"), stays),
        exists().where(_same(MemberRow, consent, "id", "member_id"), MemberRow.erased_at.is_(None)),
    )


def _token(now: datetime) -> Condition:
    moment = func.coalesce(DeviceTokenRow.used_at, DeviceTokenRow.expires_at)
    return _is_over("device_token", now, moment)


def _key(now: datetime) -> Condition:
    # The least of what there is: an absent end is none.
    return _is_over("api_key", now, func.least(ApiKeyRow.revoked_at, ApiKeyRow.expires_at))


def _incident(now: datetime) -> Condition:
    return and_(_is_over("incident", now, IncidentRow.closed_at), IncidentRow.summary != "")


def _incident_event(now: datetime) -> Condition:
    event = IncidentEventRow
    is_closed = exists().where(
        _same(IncidentRow, event, "id", "incident_id"), IncidentRow.closed_at.is_not(None)
    )
    return and_(_is_over("incident_event", now, event.at), event.note != "", is_closed)


def _of_incident(table: str, row: Any) -> Callable[[datetime], Condition]:
    """Return the condition that the incident of a row was closed long enough ago."""
    return lambda now: exists().where(
        _same(IncidentRow, row, "id", "incident_id"),
        _is_over(table, now, IncidentRow.closed_at),
    )


def _import(now: datetime, table: str = "territory_import") -> Condition:
    brought = TerritoryImportRow
    return _is_over(table, now, func.coalesce(brought.applied_at, brought.created_at))


def _territory_import(now: datetime) -> Condition:
    feature = ImportedFeatureRow
    return and_(
        _import(now),
        ~exists().where(
            _same(feature, TerritoryImportRow, "import_id", "id"), _stays("imported_feature", now)
        ),
    )


def _imported_feature(now: datetime) -> Condition:
    return exists().where(
        _same(TerritoryImportRow, ImportedFeatureRow, "id", "import_id"),
        _import(now, "imported_feature"),
    )


def _delivery(now: datetime) -> Condition:
    attempt = AttemptRow
    return and_(
        _is_over("notice_delivery", now, DeliveryRow.created_at),
        ~exists().where(
            _same(attempt, DeliveryRow, "delivery_id", "id"), _stays("notice_attempt", now)
        ),
    )


def _notice(now: datetime) -> Condition:
    return and_(
        _is_over("notice", now, NoticeRow.created_at),
        ~exists().where(
            _same(DeliveryRow, NoticeRow, "notice_id", "id"),
            _stays("notice_delivery", now),
        ),
    )


_DUE: Mapping[str, Callable[[datetime], Condition]] = {
    "report": _of_incident("report", ReportRow),
    "published_photo": _of_incident("published_photo", PublishedPhotoRow),
    "photo": _of_incident("photo", PhotoRow),
    "sso_attempt": lambda now: _is_over("sso_attempt", now, SsoAttemptRow.expires_at),
    "throttle": lambda now: _is_over("throttle", now, ThrottleRow.tried_at),
    "idempotency_key": lambda now: _is_over("idempotency_key", now, IdempotencyRow.created_at),
    "sign_in": lambda now: _is_over("sign_in", now, SignInRow.expires_at),
    "device_token": _token,
    "device": _device,
    "invitation": lambda now: _is_over("invitation", now, InvitationRow.expires_at),
    "api_key": _key,
    "job": lambda now: _is_over("job", now, JobRow.finished_at),
    "imported_feature": _imported_feature,
    "territory_import": _territory_import,
    "notice_attempt": lambda now: _is_over("notice_attempt", now, AttemptRow.at),
    "notice_delivery": _delivery,
    "notice": _notice,
    "inbox_entry": lambda now: _is_over("inbox_entry", now, InboxRow.created_at),
    "audit_event": lambda now: _is_over("audit_event", now, AuditRow.at),
    "contact_plan_support": _contact_plan_support,
    "contact_plan_line": _contact_plan_line,
    "contact": _contact,
    "contact_plan": _contact_plan,
    "patrol_stop": _stop,
    "patrol_left_out": _left_out,
    "patrol_route": _route,
    "patrol_shift": _shift,
    "member_absence": lambda now: func.upper(AbsenceRow.valid) <= _day("member_absence", now),
    "contact_exclusion": lambda now: ExclusionRow.until <= _day("contact_exclusion", now),
    "post": lambda now: func.upper(PostRow.valid) <= _day("post", now),
    "member_consent": _consent,
    "member": _member,
    "party_link": lambda now: _is_over("party_link", now, PartyLinkRow.expires_at),
    "incident_event": _incident_event,
    "incident": _incident,
}


def _table(rule: Rule) -> Table:
    return Base.metadata.tables[f"{SCHEMA}.{rule.table}"]


def _over(session: Session, rule: Rule, now: datetime) -> Condition:
    """Return the condition of a rule within the caller's territory, where the table has one."""
    code = _table(rule).c.get("community_code")
    due = _DUE[rule.table](now)
    return due if code is None else and_(in_scope(session, code), due)


def count(session: Session, rule: Rule, now: datetime) -> int:
    """Count the rows that are over."""
    table = _table(rule)
    statement = select(func.count()).select_from(table).where(_over(session, rule, now))
    return session.scalar(statement) or 0


def list_withdrawn(session: Session, rule: Rule, now: datetime, *, limit: int) -> list[UUID]:
    """Return members whose consent is withdrawn for so long that they are to be erased."""
    return list(
        session.scalars(
            select(ConsentRow.member_id)
            .distinct()
            .where(_over(session, rule, now))
            .order_by(ConsentRow.member_id)
            .limit(limit)
        )
    )


def apply_batch(session: Session, rule: Rule, now: datetime, *, limit: int) -> Counter[int]:
    """Delete or clear at most so many rows; return how many, by sub-district.

    What belongs to no territory counts under 0.
    """
    table = _table(rule)
    key = table.primary_key.columns
    # Not correlated: it chooses rows of the very table that is changed.
    batch = select(*key).where(_over(session, rule, now)).limit(limit).correlate(None)
    chosen = tuple_(*key).in_(batch)
    is_fact = "community_code" in table.c
    told = table.c.community_code if is_fact else key[0]
    statement: Any = (
        delete(table).where(chosen)
        if rule.clears is None
        else update(table).where(chosen).values({rule.clears: ""})
    ).returning(told)
    codes = session.scalars(statement)
    return Counter(code // 1000 * 1000 if is_fact else 0 for code in codes)
