"""Hot queries use their index in one community and in all thousand, as the role that serves."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.heat import cells_of
from geodata.tiles import tile_box
from gridsvc.access import service as access
from gridsvc.access.tokens import hashed
from gridsvc.db import NOBODY, Interval, Scope
from gridsvc.incidents import service as incidents
from gridsvc.territory import service as territory
from tests.bench.access_load import COMMUNITIES, FOUR_PARTS, WHOLE_CITY, make_city
from tests.bench.access_queries import Probe, in_a_box, in_a_radius
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.plans import indexes, plan_of, scans, tile_of

pytestmark = pytest.mark.db

BUSY = COMMUNITIES[255]
"""The sixth of its row in the third street: near the middle of the city."""

ONE = Scope("coordinator", (Interval.of(BUSY),))
ALL = Scope("coordinator", WHOLE_CITY)
ALL_IN_FOUR = Scope("coordinator", FOUR_PARTS)
SCOPES = pytest.mark.parametrize("scope", [ONE, ALL, ALL_IN_FOUR], ids=["1", "1000", "1000 in 4"])
OF_ONE_COMMUNITY = {"incident_reported_idx", "incident_stairwell_idx", "incident_pkey"}

ACCOUNTS = """
    INSERT INTO gridsvc.account (id, login, name, role, office_code)
    SELECT gen_random_uuid(), 'account-' || n, '甲', 'coordinator', :office
    FROM generate_series(1, 3000) n
"""
SCOPES_OF_ACCOUNTS = """
    INSERT INTO gridsvc.account_scope (account_id, slot, lo, hi)
    SELECT id, slot, :office + 1000 * slot, :office + 1000 * slot + 999
    FROM gridsvc.account, generate_series(1, 4) slot
"""
SIGN_INS = """
    INSERT INTO gridsvc.sign_in (token_hash, id, account_id, expires_at)
    SELECT sha256(convert_to(login, 'UTF8')), gen_random_uuid(), id, now() + interval '1 hour'
    FROM gridsvc.account
"""


@pytest.fixture(scope="module")
def city(cluster: object, template_database: str) -> Iterator[Clone]:
    """1,000 communities, 100,000 incidents, 3,000 people who are signed in."""
    clone = make_clone(cluster, template_database)  # type: ignore[arg-type]
    make_city(clone, incidents_count=100_000)
    with clone.root.begin() as connection:
        for statement in (ACCOUNTS, SCOPES_OF_ACCOUNTS, SIGN_INS):
            connection.execute(text(statement), {"office": WHOLE_CITY[0].lo})
        connection.execute(text("ANALYZE"))
    yield clone
    drop(clone)


@pytest.fixture(scope="module")
def probe(city: Clone) -> Probe:
    """Return an incident of the busy community."""
    with city.root.connect() as connection:
        row = connection.execute(
            text(
                "SELECT community_code, id, ST_X(geom), ST_Y(geom) FROM gridsvc.incident"
                " WHERE community_code = :code ORDER BY id LIMIT 1"
            ),
            {"code": BUSY},
        ).one()
    return Probe(*row)


def newest(session: Session) -> object:
    # A twentieth of the community's, as 100 are of those that a real one has in two years.
    return incidents.list_incidents(session, limit=5)


def test_the_newest_incidents_of_a_community_are_read_in_order(city: Clone) -> None:
    found = plan_of(city.api, ONE, newest)
    assert indexes(found) == {"incident_reported_idx"}
    assert "Sort" not in {node["Node Type"] for node in found}


@pytest.mark.parametrize("scope", [ALL, ALL_IN_FOUR], ids=["1000", "1000 in 4"])
def test_the_newest_incidents_of_a_city_are_read_in_order(city: Clone, scope: Scope) -> None:
    found = plan_of(city.api, scope, newest)
    assert indexes(found) == {"incident_newest_idx"}
    assert "Sort" not in {node["Node Type"] for node in found}


def test_the_incidents_of_a_community_are_counted_from_its_index(city: Clone) -> None:
    found = plan_of(city.api, ONE, incidents.count_by_class)
    assert indexes(found) & OF_ONE_COMMUNITY
    assert not scans(found)


@pytest.mark.parametrize("scope", [ALL, ALL_IN_FOUR], ids=["1000", "1000 in 4"])
def test_the_incidents_of_a_city_are_counted_in_one_pass(city: Clone, scope: Scope) -> None:
    """Every row is asked for, so no index could help: it must be read once, and nothing else."""
    found = plan_of(city.api, scope, incidents.count_by_class)
    assert [node["Relation Name"] for node in found if "Relation Name" in node] == ["incident"]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [(ONE, {"incident_pkey"}), (ALL, {"incident_id_idx"}), (ALL_IN_FOUR, {"incident_id_idx"})],
    ids=["1", "1000", "1000 in 4"],
)
def test_one_incident_is_found_by_its_id(
    city: Clone, probe: Probe, scope: Scope, expected: set[str]
) -> None:
    found = plan_of(city.api, scope, lambda session: incidents.get(session, probe.incident_id))
    assert indexes(found) <= expected | {"incident_id_idx"}
    assert indexes(found)
    assert not scans(found)


@SCOPES
@pytest.mark.parametrize("query", [in_a_box, in_a_radius])
def test_incidents_near_a_place_come_from_the_spatial_index(
    city: Clone, probe: Probe, scope: Scope, query: Callable[[Session, Probe], int]
) -> None:
    found = plan_of(city.api, scope, lambda session: query(session, probe))
    assert "incident_geom_idx" in indexes(found)
    assert not scans(found)


@SCOPES
def test_one_stairwell_is_found_by_its_key(city: Clone, scope: Scope) -> None:
    code = f"{BUSY}00100101"
    found = plan_of(city.api, scope, lambda session: territory.get_stairwell(session, code))
    assert {"stairwell_pkey", "building_pkey", "compound_pkey"} <= indexes(found)
    assert not scans(found)


@SCOPES
def test_a_tile_is_read_from_the_spatial_index(city: Clone, probe: Probe, scope: Scope) -> None:
    zoom, x, y = 17, *tile_at(probe, zoom=17)
    found = plan_of(
        city.api,
        scope,
        lambda session: tile_of(session, "stairwells", (zoom, x, y)),
    )
    assert "stairwell_geom_idx" in indexes(found)
    assert not scans(found)


def tile_at(probe: Probe, *, zoom: int) -> tuple[int, int]:
    """Return the tile that a place lies in, checked against the box of the tile."""
    x, y = (int(cell[0]) for cell in cells_of(lon=[probe.lon], lat=[probe.lat], zoom=zoom))
    xmin, ymin, xmax, ymax = tile_box(zoom=zoom, x=x, y=y, margin=0)
    assert xmin <= probe.lon <= xmax
    assert ymin <= probe.lat <= ymax
    return x, y


@pytest.mark.parametrize("token", ["account-1", "account-3000"])
def test_an_account_is_found_by_the_hash_of_its_token(city: Clone, token: str) -> None:
    with city.root.connect() as connection:
        stored = connection.scalar(
            text("SELECT count(*) FROM gridsvc.sign_in WHERE token_hash = :hash"),
            {"hash": hashed(token)},
        )
    assert stored == 1
    found = plan_of(city.api, NOBODY, lambda session: access.authenticate(session, token))
    assert indexes(found) == {"sign_in_pkey", "account_pkey", "account_scope_pkey"}
    assert not scans(found)


def test_no_plan_is_kept_for_the_next_caller(city: Clone, probe: Probe) -> None:
    """The tenth use of a statement would be planned for any box: 4 ms, then 300 for ever."""
    with city.api.session(ALL, read_only=True) as session:
        for _ in range(15):
            in_a_box(session, probe)
        general, own = session.execute(
            text("SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements")
        ).one()
    assert own > 0
    assert general == 0
