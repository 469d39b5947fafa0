"""Generated requests for every operation, as every kind of caller: no fault of ours, no surprise.

Half of the requests are as schemathesis makes them. In the other half, what random data cannot
guess is put in from the matrix: the ids of the town's things, the secret that a request needs (a
login code, a refresh token, an invitation), a report's category and place, and the file of an
invitation list. With them each operation must answer 2xx to everybody who may call it.

Nothing is left out. Two values are bounded: ``time_limit_s`` of a contact plan, which is time that
the solver takes, and the caller's address, a new one each time, because the throttle would
otherwise stop all signing in (as it should: tests of it are in tests/gridsvc/throttle).
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.api.matrix import KINDS, A, Caller, World, world_of
from tests.api.matrix_lines import MATRIX, furnish
from tests.api.matrix_promises import Ask, Changes, Lists, One
from tests.databases import drop, make_clone

pytestmark = pytest.mark.db

EXAMPLES, REFUSED_EXAMPLES = 2, 1
"""Of each operation for each kind of caller who may call it, and for each who may not."""
CHECKS = [
    *(not_a_server_error, status_code_conformance, content_type_conformance),
    *(response_schema_conformance, response_headers_conformance),
]


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # Not made smaller: each try would be a request that changes what the next one finds.
        phases=[Phase.explicit, Phase.generate],
    )


PROMISES = dict(reversed(MATRIX))
Case = schemathesis.Case[Any]
Operation = Any


class FromAnywhere:
    """ASGI middleware: every request comes from another subnet."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            high, low = divmod(next(self._numbers), 250)
            scope["client"] = (f"10.{high}.{low}.1", 50000)
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def world(cluster: Any, town_template: str) -> Iterator[World]:
    clone = make_clone(cluster, town_template)
    try:
        with world_of(clone) as made:
            furnish(made)
            yield made
    finally:
        drop(clone)


@pytest.fixture(scope="module")
def operations(world: World) -> dict[str, Operation]:
    """Every operation of the document, by method and path."""
    app = FromAnywhere(world.service.witness)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    found: list[Operation] = list(schema.get_all_operations())
    assert all(isinstance(one, Ok) for one in found)
    return {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in found}


def test_the_whole_document_is_tried(world: World, operations: dict[str, Operation]) -> None:
    documented = {
        f"{method.upper()} {path}"
        for path, methods in world.service.document["paths"].items()
        for method in methods
    }
    assert set(operations) == documented
    assert documented <= set(PROMISES)


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_the_schema_is_answered_as_documented(
    world: World, operations: dict[str, Operation], kind: str
) -> None:
    unreached = []
    for route, operation in operations.items():
        caller = Caller(kind, place_of(route))
        may = kind in PROMISES[route].kinds
        statuses: set[int] = set()
        cases = st.tuples(operation.as_strategy(), st.booleans() if may else st.just(False))

        @bounded(EXAMPLES if may else REFUSED_EXAMPLES)
        @given(drawn=cases)
        def explore(
            drawn: tuple[Case, bool], caller: Caller, route: str, statuses: set[int]
        ) -> None:
            case, is_known = drawn
            statuses.add(sent(world, caller, route, case, is_known=is_known))

        explore(caller=caller, route=route, statuses=statuses)
        if may:
            statuses.add(sent(world, caller, route, simplest(operation), is_known=True))
        is_reached = any(status < 300 for status in statuses)
        if is_reached != may:
            unreached.append((route, sorted(statuses)))
    assert unreached == []


@pytest.mark.parametrize("kind", ["visitor", "administrator"])
def test_what_breaks_the_schema_is_no_fault_of_ours(
    world: World, operations: dict[str, Operation], kind: str
) -> None:
    """As nobody, and as whoever passes most rules: so that validation is reached at all."""
    caller = Caller(kind, A)
    mode = schemathesis.GenerationMode.NEGATIVE
    for route, operation in operations.items():
        if not (operation.body or operation.query or operation.path_parameters):
            continue  # there is nothing to get wrong

        @bounded(EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode))
        def explore(case: Case, route: str) -> None:
            sent(world, caller, route, case, is_known=False)

        explore(route=route)


def place_of(route: str) -> int:
    """Return where a route is tried: in community A, where that is possible."""
    promise = PROMISES[route]
    places = promise.places if isinstance(promise, Changes) else ()
    return A if not places or A in places else places[0]


def simplest(operation: Operation) -> Case:
    case: Case = operation.Case(path_parameters={}, query={}, headers={}, cookies={})
    return case


def sent(world: World, caller: Caller, route: str, case: Case, *, is_known: bool) -> int:
    """Send a case as a caller, check the answer, and return its status."""
    ask = known(world, caller, route) if is_known else None
    if ask is not None:
        fill(case, route, ask)
    if isinstance(case.body, dict) and "time_limit_s" in case.body:
        case.body["time_limit_s"] = 0.05
    answer = case.call(headers=credential(world, caller, route, ask))
    case.validate_response(answer, checks=CHECKS)
    return int(answer.status_code)


def credential(world: World, caller: Caller, route: str, ask: Ask | None) -> dict[str, str]:
    """Return what the caller signs in with; where a random request may end sign-ins, a twin's."""
    if ask is not None:
        client = ask.by or world.client(caller)
    elif route.startswith("DELETE"):
        client = world.twin(caller)
    else:
        client = world.client(caller)
    return header_of(client)


def header_of(client: TestClient) -> dict[str, str]:
    value = client.headers.get("Authorization")
    return {"Authorization": value} if value else {}


def known(world: World, caller: Caller, route: str) -> Ask:
    """Return a request of the matrix that the caller may make."""
    promise = PROMISES[route]
    method, path = route.split(" ")
    if isinstance(promise, Changes):
        return promise.ask(world, caller, caller.code)
    if isinstance(promise, One):
        thing = world.owner(promise.rows.query(caller, world))[0]
        if "/" in thing:  # the rest of an address, with what it asks for
            rest, _, query = thing.partition("?")
            return Ask(method, path.partition("{")[0] + rest, {"params": dict(parse_qsl(query))})
        return Ask(method, re.sub(r"\{[a-z_]+\}", thing, path))
    if isinstance(promise, Lists):
        return Ask(method, (promise.path or path).partition("?")[0], promise.send)
    return Ask(method, path)


def fill(case: Case, route: str, ask: Ask) -> None:
    """Put what the request names and holds into a case; a random cursor leads nowhere."""
    template = re.sub(r"\{([a-z_]+)\}", r"(?P<\1>[^/]+?)", route.split(" ")[1].replace(".", r"\."))
    found = re.fullmatch(template, ask.path)
    assert found is not None, (route, ask.path)
    case.path_parameters = {**(case.path_parameters or {}), **found.groupdict()}
    for name in ("cursor", "class", "from", "to"):
        case.query.pop(name, None)
    case.query.update(ask.send.get("params", {}))
    if "headers" in ask.send:
        case.headers.update(ask.send["headers"])
    if "json" in ask.send:
        was = case.body if isinstance(case.body, dict) else {}
        case.body = {**was, **ask.send["json"]}
        case.media_type = "application/json"
    if "files" in ask.send:
        files = {name: content for name, (_, content, _) in ask.send["files"].items()}
        case.body = files | ask.send.get("data", {})
        case.media_type = "multipart/form-data"
