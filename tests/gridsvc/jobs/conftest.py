"""One database for all tests of a file: each asks for jobs of its own."""

from collections.abc import Iterator

import pytest

from gridsvc.embedded import Cluster
from tests.databases import Clone, drop, make_clone


@pytest.fixture(scope="module")
def office(cluster: Cluster, template_database: str) -> Iterator[Clone]:
    """A database without people and places, which jobs need not have."""
    clone = make_clone(cluster, template_database)
    yield clone
    drop(clone)
