"""Fixtures of the database tests; see tests/api/conftest.py for those of the HTTP tests."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.embedded import Cluster
from tests.databases import (
    TEMPLATE,
    Clone,
    cluster_of_the_run,
    drop,
    make_clone,
    make_template,
    template_of_the_run,
    throw_away_cluster,
)

MakeDatabase = Callable[..., Clone]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away cluster, shared by the processes of a test run."""
    with cluster_of_the_run() as made:
        yield made


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A throw-away cluster, for tests that stop it or change its roles."""
    with throw_away_cluster() as made:
        yield made


@pytest.fixture(scope="session")
def template_database(cluster: Cluster) -> str:
    """Name of an empty database, set up and migrated; clone it."""

    def make(name: str) -> None:
        make_template(cluster, name)

    return template_of_the_run(cluster, TEMPLATE, make)


@pytest.fixture(scope="session")
def town_template(cluster: Cluster, template_database: str) -> str:
    """Name of a database that holds tests.town; clone it."""
    from tests import town

    return _filled(cluster, template_database, "template_town", lambda clone: town.live(clone.job))


@pytest.fixture(scope="session")
def sample_template(cluster: Cluster, template_database: str) -> str:
    """Name of a database that holds a tenth of the sample, as the demo makes it; clone it."""
    from tests.sample import live

    return _filled(cluster, template_database, "template_sample", live)


def _filled(cluster: Cluster, template: str, name: str, fill: Callable[[Clone], None]) -> str:
    """Return the name of a clone that was filled, once in a test run."""

    def make(making: str) -> None:
        clone = make_clone(cluster, template, making)
        fill(clone)
        clone.run("ANALYZE")
        clone.close()

    return template_of_the_run(cluster, name, make)


@pytest.fixture
def make_database(cluster: Cluster, template_database: str) -> Iterator[MakeDatabase]:
    """Make databases of the test's own: clones of a template, by default the empty one."""
    made: list[Clone] = []

    def make(template: str = template_database) -> Clone:
        made.append(make_clone(cluster, template))
        return made[-1]

    yield make
    for clone in made:
        drop(clone)


@pytest.fixture
def database(make_database: MakeDatabase) -> Clone:
    """An empty database of the test's own."""
    return make_database()


@pytest.fixture(scope="session")
def town_database(cluster: Cluster, town_template: str) -> Iterator[Clone]:
    """The town, shared by every test that only reads."""
    clone = make_clone(cluster, town_template)
    yield clone
    drop(clone)


@pytest.fixture
def own_town(make_database: MakeDatabase, town_template: str) -> Clone:
    """The town, for a test that commits changes."""
    return make_database(town_template)


@pytest.fixture(scope="session")
def sample_database(cluster: Cluster, sample_template: str) -> Iterator[Clone]:
    """A tenth of the sample sub-district, shared by every test that only reads."""
    clone = make_clone(cluster, sample_template)
    yield clone
    drop(clone)


@pytest.fixture(scope="session")
def empty_database(cluster: Cluster, template_database: str) -> Iterator[Clone]:
    """An empty database, shared by every test that rolls back."""
    clone = make_clone(cluster, template_database)
    yield clone
    drop(clone)


@pytest.fixture
def empty_session(empty_database: Clone) -> Iterator[ScopedSession]:
    """A session of the job over an empty database; its commits are savepoints, rolled back."""
    with empty_database.job.engine.connect() as connection:
        yield from _rolled_back(empty_database, connection)


@pytest.fixture
def town_session(town_database: Clone) -> Iterator[ScopedSession]:
    """A session of the job over the town; its commits are savepoints, rolled back."""
    with town_database.job.engine.connect() as connection:
        yield from _rolled_back(town_database, connection)


def _rolled_back(clone: Clone, connection: Connection) -> Iterator[ScopedSession]:
    from tests.town import ACCOUNT, STREET

    scope = Scope("job", (Interval.of(STREET),), account=ACCOUNT)
    transaction = connection.begin()
    with clone.job.bound_session(connection, scope) as session:
        yield session
    transaction.rollback()
