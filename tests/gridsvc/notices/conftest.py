"""One database for all tests of a file; each test says things of its own."""

from collections.abc import Iterator

import pytest

from gridsvc.embedded import Cluster
from tests import town
from tests.databases import Clone, drop, make_clone


@pytest.fixture(scope="module")
def office(cluster: Cluster, template_database: str) -> Iterator[Clone]:
    """A database without people and places, but for three accounts of the town's offices."""
    clone = make_clone(cluster, template_database)
    for name, role, code, lo, hi in (
        ("east", "coordinator", town.EAST_SHORE, town.EAST_SHORE, town.EAST_SHORE),
        ("west", "coordinator", town.WEST_BRIDGE, town.WEST_BRIDGE, town.WEST_BRIDGE),
        ("street", "administrator", town.STREET, town.STREET, town.STREET + 999),
    ):
        account_id = town.id_of("office", name)
        clone.run(
            "INSERT INTO gridsvc.account (id, login, name, role, office_code)"  # noqa: S608 - our own words
            f" VALUES ('{account_id}', '{name}', '{name}', '{role}', {code})",
            f"INSERT INTO gridsvc.account_scope VALUES ('{account_id}', 1, {lo}, {hi})",  # noqa: S608
        )
    yield clone
    drop(clone)
