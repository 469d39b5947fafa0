"""Each table has a rule, and each rule lets go exactly what is over."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from gridsvc.db import Base, Database, Interval, Scope, ScopedSession
from gridsvc.errors import RoleNotAllowedError
from gridsvc.local_time import LOCAL_TIME
from gridsvc.retention import applying, service, store
from gridsvc.retention.rules import RULES
from tests import town
from tests.databases import Clone
from tests.gridsvc.catalogue import FACTS, REFERENCES
from tests.gridsvc.retention.rows import INSERTS, NAMES, A, add, run
from tests.house_rules import PROJECT

pytestmark = pytest.mark.db

# Before the town's own rows were written, so that none of those is over.
NOW = datetime(2020, 6, 20, 12, 0, tzinfo=UTC)
LIMITED = [rule.table for rule in service.list_limits()]
BY_DAYS = {"contact", "member_absence", "contact_exclusion", "post", "member_consent"}
JOB = Scope("job", (Interval.of(town.STREET),))


def cutoff(table: str) -> datetime:
    return RULES[table].cutoff(NOW)


def just(table: str, *, over: bool) -> datetime:
    """Return a time next to the limit: a day beside it where days count, else a second."""
    if table in BY_DAYS:
        # Its last day is the one before; at noon, so that no clock shifts the date.
        day = cutoff(table).astimezone(LOCAL_TIME).replace(hour=12)
        return day if over else day + timedelta(days=1)
    return cutoff(table) - timedelta(seconds=1 if over else -1)


def count(session: ScopedSession, table: str) -> int:
    return store.count(session, RULES[table], NOW)


# ---- the table of rules


def test_every_table_of_the_schema_has_a_rule() -> None:
    assert set(RULES) == {table.name for table in Base.metadata.tables.values()}
    assert set(RULES) == set(FACTS) | set(REFERENCES) - {"alembic_version"}


def test_a_table_without_a_limit_says_why() -> None:
    for rule in RULES.values():
        assert rule.why
        assert bool(rule.since) == (rule.days is not None)
        assert rule.days is None or rule.days > 0


def test_what_refers_to_a_row_goes_before_it() -> None:
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            parent = key.column.table.name
            if table.name in LIMITED and parent in LIMITED and not RULES[parent].clears:
                assert LIMITED.index(table.name) < LIMITED.index(parent)


def test_the_page_on_privacy_names_each_limit() -> None:
    page = (PROJECT / "docs" / "PRIVACY.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| (\d+) days?", page, re.MULTILINE))
    limits = {
        rule.table if rule.clears is None else f"{rule.table}.{rule.clears}": str(rule.days)
        for rule in service.list_limits()
    }
    assert told == limits


# ---- each rule


def test_every_rule_with_a_limit_is_tested() -> None:
    assert set(INSERTS) == set(LIMITED)


@pytest.mark.parametrize("table", LIMITED)
def test_a_row_just_inside_its_limit_stays(town_session: ScopedSession, table: str) -> None:
    add(town_session, table, just(table, over=False))
    assert count(town_session, table) == 0
    assert service.apply_batch(town_session, RULES[table], now=NOW) == 0


@pytest.mark.parametrize("table", LIMITED)
def test_a_row_just_outside_its_limit_goes(town_session: ScopedSession, table: str) -> None:
    rule = RULES[table]
    rows = text(f"SELECT count(*) FROM gridsvc.{table}")  # noqa: S608 - our own names
    before = town_session.scalar(rows)
    add(town_session, table, just(table, over=True))
    assert count(town_session, table) == 1
    assert service.apply_batch(town_session, rule, now=NOW) == 1
    assert service.apply_batch(town_session, rule, now=NOW) == 0
    gone = rule.clears is None
    noted = 1 if table == "audit_event" else 0  # that it was let go is an event too
    assert town_session.scalar(rows) == (before or 0) + (0 if gone else 1) + noted


# ---- what the limits count from


def test_the_words_of_an_incident_go_and_its_place_stays(town_session: ScopedSession) -> None:
    add(town_session, "incident", just("incident", over=True))
    service.apply_batch(town_session, RULES["incident"], now=NOW)
    query = text("SELECT summary, place FROM gridsvc.incident WHERE id = :id")
    assert town_session.execute(query, {"id": NAMES["row"]}).one() == ("", "outside")


def test_an_open_incident_keeps_its_words(town_session: ScopedSession) -> None:
    add(town_session, "incident", just("incident", over=True))
    run(town_session, "UPDATE gridsvc.incident SET closed_at = NULL WHERE id = :row")
    assert count(town_session, "incident") == 0


def test_a_key_ends_when_it_is_revoked_or_runs_out(town_session: ScopedSession) -> None:
    run(town_session, "DELETE FROM gridsvc.api_key")
    add(town_session, "api_key", just("api_key", over=True))
    run(town_session, "UPDATE gridsvc.api_key SET revoked_at = NULL")
    assert count(town_session, "api_key") == 0
    run(
        town_session,
        "UPDATE gridsvc.api_key SET expires_at = :at",
        at=just("api_key", over=True),
    )
    assert count(town_session, "api_key") == 1


def test_an_unused_token_counts_from_when_it_ran_out(town_session: ScopedSession) -> None:
    run(town_session, "DELETE FROM gridsvc.device_token")
    add(town_session, "device_token", just("device_token", over=True))
    run(town_session, "UPDATE gridsvc.device_token SET used_at = NULL")
    assert count(town_session, "device_token") == 0
    run(
        town_session,
        "UPDATE gridsvc.device_token SET expires_at = :at",
        at=just("device_token", over=True),
    )
    assert count(town_session, "device_token") == 1


def test_a_phone_with_a_token_that_stays_is_kept(town_session: ScopedSession) -> None:
    add(town_session, "device", just("device", over=True))
    run(
        town_session,
        "INSERT INTO gridsvc.device_token (token_hash, device_id, expires_at)"
        " VALUES ('t', :device, :at)",
        at=NOW,
    )
    assert count(town_session, "device") == 0


def test_a_phone_with_a_sign_in_that_stays_is_kept(town_session: ScopedSession) -> None:
    add(town_session, "device", just("device", over=True))
    run(
        town_session,
        "INSERT INTO gridsvc.sign_in (token_hash, id, account_id, device_id, expires_at)"
        " VALUES ('t', :row, :account, :device, :at)",
        at=NOW,
    )
    assert count(town_session, "device") == 0


def test_a_plan_in_force_is_kept_with_its_lines(town_session: ScopedSession) -> None:
    add(town_session, "contact_plan_line", just("contact_plan_line", over=True))
    run(town_session, "UPDATE gridsvc.contact_plan SET status = 'applied' WHERE id = :plan")
    assert count(town_session, "contact_plan_line") == 0
    assert count(town_session, "contact_plan") == 0


def test_a_plan_that_was_never_applied_counts_from_when_it_was_made(
    town_session: ScopedSession,
) -> None:
    add(town_session, "contact_plan", just("contact_plan", over=True))
    run(
        town_session,
        "UPDATE gridsvc.contact_plan SET status = 'proposed', applied_at = NULL,"
        " created_at = :at WHERE id = :plan",
        at=just("contact_plan", over=True),
    )
    assert count(town_session, "contact_plan") == 1


@pytest.mark.parametrize(("end", "is_over"), [(None, 0), (date(2018, 1, 1), 1)])
def test_a_plan_stays_as_long_as_a_contact_that_came_of_it(
    town_session: ScopedSession, end: date | None, is_over: int
) -> None:
    add(town_session, "contact_plan", just("contact_plan", over=True))
    run(
        town_session,
        "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind, valid,"
        " plan_id, tier, distance_m) VALUES (:a, :row, :stairwell, :member, 'supporting',"
        " daterange('2001-01-01', cast(:end AS date)), :plan, 3, 5)",
        end=end,
    )
    assert count(town_session, "contact_plan") == is_over


def test_an_erased_member_stays_as_long_as_a_plan_names_them(town_session: ScopedSession) -> None:
    add(town_session, "member", just("member", over=True))
    add(town_session, "contact_plan_line", NOW)
    assert count(town_session, "member") == 1
    run(town_session, "UPDATE gridsvc.contact_plan_line SET member_id = :row WHERE plan_id = :plan")
    assert count(town_session, "member") == 0


def test_a_member_who_was_not_erased_is_kept(town_session: ScopedSession) -> None:
    add(town_session, "member", just("member", over=True))
    run(town_session, "UPDATE gridsvc.member SET erased_at = NULL WHERE id = :row")
    assert count(town_session, "member") == 0


# ---- all together


def seen(clone: Clone) -> dict[str, int]:
    return {table: clone.count(table) for table in RULES}


def test_applying_everything_deletes_what_the_dry_run_counted(own_town: Clone) -> None:
    later = datetime.now(UTC) + timedelta(days=4 * 365)
    with own_town.job.session(JOB) as session:
        for table in ("sign_in", "invitation", "sso_attempt", "throttle", "api_key"):
            add(session, table, NOW)
        session.commit()
    before = seen(own_town)
    with own_town.job.session(JOB) as session:
        counted = {one.rule.table: one.count for one in service.count(session, now=later)}
    applied = applying.apply(own_town.job, JOB, now=later, limit=2)
    # Four years on, what is noted today about the others is over too.
    own_notes = {"audit_event"}
    assert {one.rule.table: one.count for one in applied if one.rule.table not in own_notes} == {
        table: rows for table, rows in counted.items() if table not in own_notes
    }
    after = seen(own_town)
    for table, rows in counted.items():
        if table in own_notes:
            continue
        assert before[table] - after[table] == (0 if RULES[table].clears else rows), table
    for table in ("audit_event", "idempotency_key", "patrol_stop", "patrol_shift", "incident"):
        assert counted[table] > 0
    assert after["contact_plan"] == before["contact_plan"] == 2, "plans in force stay"
    assert after["member_identity"] == before["member_identity"]
    again = applying.apply(own_town.job, JOB, now=later)
    assert {one.rule.table for one in again if one.count} <= own_notes


def test_what_was_let_go_is_noted_by_table_with_its_count(own_town: Clone) -> None:
    applying.apply(own_town.job, JOB, now=NOW + timedelta(days=400))
    with own_town.root.connect() as connection:
        noted = connection.execute(
            text(
                "SELECT community_code, subject, detail, account_id FROM gridsvc.audit_event"
                " WHERE action = 'retention.apply' ORDER BY subject"
            )
        ).all()
    assert noted == [
        (town.STREET, "inbox_entry", {"rows": 4}, None),
        (town.STREET, "job", {"rows": 2}, None),
        (town.STREET, "notice", {"rows": 2}, None),
        (town.STREET, "notice_attempt", {"rows": 2}, None),
        (town.STREET, "notice_delivery", {"rows": 4}, None),
        (town.STREET, "patrol_left_out", {"rows": 2}, None),
        (town.STREET, "patrol_route", {"rows": 2}, None),
        (town.STREET, "patrol_shift", {"rows": 2}, None),
        (town.STREET, "patrol_stop", {"rows": 4}, None),
    ]


def test_facts_of_another_territory_stay(own_town: Clone) -> None:
    scope = Scope("job", (Interval.of(A),))
    applying.apply(own_town.job, scope, now=NOW + timedelta(days=400))
    assert own_town.count("patrol_shift", f"community_code = {A}") == 0
    assert own_town.count("patrol_shift", f"community_code = {town.WEST_BRIDGE}") == 1


@pytest.mark.parametrize("role", ["administrator", "coordinator", "resident"])
def test_rules_are_applied_by_the_job_only(town_database: Clone, role: str) -> None:
    database: Database = town_database.api
    with database.session(Scope(role, (Interval.of(A),))) as session:
        with pytest.raises(RoleNotAllowedError):
            service.count(session, now=NOW)
        with pytest.raises(RoleNotAllowedError):
            service.apply_batch(session, RULES["throttle"], now=NOW)
