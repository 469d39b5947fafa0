"""What row-level security costs: each query as the role that serves, beside one above the policies.

Both run the store's own statement, with its explicit territory condition, in a transaction that has
the same scope: the role that serves is held to the policies, the superuser passes by them. A pair
asks for one place of the city after its pages have been read once, each side first in turn, and the
next pair for another place. Time is what the driver waits for the answer to the query; what the
settings of the scope cost is its own column.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from gridsvc.db import Database, Interval, Scope
from tests.bench.access_load import FOUR_PARTS, WHOLE_CITY, make_city
from tests.bench.access_queries import QUERIES, SPATIAL, Probe
from tests.databases import Clone

INCIDENTS = 1_000_000
WARM_UP = 12
"""A connection prepares a statement at its fifth use and may plan it for good at its tenth."""

WARM_UP_S = 6.0
PAIRS, FEWEST, ENOUGH_S = 41, 7, 12.0
AIM, SPATIAL_AIM, AIM_MORE_MS = 1.3, 1.5, 1.0

Query = Callable[[Session, Probe], int]
IntervalsOf = Callable[[Probe], tuple[Interval, ...]]


_SCOPES: dict[str, IntervalsOf] = {
    "1": lambda probe: (Interval.of(probe.community_code),),
    "1,000": lambda _: WHOLE_CITY,
    "1,000 in 4": lambda _: FOUR_PARTS,
}


@dataclass
class Stopwatch:
    """Milliseconds that the driver waited, for queries and for the settings before them."""

    query_ms: float = 0.0
    settings_ms: float = 0.0


def rows(clone: Clone) -> Iterator[dict[str, object]]:
    """Yield one row a query and scope.

    Columns: ``name``, ``scope`` (communities, and in how many intervals), ``rows`` (found or
    counted), ``without_ms``, ``with_ms``, ``ratio``, ``more_ms``, ``aim`` (greatest ratio; one
    millisecond more is within as well), ``within``, ``settings_ms``; medians of what varies.
    """
    began = time.perf_counter()
    make_city(clone, incidents_count=INCIDENTS)
    load_s = time.perf_counter() - began
    yield {"name": f"{INCIDENTS:,} incidents loaded in {load_s:.0f} s"}
    probes = _probes(clone)
    for name, query in QUERIES.items():
        for communities, intervals_of in _SCOPES.items():
            yield {"name": name, "scope": communities} | _compare(
                clone, query, probes, intervals_of, SPATIAL_AIM if name in SPATIAL else AIM
            )


def _probes(clone: Clone) -> Iterator[Probe]:
    """Yield incidents of the city without end, the same ones each time."""
    sample = (
        "SELECT community_code, id, ST_X(geom), ST_Y(geom) FROM gridsvc.incident"
        " TABLESAMPLE SYSTEM (2) REPEATABLE (7) ORDER BY id"
    )
    with clone.root.connect() as connection:
        found = [Probe(*row) for row in connection.execute(text(sample))]
    chosen = random.Random(7)  # noqa: S311 - places to measure at
    while True:
        yield chosen.choice(found)


@dataclass(frozen=True)
class Pair:
    """One query asked on both sides, milliseconds."""

    without_ms: float
    with_ms: float
    settings_ms: float
    found: int


def _compare(
    clone: Clone, query: Query, probes: Iterator[Probe], intervals_of: IntervalsOf, aim: float
) -> dict[str, object]:
    above, served = Database(clone.root), clone.api
    with timed(above.engine) as without, timed(served.engine) as with_policies:
        sides = [(above, without), (served, with_policies)]

        def ask(probe: Probe) -> Pair:
            scope = Scope("coordinator", intervals_of(probe))
            _ask(above, scope, query, probe)
            sides.reverse()
            for _, watch in sides:
                watch.query_ms = watch.settings_ms = 0.0
            counts = {_ask(side, scope, query, probe) for side, _ in sides}
            assert len(counts) == 1, f"with and without policies: {counts}"
            return Pair(
                without.query_ms, with_policies.query_ms, with_policies.settings_ms, counts.pop()
            )

        for probe in _for_a_while(islice(probes, WARM_UP), FEWEST // 2, WARM_UP_S):
            ask(probe)
        pairs = [ask(probe) for probe in _for_a_while(islice(probes, PAIRS), FEWEST, ENOUGH_S)]
    return _summary(pairs, aim)


def _for_a_while(probes: Iterable[Probe], fewest: int, enough_s: float) -> Iterator[Probe]:
    began = time.perf_counter()
    for number, probe in enumerate(probes):
        if number >= fewest and time.perf_counter() - began > enough_s:
            return
        yield probe


def _ask(side: Database, scope: Scope, query: Query, probe: Probe) -> int:
    with side.session(scope, read_only=True) as session:
        return query(session, probe)


def _summary(pairs: list[Pair], aim: float) -> dict[str, object]:
    without_ms = statistics.median(pair.without_ms for pair in pairs)
    with_ms = statistics.median(pair.with_ms for pair in pairs)
    return {
        "rows": round(statistics.median(pair.found for pair in pairs)),
        "without_ms": without_ms,
        "with_ms": with_ms,
        "ratio": with_ms / without_ms,
        "more_ms": with_ms - without_ms,
        "aim": str(aim),
        "within": with_ms <= max(aim * without_ms, without_ms + AIM_MORE_MS),
        "settings_ms": statistics.median(pair.settings_ms for pair in pairs),
    }


@contextmanager
def timed(engine: Engine) -> Iterator[Stopwatch]:
    """Add up what the statements of an engine take."""
    watch, began = Stopwatch(), [0.0]

    def start(*_: object) -> None:
        began[0] = time.perf_counter()

    def stop(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        spent_ms = (time.perf_counter() - began[0]) * 1000
        if statement.startswith("SET "):
            watch.settings_ms += spent_ms
        else:
            watch.query_ms += spent_ms

    event.listen(engine, "before_cursor_execute", start)
    event.listen(engine, "after_cursor_execute", stop)
    try:
        yield watch
    finally:
        event.remove(engine, "before_cursor_execute", start)
        event.remove(engine, "after_cursor_execute", stop)
