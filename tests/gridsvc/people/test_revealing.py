"""A search shows masks; a phone is revealed for a purpose, noted, and not too often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from gridsvc.db import Database, Interval, Scope
from gridsvc.errors import NotFoundError, RoleNotAllowedError, TooManyTriesError
from gridsvc.people import revealing, service
from gridsvc.people.model import FoundMember, Revealed
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
MEMBER, FOREIGN, NOBODY = town.id_of("member", A, 1), town.id_of("member", B, 1), town.id_of("x")


def scope(*codes: int, role: str = "coordinator", account: UUID | None = town.ACCOUNT) -> Scope:
    return Scope(role, tuple(Interval.of(code) for code in codes), account=account)


def reveal(database: Database, who: Scope, member_id: UUID = MEMBER) -> Revealed:
    return revealing.reveal(
        database, who, member_id=member_id, purpose="emergency", vault=town.VAULT
    )


def reveals(clone: Clone) -> list[tuple[int, str, dict[str, object], UUID | None]]:
    query = text(
        "SELECT community_code, subject, detail, account_id FROM gridsvc.audit_event"
        " WHERE action = 'member.reveal' ORDER BY id"
    )
    with clone.root.connect() as connection:
        return [(*row,) for row in connection.execute(query)]


def test_a_reveal_gives_name_and_phone_and_is_noted_without_them(own_town: Clone) -> None:
    assert reveal(own_town.api, scope(A)) == Revealed(MEMBER, "甲1", "15400000001")
    assert reveals(own_town) == [(A, str(MEMBER), {"purpose": "emergency"}, town.ACCOUNT)]


@pytest.mark.parametrize("who", [MEMBER, NOBODY])
def test_what_is_not_the_callers_is_absent_and_not_noted(own_town: Clone, who: UUID) -> None:
    with pytest.raises(NotFoundError):
        reveal(own_town.api, scope(B), who)
    assert reveals(own_town) == []


@pytest.mark.parametrize("role", ["resident", "contact", "patrol", "planner"])
def test_others_reveal_nobody(own_town: Clone, role: str) -> None:
    with pytest.raises(RoleNotAllowedError):
        reveal(own_town.api, scope(A, role=role))
    with (
        own_town.api.session(scope(A, role=role)) as session,
        pytest.raises(RoleNotAllowedError),
    ):
        service.search(session, "甲")
    assert reveals(own_town) == []


def test_thirty_an_hour_at_once_and_then_no_more(own_town: Clone) -> None:
    count = revealing.BY_ACCOUNT.count
    for _ in range(count):
        reveal(own_town.api, scope(A))
    with pytest.raises(TooManyTriesError) as refused:
        reveal(own_town.api, scope(A))
    assert 100 < refused.value.retry_after_s <= 120
    assert len(reveals(own_town)) == count
    other = scope(A, account=town.id_of("another account"))
    assert reveal(own_town.api, other).phone == "15400000001"


def test_a_try_that_comes_to_nothing_counts_too(own_town: Clone) -> None:
    for _ in range(revealing.BY_ACCOUNT.count):
        with pytest.raises(NotFoundError):
            reveal(own_town.api, scope(A), NOBODY)
    with pytest.raises(TooManyTriesError):
        reveal(own_town.api, scope(A))
    assert reveals(own_town) == []


def test_many_at_once_are_not_more_than_one_after_the_other(own_town: Clone) -> None:
    def attempt(_: int) -> bool:
        try:
            reveal(own_town.api, scope(A))
        except TooManyTriesError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        passed = sum(pool.map(attempt, range(45)))
    assert passed == len(reveals(own_town)) == revealing.BY_ACCOUNT.count


def test_a_member_without_a_phone_has_none(own_town: Clone) -> None:
    own_town.run("UPDATE gridsvc.member_identity SET phone_cipher = NULL, phone_masked = NULL")
    assert reveal(own_town.api, scope(A)) == Revealed(MEMBER, "甲1", None)


def search(clone: Clone, who: Scope, words: str) -> tuple[list[FoundMember], bool]:
    with clone.api.session(who) as session, session.begin():
        return service.search(session, words)


def test_a_search_finds_by_part_of_a_name_in_the_own_territory(own_town: Clone) -> None:
    found, is_cut = search(own_town, scope(A), "甲1")
    assert not is_cut
    assert found == [
        FoundMember(
            community_code=A,
            member_id=MEMBER,
            name="甲1",
            phone_masked="154****0001",
            home_stairwell_code=town.stairwell_code(A, number=2),
            is_party_member=False,
            is_available=True,
            posts=("building_chief",),
        )
    ]
    everybody, _ = search(own_town, scope(town.STREET), "甲")
    assert len(everybody) == 16
    assert [one.name for one in everybody] == sorted(one.name for one in everybody)
    assert search(own_town, scope(), "甲") == ([], False)


@pytest.mark.parametrize("words", ["%", "_", "甲_", "' OR true --", "\\"])
def test_words_are_words_and_no_pattern(own_town: Clone, words: str) -> None:
    assert search(own_town, scope(A), words) == ([], False)


def test_a_masked_phone_is_found_whole_only(own_town: Clone) -> None:
    assert [one.name for one in search(own_town, scope(A), "154****0003")[0]] == ["甲3"]
    assert search(own_town, scope(A), "154****000")[0] == []
    assert search(own_town, scope(A), "15400000003")[0] == []


def test_a_search_is_noted_with_its_count_and_not_its_words(own_town: Clone) -> None:
    search(own_town, scope(A), "甲")
    with own_town.root.connect() as connection:
        noted = connection.execute(
            text(
                "SELECT community_code, subject, detail FROM gridsvc.audit_event"
                " WHERE action = 'member.search'"
            )
        ).all()
    assert noted == [(A, "members", {"shown": 9})]


def test_a_search_shows_fifty_and_says_that_there_are_more(own_town: Clone) -> None:
    with town.job_session(own_town.job) as session, session.begin():
        some = town.make_members().iloc[[0] * 45].reset_index(drop=True)
        service.load(
            session,
            members=some.assign(
                id=[str(town.id_of("more", number)) for number in range(45)],
                reported_in_on=date(2020, 1, 1),
            ),
            posts=town.make_posts().iloc[:0],
            organisations=town.make_organisations().iloc[:0],
            vault=town.VAULT,
        )
    found, is_cut = search(own_town, scope(A), "甲")
    assert (len(found), is_cut) == (50, True)


def test_an_erased_member_is_no_candidate(own_town: Clone) -> None:
    own_town.run(f"UPDATE gridsvc.member SET erased_at = now() WHERE id = '{MEMBER}'")  # noqa: S608
    with own_town.api.session(scope(A)) as session:
        members = service.read_members(session, community_code=A)
    assert len(members) == 8
    assert MEMBER not in set(members["id"])
