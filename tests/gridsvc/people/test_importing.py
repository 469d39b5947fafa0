"""A list of members beside the register: told first, written whole rows, the same again nothing."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from geodata.register.members import read_members
from geodata.templates import example_of
from gridsvc.audit.tables import AuditRow
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import RoleNotAllowedError
from gridsvc.people import service as people
from gridsvc.people.importing import service
from gridsvc.people.importing.model import Report
from gridsvc.people.register import service as register
from gridsvc.people.register.model import Filter, Hours
from tests import town
from tests.databases import Clone
from tests.workbooks import workbook

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
ROW: Mapping[str, str] = {
    "姓名": "隗知秋",
    "手机号码": "139 0000 1111",
    "政治面貌": "中共党员",
    "家庭住址": "西苑2栋3梯201室",
    "可联系户数": "20",
    "可负责楼道数": "2",
    "可服务时间": "周一至周五19:00-21:00；周六全天；2027-02-01至2027-02-10不在",
    "特长": "医护、水电",
    "方言": "粤语、普通话",
    "所属党支部": "第0社",
    "同意日期": "2026-06-01",
}


@pytest.fixture
def named_town(own_town: Clone) -> Clone:
    """The town with names of compounds that addresses can tell apart."""
    own_town.run(
        "UPDATE gridsvc.compound SET name = left(name, 2)",
        "UPDATE gridsvc.compound SET name = CASE name WHEN '东苑' THEN '枫林花园' ELSE '柏树里' END"  # noqa: S608
        f" WHERE community_code = {B}",
    )
    return own_town


@pytest.fixture
def session(named_town: Clone) -> Any:
    with named_town.api.session(
        Scope("administrator", (Interval.of(town.STREET),), account=town.ACCOUNT)
    ) as opened:
        yield opened
        opened.rollback()


def examine(session: ScopedSession, folder: Path, *rows: Mapping[str, Any]) -> Report:
    headings = tuple(example_of("members"))
    cells = [[row.get(heading, "") for heading in headings] for row in rows]
    path = folder / "members.xlsx"
    path.write_bytes(workbook(headings, *cells))
    return service.examine(session, read_members(path), vault=town.VAULT)


def changed(**fields: str) -> dict[str, str]:
    return dict(ROW) | fields


def kinds(report: Report) -> list[tuple[int, str]]:
    return [(fault.row, fault.kind) for fault in report.faults]


def test_a_filled_template_is_written_as_it_says(session: ScopedSession, tmp_path: Path) -> None:
    report = examine(session, tmp_path, ROW)
    assert report.counts == {"added": 1, "changed": 0, "same": 0, "rejected": 0}
    assert kinds(report) == []
    assert report.columns["phone"] == "手机号码"
    before = register.count_members(session, Filter())
    service.apply(session, report, vault=town.VAULT)
    assert register.count_members(session, Filter()) == before + 1
    (line,) = report.lines
    assert line.member_id is not None
    member = register.get(session, line.member_id)
    listed = member.listed
    assert (listed.community_code, listed.name) == (A, "隗知秋")
    assert listed.home_stairwell_code == town.stairwell_code(A, compound=2, building=2, number=3)
    assert (listed.phone_masked, listed.branch_name) == ("139****1111", "第0社")
    assert (listed.skills, listed.dialects) == (
        ("medical", "electrical"),
        ("cantonese", "mandarin"),
    )
    assert member.hours[0] == Hours(1, 1140, 1260)
    assert len(member.hours) == 6
    assert [(one.since, one.until) for one in member.absences] == [
        (date(2027, 2, 1), date(2027, 2, 11))
    ]
    assert member.consents[0].given_on == date(2026, 6, 1)
    members = people.read_members(session, community_code=A)
    assert line.member_id in set(members["id"][members["is_available"]])


def test_the_same_list_again_changes_nothing(session: ScopedSession, tmp_path: Path) -> None:
    service.apply(session, examine(session, tmp_path, ROW), vault=town.VAULT)
    count = register.count_members(session, Filter())
    again = examine(session, tmp_path, ROW)
    assert again.counts == {"added": 0, "changed": 0, "same": 1, "rejected": 0}
    service.apply(session, again, vault=town.VAULT)
    assert register.count_members(session, Filter()) == count


def test_the_same_person_with_news_is_changed_and_blanks_keep_what_is_there(
    session: ScopedSession, tmp_path: Path
) -> None:
    service.apply(session, examine(session, tmp_path, ROW), vault=town.VAULT)
    news = changed(姓名="隗知秋", 家庭住址="西苑2栋1梯", 可联系户数="33", 特长="", 可服务时间="")
    report = examine(session, tmp_path, news)
    assert report.counts["changed"] == 1
    (line,) = report.lines
    assert set(line.fields or {}) == {"home", "capacity_households"}
    service.apply(session, report, vault=town.VAULT)
    assert line.member_id is not None
    member = register.get(session, line.member_id)
    assert member.listed.capacity_households == 33
    assert member.listed.skills == ("medical", "electrical")
    assert len(member.hours) == 6
    assert member.listed.version == 2


def test_somebody_without_a_phone_is_found_again_by_name_and_home(
    session: ScopedSession, tmp_path: Path
) -> None:
    row = changed(手机号码="")
    first = examine(session, tmp_path, row)
    assert kinds(first) == [(2, "no-phone")]
    service.apply(session, first, vault=town.VAULT)
    assert examine(session, tmp_path, row).counts["same"] == 1
    with_phone = examine(session, tmp_path, ROW)
    assert with_phone.counts["changed"] == 1
    assert set(with_phone.lines[0].fields or {}) == {"phone"}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"姓名": ""}, "no-name"),
        ({"手机号码": "12345"}, "bad-phone"),
        ({"手机号码": "139000011112"}, "bad-phone"),
        ({"政治面貌": "火星人"}, "unknown-affiliation"),
        ({"政治面貌": ""}, "unknown-affiliation"),
        ({"家庭住址": ""}, "no-home"),
        ({"家庭住址": "无名花园9栋"}, "no-home"),
        ({"家庭住址": "西苑"}, "no-home"),
        ({"可联系户数": "0"}, "bad-capacity"),
        ({"可联系户数": "-3"}, "bad-capacity"),
        ({"可联系户数": "很多"}, "bad-capacity"),
        ({"可负责楼道数": ""}, "bad-capacity"),
        ({"同意日期": ""}, "no-consent"),
        ({"同意日期": "2026-02-30"}, "bad-date"),
        ({"同意日期": "2099-01-01"}, "bad-date"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_stops_no_other(
    session: ScopedSession, tmp_path: Path, fields: dict[str, str], kind: str
) -> None:
    other = changed(姓名="某甲", 手机号码="13911112222", 家庭住址="东苑1栋1梯")
    report = examine(session, tmp_path, changed(**fields), other)
    assert report.counts == {"added": 1, "changed": 0, "same": 0, "rejected": 1}
    assert kinds(report) == [(2, kind)]
    assert list(report.reasons()) == [2]
    told = " ".join(fault.reason for fault in report.faults)
    for secret in ("隗", "139", fields.get("手机号码") or "13900001111"):
        assert secret not in told


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"所属党支部": "没有的支部"}, "unknown-branch"),
        ({"特长": "医护、飞行"}, "unknown-skills"),
        ({"方言": "火星话"}, "unknown-dialects"),
        ({"可服务时间": "看心情"}, "unread-hours"),
        ({"家庭住址": "西苑2栋"}, "home"),
    ],
)
def test_what_can_be_done_without_is_a_warning(
    session: ScopedSession, tmp_path: Path, fields: dict[str, str], kind: str
) -> None:
    report = examine(session, tmp_path, changed(**fields))
    assert report.counts["added"] == 1
    assert kinds(report) == [(2, kind)]
    service.apply(session, report, vault=town.VAULT)


def test_the_same_person_twice_in_a_list_is_taken_once(
    session: ScopedSession, tmp_path: Path
) -> None:
    report = examine(session, tmp_path, ROW, changed(姓名="隗知秌", 手机号码="13900001111"))
    assert report.counts == {"added": 1, "changed": 0, "same": 0, "rejected": 1}
    assert kinds(report) == [(3, "twice")]
    assert "row 2" in report.faults[0].reason


def test_whoever_withdrew_consent_is_not_taken_back_by_an_old_list(
    session: ScopedSession, tmp_path: Path
) -> None:
    report = examine(session, tmp_path, ROW)
    service.apply(session, report, vault=town.VAULT)
    member_id = report.lines[0].member_id
    assert member_id is not None
    register.withdraw_consent(session, member_id, on=date(2026, 10, 1))
    assert kinds(examine(session, tmp_path, ROW)) == [(2, "consent-withdrawn")]
    newer = examine(session, tmp_path, changed(同意日期="2026-11-01"))
    assert newer.counts["changed"] == 1
    service.apply(session, newer, vault=town.VAULT)
    assert register.get(session, member_id).listed.has_consent


def test_an_import_is_noted_by_community_and_counts(session: ScopedSession, tmp_path: Path) -> None:
    there = changed(姓名="某乙", 手机号码="13911113333", 家庭住址="枫林花园1栋1梯", 所属党支部="")
    service.apply(session, examine(session, tmp_path, ROW, there), vault=town.VAULT)
    noted = session.scalars(
        select(AuditRow).where(AuditRow.action == "member.import").order_by(AuditRow.community_code)
    ).all()
    assert [(one.subject, one.detail) for one in noted] == [
        (str(A), {"added": 1, "changed": 0}),
        (str(B), {"added": 1, "changed": 0}),
    ]


def test_a_coordinator_brings_in_people_of_the_own_community_only(
    named_town: Clone, tmp_path: Path
) -> None:
    with named_town.api.session(Scope("coordinator", (Interval.of(B),))) as narrow:
        report = examine(narrow, tmp_path, ROW)
    assert report.counts["rejected"] == 1
    assert kinds(report) == [(2, "no-home")]


@pytest.mark.parametrize("role", ["planner", "contact", "patrol", "resident"])
def test_lists_are_for_staff(town_database: Clone, tmp_path: Path, role: str) -> None:
    with (
        town_database.api.session(Scope(role, (Interval.of(A),))) as narrow,
        pytest.raises(RoleNotAllowedError),
    ):
        examine(narrow, tmp_path, ROW)
