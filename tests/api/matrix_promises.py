"""What a route can promise, what the owner counts, and what a request changed."""

# ruff: noqa: S608 - names of our own tables, and numbers

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient

from gridsvc.local_time import local_today
from tests.api.matrix import PLANNERS, A, B, C, Caller, Words, World
from tests.gridsvc.catalogue import FACTS

# ---- what the owner says that a caller gets


@dataclass(frozen=True)
class Rows:
    """Rows of a table, told by one column: those of a territory, of a contact the own ones."""

    table: str
    key: str = "id"
    where: str = "true"
    territory: str = "community_code"
    of_contact: str = "true"

    def query(self, caller: Caller, world: World) -> str:
        """Return the query of what the caller may see."""
        between = f"BETWEEN {caller.interval.lo} AND {caller.interval.hi}"
        own = self.of_contact if caller.kind == "contact" else "true"
        if "{own}" in own:
            own = own.format(own=own_stairwells(world.person(caller)))
        return (
            f"SELECT {self.key} FROM {self._source} WHERE {self.territory} {between}"
            f" AND {self.where} AND {own} ORDER BY 1"
        )

    def query_at(self, place: int) -> str:
        """Return the query of all that is in one place."""
        return (
            f"SELECT {self.key} FROM {self._source}"
            f" WHERE {self.territory} = {place} AND {self.where} ORDER BY 1"
        )

    @property
    def _source(self) -> str:
        return self.table if "." in self.table else f"gridsvc.{self.table}"


@dataclass(frozen=True)
class Offices(Rows):
    """Accounts whose office lies in a territory, and that see nothing beyond it."""

    table: str = "account a"
    territory: str = "office_code"

    def query(self, caller: Caller, world: World) -> str:
        beyond = f"s.lo < {caller.interval.lo} OR s.hi > {caller.interval.hi}"
        return (
            super()
            .query(caller, world)
            .replace(
                "ORDER",
                "AND NOT EXISTS (SELECT FROM gridsvc.account_scope s"
                f" WHERE s.account_id = a.id AND ({beyond})) ORDER",
            )
        )


def own_stairwells(person: UUID) -> str:
    """Return the query of the stairwells that somebody leads today."""
    return (
        f"SELECT stairwell_code FROM gridsvc.contact WHERE member_id = '{person}'"
        f" AND kind = 'lead' AND valid @> date '{local_today()}'"
    )


# ---- what a route promises

Found = Callable[[Response], Sequence[object]]
Tell = Callable[[World, Caller], Sequence[object]]


@dataclass(frozen=True)
class Lists:
    """A route that answers with rows; ``found`` reads from the answer what ``rows`` tells.

    Attributes
    ----------
    path, send
        What to ask, and with what, where the template is not enough.
    planner_rows
        What planners and keys get instead.
    nothing_for
        Who may call it and gets no rows even at home; for others none is a failure.
    """

    kinds: Words
    rows: Rows | Tell
    found: Found
    path: str = ""
    send: Mapping[str, Any] = field(default_factory=dict)
    planner_rows: Rows | Tell | None = None
    nothing_for: Words = frozenset()

    def expected(self, world: World, caller: Caller) -> list[str]:
        if caller.kind in self.nothing_for:
            return []
        rows = self.rows
        if self.planner_rows is not None and caller.kind in PLANNERS:
            rows = self.planner_rows
        if isinstance(rows, Rows):
            return world.once(rows.query(caller, world))
        return [str(value) for value in rows(world, caller)]


@dataclass(frozen=True)
class One:
    """A route that answers with one thing, by the code or id in its path.

    Attributes
    ----------
    rows
        The things that can be asked for.
    path
        What to ask, with ``{id}``, where the template has more than one name.
    found, within
        What is read from an answer, and the query with ``{id}`` that tells it; default: the thing
        itself is there.
    """

    kinds: Words
    rows: Rows
    found: Found | None = None
    within: str = ""
    path: str = ""

    def expected(self, world: World, thing: str) -> list[str]:
        return world.once(self.within.format(id=thing)) if self.within else [thing]

    def read(self, answer: Response) -> Sequence[object]:
        return self.found(answer) if self.found else [answer.json()[self.rows.key]]


@dataclass(frozen=True)
class Alike:
    """A route that says the same to everybody who may call it."""

    kinds: Words
    path: str = ""


@dataclass(frozen=True)
class Public:
    """A route that tells everybody the same of a territory: what is published."""

    kinds: Words
    path: str


@dataclass(frozen=True)
class Frame:
    """A page that holds no rows; what it offers to choose lies in the caller's territory."""

    kinds: Words


@dataclass(frozen=True)
class Shut:
    """A route that answers nobody here: its condition is met in tests of its own."""

    kinds: Words
    status: int


@dataclass(frozen=True)
class Ask:
    """A request; ``by`` asks instead of the caller's usual client."""

    method: str
    path: str
    send: Mapping[str, Any] = field(default_factory=dict)
    by: TestClient | None = None


@dataclass(frozen=True)
class Changes:
    """A route that changes rows: of these tables, in the place that was meant, and no other.

    Attributes
    ----------
    ask
        Returns the request that means a place, which may be `NOWHERE`.
    tables, perhaps
        Those whose rows must differ afterwards, and those whose rows may.
    foreign
        Status for a place that is not the caller's.
    places
        What a request can mean; empty: always what is the caller's.
    where
        In which communities facts change, by caller and place; default: that place.
    anothers
        Returns a request that means what belongs to somebody else.
    nothing_for
        Who is answered although there is nothing to change.
    """

    kinds: Words
    ask: "Request"
    tables: Words
    perhaps: Words = frozenset()
    foreign: int = 404
    places: tuple[int, ...] = (A, B, C)
    where: Callable[[Caller, int], AbstractSet[int]] = lambda _, place: {place}
    anothers: "Request | None" = None
    nothing_for: Words = frozenset()

    def differences(self, caller: Caller, place: int, tables: Words) -> set[tuple[str, int]]:
        """Return where a change may be seen: facts in their communities, others under 0."""
        return {
            (table, at)
            for table in tables
            for at in (self.where(caller, place) if table in FACTS else {0})
        }


Request = Callable[[World, Caller, int], Ask]
Promise = Lists | One | Alike | Public | Frame | Shut | Changes


# ---- what a request changed

# The first counts tries, and so must change.
_NO_DATA = {"throttle", "alembic_version"}
# When these were last used is noted by and by.
_NOTED = {"api_key": "- 'used_at'", "sign_in": "- 'used_at'"}
State = dict[tuple[str, int], tuple[int, str]]


def state_of(world: World) -> State:
    """Return count and checksum of every table in every community; 0 for reference tables."""
    facts = dict.fromkeys(_tables(world, "="), True) | dict.fromkeys(_tables(world, "<>"), False)
    parts = [
        f"SELECT '{name}', {'community_code' if is_fact else '0::bigint'}, count(*),"
        f" md5(string_agg((to_jsonb(t) {_NOTED.get(name, '')})::text, '' ORDER BY t.*::text))"
        f" FROM gridsvc.{name} t GROUP BY 2"
        for name, is_fact in sorted(facts.items())
        if name not in _NO_DATA
    ]
    with world.clone.root.connect() as connection:
        rows = connection.execute(text(" UNION ALL ".join(parts).replace("::", "\\:\\:")))
        return {(str(row[0]), int(row[1])): (int(row[2]), str(row[3])) for row in rows}


def _tables(world: World, sign: str) -> list[str]:
    return world.once(
        "SELECT relname FROM pg_class c WHERE relnamespace = 'gridsvc'::regnamespace"
        " AND relkind = 'r' AND (SELECT count(*) FROM pg_attribute WHERE attrelid = c.oid"
        f" AND attname = 'community_code') {sign} 1"
    )


def changed(before: State, after: State) -> set[tuple[str, int]]:
    """Return in which tables and communities two states differ."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
