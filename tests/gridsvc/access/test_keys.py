"""API keys read what a planner may, where they and their owner's territory overlap."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.access.keys import service
from gridsvc.access.keys.model import MOST_KEYS, ApiKey
from gridsvc.access.model import KEY_ROLES, ROLES, Principal
from gridsvc.db import NOBODY, Interval, Scope
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    NotFoundError,
    NotSignedInError,
    RoleNotAllowedError,
    TooManyKeysError,
)
from tests import town
from tests.databases import Clone
from tests.gridsvc.access.enrolled import Enrolled, enrol

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def principal(owner: Enrolled, role: str, *codes: int) -> Principal:
    intervals = tuple(Interval.of(code) for code in codes)
    return Principal(owner.id, "石凳", Scope(role, intervals, account=owner.id))


def make(
    clone: Clone, who: Principal, territory_code: int | None = None, days: int = 30
) -> tuple[ApiKey, str]:
    with clone.api.session(who.scope) as session, session.begin():
        return service.make(
            session, who, name="QGIS", territory_code=territory_code, lasts_days=days
        )


def holder(clone: Clone, secret: str) -> Principal | None:
    """Return who a key stands for; none where it is refused."""
    with clone.api.session(NOBODY) as session, session.begin():
        try:
            return service.authenticate(session, secret)
        except NotSignedInError:
            return None


def keys_of(clone: Clone, who: Principal) -> list[ApiKey]:
    with clone.api.session(who.scope, read_only=True) as session:
        return service.list_keys(session, who)


@pytest.fixture
def planner(database: Clone) -> Principal:
    return principal(enrol(database, "planner", STREET), "planner", STREET)


def test_a_key_has_an_id_without_underscores_and_a_long_secret(
    database: Clone, planner: Principal
) -> None:
    key, secret = make(database, planner)
    prefix, key_id, rest = secret.split("_", 2)
    assert (prefix, key_id, len(rest)) == ("gk", key.id, 43)
    assert (key.lo, key.hi, key.name) == (STREET, STREET + 999, "QGIS")
    assert key.used_at is None
    assert abs(key.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    with database.root.connect() as connection:
        for table in ("api_key", "audit_event"):
            rows = str(connection.exec_driver_sql(f"SELECT * FROM gridsvc.{table}").all())  # noqa: S608
            assert rest not in rows, "only its hash is stored"
    noted = f"action = 'key.make' AND subject = '{key.id}' AND account_id = '{planner.account_id}'"
    assert database.count("audit_event", noted) == 1


@pytest.mark.parametrize("role", ROLES)
def test_only_staff_and_planners_make_keys(database: Clone, role: str) -> None:
    who = principal(enrol(database, role, A), role, A)
    if role in KEY_ROLES:
        assert make(database, who)[0].lo == A
    else:
        with pytest.raises(RoleNotAllowedError):
            make(database, who)


@pytest.mark.parametrize("role", KEY_ROLES)
def test_whoever_made_it_a_key_is_a_planner_that_only_reads(database: Clone, role: str) -> None:
    owner = enrol(database, role, STREET)
    _, secret = make(database, principal(owner, role, STREET), A)
    found = holder(database, secret)
    assert found is not None
    assert (found.account_id, found.role) == (owner.id, "planner")
    assert (found.credential, found.is_read_only) == ("key", True)
    assert found.scope.intervals == (Interval(A, A),)
    assert found.scope.person is None


@pytest.mark.parametrize(
    ("own", "wanted", "is_given"),
    [
        ((A,), A, True),
        ((A,), B, False),
        ((A,), STREET, False),
        ((STREET,), A, True),
        ((STREET,), STREET, True),
        ((STREET,), STREET + 1000, False),
        ((A, B), B, True),
        ((A, B), STREET, False),
        ((), A, False),
        ((), None, False),
    ],
)
def test_a_territory_is_given_only_inside_ones_own(
    database: Clone, own: tuple[int, ...], wanted: int | None, *, is_given: bool
) -> None:
    owner = enrol(database, "planner", *own, office_code=STREET)
    who = principal(owner, "planner", *own)
    if is_given:
        key, _ = make(database, who, wanted)
        assert Interval(key.lo, key.hi) == Interval.of(wanted or 0)
    else:
        with pytest.raises(BeyondOwnTerritoryError):
            make(database, who, wanted)
        assert database.count("api_key") == 0


def test_without_a_territory_a_key_reads_all_that_is_its_owners_and_no_hole_between(
    database: Clone,
) -> None:
    owner = enrol(database, "planner", A, STREET + 5)
    _, secret = make(database, principal(owner, "planner", A, STREET + 5))
    found = holder(database, secret)
    assert found is not None
    assert found.scope.intervals == (Interval(A, A), Interval(STREET + 5, STREET + 5))


@pytest.mark.parametrize(
    ("now", "seen"),
    [
        ((STREET,), ((A, A),)),
        ((A, B), ((A, A),)),
        ((B,), ()),
        ((), ()),
    ],
)
def test_a_key_follows_its_owners_territory(
    database: Clone, now: tuple[int, ...], seen: tuple[tuple[int, int], ...]
) -> None:
    owner = enrol(database, "planner", STREET)
    _, secret = make(database, principal(owner, "planner", STREET), A)
    database.run("DELETE FROM gridsvc.account_scope")
    for slot, interval in enumerate(map(Interval.of, now), start=1):
        values = f"'{owner.id}', {slot}, {interval.lo}, {interval.hi}"
        database.run(f"INSERT INTO gridsvc.account_scope VALUES ({values})")  # noqa: S608
    found = holder(database, secret)
    assert found is not None
    assert found.scope.intervals == tuple(Interval(*one) for one in seen)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gridsvc.api_key SET expires_at = now()",
        "UPDATE gridsvc.api_key SET revoked_at = now()",
        "UPDATE gridsvc.account SET is_disabled = true",
        "UPDATE gridsvc.account SET role = 'patrol'",
        "UPDATE gridsvc.account SET role = 'contact'",
        "DELETE FROM gridsvc.api_key",
    ],
)
def test_a_key_ends_with_its_time_its_owner_and_its_owners_role(
    database: Clone, planner: Principal, change: str
) -> None:
    _, secret = make(database, planner)
    assert holder(database, secret) is not None
    database.run(change)
    assert holder(database, secret) is None


FORGERIES: dict[str, Callable[[str, str], str]] = {
    "truncated": lambda own, _: own[:-1],
    "longer": lambda own, _: own + "a",
    "another secret": lambda own, _: own[:-3] + ("abc" if not own.endswith("abc") else "xyz"),
    "the secret of another key": lambda own, other: own[:20] + other[20:],
    "without its prefix": lambda own, _: own[3:],
    "without its secret": lambda own, _: own[:19],
    "in capitals": lambda own, _: own.upper(),
    "with a newline": lambda own, _: own + "\n",
    "with a NUL": lambda own, _: own[:10] + "\x00" + own[11:],
    "an injection": lambda own, _: f"gk_' OR 1=1 --_{own[20:]}",
    "nothing": lambda *_: "gk_",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_key_is_refused(database: Clone, planner: Principal, forgery: str) -> None:
    (_, own), (_, other) = make(database, planner), make(database, planner)
    assert holder(database, FORGERIES[forgery](own, other)) is None
    assert holder(database, own) is not None


def test_the_last_use_is_noted_every_ten_minutes(database: Clone, planner: Principal) -> None:
    key, secret = make(database, planner)
    unused, _ = make(database, planner)
    holder(database, secret)
    used = {one.id: one.used_at for one in keys_of(database, planner)}
    first = used[key.id]
    assert first is not None
    assert used[unused.id] is None
    database.run("UPDATE gridsvc.api_key SET used_at = used_at - interval '9 minutes'")
    holder(database, secret)
    assert keys_of(database, planner)[1].used_at == first - timedelta(minutes=9)
    database.run("UPDATE gridsvc.api_key SET used_at = used_at - interval '2 minutes'")
    holder(database, secret)
    later = keys_of(database, planner)[1].used_at
    assert later is not None
    assert later >= first


def test_keys_are_listed_for_their_owner_the_newest_first(
    database: Clone, planner: Principal
) -> None:
    made = [make(database, planner)[0] for _ in range(3)]
    other = principal(enrol(database, "planner", STREET), "planner", STREET)
    theirs, _ = make(database, other)
    assert keys_of(database, planner) == made[::-1]
    assert keys_of(database, other) == [theirs]


def test_a_key_is_revoked_by_its_owner_only(database: Clone, planner: Principal) -> None:
    key, secret = make(database, planner)
    other = principal(enrol(database, "planner", STREET), "planner", STREET)
    for key_id, who in ((key.id, other), ("0" * 16, planner), ("\x00", planner), ("", planner)):
        with (
            database.api.session(who.scope) as session,
            pytest.raises(NotFoundError, match=f"No key {key_id}"),
        ):
            service.revoke(session, who, key_id)
    assert holder(database, secret) is not None
    with database.api.session(planner.scope) as session, session.begin():
        service.revoke(session, planner, key.id)
    assert holder(database, secret) is None
    assert keys_of(database, planner) == []
    assert database.count("audit_event", f"action = 'key.revoke' AND subject = '{key.id}'") == 1
    with database.api.session(planner.scope) as session, pytest.raises(NotFoundError):
        service.revoke(session, planner, key.id)


def test_all_keys_of_an_account_end_together(database: Clone, planner: Principal) -> None:
    secrets = [make(database, planner)[1] for _ in range(2)]
    other = principal(enrol(database, "planner", STREET), "planner", STREET)
    _, theirs = make(database, other)
    with database.api.session(NOBODY) as session, session.begin():
        assert service.revoke_all(session, planner.account_id) == 2
    assert [holder(database, secret) for secret in secrets] == [None, None]
    assert holder(database, theirs) is not None


def test_an_account_has_twenty_keys_and_room_for_another_when_one_is_revoked(
    database: Clone, planner: Principal
) -> None:
    made = [make(database, planner)[0] for _ in range(MOST_KEYS)]
    with pytest.raises(TooManyKeysError, match="20 keys already"):
        make(database, planner)
    with database.api.session(planner.scope) as session, session.begin():
        service.revoke(session, planner, made[0].id)
    make(database, planner)


def test_a_key_made_far_from_the_office_is_noted_in_the_offices_trail(database: Clone) -> None:
    who = principal(enrol(database, "planner", A, office_code=STREET), "planner", A)
    key, _ = make(database, who)
    noted = f"subject = '{key.id}' AND community_code = {STREET}"
    assert database.count("audit_event", noted) == 1
