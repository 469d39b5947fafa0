"""Members who stand in the register twice: found, offered, made one with all that is theirs."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from gridsvc.audit.tables import AuditRow
from gridsvc.contacts.tables import ContactRow
from gridsvc.db import Interval, Scope, ScopedSession, new_id
from gridsvc.errors import MergeRefusedError, NotFoundError, StaleMemberError
from gridsvc.overview import merging
from gridsvc.people import service as people
from gridsvc.people.register import service as register
from gridsvc.people.register.model import Draft, Home
from gridsvc.people.tables import MemberRow
from gridsvc.people.twins import service
from gridsvc.people.twins.likeness import judge, name_likeness
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
HOME = town.stairwell_code(A, compound=2, building=2, number=3)
PHONE = "13900001111"
DRAFT = Draft(
    community_code=A,
    name="隗知秋",
    phone=PHONE,
    affiliation="party_member",
    home=Home(stairwell_code=HOME),
    capacity_households=20,
    capacity_stairwells=2,
    consented_on=date(2026, 3, 1),
)


@pytest.fixture
def session(own_town: Clone) -> Any:
    scope = Scope("administrator", (Interval.of(town.STREET),), account=town.ACCOUNT)
    with own_town.api.session(scope) as opened:
        yield opened
        opened.rollback()


def add(session: ScopedSession, **changed: Any) -> UUID:
    return register.add(session, replace(DRAFT, **changed), vault=town.VAULT)


def find(session: ScopedSession, *ids: UUID, code: int | None = None) -> list[Any]:
    found = service.find_twins(session, vault=town.VAULT, community_code=code)
    return [pair for pair in found if {pair.one.member_id, pair.other.member_id} & set(ids)]


# ---- how alike


@given(st.text(max_size=6), st.text(max_size=6))
@settings(max_examples=100, deadline=None)
def test_likeness_is_a_share_and_that_of_equal_names_is_one(one: str, other: str) -> None:
    assert 0 <= name_likeness(one, other) <= 1
    assert name_likeness(one, one) == (1.0 if one.strip() else 0.0)


@given(st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=4), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_same_phone_never_speaks_against(one: str, other: str, is_same_home: bool) -> None:
    given = {"names": (one, other), "is_same_mask": True, "is_same_home": is_same_home}
    with_phone, _ = judge(is_same_phone=True, **given)  # type: ignore[arg-type]
    without, _ = judge(is_same_phone=None, **given)  # type: ignore[arg-type]
    other_phone, _ = judge(is_same_phone=False, **given)  # type: ignore[arg-type]
    assert with_phone >= without >= other_phone


# ---- found


def test_the_town_has_no_twins(session: ScopedSession) -> None:
    # The same phones are in both communities, for people of the same name: offered, not merged.
    found = service.find_twins(session, vault=town.VAULT)
    assert {pair.offer for pair in found} == {"make_unavailable"}
    assert service.find_twins(session, vault=town.VAULT, community_code=A) == []


def test_one_phone_and_a_misspelt_name_are_one_person(session: ScopedSession) -> None:
    one, other = add(session), add(session, name="隗知秌", home=Home(lon=113.2, lat=23.1))
    (pair,) = find(session, one, code=A)
    assert {pair.one.member_id, pair.other.member_id} == {one, other}
    assert pair.reasons == ("same_phone", "similar_name")
    assert pair.offer == "merge"
    assert pair.score >= 0.85
    assert PHONE not in repr(pair)


def test_two_phones_of_one_mask_are_told_apart(session: ScopedSession) -> None:
    one = add(session)
    add(session, phone="13988881111", home=Home(lon=113.2, lat=23.1))
    assert find(session, one, code=A) == []


def test_name_and_home_are_enough_where_a_phone_is_missing(session: ScopedSession) -> None:
    one = add(session)
    add(session, phone=None)
    (pair,) = find(session, one, code=A)
    assert pair.reasons == ("same_name", "same_home")


def test_across_communities_no_merge_is_offered_and_none_is_done(session: ScopedSession) -> None:
    one = add(session)
    there = Home(stairwell_code=town.stairwell_code(B))
    other = add(session, community_code=B, home=there)
    (pair,) = find(session, one)
    assert pair.offer == "make_unavailable"
    with pytest.raises(MergeRefusedError, match="unavailable"):
        merging.merge_members(session, kept=(one, 1), gone=(other, 1))


# ---- made one


def test_all_that_is_one_s_becomes_the_other_s(session: ScopedSession) -> None:
    kept, gone = add(session, skills=("law",)), add(session, skills=("medical",), phone=PHONE)
    third = town.id_of("member", A, 2)
    register.add_post(session, gone, register.PostDraft("lane_chief", place_name="东巷"))
    register.add_absence(
        session, gone, kind="leave", since=date(2026, 5, 1), until=date(2026, 6, 1)
    )
    for member_id, other in ((gone, third), (third, gone), (gone, kept)):
        people.add_exclusion(
            session, community_code=A, member_id=member_id, other_member_id=other, reason="旧怨"
        )
    versions = [register.get(session, one).listed.version for one in (kept, gone)]
    merged = merging.merge_members(session, kept=(kept, versions[0]), gone=(gone, versions[1]))
    assert merged.counts == {"post": 1, "member_absence": 1, "contact_exclusion": 2}
    session.expire_all()
    member = register.get(session, kept)
    assert [one.kind for one in member.posts] == ["lane_chief"]
    assert len(member.absences) == 1
    assert [one.other_member_id for one in member.exclusions] == [third]
    assert register.get(session, third).exclusions[0].other_member_id == kept
    assert set(member.listed.skills) == {"law", "medical"}
    assert len(member.consents) == 1
    assert register.get(session, gone).listed.member_id == kept, "old links lead on"


def test_contacts_plans_and_history_follow_and_no_stairwell_has_one_twice(
    session: ScopedSession,
) -> None:
    contacts = session.scalars(
        select(ContactRow).where(ContactRow.community_code == A, ContactRow.kind == "lead")
    ).all()
    gone = contacts[0].member_id
    led = {one.stairwell_code for one in contacts if one.member_id == gone}
    kept = add(session)
    session.execute(
        text(
            "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind,"
            " valid, tier, distance_m) VALUES (:a, gen_random_uuid(), :code, :kept, 'supporting',"
            " daterange(current_date, NULL), 3, 5)"
        ),
        {"a": A, "code": min(led), "kept": kept},
    )
    version = register.get(session, gone).listed.version
    merged = merging.merge_members(session, kept=(kept, 1), gone=(gone, version))
    assert merged.counts["contact_dropped"] == 1
    assert merged.counts["contact"] == len(led)
    assert merged.counts["contact_plan_line"] == len(led)
    now = session.execute(
        text("SELECT stairwell_code, kind FROM gridsvc.contact WHERE member_id = :id"), {"id": kept}
    ).all()
    assert {code for code, _ in now} == led
    assert {kind for _, kind in now} == {"lead"}


def test_of_the_merged_member_nothing_is_left_but_the_way(session: ScopedSession) -> None:
    kept, gone = add(session), add(session, name="隗知秌")
    merging.merge_members(session, kept=(kept, 1), gone=(gone, 1))
    session.expire_all()
    row = session.scalars(select(MemberRow).where(MemberRow.id == gone)).one()
    assert (row.home_stairwell_code, row.capacity_households) == (None, 0)
    assert row.merged_into_id == kept
    assert row.erased_at is not None
    for table in ("member_identity", "member_affiliation", "member_consent", "member_hours"):
        count = text(f"SELECT count(*) FROM gridsvc.{table} WHERE member_id = :id")  # noqa: S608
        assert session.scalar(count, {"id": gone}) == 0
    assert gone not in set(people.read_members(session, community_code=A)["id"])
    noted = session.scalars(select(AuditRow).where(AuditRow.action == "member.merge")).one()
    assert (noted.subject, noted.detail["gone"]) == (str(kept), str(gone))
    assert "隗" not in str(noted.detail)


def test_who_signed_in_as_the_merged_member_is_the_kept_one(session: ScopedSession) -> None:
    kept, gone = add(session), add(session)
    account = {"id": new_id(), "person": gone, "code": A}
    session.execute(
        text(
            "INSERT INTO gridsvc.account (id, login, name, role, office_code, person_id)"
            " VALUES (:id, 'twin', '甲', 'contact', :code, :person)"
        ),
        account,
    )
    merged = merging.merge_members(session, kept=(kept, 1), gone=(gone, 1))
    assert merged.counts["account"] == 1
    person = text("SELECT person_id FROM gridsvc.account WHERE id = :id")
    assert session.scalar(person, {"id": account["id"]}) == kept


def test_what_the_kept_one_does_not_say_is_taken_over(session: ScopedSession) -> None:
    kept = add(session, phone=None, home=Home(lon=113.2, lat=23.1))
    gone = add(session)
    merging.merge_members(session, kept=(kept, 1), gone=(gone, 1))
    listed = register.get(session, kept).listed
    assert (listed.phone_masked, listed.home_stairwell_code) == ("139****1111", HOME)


def test_a_merge_of_an_old_version_or_of_one_or_of_strangers_is_refused(
    session: ScopedSession,
) -> None:
    kept, gone = add(session), add(session)
    register.add_absence(session, gone, kind="leave", since=date(2026, 5, 1))
    with pytest.raises(StaleMemberError):
        merging.merge_members(session, kept=(kept, 1), gone=(gone, 1))
    with pytest.raises(MergeRefusedError):
        merging.merge_members(session, kept=(kept, 1), gone=(kept, 1))
    with pytest.raises(NotFoundError):
        merging.merge_members(session, kept=(kept, 1), gone=(town.id_of("nobody"), 1))


def test_a_withdrawal_tells_which_stairwells_need_somebody_else(session: ScopedSession) -> None:
    contact = session.scalars(
        select(ContactRow).where(ContactRow.community_code == A, ContactRow.kind == "lead").limit(1)
    ).one()
    withdrawn = merging.withdraw_consent(session, contact.member_id)
    assert (contact.stairwell_code, "lead") in withdrawn.duties
    assert merging.withdraw_consent(session, add(session)).duties == ()
