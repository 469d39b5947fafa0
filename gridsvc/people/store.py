"""Queries of members, posts and organisations."""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Any
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Subquery,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from geodata.codes import BUILDING_DIGITS
from gridsvc.db import copy_frame, in_scope, read_frame
from gridsvc.people.model import FoundMember
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
from gridsvc.territory.tables import StairwellRow

_FOLLOW = text(
    (files("gridsvc.people") / "sql" / "follow_grids.sql").read_text(encoding="utf-8")
).bindparams(bindparam("community_code", type_=BigInteger))


def add_members(
    session: Session, members: GeoDataFrame, identities: DataFrame, affiliations: DataFrame
) -> None:
    """Copy members (points, EPSG:4326) into their three tables; only the job role may."""
    copy_frame(session, MemberRow, members)
    copy_frame(session, MemberIdentityRow, identities)
    copy_frame(session, MemberAffiliationRow, affiliations)


def add_posts(session: Session, posts: DataFrame) -> int:
    """Copy posts; only the job role may."""
    return copy_frame(session, PostRow, posts)


def add_organisations(session: Session, organisations: DataFrame) -> int:
    """Copy organisations; only the job role may."""
    return copy_frame(session, OrganisationRow, organisations)


def add_details(session: Session, details: Mapping[str, DataFrame]) -> None:
    """Copy consents, absences, hours and exclusions; only the job role may."""
    rows = {
        "consents": ConsentRow,
        "absences": AbsenceRow,
        "hours": HoursRow,
        "exclusions": ExclusionRow,
    }
    for name, frame in details.items():
        copy_frame(session, rows[name], frame)


def same_member(row: Any, column: Any = None) -> ColumnElement[bool]:
    """Return the condition that a row of another table is about the member of the query."""
    found = row.member_id if column is None else column
    return and_(row.community_code == MemberRow.community_code, found == MemberRow.id)


def has_consent(on: date) -> ColumnElement[bool]:
    """Return the condition that the member of the query agrees on that day."""
    return exists().where(
        same_member(ConsentRow),
        ConsentRow.given_on <= on,
        or_(ConsentRow.withdrawn_on.is_(None), ConsentRow.withdrawn_on > on),
    )


def is_absent(on: date) -> ColumnElement[bool]:
    """Return the condition that the member of the query is absent on that day."""
    return exists().where(same_member(AbsenceRow), AbsenceRow.valid.contains(on))


def is_free(on: date) -> ColumnElement[bool]:
    """Return the condition that the member of the query can be asked on that day."""
    return and_(MemberRow.is_available, has_consent(on), ~is_absent(on))


def away_members(on: date) -> Subquery:
    """Return ``community_code``, ``member_id`` of who is absent or withdrew consent by a day.

    Of those only whom the caller may see: who may not is told that nobody is away.
    """
    absent = select(AbsenceRow.community_code, AbsenceRow.member_id).where(
        AbsenceRow.valid.contains(on)
    )
    is_over = func.coalesce(ConsentRow.withdrawn_on <= on, false())
    withdrawn = (
        select(ConsentRow.community_code, ConsentRow.member_id)
        .where(ConsentRow.given_on <= on)
        .group_by(ConsentRow.community_code, ConsentRow.member_id)
        .having(func.bool_and(is_over))
    )
    return union(absent, withdrawn).subquery("away")


def _available_until(on: date) -> ColumnElement[Any]:
    """Return the first day after ``on`` from which it is known that the member cannot be asked."""
    absence = (
        select(func.min(func.lower(AbsenceRow.valid)))
        .where(same_member(AbsenceRow), func.lower(AbsenceRow.valid) > on)
        .correlate(MemberRow)
        .scalar_subquery()
    )
    consent = (
        select(func.min(ConsentRow.withdrawn_on))
        .where(same_member(ConsentRow), ConsentRow.withdrawn_on > on)
        .correlate(MemberRow)
        .scalar_subquery()
    )
    return func.least(absence, consent, type_=Date)


def _absent_until(on: date) -> ColumnElement[Any]:
    """Return the first day on which the member is back, where that is known."""
    return (
        select(func.max(func.upper(AbsenceRow.valid)))
        .where(same_member(AbsenceRow), AbsenceRow.valid.contains(on))
        .correlate(MemberRow)
        .scalar_subquery()
    )


def home_building() -> ColumnElement[str]:
    """Return the building that the member of the query lives in, also where the stairwell is."""
    found: ColumnElement[str] = func.coalesce(
        MemberRow.home_building_code, func.left(MemberRow.home_stairwell_code, BUILDING_DIGITS)
    )
    return found


def read_members(session: Session, *, community_code: int, on: date) -> GeoDataFrame:
    """Return a community's members as the contact solver needs them; EPSG:4326, by id.

    Returns
    -------
    GeoDataFrame
        ``id``, ``home_stairwell_code``, ``home_building_code`` (also where the stairwell is
        known), ``branch_id``, ``capacity_households``, ``capacity_stairwells``, ``is_available``
        (switched on, consent in force, not absent on that day), ``available_until`` (first day
        of an absence, or of a withdrawal, after that day), ``absent_until`` (first day back,
        where absent and known), ``is_party_member``, ``geometry`` (point).
    """
    is_party_member = MemberAffiliationRow.affiliation == "party_member"
    return read_frame(
        session,
        select(
            MemberRow.id,
            MemberRow.home_stairwell_code,
            home_building().label("home_building_code"),
            MemberRow.branch_id,
            MemberRow.capacity_households,
            MemberRow.capacity_stairwells,
            is_free(on).label("is_available"),
            _available_until(on).label("available_until"),
            _absent_until(on).label("absent_until"),
            func.coalesce(is_party_member, False).label("is_party_member"),
            MemberRow.geom,
        )
        .outerjoin(MemberAffiliationRow, same_member(MemberAffiliationRow))
        .where(
            in_scope(session, MemberRow.community_code),
            MemberRow.community_code == community_code,
            MemberRow.erased_at.is_(None),
        )
        .order_by(MemberRow.id),
    )


def read_exclusions(session: Session, *, community_code: int, on: date) -> DataFrame:
    """Return who must not be the contact of which stairwell on a day, by member and stairwell.

    Somebody who must not look after a person must not look after the stairwell that the person
    lives in; where only the building is known, after none of its stairwells.
    """
    excluded, stairwell = ExclusionRow, StairwellRow
    named = select(
        excluded.member_id, excluded.stairwell_code.label("stairwell_code"), excluded.reason
    ).where(_in_force(session, community_code, on), excluded.stairwell_code.is_not(None))
    lived_in = (
        select(excluded.member_id, stairwell.code.label("stairwell_code"), excluded.reason)
        .join(MemberRow, same_member(excluded, excluded.other_member_id))
        .join(
            stairwell,
            and_(
                stairwell.community_code == excluded.community_code,
                or_(
                    stairwell.code == MemberRow.home_stairwell_code,
                    stairwell.building_code == MemberRow.home_building_code,
                ),
                stairwell.retired_on.is_(None),
            ),
        )
        .where(_in_force(session, community_code, on))
    )
    both = named.union_all(lived_in).subquery()
    rows = session.execute(
        select(both.c.member_id, both.c.stairwell_code, func.min(both.c.reason))
        .group_by(both.c.member_id, both.c.stairwell_code)
        .order_by(both.c.member_id, both.c.stairwell_code)
    ).all()
    return DataFrame(rows, columns=["member_id", "stairwell_code", "reason"])


def _in_force(session: Session, community_code: int, on: date) -> ColumnElement[bool]:
    return and_(
        in_scope(session, ExclusionRow.community_code),
        ExclusionRow.community_code == community_code,
        ExclusionRow.since <= on,
        or_(ExclusionRow.until.is_(None), ExclusionRow.until > on),
    )


def add_exclusion(session: Session, values: Mapping[str, Any]) -> None:
    """Write one exclusion, given by column."""
    session.execute(insert(ExclusionRow).values(**values))


def find_exclusion(session: Session, key: Mapping[str, Any], *, on: date) -> UUID | None:
    """Return an exclusion in force or to come of the same member and the same subject."""
    named = [getattr(ExclusionRow, column) == value for column, value in key.items() if value]
    return session.scalars(
        select(ExclusionRow.id)
        .where(
            in_scope(session, ExclusionRow.community_code),
            *named,
            or_(ExclusionRow.until.is_(None), ExclusionRow.until > on),
        )
        .limit(1)
    ).one_or_none()


def is_member(session: Session, community_code: int, member_id: UUID) -> bool:
    """Return whether there is such a member, who was not erased."""
    found = session.scalar(
        select(literal(1)).where(
            in_scope(session, MemberRow.community_code),
            MemberRow.community_code == community_code,
            MemberRow.id == member_id,
            MemberRow.erased_at.is_(None),
        )
    )
    return found is not None


def has_stairwell(session: Session, community_code: int, code: str) -> bool:
    """Return whether the community has such a stairwell, which has not ended."""
    found = session.scalar(
        select(literal(1)).where(
            in_scope(session, StairwellRow.community_code),
            StairwellRow.community_code == community_code,
            StairwellRow.code == code,
            StairwellRow.retired_on.is_(None),
        )
    )
    return found is not None


def hold_identities(session: Session) -> None:
    """Let a rotation of keys wait until this transaction, which encrypts phones, has ended."""
    session.execute(text("LOCK TABLE gridsvc.member_identity IN ROW EXCLUSIVE MODE"))


def find_identity(session: Session, member_id: UUID) -> MemberIdentityRow | None:
    """Return name and encrypted phone of one member."""
    return session.scalars(
        select(MemberIdentityRow).where(
            in_scope(session, MemberIdentityRow.community_code),
            MemberIdentityRow.member_id == member_id,
        )
    ).one_or_none()


def search(session: Session, words: str, *, on: date, limit: int) -> list[FoundMember]:
    """Return members whose name holds the words, or whose masked phone they are, by name and id.

    Whether they can be asked, and which offices they hold, is told for a day.
    """
    identity, member, affiliation = MemberIdentityRow, MemberRow, MemberAffiliationRow
    posts = (
        select(func.array_agg(aggregate_order_by(PostRow.kind, PostRow.kind)))
        .where(
            PostRow.community_code == identity.community_code,
            PostRow.member_id == identity.member_id,
            PostRow.valid.contains(on),
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            identity.community_code,
            identity.member_id,
            identity.name,
            identity.phone_masked,
            member.home_stairwell_code,
            (affiliation.affiliation == "party_member").label("is_party_member"),
            is_free(on).label("is_available"),
            posts.label("posts"),
        )
        .join(
            member,
            (member.community_code == identity.community_code) & (member.id == identity.member_id),
        )
        .outerjoin(
            affiliation,
            (affiliation.community_code == identity.community_code)
            & (affiliation.member_id == identity.member_id),
        )
        .where(
            in_scope(session, identity.community_code),
            or_(identity.name.icontains(words, autoescape=True), identity.phone_masked == words),
        )
        .order_by(identity.name, identity.member_id)
        .limit(limit)
    ).mappings()
    return [FoundMember(**{**row, "posts": tuple(row["posts"] or ())}) for row in rows]


def count_posts(session: Session, *, on: date) -> dict[str, int]:
    """Return how many posts of each kind are held on a day, and how many by Party members."""
    rows = session.execute(
        select(
            PostRow.kind,
            func.count(),
            func.count().filter(MemberAffiliationRow.affiliation == "party_member"),
        )
        .outerjoin(
            MemberAffiliationRow,
            (MemberAffiliationRow.community_code == PostRow.community_code)
            & (MemberAffiliationRow.member_id == PostRow.member_id),
        )
        .where(in_scope(session, PostRow.community_code), PostRow.valid.contains(on))
        .group_by(PostRow.kind)
    )
    return {
        name: count
        for kind, held, by_party in rows
        for name, count in ((kind, held), (f"{kind}_party_member", by_party))
    }


def count_reported_in(session: Session) -> int:
    """Return how many Party members have reported in."""
    return (
        session.scalar(
            select(func.count())
            .select_from(MemberRow)
            .join(
                MemberAffiliationRow,
                (MemberAffiliationRow.community_code == MemberRow.community_code)
                & (MemberAffiliationRow.member_id == MemberRow.id),
            )
            .where(
                in_scope(session, MemberRow.community_code),
                MemberRow.reported_in_on.is_not(None),
                MemberAffiliationRow.affiliation == "party_member",
            )
        )
        or 0
    )


def count_organisations(session: Session) -> tuple[dict[str, int], int]:
    """Return how many organisations of each kind there are, and how many people are in them."""
    rows = session.execute(
        select(OrganisationRow.kind, func.count(), func.sum(OrganisationRow.people))
        .where(in_scope(session, OrganisationRow.community_code))
        .group_by(OrganisationRow.kind)
    ).all()
    return {kind: count for kind, count, _ in rows}, sum(int(people) for *_, people in rows)


def follow_grids(
    session: Session, *, community_code: int, descents: Sequence[tuple[str, str, float]]
) -> None:
    """Let homes, posts and organisations follow grids: predecessor, successor, share."""
    session.execute(
        _FOLLOW,
        {
            "community_code": community_code,
            "predecessors": [one[0] for one in descents],
            "successors": [one[1] for one in descents],
            "shares": [one[2] for one in descents],
        },
    )
