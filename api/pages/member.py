"""One member of the register: written down, read whole, changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from api.deps import VaultDep
from api.pages.desk import Desk, DeskDep
from api.pages.entering import go
from geodata.register.availability import parse_availability
from geodata.vocabularies import terms_of
from gridsvc.db import ScopedSession
from gridsvc.errors import GridsvcError, InvalidMemberError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.overview import merging
from gridsvc.people import service as people
from gridsvc.people.model import ABSENCE_KINDS, AFFILIATIONS, POST_KINDS
from gridsvc.people.register import service as register
from gridsvc.people.register.model import Draft, Home, Hours, Member
from gridsvc.people.register.service import PostDraft

router = APIRouter(
    prefix="/admin/members", include_in_schema=False, default_response_class=HTMLResponse
)

Text = Annotated[str, Form(max_length=60)]
LongText = Annotated[str, Form(max_length=300)]
Day = Annotated[date | Literal[""], Form()]
Codes = Annotated[list[str] | None, Form(max_length=40)]
Deed = Literal[
    "consent",
    "withdraw-consent",
    "absence",
    "end-absence",
    "exclusion",
    "end-exclusion",
    "post",
    "end-post",
    "availability",
]
Done = Literal["added", "changed", "withdrawn", "merged"]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MemberForm:
    """The fields of a member as a browser sends them; an empty one says nothing."""

    name: Text = ""
    phone: Annotated[str, Form(max_length=30)] = ""
    affiliation: Text = "masses"
    home: Annotated[str, Form(max_length=40)] = ""
    capacity_households: Annotated[int, Form()] = 15
    capacity_stairwells: Annotated[int, Form()] = 2
    reported_in_on: Day = ""
    branch: Annotated[UUID | Literal[""], Form()] = ""
    skills: Codes = None
    dialects: Codes = None
    hours: LongText = ""

    def fields(self) -> dict[str, Any]:
        """Return them by name of `Draft`.

        Raises
        ------
        InvalidMemberError
            The home or the hours cannot be read.
        """
        found = parse_availability(self.hours)
        if found.unread or found.away:
            raise InvalidMemberError("hours", "has parts that are no times of the week")
        return {
            "name": self.name,
            "affiliation": self.affiliation,
            "home": _home_of(self.home),
            "capacity_households": self.capacity_households,
            "capacity_stairwells": self.capacity_stairwells,
            "reported_in_on": self.reported_in_on or None,
            "branch_id": self.branch or None,
            "skills": tuple(self.skills or ()),
            "dialects": tuple(self.dialects or ()),
            "hours": tuple(Hours(*span) for span in found.spans),
        }


MemberFields = Annotated[MemberForm, Depends()]


def _home_of(text: str) -> Home:
    """Return a home from a stairwell's or building's code, or from ``lon, lat``."""
    plain = text.replace("，", ",").strip()
    if plain.isdigit() and len(plain) in (18, 20):
        return Home(plain) if len(plain) == 20 else Home(None, plain)
    try:
        lon, lat = (float(part) for part in plain.split(","))
    except ValueError:
        raise InvalidMemberError(
            "home", "is neither a code of 20 or 18 digits nor a point such as 113.15, 23.03"
        ) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidMemberError("home", "is a point outside the world")
    return Home(lon=lon, lat=lat)


@router.get("/new")
def show_new(desk: DeskDep) -> HTMLResponse:
    """Ask for a new member."""
    return _new_page(desk, MemberForm())


@router.post("/new")
def add_member(
    desk: DeskDep,
    vault: VaultDep,
    form: MemberFields,
    community: Annotated[int, Form()],
    consented_on: Day = "",
) -> Response:
    """Write a new member, who has agreed."""
    try:
        if not consented_on:
            raise InvalidMemberError("consented_on", "is missing: nobody is kept without")
        draft = Draft(
            community_code=community,
            phone=form.phone or None,
            consented_on=consented_on,
            **form.fields(),
        )
        with desk.session.begin_nested():
            member_id = register.add(desk.session, draft, vault=vault)
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _new_page(desk, form, error=error, community=community, consented_on=consented_on)
    return go(f"/admin/members/{member_id}", done="added")


@router.get("/{member_id}")
def show_member(desk: DeskDep, member_id: UUID, done: Done | None = None) -> HTMLResponse:
    """Show one member whole, the phone masked."""
    return _member_page(desk, register.get(desk.session, member_id), done=done)


@router.post("/{member_id}")
def change_member(
    desk: DeskDep,
    vault: VaultDep,
    member_id: UUID,
    form: MemberFields,
    version: Annotated[int, Form()],
    is_available: Annotated[bool, Form()] = False,
) -> Response:
    """Change a member as the form has them; an empty phone stays as it is."""
    try:
        changes = form.fields() | {"is_available": is_available}
        if form.phone:
            changes["phone"] = form.phone
        with desk.session.begin_nested():
            register.change(desk.session, member_id, changes, version=version, vault=vault)
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _member_page(desk, register.get(desk.session, member_id), error=error, form=form)
    return go(f"/admin/members/{member_id}", done="changed")


@dataclass(frozen=True)
class DeedForm:
    """What is to be done with a member: the fields of all forms, each has some."""

    deed: Annotated[Deed, Form()]
    kind: Text = ""
    first_day: Day = ""
    last_day: Day = ""
    stairwell: Annotated[str, Form(max_length=20)] = ""
    other: Annotated[UUID | Literal[""], Form()] = ""
    building: Annotated[str, Form(max_length=18)] = ""
    place_name: Text = ""
    reason: LongText = ""
    which: Annotated[UUID | Literal[""], Form()] = ""

    @property
    def since(self) -> date:
        """The first day; where none is given, today."""
        return self.first_day or local_today()

    @property
    def until(self) -> date | None:
        """The day after the last one."""
        return self.last_day + _DAY if self.last_day else None

    @property
    def row(self) -> UUID:
        """Which row is meant.

        Raises
        ------
        InvalidMemberError
            None is named.
        """
        if not self.which:
            raise InvalidMemberError("which", "is missing")
        return self.which


@router.post("/{member_id}/act")
def act(desk: DeskDep, member_id: UUID, form: Annotated[DeedForm, Depends()]) -> Response:
    """Do one thing with a member: consent, absences, exclusions, posts."""
    done: Done = "withdrawn" if form.deed == "withdraw-consent" else "changed"
    try:
        with desk.session.begin_nested():
            _DEEDS[form.deed](desk.session, member_id, form)
    except NotFoundError:
        raise  # what is not the caller's gets the page of what is not there
    except GridsvcError as error:
        return _member_page(desk, register.get(desk.session, member_id), error=error)
    return go(f"/admin/members/{member_id}", done=done)


def _exclude(session: ScopedSession, member_id: UUID, form: DeedForm) -> object:
    return people.add_exclusion(
        session,
        community_code=register.get(session, member_id).listed.community_code,
        member_id=member_id,
        stairwell_code=form.stairwell.strip() or None,
        other_member_id=form.other or None,
        reason=form.reason,
        since=form.since,
        until=form.until,
    )


def _hold_post(session: ScopedSession, member_id: UUID, form: DeedForm) -> object:
    post = PostDraft(
        form.kind,
        building_code=form.building.strip() or None,
        place_name=form.place_name or None,
        since=form.since,
        until=form.until,
    )
    return register.add_post(session, member_id, post)


_DEEDS: Mapping[str, Callable[[ScopedSession, UUID, DeedForm], object]] = {
    "consent": lambda session, one, form: register.give_consent(session, one, on=form.since),
    "withdraw-consent": lambda session, one, form: merging.withdraw_consent(
        session, one, on=form.since
    ),
    "absence": lambda session, one, form: register.add_absence(
        session, one, kind=form.kind, since=form.since, until=form.until
    ),
    "end-absence": lambda session, one, form: register.end_absence(session, one, form.row),
    "exclusion": _exclude,
    "end-exclusion": lambda session, one, form: register.end_exclusion(session, one, form.row),
    "post": _hold_post,
    "end-post": lambda session, one, form: register.end_post(session, one, form.row),
    "availability": lambda session, one, form: register.set_available(
        session, one, is_available=form.kind == "on"
    ),
}


def _new_page(
    desk: Desk,
    form: MemberForm,
    *,
    error: GridsvcError | None = None,
    community: int | None = None,
    consented_on: date | str = "",
) -> HTMLResponse:
    return desk.show(
        "member_new.html",
        tab="members",
        error=error,
        form=form,
        community=community,
        consented_on=consented_on or local_today(),
        communities=[one for one in desk.places().choices() if not one.is_whole],
        **_choices(desk),
    )


def _member_page(
    desk: Desk,
    member: Member,
    *,
    error: GridsvcError | None = None,
    form: MemberForm | None = None,
    done: Done | None = None,
) -> HTMLResponse:
    listed = member.listed
    duties = merging.list_duties(desk.session, listed.member_id)
    return desk.show(
        "member.html",
        tab="members",
        error=error,
        member=member,
        one=listed,
        form=form or _form_of(member),
        done=done,
        duties=duties,
        today=local_today(),
        place=desk.places().code_name(listed.community_code),
        last_day=lambda until: until and until - _DAY,
        **_choices(desk),
    )


def _form_of(member: Member) -> MemberForm:
    listed = member.listed
    point = f"{member.lon:.6f}, {member.lat:.6f}"
    return MemberForm(
        name=listed.name,
        affiliation=listed.affiliation or "masses",
        home=listed.home_stairwell_code or listed.home_building_code or point,
        capacity_households=listed.capacity_households,
        capacity_stairwells=listed.capacity_stairwells,
        reported_in_on=listed.reported_in_on or "",
        branch=listed.branch_id or "",
        skills=list(listed.skills),
        dialects=list(listed.dialects),
        hours="；".join(_span(one) for one in member.hours),
    )


def _span(hours: Hours) -> str:
    """Return a time of the week as `parse_availability` reads it."""
    clocks = [f"{at // 60}:{at % 60:02d}" for at in (hours.from_minute, hours.to_minute)]
    return f"周{'一二三四五六日'[hours.weekday - 1]}{'-'.join(clocks)}"


def _choices(desk: Desk) -> dict[str, Any]:
    return {
        "affiliations": AFFILIATIONS,
        "absence_kinds": ABSENCE_KINDS,
        "post_kinds": POST_KINDS,
        "branches": register.list_branches(desk.session),
        "skills": terms_of("skills"),
        "dialects": terms_of("dialects"),
        "term_name": "zh" if desk.language == "zh" else "en",
    }
