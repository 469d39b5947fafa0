"""Queries of the register: lists, one member whole, and what is written of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Range, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridsvc.db import in_scope, same_thing
from gridsvc.people.register.model import (
    Absence,
    Branch,
    Consent,
    Exclusion,
    Filter,
    Home,
    Hours,
    ListedMember,
    Post,
)
from gridsvc.people.store import has_consent, home_building, is_absent, is_free, same_member
from gridsvc.people.tables import (
    AbsenceRow,
    ConsentRow,
    ExclusionRow,
    HoursRow,
    MemberAffiliationRow,
    MemberIdentityRow,
    MemberRow,
    OrganisationRow,
    PostRow,
)
from gridsvc.territory.tables import BuildingRow, CommunityRow, CompoundRow, StairwellRow

_COMPOUND_DIGITS = 15


def list_members(
    session: Session,
    narrowed: Filter,
    *,
    on: date,
    member_id: UUID | None = None,
    after: tuple[int, UUID] | None = None,
    limit: int,
) -> list[ListedMember]:
    """Return members after one, by community and id."""
    statement = _listed(session, on).where(*_conditions(narrowed, on))
    if member_id is not None:
        statement = statement.where(MemberRow.id == member_id)
    if after is not None:
        key = func.row(MemberRow.community_code, MemberRow.id)
        statement = statement.where(key > func.row(*after))
    rows = session.execute(
        statement.order_by(MemberRow.community_code, MemberRow.id).limit(limit)
    ).mappings()
    return [_as_listed(row) for row in rows]


def count_members(session: Session, narrowed: Filter, *, on: date) -> int:
    """Return how many members the register holds under a filter."""
    return (
        session.scalar(
            select(func.count())
            .select_from(MemberRow)
            .join(MemberIdentityRow, same_member(MemberIdentityRow))
            .outerjoin(MemberAffiliationRow, same_member(MemberAffiliationRow))
            .where(_kept(session), *_conditions(narrowed, on))
        )
        or 0
    )


def _kept(session: Session) -> ColumnElement[bool]:
    return and_(in_scope(session, MemberRow.community_code), MemberRow.erased_at.is_(None))


def _listed(session: Session, on: date) -> Select[*tuple[Any, ...]]:
    member, identity = MemberRow, MemberIdentityRow
    posts = (
        select(func.array_agg(aggregate_order_by(PostRow.kind.distinct(), PostRow.kind)))
        .where(same_member(PostRow), PostRow.valid.contains(on))
        .correlate(member)
        .scalar_subquery()
    )
    absent_until = (
        select(func.max(func.coalesce(func.upper(AbsenceRow.valid), date.max)))
        .where(same_member(AbsenceRow), AbsenceRow.valid.contains(on))
        .correlate(member)
        .scalar_subquery()
    )
    building, stairwell, compound = BuildingRow, StairwellRow, CompoundRow
    return (
        select(
            member.community_code,
            member.id.label("member_id"),
            identity.name,
            identity.phone_masked,
            MemberAffiliationRow.affiliation,
            member.home_stairwell_code,
            member.home_building_code,
            func.concat_ws(" ", compound.name, building.name, stairwell.name).label("home_name"),
            member.branch_id,
            OrganisationRow.name.label("branch_name"),
            member.reported_in_on,
            member.capacity_households,
            member.capacity_stairwells,
            member.is_available,
            is_free(on).label("is_free"),
            has_consent(on).label("has_consent"),
            is_absent(on).label("is_absent"),
            absent_until.label("absent_until"),
            posts.label("posts"),
            member.skills,
            member.dialects,
            member.version,
        )
        .join(identity, same_member(identity))
        .outerjoin(MemberAffiliationRow, same_member(MemberAffiliationRow))
        .outerjoin(
            OrganisationRow,
            same_thing(OrganisationRow.id, member.branch_id),
        )
        .outerjoin(
            building,
            and_(
                building.community_code == member.community_code, building.code == home_building()
            ),
        )
        .outerjoin(
            compound,
            same_thing(compound.code, building.compound_code),
        )
        .outerjoin(
            stairwell,
            same_thing(stairwell.code, member.home_stairwell_code),
        )
        .where(_kept(session))
    )


def _as_listed(row: Mapping[Any, Any]) -> ListedMember:
    told = dict(row)
    for name in ("posts", "skills", "dialects"):
        told[name] = tuple(told[name] or ())
    told["home_name"] = told["home_name"] or None
    # The last day there is stands for an absence without a known end.
    if told["absent_until"] == date.max:
        told["absent_until"] = None
    return ListedMember(**told)


def _conditions(narrowed: Filter, on: date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrowed.community_code is not None:
        found.append(MemberRow.community_code == narrowed.community_code)
    if narrowed.affiliation is not None:
        found.append(MemberAffiliationRow.affiliation == narrowed.affiliation)
    if narrowed.branch_id is not None:
        found.append(MemberRow.branch_id == narrowed.branch_id)
    if narrowed.compound_code is not None:
        found.append(func.left(home_building(), _COMPOUND_DIGITS) == narrowed.compound_code)
    if narrowed.is_free is not None:
        found.append(is_free(on) if narrowed.is_free else ~is_free(on))
    if narrowed.post is not None:
        held = exists().where(
            same_member(PostRow), PostRow.kind == narrowed.post, PostRow.valid.contains(on)
        )
        found.append(held)
    return found


def find_survivor(session: Session, member_id: UUID) -> UUID | None:
    """Return the member that a merged one became; None: it was not merged."""
    return session.scalars(
        select(MemberRow.merged_into_id).where(
            in_scope(session, MemberRow.community_code), MemberRow.id == member_id
        )
    ).one_or_none()


def hold(session: Session, member_id: UUID) -> MemberRow | None:
    """Return a member who was not erased, and let others who would change them wait."""
    return session.scalars(
        select(MemberRow).where(_kept(session), MemberRow.id == member_id).with_for_update()
    ).one_or_none()


def _own(session: Session, row: Any, code: int, member_id: UUID) -> ColumnElement[bool]:
    return and_(
        in_scope(session, row.community_code),
        row.community_code == code,
        row.member_id == member_id,
    )


def find_place(session: Session, code: int, member_id: UUID) -> tuple[float, float]:
    """Return lon and lat of a member's home; EPSG:4326."""
    lon, lat = session.execute(
        select(func.ST_X(MemberRow.geom), func.ST_Y(MemberRow.geom)).where(
            _kept(session), MemberRow.community_code == code, MemberRow.id == member_id
        )
    ).one()
    return lon, lat


def read_hours(session: Session, code: int, member_id: UUID) -> tuple[Hours, ...]:
    """Return when in the week a member can be asked, in order."""
    hours = HoursRow
    rows = session.execute(
        select(hours.weekday, hours.from_minute, hours.to_minute)
        .where(_own(session, hours, code, member_id))
        .order_by(hours.weekday, hours.from_minute)
    )
    return tuple(Hours(*row) for row in rows)


def read_absences(session: Session, code: int, member_id: UUID) -> tuple[Absence, ...]:
    """Return a member's absences, the latest first."""
    absence = AbsenceRow
    rows = session.execute(
        select(absence.id, absence.kind, func.lower(absence.valid), func.upper(absence.valid))
        .where(_own(session, absence, code, member_id))
        .order_by(func.lower(absence.valid).desc(), absence.id)
    )
    return tuple(Absence(*row) for row in rows)


def read_consents(session: Session, code: int, member_id: UUID) -> tuple[Consent, ...]:
    """Return when a member agreed and withdrew, the latest first."""
    consent = ConsentRow
    rows = session.execute(
        select(consent.id, consent.given_on, consent.withdrawn_on, consent.basis)
        .where(_own(session, consent, code, member_id))
        .order_by(consent.given_on.desc(), consent.id)
    )
    return tuple(Consent(*row) for row in rows)


def read_exclusions(session: Session, code: int, member_id: UUID) -> tuple[Exclusion, ...]:
    """Return a member's exclusions, the latest first; none to others than staff."""
    one = ExclusionRow
    rows = session.execute(
        select(one.id, one.stairwell_code, one.other_member_id, one.reason, one.since, one.until)
        .where(_own(session, one, code, member_id))
        .order_by(one.since.desc(), one.id)
    )
    return tuple(Exclusion(*row) for row in rows)


def read_posts(session: Session, code: int, member_id: UUID) -> tuple[Post, ...]:
    """Return a member's posts, the latest first."""
    post = PostRow
    since = func.lower(post.valid)
    rows = session.execute(
        select(
            post.id,
            post.kind,
            post.compound_code,
            post.building_code,
            post.place_name,
            since,
            func.upper(post.valid),
        )
        .where(_own(session, post, code, member_id))
        .order_by(since.desc().nulls_last(), post.id)
    )
    return tuple(Post(*row) for row in rows)


def list_branches(session: Session) -> list[Branch]:
    """Return the Party branches of the caller's territory, by community and name."""
    branch = OrganisationRow
    rows = session.execute(
        select(branch.id, branch.community_code, branch.name)
        .where(in_scope(session, branch.community_code), branch.kind == "party_branch")
        .order_by(branch.community_code, branch.name, branch.id)
    )
    return [Branch(*row) for row in rows]


def is_community(session: Session, code: int) -> bool:
    """Return whether a community of the caller's has this code."""
    found = session.scalar(
        select(func.count()).where(in_scope(session, CommunityRow.code), CommunityRow.code == code)
    )
    return bool(found)


def find_home_point(session: Session, code: int, home: Home) -> Any | None:
    """Return a point of a home as stored, EPSG:4326; None: the community has no such grid."""
    if home.lon is not None and home.lat is not None:
        return f"SRID=4326;POINT({home.lon:.7f} {home.lat:.7f})"
    grid: Any = StairwellRow if home.stairwell_code else BuildingRow
    return session.scalar(
        select(func.ST_AsEWKT(func.ST_PointOnSurface(grid.geom))).where(
            in_scope(session, grid.community_code),
            grid.community_code == code,
            grid.code == (home.stairwell_code or home.building_code),
            grid.retired_on.is_(None),
        )
    )


def has_grid(session: Session, code: int, grid_code: str) -> bool:
    """Return whether the community has such a compound or building, which has not ended."""
    row: Any = CompoundRow if len(grid_code) == _COMPOUND_DIGITS else BuildingRow
    found = session.scalar(
        select(func.count()).where(
            in_scope(session, row.community_code),
            row.community_code == code,
            row.code == grid_code,
            row.retired_on.is_(None),
        )
    )
    return bool(found)


def add_members(
    session: Session,
    members: Sequence[Mapping[str, Any]],
    identities: Sequence[Mapping[str, Any]],
    affiliations: Sequence[Mapping[str, Any]],
) -> None:
    """Write new members into their three tables, given by column."""
    for row, values in (
        (MemberRow, members),
        (MemberIdentityRow, identities),
        (MemberAffiliationRow, affiliations),
    ):
        if values:
            session.execute(insert(row), list(values))


def add_rows(session: Session, row: Any, values: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of a table beside the member, given by column."""
    given = list(values)
    if given:
        session.execute(insert(row), given)


def change_member(session: Session, code: int, member_id: UUID, values: Mapping[str, Any]) -> None:
    """Write what is different of a member, and count the version up."""
    session.execute(
        update(MemberRow)
        .where(
            in_scope(session, MemberRow.community_code),
            MemberRow.community_code == code,
            MemberRow.id == member_id,
        )
        .values(**values, version=MemberRow.version + 1)
        .execution_options(synchronize_session=False)
    )


def change_identity(
    session: Session, code: int, member_id: UUID, values: Mapping[str, Any]
) -> None:
    """Write name or phone of a member."""
    session.execute(
        update(MemberIdentityRow)
        .where(_own(session, MemberIdentityRow, code, member_id))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def put_affiliation(session: Session, code: int, member_id: UUID, affiliation: str) -> None:
    """Write the affiliation of a member."""
    key = {"community_code": code, "member_id": member_id}
    statement = upsert(MemberAffiliationRow).values(**key, affiliation=affiliation)
    session.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_={"affiliation": affiliation})
    )


def replace_hours(session: Session, code: int, member_id: UUID, hours: Sequence[Hours]) -> None:
    """Write when in the week a member can be asked, in place of what was there."""
    session.execute(
        delete(HoursRow)
        .where(_own(session, HoursRow, code, member_id))
        .execution_options(synchronize_session=False)
    )
    key = {"community_code": code, "member_id": member_id}
    add_rows(
        session,
        HoursRow,
        [
            key
            | {
                "weekday": one.weekday,
                "from_minute": one.from_minute,
                "to_minute": one.to_minute,
            }
            for one in hours
        ],
    )


def withdraw_consents(session: Session, code: int, member_id: UUID, *, on: date) -> int:
    """End every consent that holds on a day or later; return how many."""
    consent = ConsentRow
    gone = session.execute(
        update(consent)
        .where(
            _own(session, consent, code, member_id),
            or_(consent.withdrawn_on.is_(None), consent.withdrawn_on > on),
        )
        .values(withdrawn_on=func.greatest(consent.given_on, on))
        .returning(consent.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)


def end_ranged(
    session: Session, row: Any, code: int, member_id: UUID, row_id: UUID, *, on: date
) -> bool:
    """End an absence or a post, ``on`` being the first day without; false: there is none.

    What would never have held for a day goes whole.
    """
    mine = and_(_own(session, row, code, member_id), row.id == row_id)
    begun = func.coalesce(func.lower(row.valid), date.min) < on
    gone = session.execute(
        delete(row)
        .where(mine, ~begun)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    ).all()
    ended = session.execute(
        update(row)
        .where(mine, begun, or_(func.upper_inf(row.valid), func.upper(row.valid) > on))
        .values(valid=func.daterange(func.lower(row.valid), on))
        .returning(row.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(gone or ended)


def end_exclusion(
    session: Session, code: int, member_id: UUID, exclusion_id: UUID, *, on: date
) -> bool:
    """End an exclusion, ``on`` being the first day without; false: there is none in force."""
    one = ExclusionRow
    mine = and_(_own(session, one, code, member_id), one.id == exclusion_id)
    gone = session.execute(
        delete(one)
        .where(mine, one.since >= on)
        .returning(one.id)
        .execution_options(synchronize_session=False)
    ).all()
    ended = session.execute(
        update(one)
        .where(mine, one.since < on, or_(one.until.is_(None), one.until > on))
        .values(until=on)
        .returning(one.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(gone or ended)


def term(since: date | None, until: date | None) -> Range[date]:
    """Return a range of days as the tables keep it."""
    return Range(since, until)
