"""Queries of members, posts and organisations."""

from collections.abc import Sequence
from importlib.resources import files
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import BigInteger, bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from gridsvc.db import copy_frame, in_scope, read_frame
from gridsvc.people.model import FoundMember
from gridsvc.people.tables import (
    MemberAffiliationRow,
    MemberIdentityRow,
    MemberRow,
    OrganisationRow,
    PostRow,
)

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


def read_members(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's members as the contact solver needs them; EPSG:4326, by id.

    Returns
    -------
    GeoDataFrame
        ``id``, ``home_stairwell_code``, ``capacity_households``, ``capacity_stairwells``,
        ``is_available``, ``is_party_member``, ``geometry`` (point).
    """
    is_party_member = MemberAffiliationRow.affiliation == "party_member"
    return read_frame(
        session,
        select(
            MemberRow.id,
            MemberRow.home_stairwell_code,
            MemberRow.capacity_households,
            MemberRow.capacity_stairwells,
            MemberRow.is_available,
            func.coalesce(is_party_member, False).label("is_party_member"),
            MemberRow.geom,
        )
        .outerjoin(
            MemberAffiliationRow,
            (MemberAffiliationRow.community_code == MemberRow.community_code)
            & (MemberAffiliationRow.member_id == MemberRow.id),
        )
        .where(
            in_scope(session, MemberRow.community_code),
            MemberRow.community_code == community_code,
            MemberRow.erased_at.is_(None),
        )
        .order_by(MemberRow.id),
    )


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


def search(session: Session, words: str, *, limit: int) -> list[FoundMember]:
    """Return members whose name holds the words, or whose masked phone they are, by name and id."""
    identity, member, affiliation = MemberIdentityRow, MemberRow, MemberAffiliationRow
    posts = (
        select(func.array_agg(aggregate_order_by(PostRow.kind, PostRow.kind)))
        .where(
            PostRow.community_code == identity.community_code,
            PostRow.member_id == identity.member_id,
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
            member.is_available,
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


def count_posts(session: Session) -> dict[str, int]:
    """Return how many posts of each kind are held, and how many by Party members."""
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
        .where(in_scope(session, PostRow.community_code))
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
