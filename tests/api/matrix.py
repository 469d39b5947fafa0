"""The matrix's callers: every kind of them, for every kind of territory, over town and neighbour.

What routes can promise is in matrix_promises.py. The table itself, a line for each route, is in
matrix_reads.py, matrix_changes.py (the territory's), matrix_own.py and matrix_office.py.
"""

# ruff: noqa: S608 - names of our own tables, and numbers

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from starlette.testclient import TestClient

from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tokens import hashed, new_token
from gridsvc.db import Interval
from tests import neighbour, town
from tests.api.service import Service, serving
from tests.databases import Clone

A, B, STREET, C = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET, neighbour.HARBOUR
TERRITORIES = {"own": A, "sibling": B, "parent": STREET, "other": C}
"""The territories of callers; rows lie in A, B, C, and in STREET what is outside A and B."""
PLACES = (A, B, STREET, C)
NOWHERE = neighbour.STREET + 999
"""A community that is not there."""

STAFF = frozenset({"coordinator", "administrator"})
PATROLS = STAFF | {"patrol"}
FIELD = PATROLS | {"contact"}
PLANNERS = frozenset({"planner", "key"})
ACCOUNTS = FIELD | {"planner", "resident"}
SIGNED_IN = ACCOUNTS | {"key"}
EVERYBODY = SIGNED_IN | {"visitor"}
ADMINISTRATORS = frozenset({"administrator"})
KEEPERS = STAFF | {"planner"}
"""Who may have API keys."""
KINDS = ("visitor", "resident", "contact", "patrol", *sorted(STAFF), "planner", "key")


Words = AbstractSet[str]


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: a role, a visitor without an account, or an API key; and for where."""

    kind: str
    code: int

    @property
    def interval(self) -> Interval:
        return Interval.of(self.code)

    def has(self, place: int) -> bool:
        return self.interval.lo <= place <= self.interval.hi


@dataclass(frozen=True)
class World:
    """Town and neighbour behind the service, with callers of every kind."""

    service: Service
    _clients: dict[Caller, TestClient] = field(default_factory=dict)
    _accounts: dict[Caller, DevelopmentAccount] = field(default_factory=dict)
    _known: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clone(self) -> Clone:
        return self.service.clone

    def client(self, caller: Caller) -> TestClient:
        """Return the caller, signed in; the same one each time."""
        if caller not in self._clients:
            self._clients[caller] = self.new_client(caller)
        return self._clients[caller]

    def new_client(self, caller: Caller) -> TestClient:
        """Return the caller with a sign-in of its own."""
        if caller.kind == "visitor":
            return self.service.visitor()
        if caller.kind == "key":
            owner = self.service.account("administrator", (caller.code,))
            client = self.service.visitor()
            client.headers["Authorization"] = f"Bearer {self.add_key(owner.id, caller)}"
            return client
        return self.service.sign_in(self.account(caller))

    def twin(self, caller: Caller) -> TestClient:
        """Return somebody new like the caller, whose sign-ins may end without ending others."""
        if caller.kind not in ACCOUNTS:
            return self.new_client(caller)
        return self.service.sign_in(self.service.account(caller.kind, (caller.code,)))

    def account(self, caller: Caller) -> DevelopmentAccount:
        """Return the caller's account, with one API key where the role may have any."""
        if caller not in self._accounts:
            account = self.service.account(caller.kind, (caller.code,))
            if caller.kind == "contact":
                statement = f"UPDATE gridsvc.account SET person_id = '{self.person(caller)}'"
                self.clone.run(f"{statement} WHERE id = '{account.id}'")
            if caller.kind in KEEPERS:
                self.add_key(account.id, caller)
            self._accounts[caller] = account
        return self._accounts[caller]

    def add_key(self, owner_id: UUID, caller: Caller) -> str:
        """Write an API key for a caller's territory, and return it with its secret."""
        key_id, secret = uuid4().hex[:16], new_token()
        with self.clone.root.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO gridsvc.api_key (id, account_id, name, secret_hash, lo, hi,"
                    " expires_at) VALUES (:id, :owner, 'matrix', :hash, :lo, :hi, now() + :lasts)"
                ),
                {
                    "id": key_id,
                    "owner": owner_id,
                    "hash": hashed(secret),
                    "lo": caller.interval.lo,
                    "hi": caller.interval.hi,
                    "lasts": timedelta(days=1),
                },
            )
        return f"gk_{key_id}_{secret}"

    def person(self, caller: Caller) -> UUID:
        """Return the member behind a contact's account: the lead where most is reported."""
        lo, hi = caller.interval.lo, caller.interval.hi
        query = (
            "SELECT member_id FROM gridsvc.contact c JOIN gridsvc.incident USING (stairwell_code)"
            f" WHERE c.community_code BETWEEN {lo} AND {hi}"
            " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        return UUID(self.owner(query)[0])

    def owner(self, query: str) -> list[str]:
        """Return the first column of a query as superuser, past every policy, as text."""
        with self.clone.root.connect() as connection:
            return [str(value) for value in connection.scalars(text(query.replace(":", "\\:")))]

    def once(self, query: str) -> list[str]:
        """Return `owner` of rows that no test changes."""
        if query not in self._known:
            self._known[query] = self.owner(query)
        return self._known[query]


@contextmanager
def world_of(clone: Clone) -> Iterator[World]:
    """Serve a clone of the town, to which the neighbour is added."""
    neighbour.live(clone.job)
    with serving(clone) as service:
        world = World(service)
        # Two communities that are alike could pass for each other.
        clone.run(
            "DELETE FROM gridsvc.contact"
            f" WHERE stairwell_code = '{town.stairwell_code(B, compound=2)}'"
        )
        for kind in KINDS:  # before anything is counted: accounts are rows too
            for code in TERRITORIES.values():
                world.client(Caller(kind, code))
        yield world
