"""Keys are rotated in batches; whatever interrupts that, everything can still be read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import LargeBinary, text

from gridsvc.db import Base, Interval, Scope
from gridsvc.errors import RoleNotAllowedError, WrongDataKeyError
from gridsvc.people import service as people
from gridsvc.retention.ciphers import rotation, store
from gridsvc.vault import Vault, new_key
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

JOB = Scope("job", (Interval.of(town.STREET),))
ACCOUNTS = 3


@pytest.fixture
def old_key() -> str:
    return new_key()


@pytest.fixture
def keyed(own_town: Clone, old_key: str) -> Clone:
    """A town whose phones and authenticators are encrypted with a key that the test knows."""
    vault = Vault.of(old_key)
    with own_town.root.begin() as root:
        for place in store.COLUMNS:
            table, column = store.name_of(place).split(".")
            query = f"SELECT {column} FROM gridsvc.{table} WHERE {column} IS NOT NULL"  # noqa: S608
            for cipher in root.scalars(text(query)).all():
                root.execute(
                    text(f"UPDATE gridsvc.{table} SET {column} = :c WHERE {column} = :was"),  # noqa: S608
                    {"c": vault.encrypt(town.VAULT.decrypt(cipher)), "was": cipher},
                )
        for number in range(ACCOUNTS):
            root.execute(
                text(
                    "INSERT INTO gridsvc.account (id, login, name, role, office_code, totp_cipher)"
                    " VALUES (:id, :login, '某', 'coordinator', :office, :cipher)"
                ),
                {
                    "id": town.id_of("rotation", number),
                    "login": f"rotation-{number}",
                    "office": town.EAST_SHORE,
                    "cipher": vault.encrypt(f"secret-{number}") if number else None,
                },
            )
    return own_town


def ciphers(clone: Clone) -> list[bytes]:
    query = " UNION ALL ".join(
        f"SELECT {column} FROM gridsvc.{table} WHERE {column} IS NOT NULL"  # noqa: S608
        for table, column in (store.name_of(place).split(".") for place in store.COLUMNS)
    )
    with clone.root.connect() as connection:
        return [bytes(cipher) for cipher in connection.scalars(text(query))]


def secrets(clone: Clone, *keys: str) -> list[str]:
    vault = Vault(keys)
    return sorted(vault.decrypt(cipher) for cipher in ciphers(clone))


def test_every_encrypted_column_is_rotated() -> None:
    encrypted = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.c
        if isinstance(column.type, LargeBinary) and column.name.endswith("_cipher")
    }
    assert {store.name_of(place) for place in store.COLUMNS} == encrypted


@pytest.mark.parametrize("batch", [1, 4, 16, 500])
def test_everything_is_encrypted_with_the_new_key(keyed: Clone, old_key: str, batch: int) -> None:
    key, before = new_key(), secrets(keyed, old_key)
    changed = rotation.reencrypt(keyed.job, JOB, [key, old_key], batch=batch)
    assert changed == {
        "member_identity.phone_cipher": 16,
        "account.totp_cipher": ACCOUNTS - 1,
        "report.token_cipher": 2,
        "report.email_cipher": 2,
        "notice_channel.address_cipher": 2,
        "notice_channel.secret_cipher": 2,
        "notice_delivery.address_cipher": 2,
        "party.email_cipher": 2,
    }
    assert secrets(keyed, key) == before
    with rotation.finished(keyed.job, JOB, [key, old_key]) as is_finished:
        assert is_finished
    again = rotation.reencrypt(keyed.job, JOB, [key, old_key], batch=batch)
    assert set(again.values()) == {0}


def test_interrupted_in_the_middle_everything_can_be_read_and_it_goes_on(
    keyed: Clone, old_key: str
) -> None:
    key, before = new_key(), secrets(keyed, old_key)
    ruined = town.id_of("rotation", 2)
    keyed.run(f"UPDATE gridsvc.account SET totp_cipher = 'x' WHERE id = '{ruined}'")  # noqa: S608
    with pytest.raises(WrongDataKeyError):
        rotation.reencrypt(keyed.job, JOB, [key, old_key], batch=3)
    with rotation.finished(keyed.job, JOB, [key, old_key]) as is_finished:
        assert not is_finished
    with keyed.root.begin() as root:
        root.execute(
            text("UPDATE gridsvc.account SET totp_cipher = :c WHERE id = :id"),
            {"c": Vault.of(old_key).encrypt("secret-2"), "id": ruined},
        )
    opened_by_new = 0
    for cipher in ciphers(keyed):
        try:
            Vault.of(key).decrypt(cipher)
        except WrongDataKeyError:
            continue
        opened_by_new += 1
    assert 0 < opened_by_new < len(before), "the test stopped it in the middle"
    assert secrets(keyed, key, old_key) == before
    rotation.reencrypt(keyed.job, JOB, [key, old_key], batch=3)
    assert secrets(keyed, key) == before


def test_what_was_written_with_the_old_key_meanwhile_is_noticed(keyed: Clone, old_key: str) -> None:
    key = new_key()
    rotation.reencrypt(keyed.job, JOB, [key, old_key])
    with keyed.root.begin() as root:
        root.execute(
            text("UPDATE gridsvc.account SET totp_cipher = :c WHERE id = :id"),
            {"c": Vault.of(old_key).encrypt("late"), "id": town.id_of("rotation", 0)},
        )
    with rotation.finished(keyed.job, JOB, [key, old_key]) as is_finished:
        assert not is_finished
    assert keyed.count("audit_event", "action = 'key.rotate'") == 0


@contextmanager
def beside(act: threading.Thread) -> Iterator[None]:
    act.start()
    try:
        yield
    finally:
        act.join(timeout=30)
        assert not act.is_alive()


def test_the_last_look_waits_for_a_load_that_has_encrypted_already(
    keyed: Clone, old_key: str
) -> None:
    key, found = new_key(), []

    def look() -> None:
        with rotation.finished(keyed.job, JOB, [key, old_key]) as is_finished:
            found.append(is_finished)

    members = town.make_members()
    late = members.iloc[:1].assign(id=str(town.id_of("late")), home_stairwell_code=None)
    rotation.reencrypt(keyed.job, JOB, [key, old_key])
    with keyed.job.session(JOB) as session, session.begin():
        people.load(
            session,
            members=late,
            posts=town.make_posts().iloc[:0],
            organisations=town.make_organisations().iloc[:0],
            vault=Vault.of(old_key),
        )
        looking = threading.Thread(target=look)
        looking.start()
        time.sleep(0.3)
        assert found == []
    looking.join(timeout=30)
    assert found == [False]


def test_nobody_writes_while_the_old_key_is_thrown_away(keyed: Clone, old_key: str) -> None:
    key, order = new_key(), []

    def write() -> None:
        time.sleep(0.2)
        keyed.run("UPDATE gridsvc.account SET totp_cipher = 'late'")
        order.append("written")

    rotation.reencrypt(keyed.job, JOB, [key, old_key])
    with (
        beside(threading.Thread(target=write)),
        rotation.finished(keyed.job, JOB, [key, old_key]) as is_finished,
    ):
        assert is_finished
        time.sleep(0.6)
        order.append("thrown away")
    assert order == ["thrown away", "written"]


def test_a_rotation_is_noted_in_each_sub_district(keyed: Clone, old_key: str) -> None:
    key = new_key()
    rotation.reencrypt(keyed.job, JOB, [key, old_key])
    with rotation.finished(keyed.job, JOB, [key, old_key]):
        pass
    noted = f"action = 'key.rotate' AND community_code = {town.STREET} AND detail = '{{}}'"
    assert keyed.count("audit_event", noted) == 1


def test_rotation_is_for_the_job(keyed: Clone, old_key: str) -> None:
    administrator = Scope("administrator", (Interval.of(town.STREET),))
    with pytest.raises(RoleNotAllowedError):
        rotation.reencrypt(keyed.api, administrator, [new_key(), old_key])
