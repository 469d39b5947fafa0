"""Why a plan says what it says: tested reasons, shortages, and what one more member would save.

The problem is read anew as it was proposed. Where people or territory have changed since, the
answer says so: it then explains the plan against how things are now.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gridsvc.contacts.explaining import Explanation, explain
from gridsvc.contacts.model import TIERS, Person, Plan
from gridsvc.contacts.plans import facts as reading
from gridsvc.contacts.plans import reviewing, store
from gridsvc.contacts.plans.facts import Facts
from gridsvc.contacts.problem import ContactSolution
from gridsvc.contacts.shortage import saving_of_one_more, shortages
from gridsvc.errors import InvalidChoiceError, NotFoundError

MOST_AT_ONCE = 100
_KEPT_PLANS = 16


@dataclass(frozen=True)
class LineExplanation:
    """Why a stairwell has the contact that was proposed.

    Attributes
    ----------
    member, tier, distance_m
        The proposed lead; absent: nobody.
    load_households, capacity_households, load_stairwells, capacity_stairwells
        What the lead carries in this plan, and said to be able to.
    next_best, next_distance_m
        Somebody who looks better, or the second choice.
    why_not
        What alone keeps the stairwell from ``next_best``, as `gridsvc.contacts.explaining` names
        it; ``none``: nothing alone does.
    saved_without
        What the re-solve without that reason saves, in the units of the plan's weights.
    costlier_by
        What it would cost more to have ``next_best``; absent where that is not allowed.
    """

    stairwell_code: str
    member: Person | None
    tier: str | None
    distance_m: int | None
    load_households: int
    capacity_households: int
    load_stairwells: int
    capacity_stairwells: int
    next_best: Person | None
    next_distance_m: int | None
    why_not: str
    saved_without: int
    costlier_by: int | None


@dataclass(frozen=True)
class Explained:
    """Reasons of some lines of a plan.

    Attributes
    ----------
    has_changed
        People or territory are no longer as they were when the plan was made; absent for a hand-
        over, which was made from a part of them.
    """

    has_changed: bool | None
    lines: tuple[LineExplanation, ...]


@dataclass(frozen=True)
class CompoundShortage:
    """What a compound lacks: room for households and stairwells, and people who would give it."""

    compound_code: str
    households_short: int
    stairwells_short: int
    people_short: int


@dataclass(frozen=True)
class CompoundSaving:
    """What one more member, living in a compound, would save.

    Attributes
    ----------
    cost
        In the units of the plan's weights.
    overload_households
        Households that nobody would have to carry beyond what they can any more.
    uncovered
        Stairwells that would get a contact who have none.
    home_stairwell_code, stairwells
        Where such a member had best live, and how many stairwells would be theirs.
    """

    compound_code: str
    cost: int
    overload_households: int
    uncovered: int
    home_stairwell_code: str
    stairwells: int


@dataclass
class _Answers:
    """Explanations of the last plans that were asked about, in this process; ids only."""

    kept: OrderedDict[tuple[UUID, str], dict[str, Explanation]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def of(self, key: tuple[UUID, str]) -> dict[str, Explanation]:
        """Return what is known of a plan, by stairwell."""
        with self.lock:
            answers = self.kept.setdefault(key, {})
            self.kept.move_to_end(key)
            while len(self.kept) > _KEPT_PLANS:
                self.kept.popitem(last=False)
            return answers


_ANSWERS = _Answers()


def explain_lines(session: Session, plan_id: UUID, *, stairwell_codes: Sequence[str]) -> Explained:
    """Explain lines of a plan, with reasons that were tested.

    Parameters
    ----------
    stairwell_codes
        At most `MOST_AT_ONCE`.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan, or the plan no such line.
    InvalidChoiceError
        Too many at once.
    """
    plan = reviewing.get(session, plan_id)
    if len(stairwell_codes) > MOST_AT_ONCE:
        raise InvalidChoiceError(f"At most {MOST_AT_ONCE} stairwells are explained at once.")
    found, solution, has_changed = _rebuilt(session, plan)
    _check(session, plan, found, stairwell_codes)
    answers = _ANSWERS.of((plan.id, found.fingerprint))
    missing = [code for code in stairwell_codes if code not in answers]
    if missing:
        grids = np.array([found.row_of[code] for code in missing], dtype=np.int64)
        told = explain(found.problem, solution, grids=grids, change_at_most=plan.change_at_most)
        answers.update(zip(missing, told, strict=True))
    reasons = [answers[code] for code in stairwell_codes]
    return Explained(has_changed, tuple(_named(session, found, reasons)))


def _check(session: Session, plan: Plan, found: Facts, codes: Sequence[str]) -> None:
    lines = {line["stairwell_code"] for line in store.read_lines(session, plan, codes=codes)}
    for code in codes:
        if code not in lines:
            raise NotFoundError("line of stairwell", code)
        if code not in found.row_of:  # ended since the plan was made: nobody is needed any more
            raise NotFoundError("longer a stairwell", code)


def _named(session: Session, found: Facts, reasons: Sequence[Explanation]) -> list[LineExplanation]:
    rows = {row for one in reasons for row in (one.member, one.next_best) if row >= 0}
    ids = {row: found.member_ids[row] for row in rows}
    people = store.read_people(
        session, community_code=found.community_code, member_ids=list(ids.values())
    )

    def person(row: int) -> Person | None:
        if row < 0:
            return None
        return people.get(ids[row], Person(ids[row], None, None))

    return [
        LineExplanation(
            stairwell_code=found.codes[one.grid],
            member=person(one.member),
            tier=TIERS[one.tier] if one.tier >= 0 else None,
            distance_m=_metres(one.distance_m),
            load_households=one.load_households,
            capacity_households=one.capacity_households,
            load_stairwells=one.load_stairwells,
            capacity_stairwells=one.capacity_stairwells,
            next_best=person(one.next_best),
            next_distance_m=_metres(one.next_distance_m),
            why_not=one.why_not,
            saved_without=one.saved_without,
            costlier_by=one.costlier_by,
        )
        for one in reasons
    ]


def _metres(distance_m: float) -> int | None:
    return None if np.isnan(distance_m) else round(distance_m)


def list_shortages(session: Session, plan_id: UUID) -> list[CompoundShortage]:
    """Return the compounds that lack people, by code; none where everybody has room enough.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    plan = reviewing.get(session, plan_id)
    found, solution, _ = _rebuilt(session, plan)
    compounds = _compounds(found)
    told = [
        CompoundShortage(
            compound_code=compounds[one.compound],
            households_short=one.households_short,
            stairwells_short=one.stairwells_short,
            people_short=one.people_short,
        )
        for one in shortages(found.problem, solution)
    ]
    return sorted(told, key=lambda one: one.compound_code)


def save_with_one_more(session: Session, plan_id: UUID, compound_code: str) -> CompoundSaving:
    """Return what one more member of a compound would save, tested by solving again.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan, or the plan no such compound.
    """
    plan = reviewing.get(session, plan_id)
    found, solution, _ = _rebuilt(session, plan)
    compounds = _compounds(found)
    if compound_code not in compounds:
        raise NotFoundError("compound of the plan", compound_code)
    saving = saving_of_one_more(found.problem, solution, compound=compounds.index(compound_code))
    return CompoundSaving(
        compound_code=compound_code,
        cost=saving.cost,
        overload_households=saving.overload_households,
        uncovered=saving.uncovered,
        home_stairwell_code=found.codes[saving.home_grid],
        stairwells=saving.stairwells,
    )


def _compounds(found: Facts) -> list[str]:
    """Return the codes of compounds by their number in the problem."""
    return [str(code) for code in found.stairwells["compound_code"].unique()]


def _rebuilt(session: Session, plan: Plan) -> tuple[Facts, ContactSolution, bool | None]:
    """Return what a plan was made from, its leads as an answer, and whether the former changed."""
    lines = store.read_lines(session, plan)
    rejected = {
        (line["stairwell_code"], line["member_id"])
        for line in lines
        if line["decision"] == "rejected"
    }
    found = reading.read(
        session,
        plan.community_code,
        day=plan.day,
        but_of=plan.id,
        not_excluded=rejected,
        leads={line["stairwell_code"]: line["former_member_id"] for line in lines},
    )
    members = {**found.leads, **{line["stairwell_code"]: line["member_id"] for line in lines}}
    solution = reading.solution_of(found.problem, reading.rows_of(found, members), plan)
    has_changed = store.find_hash(session, plan) != found.fingerprint
    return found, solution, has_changed if plan.kind == "full" else None
