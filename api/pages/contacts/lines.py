"""Lines of a plan as the table shows them: by compound, with places in words and loads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Query

from api.schemas.contacts import Change
from geodata.codes import COMPOUND_DIGITS
from gridsvc.contacts.model import (
    CHANGES,
    DECISIONS,
    OPEN_STATUSES,
    TIERS,
    LineFilter,
    Plan,
    PlanLine,
)
from gridsvc.contacts.plans import service
from gridsvc.contacts.plans.candidates import Load, read_loads
from gridsvc.db import ScopedSession
from gridsvc.territory import service as territory

PAGE_LENGTH = 60
_ALL = 100_000
Empty = Literal[""]
State = Literal["to_decide", "all", "open", "accepted", "overridden", "rejected"]
Tier = Literal["own_stairwell", "own_building", "own_compound", "near", "far"]
STATES = ("to_decide", "all", *DECISIONS)


@dataclass(frozen=True)
class Sieve:
    """Which lines are shown, as the address has it; what is empty does not matter."""

    state: Annotated[State | Empty, Query()] = ""
    change: Annotated[Change | Empty, Query()] = ""
    tier: Annotated[Tier | Empty, Query()] = ""
    compound: Annotated[str, Query(pattern=r"^([0-9]{15})?$")] = ""
    after: Annotated[str, Query(pattern=r"^([0-9]{20})?$")] = ""

    @classmethod
    def parse(cls, query: str) -> "Sieve":
        """Return what a form says that its page had shown; what makes no sense is left out."""
        known: dict[str, Collection[str]] = {"state": STATES, "change": CHANGES, "tier": TIERS}
        given = {
            name: value
            for name, value in parse_qsl(query)
            if value in known.get(name, ())
            or (name == "compound" and _is_code(value, COMPOUND_DIGITS))
            or (name == "after" and _is_code(value, 20))
        }
        return cls(**given)  # type: ignore[arg-type]  # checked word by word

    def query(self, **changed: str) -> str:
        """Return the query of an address with some of it changed."""
        return urlencode(
            {name: value for name, value in ({**vars(self), **changed}).items() if value}
        )

    def settled(self, plan: Plan) -> "Sieve":
        """Return it with a state: what is to be decided, while there is something."""
        if self.state:
            return self
        is_open = plan.status in OPEN_STATUSES and plan.to_decide > 0
        state: State = "to_decide" if is_open else "all"
        return Sieve(state, self.change, self.tier, self.compound, self.after)

    def filter(self) -> LineFilter:
        """Return it as the service takes it."""
        return LineFilter(
            change=self.change or None,
            decision=self.state if self.state in DECISIONS else None,
            reason=self.tier or None,
            compound_code=self.compound or None,
            is_to_decide=self.state == "to_decide",
        )


def _is_code(text: str, digits: int) -> bool:
    return len(text) == digits and text.isascii() and text.isdigit()


@dataclass(frozen=True)
class Lead:
    """Who will lead a stairwell as it was decided so far; on open lines, who is proposed."""

    member_id: UUID
    name: str | None
    is_party_member: bool | None
    tier: str | None
    distance_m: int | None
    load: Load | None


@dataclass(frozen=True)
class Row:
    """A line with the words for its stairwell."""

    line: PlanLine
    place: str
    lead: Lead | None

    @property
    def is_to_decide(self) -> bool:
        """Whether it changes something and nobody has decided."""
        line = self.line
        is_change = line.change not in ("kept", "uncovered") or line.has_new_support
        return line.decision == "open" and is_change


@dataclass(frozen=True)
class Group:
    """The lines of a compound."""

    code: str
    name: str
    rows: Sequence[Row]

    @property
    def has_open(self) -> bool:
        """Whether there is something to accept at once."""
        return any(row.line.decision == "open" for row in self.rows)


def read_places(session: ScopedSession, codes: Collection[str]) -> dict[str, str]:
    """Return building and stairwell in words, of stairwells that are there today."""
    if not codes:
        return {}
    found = territory.list_stairwells(session, stairwell_codes=codes, limit=len(codes))
    return {one.code: f"{one.building_name} {one.name}" for one in found}


def read_long_places(session: ScopedSession, codes: Collection[str]) -> dict[str, str]:
    """Return compound, building and stairwell in words."""
    if not codes:
        return {}
    found = territory.list_stairwells(session, stairwell_codes=set(codes), limit=len(codes))
    return {one.code: f"{one.compound_name} {one.building_name} {one.name}" for one in found}


def read_compounds(session: ScopedSession, community_code: int) -> dict[str, str]:
    """Return the names of a community's compounds, by code."""
    found = territory.list_compounds(session, community_code=community_code, limit=_ALL)
    return {one.code: one.name for one in found}


def read_groups(
    session: ScopedSession, plan: Plan, sieve: Sieve, compounds: Mapping[str, str]
) -> tuple[list[Group], str]:
    """Return a page of lines by compound, and the code after which the next page begins."""
    lines = service.list_lines(
        session, plan.id, sieve.filter(), after=sieve.after, limit=PAGE_LENGTH + 1
    )
    shown = lines[:PAGE_LENGTH]
    places = read_places(session, [line.stairwell_code for line in shown])
    loads = read_loads(session, plan.id) if shown else {}
    rows = [row_of(line, places, loads) for line in shown]
    groups = [
        Group(code, compounds.get(code, code), list(members))
        for code, members in groupby(rows, lambda row: row.line.stairwell_code[:COMPOUND_DIGITS])
    ]
    return groups, shown[-1].stairwell_code if len(lines) > PAGE_LENGTH else ""


def row_of(line: PlanLine, places: Mapping[str, str], loads: Mapping[UUID, Load]) -> Row:
    """Return a line with the words for its stairwell, and who leads it."""
    place = places.get(line.stairwell_code, line.stairwell_code)
    return Row(line, place, _lead_of(line, loads))


def _lead_of(line: PlanLine, loads: Mapping[UUID, Load]) -> Lead | None:
    if line.decision == "overridden" and line.chosen:
        person, tier, distance_m = line.chosen, line.chosen_tier, line.chosen_distance_m
        return Lead(
            *(person.member_id, person.name, person.is_party_member),
            *(tier, distance_m, loads.get(person.member_id)),
        )
    if line.decision == "rejected":
        former = line.former
        if former is None:
            return None
        return Lead(
            *(former.member_id, former.name, former.is_party_member),
            *(None, None, loads.get(former.member_id)),
        )
    if line.member_id is None:
        return None
    return Lead(
        *(line.member_id, line.name, line.is_party_member),
        *(line.reason, line.distance_m, loads.get(line.member_id)),
    )
