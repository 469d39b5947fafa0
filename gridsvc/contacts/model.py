"""Household contacts in plain Python."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

PLAN_STATUSES = ("proposed", "applied", "superseded")
TIERS = ("own_stairwell", "own_building", "own_compound", "near", "far")
UNCOVERED_REASONS = ("no_candidate", "all_unavailable", "excluded", "full")
REASONS = TIERS + UNCOVERED_REASONS


@dataclass(frozen=True)
class Plan:
    """One community's part of a proposal, and how good it is.

    Attributes
    ----------
    objective, bound
        In the units of ``weights``; no plan can cost less than ``bound``.
    overload_households, nearest_overload_households
        Households above what their contacts can carry: in this plan, and if every stairwell
        simply got its nearest member.
    """

    community_code: int
    id: UUID
    run_id: UUID
    status: str
    created_at: datetime
    applied_at: datetime | None
    objective: int
    bound: float
    overload_households: int
    nearest_overload_households: int
    stairwell_count: int
    covered_count: int

    @property
    def gap(self) -> float:
        """Share by which the plan can at most be improved."""
        return (self.objective - self.bound) / self.objective if self.objective else 0.0


@dataclass(frozen=True)
class Contact:
    """The lead contact of a stairwell, with the phone masked."""

    stairwell_code: str
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    since: date


@dataclass(frozen=True)
class PlanLine:
    """One stairwell of a plan: who, and why; or nobody, and why."""

    stairwell_code: str
    member_id: UUID | None
    name: str | None
    is_party_member: bool | None
    reason: str
    distance_m: int | None


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
