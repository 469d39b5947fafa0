"""The rules of retention by the command line."""

from datetime import UTC, datetime

import pytest

from gridsvc.retention.rules import RULES
from tests import town
from tests.api.cli.conftest import GridHere
from tests.databases import Clone
from tests.gridsvc.retention.rows import add

pytestmark = pytest.mark.db


def figure(table: str, name: str) -> str:
    """Return what stands beside a table's name."""
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.replace("┃", "│").split("│")]
        if len(cells) > 2 and cells[1] == name:
            return cells[2]
    raise AssertionError(f"no row {name!r} in:\n{table}")


def test_the_rules_are_shown_without_a_database(grid_here: GridHere) -> None:
    answer = grid_here("retention", DATABASE_URL="postgresql://nowhere:9/x", COLUMNS="200")
    assert answer.returncode == 0, answer.stderr
    for name, rule in RULES.items():
        expected = "kept" if rule.days is None else f"{rule.days} day"
        assert figure(answer.stdout, name).removesuffix("s").endswith(expected)


def test_a_dry_run_counts_and_applying_deletes_as_much(
    grid_here: GridHere, own_town: Clone
) -> None:
    with town.job_session(own_town.job) as session, session.begin():
        for table in ("sign_in", "invitation", "sso_attempt"):
            add(session, table, datetime(2020, 1, 1, tzinfo=UTC))
    urls = {
        "DATABASE_URL": own_town.url("gridsvc_api"),
        "GRID_JOB_URL": own_town.url("gridsvc_job"),
        "COLUMNS": "200",
    }
    dry = grid_here("retention", "apply", "--dry-run", **urls)
    assert dry.returncode == 0, dry.stderr
    expected = {"sign_in": 1, "invitation": 1, "sso_attempt": 1, "patrol_stop": 4}
    for table, count in expected.items():
        assert figure(dry.stdout, table) == str(count)
        assert own_town.count(table) == count
    done = grid_here("retention", "apply", **urls)
    assert done.returncode == 0, done.stderr
    for table, count in expected.items():
        assert figure(done.stdout, table) == str(count)
        assert own_town.count(table) == 0
    again = grid_here("retention", "apply", **urls)
    assert all(figure(again.stdout, table) == "0" for table in expected)


def test_applying_without_the_job_role_says_what_is_missing(
    grid_here: GridHere, own_town: Clone
) -> None:
    for words in (("apply",), ("apply", "--dry-run")):
        answer = grid_here("retention", *words, DATABASE_URL=own_town.url("gridsvc_api"))
        assert answer.returncode == 69
        assert "GRID_JOB_URL" in answer.stderr
