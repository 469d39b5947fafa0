"""Accounts from the command line: the first administrator, a lock-out, a list and its cards."""

import re
import stat
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from gridsvc import setup
from gridsvc.access import signing_in
from gridsvc.access.accounts import service as accounts
from gridsvc.access.invitations import service as invitations
from gridsvc.access.signing_in import Caller
from gridsvc.db import Interval, Scope
from gridsvc.errors import WrongCredentialsError
from tests.api.cli.conftest import Answer, GridHere
from tests.databases import Clone
from tests.workbooks import HEADER, workbook

pytestmark = pytest.mark.db

STREET, A, B = 440605011000, 440605011001, 440605011002
PASSWORD = "七号楼下的老榕树很凉快"  # noqa: S105  (of nobody)
LINK = re.compile(r"https://grid\.example/invite#((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})")

Account = Callable[..., Answer]


@pytest.fixture
def account(grid_here: GridHere, database: Clone) -> Account:
    """Run ``./grid account`` on a database of the test's own."""

    def run(*words: str) -> Answer:
        return grid_here(
            "account",
            *words,
            DATABASE_URL=database.url(setup.API),
            GRID_JOB_URL=database.url(setup.JOB),
            GRID_PUBLIC_URL="https://grid.example",
        )

    return run


def create(account: Account, login: str = "chen.shi", territory: int = STREET) -> Answer:
    return account(
        *("create-administrator", "--login", login, "--name", "陈试一"),
        *("--territory", str(territory)),
    )


def code_in(answer: Answer) -> str:
    assert answer.returncode == 0, answer.stderr
    found = LINK.fullmatch(answer.stdout.strip())
    assert found, answer.stdout
    return found[1]


def redeem(database: Clone, code: str) -> str:
    return invitations.redeem(database.api, code=code, password=PASSWORD, caller=Caller()).stage


def test_the_first_administrator_is_made_and_the_link_is_all_that_is_printed(
    account: Account, database: Clone
) -> None:
    answer = create(account)
    code = code_in(answer)
    assert code not in answer.stderr
    assert "chen.shi" in answer.stderr
    assert redeem(database, code) == "second_factor"
    assert database.count("account", "role = 'administrator' AND login = 'chen.shi'") == 1
    whole = f"lo = {STREET} AND hi = {STREET + 999}"
    assert database.count("account_scope", whole) == 1
    assert database.count("audit_event", "action = 'account.invite' AND account_id IS NULL") == 1


@pytest.mark.parametrize(
    ("login", "territory", "sentence"),
    [
        ("CHEN.SHI", STREET, "The login chen.shi is taken"),
        ("no good", STREET, "The account's login"),
        ("other", 44060501, "not a 12-digit code"),
        ("other", 440605000000, "not a 12-digit code"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    account: Account, database: Clone, login: str, territory: int, sentence: str
) -> None:
    create(account)
    answer = create(account, login, territory)
    assert answer.returncode == 1
    assert answer.stdout == ""
    [line] = answer.stderr.strip().splitlines()
    assert line.startswith("grid: ")
    assert sentence in line
    assert (database.count("account"), database.count("invitation")) == (1, 1)


def test_who_is_locked_out_gets_a_new_link_and_sets_a_new_authenticator(
    account: Account, database: Clone
) -> None:
    redeem(database, code_in(create(account)))
    database.run("UPDATE gridsvc.account SET totp_is_confirmed = true, totp_cipher = 'c'")
    answer = account("reset", "Chen.Shi")
    code = code_in(answer)
    unset = "password_hash IS NULL AND totp_cipher IS NULL AND NOT totp_is_confirmed"
    assert database.count("account", unset) == 1
    with pytest.raises(WrongCredentialsError):
        signing_in.check_password(
            database.api, login="chen.shi", password=PASSWORD, caller=Caller()
        )
    assert database.count("sign_in") == 0
    assert redeem(database, code) == "second_factor"
    assert database.count("audit_event", "action = 'account.reset'") == 2


def test_a_disabled_account_stays_disabled_and_says_so(account: Account, database: Clone) -> None:
    create(account)
    database.run("UPDATE gridsvc.account SET is_disabled = true")
    answer = account("reset", "chen.shi")
    assert "disabled" in answer.stderr
    with pytest.raises(WrongCredentialsError):
        redeem(database, code_in(answer))


def test_nobody_of_that_login_is_one_sentence(account: Account) -> None:
    answer = account("reset", "nobody")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.strip().splitlines()[-1] == "grid: No account nobody."


def test_a_list_becomes_cards_that_only_their_owner_reads(
    account: Account, database: Clone, tmp_path: Path
) -> None:
    people, cards = tmp_path / "名单.xlsx", tmp_path / "cards.html"
    people.write_bytes(workbook(HEADER, ("陈试一", "楼长", A), ("李<试>四", "巡查队", B)))
    answer = account("invite-list", str(people), "--out", str(cards))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""
    assert "2 invited" in answer.stderr
    assert stat.S_IMODE(cards.stat().st_mode) == 0o600
    page = cards.read_text(encoding="utf-8")
    for name in ("陈试一", "李<试>四"):
        assert name in unescape(page)
    assert "<试>" not in page
    codes = re.findall(r'<div class="code">([0-9A-Z-]{19})</div>', page)
    assert len(codes) == 2
    assert [redeem(database, code) for code in codes] == ["full", "full"]
    assert not [code for code in codes if code in answer.stderr]
    # Administrators of each community look after those of their own.
    for community, login in ((A, "001-0001"), (B, "002-0001")):
        scope = Scope("administrator", (Interval.of(community),))
        with database.api.session(scope) as session:
            assert [one.login for one in accounts.list_accounts(session)] == [login]


def test_cards_are_never_written_over(account: Account, database: Clone, tmp_path: Path) -> None:
    people, cards = tmp_path / "people.csv", tmp_path / "cards.html"
    people.write_text(f"name,role,territory\n陈试一,contact,{A}\n", encoding="utf-8")
    cards.write_text("codes of yesterday", encoding="utf-8")
    answer = account("invite-list", str(people), "--out", str(cards))
    assert answer.returncode == 1
    assert answer.stderr.strip().endswith("cards.html: exists already: choose another name.")
    assert cards.read_text(encoding="utf-8") == "codes of yesterday"
    assert database.count("account") == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (f"name,role,territory\n陈试一,contact,{A}\n,owner,1\n", "row 3, name: it is missing."),
        ("no list", "no row has the headers"),
    ],
)
def test_a_faulty_list_invites_nobody_and_leaves_no_file(
    account: Account, database: Clone, tmp_path: Path, content: str, sentence: str
) -> None:
    people, cards = tmp_path / "people.csv", tmp_path / "cards.html"
    people.write_text(content, encoding="utf-8")
    answer = account("invite-list", str(people), "--out", str(cards))
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert not cards.exists()
    assert database.count("account") == 0


def test_an_absent_list_is_one_sentence(account: Account, tmp_path: Path) -> None:
    answer = account("invite-list", str(tmp_path / "gone.xlsx"), "--out", str(tmp_path / "x.html"))
    assert answer.returncode == 1
    assert answer.stderr.strip() == "grid: gone.xlsx: No such file or directory"
    assert not (tmp_path / "x.html").exists()


def test_without_a_connection_of_the_job_it_says_which_setting_is_missing(
    grid_here: GridHere, database: Clone
) -> None:
    answer = grid_here("account", "reset", "chen.shi", DATABASE_URL=database.url(setup.API))
    assert answer.returncode == 69
    assert "GRID_JOB_URL" in answer.stderr
