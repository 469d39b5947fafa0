"""Every route has a rule, every rule a route, and the matrix tries each of them."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from api.app import create_app
from api.rules import RULES, rule_of
from gridsvc.access.model import ROLES
from gridsvc.settings import Settings
from tests import town
from tests.api.matrix import ACCOUNTS, Caller
from tests.api.matrix_lines import MATRIX
from tests.api.matrix_promises import Changes, Lists
from tests.api.service import Service, is_problem
from tests.databases import Clone

pytestmark = pytest.mark.db

# The framework's own: the description of what everybody may call holds nobody's data.
WITHOUT_RULE = {"GET /api/v1/openapi.json"}

# A sign-in that waits for its second factor may end as well, so no rule asks who it is: the route
# wants a credential that can sign out.
ASKS_BY_ITSELF = {"DELETE /api/v1/session"}


def routes_of(app: FastAPI) -> set[str]:
    """Return every route of an application as rules name them; HEAD follows GET."""
    found = set()
    for context in iter_route_contexts(app.routes):
        methods = context.methods or {"*"}  # a mount answers any
        found |= {f"{method} {context.path}" for method in methods - {"HEAD"}}
    return found


def test_every_route_has_a_rule_and_every_rule_a_route(service: Service) -> None:
    assert routes_of(service.app) - WITHOUT_RULE == set(RULES)


@pytest.mark.parametrize("added", ["api", "page", "mount"])
def test_a_route_without_a_rule_is_noticed(town_database: Clone, added: str) -> None:
    app = create_app(Settings(), town_database.api, town.VAULT)
    assert routes_of(app) - WITHOUT_RULE == set(RULES)
    if added == "api":
        app.add_api_route("/api/v1/forgotten", lambda: None, methods=["DELETE"])
    elif added == "page":
        app.add_api_route("/forgotten", lambda: None, include_in_schema=False)
    else:
        app.mount("/forgotten", FastAPI())
    assert routes_of(app) - WITHOUT_RULE - set(RULES)


def test_a_route_without_a_rule_answers_nobody(town_database: Clone) -> None:
    app = create_app(Settings(development_login=True), town_database.api, town.VAULT)
    app.add_api_route("/api/v1/forgotten", lambda: {"secret": 1})
    service = Service(town_database, app, app)  # type: ignore[arg-type]
    assert is_problem(TestClient(app).get("/api/v1/forgotten"), 401, "not-signed-in")
    for role in ROLES:
        answer = service.caller(role, town.EAST_SHORE).get("/api/v1/forgotten")
        assert is_problem(answer, 403, "role-not-allowed"), role


def test_the_matrix_tries_every_rule_and_no_other() -> None:
    assert {route for route, _ in MATRIX} == set(RULES)


@pytest.mark.parametrize("route", RULES)
def test_the_matrix_and_the_rule_name_the_same_callers(route: str) -> None:
    """The matrix says who may call on its own; here a wrong rule shows without a database."""
    rule = RULES[route]
    promised = [promise for tried, promise in MATRIX if tried == route]
    kinds = frozenset().union(*(promise.kinds for promise in promised))
    assert kinds & ACCOUNTS == rule.roles
    if route in ASKS_BY_ITSELF:
        assert rule.is_open
        return
    assert ("visitor" in kinds) == rule.is_open
    reads = route.startswith("GET ") and rule.is_for_keys and "planner" in rule.roles
    assert ("key" in kinds) == (reads or rule.is_open)


def test_rules_are_found_by_method_and_path_and_head_follows_get() -> None:
    assert rule_of("HEAD", "/healthz") == rule_of("GET", "/healthz") == RULES["GET /healthz"]
    assert rule_of("POST", "/healthz") is None
    assert rule_of("get", "/healthz") is None


def test_only_what_says_nothing_of_the_territory_answers_without_asking_who(
    service: Service,
) -> None:
    machines = {route for route, rule in RULES.items() if rule.is_for_machines}
    assert machines == {"GET /healthz", "GET /readyz", "GET /assets/{name:path}"}
    client = service.visitor()
    client.headers["Authorization"] = "Bearer nonsense"
    assert client.get("/healthz").status_code == 200


def test_no_change_is_open_to_a_key() -> None:
    """What is open to visitors is open to whoever holds a key as well; nothing else is."""
    for route, promise in MATRIX:
        if isinstance(promise, Changes) and "key" in promise.kinds:
            assert RULES[route].is_open, route


def test_each_list_has_a_caller_who_sees_rows() -> None:
    for route, promise in MATRIX:
        if isinstance(promise, Lists):
            assert promise.kinds - promise.nothing_for, route


def test_paths_name_codes_and_ids_only() -> None:
    """Addresses are logged and bookmarked: no parameter of a path may be a name or a phone."""
    names = {name for route in RULES for name in re.findall(r"\{([a-zA-Z_]+)", route)}
    assert names == {
        *("account_id", "code", "incident_id", "key_id", "member_id", "plan_id", "route_id"),
        *("sign_in_id", "layer", "format", "name", "x", "y", "z"),
        *("collectionId", "itemId", "tileMatrixSetId", "import_id"),
        *("absence_id", "exclusion_id", "post_id", "job_id", "photo_id", "party_id"),
        *("channel_id", "delivery_id", "entry_id"),
    }


def test_callers_hold_exactly_their_places() -> None:
    assert Caller("patrol", town.STREET).has(town.WEST_BRIDGE)
    assert not Caller("patrol", town.EAST_SHORE).has(town.WEST_BRIDGE)
