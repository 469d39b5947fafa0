"""Every route for every caller: exactly the own rows, told by the owner; nothing else changes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.matrix import KINDS, NOWHERE, PLACES, TERRITORIES, Caller, World, world_of
from tests.api.matrix_lines import MATRIX, furnish
from tests.api.matrix_promises import (
    Alike,
    Ask,
    Changes,
    Frame,
    Lists,
    One,
    Promise,
    Public,
    Shut,
    changed,
    state_of,
)
from tests.api.service import PROBLEM, is_problem
from tests.databases import drop, make_clone

pytestmark = pytest.mark.db

NOTHING = "00000000-0000-7000-8000-000000000000"
EVER_NEW = {"x-request-id", "date"}


def named(*kinds: type[Promise]) -> list[Any]:
    """Return the lines of the matrix that promise something of a kind, named for the report."""
    return [
        pytest.param(
            route, promise, id=f"{route} {promise.path}" if isinstance(promise, Lists) else route
        )
        for route, promise in MATRIX
        if isinstance(promise, kinds)
    ]


@pytest.fixture(scope="module")
def world(cluster: Any, town_template: str) -> Iterator[World]:
    """Town and neighbour, for tests that only read."""
    clone = make_clone(cluster, town_template)
    try:
        with world_of(clone) as made:
            furnish(made)
            yield made
    finally:
        drop(clone)


@pytest.fixture(scope="module")
def changing(cluster: Any, town_template: str) -> Iterator[World]:
    """Town and neighbour, for changes; each is compared with what was there before it."""
    clone = make_clone(cluster, town_template)
    try:
        with world_of(clone) as made:
            yield made
    finally:
        drop(clone)


def assert_refused(answer: Response, caller: Caller) -> None:
    """Refusals say who may not, and nothing about what is there."""
    if caller.kind == "visitor":
        assert is_problem(answer, 401, "not-signed-in"), answer.text
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    elif caller.kind == "key":
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] in {"/problems/read-only-key", "/problems/role-not-allowed"}
    else:
        assert is_problem(answer, 403, "role-not-allowed"), answer.text


# ---- lists


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("route", "promise"), named(Lists))
def test_a_list_holds_exactly_the_callers_rows(
    world: World, route: str, promise: Lists, kind: str
) -> None:
    for where, code in TERRITORIES.items():
        caller = Caller(kind, code)
        method, path = route.split(" ")
        answer = world.client(caller).request(method, promise.path or path, **promise.send)
        if kind not in promise.kinds:
            assert_refused(answer, caller)
            continue
        assert answer.status_code == 200, answer.text
        expected = promise.expected(world, caller)
        assert expected or kind in promise.nothing_for, f"nothing to see in {where}"
        assert sorted(map(str, promise.found(answer))) == sorted(expected), where


@pytest.mark.parametrize(("route", "promise"), named(Lists))
def test_callers_of_two_communities_share_no_row_of_a_list(
    world: World, route: str, promise: Lists
) -> None:
    """Equal lists would hide that one caller got the other's: the town must tell them apart."""
    for kind in sorted(promise.kinds - promise.nothing_for):
        # Who is a contact in a community is the same one in the whole sub-district.
        codes = [code for code in TERRITORIES.values() if kind != "contact" or code % 1000]
        told = [promise.expected(world, Caller(kind, code)) for code in codes]
        assert len({tuple(sorted(rows)) for rows in told}) == len(codes), (route, kind)


# ---- one thing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("route", "promise"), named(One))
def test_what_is_not_the_callers_does_not_exist(
    world: World, route: str, promise: One, kind: str
) -> None:
    seen = 0
    for code in TERRITORIES.values():
        caller = Caller(kind, code)
        own = set() if kind == "visitor" else set(world.once(promise.rows.query(caller, world)))
        for thing in some_of_each_place(world, promise, own):
            answer = world.client(caller).get(address(promise.path or route, thing))
            if kind not in promise.kinds:
                assert_refused(answer, caller)
            elif thing in own:
                assert answer.status_code == 200, answer.text
                expected = promise.expected(world, thing)
                assert expected
                assert sorted(map(str, promise.read(answer))) == sorted(expected)
                seen += 1
            else:
                nothing = world.client(caller).get(
                    address(promise.path or route, absent_like(thing))
                )
                assert is_problem(answer, 404, "not-found"), answer.text
                assert bare(answer) == bare(nothing)
    assert (seen > 0) == (kind in promise.kinds)


def some_of_each_place(world: World, promise: One, own: set[str]) -> list[str]:
    """Return from each place one thing that is the caller's, and one that is not."""
    found = []
    for place in PLACES:
        there = world.once(promise.rows.query_at(place))
        found += [thing for thing in there if thing in own][:1]
        found += [thing for thing in there if thing not in own][:1]
    return found


def address(route: str, thing: str) -> str:
    return re.sub(r"\{[a-z_]+\}", thing, route.removeprefix("GET "))


def absent_like(thing: str) -> str:
    return NOTHING if "-" in thing else "9" * len(thing)


def bare(answer: Response) -> tuple[int, str, dict[str, str]]:
    """Return all of an answer but the name of what was asked for, and what differs every time."""
    headers = {name: value for name, value in answer.headers.items() if name not in EVER_NEW}
    named = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,20}", "…", answer.text)
    return answer.status_code, named, headers


# ---- no rows


@pytest.mark.parametrize(("route", "promise"), named(Alike, Frame))
def test_what_holds_no_rows_names_no_foreign_territory(
    world: World, route: str, promise: Alike | Frame
) -> None:
    texts = set()
    for kind in KINDS:
        for code in TERRITORIES.values():
            caller = Caller(kind, code)
            path = promise.path if isinstance(promise, Alike) else ""
            answer = world.client(caller).get(path or route.removeprefix("GET "))
            if kind not in promise.kinds:
                assert_refused(answer, caller)
                continue
            assert answer.status_code == 200, answer.text
            named_codes = {int(found) for found in re.findall(r"4406050\d{5}", answer.text)}
            assert [found for found in named_codes if not caller.has(found)] == []
            if isinstance(promise, Alike) and not answer.text.startswith("<!DOCTYPE"):
                texts.add(answer.content)  # a page has a nonce, and says who is signed in
    assert len(texts) <= 1


@pytest.mark.parametrize(("_", "promise"), named(Public))
def test_what_is_published_is_the_same_for_everybody(world: World, _: str, promise: Public) -> None:
    texts = set()
    for kind in KINDS:
        for code in TERRITORIES.values():
            answer = world.client(Caller(kind, code)).get(promise.path)
            assert kind in promise.kinds
            assert answer.status_code == 200, answer.text
            texts.add(answer.content)
    assert len(texts) == 1
    assert len(texts.pop()) > 100


@pytest.mark.parametrize(("route", "promise"), named(Shut))
def test_what_waits_for_a_condition_answers_nobody(
    changing: World, route: str, promise: Shut
) -> None:
    method, path = route.split(" ")
    before = state_of(changing)
    for kind in KINDS:
        for code in TERRITORIES.values():
            caller = Caller(kind, code)
            answer = changing.client(caller).request(method, path, follow_redirects=False)
            if kind not in promise.kinds:
                assert_refused(answer, caller)
            else:
                assert answer.status_code == promise.status, answer.text
    assert changed(before, state_of(changing)) == set()


# ---- changes


@pytest.mark.parametrize(("_", "promise"), named(Changes))
def test_a_refused_change_changes_nothing(changing: World, _: str, promise: Changes) -> None:
    asks = [
        (caller, place, promise.ask(changing, caller, place))
        for kind in KINDS
        for code in TERRITORIES.values()
        for caller in (Caller(kind, code),)
        for place in refused_places(promise, caller)
    ]
    clients = {caller: changing.client(caller) for caller, *_ in asks}
    before = state_of(changing)
    for caller, place, ask in asks:
        answer = sent(clients[caller], ask)
        if caller.kind not in promise.kinds:
            assert_refused(answer, caller)
            continue
        assert answer.status_code == promise.foreign, (caller, place, answer.text)
        if ask.path.startswith("/api/"):
            assert answer.headers["content-type"] == PROBLEM
        if promise.foreign == 404:
            nothing = sent(clients[caller], promise.ask(changing, caller, NOWHERE))
            assert bare(answer) == bare(nothing)
    assert changed(before, state_of(changing)) == set()


def refused_places(promise: Changes, caller: Caller) -> list[int]:
    """Return the places that a caller may not change: whoever may not at all, not even the own."""
    if caller.kind in promise.kinds:
        return [place for place in promise.places if not caller.has(place)]
    return [place for place in promise.places or (caller.code,) if caller.has(place)][:1]


def sent(client: TestClient, ask: Ask) -> Response:
    client = ask.by or client
    answer = client.request(ask.method, ask.path, follow_redirects=False, **ask.send)
    client.cookies.clear()  # callers are known by a header; a cookie would want its page's token
    return answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("_", "promise"), named(Changes))
def test_an_allowed_change_is_made_where_it_belongs(
    changing: World, _: str, promise: Changes, kind: str
) -> None:
    if kind not in promise.kinds:
        return  # refused above
    for code in TERRITORIES.values():
        caller = Caller(kind, code)
        for place in promise.places or (code,):
            if caller.has(place):
                assert_changed_there(changing, promise, caller, place)


def assert_changed_there(world: World, promise: Changes, caller: Caller, place: int) -> None:
    ask = promise.ask(world, caller, place)
    client = world.client(caller)
    before = state_of(world)
    answer = sent(client, ask)
    assert answer.status_code < 400, (caller, place, answer.text)
    found = changed(before, state_of(world))
    if caller.kind in promise.nothing_for:
        assert found == set()
        return
    wanted = promise.differences(caller, place, promise.tables)
    assert wanted <= found, (caller, place)
    assert found <= wanted | promise.differences(caller, place, promise.perhaps), (caller, place)


@pytest.mark.parametrize(
    ("_", "promise"), [line for line in named(Changes) if line.values[1].anothers]
)
def test_what_is_somebody_elses_cannot_be_told_from_nothing(
    changing: World, _: str, promise: Changes
) -> None:
    assert promise.anothers is not None
    asks = [
        (caller, promise.anothers(changing, caller, code))
        for kind in sorted(promise.kinds)
        for code in TERRITORIES.values()
        for caller in (Caller(kind, code),)
    ]
    before = state_of(changing)
    for caller, ask in asks:
        answer = sent(changing.client(caller), ask)
        nothing = sent(changing.client(caller), promise.anothers(changing, caller, NOWHERE))
        assert answer.status_code == 404, answer.text
        assert bare(answer) == bare(nothing)
    assert changed(before, state_of(changing)) == set()
