"""Set-up makes roles, extensions and schema, mends what was changed, and check refuses the rest."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gridsvc import setup
from gridsvc.db import make_engine
from gridsvc.embedded import Cluster
from gridsvc.errors import DatabaseDownError, DatabaseNotReadyError, UnsafeRoleError
from tests.databases import Clone, make_template, run_on_server

pytestmark = pytest.mark.db

_FLAGS = text("""
    SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication
    FROM pg_roles WHERE rolname LIKE 'gridsvc%' ORDER BY rolname""")
EXPECTED_FLAGS = [
    ("gridsvc_api", False, False, True, False, False, False),
    ("gridsvc_backup", False, True, True, False, False, False),
    ("gridsvc_catalog", False, False, True, False, False, False),
    ("gridsvc_job", False, True, True, False, False, False),
    ("gridsvc_owner", False, False, False, False, False, False),
]


def flags(clone: Clone) -> list[tuple[object, ...]]:
    with clone.root.connect() as connection:
        return [tuple(row) for row in connection.execute(_FLAGS)]


@pytest.fixture(scope="module")
def cluster(own_cluster: Cluster) -> Cluster:
    """Return a cluster of these tests' own: they stop it, and change what all databases share."""
    return own_cluster


@pytest.fixture(scope="module")
def template_database(cluster: Cluster) -> str:
    """Name of an empty database of that cluster, set up and migrated."""
    return make_template(cluster)


@pytest.fixture
def unpooled(database: Clone) -> Iterator[Engine]:
    """An engine of the API role that is closed at the end."""
    engine = make_engine(database.url(setup.API), pool_size=1)
    yield engine
    engine.dispose()


def test_set_up_can_be_repeated_and_the_result_can_be_served(database: Clone) -> None:
    before = flags(database)
    setup.set_up(database.url("postgres"))
    setup.set_up(database.url("postgres"))
    assert flags(database) == before == EXPECTED_FLAGS
    readiness = setup.check(database.api.engine)
    assert readiness.is_current
    assert readiness.is_leakproof
    assert readiness.head == "reports"


@pytest.mark.parametrize(
    "flag", ["BYPASSRLS", "SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION"]
)
def test_set_up_mends_a_role_that_was_given_power_by_hand(database: Clone, flag: str) -> None:
    run_on_server(database.cluster, f"ALTER ROLE {setup.API} {flag}")
    try:
        assert flags(database) != EXPECTED_FLAGS
        setup.set_up(database.url("postgres"))
        assert flags(database) == EXPECTED_FLAGS
    finally:
        run_on_server(
            database.cluster,
            f"ALTER ROLE {setup.API} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
        )


@pytest.mark.parametrize("flag", ["BYPASSRLS", "SUPERUSER"])
def test_a_role_that_passes_by_the_policies_is_not_served_with(
    database: Clone, unpooled: Engine, flag: str
) -> None:
    run_on_server(database.cluster, f"ALTER ROLE {setup.API} {flag}")
    try:
        with pytest.raises(UnsafeRoleError, match=r"gridsvc_api .* DATABASE_URL") as caught:
            setup.check(unpooled)
    finally:
        run_on_server(database.cluster, f"ALTER ROLE {setup.API} NOSUPERUSER NOBYPASSRLS")
    assert caught.value.role == setup.API
    assert setup.check(unpooled).is_current


def test_the_service_does_not_serve_as_superuser_or_job(database: Clone) -> None:
    for engine in (database.root, database.job.engine):
        with pytest.raises(UnsafeRoleError):
            setup.check(engine)


def test_passwords_of_the_urls_become_those_of_the_roles(database: Clone) -> None:
    password = 'o\'hara \\ "quoted" %'  # noqa: S105 - of a throw-away role
    engine = database.api.engine
    url = engine.url.set(password=password).render_as_string(hide_password=False)
    setup.set_up(database.url("postgres"), role_urls=(url, database.url("postgres")))
    with database.root.connect() as connection:
        stored: dict[str, str | None] = dict(
            connection.execute(text("SELECT rolname, rolpassword FROM pg_authid")).all()
        )
        verifies = connection.scalar(
            text("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = :role"),
            {"role": setup.API},
        )
    assert verifies
    assert stored[setup.JOB] is None
    assert stored["postgres"] is None


def test_a_database_that_was_never_set_up_says_what_to_run(cluster: Cluster) -> None:
    run_on_server(cluster, "CREATE DATABASE bare")
    engine = make_engine(cluster.url("bare", setup.API), pool_size=1)
    try:
        with pytest.raises(DatabaseNotReadyError, match=r"\./grid db setup"):
            setup.check(engine)
    finally:
        engine.dispose()
        run_on_server(cluster, "DROP DATABASE bare")


@pytest.mark.parametrize("revision", ["base", "tables", "policies"])
def test_a_database_behind_the_code_says_what_to_run(
    database: Clone, unpooled: Engine, revision: str
) -> None:
    with database.root.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {setup.OWNER}"))
        setup.migrate(connection, "base")
    if revision != "base":
        with database.root.begin() as connection:
            connection.execute(text(f"SET LOCAL ROLE {setup.OWNER}"))
            setup.migrate(connection, revision)
    with pytest.raises(DatabaseNotReadyError, match=r"reports.*\./grid db setup"):
        setup.check(unpooled)
    setup.set_up(database.url("postgres"))
    assert setup.check(unpooled).is_current


def test_a_database_that_is_down_is_said_so_in_one_sentence(
    database: Clone, unpooled: Engine
) -> None:
    assert setup.check(unpooled).is_current
    assert database.cluster.release(), "the server of this test process has stopped"
    try:
        for act in (
            lambda: setup.check(unpooled),
            lambda: setup.set_up(database.url("postgres")),
            lambda: setup.make_database(database.cluster.url("postgres"), "another"),
        ):
            with pytest.raises(DatabaseDownError) as caught:
                act()
            assert str(caught.value) == "The database does not answer: try again in a moment."
    finally:
        database.cluster.start()
    assert setup.check(unpooled).is_current, "the pool connects again by itself"


def test_the_api_role_cannot_execute_set_config(database: Clone) -> None:
    with (
        database.api.engine.connect() as connection,
        pytest.raises(ProgrammingError, match="permission denied for function set_config"),
    ):
        connection.execute(text("SELECT set_config('app.lo1', '0', true)"))


def test_check_refuses_where_everybody_may_change_settings(
    database: Clone, unpooled: Engine
) -> None:
    database.run("GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC")
    with pytest.raises(DatabaseNotReadyError, match="set_config"):
        setup.check(unpooled)
    setup.set_up(database.url("postgres"))
    assert setup.check(unpooled).is_current


def test_make_database_makes_one_and_leaves_one_that_is_there(cluster: Cluster) -> None:
    admin = cluster.url("postgres")
    setup.make_database(admin, "made_once")
    setup.make_database(admin, "made_once")
    run_on_server(cluster, "DROP DATABASE made_once")  # fails where there is none
