"""Household contacts in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

PLAN_KINDS = ("full", "hand_over")
PLAN_STATUSES = ("proposed", "reviewed", "applied", "superseded", "withdrawn")
OPEN_STATUSES = ("proposed", "reviewed")
"""Of plans that can still be decided on."""

TIERS = ("own_stairwell", "own_building", "own_compound", "near", "far")
UNCOVERED_REASONS = ("no_candidate", "all_unavailable", "excluded", "full")
REASONS = TIERS + UNCOVERED_REASONS
CHANGES = ("kept", "new", "handed_over", "ended", "uncovered")
"""What a line does to a stairwell: the last one had nobody, and gets nobody."""

DECISIONS = ("open", "accepted", "overridden", "rejected")


@dataclass(frozen=True)
class PlanOptions:
    """What a plan is to be like.

    Attributes
    ----------
    change_at_most
        Stairwells whose present lead, still able to go on, may be replaced; absent: no limit but
        the price of a change.
    mode
        ``balanced`` weighs wishes against each other; ``strict`` takes them one after another.
    party_first
        A Party member comes before any nearer member.
    households_per_contact, supporting_at_most
        From how many households a stairwell needs one more contact, and how many supporting ones
        it gets.
    """

    change_at_most: int | None = None
    mode: Literal["balanced", "strict"] = "balanced"
    party_first: bool = True
    households_per_contact: int = 15
    supporting_at_most: int = 4


@dataclass(frozen=True)
class Plan:
    """One community's part of a proposal, how good it is, and how far its review is.

    Attributes
    ----------
    kind
        ``full``: every stairwell; ``hand_over``: those whose lead goes, and what follows from it.
    version
        One more with each decision; the ETag.
    day, until
        First day on which the plan is meant to hold, and the first on which the former contacts
        return; absent: they do not.
    objective, bound
        In the units of ``weights``; no plan can cost less than ``bound``.
    overload_households, nearest_overload_households
        Households above what their contacts can carry: in this plan, and if every stairwell
        simply got its nearest member.
    short_households
        Households beyond a lead's share that no supporting contact could be found for.
    weights
        The policy, by name.
    changes, decisions
        Lines by `CHANGES` and by `DECISIONS`, each named.
    to_decide
        Lines that change something and that nobody has decided on yet.
    notes
        What a reader must know, by kind: codes of stairwells, or a count.
    """

    community_code: int
    id: UUID
    run_id: UUID
    kind: str
    status: str
    version: int
    created_at: datetime
    reviewed_at: datetime | None
    applied_at: datetime | None
    day: date
    until: date | None
    change_at_most: int | None
    objective: int
    bound: float
    overload_households: int
    nearest_overload_households: int
    short_households: int
    weights: Mapping[str, Any]
    notes: Mapping[str, Any]
    stairwell_count: int
    covered_count: int
    to_decide: int
    changes: Mapping[str, int] = field(default_factory=dict)
    decisions: Mapping[str, int] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """Share by which the plan can at most be improved."""
        return (self.objective - self.bound) / self.objective if self.objective else 0.0


@dataclass(frozen=True)
class Contact:
    """The lead contact of a stairwell, with the phone masked.

    Attributes
    ----------
    is_cover
        Stands in for somebody who is absent.
    """

    stairwell_code: str
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    since: date
    is_cover: bool = False


@dataclass(frozen=True)
class Person:
    """A member as a line of a plan names one; names are for staff."""

    member_id: UUID
    name: str | None
    is_party_member: bool | None


@dataclass(frozen=True)
class Support:
    """A supporting contact of a line, and for how many households."""

    member_id: UUID
    name: str | None
    households: int
    reason: str
    distance_m: int


@dataclass(frozen=True)
class PlanLine:
    """One stairwell of a plan: who, and why; or nobody, and why; and what was decided.

    Attributes
    ----------
    member_id, name, is_party_member, reason, distance_m
        As proposed.
    former
        The lead when the line was made, or last decided on.
    chosen, chosen_tier, chosen_distance_m
        Whom a coordinator put in the place of the proposed one.
    has_new_support
        The supporting contacts are others than today's.
    """

    stairwell_code: str
    household_count: int
    change: str
    decision: str
    member_id: UUID | None
    name: str | None
    is_party_member: bool | None
    reason: str
    distance_m: int | None
    former: Person | None
    chosen: Person | None
    chosen_tier: str | None
    chosen_distance_m: int | None
    has_new_support: bool
    supporting: tuple[Support, ...] = ()

    @property
    def final_member_id(self) -> UUID | None:
        """Who will be lead when the plan is applied as it has been decided."""
        if self.decision == "overridden":
            return self.chosen.member_id if self.chosen else None
        if self.decision == "accepted":
            return self.member_id
        return self.former.member_id if self.former else None


@dataclass(frozen=True)
class LineFilter:
    """Which lines of a plan to list; what is absent does not matter."""

    change: str | None = None
    decision: str | None = None
    reason: str | None = None
    compound_code: str | None = None
    stairwell_code: str | None = None
    is_to_decide: bool = False


@dataclass(frozen=True)
class Pin:
    """A lead whom a coordinator chose for a stairwell, in every later plan."""

    community_code: int
    stairwell_code: str
    member_id: UUID
    name: str | None
    plan_id: UUID | None
    pinned_at: datetime


@dataclass(frozen=True)
class Run:
    """What one planning run over several communities came to.

    Attributes
    ----------
    gap
        Proven: the sum of objectives can be at most this share lower.
    """

    id: UUID
    plans: tuple[Plan, ...]

    @property
    def gap(self) -> float:
        """Share by which the whole run can at most be improved."""
        objective = sum(plan.objective for plan in self.plans)
        bound = sum(plan.bound for plan in self.plans)
        return (objective - bound) / objective if objective else 0.0
