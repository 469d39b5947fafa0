"""One person by the command line; and the key, whatever interrupts its rotation."""

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from api.cli.key_file import DATA_KEY, FileVault, KeyFile
from gridsvc.errors import RotationRunningError, WrongDataKeyError
from gridsvc.retention.ciphers import store
from gridsvc.vault import Vault, new_key
from tests import town
from tests.api.cli.conftest import Answer, GridHere
from tests.databases import Clone

pytestmark = pytest.mark.db

A = town.EAST_SHORE
MEMBER, PHONE = town.id_of("member", A, 1), "15400000001"
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def encrypt_anew(clone: Clone, key: str) -> None:
    """Encrypt what the town hides with a key that the test knows."""
    vault = Vault.of(key)
    with clone.root.begin() as root:
        for place in store.COLUMNS:
            table, column = store.name_of(place).split(".")
            query = f"SELECT {column} FROM gridsvc.{table} WHERE {column} IS NOT NULL"  # noqa: S608
            for cipher in root.scalars(text(query)).all():
                root.execute(
                    text(f"UPDATE gridsvc.{table} SET {column} = :c WHERE {column} = :was"),  # noqa: S608
                    {"c": vault.encrypt(town.VAULT.decrypt(cipher)), "was": cipher},
                )


@pytest.fixture
def file(home: Path, own_town: Clone) -> KeyFile:
    """The key file of a data folder, which fits the town."""
    found = KeyFile(home)
    found.make()
    encrypt_anew(own_town, found.read()[0])
    return found


Person = Callable[..., Answer]


@pytest.fixture
def person(grid_here: GridHere, own_town: Clone) -> Person:
    """Run ``./grid person …`` on the town."""

    def run(*words: str, **settings: str) -> Answer:
        return grid_here(
            "person",
            *words,
            DATABASE_URL=own_town.url("gridsvc_api"),
            GRID_JOB_URL=own_town.url("gridsvc_job"),
            **{"COLUMNS": "200", **settings},
        )

    return run


def phones(clone: Clone, *keys: str) -> list[str]:
    vault = Vault(keys)
    with clone.root.connect() as connection:
        ciphers = connection.scalars(text("SELECT phone_cipher FROM gridsvc.member_identity"))
        return sorted(vault.decrypt(bytes(cipher)) for cipher in ciphers)


PHONES = sorted(town.make_members()["phone"])


# ---- find, export, erase


def test_finding_shows_the_mask_and_never_the_phone(person: Person, file: KeyFile) -> None:
    assert file.path.exists()
    answer = person("find", "甲1")
    assert answer.returncode == 0, answer.stderr
    assert "154****0001" in answer.stdout
    assert PHONE not in answer.stdout + answer.stderr
    narrow = person("find", "甲1", COLUMNS="80")
    assert str(MEMBER) in answer.stdout
    assert str(MEMBER) in narrow.stdout


@pytest.mark.parametrize("words", ["无此人", "%", " "])
def test_finding_nobody_is_said_and_fails(person: Person, file: KeyFile, words: str) -> None:
    assert file.path.exists()
    answer = person("find", words)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Nobody" in answer.stderr


def test_an_export_is_json_with_the_phone_in_clear(person: Person, file: KeyFile) -> None:
    assert file.path.exists()
    answer = person("export", str(MEMBER))
    assert answer.returncode == 0, answer.stderr
    exported = json.loads(answer.stdout)
    assert exported["phone"] == PHONE
    assert exported["stored"]["member_identity"][0]["name"] == "甲1"


def test_an_export_to_a_file_is_for_its_owner_only(
    person: Person, file: KeyFile, own_town: Clone
) -> None:
    out = file.path.parent / "export.json"
    answer = person("export", str(MEMBER), "--out", str(out))
    assert (answer.returncode, answer.stdout) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(out.read_text(encoding="utf-8"))["phone"] == PHONE
    again = person("export", str(MEMBER), "--out", str(out))
    assert again.returncode == 2
    nowhere = person("export", str(MEMBER), "--out", str(out.parent / "no" / "where.json"))
    assert nowhere.returncode == 2
    assert own_town.count("audit_event", "action = 'member.export'") == 1


def test_an_export_with_another_key_is_one_sentence_and_writes_nothing(
    person: Person, file: KeyFile
) -> None:
    out = file.path.parent / "export.json"
    answer = person("export", str(MEMBER), "--out", str(out), GRID_DATA_KEY=new_key())
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith("grid: The data key does not fit")
    assert not out.exists()


def test_an_erasure_says_what_it_did_and_which_stairwells_have_nobody(
    person: Person, file: KeyFile, own_town: Clone
) -> None:
    assert file.path.exists()
    with own_town.root.connect() as connection:
        member_id, codes = connection.execute(
            text(
                "SELECT member_id, array_agg(stairwell_code) FROM gridsvc.contact"
                " WHERE kind = 'lead' AND upper_inf(valid) GROUP BY 1 LIMIT 1"
            )
        ).one()
    answer = person("erase", str(member_id), "--yes")
    assert answer.returncode == 0, answer.stderr
    for code in codes:
        assert code in answer.stdout
    assert own_town.count("member_identity", f"member_id = '{member_id}'") == 0
    assert str(member_id) not in person("find", "甲").stdout


def test_without_a_yes_nobody_is_erased(
    person: Person, file: KeyFile, own_town: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert file.path.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = person("erase", str(MEMBER))
    assert answer.returncode == 1
    assert "Erase for good?" in answer.stderr
    assert own_town.count("member_identity", f"member_id = '{MEMBER}'") == 1


@pytest.mark.parametrize("what", ["export", "erase"])
def test_an_id_of_nobody_is_one_sentence(person: Person, file: KeyFile, what: str) -> None:
    assert file.path.exists()
    answer = person(what, NOBODY)
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1] == f"grid: No member or account {NOBODY}."
    assert person(what, "王").returncode == 2


def test_without_the_job_role_a_command_says_what_is_missing(
    grid_here: GridHere, own_town: Clone
) -> None:
    answer = grid_here("person", "find", "甲", DATABASE_URL=own_town.url("gridsvc_api"))
    assert answer.returncode == 69
    assert "GRID_JOB_URL" in answer.stderr


# ---- the key in the data folder


def test_rotating_replaces_the_key_and_keeps_every_phone(
    person: Person, file: KeyFile, own_town: Clone
) -> None:
    (old,) = file.read()
    answer = person("rotate-key")
    assert answer.returncode == 0, answer.stderr
    (key,) = file.read()
    assert key != old
    assert phones(own_town, key) == PHONES
    with pytest.raises(WrongDataKeyError):
        phones(own_town, old)
    assert key not in answer.stdout + answer.stderr
    assert old not in answer.stdout + answer.stderr
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.glob(f"{DATA_KEY}*")] == [DATA_KEY]


def test_a_vault_that_is_open_meanwhile_goes_on(
    person: Person, file: KeyFile, own_town: Clone
) -> None:
    vault = FileVault(file)
    before = vault.encrypt("secret")
    assert person("rotate-key").returncode == 0
    with own_town.root.connect() as connection:
        cipher = connection.scalar(
            text("SELECT phone_cipher FROM gridsvc.member_identity WHERE member_id = :id"),
            {"id": MEMBER},
        )
    assert vault.decrypt(bytes(cipher or b"")) == PHONE
    assert Vault(file.read()).decrypt(vault.encrypt("new")) == "new"
    assert Vault(file.read()).decrypt(vault.rotate(vault.encrypt("new"))) == "new"
    with pytest.raises(WrongDataKeyError):
        vault.decrypt(before)
    file.path.rename(file.path.with_name("elsewhere"))
    assert vault.decrypt(bytes(cipher or b"")) == PHONE


def test_an_interrupted_rotation_is_finished_with_the_same_new_key(
    person: Person, file: KeyFile, own_town: Clone
) -> None:
    (old,) = file.read()
    ruined = town.id_of("account")
    own_town.run(
        "INSERT INTO gridsvc.account (id, login, name, role, office_code, totp_cipher)"  # noqa: S608
        f" VALUES ('{ruined}', 'ruined', '某', 'coordinator', {A}, 'no cipher')"
    )
    answer = person("rotate-key")
    assert answer.returncode == 1
    assert "data key does not fit" in answer.stderr
    assert "Traceback" not in answer.stderr
    key, kept = file.read()
    assert kept == old, "what cannot be read may still need it"
    assert phones(own_town, key, old) == PHONES
    own_town.run(f"UPDATE gridsvc.account SET totp_cipher = NULL WHERE id = '{ruined}'")  # noqa: S608
    again = person("rotate-key")
    assert again.returncode == 0, again.stderr
    assert "interrupted" in again.stderr
    assert file.read() == [key]
    assert phones(own_town, key) == PHONES


def test_two_rotations_at_once_are_refused(person: Person, file: KeyFile) -> None:
    before = file.read()
    with file.alone():
        answer = person("rotate-key")
        with pytest.raises(RotationRunningError), KeyFile(file.path.parent).alone():
            pass
    assert answer.returncode == 1
    assert "rotating" in answer.stderr
    assert file.read() == before


def test_a_key_file_is_made_once(home: Path) -> None:
    file = KeyFile(home / "deep" / "down")
    file.make()
    key = file.read()
    KeyFile(home / "deep" / "down").make()
    assert file.read() == key
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


# ---- the key in the settings


def test_a_key_of_the_settings_is_rotated_to_the_first_one(
    person: Person, own_town: Clone, home: Path
) -> None:
    key, old = new_key(), new_key()
    encrypt_anew(own_town, old)
    answer = person("rotate-key", GRID_DATA_KEY=f"{key}, {old}")
    assert answer.returncode == 0, answer.stderr
    assert "keep that one alone in GRID_DATA_KEY" in " ".join(answer.stderr.split())
    assert phones(own_town, key) == PHONES
    assert not (home / DATA_KEY).exists()


def test_one_key_of_the_settings_cannot_be_rotated_and_it_says_what_to_do(
    person: Person, own_town: Clone
) -> None:
    old = new_key()
    encrypt_anew(own_town, old)
    answer = person("rotate-key", GRID_DATA_KEY=old)
    assert answer.returncode == 1
    assert "./grid person new-key" in answer.stderr
    assert phones(own_town, old) == PHONES


def test_a_fresh_key_is_one_line_and_each_time_another(person: Person) -> None:
    first, second = (person("new-key").stdout.strip() for _ in range(2))
    assert first != second
    assert Vault.of(first).decrypt(Vault.of(first).encrypt("x")) == "x"
