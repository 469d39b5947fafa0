"""Members over the wire: phones masked, but in the answer to a reveal."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gridsvc.people.importing.model import Report
from gridsvc.people.register.model import Draft, Home, Hours, Member
from gridsvc.people.register.service import PostDraft

Purpose = Literal["contact_duty", "incident", "emergency", "correction"]
Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


class SearchIn(BaseModel):
    """What to look for: part of a name, or a whole masked phone."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    words: Words


class FoundMemberOut(BaseModel):
    """A member, the phone masked."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    is_party_member: bool | None
    is_available: bool
    posts: list[str] = Field(description="Offices held, such as building_chief.")


class FoundOut(BaseModel):
    """At most fifty members, by name."""

    items: list[FoundMemberOut]
    is_cut: bool = Field(description="There are more: ask for more of the name.")


class RevealIn(BaseModel):
    """What the phone is needed for; it is noted."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class RevealedOut(BaseModel):
    """Name and phone in clear; keep them nowhere."""

    model_config = ConfigDict(from_attributes=True)

    member_id: UUID
    name: str
    phone: str | None


Affiliation = Literal["party_member", "league_member", "masses"]
PostKind = Literal["building_chief", "lane_chief", "street_chief"]
AbsenceKind = Literal["leave", "moved", "ill", "other"]
StairwellIn = Annotated[str, Field(pattern=r"^[0-9]{20}$")]
BuildingIn = Annotated[str, Field(pattern=r"^[0-9]{18}$")]
CompoundIn = Annotated[str, Field(pattern=r"^[0-9]{15}$")]
PersonName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Phone = Annotated[
    str, Field(max_length=30, description="A mobile number, or a landline with its area code.")
]
Minute = Annotated[int, Field(ge=0, le=1440, description="Since midnight, Asia/Shanghai.")]
Version = Annotated[int, Field(ge=1, lt=2**31)]
Households = Annotated[int, Field(ge=1, le=1000)]
Stairwells = Annotated[int, Field(ge=1, le=100)]
Codes = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=40)]
Since = Annotated[date, Field(description="First day.")]
Until = Annotated[
    date | None,
    Field(description="First day on which it holds no more; null: until further notice."),
]
Why = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*\S[^\x00]*$")]


class PersonIn(BaseModel):
    """What is sent about people is not sent back in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class HomeIn(PersonIn):
    """Where somebody lives: a stairwell, else a building, else a point (EPSG:4326)."""

    stairwell_code: StairwellIn | None = None
    building_code: BuildingIn | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None

    def home(self) -> Home:
        """Return it as the service takes it."""
        return Home(self.stairwell_code, self.building_code, self.lon, self.lat)


class HoursIO(BaseModel):
    """A time of the week; Monday is 1."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")

    weekday: Annotated[int, Field(ge=1, le=7)]
    from_minute: Minute
    to_minute: Minute

    def hours(self) -> Hours:
        """Return it as the service takes it."""
        return Hours(self.weekday, self.from_minute, self.to_minute)


class MemberIn(PersonIn):
    """A new member; without a consent nobody is kept."""

    community_code: Annotated[int, Field(ge=100_000_000_000, le=999_999_999_999)]
    name: PersonName
    phone: Phone | None = None
    affiliation: Affiliation
    home: HomeIn
    capacity_households: Households
    capacity_stairwells: Stairwells
    consented_on: Annotated[date, Field(description="Day on which the member agreed.")]
    reported_in_on: date | None = None
    branch_id: UUID | None = None
    skills: Codes = []
    dialects: Codes = []
    hours: Annotated[list[HoursIO], Field(max_length=50)] = []
    is_available: bool = True

    def draft(self) -> Draft:
        """Return it as the service takes it."""
        given = self.model_dump(exclude={"home", "hours", "skills", "dialects"})
        return Draft(
            **given,
            home=self.home.home(),
            hours=tuple(one.hours() for one in self.hours),
            skills=tuple(self.skills),
            dialects=tuple(self.dialects),
        )


class MemberChangeIn(PersonIn):
    """What is to be different; what is left out stays."""

    name: PersonName | None = None
    phone: Phone | None = None
    affiliation: Affiliation | None = None
    home: HomeIn | None = None
    capacity_households: Households | None = None
    capacity_stairwells: Stairwells | None = None
    reported_in_on: date | None = None
    branch_id: UUID | None = None
    skills: Codes | None = None
    dialects: Codes | None = None
    hours: Annotated[list[HoursIO], Field(max_length=50)] | None = None
    is_available: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return what is given; null takes a phone, a day or a branch away, else says nothing."""
        given = {
            name: getattr(self, name)
            for name in self.model_fields_set
            if getattr(self, name) is not None or name in _REMOVABLE
        }
        if self.home is not None:
            given["home"] = self.home.home()
        if self.hours is not None:
            given["hours"] = tuple(one.hours() for one in self.hours)
        return given


_REMOVABLE = {"phone", "reported_in_on", "branch_id"}


class AbsenceIn(PersonIn):
    """Days on which a member cannot be asked."""

    kind: AbsenceKind
    since: Since
    until: Until = None


class ExclusionIn(PersonIn):
    """A stairwell, or another member, that a member must not be the contact of."""

    stairwell_code: StairwellIn | None = None
    other_member_id: UUID | None = None
    reason: Why
    since: date | None = None
    until: Until = None


class PostIn(PersonIn):
    """An office that a member is to hold."""

    kind: PostKind
    compound_code: CompoundIn | None = None
    building_code: BuildingIn | None = None
    place_name: Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f]*$")] | None = None
    since: date | None = None
    until: Until = None

    def draft(self) -> PostDraft:
        """Return it as the service takes it."""
        return PostDraft(**self.model_dump())


class ConsentIn(PersonIn):
    """When a member agreed, or agrees no more; default: today."""

    on: date | None = None


class WithdrawnOut(BaseModel):
    """A consent that ended, and what needs somebody else now."""

    on: date
    stairwells: list[str] = Field(description="Looked after by the member on that day.")


class ListedMemberOut(BaseModel):
    """A member in the register, the phone masked."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    affiliation: Affiliation | None
    home_stairwell_code: str | None
    home_building_code: str | None
    home_name: str | None
    branch_id: UUID | None
    branch_name: str | None
    reported_in_on: date | None
    capacity_households: int
    capacity_stairwells: int
    is_available: bool = Field(description="As it was switched; see is_free.")
    is_free: bool = Field(description="Can be asked today: available, agreed, not absent.")
    has_consent: bool
    is_absent: bool
    absent_until: date | None
    posts: list[PostKind] = Field(description="Offices held today.")
    skills: list[str]
    dialects: list[str]
    version: int


class AbsenceOut(BaseModel):
    """An absence of a member."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: AbsenceKind
    since: date
    until: date | None


class ConsentOut(BaseModel):
    """A consent of a member; carried over: written down before consents were kept."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    given_on: date
    withdrawn_on: date | None
    basis: Literal["given", "carried_over"]


class ExclusionOut(BaseModel):
    """Whom a member must not look after; told to staff only."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    stairwell_code: str | None
    other_member_id: UUID | None
    reason: str
    since: date
    until: date | None


class PostOut(BaseModel):
    """An office that a member holds, held or will hold."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: PostKind
    compound_code: str | None
    building_code: str | None
    place_name: str | None
    since: date | None
    until: date | None


class MemberOut(ListedMemberOut):
    """A member with all that is known of them."""

    lon: float
    lat: float
    hours: list[HoursIO]
    absences: list[AbsenceOut]
    consents: list[ConsentOut]
    exclusions: list[ExclusionOut]
    post_terms: list[PostOut]

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        """Return a member as it is sent."""
        own = {
            "lon": member.lon,
            "lat": member.lat,
            "hours": [HoursIO.model_validate(one) for one in member.hours],
            "absences": [AbsenceOut.model_validate(one) for one in member.absences],
            "consents": [ConsentOut.model_validate(one) for one in member.consents],
            "exclusions": [ExclusionOut.model_validate(one) for one in member.exclusions],
            "post_terms": [PostOut.model_validate(one) for one in member.posts],
        }
        return cls(**ListedMemberOut.model_validate(member.listed).model_dump(), **own)


class MadeOut(BaseModel):
    """The id of what was written; it names nobody."""

    id: UUID


class TwinOut(BaseModel):
    """One of two members who may be one person, the phone masked."""

    model_config = ConfigDict(from_attributes=True)

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    home_building_code: str | None
    is_available: bool
    version: int


class TwinsOut(BaseModel):
    """Two members who may be one person, and what can be done."""

    model_config = ConfigDict(from_attributes=True)

    one: TwinOut
    other: TwinOut
    score: float = Field(description="In (0, 1]: how much speaks for it.")
    reasons: list[str]
    offer: Literal["merge", "make_unavailable"] = Field(
        description="Nothing changes its community: of two in different ones, one is made "
        "unavailable."
    )


class SeenIn(PersonIn):
    """A member, and the version of them that was seen."""

    member_id: UUID
    version: Version


class MergeMembersIn(PersonIn):
    """Two members of one community who are one: what is the one's becomes the kept one's."""

    kept: SeenIn
    gone: SeenIn


class MergedOut(BaseModel):
    """What followed to the kept member, in rows by table."""

    model_config = ConfigDict(from_attributes=True)

    member_id: UUID
    counts: dict[str, int]


class MemberFaultOut(BaseModel):
    """What is wrong with a row of a list; it repeats no name and no phone."""

    model_config = ConfigDict(from_attributes=True)

    row: int
    field: str
    severity: Literal["error", "warning"]
    kind: str
    reason: str


class MemberImportOut(BaseModel):
    """What a list of members would do, or did."""

    is_applied: bool
    counts: dict[str, int] = Field(description="Rows added, changed, same, rejected.")
    fault_counts: dict[str, int]
    columns: dict[str, str] = Field(description="Our field to the column of the file.")
    notes: list[str]
    faults: list[MemberFaultOut] = Field(description="The first thousand.")

    @classmethod
    def of(cls, report: Report, *, is_applied: bool) -> "MemberImportOut":
        """Return a report as it is sent: rows, not people."""
        return cls(
            is_applied=is_applied,
            counts=dict(report.counts),
            fault_counts=dict(report.fault_counts),
            columns=dict(report.columns),
            notes=list(report.notes),
            faults=[MemberFaultOut.model_validate(one) for one in report.faults[:MOST_FAULTS]],
        )


MOST_FAULTS = 1_000
