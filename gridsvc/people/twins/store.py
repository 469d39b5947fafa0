"""Queries of twins: who might be one, and what of one becomes the other's."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from gridsvc.db import in_scope, same_thing
from gridsvc.people.store import home_building
from gridsvc.people.tables import (
    AbsenceRow,
    ConsentRow,
    ExclusionRow,
    HoursRow,
    MemberAffiliationRow,
    MemberIdentityRow,
    MemberRow,
    PostRow,
)
from gridsvc.people.twins.model import Twin


def read_candidates(
    session: Session, *, community_code: int | None, most: int
) -> list[tuple[Twin, bytes | None]]:
    """Return members who share a masked phone, or name and building, with another one.

    Returns
    -------
    list
        Members and their encrypted phones, by name and id; at most ``most``.
    """
    member, identity = MemberRow, MemberIdentityRow
    mates, building = func.count(), home_building()
    of_mask = mates.filter(identity.phone_masked.is_not(None)).over(
        partition_by=identity.phone_masked
    )
    of_home = mates.filter(building.is_not(None)).over(
        partition_by=(func.left(identity.name, 1), building)
    )
    found = (
        select(
            member.community_code,
            member.id.label("member_id"),
            identity.name,
            identity.phone_masked,
            member.home_stairwell_code,
            member.home_building_code,
            member.is_available,
            member.version,
            identity.phone_cipher,
            or_(of_mask > 1, of_home > 1).label("has_mate"),
        )
        .join(
            identity,
            same_thing(identity.member_id, member.id),
        )
        .where(in_scope(session, member.community_code), member.erased_at.is_(None))
    )
    if community_code is not None:
        found = found.where(member.community_code == community_code)
    pool = found.subquery()
    rows = session.execute(
        select(pool).where(pool.c.has_mate).order_by(pool.c.name, pool.c.member_id).limit(most)
    ).mappings()
    candidates = []
    for row in rows:
        told = dict(row)
        cipher = told.pop("phone_cipher")
        told.pop("has_mate")
        candidates.append((Twin(**told), cipher))
    return candidates


def hold(session: Session, member_ids: Collection[UUID]) -> dict[UUID, MemberRow]:
    """Return members who were not erased, and let others who would change them wait."""
    rows = session.scalars(
        select(MemberRow)
        .where(
            in_scope(session, MemberRow.community_code),
            MemberRow.id.in_(member_ids),
            MemberRow.erased_at.is_(None),
        )
        .order_by(MemberRow.id)  # two who merge the same pair wait for each other
        .with_for_update()
    )
    return {row.id: row for row in rows}


def follow(session: Session, code: int, *, kept_id: UUID, gone_id: UUID) -> dict[str, int]:
    """Give what belongs to one member to another; return how many rows of each table."""
    counts = {}
    for row in (PostRow, AbsenceRow):
        counts[row.__tablename__] = _repoint(session, row, code, "member_id", kept_id, gone_id)
    counts["contact_exclusion"] = _follow_exclusions(session, code, kept_id, gone_id)
    counts["member_consent"] = _follow_consents(session, code, kept_id, gone_id)
    counts["member_hours"] = _follow_hours(session, code, kept_id, gone_id)
    return {name: count for name, count in counts.items() if count}


def _mine(session: Session, row: Any, code: int, member_id: UUID, column: str = "member_id") -> Any:
    return and_(
        in_scope(session, row.community_code),
        row.community_code == code,
        getattr(row, column) == member_id,
    )


def _repoint(
    session: Session, row: Any, code: int, column: str, kept_id: UUID, gone_id: UUID
) -> int:
    moved = session.execute(
        update(row)
        .where(_mine(session, row, code, gone_id, column))
        .values({column: kept_id})
        .returning(row.community_code)
        .execution_options(synchronize_session=False)
    ).all()
    return len(moved)


def _delete(session: Session, row: Any, condition: Any) -> int:
    gone = session.execute(
        delete(row)
        .where(condition)
        .returning(row.community_code)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)


def _follow_exclusions(session: Session, code: int, kept_id: UUID, gone_id: UUID) -> int:
    """Give exclusions over; one of the two from each other makes no sense any more."""
    one = ExclusionRow
    both = tuple_(one.member_id, one.other_member_id)
    _delete(
        session,
        one,
        and_(
            in_scope(session, one.community_code),
            one.community_code == code,
            both.in_([(kept_id, gone_id), (gone_id, kept_id)]),
        ),
    )
    return sum(
        _repoint(session, one, code, column, kept_id, gone_id)
        for column in ("member_id", "other_member_id")
    )


def _follow_consents(session: Session, code: int, kept_id: UUID, gone_id: UUID) -> int:
    """Give over consents of times at which the kept one had given none."""
    gone, kept = ConsentRow, aliased(ConsentRow)
    overlapping = exists().where(
        kept.community_code == gone.community_code,
        kept.member_id == kept_id,
        func.daterange(kept.given_on, kept.withdrawn_on).op("&&")(
            func.daterange(gone.given_on, gone.withdrawn_on)
        ),
    )
    _delete(session, gone, and_(_mine(session, gone, code, gone_id), overlapping))
    return _repoint(session, gone, code, "member_id", kept_id, gone_id)


def _follow_hours(session: Session, code: int, kept_id: UUID, gone_id: UUID) -> int:
    """Give hours over where the kept one has none."""
    has_own = session.scalar(
        select(func.count()).select_from(HoursRow).where(_mine(session, HoursRow, code, kept_id))
    )
    if has_own:
        _delete(session, HoursRow, _mine(session, HoursRow, code, gone_id))
        return 0
    return _repoint(session, HoursRow, code, "member_id", kept_id, gone_id)


def read_identities(
    session: Session, code: int, member_ids: Sequence[UUID]
) -> dict[UUID, MemberIdentityRow]:
    """Return names and phones of members, by id."""
    identity = MemberIdentityRow
    rows = session.scalars(
        select(identity).where(
            in_scope(session, identity.community_code),
            identity.community_code == code,
            identity.member_id.in_(member_ids),
        )
    )
    return {row.member_id: row for row in rows}


def close(session: Session, code: int, *, kept_id: UUID, gone_id: UUID) -> None:
    """Leave of a merged member a row that leads to the kept one, and nothing else."""
    for row in (MemberIdentityRow, MemberAffiliationRow):
        _delete(session, row, _mine(session, row, code, gone_id))
    member = MemberRow
    own = and_(in_scope(session, member.community_code), member.community_code == code)
    session.execute(
        update(member)
        .where(own, member.id == gone_id)
        .values(
            home_stairwell_code=None,
            home_building_code=None,
            branch_id=None,
            reported_in_on=None,
            capacity_households=0,
            capacity_stairwells=0,
            skills=[],
            dialects=[],
            is_available=False,
            erased_at=func.now(),
            merged_into_id=kept_id,
            version=member.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    # Whoever was merged into this one before is the kept one now.
    session.execute(
        update(member)
        .where(own, member.merged_into_id == gone_id)
        .values(merged_into_id=kept_id)
        .execution_options(synchronize_session=False)
    )
