"""The register: who is in it, what changes, who may be asked on which day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from gridsvc.audit.tables import AuditRow
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import (
    ConsentStateError,
    InvalidMemberError,
    NotFoundError,
    RoleNotAllowedError,
    StaleMemberError,
)
from gridsvc.local_time import local_today
from gridsvc.people import service as people
from gridsvc.people.register import service
from gridsvc.people.register.model import Draft, Filter, Home, Hours
from gridsvc.people.tables import MemberIdentityRow, MemberRow
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
HOME = town.stairwell_code(A, compound=2, building=1, number=2)
MEMBER = town.id_of("member", A, 1)
BRANCH = town.id_of("organisation", A, 0)
TODAY = local_today()
DRAFT = Draft(
    community_code=A,
    name=" 隗 知秋 ",
    phone="+86 139-0000-1111",
    affiliation="party_member",
    home=Home(stairwell_code=HOME),
    capacity_households=20,
    capacity_stairwells=2,
    consented_on=date(2026, 3, 1),
    reported_in_on=date(2026, 3, 1),
    branch_id=BRANCH,
    skills=("medical", "law"),
    dialects=("cantonese",),
    hours=(Hours(6, 0, 1440), Hours(1, 1140, 1200), Hours(1, 1200, 1260)),
)


@pytest.fixture
def session(own_town: Clone) -> Any:
    scope = Scope("coordinator", (Interval.of(A),), account=town.ACCOUNT)
    with own_town.api.session(scope) as opened:
        yield opened
        opened.rollback()


def add(session: ScopedSession, **changed: Any) -> UUID:
    return service.add(session, replace(DRAFT, **changed), vault=town.VAULT)


def free(session: ScopedSession, member_id: UUID, on: date | None = None) -> bool:
    return bool(told(session, member_id, on)["is_available"])


def told(session: ScopedSession, member_id: UUID, on: date | None = None) -> dict[str, Any]:
    """Return what the solver is told of a member."""
    members = people.read_members(session, community_code=A, on=on)
    (row,) = members[members["id"] == member_id].to_dict("records")
    return {str(name): value for name, value in row.items()}


# ---- add and read


def test_a_new_member_is_stored_as_written_the_phone_hidden(session: ScopedSession) -> None:
    member = service.get(session, add(session))
    listed = member.listed
    assert (listed.name, listed.phone_masked) == ("隗 知秋", "139****1111")
    assert (listed.home_stairwell_code, listed.home_name) == (HOME, "西苑_2% 1栋 2梯")
    assert (listed.affiliation, listed.branch_name) == ("party_member", "第0社")
    assert (listed.skills, listed.dialects) == (("medical", "law"), ("cantonese",))
    assert member.hours == (Hours(1, 1140, 1260), Hours(6, 0, 1440)), "what touches is one"
    assert [one.given_on for one in member.consents] == [date(2026, 3, 1)]
    assert listed.is_free
    row = session.scalars(
        select(MemberIdentityRow).where(MemberIdentityRow.member_id == listed.member_id)
    ).one()
    assert row.phone_cipher is not None
    assert town.VAULT.decrypt(row.phone_cipher) == "13900001111"


def test_a_home_is_placed_inside_its_grid(session: ScopedSession) -> None:
    for home in (Home(stairwell_code=HOME), Home(building_code=HOME[:18])):
        member_id = add(session, home=home)
        inside = text(
            "SELECT ST_Contains(g.geom, m.geom) FROM gridsvc.member m JOIN gridsvc.building g"
            " ON g.code = :code WHERE m.id = :id"
        )
        assert session.scalar(inside, {"code": HOME[:18], "id": member_id})
    member = service.get(session, add(session, home=Home(lon=113.2, lat=23.1)))
    assert (member.lon, member.lat) == (113.2, 23.1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "甲" * 61),
        ("phone", "12345"),
        ("affiliation", "unknown"),
        ("home", Home()),
        ("home", Home(stairwell_code=HOME, building_code=HOME[:18])),
        ("home", Home(stairwell_code=town.stairwell_code(B))),
        ("home", Home(building_code="440605011001999999")),
        ("capacity_households", 0),
        ("capacity_households", -5),
        ("capacity_stairwells", 0),
        ("capacity_stairwells", 101),
        ("consented_on", TODAY + timedelta(days=1)),
        ("reported_in_on", date(1949, 1, 1)),
        ("branch_id", town.id_of("organisation", A, 1)),
        ("branch_id", town.id_of("organisation", B, 0)),
        ("skills", ("flying",)),
        ("dialects", ("latin",)),
        ("hours", (Hours(8, 0, 10),)),
        ("hours", (Hours(1, 100, 100),)),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(
    session: ScopedSession, field: str, value: Any
) -> None:
    with pytest.raises(InvalidMemberError) as caught:
        add(session, **{field: value})
    assert caught.value.field == field
    assert "隗" not in str(caught.value)


def test_a_community_of_others_is_not_found(session: ScopedSession) -> None:
    with pytest.raises(NotFoundError):
        add(session, community_code=B)


# ---- list


def test_the_register_is_read_in_pages_each_member_once(session: ScopedSession) -> None:
    seen: list[UUID] = []
    after = None
    while page := service.list_members(session, Filter(), after=after, limit=4):
        seen += [one.member_id for one in page]
        after = (page[-1].community_code, page[-1].member_id)
    assert len(seen) == len(set(seen)) == 9 == service.count_members(session, Filter())


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        (Filter(affiliation="party_member"), 5),
        (Filter(affiliation="league_member"), 0),
        (Filter(post="building_chief"), 3),
        (Filter(is_free=False), 1),
        (Filter(is_free=True, affiliation="masses"), 4),
        (Filter(community_code=B), 0),
        (Filter(branch_id=BRANCH), 0),
        (Filter(compound_code=town.compound_code(A, 1)), 5),
    ],
)
def test_a_filter_narrows_the_register(
    session: ScopedSession, narrowed: Filter, count: int
) -> None:
    assert len(service.list_members(session, narrowed, limit=100)) == count
    assert service.count_members(session, narrowed) == count


@pytest.mark.parametrize("role", ["planner", "patrol", "contact", "resident"])
def test_the_register_is_for_staff(town_database: Clone, role: str) -> None:
    with (
        town_database.api.session(Scope(role, (Interval.of(A),), person=MEMBER)) as session,
        pytest.raises(RoleNotAllowedError),
    ):
        service.list_members(session, Filter(), limit=10)


def test_a_contact_sees_the_own_entry_and_no_exclusion_and_nobody_else(own_town: Clone) -> None:
    own_town.run(
        "INSERT INTO gridsvc.contact_exclusion (community_code, id, member_id, stairwell_code,"  # noqa: S608
        f" reason, since) VALUES ({A}, gen_random_uuid(), '{MEMBER}', '{HOME}', '旧怨',"
        " '2026-01-01')"
    )
    staff = Scope("coordinator", (Interval.of(A),))
    with own_town.api.session(staff) as session:
        assert len(service.get(session, MEMBER).exclusions) == 2
    contact = Scope("contact", (Interval.of(A),), person=MEMBER)
    with own_town.api.session(contact, read_only=True) as session:
        member = service.get(session, MEMBER)
        assert member.listed.name == "甲1"
        assert member.exclusions == ()
        assert len(member.absences) == 1
        with pytest.raises(NotFoundError):
            service.get(session, town.id_of("member", A, 2))


# ---- change


def test_a_change_is_written_noted_without_values_and_counts_the_version(
    session: ScopedSession,
) -> None:
    changed = service.change(
        session,
        MEMBER,
        {"name": "新名", "phone": None, "capacity_stairwells": 5, "affiliation": "league_member"},
        version=1,
        vault=town.VAULT,
    )
    assert changed.listed.name == "新名"
    assert (changed.listed.phone_masked, changed.listed.affiliation) == (None, "league_member")
    assert (changed.listed.capacity_stairwells, changed.listed.version) == (5, 2)
    assert changed.listed.capacity_households == 60, "what is left out stays"
    noted = session.scalars(select(AuditRow).where(AuditRow.action == "member.change")).one()
    assert noted.subject == str(MEMBER)
    assert noted.detail == {"fields": ["affiliation", "capacity_stairwells", "name", "phone"]}


def test_a_change_of_an_old_version_is_refused(session: ScopedSession) -> None:
    service.change(session, MEMBER, {"is_available": False}, version=1, vault=town.VAULT)
    with pytest.raises(StaleMemberError) as caught:
        service.change(session, MEMBER, {"is_available": True}, version=1, vault=town.VAULT)
    assert (caught.value.yours, caught.value.current) == (1, 2)


def test_a_community_and_the_day_of_consent_cannot_be_changed(session: ScopedSession) -> None:
    for name, value in (("community_code", B), ("consented_on", TODAY)):
        with pytest.raises(InvalidMemberError):
            service.change(session, MEMBER, {name: value}, version=1, vault=town.VAULT)


def test_members_of_others_are_not_found(session: ScopedSession) -> None:
    foreign = town.id_of("member", B, 1)
    with pytest.raises(NotFoundError):
        service.get(session, foreign)
    with pytest.raises(NotFoundError):
        service.change(session, foreign, {"is_available": False}, version=1, vault=town.VAULT)
    with pytest.raises(NotFoundError):
        service.withdraw_consent(session, foreign)


# ---- consent and absences: who may be asked on which day


def test_without_consent_nobody_is_asked_from_that_day_on(session: ScopedSession) -> None:
    next_week = TODAY + timedelta(days=7)
    assert service.withdraw_consent(session, MEMBER, on=next_week) == next_week
    assert free(session, MEMBER)
    assert free(session, MEMBER, next_week - timedelta(days=1))
    assert not free(session, MEMBER, next_week)
    assert told(session, MEMBER)["available_until"] == next_week


def test_consent_can_be_given_anew_once(session: ScopedSession) -> None:
    service.withdraw_consent(session, MEMBER)
    assert not free(session, MEMBER)
    with pytest.raises(ConsentStateError):
        service.withdraw_consent(session, MEMBER)
    service.give_consent(session, MEMBER)
    assert free(session, MEMBER)
    with pytest.raises(ConsentStateError):
        service.give_consent(session, MEMBER)


def test_an_absence_holds_on_its_days_only(session: ScopedSession) -> None:
    since, until = TODAY + timedelta(days=2), TODAY + timedelta(days=5)
    service.add_absence(session, MEMBER, kind="leave", since=since, until=until)
    days = [TODAY + timedelta(days=day) for day in range(7)]
    assert [free(session, MEMBER, day) for day in days] == [True, True, False, False, False] + [
        True
    ] * 2
    assert told(session, MEMBER, since)["absent_until"] == until
    assert told(session, MEMBER)["available_until"] == since


def test_whoever_is_back_can_be_asked_again(session: ScopedSession) -> None:
    absence = service.add_absence(
        session, MEMBER, kind="ill", since=TODAY - timedelta(days=3), until=None
    )
    assert not free(session, MEMBER)
    service.end_absence(session, MEMBER, absence)
    assert free(session, MEMBER)
    assert not free(session, MEMBER, TODAY - timedelta(days=1)), "what was, was"
    with pytest.raises(NotFoundError):
        service.end_absence(session, MEMBER, absence)


def test_an_absence_to_come_is_taken_back_whole(session: ScopedSession) -> None:
    absence = service.add_absence(
        session, MEMBER, kind="moved", since=TODAY + timedelta(days=3), until=None
    )
    service.end_absence(session, MEMBER, absence)
    assert free(session, MEMBER, TODAY + timedelta(days=30))


@pytest.mark.parametrize(
    ("kind", "since", "until"),
    [("holiday", TODAY, None), ("leave", TODAY, TODAY), ("leave", date(1900, 1, 1), None)],
)
def test_an_absence_that_cannot_be_is_refused(
    session: ScopedSession, kind: str, since: date, until: date | None
) -> None:
    with pytest.raises(InvalidMemberError):
        service.add_absence(session, MEMBER, kind=kind, since=since, until=until)


# ---- exclusions


def test_an_exclusion_of_a_person_is_that_of_where_they_live(session: ScopedSession) -> None:
    other = town.id_of("member", A, 2)
    home = service.get(session, other).listed.home_stairwell_code
    in_building = add(session, home=Home(building_code=HOME[:18]))
    for subject in (other, in_building):
        people.add_exclusion(
            session,
            community_code=A,
            member_id=MEMBER,
            other_member_id=subject,
            reason="不和",
        )
    people.add_exclusion(
        session, community_code=A, member_id=MEMBER, stairwell_code=HOME, reason="亲属"
    )
    found = people.read_exclusions(session, community_code=A)
    assert set(found["member_id"]) == {MEMBER}
    building = {f"{HOME[:18]}{number:02d}" for number in (1, 2, 3)}
    assert list(found["stairwell_code"]) == sorted({str(home), *building})
    assert set(found["reason"]) <= {"不和", "亲属"}


def test_an_exclusion_holds_from_its_first_day_until_it_ends(session: ScopedSession) -> None:
    tomorrow = TODAY + timedelta(days=1)
    given: dict[str, Any] = {
        "community_code": A,
        "member_id": MEMBER,
        "stairwell_code": HOME,
        "reason": "旧怨",
    }
    exclusion = people.add_exclusion(session, **given, since=tomorrow, until=TODAY + timedelta(9))
    days = (TODAY, tomorrow, TODAY + timedelta(9))
    found = [len(people.read_exclusions(session, community_code=A, on=day)) for day in days]
    assert found == [0, 1, 0]
    assert people.add_exclusion(session, **given) == exclusion, "the same again is the same"
    service.end_exclusion(session, MEMBER, exclusion)
    assert len(people.read_exclusions(session, community_code=A, on=tomorrow)) == 0


def test_an_exclusion_names_one_thing_of_the_own_community(session: ScopedSession) -> None:
    given: dict[str, Any] = {"community_code": A, "member_id": MEMBER, "reason": "旧怨"}
    with pytest.raises(InvalidMemberError):
        people.add_exclusion(session, **given)
    with pytest.raises(InvalidMemberError):
        people.add_exclusion(session, **given, other_member_id=MEMBER)
    with pytest.raises(InvalidMemberError):
        people.add_exclusion(session, **given | {"reason": " "}, stairwell_code=HOME)
    with pytest.raises(NotFoundError):
        people.add_exclusion(session, **given, stairwell_code=town.stairwell_code(B))
    with pytest.raises(NotFoundError):
        people.add_exclusion(session, **given, other_member_id=town.id_of("member", B, 1))


# ---- posts


def test_a_post_is_held_during_its_term(session: ScopedSession) -> None:
    post = service.PostDraft(
        "lane_chief", place_name="东一巷", since=TODAY, until=TODAY + timedelta(365)
    )
    post_id = service.add_post(session, MEMBER, post)
    assert service.get(session, MEMBER).listed.posts == ("building_chief", "lane_chief")
    later = service.get(session, MEMBER, on=TODAY + timedelta(365))
    assert later.listed.posts == ("building_chief",)
    assert people.count_posts(session)["lane_chief"] == 1
    service.end_post(session, MEMBER, post_id)
    assert service.get(session, MEMBER).listed.posts == ("building_chief",)
    assert "lane_chief" not in people.count_posts(session)


@pytest.mark.parametrize(
    "post",
    [
        service.PostDraft("mayor", building_code=HOME[:18]),
        service.PostDraft("building_chief"),
        service.PostDraft("lane_chief"),
        service.PostDraft("building_chief", building_code="440605011002001001"),
        service.PostDraft("street_chief", place_name="长" * 61),
        service.PostDraft("street_chief", place_name="中街", since=TODAY, until=TODAY),
    ],
)
def test_a_post_that_cannot_be_is_refused(session: ScopedSession, post: service.PostDraft) -> None:
    with pytest.raises(InvalidMemberError):
        service.add_post(session, MEMBER, post)


# ---- what follows grids


def test_homes_and_exclusions_follow_grids_that_ended(session: ScopedSession) -> None:
    resident = add(session, home=Home(building_code=HOME[:18]))
    people.add_exclusion(
        session, community_code=A, member_id=MEMBER, stairwell_code=HOME, reason="旧怨"
    )
    heirs = [town.stairwell_code(A, compound=2, building=2, number=number) for number in (1, 2)]
    people.follow_grids(
        session,
        community_code=A,
        descents=[
            (HOME, heirs[0], 0.4),
            (HOME, heirs[1], 0.6),
            (HOME[:18], heirs[0][:18], 1.0),
        ],
    )
    session.expire_all()
    found = people.read_exclusions(session, community_code=A)
    assert list(found["stairwell_code"]) == heirs
    moved = session.scalar(select(MemberRow.home_building_code).where(MemberRow.id == resident))
    assert moved == heirs[0][:18]


def test_every_change_counts_the_version_and_is_noted(session: ScopedSession) -> None:
    service.add_absence(session, MEMBER, kind="leave", since=TODAY)
    service.add_post(session, MEMBER, service.PostDraft("street_chief", place_name="中街"))
    service.withdraw_consent(session, MEMBER)
    assert service.get(session, MEMBER).listed.version == 4
    noted = session.scalar(
        select(func.count()).where(
            AuditRow.subject == str(MEMBER), AuditRow.action.like("member.%")
        )
    )
    assert noted == 3
