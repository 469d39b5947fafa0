"""Phones stay signed in by tokens that rotate; a second use of one ends them all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import insert

from gridsvc.access.devices import service
from gridsvc.access.devices.model import DeviceStarted
from gridsvc.access.signing_in import Caller
from gridsvc.db import NOBODY
from gridsvc.errors import TooManyTriesError, WrongCredentialsError
from gridsvc.throttle.model import Key
from gridsvc.throttle.tables import ThrottleRow
from tests import town
from tests.databases import Clone
from tests.gridsvc.access.enrolled import Enrolled, enrol
from tests.gridsvc.access.phones import is_in, outcome, refresh, start, start_browser, who

pytestmark = pytest.mark.db

A = town.EAST_SHORE
REVOKED = "revoked_at IS NOT NULL"


@pytest.fixture
def patrol(database: Clone) -> Enrolled:
    return enrol(database, "patrol", A)


# ---- rotation


def test_a_phone_gets_an_hour_and_sixty_days(database: Clone, patrol: Enrolled) -> None:
    started = start(database, patrol)
    now = datetime.now(UTC)
    assert timedelta(minutes=59) < started.expires_at - now <= timedelta(hours=1)
    assert database.count("device_token", "expires_at - now() > interval '59 days 23 hours'") == 1
    assert database.count("device_token", "expires_at - now() > interval '60 days'") == 0
    principal = who(database.api, started.token)
    assert (principal.account_id, principal.credential) == (patrol.id, "device")
    trail = f"action = 'device.start' AND subject = '{started.device_id}' AND community_code = {A}"
    assert database.count("audit_event", trail) == 1


def test_only_hashes_of_both_tokens_are_stored(database: Clone, patrol: Enrolled) -> None:
    started = start(database, patrol)
    later = refresh(database.api, started.refresh_token, "a-key-of-the-phone")
    with database.root.connect() as connection:
        for table in ("device", "device_token", "sign_in", "audit_event", "idempotency_key"):
            rows = str(connection.exec_driver_sql(f"SELECT * FROM gridsvc.{table}").all())  # noqa: S608
            for one in (started, later):
                for secret in (one.token, one.refresh_token, "a-key-of-the-phone"):
                    assert secret not in rows
    assert database.count("idempotency_key") == 0, "answers with tokens are not kept"


def test_each_refresh_gives_a_new_pair_and_ends_the_former_token(
    database: Clone, patrol: Enrolled
) -> None:
    pairs = [start(database, patrol)]
    for _ in range(3):
        pairs.append(refresh(database.api, pairs[-1].refresh_token))
        assert [is_in(database.api, pair.token) for pair in pairs] == [False] * (len(pairs) - 1) + [
            True
        ]
    assert len({pair.token for pair in pairs} | {pair.refresh_token for pair in pairs}) == 8
    assert {pair.device_id for pair in pairs} == {pairs[0].device_id}
    assert database.count("device_token", "used_at IS NULL") == 1


def test_tokens_are_not_taken_for_each_other(database: Clone, patrol: Enrolled) -> None:
    started = start(database, patrol)
    assert not is_in(database.api, started.refresh_token)
    assert outcome(partial(refresh, database.api, started.token)) == "wrong-credentials"
    assert is_in(database.api, started.token)


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_second_use_ends_the_whole_family_and_nothing_else(
    database: Clone, patrol: Enrolled, generation: int
) -> None:
    pairs = [start(database, patrol)]
    for _ in range(3):
        pairs.append(refresh(database.api, pairs[-1].refresh_token))
    other, browser = start(database, patrol), start_browser(database, patrol)
    stolen = pairs[generation].refresh_token
    assert outcome(partial(refresh, database.api, stolen)) == "wrong-credentials"
    assert not any(is_in(database.api, pair.token) for pair in pairs)
    for pair in reversed(pairs):
        assert outcome(partial(refresh, database.api, pair.refresh_token)) == ("wrong-credentials")
    assert database.count("device", REVOKED) == 1
    trail = f"action = 'device.revoke-reuse' AND subject = '{pairs[0].device_id}'"
    assert database.count("audit_event", trail) == 1, "once, however often it is tried"
    assert is_in(database.api, other.token)
    assert is_in(database.api, browser)


def test_refused_tokens_all_get_the_same_answer(database: Clone) -> None:
    def ending(change: str) -> str:
        started = start(database, enrol(database, "patrol", A))
        database.run(change.format(device=started.device_id))
        return started.refresh_token

    of_device = "WHERE device_id = '{device}'"
    owner = "WHERE id = (SELECT account_id FROM gridsvc.device WHERE id = '{device}')"
    tokens = [
        "a" * 43,
        "' OR 1=1 --",
        "\x00" * 43,
        ending(f"UPDATE gridsvc.device_token SET expires_at = now() {of_device}"),  # noqa: S608
        ending("UPDATE gridsvc.device SET revoked_at = now() WHERE id = '{device}'"),
        ending(f"UPDATE gridsvc.account SET is_disabled = true {owner}"),  # noqa: S608
    ]
    said = set()
    for token in tokens:
        with pytest.raises(WrongCredentialsError) as refused:
            refresh(database.api, token)
        said.add(str(refused.value))
    assert len(said) == 1
    assert database.count("device", REVOKED) == 1, "a token that is too old is no theft"


def test_a_token_used_again_after_it_expired_is_a_theft_all_the_same(
    database: Clone, patrol: Enrolled
) -> None:
    started = start(database, patrol)
    later = refresh(database.api, started.refresh_token, "key-of-the-phone")
    database.run("UPDATE gridsvc.device_token SET expires_at = now() WHERE used_at IS NOT NULL")
    assert outcome(partial(refresh, database.api, started.refresh_token)) == "wrong-credentials"
    assert not is_in(database.api, later.token)


def test_refreshing_is_throttled_by_subnet(database: Clone, patrol: Enrolled) -> None:
    started = start(database, patrol)
    with database.api.session(NOBODY) as session, session.begin():
        soon = datetime.now(UTC) + timedelta(seconds=65)
        key = Key("refresh from", "203.0.113.0/24")
        session.execute(insert(ThrottleRow).values(key_hash=key.hashed, tries=650, free_at=soon))
    with pytest.raises(TooManyTriesError, match="wait 6 s"):
        refresh(database.api, started.refresh_token)
    elsewhere = Caller("198.51.100.7")
    service.refresh(
        database.api, refresh_token=started.refresh_token, repeat_key=None, caller=elsewhere
    )


# ---- a lost answer


def test_a_lost_answer_is_asked_for_again_as_often_as_need_be(
    database: Clone, patrol: Enrolled
) -> None:
    first = start(database, patrol)
    answers = [refresh(database.api, first.refresh_token, "key-of-the-phone") for _ in range(4)]
    assert len({one.refresh_token for one in answers}) == 4
    assert [is_in(database.api, one.token) for one in answers] == [False, False, False, True]
    assert database.count("device_token", "used_at IS NULL") == 1
    later = refresh(database.api, answers[-1].refresh_token, "the-next-key")
    assert is_in(database.api, later.token)
    assert database.count("device", REVOKED) == 0


@pytest.mark.parametrize("repeat_key", [None, "another-key"])
def test_a_repetition_without_its_key_is_a_theft(
    database: Clone, patrol: Enrolled, repeat_key: str | None
) -> None:
    first = start(database, patrol)
    second = refresh(database.api, first.refresh_token, "key-of-the-phone")
    again = outcome(partial(refresh, database.api, first.refresh_token, repeat_key))
    assert again == "wrong-credentials"
    assert not is_in(database.api, second.token)
    assert database.count("device", REVOKED) == 1


def test_no_key_is_no_key_to_repeat_with(database: Clone, patrol: Enrolled) -> None:
    first = start(database, patrol)
    refresh(database.api, first.refresh_token)
    again = outcome(partial(refresh, database.api, first.refresh_token, "key-of-the-phone"))
    assert again == "wrong-credentials"
    assert database.count("device", REVOKED) == 1


def test_a_repetition_after_its_answer_was_used_is_a_theft(
    database: Clone, patrol: Enrolled
) -> None:
    first = start(database, patrol)
    second = refresh(database.api, first.refresh_token, "key-of-the-phone")
    third = refresh(database.api, second.refresh_token, "key-of-the-phone")
    again = outcome(partial(refresh, database.api, first.refresh_token, "key-of-the-phone"))
    assert again == "wrong-credentials"
    assert not is_in(database.api, third.token)
    assert database.count("device", REVOKED) == 1


def test_whoever_caught_the_lost_answer_is_found_out(database: Clone, patrol: Enrolled) -> None:
    first = start(database, patrol)
    caught = refresh(database.api, first.refresh_token, "key-of-the-phone")
    good = refresh(database.api, first.refresh_token, "key-of-the-phone")
    assert not is_in(database.api, caught.token)
    assert outcome(partial(refresh, database.api, caught.refresh_token)) == "wrong-credentials"
    assert not is_in(database.api, good.token)
    assert database.count("audit_event", "action = 'device.revoke-reuse'") == 1


def test_an_expired_token_is_not_repeated_either(database: Clone, patrol: Enrolled) -> None:
    first = start(database, patrol)
    second = refresh(database.api, first.refresh_token, "key-of-the-phone")
    database.run("UPDATE gridsvc.device_token SET expires_at = now() WHERE used_at IS NOT NULL")
    again = outcome(partial(refresh, database.api, first.refresh_token, "key-of-the-phone"))
    assert again == "wrong-credentials"
    assert is_in(database.api, second.token), "the phone has the key: it is no thief"


# ---- races


def at_once(acts: list[Callable[[], DeviceStarted]]) -> list[DeviceStarted | None]:
    def attempt(act: Callable[[], DeviceStarted]) -> DeviceStarted | None:
        try:
            return act()
        except WrongCredentialsError:
            return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(attempt, acts))


def test_of_six_at_once_one_wins_and_the_others_end_the_device(
    database: Clone, patrol: Enrolled
) -> None:
    first = start(database, patrol)
    answers = at_once([partial(refresh, database.api, first.refresh_token)] * 6)
    won = [one for one in answers if one]
    assert len(won) == 1
    assert not is_in(database.api, won[0].token)
    assert database.count("device", REVOKED) == 1
    assert database.count("audit_event", "action = 'device.revoke-reuse'") == 1


def test_of_six_repetitions_at_once_each_is_answered_and_the_last_one_holds(
    database: Clone, patrol: Enrolled
) -> None:
    first = start(database, patrol)
    answers = at_once([partial(refresh, database.api, first.refresh_token, "its-key-")] * 6)
    assert all(answers)
    assert sum(is_in(database.api, one.token) for one in answers if one) == 1
    assert database.count("device_token", "used_at IS NULL") == 1
    assert database.count("device", REVOKED) == 0


def test_a_repetition_and_the_use_of_its_answer_at_once_end_the_device(
    database: Clone, patrol: Enrolled
) -> None:
    for _ in range(5):
        first = start(database, patrol)
        second = refresh(database.api, first.refresh_token, "its-key-")
        answers = at_once(
            [
                partial(refresh, database.api, first.refresh_token, "its-key-"),
                partial(refresh, database.api, second.refresh_token),
            ]
        )
        assert sum(answer is not None for answer in answers) == 1
        assert database.count("sign_in") == 0
    assert database.count("device", REVOKED) == 5


def test_a_refresh_and_the_end_of_all_devices_at_once_leave_nothing(
    database: Clone, patrol: Enrolled
) -> None:
    def revoke() -> None:
        with database.api.session(NOBODY) as session, session.begin():
            service.revoke_all(session, patrol.id)

    for _ in range(8):
        started = start(database, patrol)
        with ThreadPoolExecutor(2) as threads:
            renewed = threads.submit(outcome, partial(refresh, database.api, started.refresh_token))
            threads.submit(revoke).result(timeout=30)
            assert renewed.result(timeout=30) in {"good", "wrong-credentials"}
        assert database.count("sign_in") == 0
        assert database.count("device", "revoked_at IS NULL") == 0
