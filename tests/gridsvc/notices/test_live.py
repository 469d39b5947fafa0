"""Live updates from a real database: who hears what, how many, and after it was away."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import make_url, text

from gridsvc import setup
from gridsvc.db import Interval
from gridsvc.embedded import Cluster
from gridsvc.errors import LiveCrowdedError
from gridsvc.notices import live
from gridsvc.notices.live import MAX_BACKLOG, Hub, Listener, Update
from gridsvc.notices.model import Audience
from tests.databases import Clone, make_template
from tests.gridsvc.notices.saying import STREET, A, B, say, scope

pytestmark = pytest.mark.db
OWN = (Interval.of(A),)


def run(steps: Callable[[], Awaitable[None]], longest_s: float = 60) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(steps(), longest_s)

    # In a thread: a browser of another test may have left its loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(bounded())).result()


def hub_of(clone: Clone, at_most: int = 10) -> Hub:
    return Hub(make_url(clone.url(setup.API)), at_most=at_most)


def tell(clone: Clone, code: int, subject: str) -> None:
    with clone.api.session(scope("coordinator", code)) as session, session.begin():
        live.tell(session, community_code=code, kind="test.case", subject=subject)


async def heard(listener: Listener, count: int = 1) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        found += [one.subject for one in (await listener.next(wait_s=20)).updates]
    return found


async def ready(listener: Listener) -> None:
    """Wait until listening has begun: everything is to be read once."""
    while not (await listener.next(wait_s=20)).is_again:
        pass


def test_a_page_hears_of_its_own_territory_and_no_other(office: Clone) -> None:
    async def steps() -> None:
        hub = hub_of(office)
        async with (
            hub.listen(OWN) as east,
            hub.listen((Interval.of(B),)) as west,
            hub.listen((Interval.of(STREET),)) as whole,
            hub.listen(()) as nobody,
        ):
            for listener in (east, west, whole, nobody):
                await ready(listener)
            for code, subject in ((B, "b"), (A, "a"), (A, "c")):
                tell(office, code, subject)
            assert await heard(east, 2) == ["a", "c"]
            assert await heard(west) == ["b"]
            assert await heard(whole, 3) == ["b", "a", "c"]
            assert (await nobody.next(wait_s=0.05)).updates == []

    run(steps)


def test_what_is_rolled_back_is_not_told_and_what_is_said_is(office: Clone) -> None:
    async def steps() -> None:
        async with hub_of(office).listen(OWN) as listener:
            await ready(listener)
            with office.api.session(scope("coordinator", A)) as session:
                live.tell(session, community_code=A, kind="test.case", subject="undone")
                session.rollback()
            say(office, Audience(), subject="told")
            assert await heard(listener) == ["told"]

    run(steps)


def test_a_notification_holds_kind_id_and_community_only(office: Clone) -> None:
    async def steps() -> None:
        hub = hub_of(office)
        payloads: list[str] = []
        real = live.parse
        async with hub.listen(OWN) as listener:
            await ready(listener)
            hub._pass_on = lambda payload: (payloads.append(payload), Hub._pass_on(hub, payload))  # type: ignore[assignment, method-assign, func-returns-value]
            say(office, Audience(place_code=str(A), email_cipher=b"x"), subject="42")
            await heard(listener)
        (payload,) = payloads
        assert json.loads(payload) == {"community": A, "kind": "incident.reported", "id": "42"}
        assert real(payload) == Update(A, "incident.reported", "42")

    run(steps)


@pytest.mark.parametrize("payload", ["", "x", "[]", "{}", '{"community": "x"}', "null", "7"])
def test_what_is_no_notification_of_ours_is_nothing(payload: str) -> None:
    assert live.parse(payload) is None


def test_no_more_listen_than_may_and_a_place_becomes_free(office: Clone) -> None:
    async def steps() -> None:
        hub = hub_of(office, at_most=2)
        async with hub.listen(OWN):
            async with hub.listen(OWN):
                with pytest.raises(LiveCrowdedError):
                    async with hub.listen(OWN):
                        pass
            async with hub.listen(OWN) as listener:
                await ready(listener)
                assert hub.listener_count == 2
        assert hub.listener_count == 0

    run(steps)


def test_one_connection_listens_for_all_and_none_for_nobody(office: Clone) -> None:
    def connections() -> int:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query = 'LISTEN gridsvc_live'"
        )
        with office.root.connect() as connection:
            return int(connection.scalar(query) or 0)

    async def steps() -> None:
        hub = hub_of(office, at_most=50)
        async with AsyncExitStack() as stack:
            for _ in range(20):
                await ready(await stack.enter_async_context(hub.listen(OWN)))
            assert connections() == 1
        for _ in range(100):
            if connections() == 0:
                break
            await asyncio.sleep(0.05)
        assert connections() == 0

    run(steps)


def test_a_reader_that_falls_behind_is_told_to_read_again(office: Clone) -> None:
    async def steps() -> None:
        async with hub_of(office).listen(OWN) as listener:
            await ready(listener)
            for number in range(MAX_BACKLOG + 5):
                listener.hear(Update(A, "test.case", str(number)))
            found = await listener.next(wait_s=1)
            assert (found.is_again, list(found.updates)) == (True, [])
            tell(office, A, "after")
            assert await heard(listener) == ["after"]

    run(steps)


def test_it_survives_a_restart_of_the_database(own_cluster: Cluster) -> None:
    clone = Clone.of(own_cluster, make_template(own_cluster))

    async def steps() -> None:
        async with hub_of(clone).listen(OWN) as listener:
            await ready(listener)
            tell(clone, A, "before")
            assert await heard(listener) == ["before"]
            clone.close()
            assert await asyncio.to_thread(own_cluster.release)
            await asyncio.to_thread(own_cluster.start)
            await ready(listener)
            tell(clone, A, "after")
            assert await heard(listener) == ["after"]

    try:
        run(steps, 120)
    finally:
        clone.close()
