"""A service that the tests of one file share, and fill with accounts of their own."""

from collections.abc import Iterator

import pytest

from gridsvc.embedded import Cluster
from tests.api.service import Service, serving
from tests.databases import drop, make_clone


@pytest.fixture(scope="module")
def busy_service(cluster: Cluster, town_template: str) -> Iterator[Service]:
    """The service over a town for tests that make accounts, and change no others than those."""
    clone = make_clone(cluster, town_template)
    with serving(clone) as service:
        yield service
    drop(clone)
