"""A database of one's own: set-up, refusals, and one sentence when it is down."""

import pytest

from tests.api.cli.conftest import GridHere
from tests.databases import Clone

pytestmark = pytest.mark.db


def test_a_database_that_is_down_is_one_sentence(grid_here: GridHere) -> None:
    url = "postgresql://gridsvc_api@127.0.0.1:9/gridsvc"
    answer = grid_here("serve", DATABASE_URL=url, GRID_PORT="18999")
    assert answer.returncode == 69
    assert answer.stderr.strip().splitlines()[-1].startswith("grid: The database does not answer")
    assert "Traceback" not in answer.stderr


def test_set_up_without_an_administrator_says_what_is_missing(grid_here: GridHere) -> None:
    answer = grid_here("db", "setup")
    assert answer.returncode == 69
    assert "GRID_ADMIN_URL" in answer.stderr


def test_serving_as_a_superuser_is_refused(grid_here: GridHere, database: Clone) -> None:
    answer = grid_here("serve", DATABASE_URL=database.url("postgres"), GRID_PORT="18998")
    assert answer.returncode == 1
    assert "superuser" in answer.stderr


def test_a_database_that_was_set_up_is_ready(grid_here: GridHere, database: Clone) -> None:
    answer = grid_here("db", "check", DATABASE_URL=database.url("gridsvc_api"))
    assert answer.returncode == 0, answer.stderr
    assert "Ready" in answer.stderr


def test_loading_without_the_job_role_says_what_is_missing(
    grid_here: GridHere, database: Clone
) -> None:
    answer = grid_here("demo", "--once", DATABASE_URL=database.url("gridsvc_api"))
    assert answer.returncode == 69
    assert "GRID_JOB_URL" in answer.stderr
