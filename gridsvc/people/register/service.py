"""What staff do with the register of members: list, add, change; consent, absences, posts.

Whoever changes a member names the version that they saw. Members see themselves, and change
nothing here. Every change is in the audit trail, by ids and names of fields only.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import new_id, scope_of
from gridsvc.errors import (
    ConsentStateError,
    InvalidMemberError,
    NotFoundError,
    StaleMemberError,
)
from gridsvc.local_time import local_today
from gridsvc.people import phones
from gridsvc.people import store as people
from gridsvc.people.model import ABSENCE_KINDS, POST_KINDS
from gridsvc.people.register import store
from gridsvc.people.register.checking import check, check_term
from gridsvc.people.register.model import Branch, Draft, Filter, Home, ListedMember, Member
from gridsvc.people.tables import AbsenceRow, ConsentRow, HoursRow, MemberRow, PostRow
from gridsvc.vault import Vault

MOST_PLACE_LETTERS = 60
_OF_MEMBER = (
    *("reported_in_on", "capacity_households", "capacity_stairwells", "branch_id"),
    *("skills", "dialects", "is_available"),
)


@dataclass(frozen=True)
class PostDraft:
    """An office that a member is to hold.

    Attributes
    ----------
    place_name
        Of the lane or street, for a lane or street chief.
    """

    kind: str
    compound_code: str | None = None
    building_code: str | None = None
    place_name: str | None = None
    since: date | None = None
    until: date | None = None


def list_members(
    session: Session,
    narrowed: Filter,
    *,
    after: tuple[int, UUID] | None = None,
    limit: int,
    on: date | None = None,
) -> list[ListedMember]:
    """Return members of the caller's territory, by community and id.

    Parameters
    ----------
    after
        Community and id of the last one that was seen.
    on
        Day for which availability and posts are told; default: today.
    """
    access.require_role(session, *STAFF_ROLES)
    day = on or local_today()
    return store.list_members(session, narrowed, on=day, after=after, limit=limit)


def count_members(session: Session, narrowed: Filter, *, on: date | None = None) -> int:
    """Return how many members the register holds under a filter."""
    access.require_role(session, *STAFF_ROLES)
    return store.count_members(session, narrowed, on=on or local_today())


def list_branches(session: Session) -> list[Branch]:
    """Return the Party branches of the caller's territory, by community and name."""
    access.require_role(session, *STAFF_ROLES)
    return store.list_branches(session)


def get(session: Session, member_id: UUID, *, on: date | None = None) -> Member:
    """Return a member whole; a contact sees nobody but themselves.

    A member who was merged into another is that one.

    Raises
    ------
    NotFoundError
        The caller's territory has no such member, or the caller may not see them.
    """
    scope = scope_of(session)
    if scope.role not in STAFF_ROLES and scope.person != member_id:
        raise NotFoundError("member", member_id)
    survivor = store.find_survivor(session, member_id)
    wanted = survivor or member_id
    found = store.list_members(session, Filter(), on=on or local_today(), member_id=wanted, limit=1)
    if not found:
        raise NotFoundError("member", member_id)
    code = found[0].community_code
    lon, lat = store.find_place(session, code, wanted)
    return Member(
        listed=found[0],
        lon=lon,
        lat=lat,
        hours=store.read_hours(session, code, wanted),
        absences=store.read_absences(session, code, wanted),
        consents=store.read_consents(session, code, wanted),
        exclusions=store.read_exclusions(session, code, wanted),
        posts=store.read_posts(session, code, wanted),
    )


def add(session: Session, draft: Draft, *, vault: Vault) -> UUID:
    """Write a new member, and return the id.

    Raises
    ------
    InvalidMemberError
        A field does not hold what it may, or the home or branch is not of the community.
    NotFoundError
        The caller's territory has no such community.
    """
    access.require_role(session, *STAFF_ROLES)
    if not store.is_community(session, draft.community_code):
        raise NotFoundError("community", draft.community_code)
    fields = check({name: getattr(draft, name) for name in draft.__dataclass_fields__})
    member_id = new_id()
    people.hold_identities(session)
    rows = rows_of(session, member_id, fields, vault=vault)
    store.add_members(session, [rows.member], [rows.identity], [rows.affiliation])
    store.add_rows(session, ConsentRow, [rows.consent])
    store.add_rows(session, HoursRow, rows.hours)
    audit.record(
        session,
        community_code=draft.community_code,
        action="member.add",
        subject=str(member_id),
    )
    return member_id


@dataclass(frozen=True)
class Rows:
    """A new member as the tables keep it, by column."""

    member: dict[str, Any]
    identity: dict[str, Any]
    affiliation: dict[str, Any]
    consent: dict[str, Any]
    hours: list[dict[str, Any]]


def rows_of(
    session: Session,
    member_id: UUID,
    fields: Mapping[str, Any],
    *,
    vault: Vault,
    geom: object | None = None,
) -> Rows:
    """Return a new member of checked fields as rows.

    Parameters
    ----------
    geom
        Where the home is, EPSG:4326, where that is known already.

    Raises
    ------
    InvalidMemberError
        The home or the branch is not of the community.
    """
    code = fields["community_code"]
    key = {"community_code": code, "member_id": member_id}
    home = {} if geom is not None else _home(session, code, fields["home"])
    if geom is not None:
        home = _home_codes(fields["home"]) | {"geom": geom}
    member = {name: fields[name] for name in _OF_MEMBER}
    if geom is None:
        _check_branch(session, code, fields["branch_id"])
    return Rows(
        member={"community_code": code, "id": member_id, **member, **home},
        identity=key | {"name": fields["name"], **phone_columns(fields["phone"], vault)},
        affiliation=key | {"affiliation": fields["affiliation"]},
        consent=key | {"id": new_id(), "given_on": fields["consented_on"], "basis": "given"},
        hours=[key | asdict(one) for one in fields["hours"]],
    )


def phone_columns(phone: str | None, vault: Vault) -> dict[str, Any]:
    """Return a checked phone as it is stored: encrypted, and masked."""
    return {
        "phone_cipher": vault.encrypt(phone) if phone else None,
        "phone_masked": phones.mask(phone) if phone else None,
    }


def _home_codes(home: Home) -> dict[str, Any]:
    return {
        "home_stairwell_code": home.stairwell_code,
        "home_building_code": home.building_code,
    }


def _home(session: Session, code: int, home: Home) -> dict[str, Any]:
    point = store.find_home_point(session, code, home)
    if point is None:
        raise InvalidMemberError(
            "home",
            f"{home.stairwell_code or home.building_code} is no stairwell or building of community"
            f" {code}: whoever lives elsewhere has a point",
        )
    return _home_codes(home) | {"geom": point}


def _check_branch(session: Session, code: int, branch_id: UUID | None) -> None:
    known = {one.id for one in store.list_branches(session) if one.community_code == code}
    if branch_id is not None and branch_id not in known:
        raise InvalidMemberError("branch_id", f"is no Party branch of community {code}")


def change(
    session: Session,
    member_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: int,
    vault: Vault,
) -> Member:
    """Change fields of a member, and return them as they are now.

    Parameters
    ----------
    changes
        By name of `Draft`, but for community and consent; what is left out stays.
    version
        The one that was seen.

    Raises
    ------
    NotFoundError
        The caller's territory has no such member.
    StaleMemberError
        Somebody changed the member meanwhile.
    InvalidMemberError
        A field does not hold what it may.
    """
    row = _hold(session, member_id, version=version)
    fixed = {"community_code", "consented_on"} & set(changes)
    if fixed:
        raise InvalidMemberError(min(fixed), "cannot be changed")
    write_changes(session, row.community_code, member_id, check(changes), vault=vault)
    _note(session, row.community_code, member_id, "change", fields=sorted(changes))
    return get(session, member_id)


def write_changes(
    session: Session, code: int, member_id: UUID, fields: Mapping[str, Any], *, vault: Vault
) -> None:
    """Write checked fields of a member that is held, and count the version up."""
    values = {name: fields[name] for name in _OF_MEMBER if name in fields}
    if "home" in fields:
        values |= _home(session, code, fields["home"])
    if fields.get("branch_id") is not None:
        _check_branch(session, code, fields["branch_id"])
    identity: dict[str, Any] = {"name": fields["name"]} if "name" in fields else {}
    if "phone" in fields:
        people.hold_identities(session)
        identity |= phone_columns(fields["phone"], vault)
    store.change_member(session, code, member_id, values)
    if identity:
        store.change_identity(session, code, member_id, identity)
    if "affiliation" in fields:
        store.put_affiliation(session, code, member_id, fields["affiliation"])
    if "hours" in fields:
        store.replace_hours(session, code, member_id, fields["hours"])


def _hold(session: Session, member_id: UUID, *, version: int | None = None) -> MemberRow:
    access.require_role(session, *STAFF_ROLES)
    row = store.hold(session, member_id)
    if row is None:
        raise NotFoundError("member", member_id)
    if version is not None and row.version != version:
        raise StaleMemberError(member_id, version, row.version)
    return row


def _note(session: Session, code: int, member_id: UUID, what: str, **detail: Any) -> None:
    audit.record(
        session,
        community_code=code,
        action=f"member.{what}",
        subject=str(member_id),
        **detail,
    )


def _touch(session: Session, row: MemberRow, what: str, **detail: Any) -> None:
    """Count the version up, and note what was done to a member."""
    store.change_member(session, row.community_code, row.id, {})
    _note(session, row.community_code, row.id, what, **detail)


def set_available(session: Session, member_id: UUID, *, is_available: bool) -> None:
    """Switch on or off whether a member can be asked; the same again changes nothing."""
    row = _hold(session, member_id)
    if row.is_available != is_available:
        values = {"is_available": is_available}
        store.change_member(session, row.community_code, member_id, values)
        _note(session, row.community_code, member_id, "availability", is_available=is_available)


def give_consent(session: Session, member_id: UUID, *, on: date | None = None) -> None:
    """Write that a member agrees, from a day on.

    Raises
    ------
    ConsentStateError
        The member agreed already.
    """
    row = _hold(session, member_id)
    day = on or local_today()
    check({"consented_on": day})
    consents = store.read_consents(session, row.community_code, member_id)
    if any(one.withdrawn_on is None or one.withdrawn_on > day for one in consents):
        raise ConsentStateError(member_id, is_given=True)
    values = {"community_code": row.community_code, "id": new_id(), "member_id": member_id}
    store.add_rows(session, ConsentRow, [values | {"given_on": day, "basis": "given"}])
    _touch(session, row, "consent")


def withdraw_consent(session: Session, member_id: UUID, *, on: date | None = None) -> date:
    """Write that a member agrees no more, from a day on; return that day.

    From then on nobody plans with them, and when the time of `gridsvc.retention` is over they are
    erased whole. Whoever looks after their stairwells is the caller's to tell.

    Raises
    ------
    ConsentStateError
        The member does not agree now.
    """
    row = _hold(session, member_id)
    day = on or local_today()
    check_term(day, None, field="on")
    if not store.withdraw_consents(session, row.community_code, member_id, on=day):
        raise ConsentStateError(member_id, is_given=False)
    _touch(session, row, "withdraw-consent")
    return day


def add_absence(
    session: Session, member_id: UUID, *, kind: str, since: date, until: date | None = None
) -> UUID:
    """Write that a member cannot be asked from a day on, and return the absence's id."""
    row = _hold(session, member_id)
    if kind not in ABSENCE_KINDS:
        raise InvalidMemberError("kind", f"is not one of {', '.join(ABSENCE_KINDS)}")
    check_term(since, until)
    absence_id = new_id()
    values = {"community_code": row.community_code, "id": absence_id, "member_id": member_id}
    store.add_rows(
        session, AbsenceRow, [values | {"kind": kind, "valid": store.term(since, until)}]
    )
    _touch(session, row, "absence", absence=str(absence_id))
    return absence_id


def end_absence(session: Session, member_id: UUID, absence_id: UUID) -> None:
    """Write that a member is back today; an absence to come is taken back."""
    _end(
        session,
        member_id,
        "end-absence",
        lambda row, today: store.end_ranged(
            session, AbsenceRow, row.community_code, member_id, absence_id, on=today
        ),
        ("absence", absence_id),
    )


def add_post(session: Session, member_id: UUID, post: PostDraft) -> UUID:
    """Write that a member holds an office, and return the post's id.

    Raises
    ------
    InvalidMemberError
        The kind is unknown, or the place is not one of the community's.
    """
    row = _hold(session, member_id)
    place_name = _checked_place(session, row.community_code, post)
    check_term(post.since, post.until)
    post_id = new_id()
    values = {
        "community_code": row.community_code,
        "id": post_id,
        "member_id": member_id,
        "kind": post.kind,
        "compound_code": post.compound_code or (post.building_code or "")[:15] or None,
        "building_code": post.building_code,
        "place_name": place_name,
        "valid": store.term(post.since or local_today(), post.until),
    }
    store.add_rows(session, PostRow, [values])
    _touch(session, row, "post", post=str(post_id), kind=post.kind)
    return post_id


def _checked_place(session: Session, code: int, post: PostDraft) -> str | None:
    if post.kind not in POST_KINDS:
        raise InvalidMemberError("kind", f"is not one of {', '.join(POST_KINDS)}")
    place_name = " ".join((post.place_name or "").split()) or None
    if place_name and len(place_name) > MOST_PLACE_LETTERS:
        raise InvalidMemberError("place_name", f"is longer than {MOST_PLACE_LETTERS} letters")
    if post.kind == "building_chief" and post.building_code is None:
        raise InvalidMemberError("building_code", "is needed for a building chief")
    if post.kind != "building_chief" and place_name is None:
        raise InvalidMemberError("place_name", "is needed: which lane or street")
    for name in ("compound_code", "building_code"):
        grid_code = getattr(post, name)
        if grid_code is not None and not store.has_grid(session, code, grid_code):
            raise InvalidMemberError(name, f"{grid_code} is not one of community {code}")
    return place_name


def end_post(session: Session, member_id: UUID, post_id: UUID) -> None:
    """Write that a member holds an office no more, from today on."""
    _end(
        session,
        member_id,
        "end-post",
        lambda row, today: store.end_ranged(
            session, PostRow, row.community_code, member_id, post_id, on=today
        ),
        ("post", post_id),
    )


def end_exclusion(session: Session, member_id: UUID, exclusion_id: UUID) -> None:
    """Write that an exclusion holds no more, from today on."""
    _end(
        session,
        member_id,
        "end-exclusion",
        lambda row, today: store.end_exclusion(
            session, row.community_code, member_id, exclusion_id, on=today
        ),
        ("exclusion", exclusion_id),
    )


def _end(
    session: Session,
    member_id: UUID,
    what: str,
    end: Callable[[MemberRow, date], bool],
    subject: tuple[str, UUID],
) -> None:
    row = _hold(session, member_id)
    name, row_id = subject
    if not end(row, local_today()):
        raise NotFoundError(name, row_id)
    _touch(session, row, what, **{name: str(row_id)})
