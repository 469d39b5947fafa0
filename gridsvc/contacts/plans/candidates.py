"""Who else could lead a stairwell of a plan, and what everybody carries in it so far."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gridsvc.contacts.model import TIERS
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans import reviewing, store
from gridsvc.contacts.plans.facts import Facts
from gridsvc.errors import NotFoundError


@dataclass(frozen=True)
class Load:
    """What a lead carries, and has said to be able to."""

    households: int
    capacity_households: int
    stairwells: int
    capacity_stairwells: int

    @property
    def is_over(self) -> bool:
        """Whether it is too much."""
        return (
            self.households > self.capacity_households or self.stairwells > self.capacity_stairwells
        )


@dataclass(frozen=True)
class Candidate:
    """A member who can be asked, and is not excluded from the stairwell; their load without it."""

    member_id: UUID
    name: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    load: Load


def read_loads(session: Session, plan_id: UUID) -> dict[UUID, Load]:
    """Return what each lead will carry if a plan is applied as proposed and decided so far.

    Lines that are open count as proposed, stairwells without a line as they are led today.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    plan = reviewing.get(session, plan_id)
    found = reading.read(session, plan.community_code, day=plan.day)
    return _loads(found, _leads(found, store.read_lines(session, plan)))


def list_candidates(
    session: Session, plan_id: UUID, stairwell_code: str, *, limit: int = 8
) -> list[Candidate]:
    """Return at most ``limit`` members who could lead a stairwell, by tier, then the nearest first.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan or stairwell.
    """
    plan = reviewing.get(session, plan_id)
    found = reading.read(session, plan.community_code, day=plan.day)
    if stairwell_code not in found.row_of:
        raise NotFoundError("stairwell", stairwell_code)
    leads = _leads(found, store.read_lines(session, plan))
    loads = _loads(found, {code: one for code, one in leads.items() if code != stairwell_code})
    free = np.array(
        [
            row
            for row, member_id in enumerate(found.member_ids)
            if found.can_lead(stairwell_code, member_id)
        ],
        dtype=np.int64,
    )
    grid = np.full(len(free), found.row_of[stairwell_code], dtype=np.int64)
    tier, distance_m = reading.places(found.problem, grid, free)
    best = np.lexsort((distance_m, tier))[:limit]
    ids = [found.member_ids[free[place]] for place in best]
    people = store.read_people(session, community_code=plan.community_code, member_ids=ids)
    return [
        Candidate(
            member_id=member_id,
            name=people[member_id].name if member_id in people else None,
            is_party_member=people[member_id].is_party_member if member_id in people else None,
            tier=TIERS[int(tier[place])],
            distance_m=round(float(distance_m[place])),
            load=loads[member_id],
        )
        for member_id, place in zip(ids, best, strict=True)
    ]


def _leads(found: Facts, lines: list[dict[str, object]]) -> dict[str, object]:
    """Return the lead of each stairwell as proposed and decided so far."""
    leads: dict[str, object] = dict(found.leads)
    for line in lines:
        column = {"overridden": "chosen_member_id", "rejected": "former_member_id"}
        code = str(line["stairwell_code"])
        leads[code] = line[column.get(str(line["decision"]), "member_id")]
    return leads


def _loads(found: Facts, leads: Mapping[str, object]) -> dict[UUID, Load]:
    households: Counter[object] = Counter()
    stairwells: Counter[object] = Counter()
    counts = dict(zip(found.codes, found.stairwells["household_count"], strict=True))
    for code, member_id in leads.items():
        if code in counts and member_id is not None:
            households[member_id] += int(counts[code])
            stairwells[member_id] += 1
    frame = found.members
    return {
        member_id: Load(households[member_id], int(most), stairwells[member_id], int(at_most))
        for member_id, most, at_most in zip(
            found.member_ids,
            frame["capacity_households"],
            frame["capacity_stairwells"],
            strict=True,
        )
    }
