"""Members are kept apart from who they are; phones are hidden wherever they lie or show."""

import pytest
from sqlalchemy import select, text

from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import RoleNotAllowedError, WrongDataKeyError
from gridsvc.people import phones, service
from gridsvc.people.tables import MemberIdentityRow
from gridsvc.territory import service as territory
from gridsvc.vault import Vault, new_key
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE


def test_phones_are_stored_encrypted_and_masked(empty_session: ScopedSession) -> None:
    territory.load(empty_session, town.make_territory())
    members = town.make_members()
    service.load(
        empty_session,
        members=members,
        posts=town.make_posts(),
        organisations=town.make_organisations(),
        vault=town.VAULT,
    )
    stored = empty_session.scalars(
        select(MemberIdentityRow).order_by(MemberIdentityRow.phone_masked)
    ).all()
    assert len(stored) == len(members) == 16
    for row in stored:
        assert row.phone_cipher is not None
        phone = town.VAULT.decrypt(row.phone_cipher)
        assert phone.encode() not in row.phone_cipher
        assert row.phone_masked == phones.mask(phone)
        assert phone not in str(row.phone_masked)
        with pytest.raises(WrongDataKeyError):
            Vault.of(new_key()).decrypt(row.phone_cipher)
    assert len({row.phone_cipher for row in stored}) == 16, "equal phones do not look equal"


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13800001234", "138****1234"),
        ("+8613800001234", "+86****1234"),
        ("12345678", "123****5678"),
    ],
)
def test_a_mask_keeps_seven_characters(phone: str, masked: str) -> None:
    assert phones.mask(phone) == masked


@pytest.mark.parametrize("phone", ["", "1", "110", "1234567"])
def test_a_short_phone_is_masked_whole(phone: str) -> None:
    assert phones.mask(phone) == "****"


def test_members_come_as_the_solver_needs_them(town_session: ScopedSession) -> None:
    members = service.read_members(town_session, community_code=A)
    assert len(members) == 9
    assert members.crs == "EPSG:4326"
    assert members["is_party_member"].sum() == 5
    assert members["is_available"].sum() == 8
    assert members["home_stairwell_code"].isna().sum() == 1
    assert members["id"].is_monotonic_increasing
    assert not {"name", "phone_masked", "phone_cipher"} & set(members.columns)


def test_counts_of_posts_and_organisations(town_session: ScopedSession) -> None:
    assert service.count_posts(town_session) == {
        "building_chief": 5,
        "building_chief_party_member": 3,
    }
    assert service.count_reported_in(town_session) == 5 + 4
    kinds, people = service.count_organisations(town_session)
    assert kinds == {"party_branch": 2, "society": 3}
    assert people == 10 + 11 + 10 + 11 + 12


def test_nobody_is_counted_as_nobody(empty_session: ScopedSession) -> None:
    assert service.count_posts(empty_session) == {}
    assert service.count_reported_in(empty_session) == 0
    assert service.count_organisations(empty_session) == ({}, 0)
    assert len(service.read_members(empty_session, community_code=A)) == 0


@pytest.mark.parametrize("role", ["planner", "patrol", "contact", "resident"])
def test_members_are_for_staff(town_database: Clone, role: str) -> None:
    with (
        town_database.api.session(Scope(role, (Interval.of(A),))) as session,
        pytest.raises(RoleNotAllowedError),
    ):
        service.read_members(session, community_code=A)


def test_a_member_of_one_community_cannot_live_in_another(own_town: Clone) -> None:
    member_id = town.id_of("member", A, 1)
    with pytest.raises(Exception, match="violates foreign key"), own_town.root.begin() as root:
        root.execute(
            text("UPDATE gridsvc.member SET home_stairwell_code = :code WHERE id = :id"),
            {"code": town.stairwell_code(B), "id": member_id},
        )
