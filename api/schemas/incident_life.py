"""Steps, events, work lists and parties over the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.incidents import IncidentOut
from api.schemas.territory import CommunityCode
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.lists.model import Chosen
from gridsvc.incidents.lists.service import MOST_AT_ONCE
from gridsvc.incidents.model import NOTE_LENGTH
from gridsvc.incidents.parties.model import EMAIL_LENGTH, NAME_LENGTH

StepKind = Literal[
    "triage",
    "assign",
    "start",
    "answer",
    "resolve",
    "verify",
    "refuse",
    "close",
    "reopen",
    "mark_duplicate",
    "not_ours",
    "move",
    "hang",
    "resume",
    "hand_back",
    "escalate",
    "note",
]
PartyStepKind = Literal["start", "answer", "resolve", "hang", "hand_back", "note"]
PartyKind = Literal["property_company", "bureau", "utility", "other"]
Level = Literal["compound", "community", "street"]
WorkList = Literal["mine", "overdue", "unassigned", "unverified", "hung", "open"]
# PostgreSQL has no place for a NUL in text.
Note = Annotated[str, Field(max_length=NOTE_LENGTH, pattern=r"^[^\x00]*$")]
Token = Annotated[str, Field(min_length=1, max_length=120)]


class StepIn(BaseModel):
    """A step, with what it needs: a note, whom to, what of."""

    model_config = ConfigDict(extra="forbid")

    step: StepKind
    note: Note = ""
    is_public: bool | None = Field(
        default=None, description="Whether the reporter reads it; default: depends on the step."
    )
    account_id: UUID | None = Field(default=None, description="Whom to, for `assign`.")
    party_id: UUID | None = Field(default=None, description="Or which party, for `assign`.")
    original_id: UUID | None = Field(default=None, description="For `mark_duplicate`.")
    community_code: CommunityCode | None = Field(
        default=None, description="Where it belongs, for `move`."
    )
    category_code: str | None = Field(
        default=None, max_length=60, pattern=r"^[^\x00]*$", description="For `triage`."
    )
    level: Level | None = Field(default=None, description="For `escalate`; default: the next.")

    def wanted(self) -> Step:
        """Return the step that is meant."""
        return Step(
            self.step,
            note=self.note,
            is_public=self.is_public,
            account=self.account_id,
            party=self.party_id,
            original=self.original_id,
            community_code=self.community_code,
            category_code=self.category_code,
            level=self.level,
        )


class EventOut(BaseModel):
    """A step that was made."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    position: int = Field(description="The version of the incident after it.")
    step: str
    status_before: str | None
    status_after: str
    at: datetime
    actor_kind: Literal["account", "party", "reporter", "rule"]
    actor_account: UUID | None
    note: str
    is_public: bool
    details: dict[str, Any] = Field(description="Ids and codes.")


class EventsOut(BaseModel):
    """What happened to an incident, the first thing first."""

    items: list[EventOut]


class ListCountsOut(BaseModel):
    """How many incidents each work list holds; 1,000 means that many or more."""

    mine: int
    overdue: int
    unassigned: int
    unverified: int
    hung: int
    open: int


class ChosenIn(BaseModel):
    """An incident, and the version that was seen."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    version: int | None = Field(default=None, ge=1, description="Absent: whatever it is now.")

    def chosen(self) -> Chosen:
        """Return what is meant."""
        return Chosen(self.id, self.version)


class AssignManyIn(BaseModel):
    """Incidents, and one account or party to hand them to."""

    model_config = ConfigDict(extra="forbid")

    incidents: list[ChosenIn] = Field(min_length=1, max_length=MOST_AT_ONCE)
    account_id: UUID | None = None
    party_id: UUID | None = None
    note: Note = ""

    def wanted(self) -> Step:
        """Return the step that is meant."""
        return Step("assign", note=self.note, account=self.account_id, party=self.party_id)


class AssignedOut(BaseModel):
    """What came of one of them; with an error, it was left as it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int | None
    error_code: str | None
    detail: str | None


class AssignedManyOut(BaseModel):
    """What came of each, in the order asked."""

    items: list[AssignedOut]


class PartyIn(BaseModel):
    """A party without an account; its address is kept encrypted and shown to nobody."""

    model_config = ConfigDict(extra="forbid")

    community_code: CommunityCode
    name: str = Field(min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")
    kind: PartyKind
    email: str | None = Field(default=None, max_length=EMAIL_LENGTH, pattern=r"^[^\x00]*$")


class PartyChangeIn(BaseModel):
    """What is to change of a party; an email of null is forgotten."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")
    kind: PartyKind = "other"
    email: str | None = Field(default=None, max_length=EMAIL_LENGTH, pattern=r"^[^\x00]*$")
    is_retired: bool = False


class PartyOut(BaseModel):
    """A party."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    community_code: int
    name: str
    kind: PartyKind
    has_email: bool
    is_retired: bool


class PartiesOut(BaseModel):
    """Parties, by name."""

    items: list[PartyOut]


class LinkOut(BaseModel):
    """A link by which a party answers; told once."""

    incident_id: UUID
    party_id: UUID
    url: str = Field(description="What follows `#` never reaches a server's log.")
    expires_at: datetime


class HandedIn(BaseModel):
    """The token of a party's link."""

    model_config = ConfigDict(extra="forbid")

    token: Token


class HandedStepIn(HandedIn):
    """What a party says or does about the incident of its link."""

    step: PartyStepKind
    note: Note = ""

    def wanted(self) -> Step:
        """Return the step that is meant."""
        return Step(self.step, note=self.note, by="party")


class HandedOut(BaseModel):
    """The incident of a link, and what its reporter may read of it."""

    incident: IncidentOut
    events: list[EventOut]


class FiguresOut(BaseModel):
    """Incidents of one class, compound, community or month; hours are a clock's."""

    model_config = ConfigDict(from_attributes=True)

    key: str = Field(description="Class, code or month; empty: outside every compound.")
    incidents: int
    answered: int
    answer_h: float | None = Field(description="Until the first answer; the middle one.")
    solved: int
    solution_h: float | None = Field(description="Until the solution; the middle one.")
    solved_in_compound: int
    share_in_compound: float | None
    reopened: int
    reopen_rate: float | None


class NumbersOut(BaseModel):
    """Figures, by key."""

    items: list[FiguresOut]
