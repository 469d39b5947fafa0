"""Household contacts over the wire: plans and their review, and who is contact of what."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.territory import CommunityCode
from gridsvc.contacts.model import PlanOptions

MAX_SOLVE_S = 300.0

StairwellCodeIn = Annotated[str, Field(pattern=r"^[0-9]{20}$", description="20 digits.")]
StairwellCodesIn = Annotated[list[StairwellCodeIn], Field(min_length=1, max_length=1000)]
CompoundCodeIn = Annotated[str, Field(pattern=r"^[0-9]{15}$", description="15 digits.")]
Change = Literal["kept", "new", "handed_over", "ended", "uncovered"]
Decision = Literal["open", "accepted", "overridden", "rejected"]
PlanReason = Literal[
    "own_stairwell",
    "own_building",
    "own_compound",
    "near",
    "far",
    "no_candidate",
    "all_unavailable",
    "excluded",
    "full",
]
OfCommunity = Annotated[CommunityCode | None, Query(description="Of this community only.")]
OfCompound = Annotated[
    str | None, Query(pattern=r"^[0-9]{15}$", description="Of this compound only: 15 digits.")
]
OfStairwell = Annotated[
    str | None, Query(pattern=r"^[0-9]{20}$", description="Of this stairwell only: 20 digits.")
]
Because = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


class PersonOut(BaseModel):
    """A member as a line names one."""

    model_config = ConfigDict(from_attributes=True)

    member_id: UUID
    name: str | None
    is_party_member: bool | None


class PlanOut(BaseModel):
    """A proposal for one community; ``gap`` is proven: no plan is better by more than that."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    id: UUID
    run_id: UUID
    kind: Literal["full", "hand_over"]
    status: Literal["proposed", "reviewed", "applied", "superseded", "withdrawn"]
    version: int = Field(description='One more with each decision; the ETag is `"v…"`.')
    created_at: datetime
    reviewed_at: datetime | None
    applied_at: datetime | None
    day: date = Field(description="First day on which it is meant to hold.")
    until: date | None = Field(description="First day on which the former contacts return.")
    change_at_most: int | None
    objective: int
    bound: float
    gap: float
    overload_households: int
    nearest_overload_households: int = Field(
        description="If every stairwell simply got its nearest member."
    )
    short_households: int = Field(
        description="Beyond the leads' shares, and no supporting contact was found for them."
    )
    weights: dict[str, Any] = Field(description="The policy: what is worse than what.")
    notes: dict[str, Any] = Field(description="What to know: codes and counts by kind.")
    stairwell_count: int
    covered_count: int
    to_decide: int = Field(description="Lines that change something and are open.")
    changes: dict[str, int] = Field(description="Lines by what they do to their stairwell.")
    decisions: dict[str, int]


class SupportOut(BaseModel):
    """A supporting contact, and for how many households."""

    model_config = ConfigDict(from_attributes=True)

    member_id: UUID
    name: str | None
    households: int
    reason: str
    distance_m: int


class PlanLineOut(BaseModel):
    """One stairwell of a plan: who, and why; or nobody, and why. Distances in metres."""

    model_config = ConfigDict(from_attributes=True)

    stairwell_code: str
    household_count: int
    change: Change
    decision: Decision
    member_id: UUID | None
    name: str | None
    is_party_member: bool | None
    reason: str
    distance_m: int | None
    former: PersonOut | None = Field(description="The lead when the line was decided on.")
    chosen: PersonOut | None = Field(description="Put in the place of the proposed one.")
    chosen_tier: str | None
    chosen_distance_m: int | None
    has_new_support: bool
    supporting: list[SupportOut]
    final_member_id: UUID | None = Field(description="Lead once this is applied as decided.")


class RunOut(BaseModel):
    """Plans of one run, a community each."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    gap: float
    plans: list[PlanOut]


class ProposeIn(BaseModel):
    """What to plan: one community, or the caller's whole territory."""

    model_config = ConfigDict(extra="forbid")

    community_code: CommunityCode | None = None
    time_limit_s: Annotated[float, Field(gt=0, le=MAX_SOLVE_S)] = 5.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    change_at_most: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        default=None,
        description="Of the leads who could go on, at most so many are replaced.",
    )
    mode: Literal["balanced", "strict"] = "balanced"
    party_first: bool = True
    households_per_contact: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Default: as the service is set."
    )
    supporting_at_most: Annotated[int, Field(ge=1, le=20)] | None = Field(
        default=None, description="Of a stairwell; default: as the service is set."
    )

    def options(self, defaults: PlanOptions) -> PlanOptions:
        """Return what the plan is to be like."""
        given = {
            name: value
            for name in ("households_per_contact", "supporting_at_most")
            if (value := getattr(self, name)) is not None
        }
        return PlanOptions(
            **(
                vars(defaults)
                | {
                    "change_at_most": self.change_at_most,
                    "mode": self.mode,
                    "party_first": self.party_first,
                }
                | given
            )
        )


class AcceptIn(BaseModel):
    """Take lines as proposed: these, the open ones of a compound, or with neither all open ones."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["accept"]
    stairwell_codes: StairwellCodesIn | None = None
    compound_code: CompoundCodeIn | None = None


class OverrideIn(BaseModel):
    """Put another member in the place of the proposed one, here and in later plans."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["override"]
    stairwell_code: StairwellCodeIn
    member_id: UUID


class RejectIn(BaseModel):
    """Refuse whom lines propose; the reason becomes an exclusion, for staff only to read."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    decision: Literal["reject"]
    stairwell_codes: StairwellCodesIn
    reason: Because


class ReopenIn(BaseModel):
    """Take decisions back, with the pins and exclusions that they made."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["reopen"]
    stairwell_codes: StairwellCodesIn


DecisionIn = Annotated[AcceptIn | OverrideIn | RejectIn | ReopenIn, Field(discriminator="decision")]


class PinOut(BaseModel):
    """A lead whom a coordinator chose, in every later plan."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    stairwell_code: str
    member_id: UUID
    name: str | None
    plan_id: UUID | None
    pinned_at: datetime


class LineExplanationOut(BaseModel):
    """Why a stairwell has the contact that was proposed; every reason was tested by solving again.

    ``why_not`` is what alone keeps it from ``next_best``. Distances in metres; savings in the units
    of the plan's weights.
    """

    model_config = ConfigDict(from_attributes=True)

    stairwell_code: str
    member: PersonOut | None
    tier: str | None
    distance_m: int | None
    load_households: int
    capacity_households: int
    load_stairwells: int
    capacity_stairwells: int
    next_best: PersonOut | None
    next_distance_m: int | None
    why_not: str
    saved_without: int
    costlier_by: int | None


class ExplainedOut(BaseModel):
    """Reasons of lines of a plan."""

    model_config = ConfigDict(from_attributes=True)

    has_changed: bool | None = Field(
        description="People or territory are no longer what the plan was made from; null: a "
        "hand-over, where that is not kept."
    )
    lines: list[LineExplanationOut]


class CompoundShortageOut(BaseModel):
    """What a compound lacks."""

    model_config = ConfigDict(from_attributes=True)

    compound_code: str
    households_short: int = Field(description="Beyond what contacts can carry, or without one.")
    stairwells_short: int
    people_short: int = Field(description="Contacts like the middle one who would make up for it.")


class ShortagesOut(BaseModel):
    """The compounds that lack people, by code."""

    items: list[CompoundShortageOut]


class CompoundSavingOut(BaseModel):
    """What one more member, living in a compound, would save."""

    model_config = ConfigDict(from_attributes=True)

    compound_code: str
    cost: int = Field(description="In the units of the plan's weights.")
    overload_households: int
    uncovered: int = Field(description="Stairwells that would get a contact who have none.")
    home_stairwell_code: str = Field(description="Where such a member had best live.")
    stairwells: int = Field(description="How many would be theirs.")


class HandOverIn(BaseModel):
    """Somebody leaves, or is away: others take over."""

    model_config = ConfigDict(extra="forbid")

    member_id: UUID
    from_on: date | None = Field(default=None, description="First day without; default: today.")
    until: date | None = Field(
        default=None, description="First day back: the cover ends by itself. Null: no return."
    )
    absence: Literal["leave", "moved", "ill", "other"] | None = Field(
        default=None, description="Note an absence of this kind, too."
    )
    apply: bool = Field(default=False, description="At once, without a review.")


class ContactOut(BaseModel):
    """A lead contact, the phone masked. Distance in metres."""

    model_config = ConfigDict(from_attributes=True)

    stairwell_code: str
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    since: date
    is_cover: bool = Field(description="Stands in for somebody who returns.")


class DutyOut(BaseModel):
    """A contact of a stairwell, the phone masked. Distance in metres."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    stairwell_code: str
    kind: Literal["lead", "supporting"]
    member_id: UUID
    name: str | None
    phone_masked: str | None
    is_party_member: bool | None
    tier: str
    distance_m: int
    households: int | None = Field(description="What a supporting contact takes over.")
    is_cover: bool
    since: date
    end: date | None = Field(description="First day after; null: until further notice.")


class HistoryOfContactsOut(BaseModel):
    """Everybody who was, is or will be contact of a stairwell, the newest first."""

    items: list[DutyOut]


class OwnStairwellOut(BaseModel):
    """A stairwell that the caller is contact of."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    stairwell_code: str
    kind: Literal["lead", "supporting"]
    household_count: int
    households: int | None
    is_cover: bool
    since: date
    end: date | None


class OwnStairwellsOut(BaseModel):
    """The stairwells that the caller is contact of."""

    items: list[OwnStairwellOut]


class AlertOut(BaseModel):
    """A stairwell whose lead cannot be asked; with no supporting contact there is nobody."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    stairwell_code: str
    household_count: int
    state: Literal["none", "left", "switched_off", "no_consent", "absent"]
    member_id: UUID | None
    name: str | None
    back_on: date | None
    supporting_count: int


class CoverageOut(BaseModel):
    """Stairwells in each state of coverage."""

    covered_party: int
    covered_other: int
    overloaded: int
    absent: int = Field(description="With a lead who cannot be asked today.")
    uncovered: int
